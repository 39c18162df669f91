// SPDX-License-Identifier: Apache-2.0
//
// The launcher's side of one command: the child between vfork and execve. Apart from the launcher,
// because what may be done there is so restricted (it borrows the launcher's memory and stack)
// that it should be read on its own.
#ifndef EXEC_CHILD_H
#define EXEC_CHILD_H

#include "exec/launcher_protocol.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child_plan {
    const char *program, *directory;
    char *const *argv, *const *environment;
    int out, err; // write ends, CLOEXEC, above 2
    int service;  // of a warm process, likewise: becomes WARM_SOCKET; or -1
    bool fenced, seccomp;
    int ruleset; // of fence_build, or -1
    uint64_t file_size_limit;
    uint32_t cpu_seconds_limit;
};

// Why a child never became its program. Lives in shared memory, so that it arrives also where
// vfork is emulated by fork. Valid once the child has ended; error 0: the program did run.
struct child_failure {
    int32_t step, error;
};

// The process, or -1 with errno. fd 0 of the caller must be /dev/null; it is handed down.
pid_t child_start(const struct child_plan *plan, volatile struct child_failure *failure);

// Sets the disposition of the signals that the launcher ignores. An ignored signal would stay
// ignored through execve, so the child sets the same ones back; all others, and the mask, are at
// their default in the launcher.
void child_signals(void (*disposition)(int));

#endif
