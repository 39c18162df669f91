// SPDX-License-Identifier: Apache-2.0
//
// What the tests of simplification share: a case made simpler for a judge that is a function.
#ifndef SIMPLIFY_HELPER_H
#define SIMPLIFY_HELPER_H

#include "tests/unit/testcase_helper.h"

#include "mutators/simplify.h"

typedef bool judge(const struct testcase *testcase, void *context);

struct outcome {
    struct testcase best;
    uint8_t bytes[CASE_MAX_BYTES];
    size_t size;
    unsigned candidates;
};

static inline void simplified(const uint8_t *bytes, size_t size, judge *kept, void *context,
                              struct outcome *outcome) {
    struct simplify *s = simplify_begin(bytes, size);
    uint8_t candidate[CASE_MAX_BYTES];
    struct testcase testcase;
    size_t length;
    outcome->candidates = 0;
    while ((length = simplify_next(s, candidate)) > 0) {
        assert_true(outcome->candidates++ < 20000);
        case_decode(&testcase, candidate, length);
        simplify_judged(s, kept(&testcase, context));
    }
    const uint8_t *best = simplify_best(s, &outcome->size);
    memcpy(outcome->bytes, best, outcome->size);
    case_decode(&outcome->best, outcome->bytes, outcome->size);
    simplify_end(s);
}

// A case of 4 KiB: every member set at random, records beyond the maximum, all bytes used.
static inline size_t large(uint64_t *state, uint8_t bytes[CASE_MAX_BYTES]) {
    helper_fill(state, bytes, CASE_MAX_BYTES);
    bytes[0] = 1;
    return CASE_MAX_BYTES;
}

#endif
