// SPDX-License-Identifier: Apache-2.0
//
// Misspelt words: how far they are from the right one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/distance.h"

#include <string.h>

static void each_kind_of_slip_counts_once(void **state) {
    (void)state;
    static const struct {
        const char *word, *other;
        size_t distance;
    } pairs[] = {
        {"", "", 0},
        {"layer", "layer", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"layr", "layer", 1},
        {"layers", "layer", 1},
        {"lazer", "layer", 1},
        {"laeyr", "layer", 1},
        {"fromat", "format", 1},
        {"virtul_size", "virtual_size", 1},
        {"ab", "cd", 2},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_int_equal(distance_of(pairs[i].word, pairs[i].other), pairs[i].distance);
        assert_int_equal(distance_of(pairs[i].other, pairs[i].word), pairs[i].distance);
    }
}

static void a_long_word_is_looked_at_in_part(void **state) {
    (void)state;
    char word[5000], other[5000];
    memset(word, 'a', sizeof word - 1);
    memset(other, 'b', sizeof other - 1);
    word[sizeof word - 1] = other[sizeof other - 1] = 0;
    assert_int_equal(distance_of(word, word), 0);
    assert_int_equal(distance_of(word, other), DISTANCE_MOST);
}

static void near_is_less_than_half_of_the_word(void **state) {
    (void)state;
    assert_true(distance_is_near(1, "form"));
    assert_false(distance_is_near(2, "form"));
    assert_false(distance_is_near(1, "op"));
    assert_true(distance_is_near(3, "virtual_size"));
    assert_false(distance_is_near(4, "virtual_size"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_slip_counts_once),
        cmocka_unit_test(a_long_word_is_looked_at_in_part),
        cmocka_unit_test(near_is_less_than_half_of_the_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
