// SPDX-License-Identifier: Apache-2.0
//
// A launcher and a case directory for the tests that run programs.
#ifndef TESTS_TOOL_ROOM_H
#define TESTS_TOOL_ROOM_H

#include "tool/adapter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct workdir workdir;
static struct tool_room room = {.workdir = &workdir, .deadline_ms = 2000};

static int begin(void **state) {
    (void)state;
    struct fault fault = {0};
    char launcher[512];
    if (workdir_create(&workdir, NULL, &fault) != 0 ||
        exec_find_beside("launcher", launcher, sizeof launcher, &fault) != 0 ||
        exec_start(&room.exec, launcher, workdir.path, &fault) != 0) {
        print_error("%s\n", fault.text);
        return -1;
    }
    unsetenv("STANDIN_LIE");
    unsetenv("INSTAR_BIN_DIR");
    return 0;
}

static int end(void **state) {
    (void)state;
    exec_stop(room.exec);
    workdir_remove(&workdir);
    return 0;
}

static inline struct tool probed(const char *path, enum tool_kind wanted) {
    struct tool tool;
    struct fault fault = {0};
    int failed = tool_probe(&tool, path, wanted, &room, &fault);
    if (failed)
        print_error("%s\n", fault.text);
    assert_int_equal(failed, 0);
    return tool;
}

#endif
