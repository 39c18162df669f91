// SPDX-License-Identifier: Apache-2.0
//
// A broken axis keeps the order, shows everything that was added and leaves out what is empty.
#include "page/axis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB (1ull << 20)
#define TIB (1ull << 40)

static void expect_order(const struct axis *axis, const uint64_t *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double at = axis_at(axis, values[i]);
        assert_true(at >= 0 && at <= 100.0001);
        assert_true(i == 0 || axis_at(axis, values[i - 1]) < at);
    }
}

static void full_disk_has_no_break(void **state) {
    (void)state;
    struct axis axis = {0};
    axis_add(&axis, 0, MIB / 2);
    axis_add(&axis, MIB - 1, MIB);
    axis_make(&axis);
    assert_int_equal(axis.region_count, 1);
    assert_int_equal(axis.regions[0].to, MIB);
    assert_true(axis_at(&axis, MIB / 2) > 49.9 && axis_at(&axis, MIB / 2) < 50.1);
    axis_free(&axis);
}

// A sector at the end of two terabytes is as easy to see as the mebibyte at their beginning.
static void sparse_disk_is_broken(void **state) {
    (void)state;
    struct axis axis = {0};
    axis_add(&axis, 0, MIB);
    axis_add(&axis, TIB, TIB + 512);
    axis_add(&axis, 2 * TIB - 1, 2 * TIB);
    axis_make(&axis);
    assert_int_equal(axis.region_count, 3);
    const uint64_t order[] = {0, MIB / 2, MIB, TIB, TIB + 512, 2 * TIB};
    expect_order(&axis, order, sizeof order / sizeof *order);
    for (size_t i = 0; i < axis.region_count; i++)
        assert_true(axis.regions[i].width > 5);
    assert_true(axis_at(&axis, TIB / 2) > axis_at(&axis, MIB));
    assert_true(axis_at(&axis, TIB / 2) < axis_at(&axis, TIB));
    axis_free(&axis);
}

static void regions_are_bounded(void **state) {
    (void)state;
    struct axis axis = {0};
    uint64_t order[200];
    for (uint64_t i = 0; i < 200; i++) {
        order[i] = i * i * TIB / 64;
        axis_add(&axis, order[i], order[i] + 512);
    }
    axis_make(&axis);
    assert_in_range(axis.region_count, 2, AXIS_REGIONS);
    expect_order(&axis, order, 200);
    axis_free(&axis);
}

static void extremes(void **state) {
    (void)state;
    struct axis axis = {0};
    axis_make(&axis); // nothing was added
    assert_int_equal(axis.region_count, 1);
    axis_free(&axis);
    axis_add(&axis, 5, 5);
    assert_int_equal(axis.part_count, 0);
    axis_add(&axis, 0, 1);
    axis_add(&axis, UINT64_MAX - 1, UINT64_MAX);
    axis_make(&axis);
    const uint64_t order[] = {0, 1, UINT64_MAX - 1, UINT64_MAX};
    expect_order(&axis, order, 4);
    struct buffer out = {0};
    struct html html = {.out = &out};
    axis_draw(&axis, 10, true, &html);
    assert_non_null(strstr(out.data, "class=\"gap\""));
    buffer_free(&out);
    axis_free(&axis);
    axis_add(&axis, 0, UINT64_MAX);
    axis_make(&axis);
    axis_draw(&axis, 10, false, &html);
    assert_int_equal(html.depth, 0);
    buffer_free(&out);
    axis_free(&axis);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_disk_has_no_break),
        cmocka_unit_test(sparse_disk_is_broken),
        cmocka_unit_test(regions_are_bounded),
        cmocka_unit_test(extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
