// SPDX-License-Identifier: Apache-2.0
//
// The JSON of the tools: integers exact to the last digit, and nothing accepted that is not JSON.
#include "tool/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static cJSON *parse(const char *text) {
    struct fault fault = {0};
    cJSON *tree = tool_json_parse(text, strlen(text), &fault);
    if (!tree)
        print_error("%s: %s\n", text, fault.text);
    return tree;
}

static void integers_are_exact(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } exact[] = {
        {"0", 0},
        {"327680", 327680},
        {"999999999999999", 999999999999999},
        {"1000000000000000", 1000000000000000},
        {"9007199254740992", UINT64_C(1) << 53},
        {"9007199254740993", (UINT64_C(1) << 53) + 1},
        {"9223372036854775808", UINT64_C(1) << 63},
        {"18446744073709551615", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        uint64_t value = 1;
        cJSON *tree = parse(exact[i].text);
        assert_true(tool_json_u64(tree, &value));
        assert_int_equal(value, exact[i].value);
        cJSON_Delete(tree);
    }
}

static void what_is_no_unsigned_integer_is_not_rounded(void **state) {
    (void)state;
    static const char *const other[] = {
        "-1",
        "-0",
        "0.5",
        "1.0",
        "1e3",
        "1E0",
        "-9007199254740993",
        "null",
        "false",
        "\"1\"",
        "[1]",
        "{\"a\":1}",
        "1e400",
        "18446744073709551616",
        "99999999999999999999999",
        "\"18446744073709551615\"",
        "9007199254740993.0",
    };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        uint64_t value = 77;
        cJSON *tree = parse(other[i]);
        assert_non_null(tree);
        if (tool_json_u64(tree, &value))
            print_error("%s was taken for an integer\n", other[i]);
        assert_false(tool_json_u64(tree, &value));
        cJSON_Delete(tree);
    }
    uint64_t value;
    assert_false(tool_json_u64(NULL, &value));
    static const double elsewhere[] = {9007199254740993.0, 0.5, -1, -0.0, 1e300};
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        cJSON *number = cJSON_CreateNumber(elsewhere[i]);
        assert_false(tool_json_u64(number, &value));
        cJSON_Delete(number);
    }
}

static void small_numbers_stay_numbers_and_large_ones_are_kept(void **state) {
    (void)state;
    cJSON *tree = parse(" {\"a\": [1, -2, 1.5, 12345678901234567890], \"b\": "
                        "{\"c\": \"12345678901234567890\", \"d\": \"{[9007199254740993\\\"7\"}}\n");
    const cJSON *list = cJSON_GetObjectItem(tree, "a");
    assert_true(cJSON_GetArrayItem(list, 0)->valuedouble == 1);
    assert_int_equal(cJSON_GetArrayItem(list, 0)->valueint, 1);
    assert_true(cJSON_GetArrayItem(list, 1)->valuedouble == -2);
    assert_true(cJSON_GetArrayItem(list, 2)->valuedouble == 1.5);
    const cJSON *kept = cJSON_GetArrayItem(list, 3);
    assert_string_equal(kept->valuestring, "12345678901234567890");
    assert_true(kept->type & TOOL_JSON_KEPT);
    const cJSON *object = cJSON_GetObjectItem(tree, "b");
    const cJSON *own = cJSON_GetObjectItem(object, "c");
    assert_string_equal(own->valuestring, "12345678901234567890");
    assert_false(own->type & TOOL_JSON_KEPT);
    assert_string_equal(cJSON_GetObjectItem(object, "d")->valuestring, "{[9007199254740993\"7");
    cJSON *copy = cJSON_Duplicate(tree, true);
    uint64_t value = 0;
    assert_true(tool_json_u64(cJSON_GetArrayItem(cJSON_GetObjectItem(copy, "a"), 3), &value));
    assert_int_equal(value, UINT64_C(12345678901234567890));
    cJSON_Delete(copy);
    cJSON_Delete(tree);
}

static void refuse(const char *text, size_t length, const char *words) {
    struct fault fault = {0};
    cJSON *tree = tool_json_parse(text, length, &fault);
    if (tree || !strstr(fault.text, words))
        print_error("%.60s: \"%s\", not \"%s\"\n", text, fault.text, words);
    assert_null(tree);
    assert_non_null(strstr(fault.text, words));
}

static void what_is_not_json_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } wrong[] = {
        {"", "nothing but white space"},
        {" \n\t\r", "nothing but white space"},
        {"{\"a\": 1,}", "not JSON near: {\"a\": 1,}"},
        {"{\n  \"a\": 1234,\n  \"b\": 5678,\n}\n", "1234, \"b\": 5678, } "},
        {"[1,]", "not JSON"},
        {"[1 2]", "not JSON"},
        {"{\"a\" 1}", "not JSON"},
        {"{\"a\": 1", "not JSON"},
        {"{1: 2}", "a number as a name"},
        {"{1 : 2}", "a number as a name"},
        {"tru", "not JSON"},
        {"{\"a\": 1} x", "not JSON from byte"},
        {"{\"a\": 1} {}", "behind the JSON"},
        {"{\"a\": 1}]", "behind the JSON"},
        {"1 1", "behind the JSON"},
        {"01", "malformed number"},
        {"+1", "not JSON from byte"},
        {"1.", "malformed number"},
        {"-", "malformed number"},
        {".5", "not JSON from byte"},
        {"1e", "malformed number"},
        {"1e+", "malformed number"},
        {"\xef\xbb\xbf{}", "not JSON from byte"},
        {"\v{}", "not JSON from byte"},
        {"{}\f", "not JSON from byte"},
        {"\"a\nb\"", "control character"},
        {"\"a", "unterminated string"},
        {"\"a\\\"", "unterminated string"},
        {"\"\\", "unterminated string"},
        {"\"\\x\"", "not JSON"},
        {"\"\xff"
         "12\"",
         "not UTF-8"},
        {"\"\\u0000\"", "NUL in a string"},
        {"qemu-img: block/qcow2.c:1: f: Assertion `0' failed.\n", "not JSON from byte"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuse(wrong[i].text, strlen(wrong[i].text), wrong[i].words);
}

static void a_nul_is_an_error_and_no_end(void **state) {
    (void)state;
    refuse("{\"a\": 1}\0", 9, "NUL byte at byte 8");
    refuse("{\"a\0b\": 1}", 10, "NUL byte at byte 3");
    refuse("\0", 1, "NUL byte at byte 0");
    // A buffer that was never written to.
    refuse(NULL, 0, "nothing but white space");
}

static void depth_is_bounded(void **state) {
    (void)state;
    char deep[131] = "";
    memset(deep, '[', 64);
    memset(deep + 64, ']', 64);
    cJSON_Delete(parse(deep));
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    refuse(deep, strlen(deep), "nested deeper than 64");
    // The same in a string is only text.
    deep[0] = deep[129] = '"';
    cJSON *text = parse(deep);
    assert_non_null(text);
    cJSON_Delete(text);
    size_t length = 1 << 20;
    char *brackets = memset(malloc(length), '[', length);
    refuse(brackets, length, "nested deeper");
    free(brackets);
}

static void damage_anywhere_is_survived(void **state) {
    (void)state;
    static const char good[] = "{\"a\": [1, -2.5e7, \"x\\u00e9\\n\", 18446744073709551615, true, "
                               "null], \"b\": {}}";
    char text[sizeof good];
    for (size_t at = 0; at < sizeof good - 1; at++)
        for (int byte = 0; byte < 256; byte++) {
            memcpy(text, good, sizeof good);
            text[at] = (char)byte;
            cJSON_Delete(tool_json_parse(text, sizeof good - 1, NULL));
        }
    for (size_t length = 0; length < sizeof good - 1; length++) {
        // A copy of its exact size, so that a sanitizer sees a read behind it.
        char *cut = malloc(length + 1);
        memcpy(cut + 1, good, length);
        assert_null(tool_json_parse(cut + 1, length, NULL));
        free(cut);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(what_is_no_unsigned_integer_is_not_rounded),
        cmocka_unit_test(small_numbers_stay_numbers_and_large_ones_are_kept),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(a_nul_is_an_error_and_no_end),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(damage_anywhere_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
