// SPDX-License-Identifier: Apache-2.0
//
// The 64-bit FNV-1a hash (RFC 9923; Fowler, Noll, Vo): for tables, for names of files, and for a
// choice that the bytes of a case alone shall make. Names of kept cases and fingerprints in SARIF
// are made with it, so its values never change. The last byte reaches the lowest bits and those
// from 40 on alone: who takes few bits takes low ones, or those of hash_mixed.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_OF_NOTHING 0xcbf29ce484222325u

// `hash` is that of what stands before.
static inline uint64_t hash_more(uint64_t hash, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static inline uint64_t hash_bytes(const void *data, size_t size) {
    return hash_more(HASH_OF_NOTHING, data, size);
}

// Every bit follows every byte.
static inline uint64_t hash_mixed(uint64_t hash) {
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
    return hash ^ (hash >> 33);
}

static inline uint64_t hash_text(const char *text) {
    return hash_bytes(text, strlen(text));
}

#endif
