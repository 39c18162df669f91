// SPDX-License-Identifier: Apache-2.0
//
// Who is probably wrong: each way to an opinion, and that nobody is blamed where nothing is known.
#include "oracles_step.h"

#include "oracles/model.h"

// Judges, expects one divergence of that type, and gives the opinion on it.
static struct opinion opinion_on(struct bench *bench, const char *type) {
    struct opinion opinion;
    bench_judge(bench);
    const struct judgement *judgement = bench_find(bench, type, VERDICT_DIVERGENCE);
    assert_non_null(judgement);
    oracle_opinion(&bench->step, judgement, &opinion);
    return opinion;
}

static void expect(const struct opinion *opinion, enum opinion_wrong wrong, enum opinion_by by) {
    if (opinion->wrong != wrong || opinion->by != by)
        fail_msg("%s by %s: %s", opinion_wrong_names[opinion->wrong], opinion_by_names[opinion->by],
                 opinion->reason);
    assert_true(*opinion->reason);
}

static void the_model_says_whose_number_is_wrong(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench_measure(&bench.a_result, 1376256, 1376256); // as if the hole were data
    bench_measure(&bench.b_result, 327680, 1376256);
    struct opinion opinion = opinion_on(&bench, "measure_numeric_divergence");
    expect(&opinion, OPINION_A, OPINION_BY_MODEL);
    assert_string_equal(oracle_opinion_role(&bench.step, &opinion), "instar");
    assert_non_null(strstr(opinion.reason, "required = 327680"));
    bench_measure(&bench.b_result, 393216, 1376256);
    opinion = opinion_on(&bench, "measure_numeric_divergence");
    expect(&opinion, OPINION_BOTH, OPINION_BY_MODEL);
    bench.step.truth.allocation = NULL; // a file that an earlier step tainted
    opinion = opinion_on(&bench, "measure_numeric_divergence");
    expect(&opinion, OPINION_UNKNOWN, OPINION_BY_NONE);
    bench_end(&bench);
}

static void a_refusal_is_wrong_unless_the_target_cannot_be(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CONVERT);
    bench.a_result.class = OUTCOME_REFUSED;
    struct opinion opinion = opinion_on(&bench, "exit_code_divergence");
    expect(&opinion, OPINION_A, OPINION_BY_TRUTH);
    bench_size(&bench, 0);
    opinion = opinion_on(&bench, "exit_code_divergence");
    expect(&opinion, OPINION_UNKNOWN, OPINION_BY_NONE);
    bench_size(&bench, UINT64_C(2100) GIB);
    bench.step.target = IMAGE_VPC;
    bench.a_result.class = OUTCOME_OK;
    bench.b_result.class = OUTCOME_REFUSED;
    opinion = opinion_on(&bench, "exit_code_divergence");
    expect(&opinion, OPINION_A, OPINION_BY_MODEL);
    bench_size(&bench, 1 MIB);
    bench.step.truth.content = NULL;
    bench.step.input_is_output = true;
    opinion = opinion_on(&bench, "exit_code_divergence");
    expect(&opinion, OPINION_UNKNOWN, OPINION_BY_NONE);
    bench_end(&bench);
}

static void bitmaps_are_there_where_both_formats_have_them(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.step.source = bench.step.truth.format = IMAGE_QCOW2;
    bench_measure(&bench.a_result, 327680, 1376256);
    bench_measure(&bench.b_result, 327680, 1376256);
    bench.b_result.measure.has_bitmaps = true;
    struct opinion opinion = opinion_on(&bench, "measure_bitmaps_presence_divergence");
    expect(&opinion, OPINION_A, OPINION_BY_CONTRACT);
    bench.step.options.compat = 1; // a target of version 2 has none
    opinion = opinion_on(&bench, "measure_bitmaps_presence_divergence");
    expect(&opinion, OPINION_B, OPINION_BY_CONTRACT);
    bench.step.options.compat = 0;
    bench.a_result.measure.has_bitmaps = true;
    bench.a_result.measure.bitmaps = 65536;
    opinion = opinion_on(&bench, "measure_bitmaps_value_divergence");
    expect(&opinion, OPINION_A, OPINION_BY_MODEL);
    bench.b_result.measure.bitmaps = 131072;
    opinion = opinion_on(&bench, "measure_bitmaps_value_divergence");
    expect(&opinion, OPINION_BOTH, OPINION_BY_MODEL);
    bench_end(&bench);
}

static void parse_info(struct bench *bench, const char *a, const char *b) {
    tool_result_free(&bench->a_result);
    tool_result_free(&bench->b_result);
    bench->a_result.class = bench->b_result.class = OUTCOME_OK;
    bench->a_result.json = cJSON_Parse(a);
    bench->b_result.json = cJSON_Parse(b);
}

static void options_say_what_info_must_print(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_INFO);
    bench.step.source = bench.step.truth.format = IMAGE_QCOW2;
    bench.step.truth.unit = 65536;
    parse_info(&bench, "{\"cluster-size\": 65536}", "{\"cluster-size\": 4096}");
    struct opinion opinion = opinion_on(&bench, "info_output_divergence");
    expect(&opinion, OPINION_B, OPINION_BY_TRUTH);
    bench.built.refcount_bits = 64;
    parse_info(&bench, "{\"format-specific\": {\"data\": {\"refcount-bits\": 16}}}",
               "{\"format-specific\": {\"data\": {\"refcount-bits\": 64}}}");
    opinion = opinion_on(&bench, "info_output_divergence");
    expect(&opinion, OPINION_A, OPINION_BY_TRUTH);
    parse_info(&bench, "{\"something\": 1}", "{\"something\": 2}");
    opinion = opinion_on(&bench, "info_output_divergence");
    expect(&opinion, OPINION_UNKNOWN, OPINION_BY_NONE);
    parse_info(&bench, "{\"virtual-size\": 1048576}", "{\"virtual-size\": 512}");
    opinion = opinion_on(&bench, "info_output_divergence");
    expect(&opinion, OPINION_B, OPINION_BY_TRUTH);
    bench_end(&bench);
}

// A tool that a rule speaks of alone, and the words of it.
static void a_rule_about_one_tool_accuses_it(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.b_result.json_failed = true;
    struct opinion opinion = opinion_on(&bench, "measure_json_parse_failure");
    expect(&opinion, OPINION_B, OPINION_BY_CONTRACT);
    bench.b_result.json_failed = false;
    bench.step.source_modified = true;
    snprintf(bench.step.modified_by, sizeof bench.step.modified_by, "qemu_img");
    opinion = opinion_on(&bench, "source_modified");
    expect(&opinion, OPINION_B, OPINION_BY_CONTRACT);
    bench_end(&bench);
}

// Every rule has a way to an opinion, but for those that never accuse.
static void every_rule_has_one(void **state) {
    (void)state;
    for (size_t i = 0; oracles[i]; i++)
        if (strcmp(oracles[i]->type, "availability") != 0 &&
            strcmp(oracles[i]->type, "writer_size") != 0 && !oracles[i]->opinion &&
            !(oracles[i]->accuses && oracles[i]->accuses_by))
            fail_msg("%s has no opinion", oracles[i]->type);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_says_whose_number_is_wrong),
        cmocka_unit_test(a_refusal_is_wrong_unless_the_target_cannot_be),
        cmocka_unit_test(bitmaps_are_there_where_both_formats_have_them),
        cmocka_unit_test(options_say_what_info_must_print),
        cmocka_unit_test(a_rule_about_one_tool_accuses_it),
        cmocka_unit_test(every_rule_has_one),
    };
    return cmocka_run_group_tests_name("who is probably wrong", tests, NULL, NULL);
}
