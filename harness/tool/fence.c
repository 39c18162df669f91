// SPDX-License-Identifier: Apache-2.0
//
// What a tool may reach: one table, a reason a row, found by tracing what the tools open.
// Everything else is refused, above all what an image names: a backing file outside the case
// directory, a device, a host. A refusal that changes no tool's answer needs no row
// (/proc/self/status and /sys/devices/system/node, which a library of qemu-img's reads at its start
// and does without).
#include "tool/adapter.h"

#include "exec/fence.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum fence_for { FOR_ALL, FOR_INSTAR, FOR_SCRIPTS };

struct fence_row {
    enum fence_for whom;
    enum fence_access access;
    const char *path;
    const char *reason;
};

static const struct fence_row fence_rows[] = {
    {FOR_ALL, FENCE_RUN, "/lib", "the dynamic loader, libraries, loadable block drivers"},
    {FOR_ALL, FENCE_RUN, "/lib64", "the same"},
    {FOR_ALL, FENCE_RUN, "/usr/lib", "the same; instar's guest programs where they are installed"},
    {FOR_ALL, FENCE_RUN, "/usr/lib64", "the same"},
    {FOR_ALL, FENCE_RUN, "/usr/local/lib", "the same"},
    {FOR_ALL, FENCE_READ, "/etc/ld.so.cache", "where the loader finds libraries"},
    {FOR_ALL, FENCE_READ, "/etc/ld.so.preload", "read by the loader before all else"},
    {FOR_ALL, FENCE_DEVICE, "/dev/null", "opened by libraries of qemu-img and by shells"},
    {FOR_ALL, FENCE_READ, "/dev/zero", "memory, for old allocators"},
    {FOR_ALL, FENCE_READ, "/dev/urandom", "identifiers of new images"},
    {FOR_ALL, FENCE_READ, "/etc/gnutls", "a cipher policy, which a library of qemu-img looks for"},
    {FOR_INSTAR, FENCE_DEVICE, "/dev/kvm", "its guest does the work"},
    {FOR_INSTAR, FENCE_READ, "/etc/instar", "its configuration"},
    {FOR_SCRIPTS, FENCE_RUN, "/bin", "a wrapper's interpreter and what it calls"},
    {FOR_SCRIPTS, FENCE_RUN, "/usr/bin", "the same"},
    {FOR_SCRIPTS, FENCE_RUN, "/usr/local/bin", "the same"},
};
#define FENCE_ROWS (sizeof fence_rows / sizeof *fence_rows)

// The rows, the paths that are known only here, and as many again of a person's.
#define FENCE_LIST_MAX (FENCE_ROWS + 40)
#define FENCE_TEXT     16384

struct fence_list {
    const char *items[FENCE_LIST_MAX + 1];
    size_t count, used;
    bool overflowed;
    char text[FENCE_TEXT];
};

static void fence_list_add(struct fence_list *list, enum fence_access access, const char *directory,
                           const char *name) {
    size_t room = sizeof list->text - list->used;
    int need = snprintf(list->text + list->used, room, "%c%s%s", (char)access, directory, name);
    if (need < 0 || (size_t)need >= room || list->count == FENCE_LIST_MAX) {
        list->overflowed = true;
        return;
    }
    list->items[list->count++] = list->text + list->used;
    list->used += (size_t)need + 1;
}

static bool fence_is_script(const char *program) {
    char magic[2] = {0};
    int fd = open(program, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool script = read(fd, magic, sizeof magic) == 2 && magic[0] == '#' && magic[1] == '!';
    close(fd);
    return script;
}

// The program and what belongs to it: a build of its own has its libraries beside its bin folder,
// instar its guest programs beside itself, a script what it calls.
static void fence_list_program(struct fence_list *list, const char *program, const char *guests,
                               bool instar, bool script) {
    char directory[512];
    snprintf(directory, sizeof directory, "%s", program);
    char *slash = strrchr(directory, '/');
    if (slash)
        *slash = 0;
    fence_list_add(list, FENCE_RUN, program, "");
    fence_list_add(list, FENCE_RUN, directory, "/../lib");
    fence_list_add(list, FENCE_RUN, directory, "/../lib64");
    char guest[sizeof directory + 16];
    snprintf(guest, sizeof guest, "%s/core.bin", directory);
    if (script || (instar && !access(guest, F_OK)))
        fence_list_add(list, FENCE_RUN, directory, "/");
    if (*guests)
        fence_list_add(list, FENCE_READ, guests, "");
}

// A person's own folders, a comma between two (settings.c has checked them).
static void fence_list_more(struct fence_list *list, const char *more) {
    while (more && *more) {
        char path[512];
        size_t length = strcspn(more, ",");
        snprintf(path, sizeof path, "%.*s", (int)length, more);
        fence_list_add(list, FENCE_RUN, path, "");
        more += length + (more[length] == ',');
    }
}

static int fence_list_make(struct fence_list *list, const char *program, unsigned with,
                           const char *guests, const struct tool_room *room, struct fault *fault) {
    bool script = fence_is_script(program), instar = with & TOOL_FENCE_INSTAR;
    list->count = list->used = 0;
    list->overflowed = false;
    fence_list_add(list, FENCE_WRITE, room->workdir->case_path, "");
    fence_list_add(list, FENCE_READ, room->workdir->home_path, "");
    fence_list_add(list, FENCE_RUN, room->workdir->bin_path, "");
    if (with & TOOL_FENCE_COUNTS)
        fence_list_add(list, FENCE_WRITE, room->workdir->map_path, "");
    if (instar) // the link's target: instar asks it for its version
        fence_list_add(list, FENCE_RUN, room->workdir->bin_path, "/qemu-img");
    fence_list_program(list, program, guests, instar, script);
    for (size_t i = 0; i < FENCE_ROWS; i++) {
        const struct fence_row *row = &fence_rows[i];
        if (row->whom == FOR_ALL || (row->whom == FOR_INSTAR && instar) ||
            (row->whom == FOR_SCRIPTS && script))
            fence_list_add(list, row->access, row->path, "");
    }
    fence_list_more(list, room->readable);
    list->items[list->count] = NULL;
    return list->overflowed ? fault_set(fault, "INSTAR_FUZZ_FENCE names too many folders") : 0;
}

const char *const *tool_fence(const char *program, unsigned with, const char *guests,
                              const struct tool_room *room, struct fault *fault) {
    static struct fence_list list;
    return fence_list_make(&list, program, with, guests, room, fault) ? NULL : list.items;
}
