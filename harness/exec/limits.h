// SPDX-License-Identifier: Apache-2.0
//
// What a command may take that no limit of the kernel's bounds for a whole family of processes.
// They are watched: looked at after WATCH_TICK_US and then again and again, so a short command pays
// nothing, and one that takes fast may have taken more than this before it is ended.
#ifndef EXEC_LIMITS_H
#define EXEC_LIMITS_H

#include <stdint.h>

// 0: none.
struct exec_limits {
    // Bytes resident, summed over its processes: what they share is counted for each. Not
    // RLIMIT_AS, because qemu-img reserves far more than it uses and aborts where it gets less.
    uint64_t memory;
    uint64_t space;     // bytes that the files in its working directory take on disk
    uint64_t processes; // and threads, alive at a time
};

#endif
