// SPDX-License-Identifier: Apache-2.0
//
// The matrix of a campaign: which cells a pair of tools can fill, where a step is counted, and that
// what stayed empty is told.
#include "cells.h"
#include "step.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include <string.h>

static struct stats stats;
static struct tool tools[SIDES];
static struct settings settings;

static void make_tool(struct tool *tool, enum tool_kind kind) {
    *tool = (struct tool){.kind = kind, .available = true};
    memset(tool->ops, true, sizeof tool->ops);
    memset(tool->reads, true, sizeof tool->reads);
    memset(tool->writes, true, sizeof tool->writes);
    tool->measures[IMAGE_RAW] = tool->measures[IMAGE_QCOW2] = true;
    if (kind == TOOL_INSTAR)
        memset(tool->measures, true, sizeof tool->measures);
}

static int begin(void **state) {
    (void)state;
    memset(&stats, 0, sizeof stats);
    memset(settings.ops, true, sizeof settings.ops);
    memset(settings.targets, true, sizeof settings.targets);
    make_tool(&tools[SIDE_A], TOOL_INSTAR);
    make_tool(&tools[SIDE_B], TOOL_QEMU_IMG);
    return 0;
}

static size_t source_named(const char *name) {
    for (size_t i = 0; i < SOURCE_CLASSES; i++)
        if (strcmp(source_classes[i].name, name) == 0)
            return i;
    fail_msg("no source class %s", name);
    return 0;
}

static size_t call_named(enum operation op, enum image_format target, const char *option) {
    for (size_t i = 0; i < CALL_CLASSES; i++)
        if (call_classes[i].op == op && call_classes[i].target == target &&
            strcmp(option_classes[call_classes[i].option].name, option) == 0)
            return i;
    fail_msg("no call class with %s", option);
    return 0;
}

static bool reached(const char *source, enum operation op, enum image_format target,
                    const char *option) {
    memset(stats.reachable, 0, sizeof stats.reachable);
    cells_reach(&stats, tools, &settings);
    return stats.reachable[source_named(source)][call_named(op, target, option)];
}

static void a_cell_needs_somebody_to_judge_the_answer(void **state) {
    (void)state;
    // Both check a vmdk; a vpc only instar does, which is enough for an image that is known to be
    // clean; nobody checks raw.
    assert_true(reached("vmdk monolithicSparse", OP_CHECK, IMAGE_FORMATS, "default"));
    assert_true(reached("vpc fixed", OP_CHECK, IMAGE_FORMATS, "default"));
    assert_false(reached("output vpc", OP_CHECK, IMAGE_FORMATS, "default"));
    assert_true(reached("output vmdk", OP_CHECK, IMAGE_FORMATS, "default"));
    assert_false(reached("raw", OP_CHECK, IMAGE_FORMATS, "default"));
    // Only instar measures these; the model is held against it.
    assert_true(reached("raw", OP_MEASURE, IMAGE_VPC, "block_size"));
    assert_true(reached("raw", OP_MEASURE, IMAGE_VMDK, "subformat=streamOptimized"));
    assert_true(reached("size only", OP_MEASURE, IMAGE_VHDX, "default"));
    tools[SIDE_A].writes[IMAGE_VPC] = false;
    assert_true(reached("raw", OP_MEASURE, IMAGE_VPC, "default"));
    assert_false(reached("raw", OP_CONVERT_COMPRESSED, IMAGE_VPC, "default"));
    assert_true(reached("raw", OP_CONVERT_COMPRESSED, IMAGE_VMDK, "default"));
}

static void one_tool_alone_reaches_less(void **state) {
    (void)state;
    tools[SIDE_A].available = false;
    assert_true(reached("raw", OP_CONVERT, IMAGE_VPC, "default"));
    assert_false(reached("raw", OP_CONVERT, IMAGE_VPC, "block_size")); // reaches no command line
    assert_true(reached("raw", OP_CONVERT, IMAGE_VHDX, "block_size"));
    assert_false(reached("raw", OP_INFO, IMAGE_FORMATS, "default"));
    assert_true(reached("raw", OP_MEASURE, IMAGE_QCOW2, "default"));
    assert_false(reached("raw", OP_MEASURE, IMAGE_VPC, "default"));
    assert_false(reached("vpc fixed", OP_CHECK, IMAGE_FORMATS, "default"));
    assert_true(reached("qcow2 v3", OP_CHECK, IMAGE_FORMATS, "default"));
}

static void the_profile_takes_cells_away(void **state) {
    (void)state;
    assert_true(reached("raw", OP_MEASURE, IMAGE_QCOW2, "extended_l2"));
    tools[SIDE_B].lacks_option[OP_MEASURE][TOOL_OPTION_EXTENDED_L2] = true;
    assert_true(reached("raw", OP_MEASURE, IMAGE_QCOW2, "extended_l2")); // by the model
    tools[SIDE_A].lacks_option[OP_MEASURE][TOOL_OPTION_EXTENDED_L2] = true;
    assert_false(reached("raw", OP_MEASURE, IMAGE_QCOW2, "extended_l2"));
    assert_true(reached("vhdx fixed", OP_INFO, IMAGE_FORMATS, "default"));
    tools[SIDE_A].reads[IMAGE_VHDX] = false;
    assert_false(reached("vhdx fixed", OP_INFO, IMAGE_FORMATS, "default"));
}

static void what_was_left_out_on_purpose_is_not_missing(void **state) {
    (void)state;
    assert_true(reached("output vhdx", OP_INFO, IMAGE_FORMATS, "default"));
    settings.targets[IMAGE_VHDX] = false;
    assert_false(reached("output vhdx", OP_INFO, IMAGE_FORMATS, "default"));
    assert_false(reached("raw", OP_CONVERT, IMAGE_VHDX, "default"));
    assert_true(reached("vhdx fixed", OP_INFO, IMAGE_FORMATS, "default"));
    assert_true(reached("output vmdk", OP_INFO, IMAGE_FORMATS, "default"));
    settings.ops[OP_CONVERT] = settings.ops[OP_CONVERT_COMPRESSED] = false;
    assert_false(reached("output vmdk", OP_INFO, IMAGE_FORMATS, "default"));
    settings.ops[OP_INFO] = false;
    assert_false(reached("vhdx fixed", OP_INFO, IMAGE_FORMATS, "default"));
}

static uint64_t compared(const char *source, enum operation op, enum image_format target,
                         const char *option) {
    return stats.cells[source_named(source)][call_named(op, target, option)].compared;
}

static void a_step_is_counted_in_all_its_cells_and_no_other(void **state) {
    (void)state;
    struct oracle_step step = {.op = OP_CONVERT, .source = IMAGE_QCOW2, .target = IMAGE_QCOW2};
    uint64_t built = UINT64_C(1) << source_named("qcow2 v3") | UINT64_C(1)
                                                                   << source_named("qcow2 bitmaps");
    step.options = (struct target_options){.cluster_bits = 12, .no_skip_zeros = 1};
    cells_count(&stats, &step, built, CELL_COMPARED);
    assert_int_equal(compared("qcow2 v3", OP_CONVERT, IMAGE_QCOW2, "cluster_size"), 1);
    assert_int_equal(compared("qcow2 v3", OP_CONVERT, IMAGE_QCOW2, "no_skip_zeros"), 1);
    assert_int_equal(compared("qcow2 bitmaps", OP_CONVERT, IMAGE_QCOW2, "cluster_size"), 1);
    assert_int_equal(compared("qcow2 v3", OP_CONVERT, IMAGE_QCOW2, "default"), 0);
    assert_int_equal(compared("qcow2 v2", OP_CONVERT, IMAGE_QCOW2, "cluster_size"), 0);
    assert_int_equal(stats.matrix[OP_CONVERT][IMAGE_QCOW2][IMAGE_QCOW2].compared, 1);

    step.options = (struct target_options){0};
    step.input_is_output = true;
    cells_count(&stats, &step, built, CELL_COMPARED);
    assert_int_equal(compared("output qcow2", OP_CONVERT, IMAGE_QCOW2, "default"), 1);
    assert_int_equal(compared("qcow2 v3", OP_CONVERT, IMAGE_QCOW2, "default"), 0);

    step = (struct oracle_step){.op = OP_MEASURE, .source = IMAGE_QCOW2, .target = IMAGE_RAW};
    step.options.size_only = 1;
    cells_count(&stats, &step, built, CELL_COMPARED);
    assert_int_equal(compared("size only", OP_MEASURE, IMAGE_RAW, "default"), 1);
    assert_int_equal(compared("qcow2 v3", OP_MEASURE, IMAGE_RAW, "default"), 0);
}

// That an answer was well formed, or that the source was left alone, is no comparison.
static void only_a_comparison_fills_a_cell(void **state) {
    (void)state;
    static struct step_record step;
    static const char *const rules[] = {"source_modified", "measure_json_parse_failure",
                                        "measure_numeric_divergence"};
    step.done = true;
    step.step = (struct oracle_step){.op = OP_MEASURE, .source = IMAGE_RAW, .target = IMAGE_QCOW2};
    for (size_t i = 0; i < 3; i++) {
        step.judgements.items[0] =
            (struct judgement){.oracle = oracle_named(rules[i]), .verdict = VERDICT_AGREE};
        step.judgements.count = 1;
        assert_non_null(step.judgements.items[0].oracle);
        step_count(&step, UINT64_C(1) << source_named("raw"), &stats);
        assert_int_equal(compared("raw", OP_MEASURE, IMAGE_QCOW2, "default"), i == 2);
    }
}

static void what_stayed_empty_is_told(void **state) {
    (void)state;
    struct buffer words = {0};
    const struct oracle_step step = {.op = OP_INFO, .source = IMAGE_RAW, .target = IMAGE_FORMATS};
    memset(settings.ops, false, sizeof settings.ops);
    settings.ops[OP_INFO] = true;
    cells_reach(&stats, tools, &settings);
    assert_int_equal(cells_sum(&stats).reachable, SOURCE_BUILT_CLASSES);
    uint64_t all = (UINT64_C(1) << SOURCE_BUILT_CLASSES) - 1;
    uint64_t odd = UINT64_C(1) << source_named("raw odd size");
    cells_count(&stats, &step, all & ~odd, CELL_COMPARED);
    cells_count(&stats, &step, odd, CELL_REFUSED); // an answer, but nothing was compared
    cells_words(&stats, true, &words);
    assert_non_null(strstr(words.data, "raw odd size"));
    assert_null(strstr(words.data, "raw mbr"));
    assert_non_null(strstr(words.data, "30 of 31 cells that can be reached were compared, 1 are "));
    buffer_clear(&words);
    cells_words(&stats, false, &words);
    assert_non_null(strstr(words.data, "raw mbr"));
    cJSON *json = cells_json(&stats);
    assert_int_equal(cJSON_GetArraySize(json), SOURCE_BUILT_CLASSES);
    const cJSON *first = cJSON_GetArrayItem(json, 0);
    assert_string_equal(cJSON_GetObjectItem(first, "source")->valuestring, "raw");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(first, "reachable")));
    assert_int_equal(cJSON_GetObjectItem(first, "compared")->valueint, 1);
    cJSON_Delete(json);
    cells_count(&stats, &step, odd, CELL_COMPARED);
    assert_int_equal(cells_sum(&stats).compared, SOURCE_BUILT_CLASSES);
    buffer_free(&words);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_cell_needs_somebody_to_judge_the_answer, begin),
        cmocka_unit_test_setup(one_tool_alone_reaches_less, begin),
        cmocka_unit_test_setup(the_profile_takes_cells_away, begin),
        cmocka_unit_test_setup(what_was_left_out_on_purpose_is_not_missing, begin),
        cmocka_unit_test_setup(a_step_is_counted_in_all_its_cells_and_no_other, begin),
        cmocka_unit_test_setup(only_a_comparison_fills_a_cell, begin),
        cmocka_unit_test_setup(what_stayed_empty_is_told, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
