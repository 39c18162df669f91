// SPDX-License-Identifier: Apache-2.0
//
// The harness's end of the launcher: the process, its socket, and what happens when either goes.
// exec.c runs commands over it.
#ifndef EXEC_CONNECTION_H
#define EXEC_CONNECTION_H

#include "base/buffer.h"
#include "base/fault.h"
#include "exec/fence.h"

#include <stdint.h>
#include <sys/types.h>

struct exec {
    pid_t owner;              // the process that may use it; a forked child may not
    pid_t launcher;           // 0: none; else our child, not reaped, also the id of its session
    int socket;               // -1: none
    char *program;            // of the launcher; owned
    char *guarded;            // or NULL; owned
    uint64_t number;          // of the last request
    bool unfenced;            // whatever a command says
    struct fence_state fence; // what the kernel has; told by the launcher
    struct buffer message;    // scratch
    char discarded[64 * 1024];
};

// Starts the launcher and waits for its hello.
int connection_open(struct exec *exec, struct fault *fault);
// After a failure: kills the launcher and whatever it was running, reaps it.
void connection_kill(struct exec *exec);
// Lets an idle launcher exit.
void connection_close(struct exec *exec);

#endif
