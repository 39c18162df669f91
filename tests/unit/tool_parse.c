// SPDX-License-Identifier: Apache-2.0
//
// Results: what a tool printed, read as documented; anything else is a failure with words.
#include "tool/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct tool_result parsed(enum operation op, int status, const char *out, size_t length) {
    const struct tool tool = {.kind = TOOL_QEMU_IMG};
    struct exec_outcome outcome = {.end = EXEC_EXITED, .value = status};
    buffer_append(&outcome.out, out, length);
    struct tool_result result;
    tool_parse(&tool, op, &outcome, &result);
    buffer_free(&outcome.out);
    return result;
}

static void measure_is_read_exactly(void **state) {
    (void)state;
    static const char out[] = "{\n    \"bitmaps\": 0,\n    \"required\": 9007199254740993,\n    "
                              "\"fully-allocated\": 18446744073709551615\n}\n";
    struct tool_result result = parsed(OP_MEASURE, 0, out, strlen(out));
    assert_int_equal(result.class, OUTCOME_OK);
    assert_false(result.json_failed);
    assert_true(result.measure.has_required && result.measure.has_fully &&
                result.measure.has_bitmaps);
    assert_int_equal(result.measure.required, UINT64_C(9007199254740993));
    assert_int_equal(result.measure.fully, UINT64_MAX);
    assert_int_equal(result.measure.bitmaps, 0);
    tool_result_free(&result);
    assert_null(result.json);
}

static void bitmaps_may_be_absent(void **state) {
    (void)state;
    static const char out[] = "{\"required\": 1, \"fully-allocated\": 2}";
    struct tool_result result = parsed(OP_MEASURE, 0, out, strlen(out));
    assert_false(result.json_failed);
    assert_false(result.measure.has_bitmaps);
    tool_result_free(&result);
}

static void expect_problem(enum operation op, int status, const char *out, size_t length,
                           const char *problem) {
    struct tool_result result = parsed(op, status, out, length);
    if (!strstr(result.json_problem, problem))
        print_error("%s: \"%s\", not \"%s\"\n", out, result.json_problem, problem);
    assert_true(result.json_failed);
    assert_non_null(strstr(result.json_problem, problem));
    tool_result_free(&result);
}

static void anything_else_is_a_problem_in_words(void **state) {
    (void)state;
    // One column as wide as its longest text helps nobody.
    // clang-format off
    static const struct {
        const char *out, *problem;
    } wrong[] = {
        {"", "nothing but white space"},
        {"[]", "not a JSON object"},
        {"7", "not a JSON object"},
        {"{}", "no member required"},
        {"{\"required\": 1}", "no member fully-allocated"},
        {"{\"fully-allocated\": 1}", "no member required"},
        {"{\"required\": -1, \"fully-allocated\": 2}", "not an unsigned 64-bit integer: required"},
        {"{\"required\": 1, \"fully-allocated\": 2.5}", "integer: fully-allocated"},
        {"{\"required\": 1.0, \"fully-allocated\": 2}", "integer: required"},
        {"{\"required\": \"1\", \"fully-allocated\": 2}", "integer: required"},
        {"{\"required\": 18446744073709551616, \"fully-allocated\": 2}", "integer: required"},
        {"{\"required\": 1, \"fully-allocated\": 2, \"bitmaps\": null}", "integer: bitmaps"},
        {"{\"required\": 1, \"required\": 1, \"fully-allocated\": 2}", "duplicate member required"},
        {"{\"required\": 1, \"Required\": 1, \"fully-allocated\": 2}", "undocumented member Req"},
        {"{\"required\": 1, \"fully-allocated\": 2, \"x\": 0}", "undocumented member x"},
        {"{\"required\": 1, \"fully-allocated\": 2,}", "not JSON"},
        {"{\"required\": 1, \"fully-allocated\": 2} trailing", "not JSON from byte"},
        {"required size: 1\nfully allocated size: 2\n", "not JSON"},
        {"qemu-img: x.c:1: Assertion `0' failed.\n", "not JSON from byte"},
    };
    // clang-format on
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_problem(OP_MEASURE, 0, wrong[i].out, strlen(wrong[i].out), wrong[i].problem);
    static const char nul[] = "{\"required\": 1, \"fully-allocated\": 2}\n\0";
    expect_problem(OP_MEASURE, 0, nul, sizeof nul - 1, "NUL byte");
}

static void a_problem_keeps_the_tree_and_is_printable(void **state) {
    (void)state;
    static const char out[] = "{\"required\": 1, \"\\u001b[31m\xc3\xa9\": 2}";
    struct tool_result result = parsed(OP_MEASURE, 0, out, strlen(out));
    assert_true(result.json_failed);
    assert_non_null(result.json);
    assert_string_equal(result.json_problem, "undocumented member ?[31m??");
    tool_result_free(&result);
}

static void check_has_counts(void **state) {
    (void)state;
    static const char out[] = "{\"image-end-offset\": 262144, \"total-clusters\": 16, "
                              "\"corruptions\": 2, \"leaks\": 5, \"check-errors\": 1}";
    static const int statuses[] = {0, 2, 3};
    for (size_t i = 0; i < 3; i++) {
        struct tool_result result = parsed(OP_CHECK, statuses[i], out, strlen(out));
        assert_true(result.check.present);
        assert_false(result.json_failed);
        assert_int_equal(result.check.corruptions, 2);
        assert_int_equal(result.check.leaks, 5);
        assert_int_equal(result.check.check_errors, 1);
        tool_result_free(&result);
    }
    expect_problem(OP_CHECK, 2, "{\"corruptions\": 2}", 18, "no member check-errors");
    expect_problem(OP_CHECK, 0, "No errors were found on the image.\n", 35, "not JSON from byte");
}

static void info_is_an_object_with_a_format(void **state) {
    (void)state;
    static const char out[] = "{\"virtual-size\": 1, \"format\": \"raw\"}";
    struct tool_result result = parsed(OP_INFO, 0, out, strlen(out));
    assert_int_equal(result.class, OUTCOME_OK);
    assert_false(result.json_failed);
    assert_string_equal(cJSON_GetObjectItem(result.json, "format")->valuestring, "raw");
    tool_result_free(&result);
    expect_problem(OP_INFO, 0, "", 0, "nothing but white space");
    expect_problem(OP_INFO, 0, "{}", 2, "no member format");
}

static void map_is_a_list_of_runs_without_gaps(void **state) {
    (void)state;
    static const char out[] =
        "[{ \"start\": 0, \"length\": 9007199254740993, \"depth\": 0, \"present\": true, \"zero\": "
        "false, \"data\": true, \"offset\": 327680},\n{ \"start\": 9007199254740993, \"length\": "
        "512, "
        "\"depth\": 1, \"zero\": true, \"data\": false}]\n";
    struct tool_result result = parsed(OP_MAP, 0, out, strlen(out));
    assert_false(result.json_failed);
    assert_int_equal(result.map_count, 2);
    assert_int_equal(result.map[0].length, UINT64_C(9007199254740993));
    assert_true(result.map[0].data && !result.map[0].zero && result.map[0].present);
    assert_true(result.map[1].zero && !result.map[1].data && !result.map[1].has_present);
    assert_true(result.map[0].has_offset && !result.map[1].has_offset);
    assert_int_equal(result.map[0].offset, 327680);
    tool_result_free(&result);
    assert_null(result.map);
    static const char empty[] = "[{\"start\": 0, \"length\": 0, \"zero\": false, \"data\": false}]";
    result = parsed(OP_MAP, 0, empty, strlen(empty)); // qemu-img's map of a disk of size 0
    assert_false(result.json_failed);
    tool_result_free(&result);
    static const struct {
        const char *out, *problem;
    } wrong[] = {
        {"{}", "not a JSON array"},
        {"[{\"start\": 0}]", "integer: length"},
        {"[{\"start\": 0, \"length\": 1, \"zero\": 1, \"data\": true}]", "not a boolean: zero"},
        {"[{\"start\": 0, \"length\": 1, \"zero\": true}]", "not a boolean: data"},
        {"[{\"start\": 1, \"length\": 1, \"zero\": true, \"data\": true}]", "do not follow"},
        {"[{\"start\": 0, \"length\": 1, \"zero\": true, \"data\": true}, {\"start\": 2, "
         "\"length\": "
         "1, \"zero\": true, \"data\": true}]",
         "do not follow"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_problem(OP_MAP, 0, wrong[i].out, strlen(wrong[i].out), wrong[i].problem);
}

static void only_operations_that_end_well_must_print(void **state) {
    (void)state;
    static const struct {
        enum operation op;
        int status;
        enum outcome_class class;
    } silent[] = {
        {OP_MEASURE, 1, OUTCOME_REFUSED}, {OP_INFO, 1, OUTCOME_REFUSED},
        {OP_CHECK, 1, OUTCOME_REFUSED},   {OP_CHECK, 63, OUTCOME_NO_CHECKS},
        {OP_CONVERT, 0, OUTCOME_OK},      {OP_CONVERT_COMPRESSED, 0, OUTCOME_OK},
    };
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        struct tool_result result = parsed(silent[i].op, silent[i].status, "words", 5);
        assert_int_equal(result.class, silent[i].class);
        assert_false(result.json_failed);
        assert_null(result.json);
        tool_result_free(&result);
    }
}

static void output_that_was_cut_is_not_read(void **state) {
    (void)state;
    const struct tool tool = {.kind = TOOL_QEMU_IMG};
    struct exec_outcome outcome = {.end = EXEC_EXITED, .out_cut = true};
    buffer_text(&outcome.out, "{\"required\": 1, \"fully-allocated\": 2}");
    struct tool_result result;
    tool_parse(&tool, OP_MEASURE, &outcome, &result);
    assert_true(result.json_failed);
    assert_string_equal(result.json_problem, "more output than we keep");
    tool_result_free(&result);
    buffer_free(&outcome.out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measure_is_read_exactly),
        cmocka_unit_test(bitmaps_may_be_absent),
        cmocka_unit_test(anything_else_is_a_problem_in_words),
        cmocka_unit_test(a_problem_keeps_the_tree_and_is_printable),
        cmocka_unit_test(check_has_counts),
        cmocka_unit_test(info_is_an_object_with_a_format),
        cmocka_unit_test(map_is_a_list_of_runs_without_gaps),
        cmocka_unit_test(only_operations_that_end_well_must_print),
        cmocka_unit_test(output_that_was_cut_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
