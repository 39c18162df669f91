// SPDX-License-Identifier: Apache-2.0
//
// The harness's end of the launcher: the process, its socket, and what happens when either goes.
// exec.c and warm.c run commands over it.
#ifndef EXEC_CONNECTION_H
#define EXEC_CONNECTION_H

#include "base/fault.h"
#include "exec/fence.h"

#include <stdint.h>
#include <sys/types.h>

struct connection {
    pid_t launcher;           // 0: none; else our child, not reaped, also the id of its session
    int socket;               // -1: none
    const char *program;      // of the launcher
    const char *guarded;      // or NULL
    uint64_t number;          // of the last request
    struct fence_state fence; // what the kernel has; told by the launcher
};

// Starts the launcher and waits for its hello.
int connection_open(struct connection *connection, struct fault *fault);
// After a failure: kills the launcher and whatever it was running, reaps it.
void connection_kill(struct connection *connection);
// Lets a launcher exit that has nothing to run, or whose command is about to end (warm_close); one
// that is not gone soon is killed as above.
void connection_close(struct connection *connection);

// Closes our end and forgets the rest: what a forked child does with its parent's.
void connection_forget(struct connection *connection);

#endif
