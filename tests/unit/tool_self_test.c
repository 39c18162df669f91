// SPDX-License-Identifier: Apache-2.0
//
// The memory of self-tests: each thing that an outcome hangs on changes the key, nothing else does,
// and a file that is not exactly what was written is no memory.
#include "tests/unit/tool_room.h"

#include "tool/self_test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[64];     // of this test
static struct tool tool;    // a copy of the stand-in, in folder/bin, with a library in folder/lib
static struct buffer known; // its key before anything was changed

static void in_folder(const char *name, char path[320]) {
    snprintf(path, 320, "%s/%s", folder, name);
}

static void shell(const char *format, ...) {
    char command[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static int begin_all(void **state) {
    char standin[512], path[320];
    struct fault fault = {0};
    strcpy(folder, "/tmp/tool_self_test.XXXXXX");
    if (begin(state) || !mkdtemp(folder) ||
        exec_find_beside("standin/instar", standin, sizeof standin, &fault))
        return -1;
    shell("mkdir %s/bin %s/lib && cp %s %s/bin/instar", folder, folder, standin, folder);
    in_folder("bin/instar", path);
    tool = probed(path, TOOL_INSTAR);
    return tool.available && self_test_key(&tool, &room, &known) ? 0 : -1;
}

static int end_all(void **state) {
    buffer_free(&known);
    workdir_remove_tree(folder, NULL);
    return end(state);
}

static bool is_known(const struct tool *now, struct tool_room *where) {
    struct buffer key = {0};
    assert_true(self_test_key(now, where, &key));
    bool same = key.length == known.length && !memcmp(key.data, known.data, key.length);
    buffer_free(&key);
    return same;
}

// What is a process's own (its case directory, its launcher) is no part of it.
static void another_process_has_the_same_key(void **state) {
    (void)state;
    struct workdir other;
    struct tool_room there = room;
    char launcher[512];
    assert_true(is_known(&tool, &room));
    assert_int_equal(workdir_create(&other, NULL, NULL), 0);
    assert_int_equal(exec_find_beside("launcher", launcher, sizeof launcher, NULL), 0);
    assert_int_equal(exec_start(&there.exec, launcher, other.path, NULL), 0);
    there.workdir = &other;
    assert_true(is_known(&tool, &there));
    exec_stop(there.exec);
    workdir_remove(&other);
}

// What the kernel alone can change (the boot) is told by its words.
static void the_key_names_what_no_test_can_change(void **state) {
    (void)state;
    static const char *const words[] = {"boot ",
                                        "kernel ",
                                        "cores ",
                                        "harness /proc/self/exe: ",
                                        "launcher",
                                        "/warm.so",
                                        "/dev/kvm ",
                                        "/etc/ld.so.cache: ",
                                        "/etc/ld.so.preload: ",
                                        "/libc.so"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(known.data, words[i]))
            fail_msg("no \"%s\" in %s", words[i], known.data);
}

static void set_times(const struct timespec times[2]) {
    assert_int_equal(utimensat(AT_FDCWD, tool.path, times, 0), 0);
    assert_int_equal(tool_look_at_file(tool.path, &tool.file, NULL), 0);
}

static void another_tool_is_tested_again(void **state) {
    (void)state;
    struct tool other = tool;
    struct timespec times[2];
    struct stat before;
    assert_int_equal(stat(tool.path, &before), 0);
    other.edges = 7;
    assert_false(is_known(&other, &room));
    other = tool;
    other.ops[OP_MAP] = false;
    assert_false(is_known(&other, &room));
    other = tool;
    strcpy(other.lies, "map-reads-zeros");
    assert_false(is_known(&other, &room));
    other = tool;
    strcpy(other.version, "instar stand-in 0.2");
    assert_false(is_known(&other, &room));
    // A nanosecond is another file; so is the same time again, because that was set behind a
    // change.
    times[0] = before.st_atim;
    times[1] = before.st_mtim;
    times[1].tv_nsec ^= 1;
    set_times(times);
    assert_false(is_known(&tool, &room));
    times[1] = before.st_mtim;
    set_times(times);
    assert_false(is_known(&tool, &room));
    buffer_clear(&known);
    assert_true(self_test_key(&tool, &room, &known));
}

static void another_place_is_tested_again(void **state) {
    (void)state;
    struct tool_room other = room;
    struct workdir elsewhere;
    other.unfenced = true;
    assert_false(is_known(&tool, &other));
    other = room;
    other.readable = "/usr/share";
    assert_false(is_known(&tool, &other));
    other = room;
    assert_int_equal(workdir_create(&elsewhere, folder, NULL), 0);
    other.workdir = &elsewhere;
    assert_false(is_known(&tool, &other));
    workdir_remove(&elsewhere);
    assert_int_equal(tool_link_qemu_img(&workdir, tool.path, NULL), 0);
    assert_false(is_known(&tool, &room));
    assert_int_equal(tool_link_qemu_img(&workdir, NULL, NULL), 0);
    assert_true(is_known(&tool, &room));
}

static void another_limit_is_tested_again(void **state) {
    (void)state;
    struct rlimit before, fewer;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    fewer = before;
    fewer.rlim_cur--;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &fewer), 0);
    assert_false(is_known(&tool, &room));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(is_known(&tool, &room));
}

static void a_library_that_was_replaced_is_noticed(void **state) {
    (void)state;
    char command[512];
    snprintf(command, sizeof command,
             "patchelf --set-rpath '$ORIGIN/../lib' %s && cp /lib/*/libz.so.1 %s/lib/", tool.path,
             folder);
    if (system(command) != 0)
        skip();
    tool = probed(tool.path, TOOL_INSTAR);
    assert_true(tool.available);
    buffer_clear(&known);
    assert_true(self_test_key(&tool, &room, &known));
    snprintf(command, sizeof command, "%s/bin/../lib/libz.so.1: ", folder);
    assert_non_null(strstr(known.data, command));
    shell("cp /lib/*/libz.so.1 %s/lib/new && mv %s/lib/new %s/lib/libz.so.1", folder, folder,
          folder);
    assert_false(is_known(&tool, &room));
}

static void instars_guest_programs_are_looked_at(void **state) {
    (void)state;
    struct tool instar = tool;
    struct buffer keys[3] = {{0}};
    instar.is_standin = false;
    for (int i = 0; i < 3; i++) {
        assert_true(self_test_key(&instar, &room, &keys[i]));
        snprintf(instar.guests, sizeof instar.guests, "%s/guests", folder);
        shell("mkdir -p %s && echo %d > %s/core.bin", instar.guests, i, instar.guests);
    }
    assert_string_not_equal(keys[0].data, keys[1].data);
    assert_string_not_equal(keys[1].data, keys[2].data);
    for (int i = 0; i < 3; i++)
        buffer_free(&keys[i]);
}

// Nobody knows what these would run.
static void scripts_and_static_programs_have_no_key(void **state) {
    (void)state;
    struct buffer key = {0};
    struct tool other = tool;
    shell("printf '#!/bin/sh\\nexec %s \"$@\"\\n' >%s/script && chmod +x %s/script", tool.path,
          folder, folder);
    snprintf(other.path, sizeof other.path, "%s/script", folder);
    other.file.inode = 0;
    assert_false(self_test_key(&other, &room, &key));
    assert_int_equal(exec_find_beside("launcher", other.path, sizeof other.path, NULL), 0);
    assert_false(self_test_key(&other, &room, &key));
    buffer_free(&key);
}

// --- the files -----------------------------------------------------------------------------------

static const char said[] = "266 commands answered as by plain execution, 2 times each";

static bool is_remembered(const char *where, const char *key, enum exec_backend backend) {
    struct buffer text = {0};
    char words[200] = "";
    buffer_text(&text, key);
    bool read = self_test_read(where, &text, backend, words, sizeof words);
    if (read)
        assert_string_equal(words, said);
    buffer_free(&text);
    return read;
}

static void remember(const char *where, const char *key, enum exec_backend backend) {
    struct buffer text = {0};
    buffer_text(&text, key);
    self_test_write(where, &text, backend, said);
    buffer_free(&text);
}

static void what_was_written_is_read_until_it_is_forgotten(void **state) {
    (void)state;
    char where[320];
    in_folder("memory", where);
    assert_false(is_remembered(where, "a\n", EXEC_OPTIONS));
    remember(where, "a\n", EXEC_OPTIONS);
    remember(where, "b\n", EXEC_PERSISTENT);
    assert_true(is_remembered(where, "a\n", EXEC_OPTIONS));
    assert_true(is_remembered(where, "b\n", EXEC_PERSISTENT));
    assert_false(is_remembered(where, "a\n", EXEC_PERSISTENT));
    assert_false(is_remembered(where, "c\n", EXEC_OPTIONS));
    tool_forget_self_tests(where);
    assert_false(is_remembered(where, "a\n", EXEC_OPTIONS));
    assert_false(is_remembered(where, "b\n", EXEC_PERSISTENT));
    tool_forget_self_tests(NULL);
    tool_forget_self_tests("/nowhere");
}

// The one file of the folder.
static void only_file(const char *where, char path[640]) {
    char command[400];
    snprintf(command, sizeof command, "ls %s", where);
    FILE *list = popen(command, "r");
    char name[128] = "", more[128];
    assert_true(list && fscanf(list, "%127s", name) == 1 && fscanf(list, "%127s", more) != 1);
    pclose(list);
    snprintf(path, 640, "%s/%s", where, name);
}

static void a_damaged_file_is_no_memory(void **state) {
    (void)state;
    char where[320], path[640];
    struct stat is;
    in_folder("damaged", where);
    remember(where, "a key\n", EXEC_LINKED);
    only_file(where, path);
    assert_int_equal(stat(path, &is), 0);
    for (off_t at = 0; at < is.st_size; at++) {
        char byte;
        int fd = open(path, O_RDWR | O_CLOEXEC);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_false(is_remembered(where, "a key\n", EXEC_LINKED));
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        assert_true(is_remembered(where, "a key\n", EXEC_LINKED));
    }
    for (off_t length = is.st_size + 1; length >= 0; length--) {
        assert_int_equal(truncate(path, length), 0);
        assert_int_equal(is_remembered(where, "a key\n", EXEC_LINKED), length == is.st_size);
        if (length == is.st_size + 1)
            remember(where, "a key\n", EXEC_LINKED);
    }
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(is_remembered(where, "a key\n", EXEC_LINKED));
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(is_remembered(where, "a key\n", EXEC_LINKED));
    remember(where, "a key\n", EXEC_LINKED);
    assert_false(is_remembered(where, "a key\n", EXEC_LINKED));
}

static void where_nothing_can_be_written_nothing_is_remembered(void **state) {
    (void)state;
    char where[320];
    in_folder("file", where);
    shell("echo >%s", where);
    remember(where, "a\n", EXEC_LINKED);
    assert_false(is_remembered(where, "a\n", EXEC_LINKED));
    in_folder("not/there", where);
    remember(where, "a\n", EXEC_LINKED);
    assert_false(is_remembered(where, "a\n", EXEC_LINKED));
}

// Whoever reads sees nothing or all of it (is_remembered would fail).
static void several_write_at_once(void **state) {
    (void)state;
    char where[320], path[640];
    in_folder("several", where);
    pid_t writers[8];
    for (int i = 0; i < 8; i++)
        if ((writers[i] = fork()) == 0) {
            for (int n = 0; n < 200; n++) {
                remember(where, "a\n", EXEC_LINKED);
                if (!is_remembered(where, "a\n", EXEC_LINKED))
                    _exit(1);
            }
            _exit(0);
        }
    for (int i = 0, status; i < 8; i++) {
        assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
        assert_int_equal(status, 0);
    }
    only_file(where, path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_process_has_the_same_key),
        cmocka_unit_test(the_key_names_what_no_test_can_change),
        cmocka_unit_test(another_tool_is_tested_again),
        cmocka_unit_test(another_place_is_tested_again),
        cmocka_unit_test(another_limit_is_tested_again),
        cmocka_unit_test(instars_guest_programs_are_looked_at),
        cmocka_unit_test(scripts_and_static_programs_have_no_key),
        cmocka_unit_test(a_library_that_was_replaced_is_noticed),
        cmocka_unit_test(what_was_written_is_read_until_it_is_forgotten),
        cmocka_unit_test(a_damaged_file_is_no_memory),
        cmocka_unit_test(where_nothing_can_be_written_nothing_is_remembered),
        cmocka_unit_test(several_write_at_once),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
