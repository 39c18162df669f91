// SPDX-License-Identifier: Apache-2.0
//
// Options of the tools that the registry knows of: where one refuses what the other takes, or
// counts otherwise, with the value that is predicted and no other.
#include "oracles_step.h"

#include "oracles/predict.h"

// What a step of harness/step.c says of a measure without a file.
static void size_begin(struct bench *bench, const struct registry *registry, uint64_t size) {
    bench_begin(bench, OP_MEASURE);
    bench_size(bench, size);
    bench->said.registry = registry;
    bench->step.source = IMAGE_FORMATS;
    bench->step.target = IMAGE_RAW;
    bench->step.options.size_only = 1;
    bench->step.truth.shown_size = (size + 511) / 512 * 512;
    bench->step.truth.content = NULL;
    bench->step.truth.options = NULL;
}

static void a_size_alone_is_not_rounded_by_instar(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    size_begin(&bench, registry, 1000001);
    bench_measure(&bench.a_result, 1000001, 1000001);
    bench_measure(&bench.b_result, 1000448, 1000448);
    expect_known(&bench, "instar-size-not-rounded-required");
    expect_known(&bench, "instar-size-not-rounded-fully");
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    // What instar does to a raw file is no excuse without one.
    bench_measure(&bench.a_result, 1 MIB, 1 MIB);
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    // And not rounding is none with one.
    bench_measure(&bench.a_result, 1000001, 1000001);
    bench.step.source = IMAGE_RAW;
    bench.step.options.size_only = 0;
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench_end(&bench);
    registry_free(registry);
}

static void options_that_one_tool_refuses_are_predicted(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.said.registry = registry;
    bench.a_result.class = OUTCOME_REFUSED;
    bench.step.options = (struct target_options){.compat = 1, .extended_l2 = 1};
    expect_known(&bench, "instar-version-2-extended-l2-refused");
    bench.step.options.compat = 2;
    bench_diverges(&bench, "exit_code_divergence", "instar_refuses");

    bench.a_result.class = OUTCOME_OK;
    bench.b_result.class = OUTCOME_REFUSED;
    bench.step.options = (struct target_options){.compat = 1, .refcount_bits = 8};
    expect_known(&bench, "instar-version-2-refcount-width-accepted");
    bench.step.options.refcount_bits = 16;
    bench_diverges(&bench, "exit_code_divergence", "qemu_img_refuses");
    bench_end(&bench);

    size_begin(&bench, registry, 128 GIB + 512);
    bench.step.target = IMAGE_QCOW2;
    bench.step.options.cluster_bits = 9;
    bench.b_result.class = OUTCOME_REFUSED;
    expect_known(&bench, "instar-size-large-l1-accepted");
    bench.step.truth.shown_size = 128 GIB;
    bench_diverges(&bench, "exit_code_divergence", "qemu_img_refuses");
    bench_end(&bench);
    registry_free(registry);
}

static void a_version_2_target_has_no_bitmaps(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.said.registry = registry;
    bench.step.source = IMAGE_QCOW2;
    bench.step.options.compat = 1;
    bench.a_result.measure.has_bitmaps = true;
    expect_known(&bench, "instar-version-2-bitmaps-printed");
    bench.built.qcow2_version = 2;
    bench_diverges(&bench, "measure_bitmaps_presence_divergence", "qemu_img_omits");
    bench.built.qcow2_version = 3;
    bench.step.options.compat = 2;
    bench_diverges(&bench, "measure_bitmaps_presence_divergence", "qemu_img_omits");
    bench_end(&bench);
    registry_free(registry);
}

static void an_empty_flat_disk_is_where_qemu_img_aborts(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    bench_begin(&bench, OP_CONVERT);
    bench.said.registry = registry;
    bench_size(&bench, 0);
    bench.step.target = IMAGE_VMDK;
    bench.step.options.vmdk_subformat = SUBFORMAT_FLAT;
    bench.b_result.class = OUTCOME_SIGNAL;
    bench.b_outcome.end = EXEC_SIGNALED;
    bench.b_outcome.value = 6; // SIGABRT
    expect_known(&bench, "qemu-img-vmdk-empty-flat-aborts");
    bench.b_outcome.value = 11;
    bench_diverges(&bench, "tool_crash", "qemu_img_sigsegv");
    bench.b_outcome.value = 6;
    bench.step.options.vmdk_subformat = SUBFORMAT_NOT_GIVEN;
    bench_diverges(&bench, "tool_crash", "qemu_img_sigabrt");
    bench_end(&bench);
    registry_free(registry);
}

static void a_length_without_skipping_is_predicted(void **state) {
    (void)state;
    char text[PREDICT_ROOM];
    struct bench bench;
    bench_begin(&bench, OP_CONVERT);
    bench.step.source = IMAGE_QCOW2;
    bench.step.target = IMAGE_RAW;
    bench.step.options.no_skip_zeros = 1;
    bench.step.truth.shown_size = 1000448;
    const struct predictor *predictor = predictor_find("instar_whole_sectors");
    assert_true(predictor->value(&bench.step, "virtual-size", text));
    assert_string_equal(text, "1048576");
    bench.step.target = IMAGE_QCOW2;
    assert_false(predictor->value(&bench.step, "virtual-size", text));

    // Every unit is written, so that a disk of zeros exceeds the capacity, too.
    bench.step.options.cluster_bits = 21;
    predictor = predictor_find("instar_capacity");
    assert_true(predictor->value(&bench.step, "outcome", text));
    bench.step.options.no_skip_zeros = 0;
    assert_false(predictor->value(&bench.step, "outcome", text));
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_alone_is_not_rounded_by_instar),
        cmocka_unit_test(options_that_one_tool_refuses_are_predicted),
        cmocka_unit_test(a_version_2_target_has_no_bitmaps),
        cmocka_unit_test(an_empty_flat_disk_is_where_qemu_img_aborts),
        cmocka_unit_test(a_length_without_skipping_is_predicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
