// SPDX-License-Identifier: Apache-2.0
//
// check: clean or not clean, on what we built, on what tools wrote, and on every convert output.
#include "oracles_step.h"

static void clean_on_both_sides_agrees(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    bench_agrees(&bench, "check_divergence");
    bench_end(&bench);
}

static void what_we_built_must_be_clean_on_each_side(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    bench.b_result.class = OUTCOME_NO_CHECKS; // of raw: one opinion is enough against the truth
    bench_agrees(&bench, "check_divergence");
    bench.a_result.class = OUTCOME_LEAKS;
    bench_diverges(&bench, "check_divergence", "clean_instar");
    bench.b_result.class = OUTCOME_CORRUPT;
    bench.a_result.class = OUTCOME_CLEAN;
    const struct judgement *judgement =
        bench_diverges(&bench, "check_divergence", "clean_qemu_img");
    assert_string_equal(judgement->a_value, "clean");
    assert_string_equal(judgement->b_value, "corrupt");
    bench_end(&bench);
}

static void what_a_tool_wrote_is_compared_between_the_two(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    bench.step.input_is_output = true;
    bench.step.truth.options = NULL;
    bench.a_result.class = OUTCOME_LEAKS;
    bench_diverges(&bench, "check_divergence", "clean_instar");
    bench.b_result.class = OUTCOME_CORRUPT; // not clean, both: kinds of damage are not compared
    bench_agrees(&bench, "check_divergence");
    bench.b_result.class = OUTCOME_NO_CHECKS; // nobody to compare with: nothing is wrong so far
    bench_diverges(&bench, "check_divergence", "clean_instar");
    bench.step.truth.content = NULL; // something may be
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "complains_alone");
    bench_reason(&bench, VERDICT_UNSUPPORTED, "no_checks");
    bench.a_result.class = OUTCOME_CLEAN;
    bench_reason(&bench, VERDICT_UNSUPPORTED, "no_checks");
    assert_null(bench_find(&bench, "check_divergence", VERDICT_AGREE));
    assert_null(bench_find(&bench, "check_divergence", VERDICT_INCONCLUSIVE));
    bench_end(&bench);
}

static void who_can_check_a_sound_image_does(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    bench.step.source = IMAGE_QCOW2;
    bench.a_result.class = OUTCOME_NO_CHECKS;
    const struct judgement *judgement =
        bench_diverges(&bench, "check_divergence", "unchecked_instar");
    assert_string_equal(judgement->a_value, "no-checks");
    struct opinion opinion;
    oracle_opinion(&bench.step, judgement, &opinion);
    assert_int_equal(opinion.wrong, OPINION_A);
    assert_int_equal(opinion.by, OPINION_BY_TRUTH);
    bench.a_result.class = OUTCOME_CLEAN;
    bench.b_result.class = OUTCOME_NO_CHECKS;
    bench_diverges(&bench, "check_divergence", "unchecked_qemu_img");

    bench.step.source = IMAGE_VPC; // of which qemu-img has none
    bench_agrees(&bench, "check_divergence");
    bench.a_result.class = OUTCOME_REFUSED;
    bench_diverges(&bench, "check_divergence", "unchecked_instar");
    bench.step.input_is_output = true; // nobody knows whether it must
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench.step.input_is_output = false;
    bench.b_result.class = OUTCOME_REFUSED; // both
    bench_reason(&bench, VERDICT_AGREE, "both_refused");

    bench.step.source = IMAGE_VMDK;
    bench.step.truth.create_type = vmdk_create_types[VMDK_SPLIT_SPARSE];
    bench.a_result.class = OUTCOME_NO_CHECKS;
    bench.b_result.class = OUTCOME_CLEAN;
    bench_agrees(&bench, "check_divergence"); // as instar documents
    bench.step.truth.create_type = vmdk_create_types[VMDK_SPARSE];
    bench_diverges(&bench, "check_divergence", "unchecked_instar");
    bench_end(&bench);
}

// Whoever wrote the file, the program that dies is at fault.
static void a_checker_that_dies_is_accused_itself(void **state) {
    (void)state;
    struct bench bench;
    struct opinion opinion;
    bench_begin(&bench, OP_CONVERT);
    bench.step.a.output_check.class = OUTCOME_SIGNAL;
    const struct judgement *judgement =
        bench_diverges(&bench, "check_divergence", "crash_qemu_img");
    assert_string_equal(judgement->text,
                        "qemu-img dies of a signal when it checks what instar wrote.");
    assert_string_equal(judgement->b_value, "signal");
    oracle_opinion(&bench.step, judgement, &opinion);
    assert_int_equal(opinion.wrong, OPINION_B);
    bench.step.a.output_check.class = OUTCOME_CLASSES;
    bench.step.a.output_undecided = bench.step.a.reader_died = true;
    judgement = bench_diverges(&bench, "check_divergence", "crash_qemu_img");
    assert_string_equal(judgement->text,
                        "qemu-img dies of a signal when it reads what instar wrote.");
    bench_end(&bench);
}

static void a_verdict_without_json_diverges(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    bench.b_result.json_failed = true;
    bench_diverges(&bench, "check_divergence", "unparsed_qemu_img");
    bench_end(&bench);
}

static void how_a_check_ends_follows_from_its_counts(void **state) {
    (void)state;
    static const struct {
        enum outcome_class class;
        uint64_t corruptions, leaks, errors;
        bool fits;
    } cases[] = {
        {OUTCOME_CLEAN, 0, 0, 0, true},    {OUTCOME_CLEAN, 0, 1, 0, false},
        {OUTCOME_CLEAN, 1, 0, 0, false},   {OUTCOME_CLEAN, 0, 0, 1, false},
        {OUTCOME_LEAKS, 0, 2, 0, true},    {OUTCOME_LEAKS, 0, 2, 2, true},
        {OUTCOME_LEAKS, 0, 0, 0, false},   {OUTCOME_LEAKS, 1, 2, 0, false},
        {OUTCOME_CORRUPT, 1, 0, 0, true},  {OUTCOME_CORRUPT, 2, 3, 5, true},
        {OUTCOME_CORRUPT, 0, 0, 1, true}, // a refcount error of instar
        {OUTCOME_CORRUPT, 0, 1, 2, true}, // and a leak, which is one of its check-errors
        {OUTCOME_CORRUPT, 0, 1, 1, false}, {OUTCOME_CORRUPT, 0, 1, 0, false},
        {OUTCOME_LEAKS, 0, 1, 2, false},
    };
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench.a_result.class = cases[i].class;
        bench.a_result.check.present = true;
        bench.a_result.check.corruptions = cases[i].corruptions;
        bench.a_result.check.leaks = cases[i].leaks;
        bench.a_result.check.check_errors = cases[i].errors;
        if (!cases[i].fits)
            bench_diverges(&bench, "check_divergence", "counts_instar");
        else if (cases[i].class == OUTCOME_CLEAN)
            bench_agrees(&bench, "check_divergence");
        else
            bench_diverges(&bench, "check_divergence", "clean_instar"); // of a sound image
    }
    bench_end(&bench);
}

// instar's check walks the active disk alone: leaks are known there, and nothing else.
static void a_documented_complaint_is_known_and_hides_no_other(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    bench.said.registry = registry;
    bench.step.source = IMAGE_QCOW2;
    bench.step.truth.snapshot_count = 1;
    bench.a_result.class = OUTCOME_LEAKS;
    expect_known(&bench, "instar-snapshots-leak");
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench.b_result.class = OUTCOME_LEAKS; // qemu-img walks all of it
    bench_diverges(&bench, "check_divergence", "clean_qemu_img");
    bench.b_result.class = OUTCOME_CLEAN;
    bench.a_result.class = OUTCOME_CORRUPT;
    bench_diverges(&bench, "check_divergence", "clean_instar");
    bench.a_result.class = OUTCOME_LEAKS;
    bench.step.truth.snapshot_count = 0;
    bench_diverges(&bench, "check_divergence", "clean_instar");
    bench_end(&bench);
    registry_free(registry);
}

static void a_convert_output_must_be_clean(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CONVERT);
    bench.step.a.output_check.class = OUTCOME_CLEAN;
    bench_agrees(&bench, "check_divergence");
    bench.step.b.output_check.class = OUTCOME_LEAKS;
    bench_diverges(&bench, "check_divergence", "output_qemu_img");
    bench.step.a.output_check.class = OUTCOME_REFUSED; // it cannot even be opened
    bench_diverges(&bench, "check_divergence", "output_instar");
    bench_end(&bench);
}

static void an_output_that_was_not_checked_says_nothing(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CONVERT);
    bench.step.a.output_check.class = OUTCOME_NO_CHECKS;
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    assert_null(bench_find(&bench, "check_divergence", VERDICT_AGREE));
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_on_both_sides_agrees),
        cmocka_unit_test(what_we_built_must_be_clean_on_each_side),
        cmocka_unit_test(what_a_tool_wrote_is_compared_between_the_two),
        cmocka_unit_test(who_can_check_a_sound_image_does),
        cmocka_unit_test(a_checker_that_dies_is_accused_itself),
        cmocka_unit_test(a_verdict_without_json_diverges),
        cmocka_unit_test(how_a_check_ends_follows_from_its_counts),
        cmocka_unit_test(a_documented_complaint_is_known_and_hides_no_other),
        cmocka_unit_test(a_convert_output_must_be_clean),
        cmocka_unit_test(an_output_that_was_not_checked_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
