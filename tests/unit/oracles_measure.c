// SPDX-License-Identifier: Apache-2.0
//
// The rules of measure: JSON, numbers, bitmaps, and the two bounds that a tool's own convert must
// keep.
#include "oracles_step.h"

#include "oracles/model.h"

static void equal_numbers_agree(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench_measure(&bench.a_result, 327680, 1376256);
    bench_measure(&bench.b_result, 327680, 1376256);
    bench_agrees(&bench, "measure_numeric_divergence");
    bench_agrees(&bench, "measure_json_parse_failure");
    bench_agrees(&bench, "measure_bitmaps_presence_divergence");
    bench_end(&bench);
}

static void one_byte_of_difference_diverges(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench_measure(&bench.a_result, 1376256, 1376256);
    bench_measure(&bench.b_result, 327680, 1376255);
    const struct judgement *judgement =
        bench_diverges(&bench, "measure_numeric_divergence", "required");
    assert_string_equal(judgement->text, "instar says required = 1376256, qemu-img 327680.");
    assert_string_equal(judgement->a_value, "1376256");
    bench_measure(&bench.a_result, 327680, 1376256);
    bench_diverges(&bench, "measure_numeric_divergence", "fully_allocated");
    bench_end(&bench);
}

static void numbers_beyond_double_precision_stay_exact(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench_measure(&bench.a_result, (UINT64_C(1) << 60) + 1, 1 MIB);
    bench_measure(&bench.b_result, UINT64_C(1) << 60, 1 MIB);
    assert_string_equal(bench_diverges(&bench, "measure_numeric_divergence", "required")->a_value,
                        "1152921504606846977");
    bench_end(&bench);
}

static void two_tools_of_one_wrong_mind_are_held_against_the_model(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench_write(&bench, 65535, 2, PATTERN_NOISE); // touches two clusters
    bench_measure(&bench.a_result, 393216, 1376256);
    bench_measure(&bench.b_result, 393216, 1376256);
    const struct judgement *judgement =
        bench_diverges(&bench, "measure_numeric_divergence", "required_instar");
    assert_string_equal(judgement->text, "instar says required = 393216; what the disk holds needs "
                                         "at least 458752.");
    bench_measure(&bench.a_result, 458752, 1376255);
    bench_measure(&bench.b_result, 458752, 1376255);
    bench_diverges(&bench, "measure_numeric_divergence", "fully_instar");
    bench.step.a.ran = false; // one tool alone
    bench_diverges(&bench, "measure_numeric_divergence", "fully_qemu_img");
    bench.b_result.measure.fully++;
    bench_agrees(&bench, "measure_numeric_divergence");
    bench.step.truth.content = NULL; // what it holds is not known, its size is
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "truth_unknown");
    bench.b_result.measure.fully = 1;
    bench_diverges(&bench, "measure_numeric_divergence", "fully_qemu_img");
    bench_end(&bench);
}

static void output_that_is_not_the_documented_json_diverges(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.b_result.json_failed = true;
    strcpy(bench.b_result.json_problem, "no member required");
    bench_diverges(&bench, "measure_json_parse_failure", "qemu_img");
    bench.b_result.class = bench.a_result.class = OUTCOME_REFUSED; // then nothing must be printed
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench_end(&bench);
}

static void bitmaps_must_be_on_both_sides_and_equal(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.a_result.measure.has_bitmaps = true;
    bench_diverges(&bench, "measure_bitmaps_presence_divergence", "qemu_img_omits");
    bench.b_result.measure.has_bitmaps = true;
    bench_agrees(&bench, "measure_bitmaps_value_divergence");
    bench.b_result.measure.bitmaps = 65536;
    bench_diverges(&bench, "measure_bitmaps_value_divergence", "bitmaps");
    bench.step.target = IMAGE_RAW;
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench_end(&bench);
}

// instar alone measured -O vmdk of 64 MiB and then converted; qemu-img has no opinion.
static void bound_begin(struct bench *bench, enum image_format target, uint64_t units,
                        uint64_t converted) {
    struct model_sizes sizes;
    bench_begin(bench, OP_MEASURE);
    bench_size(bench, 64 MIB);
    bench->step.target = target;
    bench->step.b.ran = false;
    bench->step.b.why_not = "no_target";
    assert_true(model_measure(target, &bench->step.options, 64 MIB, units, &sizes));
    bench_measure(&bench->a_result, sizes.required, sizes.fully);
    bench->step.a.has_converted = true;
    bench->step.a.converted_size = converted;
}

static void numbers_of_other_targets_are_held_against_the_model(void **state) {
    (void)state;
    struct bench bench;
    bound_begin(&bench, IMAGE_VHDX, 2, 71303168);
    bench_agrees(&bench, "measure_numeric_divergence");
    bench.a_result.measure.fully = UINT64_C(1) << 60;
    bench_diverges(&bench, "measure_numeric_divergence", "fully_instar");
    bench_end(&bench);
    // 16 grains, 4 MiB apart, in blocks of 1 MiB: as one block they are measured, 16 it takes.
    bound_begin(&bench, IMAGE_VHDX, 0, 20 MIB);
    bench.step.options.block_bits = 20;
    for (uint64_t at = 0; at < 64 MIB; at += 4 MIB)
        bench_write(&bench, at, 65536, PATTERN_NOISE);
    bench_measure(&bench.a_result, 5242880, 71303168);
    const struct judgement *judgement =
        bench_diverges(&bench, "measure_numeric_divergence", "required_instar");
    assert_string_equal(judgement->text, "instar says required = 5242880; what the disk holds "
                                         "needs at least 20971520.");
    bench.a_result.measure.required = 20971520 - 1; // no cushion here
    bench_diverges(&bench, "measure_numeric_divergence", "required_instar");
    bench.a_result.measure.required++;
    bench.a_result.measure.fully += 1 MIB; // here there is one
    bench_agrees(&bench, "measure_numeric_divergence");
    bench.a_result.measure.fully -= 2 MIB;
    bench_agrees(&bench, "measure_numeric_divergence");
    bench.a_result.measure.fully--;
    bench_diverges(&bench, "measure_numeric_divergence", "fully_instar");
    bench_end(&bench);
}

static void a_target_that_cannot_be_has_no_right_numbers(void **state) {
    (void)state;
    struct bench bench;
    bound_begin(&bench, IMAGE_VPC, 0, 0);
    bench_size(&bench, UINT64_C(2100) GIB);
    bench.step.a.has_converted = false;
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    assert_null(bench_find(&bench, "measure_numeric_divergence", VERDICT_AGREE));
    bench_end(&bench);
}

static void a_file_above_fully_allocated_diverges(void **state) {
    (void)state;
    struct bench bench;
    bound_begin(&bench, IMAGE_VMDK, 1024, 0);
    uint64_t fully = bench.a_result.measure.fully;
    bench_write(&bench, 0, 64 MIB, PATTERN_NOISE);
    bench.step.a.converted_size = fully + 65536;
    bench_agrees(&bench, "measure_above_fully_allocated_bound");
    bench.step.a.converted_size = fully + 65537;
    const struct judgement *judgement =
        bench_diverges(&bench, "measure_above_fully_allocated_bound", "instar");
    assert_string_equal(judgement->field, "converted-size");
    assert_string_equal(judgement->b_value, "");
    bench_end(&bench);
}

static void a_dense_file_below_required_diverges(void **state) {
    (void)state;
    struct bench bench;
    bound_begin(&bench, IMAGE_VMDK, 1024, 0);
    bench_write(&bench, 0, 64 MIB, PATTERN_NOISE);
    uint64_t required = bench.a_result.measure.required;
    bench.step.a.converted_size = required - 65536;
    bench_agrees(&bench, "measure_below_required_bound");
    bench.step.a.converted_size = required - 65537;
    bench_diverges(&bench, "measure_below_required_bound", "instar");
    bench_end(&bench);
}

static void zero_units_may_be_left_out(void **state) {
    (void)state;
    struct bench bench;
    // A raw file, counted as fully allocated; three grains hold data.
    bound_begin(&bench, IMAGE_VMDK, 1024, 11264 + 2048 + 3 * 65536);
    bench_write(&bench, 0, 3 * 65536, PATTERN_NOISE);
    bench_agrees(&bench, "measure_below_required_bound");
    // A file that lost data is still found: less than its non-zero units.
    bench.step.a.converted_size = 11264;
    bench_diverges(&bench, "measure_below_required_bound", "instar");
    bench_end(&bench);
}

static void a_hole_of_a_format_with_tables_may_not_be_counted(void **state) {
    (void)state;
    struct bench bench;
    bound_begin(&bench, IMAGE_VMDK, 1024, 11264 + 2048 + 3 * 65536);
    bench_write(&bench, 0, 3 * 65536, PATTERN_NOISE);
    bench.step.source = IMAGE_QCOW2;
    image_map_add(&bench.map, 0, 3 * 65536, IMAGE_DATA);
    bench_diverges(&bench, "measure_below_required_bound", "instar");
    bench.step.source = IMAGE_VHDX; // nobody asks for its block status: all of it may be counted
    bench_agrees(&bench, "measure_below_required_bound");
    bench.step.source = IMAGE_QCOW2;
    image_map_clear(&bench.map);
    image_map_add(&bench.map, 0, 64 MIB, IMAGE_DATA); // zeros, but stored
    bench_agrees(&bench, "measure_below_required_bound");
    bench_end(&bench);
}

static void the_literal_bound_is_kept_behind_strict(void **state) {
    (void)state;
    struct bench bench;
    bound_begin(&bench, IMAGE_VMDK, 1024, 11264 + 2048 + 3 * 65536);
    bench_write(&bench, 0, 3 * 65536, PATTERN_NOISE);
    bench.said.strict_bounds = true;
    bench_diverges(&bench, "measure_below_required_bound", "instar");
    bench.step.a.converted_size = bench.a_result.measure.required - 1; // no cushion either
    bench_diverges(&bench, "measure_below_required_bound", "instar");
    bench.step.a.converted_size++;
    bench_agrees(&bench, "measure_below_required_bound");
    bench.said.strict_bounds = false;
    bench.step.a.converted_size--;
    bench_agrees(&bench, "measure_below_required_bound");
    bench_end(&bench);
}

static void a_flat_file_may_leave_nothing_out(void **state) {
    (void)state;
    struct bench bench;
    bound_begin(&bench, IMAGE_VMDK, 0, 338 + 64 MIB); // zeros, and a descriptor of 338 bytes
    bench.step.options.vmdk_subformat = SUBFORMAT_FLAT;
    bench_measure(&bench.a_result, 64 MIB + 512, 64 MIB + 512);
    bench_agrees(&bench, "measure_below_required_bound");
    bench_agrees(&bench, "measure_above_fully_allocated_bound");
    bench.step.a.converted_size = 338; // the descriptor alone
    bench_diverges(&bench, "measure_below_required_bound", "instar");
    bench_measure(&bench.a_result, 65 MIB, 65 MIB); // more than the layout can have
    bench_diverges(&bench, "measure_numeric_divergence", "fully_instar");
    bench_end(&bench);
}

static void a_size_alone_has_no_source(void **state) {
    (void)state;
    struct bench bench;
    char signature[240];
    bench_begin(&bench, OP_MEASURE);
    bench.step.source = IMAGE_FORMATS;
    bench.step.options.size_only = 1;
    bench_measure(&bench.a_result, 327680, 1376256);
    bench_measure(&bench.b_result, 327680, 1376256);
    bench_agrees(&bench, "measure_numeric_divergence");
    assert_null(bench_find(&bench, "source_modified", VERDICT_AGREE)); // there was none
    bench.a_result.measure.has_bitmaps = true;
    const struct judgement *judgement =
        bench_diverges(&bench, "measure_bitmaps_presence_divergence", "qemu_img_omits");
    oracle_signature(&bench.step, judgement, signature, sizeof signature);
    assert_string_equal(signature,
                        "measure_bitmaps_presence_divergence-measure-none-qcow2-qemu_img_omits");
    bench_end(&bench);
}

static void an_unknown_truth_judges_no_lower_bound(void **state) {
    (void)state;
    struct bench bench;
    bound_begin(&bench, IMAGE_VPC, 32, 4096);
    bench.step.truth.content = NULL;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "truth_unknown");
    bench_end(&bench);
}

static void an_empty_vhdx_that_ends_in_its_metadata_is_within_the_cushion(void **state) {
    (void)state;
    struct bench bench;
    bound_begin(&bench, IMAGE_VHDX, 0, 3276800);
    bench_agrees(&bench, "measure_below_required_bound");
    bench_end(&bench);
}

static void bitmaps_are_those_of_the_image_that_was_built(void **state) {
    (void)state;
    struct image_bitmap bitmap = {.name = "bitmap0", .granularity_bits = 16};
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.step.source = bench.step.truth.format = IMAGE_QCOW2;
    bench.built.bitmaps = &bitmap;
    bench.built.bitmap_count = 1;
    struct tool_measure *a = &bench.a_result.measure, *b = &bench.b_result.measure;
    a->has_bitmaps = b->has_bitmaps = true;
    a->bitmaps = b->bitmaps = 196608;
    bench_agrees(&bench, "measure_bitmaps_value_divergence");
    a->bitmaps = b->bitmaps = 0; // both of one mind, and wrong
    const struct judgement *judgement =
        bench_diverges(&bench, "measure_bitmaps_value_divergence", "truth_instar");
    assert_string_equal(judgement->text,
                        "instar says bitmaps = 0, but those of the image take 196608.");
    a->bitmaps = 196608;
    bench_diverges(&bench, "measure_bitmaps_value_divergence", "bitmaps");
    b->bitmaps = 196608;
    a->bitmaps = 0;
    bench.b_result.class = OUTCOME_TIMEOUT; // one tool alone
    bench_diverges(&bench, "measure_bitmaps_value_divergence", "truth_instar");
    bench.b_result.class = OUTCOME_OK;
    b->bitmaps = 0;
    bench.step.input_is_output = true; // nobody knows
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_numbers_agree),
        cmocka_unit_test(one_byte_of_difference_diverges),
        cmocka_unit_test(numbers_beyond_double_precision_stay_exact),
        cmocka_unit_test(two_tools_of_one_wrong_mind_are_held_against_the_model),
        cmocka_unit_test(numbers_of_other_targets_are_held_against_the_model),
        cmocka_unit_test(a_target_that_cannot_be_has_no_right_numbers),
        cmocka_unit_test(output_that_is_not_the_documented_json_diverges),
        cmocka_unit_test(bitmaps_must_be_on_both_sides_and_equal),
        cmocka_unit_test(bitmaps_are_those_of_the_image_that_was_built),
        cmocka_unit_test(a_file_above_fully_allocated_diverges),
        cmocka_unit_test(a_dense_file_below_required_diverges),
        cmocka_unit_test(zero_units_may_be_left_out),
        cmocka_unit_test(a_hole_of_a_format_with_tables_may_not_be_counted),
        cmocka_unit_test(the_literal_bound_is_kept_behind_strict),
        cmocka_unit_test(a_flat_file_may_leave_nothing_out),
        cmocka_unit_test(a_size_alone_has_no_source),
        cmocka_unit_test(an_unknown_truth_judges_no_lower_bound),
        cmocka_unit_test(an_empty_vhdx_that_ends_in_its_metadata_is_within_the_cushion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
