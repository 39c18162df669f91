// SPDX-License-Identifier: Apache-2.0
//
// What is too dear for every case is done for one in so many. Which ones, the bytes alone say, so
// that a case is the same in every run.
#ifndef HARNESS_TURN_H
#define HARNESS_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool turn_of(const uint8_t *data, size_t size, uint64_t share) {
    uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 0x100000001b3u;
    return (hash >> 32) % share == 0;
}

#endif
