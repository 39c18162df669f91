// SPDX-License-Identifier: Apache-2.0
//
// Everything below the calling process: its children, theirs, and so on. System calls alone
// (watch.h). What ends or starts while it looks may be missed, and of a family of thousands it sees
// a part; who must be sure asks again.
#ifndef EXEC_FAMILY_H
#define EXEC_FAMILY_H

#include <stdint.h>
#include <sys/types.h>

// Calls `visit` for every process below, parents first. Returns how many threads they have, dead
// ones that nobody waited for included. A kernel without /proc/<pid>/task/<tid>/children shows
// nobody.
uint64_t family_walk(void (*visit)(pid_t pid, pid_t parent, void *context), void *context);

#endif
