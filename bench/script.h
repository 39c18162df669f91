// SPDX-License-Identifier: Apache-2.0
//
// The plain script that the harness is compared with (script.py), as a process that does one
// iteration when it is told to: its start-up is not timed, and it takes its turns as the others do.
#ifndef BENCH_SCRIPT_H
#define BENCH_SCRIPT_H

#include "base/fault.h"
#include "tool/tool.h"

#include <stdio.h>
#include <sys/types.h>

struct script {
    pid_t pid; // 0: there is no python3
    FILE *to, *from;
};

// The two tools work in a new folder inside `parent`. Without python3 it stays unstarted, which
// `why` tells; that is no failure.
int script_start(struct script *script, const struct tool *a, const struct tool *b,
                 const char *parent, const char **why, struct fault *fault);
// One iteration of that case (its text form) in microseconds.
int script_run(struct script *script, const char *path, double *us, struct fault *fault);
void script_stop(struct script *script);

#endif
