// SPDX-License-Identifier: Apache-2.0
//
// Integers at unaligned places in byte arrays, little and big endian, and the two roundings that
// every disk format needs. All sizes are uint64_t; overflow is checked where a result could wrap.
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BYTES_ACCESS(bits, order, to_host, to_order)                                               \
    static inline uint##bits##_t get_##order##bits(const void *at) {                               \
        uint##bits##_t value;                                                                      \
        memcpy(&value, at, sizeof value);                                                          \
        return to_host(value);                                                                     \
    }                                                                                              \
    static inline void put_##order##bits(void *at, uint##bits##_t value) {                         \
        value = to_order(value);                                                                   \
        memcpy(at, &value, sizeof value);                                                          \
    }

BYTES_ACCESS(16, le, le16toh, htole16)
BYTES_ACCESS(32, le, le32toh, htole32)
BYTES_ACCESS(64, le, le64toh, htole64)
BYTES_ACCESS(16, be, be16toh, htobe16)
BYTES_ACCESS(32, be, be32toh, htobe32)
BYTES_ACCESS(64, be, be64toh, htobe64)
#undef BYTES_ACCESS

// How many units of `unit` (> 0) cover `bytes`. Never overflows.
static inline uint64_t div_up(uint64_t bytes, uint64_t unit) {
    return bytes / unit + (bytes % unit != 0);
}

// Rounds up to a multiple of `unit` (> 0). Only for values that are known to be below 2^63.
static inline uint64_t round_up(uint64_t bytes, uint64_t unit) {
    return div_up(bytes, unit) * unit;
}

static inline uint64_t round_down(uint64_t bytes, uint64_t unit) {
    return bytes - bytes % unit;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

bool bytes_are_zero(const void *data, size_t length);

#endif
