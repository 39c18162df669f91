// SPDX-License-Identifier: Apache-2.0
//
// What the two ways of serving (serve.c: a fork for each command; workers.c: a worker for many)
// have in common.
#ifndef EXEC_PRELOAD_SERVE_H
#define EXEC_PRELOAD_SERVE_H

#include "exec/preload/preload.h"
#include "exec/watch.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>

#define SERVE_BROKEN 125 // our own exit status; the harness reads the silence

extern int serve_socket;

void serve_hello(enum exec_backend backend); // the process is where it was asked to be
void serve_reply(const struct launcher_reply *reply);
// Waits for a request. The process ends with the socket.
void serve_next(struct preload_command *command);
// Limits of the calling process, which has used so much processor time before.
void serve_limit(const struct launcher_request *request, uint64_t used_us);
void serve_become_child(pid_t parent);
// Waits for the end of `pid`, ends it at the deadline (SIGTERM, then SIGKILL to its group), and
// ends the whole process if the harness is gone. The deadline may change while waiting and is asked
// for at each turn. Then ends its group. Fills in end, status and left_processes.
void serve_end(pid_t pid, uint64_t (*deadline_us)(void), struct launcher_reply *reply,
               struct rusage *usage);
void serve_usage(struct launcher_reply *reply, const struct rusage *before,
                 const struct rusage *after);

#endif
