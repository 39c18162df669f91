// SPDX-License-Identifier: Apache-2.0
//
// The rules about map: against the tables and the content that the input was built with, against
// the bytes at the place that it names, and against the same tool's measure. Each fires, and each
// stays silent where it must.
#include "oracles_beside.h"

#include "oracles/model.h"

#include <stdlib.h>
#include <unistd.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_of_what_was_built_agrees),
        cmocka_unit_test(each_wrong_claim_has_its_name),
        cmocka_unit_test(data_that_reads_as_zero_is_no_claim),
        cmocka_unit_test(what_a_format_or_tool_cannot_tell_is_permitted),
        cmocka_unit_test(the_length_of_what_is_known_to_be_taken_for_another_image_is_not_judged),
        cmocka_unit_test(the_length_of_a_raw_map_is_predicted),
        cmocka_unit_test(refusals_and_noise_are_told_apart),
        cmocka_unit_test(a_documented_number_is_no_contradiction_where_a_tool_runs_alone),
        cmocka_unit_test(map_and_measure_of_one_tool_must_agree),
        cmocka_unit_test(a_place_in_the_file_has_the_bytes_of_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
