// SPDX-License-Identifier: Apache-2.0
//
// The two answers side by side: '*' stands at the rows that a divergence is about and at no other,
// and a long text stays in its column.
#include "oracles_step.h"

#include "report/story.h"

#include <stdlib.h>

static struct bench bench;
static struct step_record step;
static struct buffer told;

static void begin(enum operation op) {
    bench_begin(&bench, op);
    step = (struct step_record){.done = true, .step = bench.step};
    buffer_clear(&told);
}

static void diverges(const char *type, const char *field) {
    struct judgement *judgement =
        oracle_say(&step.judgements, oracle_named(type), VERDICT_DIVERGENCE, "detail");
    assert_non_null(judgement->oracle);
    oracle_values(judgement, field, "1", "2");
}

static void answer(const char *a, const char *b) {
    step.results[SIDE_A].json = cJSON_Parse(a);
    step.results[SIDE_B].json = cJSON_Parse(b);
    assert_non_null(step.results[SIDE_A].json);
    assert_non_null(step.results[SIDE_B].json);
}

static void tell(void) {
    report_answers(&step, &told);
    for (int side = 0; side < SIDES; side++)
        cJSON_Delete(step.results[side].json);
}

static void shows(const char *line) {
    if (!strstr(told.data, line))
        fail_msg("no '%s' in\n%s", line, told.data);
}

static void files_of_two_sizes_are_no_divergence_of_contents(void **state) {
    (void)state;
    static const char *const types[] = {"convert_content_divergence", "truth_content_divergence",
                                        "source_modified"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        begin(OP_CONVERT);
        step.step.a.output_file_size = 81408;
        step.step.b.output_file_size = 131072;
        diverges(types[i], "");
        tell();
        shows("    ~ output file  81408");
        assert_null(strstr(told.data, "    *"));
    }
}

static void what_a_rule_could_not_read_is_marked(void **state) {
    (void)state;
    begin(OP_CONVERT);
    step.step.a.output_file_size = step.step.b.output_file_size = 512;
    snprintf(step.step.a.output_fault, sizeof step.step.a.output_fault, "no footer");
    diverges("convert_content_divergence", "");
    tell();
    shows("    * output       no footer");
    shows("      output file  512");
}

static void a_field_is_its_row_and_no_other(void **state) {
    (void)state;
    begin(OP_INFO);
    answer(
        "{\"size\": 1, \"virtual-size\": 3, \"data\": {\"size\": 5, \"bits\": [{\"size\": 7}]}}",
        "{\"size\": 2, \"virtual-size\": 4, \"data\": {\"size\": 6, \"bits\": [{\"size\": 8}]}}");
    diverges("info_output_divergence", "size");
    tell();
    shows("    * size               1");
    shows("    ~ virtual-size       3");
    shows("    ~ data.size          5");
    begin(OP_INFO);
    answer("{\"data\": {\"size\": 5, \"bits\": [{\"size\": 7}, {\"size\": 9}]}}",
           "{\"data\": {\"size\": 6, \"bits\": [{\"size\": 8}, {\"size\": 9}]}}");
    diverges("info_output_divergence", "data.bits[].size");
    tell();
    shows("    ~ data.size          5");
    shows("    * data.bits[0].size  7");
    shows("      data.bits[1].size  9");
}

static void a_member_that_is_missing_is_all_its_rows(void **state) {
    (void)state;
    begin(OP_INFO);
    answer("{\"data\": {\"size\": 5}, \"database\": 1}", "{}");
    diverges("info_output_divergence", "data");
    tell();
    shows("    * data.size   5");
    shows("    ~ database    1");
}

static void the_third_reader_is_named_and_a_long_text_folded(void **state) {
    (void)state;
    begin(OP_CONVERT);
    step.step.a.output_file_size = step.step.b.output_file_size = 512;
    third_say(&step.step.a.third, THIRD_OTHER, "content",
              "reads 0xab at guest offset 1234567890123, where the input holds 0xaa");
    third_say(&step.step.a.third_control, THIRD_SAME, "", "reads the content of the input");
    third_say(&step.step.b.third, THIRD_SAME, "", "reads the content of the input");
    diverges("third_reader_divergence", "");
    tell();
    shows("    * third reader                     "
          "reads 0xab at guest offset 1234567890123, where the  "
          "reads the content of the input\n"
          "                                       "
          "input holds 0xaa                                     \n");
    shows("    ~ third reader, of our copy of it  reads the content of the input");
    shows("not asked\n");
}

static void what_does_not_fit_says_so(void **state) {
    (void)state;
    char text[700];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    begin(OP_INFO);
    buffer_text(&step.outcomes[SIDE_B].err, text);
    tell();
    buffer_free(&step.outcomes[SIDE_B].err);
    shows("xxx...\n");
    for (const char *line = told.data; *line; line = strchr(line, '\n') + 1)
        assert_true(strcspn(line, "\n") < 110);
}

static int end(void **state) {
    (void)state;
    buffer_free(&told);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_two_sizes_are_no_divergence_of_contents),
        cmocka_unit_test(what_a_rule_could_not_read_is_marked),
        cmocka_unit_test(a_field_is_its_row_and_no_other),
        cmocka_unit_test(a_member_that_is_missing_is_all_its_rows),
        cmocka_unit_test(the_third_reader_is_named_and_a_long_text_folded),
        cmocka_unit_test(what_does_not_fit_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
