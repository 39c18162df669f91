// SPDX-License-Identifier: Apache-2.0
//
// What is too dear for every case is done for one in so many. Which ones, the bytes alone say, so
// that a case is the same in every run.
#ifndef HARNESS_TURN_H
#define HARNESS_TURN_H

#include "base/hash.h"

#include <stdbool.h>

static inline bool turn_of(const uint8_t *data, size_t size, uint64_t share) {
    return hash_mixed(hash_bytes(data, size)) % share == 0;
}

#endif
