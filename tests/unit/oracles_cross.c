// SPDX-License-Identifier: Apache-2.0
//
// The rules about cross-checks but map (oracles_map.c): the contract of measure, growth by a
// conversion, compare against what is known, check of a measure's convert and of damaged copies.
// Each fires, and each stays silent where it must.
#include "oracles_beside.h"

#include "oracles/model.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

// --- the contract --------------------------------------------------------------------------------

#define CONTRACT "measure_contract_violation"

static void contract_begin(struct bench *bench, int side, uint64_t converted) {
    bench_begin(bench, OP_MEASURE);
    bench_measure(&bench->a_result, 327680, 1376256);
    bench_measure(&bench->b_result, 327680, 1376256);
    side_of(bench, side)->has_converted = true;
    side_of(bench, side)->converted_size = converted;
}

static void a_file_that_fits_keeps_the_contract(void **state) {
    (void)state;
    struct bench bench;
    contract_begin(&bench, 1, 327680);
    bench_agrees(&bench, CONTRACT);
    bench.step.target = IMAGE_RAW;
    bench_measure(&bench.a_result, 1 MIB, 1 MIB);
    bench_measure(&bench.b_result, 1 MIB, 1 MIB);
    bench_agrees(&bench, CONTRACT);
    bench.step.b.has_converted = false; // nobody converted: nothing was compared
    expect_silence(&bench, CONTRACT);
    bench_end(&bench);
}

static void a_file_above_required_breaks_it(void **state) {
    (void)state;
    struct bench bench;
    contract_begin(&bench, 1, 327681);
    const struct judgement *judgement = bench_diverges(&bench, CONTRACT, "qemu_img");
    assert_string_equal(judgement->field, "converted-size");
    assert_string_equal(judgement->b_value, "327681");
    assert_string_equal(judgement->a_value, "");
    bench.step.target = IMAGE_RAW; // exact for everybody
    bench_measure(&bench.a_result, 1 MIB, 1 MIB);
    bench_measure(&bench.b_result, 1 MIB, 1 MIB);
    bench.step.b.converted_size = 1 MIB + 1;
    bench_diverges(&bench, CONTRACT, "qemu_img");
    contract_begin(&bench, 0, 327680 + 65536);
    bench_agrees(&bench, CONTRACT); // instar: one sector of slack
    bench.step.a.converted_size++;
    bench_diverges(&bench, CONTRACT, "instar");
    bench.step.a.converted_size = 327681;
    bench.instar.is_standin = true; // the stand-in: none
    bench_diverges(&bench, CONTRACT, "instar");
    bench_end(&bench);
}

static void preallocated_tables_may_reach_fully_allocated(void **state) {
    (void)state;
    struct bench bench;
    contract_begin(&bench, 1, 1376256);
    bench_diverges(&bench, CONTRACT, "qemu_img");
    bench.step.options.preallocation = PREALLOCATION_METADATA;
    bench_agrees(&bench, CONTRACT);
    bench.step.b.converted_size++;
    bench_diverges(&bench, CONTRACT, "qemu_img");
    bench_end(&bench);
}

static void required_is_no_more_than_fully_allocated(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.step.target = IMAGE_VHDX; // for every target, and without a convert
    bench_measure(&bench.a_result, 35 MIB + 1, 35 MIB);
    bench_measure(&bench.b_result, 35 MIB, 35 MIB);
    bench_diverges(&bench, CONTRACT, "order_instar");
    bench_end(&bench);
}

static void a_number_that_is_known_to_be_wrong_promises_nothing(void **state) {
    (void)state;
    struct bench bench;
    struct registry *registry = built_in();
    contract_begin(&bench, 0, 2 MIB);
    bench_write(&bench, 0, 65536, PATTERN_NOISE);
    image_map_add(&bench.map, 0, 65536, IMAGE_DATA);
    bench_measure(&bench.a_result, 1376256, 1376256); // all of a raw file counted
    bench_measure(&bench.b_result, 393216, 1376256);
    bench.said.registry = registry;
    expect_known(&bench, "instar-raw-holes-required");
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "known_value_instar");
    bench.step.b.has_converted = true; // the number of the other tool is none of them
    bench.step.b.converted_size = 393216;
    bench_agrees(&bench, CONTRACT);
    bench.step.b.converted_size++;
    bench_diverges(&bench, CONTRACT, "qemu_img");
    registry_free(registry);
    bench_end(&bench);
}

// --- growth --------------------------------------------------------------------------------------

#define GROWTH "measure_growth_violation"

static void growth_begin(struct bench *bench, uint64_t input, uint64_t output) {
    bench_begin(bench, OP_CONVERT);
    bench_measure(answer(bench, 1, CROSS_MEASURE_INPUT, OUTCOME_OK), input, 1376256);
    bench_measure(answer(bench, 1, CROSS_MEASURE_OUTPUT, OUTCOME_OK), output, 1376256);
    image_map_add(&bench->map, 65536, 65536, IMAGE_DATA); // 393216 bytes in a qcow2
}

static void a_conversion_that_stores_more_is_found(void **state) {
    (void)state;
    struct bench bench;
    growth_begin(&bench, 393216, 393216);
    bench_agrees(&bench, GROWTH);
    bench_end(&bench);
    growth_begin(&bench, 393216, 327680); // zeros that are not stored any more
    bench_agrees(&bench, GROWTH);
    bench_end(&bench);
    growth_begin(&bench, 393216, 393217);
    bench_diverges(&bench, GROWTH, "qemu_img");
    bench_end(&bench);
    forget();
}

static void an_input_that_was_measured_too_low_is_no_measure_of_growth(void **state) {
    (void)state;
    struct bench bench;
    growth_begin(&bench, 327680, 393216);
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "input_misjudged_qemu_img");
    bench_end(&bench);
    growth_begin(&bench, 393216, 393217);
    answers[1][CROSS_MEASURE_INPUT].json_failed = true; // measure_json_parse_failure's business
    expect_silence(&bench, GROWTH);
    answers[1][CROSS_MEASURE_INPUT].class = OUTCOME_TIMEOUT;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "beside_cut_off_qemu_img");
    bench_end(&bench);
    forget();
}

static void growth_behind_a_known_deviation_is_judged_of_the_other_tool_alone(void **state) {
    (void)state;
    struct bench bench;
    growth_begin(&bench, 393216, 393217);
    struct judgement *known =
        oracle_say(&bench.said, &oracle_truth_size, VERDICT_KNOWN, "qemu_img");
    known->known_tool = &bench.qemu_img;
    oracle_measure_growth.judge(&oracle_measure_growth, &bench.step, &bench.said);
    assert_false(oracle_diverged(&bench.said, 0));
    assert_string_equal(bench.said.items[1].reason, "known_value_qemu_img");
    bench.said.count = 1;
    known->known_tool = &bench.instar;
    oracle_measure_growth.judge(&oracle_measure_growth, &bench.step, &bench.said);
    assert_true(oracle_diverged(&bench.said, 0));
    bench_end(&bench);
    forget();
}

// --- compare -------------------------------------------------------------------------------------

#define COMPARE "compare_divergence"
static char path[] = "/tmp/oracles-cross.XXXXXX";

// A convert of the bench's hole to a raw file, which is `length` bytes long and begins with `byte`.
static void compare_begin(struct bench *bench, char byte, uint64_t length) {
    struct fault fault;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && ftruncate(fd, (off_t)length) == 0 && pwrite(fd, &byte, 1, 0) == 1);
    close(fd);
    bench_begin(bench, OP_CONVERT);
    bench->step.target = IMAGE_RAW;
    bench->step.a.ran = false;
    assert_int_equal(image_open(&bench->step.b.output, path, IMAGE_RAW, &fault), 0);
}

static void compare_end(struct bench *bench) {
    image_close(bench->step.b.output);
    bench_end(bench);
    forget();
}

static void compare_must_know_the_same_and_the_other(void **state) {
    (void)state;
    struct bench bench;
    compare_begin(&bench, 0, 1 MIB);
    answer(&bench, 1, CROSS_COMPARE_OUTPUT, OUTCOME_OK);
    answer(&bench, 1, CROSS_COMPARE_OTHER, OUTCOME_DIFFERENT);
    bench_agrees(&bench, COMPARE);
    answer(&bench, 1, CROSS_COMPARE_OTHER, OUTCOME_OK);
    bench_diverges(&bench, COMPARE, "identical_qemu_img");
    answer(&bench, 1, CROSS_COMPARE_OTHER, OUTCOME_REFUSED);
    bench_diverges(&bench, COMPARE, "refused_qemu_img");
    answer(&bench, 1, CROSS_COMPARE_OUTPUT, OUTCOME_DIFFERENT);
    bench_diverges(&bench, COMPARE, "different_qemu_img");
    compare_end(&bench);
}

static void an_output_that_nobody_knows_is_not_compared(void **state) {
    (void)state;
    struct bench bench;
    compare_begin(&bench, 0, 1 MIB);
    bench.step.truth.content = NULL;
    answer(&bench, 1, CROSS_COMPARE_OUTPUT, OUTCOME_DIFFERENT);
    expect_silence(&bench, COMPARE);
    compare_end(&bench);
}

static void a_wrong_output_keeps_its_own_name(void **state) {
    (void)state;
    struct bench bench;
    compare_begin(&bench, 7, 1 MIB);
    answer(&bench, 1, CROSS_COMPARE_OUTPUT, OUTCOME_DIFFERENT);
    bench_diverges(&bench, "truth_content_divergence", "qemu_img");
    compare_end(&bench);
}

// --- check of what a measure writes ------------------------------------------------------------

static void a_converted_file_must_be_clean_too(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.step.source = IMAGE_QCOW2;
    answer(&bench, 0, CROSS_CHECK_FIT, OUTCOME_CLEAN);
    bench_agrees(&bench, "check_divergence");
    answer(&bench, 0, CROSS_CHECK_FIT, OUTCOME_LEAKS)->check.leaks = 3;
    bench_diverges(&bench, "check_divergence", "fit_instar");
    answer(&bench, 0, CROSS_CHECK_FIT, OUTCOME_NO_CHECKS);
    expect_silence(&bench, "check_divergence");
    bench_end(&bench);
    forget();
}

// --- check of damaged copies ---------------------------------------------------------------------

#define DAMAGE "check_damage_divergence"

static void a_check_must_see_what_was_damaged(void **state) {
    (void)state;
    static const struct {
        enum image_damage damage;
        enum outcome_class said;
        const char *detail; // NULL: that is right
    } cases[] = {
        {DAMAGE_LEAK, OUTCOME_LEAKS, NULL},
        {DAMAGE_LEAK, OUTCOME_CLEAN, "leak_instar"},
        {DAMAGE_LEAK, OUTCOME_CORRUPT, "leak_instar"},
        {DAMAGE_LEAK, OUTCOME_REFUSED, "leak_instar"}, // nothing that it needs is missing
        {DAMAGE_LEAK, OUTCOME_NO_CHECKS, "leak_instar"},
        {DAMAGE_REFCOUNT, OUTCOME_CORRUPT, NULL},
        {DAMAGE_REFCOUNT, OUTCOME_CLEAN, "refcount_instar"},
        {DAMAGE_REFCOUNT, OUTCOME_LEAKS, "refcount_instar"},
        {DAMAGE_REFCOUNT, OUTCOME_SIGNAL, "crash_instar"},
        {DAMAGE_EXCESS, OUTCOME_LEAKS, NULL},
        {DAMAGE_EXCESS, OUTCOME_CORRUPT, NULL},
        {DAMAGE_EXCESS, OUTCOME_CLEAN, "excess_instar"},
        {DAMAGE_COPIED, OUTCOME_CORRUPT, NULL},
        {DAMAGE_COPIED, OUTCOME_CLEAN, "copied_instar"},
        {DAMAGE_SUBCLUSTERS, OUTCOME_CORRUPT, NULL},
        {DAMAGE_SUBCLUSTERS, OUTCOME_CLEAN, "subclusters_instar"},
        {DAMAGE_OVERLAP, OUTCOME_CORRUPT, NULL},
        {DAMAGE_OVERLAP, OUTCOME_LEAKS, "overlap_instar"},
        {DAMAGE_BEYOND, OUTCOME_CORRUPT, NULL},
        {DAMAGE_BEYOND, OUTCOME_REFUSED, NULL},
        {DAMAGE_BEYOND, OUTCOME_CLEAN, "beyond_instar"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        enum cross_check check = cross_of_damage(cases[i].damage);
        bench_begin(&bench, OP_CHECK);
        answer(&bench, 0, check, cases[i].said);
        if (cases[i].detail)
            bench_diverges(&bench, DAMAGE, cases[i].detail);
        else
            bench_agrees(&bench, DAMAGE);
        answer(&bench, 0, check, OUTCOME_TIMEOUT); // no answer at all
        bench_reason(&bench, VERDICT_INCONCLUSIVE, "beside_cut_off_instar");
        bench_end(&bench);
    }
    forget();
}

// A row without a name would end the report of its first finding.
static void every_question_has_a_name(void **state) {
    (void)state;
    for (int i = 0; i < CROSS_CHECKS; i++) {
        assert_non_null(cross_names[i]);
        for (int other = 0; other < i; other++)
            assert_string_not_equal(cross_names[i], cross_names[other]);
    }
}

#define REFUSE "must_refuse_violation"

static void what_must_not_be_opened_is_refused(void **state) {
    (void)state;
    static const struct {
        enum operation op;
        enum image_damage damage;
        enum outcome_class said;
        const char *detail; // NULL: that is right
    } cases[] = {
        {OP_MEASURE, DAMAGE_FEATURE, OUTCOME_REFUSED, NULL},
        {OP_MEASURE, DAMAGE_FEATURE, OUTCOME_OK, "feature_instar"},
        {OP_MEASURE, DAMAGE_LOG, OUTCOME_OK, "log_instar"},
        {OP_CONVERT, DAMAGE_CHECKSUM, OUTCOME_OK, "checksum_instar"},
        {OP_CONVERT, DAMAGE_ITEM, OUTCOME_SIGNAL, "crash_instar"},
        {OP_CONVERT, DAMAGE_VERSION, OUTCOME_OK, "version_instar"},
        {OP_CHECK, DAMAGE_REGION, OUTCOME_CLEAN, "region_instar"},
        {OP_CHECK, DAMAGE_REGION, OUTCOME_LEAKS, "region_instar"},
        {OP_CHECK, DAMAGE_REGION, OUTCOME_CORRUPT, NULL}, // it has seen that
        {OP_CHECK, DAMAGE_COOKIE, OUTCOME_REFUSED, NULL},
        {OP_CHECK, DAMAGE_COMPRESSION, OUTCOME_CLEAN, "compression_instar"},
        {OP_CHECK, DAMAGE_COOKIE, OUTCOME_CLEAN, "cookie_instar"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        enum cross_check check = cross_of_damage(cases[i].damage);
        bench_begin(&bench, cases[i].op);
        answer(&bench, 0, check, cases[i].said);
        if (cases[i].detail)
            bench_diverges(&bench, REFUSE, cases[i].detail);
        else
            bench_agrees(&bench, REFUSE);
        answer(&bench, 0, check, OUTCOME_TIMEOUT);
        bench_reason(&bench, VERDICT_INCONCLUSIVE, "beside_cut_off_instar");
        answer(&bench, 0, check, OUTCOME_NO_CHECKS); // it has no opinion
        expect_silence(&bench, REFUSE);
        bench_end(&bench);
    }
    forget();
}

// Both blind: the other tool excuses nobody.
static void two_blind_checks_are_no_agreement(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    answer(&bench, 0, cross_of_damage(DAMAGE_LEAK), OUTCOME_LEAKS);
    answer(&bench, 1, cross_of_damage(DAMAGE_LEAK), OUTCOME_CLEAN);
    bench_diverges(&bench, DAMAGE, "leak_qemu_img");
    bench_end(&bench);
    forget();
}

static void a_right_end_with_wrong_counts_is_found(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    struct tool_result *said = answer(&bench, 0, cross_of_damage(DAMAGE_LEAK), OUTCOME_LEAKS);
    said->check.present = true;
    bench_diverges(&bench, DAMAGE, "counts_instar");
    said->check.leaks = 1;
    bench_agrees(&bench, DAMAGE);
    said->json_failed = true; // only where there is something to report
    bench_diverges(&bench, DAMAGE, "unparsed_instar");
    bench_end(&bench);
    forget();
}

// qemu-img's check of a vmdk or vhdx looks at entries one by one; instar documents that its does
// not.
static void an_overlap_may_be_overlooked_by_one_tool(void **state) {
    (void)state;
    static const enum image_format formats[] = {IMAGE_VMDK, IMAGE_VHDX, IMAGE_VPC, IMAGE_QCOW2};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct bench bench;
        bench_begin(&bench, OP_CHECK);
        bench.step.source = formats[i];
        answer(&bench, 1, cross_of_damage(DAMAGE_OVERLAP), OUTCOME_CLEAN);
        if (formats[i] == IMAGE_VMDK || formats[i] == IMAGE_VHDX)
            expect_silence(&bench, DAMAGE);
        else
            bench_diverges(&bench, DAMAGE, "overlap_qemu_img");
        answer(&bench, 0, cross_of_damage(DAMAGE_OVERLAP), OUTCOME_CLEAN);
        bench_diverges(&bench, DAMAGE, "overlap_instar");
        bench_end(&bench);
    }
    forget();
}

// From 6.2 on qemu-img's check looks at subclusters; of an unknown version nothing is excused.
static void subclusters_are_overlooked_by_old_versions_alone(void **state) {
    (void)state;
    static const struct {
        uint32_t version;
        bool may;
    } versions[] = {{60000, true}, {60199, true}, {60200, false}, {100002, false}, {0, false}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct bench bench;
        bench_begin(&bench, OP_CHECK);
        bench.step.source = IMAGE_QCOW2;
        bench.qemu_img.version_number = versions[i].version;
        answer(&bench, 1, cross_of_damage(DAMAGE_SUBCLUSTERS), OUTCOME_CLEAN);
        if (versions[i].may)
            expect_silence(&bench, DAMAGE);
        else
            bench_diverges(&bench, DAMAGE, "subclusters_qemu_img");
        bench_end(&bench);
    }
    forget();
}

static void signatures_name_their_rule(void **state) {
    (void)state;
    assert_ptr_equal(oracle_of_signature("map_measure_divergence-measure-raw-qcow2-instar"),
                     &oracle_map_measure);
    assert_ptr_equal(oracle_of_signature("map_divergence-measure-raw-qcow2-data_instar"),
                     &oracle_map_truth);
    assert_null(oracle_of_signature("map_divergence"));
    assert_null(oracle_of_signature(""));
}

static int begin(void **state) {
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int end(void **state) {
    (void)state;
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_fits_keeps_the_contract),
        cmocka_unit_test(a_file_above_required_breaks_it),
        cmocka_unit_test(preallocated_tables_may_reach_fully_allocated),
        cmocka_unit_test(required_is_no_more_than_fully_allocated),
        cmocka_unit_test(a_number_that_is_known_to_be_wrong_promises_nothing),
        cmocka_unit_test(a_conversion_that_stores_more_is_found),
        cmocka_unit_test(an_input_that_was_measured_too_low_is_no_measure_of_growth),
        cmocka_unit_test(growth_behind_a_known_deviation_is_judged_of_the_other_tool_alone),
        cmocka_unit_test(compare_must_know_the_same_and_the_other),
        cmocka_unit_test(an_output_that_nobody_knows_is_not_compared),
        cmocka_unit_test(a_wrong_output_keeps_its_own_name),
        cmocka_unit_test(a_converted_file_must_be_clean_too),
        cmocka_unit_test(a_check_must_see_what_was_damaged),
        cmocka_unit_test(every_question_has_a_name),
        cmocka_unit_test(what_must_not_be_opened_is_refused),
        cmocka_unit_test(two_blind_checks_are_no_agreement),
        cmocka_unit_test(a_right_end_with_wrong_counts_is_found),
        cmocka_unit_test(subclusters_are_overlooked_by_old_versions_alone),
        cmocka_unit_test(an_overlap_may_be_overlooked_by_one_tool),
        cmocka_unit_test(signatures_name_their_rule),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
