// SPDX-License-Identifier: Apache-2.0
//
// The region that engines read: parts that do not touch, a bound on what one step sets, counters
// that saturate.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guide/family.h"

#include <string.h>

static uint8_t cells[GUIDE_CELLS];
static struct guide guide;

static int begin(void **state) {
    (void)state;
    memset(cells, 0, sizeof cells);
    guide = (struct guide){.cells = cells};
    guide_begin_step(&guide);
    return 0;
}

static size_t count(size_t from, size_t to) {
    size_t set = 0;
    for (size_t i = from; i < to; i++)
        set += cells[i] != 0;
    return set;
}

static void parts_do_not_touch(void **state) {
    (void)state;
    for (size_t part = 0; part < GUIDE_COVERAGE; part++)
        for (uint64_t i = 0; i < 20; i++)
            guide_feature(&guide, (enum guide_part)part, guide_word(0, i));
    guide_coverage(&guide, (const uint8_t[]){1, 1, 1}, 3);
    for (size_t part = 0; part < GUIDE_COVERAGE; part++)
        assert_int_equal(count(part * GUIDE_PART_CELLS, (part + 1) * GUIDE_PART_CELLS), 20);
    assert_int_equal(count(GUIDE_OUTPUT_CELLS, GUIDE_CELLS), 3);
}

static void a_step_sets_no_more_than_its_share_of_a_part(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        guide_feature(&guide, GUIDE_PAIR, guide_word(7, i));
    assert_int_equal(count(0, GUIDE_CELLS), GUIDE_STEP_FEATURES);
    guide_feature(&guide, GUIDE_TRUTH, 1);
    assert_int_equal(count(0, GUIDE_CELLS), GUIDE_STEP_FEATURES + 1);
    guide_begin_step(&guide);
    guide_feature(&guide, GUIDE_PAIR, guide_word(7, 999));
    assert_int_equal(count(0, GUIDE_CELLS), GUIDE_STEP_FEATURES + 2);
}

// What was said already must not use up the share of what was not.
static void a_repeated_feature_is_free(void **state) {
    (void)state;
    for (int i = 0; i < 1000; i++)
        guide_feature(&guide, GUIDE_PAIR, 5);
    guide_feature(&guide, GUIDE_PAIR, 6);
    assert_int_equal(count(0, GUIDE_CELLS), 2);
}

static void counters_add_up_and_saturate(void **state) {
    (void)state;
    static uint8_t counters[GUIDE_COVERAGE_CELLS + 3];
    counters[0] = 200;
    counters[9] = 1;
    counters[sizeof counters - 1] = 4; // shares the cell of edge 2
    guide_coverage(&guide, counters, sizeof counters);
    guide_coverage(&guide, counters, sizeof counters);
    assert_int_equal(cells[GUIDE_OUTPUT_CELLS], 255);
    assert_int_equal(cells[GUIDE_OUTPUT_CELLS + 9], 2);
    assert_int_equal(cells[GUIDE_OUTPUT_CELLS + 2], 8);
    assert_int_equal(count(0, GUIDE_CELLS), 3);
}

static void without_a_listener_nothing_is_written(void **state) {
    (void)state;
    guide.cells = NULL;
    guide_feature(&guide, GUIDE_PAIR, 5);
    guide_coverage(&guide, (const uint8_t[]){1}, 1);
    assert_int_equal(count(0, GUIDE_CELLS), 0);
}

static void small_numbers_have_a_magnitude_each(void **state) {
    (void)state;
    static const uint64_t first[] = {0, 1, 2, 3, 5, 9, 17, 33};
    for (unsigned i = 0; i < sizeof first / sizeof *first; i++) {
        assert_int_equal(guide_magnitude(first[i]), i);
        if (i)
            assert_int_equal(guide_magnitude(first[i] - 1), i - 1);
    }
    assert_int_equal(guide_magnitude(UINT64_MAX), 65);
    assert_int_equal(guide_zeros(0), 64);
    assert_int_equal(guide_zeros(3 << 9), 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(parts_do_not_touch, begin),
        cmocka_unit_test_setup(a_step_sets_no_more_than_its_share_of_a_part, begin),
        cmocka_unit_test_setup(a_repeated_feature_is_free, begin),
        cmocka_unit_test_setup(counters_add_up_and_saturate, begin),
        cmocka_unit_test_setup(without_a_listener_nothing_is_written, begin),
        cmocka_unit_test_setup(small_numbers_have_a_magnitude_each, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
