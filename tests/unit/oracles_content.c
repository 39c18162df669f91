// SPDX-License-Identifier: Apache-2.0
//
// What converts wrote, judged against each other and against the truth. The outputs are real files
// of our writers, so that the readers are part of what is tested.
#include "oracles_step.h"

#include "oracles/relax.h"

#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/oracles-content.XXXXXX";

static int make_directory(void **state) {
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
    (void)state;
    return rmdir(directory);
}

// Writes `content` as an output of one side and opens it; the file itself is gone at once.
static struct image *output(const struct content *content, enum image_format format,
                            const struct image_options *options) {
    char path[128];
    struct image_source source;
    struct image_written written = {0};
    struct image *image = NULL;
    struct fault fault = {{0}};
    snprintf(path, sizeof path, "%s/out", directory);
    content_as_source(content, &source);
    if (image_write(path, format, options, &source, &written, &fault) < 0 ||
        image_open(&image, path, format, &fault) < 0)
        fail_msg("%s", fault.text);
    image_written_free(&written);
    unlink(path);
    return image;
}

static void content_end(struct bench *bench) {
    image_close(bench->step.a.output);
    image_close(bench->step.b.output);
    bench_end(bench);
}

static const struct image_options plain = {0};

static void outputs_begin(struct bench *bench, enum image_format target, uint64_t size) {
    bench_begin(bench, OP_CONVERT);
    bench_size(bench, size);
    bench->step.target = target;
    bench_write(bench, 70000, 5000, PATTERN_NOISE);
}

static void equal_guest_content_agrees_whatever_the_layout(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_QCOW2, 1 MIB);
    const struct image_options small = {.cluster_bits = 9, .qcow2_version = 2};
    bench.step.a.output = output(&bench.content, IMAGE_QCOW2, &plain);
    bench.step.b.output = output(&bench.content, IMAGE_QCOW2, &small);
    bench_agrees(&bench, "convert_content_divergence");
    bench_agrees(&bench, "truth_content_divergence");
    bench_agrees(&bench, "truth_size_divergence");
    assert_int_equal(bench_count(&bench, VERDICT_AGREE), 7); // exit, source, pair, 2 + 2 truth
    assert_int_equal(bench.said.content, CONTENT_SAME);
    content_end(&bench);
}

static void one_other_byte_diverges(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_RAW, 1 MIB);
    bench.step.a.output = output(&bench.content, IMAGE_RAW, &plain);
    struct content other = {0};
    content_begin(&other, 1 MIB);
    struct content_extent writes[] = {
        {.offset = 70000, .length = 5000, .pattern = PATTERN_NOISE, .seed = 0x5a},
        {.offset = 1 MIB - 1, .length = 1, .pattern = PATTERN_CONSTANT, .seed = 1},
    };
    content_write(&other, &writes[0]);
    content_write(&other, &writes[1]);
    bench.step.b.output = output(&other, IMAGE_RAW, &plain);
    bench_diverges(&bench, "convert_content_divergence", "content");
    // Both wrote the same wrong byte: only the truth can tell.
    image_close(bench.step.a.output);
    bench.step.a.output = output(&other, IMAGE_RAW, &plain);
    bench_diverges(&bench, "truth_content_divergence", "instar");
    content_free(&other);
    content_end(&bench);
}

// The content, and one byte of another value at `at`.
static struct image *spoiled(struct bench *bench, uint64_t at) {
    struct content other = {0};
    const struct content_extent writes[] = {
        {.offset = 70000, .length = 5000, .pattern = PATTERN_NOISE, .seed = 0x5a},
        {.offset = at, .length = 1, .pattern = PATTERN_CONSTANT, .seed = 1},
    };
    content_begin(&other, bench->content.size);
    content_write(&other, &writes[0]);
    content_write(&other, &writes[1]);
    struct image *image = output(&other, IMAGE_RAW, &plain);
    content_free(&other);
    return image;
}

static void expect_opinion(struct bench *bench, enum opinion_wrong wrong, const char *says) {
    struct opinion opinion;
    bench_judge(bench);
    const struct judgement *judgement =
        bench_find(bench, "convert_content_divergence", VERDICT_DIVERGENCE);
    assert_non_null(judgement);
    oracle_opinion(&bench->step, judgement, &opinion);
    if (opinion.wrong != wrong || !strstr(opinion.reason, says))
        fail_msg("%s: %s", opinion_wrong_names[opinion.wrong], opinion.reason);
}

// A report accuses whose output does not hold the truth; nobody where libyal reads it there.
static void who_does_not_hold_the_truth_is_wrong(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_RAW, 1 MIB);
    bench.step.a.output = output(&bench.content, IMAGE_RAW, &plain);
    bench.step.b.output = spoiled(&bench, 900000);
    expect_opinion(&bench, OPINION_B, "at guest offset 900000.");
    bench.step.b.third.state = THIRD_OTHER;
    expect_opinion(&bench, OPINION_B, "libyal reads it so, too");
    bench.step.b.third.state = THIRD_SAME; // then our reader may be the one that is wrong
    expect_opinion(&bench, OPINION_UNKNOWN, "Neither the truth");
    bench.step.b.third.state = THIRD_NOT_ASKED;
    struct image *right = bench.step.a.output;
    bench.step.a.output = bench.step.b.output;
    bench.step.b.output = right;
    expect_opinion(&bench, OPINION_A, "at guest offset 900000.");
    image_close(right);
    bench.step.b.output = spoiled(&bench, 800000);
    expect_opinion(&bench, OPINION_BOTH, "Both outputs do not hold");
    bench.step.truth.content = NULL; // an earlier step tainted the input
    expect_opinion(&bench, OPINION_UNKNOWN, "Neither the truth");
    content_end(&bench);
}

// What was found out about one step says nothing about the next.
static void each_step_is_compared_anew(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_QCOW2, 1 MIB);
    bench.step.a.output = output(&bench.content, IMAGE_QCOW2, &plain);
    bench.step.b.output = output(&bench.content, IMAGE_QCOW2, &plain);
    bench_agrees(&bench, "convert_content_divergence");
    bench_write(&bench, 900000, 1, PATTERN_CONSTANT);
    bench_diverges(&bench, "truth_content_divergence", "instar");
    content_end(&bench);
}

static void one_tool_alone_is_held_to_the_truth(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_RAW, 1 MIB);
    struct content lost = {0};
    content_begin(&lost, 1 MIB);
    bench.step.b = (struct oracle_side){0};
    bench.step.a.output = output(&lost, IMAGE_RAW, &plain);
    bench_diverges(&bench, "truth_content_divergence", "instar");
    bench.step.truth.content = NULL;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "truth_unknown");
    content_free(&lost);
    content_end(&bench);
}

static void other_sizes_diverge(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_RAW, 1 MIB);
    struct content longer = {0};
    content_begin(&longer, 1 MIB + 65536);
    struct content_extent write = {
        .offset = 70000, .length = 5000, .pattern = PATTERN_NOISE, .seed = 0x5a};
    content_write(&longer, &write);
    bench.step.a.output = output(&longer, IMAGE_RAW, &plain);
    bench.step.b.output = output(&bench.content, IMAGE_RAW, &plain);
    const struct judgement *judgement =
        bench_diverges(&bench, "convert_content_divergence", "size");
    assert_string_equal(judgement->a_value, "1114112");
    assert_string_equal(judgement->field, "virtual-size");
    // Both agree, the truth does not.
    image_close(bench.step.b.output);
    bench.step.b.output = output(&longer, IMAGE_RAW, &plain);
    bench_diverges(&bench, "truth_size_divergence", "instar");
    content_free(&longer);
    content_end(&bench);
}

static void an_output_that_nobody_can_read_diverges(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_QCOW2, 1 MIB);
    bench.step.a.output = output(&bench.content, IMAGE_QCOW2, &plain);
    strcpy(bench.step.b.output_fault, "bad magic");
    bench_diverges(&bench, "convert_content_divergence", "unreadable_qemu_img");
    bench.b_result.class = OUTCOME_REFUSED; // then there need not be an output
    bench_diverges(&bench, "exit_code_divergence", "qemu_img_refuses");
    content_end(&bench);
}

static void a_vhd_may_grow_to_whole_cylinders(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_VPC, 1 MIB);
    const struct image_options exact = {.vpc_creator = VPC_CREATOR_QEM2};
    bench.step.a.output = output(&bench.content, IMAGE_VPC, &exact);
    bench.step.b.output = output(&bench.content, IMAGE_VPC, &plain);
    // The test is about a difference: without one, the relaxations are not needed.
    assert_int_not_equal(bench.step.a.output->virtual_size, bench.step.b.output->virtual_size);
    assert_int_equal(bench.step.b.output->virtual_size, relax_vpc_cylinders(1 MIB));
    bench_agrees(&bench, "convert_content_divergence");
    bench_agrees(&bench, "truth_size_divergence");
    content_end(&bench);
}

static void what_a_vhd_grew_by_must_be_zero(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_VPC, 1 MIB);
    const struct image_options exact = {.vpc_creator = VPC_CREATOR_QEM2};
    bench.step.a.output = output(&bench.content, IMAGE_VPC, &exact);
    struct content grown = {0};
    content_begin(&grown, relax_vpc_cylinders(1 MIB));
    struct content_extent writes[] = {
        {.offset = 70000, .length = 5000, .pattern = PATTERN_NOISE, .seed = 0x5a},
        {.offset = 1 MIB + 512, .length = 1, .pattern = PATTERN_CONSTANT, .seed = 1},
    };
    content_write(&grown, &writes[0]);
    content_write(&grown, &writes[1]);
    bench.step.b.output = output(&grown, IMAGE_VPC, &plain);
    bench_diverges(&bench, "convert_content_divergence", "content");
    content_free(&grown);
    content_end(&bench);
}

static void only_a_vhd_may_grow(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_RAW, 1 MIB);
    struct content grown = {0};
    content_begin(&grown, relax_vpc_cylinders(1 MIB));
    struct content_extent write = {
        .offset = 70000, .length = 5000, .pattern = PATTERN_NOISE, .seed = 0x5a};
    content_write(&grown, &write);
    bench.step.a.output = output(&bench.content, IMAGE_RAW, &plain);
    bench.step.b.output = output(&grown, IMAGE_RAW, &plain);
    bench_diverges(&bench, "convert_content_divergence", "size");
    content_free(&grown);
    content_end(&bench);
}

static void a_raw_file_may_be_shown_in_whole_sectors(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_RAW, 1000000);
    bench.step.truth.shown_size = 1000448;
    struct content rounded = {0};
    content_begin(&rounded, 1000448);
    struct content_extent write = {
        .offset = 70000, .length = 5000, .pattern = PATTERN_NOISE, .seed = 0x5a};
    content_write(&rounded, &write);
    bench.step.a.output = output(&rounded, IMAGE_RAW, &plain);
    bench.step.b.output = output(&rounded, IMAGE_RAW, &plain);
    assert_int_not_equal(bench.step.a.output->virtual_size, bench.step.truth.declared_size);
    bench_agrees(&bench, "truth_size_divergence");
    // The next sector is one too many.
    content_begin(&rounded, 1000960);
    content_write(&rounded, &write);
    image_close(bench.step.a.output);
    image_close(bench.step.b.output);
    bench.step.a.output = output(&rounded, IMAGE_RAW, &plain);
    bench.step.b.output = output(&rounded, IMAGE_RAW, &plain);
    bench_diverges(&bench, "truth_size_divergence", "instar");
    content_free(&rounded);
    content_end(&bench);
}

static void a_budget_that_runs_out_is_inconclusive(void **state) {
    (void)state;
    struct bench bench;
    outputs_begin(&bench, IMAGE_RAW, 8 MIB);
    bench_write(&bench, 0, 8 MIB, PATTERN_NOISE);
    bench.step.a.output = output(&bench.content, IMAGE_RAW, &plain);
    bench.step.b.output = output(&bench.content, IMAGE_RAW, &plain);
    bench.step.compare_budget = 65536;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "compare_budget");
    content_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_guest_content_agrees_whatever_the_layout),
        cmocka_unit_test(one_other_byte_diverges),
        cmocka_unit_test(who_does_not_hold_the_truth_is_wrong),
        cmocka_unit_test(each_step_is_compared_anew),
        cmocka_unit_test(one_tool_alone_is_held_to_the_truth),
        cmocka_unit_test(other_sizes_diverge),
        cmocka_unit_test(an_output_that_nobody_can_read_diverges),
        cmocka_unit_test(a_vhd_may_grow_to_whole_cylinders),
        cmocka_unit_test(what_a_vhd_grew_by_must_be_zero),
        cmocka_unit_test(only_a_vhd_may_grow),
        cmocka_unit_test(a_raw_file_may_be_shown_in_whole_sectors),
        cmocka_unit_test(a_budget_that_runs_out_is_inconclusive),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
