// SPDX-License-Identifier: Apache-2.0
//
// What the outcome of a self-test hangs on, a line for each thing: this boot of this machine, what
// a process is allowed here, the harness and its helpers, fence and case directory, the tool as it
// was probed, and every file that is loaded to run it. Read by nobody but compared as a whole; in
// words, so that a person who compares two of them sees why a tool was tested again. What a wrapper
// starts is not looked at: forked before its main(), it starts that as by plain execution.
#include "tool/self_test.h"

#include "base/file.h"
#include "exec/warm.h"
#include "tool/adapter.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define KEY_DEADLINE_MS 5000

// A file by all that says whether it is the same one. That it is not there is worth a line, too.
static void key_file(struct buffer *key, const char *what, const char *path) {
    struct stat is;
    buffer_format(key, "%s %s: ", what, path);
    if (stat(path, &is)) {
        buffer_text(key, "not there\n");
        return;
    }
    buffer_format(key, "device %llx, inode %llu, mode %o, %lld bytes, ",
                  (unsigned long long)is.st_dev, (unsigned long long)is.st_ino, is.st_mode,
                  (long long)is.st_size);
    buffer_format(key, "modified %lld.%09ld, changed %lld.%09ld\n", (long long)is.st_mtim.tv_sec,
                  is.st_mtim.tv_nsec, (long long)is.st_ctim.tv_sec, is.st_ctim.tv_nsec);
}

// The boot, not the machine: another kernel, other settings of it, another host that has the
// folder.
static bool key_machine(struct buffer *key) {
    struct utsname kernel;
    cpu_set_t cores;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    buffer_text(key, "boot ");
    size_t before = key->length;
    bool known = fd >= 0 && file_read(fd, before + 64, key) == 0 && key->length > before &&
                 uname(&kernel) == 0 && sched_getaffinity(0, sizeof cores, &cores) == 0;
    if (fd >= 0)
        close(fd);
    if (known)
        buffer_format(key, "kernel %s, %s; cores %d\n", kernel.release, kernel.version,
                      CPU_COUNT(&cores));
    return known;
}

static void key_process(struct buffer *key) {
    buffer_format(key, "user %d, group %d, personality %x\nlimits", (int)geteuid(), (int)getegid(),
                  (unsigned)personality(0xffffffff));
    for (int resource = 0; resource < RLIMIT_NLIMITS; resource++) {
        struct rlimit limit = {0};
        getrlimit((__rlimit_resource_t)resource, &limit);
        buffer_format(key, " %llx:%llx", (unsigned long long)limit.rlim_cur,
                      (unsigned long long)limit.rlim_max);
    }
    buffer_text(key, "\n");
}

static bool key_harness(struct buffer *key) {
    char launcher[4096], library[4200];
    if (exec_find_beside("launcher", launcher, sizeof launcher, NULL))
        return false;
    key_file(key, "harness", "/proc/self/exe");
    key_file(key, "launcher", launcher);
    snprintf(library, sizeof library, "%s/%s", dirname(launcher), WARM_LIBRARY);
    key_file(key, "library", library);
    return true;
}

// Where the case directory is, and not the directory itself, which is this process's own.
static void key_room(const struct tool_room *room, struct buffer *key) {
    char parent[sizeof room->workdir->path];
    struct stat is = {0};
    snprintf(parent, sizeof parent, "%s", room->workdir->path);
    const char *folder = dirname(parent);
    stat(folder, &is);
    buffer_format(key, "cases below %s, device %llx%s\nfence ", folder,
                  (unsigned long long)is.st_dev, room->workdir->on_tmpfs ? ", a tmpfs" : "");
    buffer_text(key, room->unfenced ? "off" : "on: ");
    exec_fence_words(room->exec, key);
    buffer_format(key, "; readable %s\n", room->readable ? room->readable : "");
    buffer_format(key, "/dev/kvm %susable\n", access("/dev/kvm", R_OK | W_OK) ? "not " : "");
    key_file(key, "device", "/dev/kvm");
}

// A script or a static program is not loaded by the loader: what it starts nobody can know.
static bool key_is_loaded(const char *program) {
    union {
        Elf64_Ehdr header;
        uint8_t bytes[4096];
    } start = {0};
    int fd = open(program, O_RDONLY | O_CLOEXEC);
    bool read = fd >= 0 && file_pread(fd, start.bytes, sizeof start.bytes, 0, NULL) == 0;
    if (fd >= 0)
        close(fd);
    const Elf64_Ehdr *header = &start.header;
    if (!read || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        uint64_t at = header->e_phoff + i * sizeof segment;
        if (at < header->e_phoff || at > sizeof start.bytes - sizeof segment)
            break;
        memcpy(&segment, start.bytes + at, sizeof segment);
        if (segment.p_type == PT_INTERP)
            return true;
    }
    return false;
}

// Of a line "NAME => PATH (ADDRESS)" or "PATH (ADDRESS)" the path; false: it names none.
static bool key_library_path(char *line) {
    char *arrow = strstr(line, " => "), *path = arrow ? arrow + 4 : line + strspn(line, " \t");
    char *end = strstr(path, " (0x");
    if (*path != '/' || !end)
        return false;
    *end = 0;
    memmove(line, path, (size_t)(end - path) + 1);
    return true;
}

// The loader is asked what it would load; it says so and ends, and nothing of the program runs.
static bool key_libraries(const struct tool *tool, struct tool_room *room, struct buffer *key) {
    static const char *const environment[] = {"LD_TRACE_LOADED_OBJECTS=1", NULL};
    const struct tool_argv argv = {.items = {tool->path, NULL}, .count = 1};
    struct tool_room plain = *room;
    struct exec_outcome said = {0};
    unsigned count = 0;
    plain.plain = true;
    plain.deadline_ms = KEY_DEADLINE_MS;
    key_file(key, "loader's", "/etc/ld.so.cache");
    key_file(key, "loader's", "/etc/ld.so.preload");
    if (key_is_loaded(tool->path) &&
        tool_run_argv_in(tool, &argv, environment, &plain, &said, NULL) == 0 &&
        said.end == EXEC_EXITED && said.value == 0)
        for (char *rest = said.out.data, *line; (line = strsep(&rest, "\n"));)
            if (key_library_path(line)) {
                key_file(key, "library", line);
                count++;
            }
    exec_outcome_free(&said);
    return count > 0;
}

static int key_is_guest(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return length > 4 && !strcmp(entry->d_name + length - 4, ".bin");
}

// instar's guest programs, wherever it may look for them.
static void key_guests(const struct tool *tool, struct buffer *key) {
    char beside[sizeof tool->path];
    memcpy(beside, tool->path, sizeof beside);
    const char *const folders[] = {tool->guests, dirname(beside), "/usr/lib/instar",
                                   "/usr/local/lib/instar"};
    if (tool->kind != TOOL_INSTAR || tool->is_standin)
        return;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct dirent **guests = NULL;
        int count = *folders[i] ? scandir(folders[i], &guests, key_is_guest, alphasort) : 0;
        for (int guest = 0; guest < count; guest++) {
            char path[sizeof tool->guests + 300];
            snprintf(path, sizeof path, "%s/%s", folders[i], guests[guest]->d_name);
            key_file(key, "guest", path);
            free(guests[guest]);
        }
        free(guests);
    }
}

// The one program that a tool finds by name (tool_link_qemu_img). Where the link itself is differs
// from process to process.
static void key_link(const struct tool_room *room, struct buffer *key) {
    char link[sizeof room->workdir->bin_path + 16];
    snprintf(link, sizeof link, "%s/qemu-img", room->workdir->bin_path);
    char *target = realpath(link, NULL);
    if (target)
        key_file(key, "on PATH", target);
    free(target);
}

// As it was probed, before a back end was chosen.
static void key_profile(const struct tool *tool, struct buffer *key) {
    struct tool probed = *tool;
    probed.backend = EXEC_PLAIN;
    probed.backend_why[0] = 0;
    cJSON *profile = tool_profile_json(&probed);
    char *text = cJSON_PrintUnformatted(profile);
    buffer_format(key, "%s\nedges %u, %u\n", text, tool->edges, tool->edges_dropped);
    free(text);
    cJSON_Delete(profile);
}

bool self_test_key(const struct tool *tool, struct tool_room *room, struct buffer *key) {
    if (!key_machine(key) || !key_harness(key))
        return false;
    key_process(key);
    key_room(room, key);
    key_file(key, "tool", tool->path);
    key_link(room, key);
    key_guests(tool, key);
    key_profile(tool, key);
    return key_libraries(tool, room, key);
}
