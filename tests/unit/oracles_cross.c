// SPDX-License-Identifier: Apache-2.0
//
// The rules about cross-checks: the contract of measure, growth by a conversion, map against the
// truth and against measure, compare against what is known, and check of a measure's convert. Each
// fires, and each stays silent where it must.
#include "oracles_step.h"

#include "oracles/model.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct tool_result answers[ORACLE_SIDES][CROSS_CHECKS];
static struct exec_outcome outcomes[ORACLE_SIDES][CROSS_CHECKS];

static struct oracle_side *side_of(struct bench *bench, int side) {
    return side ? &bench->step.b : &bench->step.a;
}

// Asks a question beside the step and answers with a class.
static struct tool_result *answer(struct bench *bench, int side, enum cross_check check,
                                  enum outcome_class class) {
    struct tool_result *result = &answers[side][check];
    tool_result_free(result);
    result->class = class;
    outcomes[side][check] = (struct exec_outcome){0};
    side_of(bench, side)->beside[check] = (struct cross_answer){result, &outcomes[side][check]};
    return result;
}

static void forget(void) {
    for (int side = 0; side < ORACLE_SIDES; side++)
        for (int check = 0; check < CROSS_CHECKS; check++)
            tool_result_free(&answers[side][check]);
}

static void expect_silence(struct bench *bench, const char *type) {
    bench_judge(bench);
    assert_int_equal(bench_count(bench, VERDICT_DIVERGENCE), 0);
    assert_null(bench_find(bench, type, VERDICT_AGREE));
}

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

// --- map -----------------------------------------------------------------------------------------

#define MAP "map_divergence"

struct run {
    uint64_t length;
    const char *is; // letters: p present, z zero, d data
};

static void say_map(struct bench *bench, int side, const struct run *runs, size_t count) {
    struct tool_result *result = answer(bench, side, CROSS_MAP, OUTCOME_OK);
    result->map = calloc(count, sizeof *result->map);
    result->map_count = count;
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        result->map[i] = (struct tool_extent){at,
                                              runs[i].length,
                                              true,
                                              strchr(runs[i].is, 'p') != NULL,
                                              strchr(runs[i].is, 'z') != NULL,
                                              strchr(runs[i].is, 'd') != NULL,
                                              false,
                                              0};
        at += runs[i].length;
    }
}
#define SAY_MAP(bench, side, ...)                                                                  \
    say_map(bench, side, (const struct run[]){__VA_ARGS__},                                        \
            sizeof((const struct run[]){__VA_ARGS__}) / sizeof(struct run))

// A qcow2 of 1 MiB: 64 KiB of data, 64 KiB of explicit zeros, nothing.
static void map_begin(struct bench *bench) {
    bench_begin(bench, OP_MEASURE);
    bench->step.source = IMAGE_QCOW2;
    bench_measure(&bench->a_result, 393216, 1376256);
    bench_measure(&bench->b_result, 393216, 1376256);
    bench_write(bench, 0, 65536, PATTERN_NOISE);
    image_map_add(&bench->map, 0, 65536, IMAGE_DATA);
    image_map_add(&bench->map, 65536, 65536, IMAGE_ZERO);
}

static void a_map_of_what_was_built_agrees(void **state) {
    (void)state;
    struct bench bench;
    map_begin(&bench);
    SAY_MAP(&bench, 1, {65536, "pd"}, {65536, "pz"}, {917504, "z"});
    bench_agrees(&bench, MAP);
    bench_agrees(&bench, "map_measure_divergence");
    bench.step.truth.content = NULL; // tainted: what it holds is unknown, what is stored is not
    bench_agrees(&bench, MAP);
    bench_end(&bench);
    forget();
}

static void each_wrong_claim_has_its_name(void **state) {
    (void)state;
    static const struct {
        struct run runs[3];
        const char *detail;
    } wrong[] = {
        {{{65536, "pd"}, {65536, "pz"}, {917505, "z"}}, "length_qemu_img"},
        {{{65536, "pz"}, {65536, "pz"}, {917504, "z"}}, "zero_qemu_img"},
        {{{65535, "pd"}, {65537, "pz"}, {917504, "z"}}, "zero_qemu_img"},
        {{{65536, "pd"}, {65536, "pd"}, {917504, "z"}}, "data_qemu_img"},
        {{{65537, "pd"}, {65535, "pz"}, {917504, "z"}}, "data_qemu_img"},
        {{{65536, "p"}, {65536, "pz"}, {917504, "z"}}, "data_qemu_img"},
        {{{65536, "pd"}, {65536, "z"}, {917504, "z"}}, "present_qemu_img"},
        {{{65536, "pd"}, {65536, "pz"}, {917504, "pz"}}, "present_qemu_img"},
        {{{65536, "d"}, {65536, "pz"}, {917504, "z"}}, "present_qemu_img"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct bench bench;
        map_begin(&bench);
        say_map(&bench, 1, wrong[i].runs, 3);
        bench_diverges(&bench, MAP, wrong[i].detail);
        bench_end(&bench);
    }
    forget();
}

static void data_that_reads_as_zero_is_no_claim(void **state) {
    (void)state;
    struct bench bench;
    map_begin(&bench);
    image_map_add(&bench.map, 131072, 65536, IMAGE_DATA); // where the file has a hole
    SAY_MAP(&bench, 1, {65536, "pd"}, {65536, "pz"}, {65536, "pdz"}, {851968, "z"});
    bench_agrees(&bench, MAP);
    SAY_MAP(&bench, 1, {65536, "pdz"}, {65536, "pz"}, {65536, "pdz"}, {851968, "z"});
    bench_diverges(&bench, MAP, "zero_qemu_img");
    bench_end(&bench);
    forget();
}

static void what_a_format_or_tool_cannot_tell_is_permitted(void **state) {
    (void)state;
    struct bench bench;
    map_begin(&bench);
    SAY_MAP(&bench, 1, {1 MIB, "pd"});
    bench_measure(&bench.a_result, 1376256, 1376256);
    bench_measure(&bench.b_result, 1376256, 1376256);
    bench_diverges(&bench, MAP, "data_qemu_img");
    bench.step.source = IMAGE_VHDX; // no block status in qemu
    bench_agrees(&bench, MAP);
    bench.step.source = IMAGE_VPC; // all of it is present to qemu-img
    SAY_MAP(&bench, 1, {65536, "pd"}, {983040, "pz"});
    bench_measure(&bench.a_result, 393216, 1376256);
    bench_measure(&bench.b_result, 393216, 1376256);
    bench_agrees(&bench, MAP);
    bench.step.source = IMAGE_RAW; // raw and files of a chain are there from end to end
    bench_agrees(&bench, MAP);
    bench_end(&bench);
    forget();
}

// A cause that the registry explains in measure is not found a second time in map.
static void the_length_of_what_is_known_to_be_taken_for_another_image_is_not_judged(void **state) {
    (void)state;
    struct bench bench;
    map_begin(&bench);
    SAY_MAP(&bench, 0, {1 MIB + 65536, "pd"});
    oracle_map_truth.judge(&oracle_map_truth, &bench.step, &bench.said);
    assert_true(oracle_diverged(&bench.said, 0));
    bench.said.count = 0;
    struct judgement *known =
        oracle_say(&bench.said, &oracle_measure_numeric, VERDICT_KNOWN, "required");
    known->known_tool = &bench.qemu_img; // the other one's deviation excuses nobody
    oracle_map_truth.judge(&oracle_map_truth, &bench.step, &bench.said);
    assert_true(oracle_diverged(&bench.said, 0));
    bench.said.count = 1;
    known->known_tool = &bench.instar;
    oracle_map_truth.judge(&oracle_map_truth, &bench.step, &bench.said);
    assert_false(oracle_diverged(&bench.said, 0));
    assert_string_equal(bench.said.items[1].reason, "known_value_instar");
    bench_end(&bench);
    forget();
}

// Where qemu-img does not measure, no number tells before.
static void the_length_of_a_raw_map_is_predicted(void **state) {
    (void)state;
    struct bench bench;
    struct model_sizes sizes;
    struct registry *registry = built_in();
    bench_begin(&bench, OP_MEASURE);
    bench.said.registry = registry;
    bench.step.target = IMAGE_VMDK;
    bench.step.b.ran = false;
    bench.step.b.why_not = "no_target";
    bench_size(&bench, 1000000);
    bench.step.truth.shown_size = 1000448;
    assert_true(model_measure(IMAGE_VMDK, &bench.step.options, 1000448, 0, &sizes));
    bench_measure(&bench.a_result, sizes.required, sizes.fully);
    SAY_MAP(&bench, 0, {1 MIB, "pd"});
    expect_known(&bench, "instar-raw-length-map");
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    SAY_MAP(&bench, 0, {1 MIB + 65536, "pd"});
    bench_diverges(&bench, MAP, "length_instar");
    registry_free(registry);
    bench_end(&bench);
    forget();
}

static void refusals_and_noise_are_told_apart(void **state) {
    (void)state;
    struct bench bench;
    map_begin(&bench);
    answer(&bench, 1, CROSS_MAP, OUTCOME_REFUSED);
    bench_diverges(&bench, MAP, "refused_qemu_img");
    answer(&bench, 1, CROSS_MAP, OUTCOME_SIGNAL);
    bench_diverges(&bench, MAP, "crash_qemu_img");
    answer(&bench, 1, CROSS_MAP, OUTCOME_OK)->json_failed = true;
    bench_diverges(&bench, MAP, "unparsed_qemu_img");
    outcomes[1][CROSS_MAP].out_cut = true; // more than we keep
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "beside_cut_off_qemu_img");
    bench.step.b.beside[CROSS_MAP].result = NULL;
    answer(&bench, 0, CROSS_MAP, OUTCOME_REFUSED);
    bench_diverges(&bench, MAP, "refused_instar");
    bench.step.truth.layers = 2; // as it documents
    bench_reason(&bench, VERDICT_UNSUPPORTED, "beside_refused_instar");
    bench_end(&bench);
    forget();
}

// Alone, a tool has nobody whose number would tell that its own is a documented one.
static void a_documented_number_is_no_contradiction_where_a_tool_runs_alone(void **state) {
    (void)state;
    struct bench bench;
    struct registry *registry = built_in();
    map_begin(&bench);
    bench.said.registry = registry;
    bench.step.b.ran = false;
    bench.step.b.why_not = "not_in_pair";
    bench.step.b.tool = NULL;
    bench.step.source = IMAGE_RAW;
    bench_size(&bench, 1000000);
    bench.step.truth.shown_size = 1000448;
    SAY_MAP(&bench, 0, {65536, "pd"}, {934912, "z"});
    bench_measure(&bench.a_result, 1376256, 1376256); // every byte of a raw file counts
    oracle_map_measure.judge(&oracle_map_measure, &bench.step, &bench.said);
    assert_false(oracle_diverged(&bench.said, 0));
    assert_string_equal(bench.said.items[0].reason, "known_value_instar");
    bench.said.count = 0;
    bench_measure(&bench.a_result, 1376256 - 65536, 1376256);
    oracle_map_measure.judge(&oracle_map_measure, &bench.step, &bench.said);
    assert_true(oracle_diverged(&bench.said, 0));
    registry_free(registry);
    bench_end(&bench);
    forget();
}

static void map_and_measure_of_one_tool_must_agree(void **state) {
    (void)state;
    struct bench bench;
    map_begin(&bench);
    SAY_MAP(&bench, 1, {65536, "pd"}, {65536, "pz"}, {917504, "z"});
    bench_measure(&bench.a_result, 458752, 1376256); // both wrong, and alike
    bench_measure(&bench.b_result, 458752, 1376256);
    bench_diverges(&bench, "map_measure_divergence", "qemu_img");
    struct judgement *known = &bench.said.items[0];
    *known = (struct judgement){.oracle = &oracle_measure_numeric, .verdict = VERDICT_KNOWN};
    // The registry explains the one's number, or the other's.
    for (int i = 0; i < ORACLE_SIDES; i++) {
        bench.said.count = 1;
        known->known_tool = side_of(&bench, i)->tool;
        oracle_map_measure.judge(&oracle_map_measure, &bench.step, &bench.said);
        assert_int_equal(oracle_diverged(&bench.said, 0), i == 0);
    }
    bench.step.options.cluster_bits = 9; // one run touches 128 clusters
    struct model_sizes sizes;
    assert_true(model_measure(IMAGE_QCOW2, &bench.step.options, 1 MIB, 128, &sizes));
    bench_measure(&bench.a_result, sizes.required, sizes.fully);
    bench_measure(&bench.b_result, sizes.required, sizes.fully);
    bench_agrees(&bench, "map_measure_divergence");
    bench.step.target = IMAGE_VMDK; // its measure is not compared by number
    expect_silence(&bench, "map_measure_divergence");
    bench_end(&bench);
    forget();
}

// The place of a run: the bytes that the disk has there.
static void a_place_in_the_file_has_the_bytes_of_the_run(void **state) {
    (void)state;
    static char name[] = "/tmp/oracles-map.XXXXXX";
    uint8_t bytes[65536];
    struct bench bench;
    map_begin(&bench);
    content_read(&bench.content, 0, bytes, sizeof bytes);
    int fd = mkstemp(name);
    assert_true(fd >= 0 && pwrite(fd, bytes, sizeof bytes, 200000) == sizeof bytes);
    close(fd);
    assert_int_equal(image_open(&bench.step.input_file, name, IMAGE_RAW, NULL), 0);
    unlink(name);
    struct tool_extent *run[ORACLE_SIDES];
    for (int side = 0; side < ORACLE_SIDES; side++) {
        SAY_MAP(&bench, side, {65536, "pd"}, {65536, "pz"}, {917504, "z"});
        run[side] = &answers[side][CROSS_MAP].map[0];
        run[side]->has_offset = true;
        run[side]->offset = 200000;
    }
    bench_agrees(&bench, MAP);
    run[1]->offset++;
    bench_diverges(&bench, MAP, "offset_qemu_img");
    run[1]->offset = UINT64_MAX - 10;
    bench_diverges(&bench, MAP, "offset_qemu_img");
    run[1]->offset = 200000;
    run[0]->offset = 199488; // the first bytes are wrong, the last are too
    bench_diverges(&bench, MAP, "offset_instar");
    bench.map.extents[0].state = IMAGE_COMPRESSED; // lies nowhere as it is; instar documents it
    bench_diverges(&bench, MAP, "offset_qemu_img");
    run[1]->has_offset = false;
    bench_agrees(&bench, MAP);
    bench.instar.is_standin = true;
    bench_diverges(&bench, MAP, "offset_instar");
    bench.step.truth.content = NULL; // nobody knows what should be there
    bench_agrees(&bench, MAP);
    image_close(bench.step.input_file);
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

// --- check of what a measure's convert wrote
// -------------------------------------------------------

static void a_converted_file_must_be_clean_too(void **state) {
    (void)state;
    struct bench bench;
    map_begin(&bench);
    answer(&bench, 0, CROSS_CHECK_FIT, OUTCOME_CLEAN);
    bench_agrees(&bench, "check_divergence");
    answer(&bench, 0, CROSS_CHECK_FIT, OUTCOME_LEAKS)->check.leaks = 3;
    bench_diverges(&bench, "check_divergence", "fit_instar");
    answer(&bench, 0, CROSS_CHECK_FIT, OUTCOME_NO_CHECKS);
    expect_silence(&bench, "check_divergence");
    bench_end(&bench);
    forget();
}

// --- check of copies with a fault
// -----------------------------------------------------------------

#define DAMAGE "check_damage_divergence"

static void a_check_must_see_what_was_damaged(void **state) {
    (void)state;
    static const struct {
        enum cross_check check;
        enum outcome_class said;
        const char *detail; // NULL: that is right
    } cases[] = {
        {CROSS_CHECK_LEAK, OUTCOME_LEAKS, NULL},
        {CROSS_CHECK_LEAK, OUTCOME_CLEAN, "leak_instar"},
        {CROSS_CHECK_LEAK, OUTCOME_CORRUPT, "leak_instar"},
        {CROSS_CHECK_REFCOUNT, OUTCOME_CORRUPT, NULL},
        {CROSS_CHECK_REFCOUNT, OUTCOME_CLEAN, "refcount_instar"},
        {CROSS_CHECK_REFCOUNT, OUTCOME_LEAKS, "refcount_instar"},
        {CROSS_CHECK_REFCOUNT, OUTCOME_SIGNAL, "crash_instar"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        bench_begin(&bench, OP_CHECK);
        answer(&bench, 0, cases[i].check, cases[i].said);
        if (cases[i].detail)
            bench_diverges(&bench, DAMAGE, cases[i].detail);
        else
            bench_agrees(&bench, DAMAGE);
        answer(&bench, 0, cases[i].check, OUTCOME_REFUSED); // no answer at all
        bench_reason(&bench, VERDICT_UNSUPPORTED, "beside_refused_instar");
        answer(&bench, 0, cases[i].check, OUTCOME_TIMEOUT);
        bench_reason(&bench, VERDICT_INCONCLUSIVE, "beside_cut_off_instar");
        bench_end(&bench);
    }
    forget();
}

// Both blind: the other tool excuses nobody.
static void two_blind_checks_are_no_agreement(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CHECK);
    answer(&bench, 0, CROSS_CHECK_LEAK, OUTCOME_LEAKS);
    answer(&bench, 1, CROSS_CHECK_LEAK, OUTCOME_CLEAN);
    bench_diverges(&bench, DAMAGE, "leak_qemu_img");
    bench_end(&bench);
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
        cmocka_unit_test(a_map_of_what_was_built_agrees),
        cmocka_unit_test(each_wrong_claim_has_its_name),
        cmocka_unit_test(data_that_reads_as_zero_is_no_claim),
        cmocka_unit_test(what_a_format_or_tool_cannot_tell_is_permitted),
        cmocka_unit_test(the_length_of_a_raw_map_is_predicted),
        cmocka_unit_test(refusals_and_noise_are_told_apart),
        cmocka_unit_test(the_length_of_what_is_known_to_be_taken_for_another_image_is_not_judged),
        cmocka_unit_test(a_documented_number_is_no_contradiction_where_a_tool_runs_alone),
        cmocka_unit_test(map_and_measure_of_one_tool_must_agree),
        cmocka_unit_test(compare_must_know_the_same_and_the_other),
        cmocka_unit_test(an_output_that_nobody_knows_is_not_compared),
        cmocka_unit_test(a_wrong_output_keeps_its_own_name),
        cmocka_unit_test(a_converted_file_must_be_clean_too),
        cmocka_unit_test(a_place_in_the_file_has_the_bytes_of_the_run),
        cmocka_unit_test(a_check_must_see_what_was_damaged),
        cmocka_unit_test(two_blind_checks_are_no_agreement),
        cmocka_unit_test(signatures_name_their_rule),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
