// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the test case share: reproducible random bytes, and equality of cases.
#ifndef TESTCASE_HELPER_H
#define TESTCASE_HELPER_H

#include "testcase/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

// xorshift64*; the seed is fixed per test, so a failure repeats.
static inline uint64_t helper_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

static inline void helper_fill(uint64_t *state, uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(helper_random(state) >> 56);
}

// A random case; never of version 2.
static inline void helper_case(uint64_t *state, struct testcase *testcase) {
    uint8_t bytes[CASE_MAX_BYTES];
    size_t length = helper_random(state) % (sizeof bytes + 1);
    helper_fill(state, bytes, length);
    if (length > 0 && bytes[0] == 2)
        bytes[0] = 0;
    case_decode(testcase, bytes, length);
}

// All members are integers without padding between them, and unused records are zero.
static inline void helper_assert_same(const struct testcase *a, const struct testcase *b) {
    assert_memory_equal(a, b, sizeof *a);
}

static inline void helper_set_size(struct testcase *testcase, enum size_class class, uint32_t value,
                                   int32_t delta) {
    testcase->size_class = class;
    testcase->size_value = value;
    testcase->size_delta = delta;
}

static inline void helper_plain_case(struct testcase *testcase, enum image_format format) {
    case_decode(testcase, NULL, 0);
    testcase->format = format;
}

static inline struct case_write *helper_add_write(struct testcase *testcase) {
    struct case_write *write = &testcase->writes[testcase->write_count++];
    case_record_defaults(RECORD_WRITE, write);
    return write;
}

#endif
