// SPDX-License-Identifier: Apache-2.0
//
// The ways to run a command, each faster than the one before and each with more that must be shown
// to make no difference (harness/tool/self_test.c). All run the unmodified program.
#ifndef EXEC_BACKEND_H
#define EXEC_BACKEND_H

enum exec_backend {
    EXEC_PLAIN,      // executed afresh
    EXEC_LINKED,     // warm: forked from a process that is loaded and relocated, before its main
    EXEC_OPTIONS,    // warm: forked where the program first asks for its options (getopt_long)
    EXEC_PERSISTENT, // as EXEC_OPTIONS, but one child runs many commands, one after the other
    EXEC_BACKENDS
};

static const char *const exec_backend_names[EXEC_BACKENDS] = {
    [EXEC_PLAIN] = "plain",
    [EXEC_LINKED] = "linked",
    [EXEC_OPTIONS] = "options",
    [EXEC_PERSISTENT] = "persistent",
};

#endif
