// SPDX-License-Identifier: Apache-2.0
//
// Waiting for one command, by the process that is its parent, until nothing of it lives. The
// launcher's; a warm process has a smaller one of its own (preload/serve.h), because it is inside
// the fence, where it can neither look for strangers nor sum up what they take. It makes system
// calls and nothing else: no allocation, no stdio, no state of its own.
//
// The caller is the subreaper of what is below it (PR_SET_CHILD_SUBREAPER), so that what leaves the
// command's group becomes its child, and it has no other children: all of them are taken to be the
// command's, and are killed and reaped with it.
#ifndef EXEC_WATCH_H
#define EXEC_WATCH_H

#include "exec/limits.h"
#include "exec/process_cap.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct watch {
    pid_t pid;            // a child that is the leader of its process group and was not waited for
    int pidfd;            // of it; -1: there is none, so it cannot be waited for and is ended
    int lifeline;         // a descriptor whose hang-up ends everything; -1: none
    uint64_t deadline_us; // by clock_us
    struct exec_limits limits;
    const char *directory; // whose files limits.space bounds
    struct process_cap
        *cap; // in which the caller lives, and which has limits.processes set; or NULL
};

// When the limits are looked at for the first time, and how often from then on.
#define WATCH_TICK_US (50 * 1000ull)
// What a command is given between SIGTERM and SIGKILL when its deadline passed.
#define WATCH_GRACE_US (200 * 1000ull)

enum watch_end {
    WATCH_ENDED,    // by itself
    WATCH_DEADLINE, // it was asked to end when the deadline passed, or killed a little later
    WATCH_MEMORY,   // these three: it took more than its limit and was killed
    WATCH_SPACE,
    WATCH_PROCESSES, // or was refused a process, seen while it ran or when it had failed
    WATCH_DESERTED,  // the lifeline hung up; all of it was ended
};

struct watch_result {
    enum watch_end end;
    int status; // as from wait4
    // Something that it started outlived it and was killed. Only of WATCH_ENDED: else all of them
    // live, which says nothing.
    bool left_processes;
    struct rusage usage;
    uint64_t ended_us; // when it was seen to have ended, by clock_us
};

void watch_command(const struct watch *watch, struct watch_result *result);

#endif
