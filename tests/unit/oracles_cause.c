// SPDX-License-Identifier: Apache-2.0
//
// Which findings are told as one group, which of them comes first, and that none is lost.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "oracles/cause.h"

#define CONTENT(from, to) "convert_content_divergence-convert-" from "-" to "-content"

static void expect_order(const struct cause *list, const size_t *items, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (list[i].item != items[i])
            fail_msg("at %zu stands %zu, not %zu", i, list[i].item, items[i]);
}

static void the_same_type_detail_and_tool_are_one_group(void **state) {
    (void)state;
    struct cause list[] = {
        {.signature = CONTENT("raw", "qcow2"), .accused = "instar", .bytes = 80, .item = 0},
        {.signature = "check_divergence-check-raw-none-content", .accused = "instar", .item = 1},
        {.signature = CONTENT("vmdk", "vpc"), .accused = "instar", .bytes = 64, .item = 2},
        {.signature = CONTENT("vpc", "raw"), .accused = "qemu_img", .bytes = 32, .item = 3},
        {.signature = "convert_content_divergence-convert-raw-raw-size",
         .accused = "instar",
         .bytes = 32,
         .item = 4},
        {.signature = CONTENT("raw", "raw"), .accused = "instar", .bytes = 96, .item = 5},
    };
    assert_int_equal(cause_group(list, 6), 4);
    // The smallest case leads; the others, and the groups, stay in the order in which they came.
    expect_order(list, (size_t[]){2, 0, 5, 1, 3, 4}, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(list[i].members, i < 3 ? 3 : 1);
        assert_int_equal(list[i].leads, i == 0 || i > 2);
    }
}

static void a_name_that_begins_like_another_is_another_type(void **state) {
    (void)state;
    struct cause list[] = {
        {.signature = "map_divergence-convert-raw-raw-x", .accused = "a"},
        {.signature = "map_divergence_too-convert-raw-raw-x", .accused = "a"},
    };
    assert_int_equal(cause_group(list, 2), 2);
}

static void of_equal_cases_the_first_by_name_leads(void **state) {
    (void)state;
    struct cause list[] = {
        {.signature = CONTENT("vpc", "raw"), .accused = "instar", .bytes = 64, .item = 0},
        {.signature = CONTENT("raw", "raw"), .accused = "instar", .bytes = 64, .item = 1},
        {.signature = CONTENT("a", "raw"), .accused = "instar", .bytes = UINT64_MAX, .item = 2},
    };
    assert_int_equal(cause_group(list, 3), 1);
    expect_order(list, (size_t[]){1, 0, 2}, 3);
}

static void where_nobody_is_accused_each_stays_alone(void **state) {
    (void)state;
    static const char *const accused[] = {"", "unknown"};
    for (size_t i = 0; i < 2; i++) {
        struct cause list[] = {
            {.signature = CONTENT("raw", "raw"), .accused = accused[i], .bytes = 64, .item = 0},
            {.signature = CONTENT("raw", "vpc"), .accused = accused[i], .bytes = 32, .item = 1},
        };
        assert_int_equal(cause_group(list, 2), 2);
        expect_order(list, (size_t[]){0, 1}, 2);
        assert_true(list[0].leads && list[1].leads);
    }
    assert_int_equal(cause_group(NULL, 0), 0);
}

static void what_is_no_signature_stays_alone(void **state) {
    (void)state;
    static const char *const texts[] = {"",          "a-b-c-d",   "a-b-c-d-e-f", "a-b-c-d-E",
                                        "a-b-c-d-<", "a-b-c-d- ", "finding-1",   "a-b-c-d-\xc3"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct cause list[] = {{.signature = texts[i], .accused = "a"},
                               {.signature = texts[i], .accused = "a"}};
        assert_false(cause_is_signature(texts[i]));
        assert_int_equal(cause_group(list, 2), 2);
    }
    assert_true(cause_is_signature(CONTENT("raw", "raw")));
}

static void a_group_has_a_name_that_does_not_depend_on_who_leads(void **state) {
    (void)state;
    struct buffer one = {0}, other = {0}, words = {0};
    assert_true(cause_name(CONTENT("raw", "raw"), "instar", &one));
    assert_true(cause_name(CONTENT("vpc", "raw"), "instar", &other));
    assert_false(cause_name(CONTENT("vpc", "raw"), "unknown", &other));
    assert_string_equal(one.data, "convert_content_divergence-content-instar");
    assert_string_equal(one.data, other.data);
    buffer_clear(&one);
    cause_between(CONTENT("vpc", "raw"), &one);
    assert_string_equal(one.data, "convert-vpc-raw");
    cause_count_words(34, 1, &words);
    assert_string_equal(words.data, "34 signatures in 1 group");
    buffer_clear(&words);
    cause_count_words(2, 2, &words);
    assert_string_equal(words.data, "2 signatures");
    buffer_free(&one);
    buffer_free(&other);
    buffer_free(&words);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_type_detail_and_tool_are_one_group),
        cmocka_unit_test(a_name_that_begins_like_another_is_another_type),
        cmocka_unit_test(of_equal_cases_the_first_by_name_leads),
        cmocka_unit_test(where_nobody_is_accused_each_stays_alone),
        cmocka_unit_test(what_is_no_signature_stays_alone),
        cmocka_unit_test(a_group_has_a_name_that_does_not_depend_on_who_leads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
