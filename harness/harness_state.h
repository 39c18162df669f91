// SPDX-License-Identifier: Apache-2.0
//
// The inside of a harness, for the two files that make it up: harness.c, which opens and closes it,
// and policy.c, which runs cases with it. Nobody else includes this.
#ifndef HARNESS_HARNESS_STATE_H
#define HARNESS_HARNESS_STATE_H

#include "chain.h"
#include "coverage.h"
#include "harness.h"
#include "third.h"

#include <sys/types.h>

struct harness {
    const struct settings *settings;
    struct tool tools[SIDES];
    struct registry *registry;
    struct third third;
    struct coverage coverage;
    bool third_always, cross_always; // one file is looked at, not a campaign run
    bool keeps_files;                // harness_keep_files
    struct stats *stats;
    char *seen;       // folder, or NULL
    char *self_tests; // folder, or NULL (tool/self_test.h)
    pid_t owner;      // process that `exec` and `workdir` belong to; 0: none yet
    struct exec *exec;
    struct workdir workdir;
    struct buffer fence; // in words
    struct chain chain;
    struct testcase testcase;
    struct record first, again; // the case, and its repetition
};

// Launcher and case directory of this process; nothing to do where it has them.
int harness_attach(struct harness *harness, struct fault *fault);

#endif
