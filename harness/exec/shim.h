// SPDX-License-Identifier: Apache-2.0
//
// What is behind the door of exec.h: the launcher's connection, and the warm processes.
#ifndef EXEC_SHIM_H
#define EXEC_SHIM_H

#include "base/buffer.h"
#include "exec/connection.h"
#include "exec/warm.h"

#include <stdbool.h>
#include <sys/types.h>

// Two tools, each by up to two ways at a time, an instrumented one and the third reader.
#define EXEC_WARM_MAX 6

// How often in a row a program's commands ended with their warm process.
struct exec_losses {
    char *program; // NULL: a free place; owned
    unsigned count;
};

struct exec {
    pid_t owner;   // the process that may use it; a forked child may not
    char *program; // of the launcher; owned
    char *guarded; // or NULL; owned
    struct connection plain;
    bool unfenced;                    // whatever a command says
    struct warm *warm[EXEC_WARM_MAX]; // or NULL
    size_t warm_next;                 // which place is given up for a further one
    struct exec_losses lost[EXEC_WARM_MAX];
    struct buffer message; // scratch
};

// What an answer means. -1: the command never ran, with the reason.
int exec_conclude(const struct exec_command *command, const struct launcher_reply *reply,
                  struct exec_outcome *outcome, struct fault *fault);

#endif
