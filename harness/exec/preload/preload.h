// SPDX-License-Identifier: Apache-2.0
//
// What the files of the preload library share. The library lives inside the tool: it uses no file
// descriptor, signal, allocation or variable of the environment that the tool would notice, and
// does nothing at all in a program that was not started by warm.c.
//
//   entry.c     __libc_start_main, main and exit: the way in, and the way out
//   options.c   getopt_long: where a tool waits for its arguments
//   again.c     going back there after a command
//   serve.c     requests, forks, replies
//   workers.c   the same with workers that run many commands
#ifndef EXEC_PRELOAD_PRELOAD_H
#define EXEC_PRELOAD_PRELOAD_H

#include "exec/warm_protocol.h"

#include <stdbool.h>

// Interposed functions are the library's only visible ones.
#define PRELOAD_EXPORT __attribute__((visibility("default")))

struct preload_command {
    struct launcher_request request;
    char *arguments[WARM_ARGUMENTS]; // NULL-terminated; request.argument_count of them
};

// How far this process was asked to go.
enum exec_backend preload_backend(void);

void serve_open(void); // once, before all
// Serves for ever; returns in each child, with its command.
void serve_forks(struct preload_command *command);
// The same, but what returns is a worker, which then asks for its commands.
void serve_workers(void);
void worker_next(struct preload_command *command);
// The command ended with status 0: true if the worker may go on, and then it is answered.
bool worker_done(void);

#endif
