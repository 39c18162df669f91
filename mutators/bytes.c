// SPDX-License-Identifier: Apache-2.0
//
// A share of mutations knows nothing of fields: it changes bytes, as an engine would, and reads
// what has become of them as a case. It reaches what no other mutation was written for.
#include "mutators/mutation.h"

#include <string.h>

static void change_byte(struct mut_random *random, uint8_t *byte) {
    switch (mut_below(random, 3)) {
    case 0:
        *byte ^= (uint8_t)(1u << mut_below(random, 8));
        break;
    case 1:
        *byte = (uint8_t)mut_draw(random);
        break;
    default:
        *byte = (uint8_t)(*byte + mut_between(random, -4, 4));
        break;
    }
}

// Blocks are copied over others, left out and put in, of any length: records come apart.
static size_t change_block(struct mut_random *random, uint8_t *data, size_t size, size_t room) {
    size_t from = mut_below(random, size), to = mut_below(random, size);
    size_t length = 1 + mut_below(random, size - (from > to ? from : to));
    switch (mut_below(random, 3)) {
    case 0:
        memmove(data + to, data + from, length);
        return size;
    case 1:
        if (length == size)
            return size;
        memmove(data + from, data + from + length, size - from - length);
        return size - length;
    default:
        if (size + length > room)
            return size;
        memmove(data + to + length, data + to, size - to);
        return size + length;
    }
}

static size_t own_havoc(struct mut_random *random, uint8_t *data, size_t size, size_t room) {
    for (uint32_t i = 0, steps = 1 + mut_below(random, 4); i < steps; i++) {
        if (mut_one_in(random, 3))
            size = change_block(random, data, size, room);
        else
            change_byte(random, &data[mut_below(random, size)]);
    }
    return size;
}

bool mut_bytes(struct mut_work *work) {
    uint8_t bytes[CASE_MAX_BYTES];
    size_t size = case_encode(work->testcase, bytes);
    size = work->havoc ? work->havoc(bytes, size, sizeof bytes)
                       : own_havoc(work->random, bytes, size, sizeof bytes);
    // The version's byte is left alone: another version would be the empty case.
    bytes[0] = 0;
    case_decode(work->testcase, bytes, size);
    return true;
}
