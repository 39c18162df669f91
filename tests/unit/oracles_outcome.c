// SPDX-License-Identifier: Apache-2.0
//
// Who gave a result at all: availability, time-outs, limits, crashes, refusals, and the signature.
#include "oracles_step.h"

#include <signal.h>

static void two_successes_agree(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench_agrees(&bench, "exit_code_divergence");
    bench_agrees(&bench, "source_modified");
    bench_end(&bench);
}

static void two_refusals_agree_and_nothing_more_is_compared(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CONVERT);
    bench.a_result.class = bench.b_result.class = OUTCOME_REFUSED;
    bench_agrees(&bench, "exit_code_divergence");
    assert_null(bench_find(&bench, "convert_content_divergence", VERDICT_AGREE));
    bench_end(&bench);
}

static void one_refusal_diverges(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CONVERT);
    bench.a_result.class = OUTCOME_REFUSED;
    bench.a_outcome.value = 1;
    const struct judgement *judgement =
        bench_diverges(&bench, "exit_code_divergence", "instar_refuses");
    assert_string_equal(judgement->field, "outcome");
    assert_string_equal(judgement->a_value, "refused");
    assert_string_equal(judgement->b_value, "ok");
    bench.a_result.class = OUTCOME_OK;
    bench.b_result.class = OUTCOME_REFUSED;
    bench_diverges(&bench, "exit_code_divergence", "qemu_img_refuses");
    bench_end(&bench);
}

static void a_corrupt_image_is_a_result_not_a_refusal(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    bench.step.truth.options = NULL;
    bench.step.input_is_output = true;
    bench.a_result.class = bench.b_result.class = OUTCOME_CORRUPT;
    bench_agrees(&bench, "exit_code_divergence");
    bench_end(&bench);
}

static void no_checks_has_no_opinion(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    bench.b_result.class = OUTCOME_NO_CHECKS;
    bench_reason(&bench, VERDICT_UNSUPPORTED, "no_checks");
    assert_null(bench_find(&bench, "exit_code_divergence", VERDICT_AGREE));
    bench_end(&bench);
}

static void a_side_that_did_not_run_is_no_agreement(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.step.b.ran = false;
    bench.step.b.why_not = "no_target";
    bench_reason(&bench, VERDICT_UNSUPPORTED, "no_target");
    assert_null(bench_find(&bench, "exit_code_divergence", VERDICT_AGREE));
    bench.qemu_img.available = false;
    bench_reason(&bench, VERDICT_UNAVAILABLE, "unavailable_qemu_img");
    bench.instar.available = false;
    bench.step.a.ran = false;
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_AGREE), 0);
    assert_int_equal(bench_count(&bench, VERDICT_UNAVAILABLE), 2);
    bench_end(&bench);
}

static void one_tool_alone_is_judged_without_the_other(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.step.b = (struct oracle_side){0};
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_UNSUPPORTED), 0);
    bench.a_result.json_failed = true;
    bench_diverges(&bench, "measure_json_parse_failure", "instar");
    bench.a_result.class = OUTCOME_TIMEOUT;
    bench.step.deadline_is_final = true;
    bench_diverges(&bench, "tool_hang", "instar");
    bench_end(&bench);
}

static void timeouts_are_counted_until_the_deadline_is_final(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.a_result.class = OUTCOME_TIMEOUT;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "timeout_instar");
    bench.step.deadline_is_final = true;
    bench_diverges(&bench, "tool_hang", "instar");
    bench.b_result.class = OUTCOME_TIMEOUT;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "timeout_both");
    assert_int_equal(bench_count(&bench, VERDICT_AGREE), 1); // the source is as it was
    bench.a_result.class = OUTCOME_OK;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "timeout_qemu_img");
    bench_end(&bench);
}

static void a_hang_is_what_works_or_waits_all_the_time(void **state) {
    (void)state;
    const struct {
        uint64_t user_us, system_us;
        bool hangs;
    } runs[] = {
        {5900000, 50000, true}, {0, 1000, true}, {800000, 1500000, false}, {400000, 0, false}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct bench bench;
        bench_begin(&bench, OP_MEASURE);
        struct exec_outcome outcome = {
            .wall_us = 6000000, .user_us = runs[i].user_us, .system_us = runs[i].system_us};
        bench.step.a.outcome = &outcome;
        bench.a_result.class = OUTCOME_TIMEOUT;
        bench.step.deadline_is_final = true;
        if (runs[i].hangs)
            bench_diverges(&bench, "tool_hang", "instar");
        else
            bench_reason(&bench, VERDICT_INCONCLUSIVE, "timeout_instar");
        bench_end(&bench);
    }
}

static void a_limit_of_ours_is_inconclusive(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.a_result.class = OUTCOME_LIMIT;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "limit_instar");
    bench.a_result.class = OUTCOME_OK;
    bench.b_result.class = OUTCOME_LIMIT;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "limit_qemu_img");
    bench_end(&bench);
}

static void a_signal_is_a_crash_and_ends_the_step(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_INFO);
    bench.b_result.class = OUTCOME_SIGNAL;
    bench.b_outcome.end = EXEC_SIGNALED;
    bench.b_outcome.value = SIGSEGV;
    bench_diverges(&bench, "tool_crash", "qemu_img_sigsegv");
    bench.b_outcome.value = 45;
    bench_diverges(&bench, "tool_crash", "qemu_img_signal");
    bench.b_outcome.end = EXEC_EXITED;
    bench.b_outcome.value = 101;
    bench_diverges(&bench, "tool_crash", "qemu_img_panic");
    bench.b_result.class = OUTCOME_OK;
    bench.a_result.class = OUTCOME_SIGNAL;
    bench.a_outcome.end = EXEC_EXITED;
    bench.a_outcome.value = 1;
    bench_diverges(&bench, "tool_crash", "instar_guest_fault");
    bench_end(&bench);
}

// What the other tool then says is about another file.
static void a_changed_source_comes_before_whatever_else_happened(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_INFO);
    bench.b_result.class = OUTCOME_REFUSED;
    bench.step.source_modified = true;
    strcpy(bench.step.modified_by, "instar");
    bench_diverges(&bench, "source_modified", "instar");
    bench_end(&bench);
}

static void a_convert_behind_a_measure_can_crash_or_be_cut_off(void **state) {
    (void)state;
    struct bench bench;
    struct exec_outcome died = {.end = EXEC_SIGNALED, .value = SIGSEGV};
    bench_begin(&bench, OP_MEASURE);
    bench.step.target = IMAGE_VPC;
    bench.step.a.fit_outcome = &died;
    bench.step.a.fit_class = OUTCOME_SIGNAL;
    bench_diverges(&bench, "tool_crash", "instar_sigsegv");
    bench.step.a.fit_class = OUTCOME_TIMEOUT;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "convert_behind_measure_cut_off");
    bench.step.a.fit_class = OUTCOME_REFUSED;
    bench_reason(&bench, VERDICT_UNSUPPORTED, "convert_behind_measure_refused");
    bench.step.a.fit_class = OUTCOME_CLASSES;
    bench.step.a.fit_costs_too_much = true;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "convert_behind_measure_cost_cap");
    bench.step.a.fit_costs_too_much = false;
    bench_end(&bench);
}

static void one_tool_alone_that_refuses_is_not_called_right(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_INFO);
    bench.a_result.class = OUTCOME_REFUSED;
    bench.step.b.ran = false;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "refused_alone");
    bench.step.b.ran = true;
    bench.b_result.class = OUTCOME_REFUSED;
    bench_reason(&bench, VERDICT_AGREE, ORACLE_BOTH_REFUSED);
    bench_end(&bench);
}

static void a_changed_source_names_who_did_it(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.step.source_modified = true;
    strcpy(bench.step.modified_by, "instar");
    bench_diverges(&bench, "source_modified", "instar");
    bench_end(&bench);
}

static void the_signature_has_five_parts_and_no_numbers(void **state) {
    (void)state;
    struct bench bench;
    char signature[256];
    bench_begin(&bench, OP_CONVERT);
    bench.step.source = IMAGE_VHDX;
    bench.b_result.class = OUTCOME_REFUSED;
    const struct judgement *judgement =
        bench_diverges(&bench, "exit_code_divergence", "qemu_img_refuses");
    oracle_signature(&bench.step, judgement, signature, sizeof signature);
    assert_string_equal(signature, "exit_code_divergence-convert-vhdx-qcow2-qemu_img_refuses");

    struct judgement other = {.oracle = judgement->oracle};
    strcpy(other.detail, "Virtual-size/../x");
    bench.step.op = OP_INFO;
    bench.step.target = IMAGE_FORMATS;
    oracle_signature(&bench.step, &other, signature, sizeof signature);
    assert_string_equal(signature, "exit_code_divergence-info-vhdx-none-virtual_size____x");
    char small[10];
    oracle_signature(&bench.step, &other, small, sizeof small);
    assert_string_equal(small, "exit_code");
    bench_end(&bench);
}

static void a_full_list_of_judgements_does_not_overflow(void **state) {
    (void)state;
    static struct judgements out;
    for (int i = 0; i < ORACLE_MAX_JUDGEMENTS + 5; i++)
        assert_non_null(oracle_say(&out, oracles[0], VERDICT_AGREE, "x"));
    assert_int_equal(out.count, ORACLE_MAX_JUDGEMENTS);
    // A divergence finds a place all the same, and keeps it.
    oracle_say(&out, oracles[1], VERDICT_DIVERGENCE, "y");
    oracle_say(&out, oracles[2], VERDICT_AGREE, "z");
    assert_int_equal(out.count, ORACLE_MAX_JUDGEMENTS);
    assert_true(oracle_diverged(&out, 0));
    assert_ptr_equal(out.items[ORACLE_MAX_JUDGEMENTS - 1].oracle, oracles[1]);
}

// A confirmation asks cross-checks that the first run did not: what they find comes first in the
// order, and does not hide what is to repeat.
static void what_is_sought_is_asked_behind_another_divergence(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench_measure(&bench.a_result, 1024, 2048);
    bench_measure(&bench.b_result, 1025, 2048);
    struct exec_outcome died = {.end = EXEC_SIGNALED, .value = SIGSEGV};
    bench.step.a.fit_outcome = &died;
    bench.step.a.fit_class = OUTCOME_SIGNAL;
    oracle_judge(&bench.step, &bench.said);
    assert_string_equal(bench.said.items[bench.said.count - 1].oracle->type, "tool_crash");
    bench.said.count = 0;
    bench.said.sought = oracle_named("measure_numeric_divergence");
    oracle_judge(&bench.step, &bench.said);
    assert_ptr_equal(bench.said.items[bench.said.count - 1].oracle, bench.said.sought);
    assert_int_equal(bench.said.items[bench.said.count - 1].verdict, VERDICT_DIVERGENCE);
    bench.said.count = 0;
    bench.said.sought = oracle_named("convert_content_divergence"); // of another operation
    oracle_judge(&bench.step, &bench.said);
    assert_string_equal(bench.said.items[bench.said.count - 1].oracle->type, "tool_crash");
    bench_end(&bench);
}

static void every_oracle_says_what_its_rule_is(void **state) {
    (void)state;
    for (size_t i = 0; oracles[i]; i++) {
        assert_true(oracles[i]->type && *oracles[i]->rule && oracles[i]->ops);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(oracles[i]->type, oracles[j]->type);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_successes_agree),
        cmocka_unit_test(two_refusals_agree_and_nothing_more_is_compared),
        cmocka_unit_test(one_refusal_diverges),
        cmocka_unit_test(a_corrupt_image_is_a_result_not_a_refusal),
        cmocka_unit_test(no_checks_has_no_opinion),
        cmocka_unit_test(a_side_that_did_not_run_is_no_agreement),
        cmocka_unit_test(one_tool_alone_is_judged_without_the_other),
        cmocka_unit_test(timeouts_are_counted_until_the_deadline_is_final),
        cmocka_unit_test(a_hang_is_what_works_or_waits_all_the_time),
        cmocka_unit_test(a_limit_of_ours_is_inconclusive),
        cmocka_unit_test(a_signal_is_a_crash_and_ends_the_step),
        cmocka_unit_test(a_changed_source_names_who_did_it),
        cmocka_unit_test(a_changed_source_comes_before_whatever_else_happened),
        cmocka_unit_test(a_convert_behind_a_measure_can_crash_or_be_cut_off),
        cmocka_unit_test(one_tool_alone_that_refuses_is_not_called_right),
        cmocka_unit_test(the_signature_has_five_parts_and_no_numbers),
        cmocka_unit_test(a_full_list_of_judgements_does_not_overflow),
        cmocka_unit_test(what_is_sought_is_asked_behind_another_divergence),
        cmocka_unit_test(every_oracle_says_what_its_rule_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
