// SPDX-License-Identifier: Apache-2.0
//
// Killing processes that can only be found by looking: those that left their process group, and
// those whose launcher died before it could kill them. Both are rare, so this may be slow (it
// reads /proc), but it must never hit a stranger.
#ifndef EXEC_PROCESSES_H
#define EXEC_PROCESSES_H

#include <sys/types.h>

enum processes_relation {
    PROCESSES_CHILDREN_OF, // direct children
    PROCESSES_IN_SESSION,  // members of the session, its leader included
};

// Sends SIGKILL to every living process that stands in this relation to `id`. Returns how many.
int processes_kill(enum processes_relation relation, pid_t id);

// The same for everything below the calling process.
int processes_kill_family(void);

int processes_open(pid_t pid); // pidfd_open: a CLOEXEC descriptor, readable once it ended
int processes_signal(int pidfd, int number);
void processes_close_from(int low); // closes every descriptor from `low` up

#endif
