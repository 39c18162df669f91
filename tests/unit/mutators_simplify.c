// SPDX-License-Identifier: Apache-2.0
//
// The walk over the steps: whoever judges, it comes to an end and repeats nothing.
#include "tests/unit/simplify_helper.h"

static bool always(const struct testcase *testcase, void *context) {
    (void)testcase;
    (void)context;
    return true;
}
static bool never(const struct testcase *testcase, void *context) {
    (void)testcase;
    (void)context;
    return false;
}
static bool in_turns(const struct testcase *testcase, void *context) {
    (void)testcase;
    return ++*(unsigned *)context % 2;
}

static void nothing_is_left_of_a_case_that_needs_nothing(void **state) {
    (void)state;
    struct testcase empty;
    case_decode(&empty, NULL, 0);
    uint8_t bytes[CASE_MAX_BYTES];
    for (uint64_t seed = 1; seed < 40; seed++) {
        struct outcome outcome;
        uint64_t random = seed;
        size_t size = large(&random, bytes);
        simplified(bytes, size, always, NULL, &outcome);
        helper_assert_same(&outcome.best, &empty);
        assert_int_equal(outcome.size, CASE_HEADER_BYTES);
        assert_true(outcome.candidates < 60);
    }
}

static void what_nobody_keeps_stays_as_it_was(void **state) {
    (void)state;
    struct outcome outcome;
    uint8_t bytes[CASE_MAX_BYTES];
    uint64_t seed = 2;
    size_t size = large(&seed, bytes);
    simplified(bytes, size, never, NULL, &outcome);
    assert_int_equal(outcome.size, size);
    assert_memory_equal(outcome.bytes, bytes, size);
    assert_true(outcome.candidates < 2500);
}

static void a_judge_without_reason_comes_to_an_end(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 10; seed++) {
        struct outcome outcome;
        uint8_t bytes[CASE_MAX_BYTES];
        unsigned count = (unsigned)seed;
        uint64_t random = seed;
        size_t size = large(&random, bytes);
        simplified(bytes, size, in_turns, &count, &outcome);
        assert_true(outcome.candidates < 2500);
    }
}

static void the_first_candidate_is_the_case_in_canonical_encoding(void **state) {
    (void)state;
    uint8_t bytes[CASE_MAX_BYTES], candidate[CASE_MAX_BYTES], canonical[CASE_MAX_BYTES];
    struct testcase testcase;
    uint64_t seed = 3;
    size_t size = large(&seed, bytes);
    case_decode(&testcase, bytes, size);
    size_t length = case_encode(&testcase, canonical);
    struct simplify *s = simplify_begin(bytes, size);
    assert_int_equal(simplify_next(s, candidate), length);
    assert_memory_equal(candidate, canonical, length);
    simplify_end(s);
    // What is encoded so already has no such candidate.
    s = simplify_begin(canonical, length);
    size_t other = simplify_next(s, candidate);
    assert_true(other != length || memcmp(candidate, canonical, length) != 0);
    simplify_end(s);
}

static void no_candidate_comes_twice_or_is_its_base(void **state) {
    (void)state;
    static uint8_t met[4000][CASE_MAX_BYTES];
    static size_t lengths[4000];
    uint64_t seed = 4;
    uint8_t bytes[CASE_MAX_BYTES], again[CASE_MAX_BYTES];
    struct testcase testcase;
    size_t size = large(&seed, bytes), count = 0;
    struct simplify *s = simplify_begin(bytes, size);
    while ((lengths[count] = simplify_next(s, met[count])) > 0) {
        case_decode(&testcase, met[count], lengths[count]);
        assert_int_equal(case_encode(&testcase, again), lengths[count]);
        assert_memory_equal(again, met[count], lengths[count]);
        size_t best_size;
        const uint8_t *best = simplify_best(s, &best_size);
        assert_true(lengths[count] <= best_size);
        assert_true(best_size != lengths[count] || memcmp(best, met[count], best_size) != 0);
        for (size_t i = 0; i < count; i++)
            assert_true(lengths[i] != lengths[count] ||
                        memcmp(met[i], met[count], lengths[i]) != 0);
        assert_true(++count < 4000);
        simplify_judged(s, helper_random(&seed) % 8 == 0);
    }
    assert_true(count > 50);
    simplify_end(s);
}

static void an_input_of_any_length_comes_to_an_end(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct outcome outcome;
        uint8_t bytes[CASE_MAX_BYTES];
        uint64_t random = seed;
        size_t size = large(&random, bytes);
        simplified(bytes, size % (64 * seed), never, NULL, &outcome);
        assert_true(outcome.candidates < 2500);
    }
    simplify_end(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_of_a_case_that_needs_nothing),
        cmocka_unit_test(what_nobody_keeps_stays_as_it_was),
        cmocka_unit_test(a_judge_without_reason_comes_to_an_end),
        cmocka_unit_test(the_first_candidate_is_the_case_in_canonical_encoding),
        cmocka_unit_test(no_candidate_comes_twice_or_is_its_base),
        cmocka_unit_test(an_input_of_any_length_comes_to_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
