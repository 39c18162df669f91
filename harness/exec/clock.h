// SPDX-License-Identifier: Apache-2.0
//
// Deadlines on the monotonic clock: a wait that is interrupted must go on for what is left of it,
// not start again, or an interval timer makes it endless.
#ifndef EXEC_CLOCK_H
#define EXEC_CLOCK_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t clock_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

// The time-out for poll(): milliseconds until `end_us`, rounded up, 0 when it has passed.
static inline int clock_left_ms(uint64_t end_us) {
    uint64_t now = clock_us();
    uint64_t left = end_us > now ? (end_us - now + 999) / 1000 : 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

#endif
