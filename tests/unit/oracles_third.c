// SPDX-License-Identifier: Apache-2.0
//
// When the third reader's word counts: never against a tool before it has read another image of the
// kind rightly, and never as an answer of the tools.
#include "oracles_step.h"

#include <stdlib.h>
#include <unistd.h>

#define TYPE "third_reader_divergence"

static char path[] = "/tmp/oracles-third.XXXXXX";

static struct image *raw_file(const struct content *content) {
    struct image_source source;
    struct image_written written = {0};
    struct image *image = NULL;
    struct fault fault = {{0}};
    content_as_source(content, &source);
    if (image_write(path, IMAGE_RAW, &(struct image_options){0}, &source, &written, &fault) < 0 ||
        image_open(&image, path, IMAGE_RAW, &fault) < 0)
        fail_msg("%s", fault.text);
    image_written_free(&written);
    unlink(path);
    return image;
}

// Both tools wrote the content of the input, and both outputs were read rightly.
static void begin(struct bench *bench) {
    bench_begin(bench, OP_CONVERT);
    bench_write(bench, 70000, 5000, PATTERN_NOISE);
    bench->step.a.output = raw_file(&bench->content);
    bench->step.b.output = raw_file(&bench->content);
    third_say(&bench->step.a.third, THIRD_SAME, "", "reads the content");
    third_say(&bench->step.b.third, THIRD_SAME, "", "reads the content");
}

static void end(struct bench *bench) {
    image_close(bench->step.a.output);
    image_close(bench->step.b.output);
    bench_end(bench);
}

static void misread(struct third_reading *reading) {
    third_say(reading, THIRD_OTHER, "content", "reads 0x00 at guest offset 70000");
}

static void a_right_reading_agrees_and_is_no_answer(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench);
    bench_agrees(&bench, TYPE);
    assert_true(oracle_named(TYPE)->no_answer);
    end(&bench);
}

static void a_reading_that_both_controls_contradict_accuses(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench);
    misread(&bench.step.a.third);
    third_say(&bench.step.a.third_control, THIRD_SAME, "", "reads the content");
    bench_diverges(&bench, TYPE, "content_instar");
    bench.step.a.third = bench.step.b.third;
    third_say(&bench.step.b.third, THIRD_OTHER, "unreadable", "finds no readable image");
    bench.step.b.third_control = bench.step.a.third_control;
    bench_diverges(&bench, TYPE, "unreadable_qemu_img");
    end(&bench);
}

static void nobody_is_accused_without_a_control(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench);
    misread(&bench.step.a.third);
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "third_without_control"); // never made
    misread(&bench.step.a.third_control);
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "third_without_control"); // our own is misread
    third_say(&bench.step.a.third_control, THIRD_SAME, "", "-");
    misread(&bench.step.b.third);
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "third_without_control"); // the other's is
    third_say(&bench.step.b.third, THIRD_UNSUPPORTED, "third_small_grains", "-");
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "third_without_control"); // it is of another kind
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    end(&bench);
}

static void one_tool_alone_needs_our_own_image(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench);
    bench.step.b.ran = false;
    bench.step.b.why_not = "unavailable";
    misread(&bench.step.a.third);
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "third_without_control");
    third_say(&bench.step.a.third_control, THIRD_SAME, "", "-");
    bench_diverges(&bench, TYPE, "content_instar");
    end(&bench);
}

static void limits_of_the_reader_are_said(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench);
    third_say(&bench.step.a.third, THIRD_UNSUPPORTED, "third_zero_grains", "-");
    bench_reason(&bench, VERDICT_UNSUPPORTED, "third_zero_grains");
    third_say(&bench.step.a.third, THIRD_UNDECIDED, "third_timeout", "-");
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "third_timeout");
    end(&bench);
}

static void what_the_truth_says_comes_first(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench);
    struct content other = {0};
    content_begin(&other, 1 MIB);
    image_close(bench.step.a.output);
    bench.step.a.output = raw_file(&other);
    misread(&bench.step.a.third);
    third_say(&bench.step.a.third_control, THIRD_SAME, "", "-");
    bench_diverges(&bench, "convert_content_divergence", "content");
    content_free(&other);
    end(&bench);
}

static void readings_are_compared_with_the_truth(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CONVERT);
    bench_write(&bench, 70000, 5000, PATTERN_NOISE);
    struct image_source truth;
    content_as_source(&bench.content, &truth);
    struct third_expected expected = {&truth, 1 MIB, 64 MIB};
    struct content other = {0};
    content_copy(&other, &bench.content);
    const struct {
        uint64_t size, byte_at, declared;
        enum third_state state;
        const char *reason;
    } rows[] = {
        {1 MIB, 0, 1 MIB, THIRD_SAME, ""},
        {1 MIB, 71000, 1 MIB, THIRD_OTHER, "content"}, // one byte
        {1 MIB, 1 MIB - 1, 1 MIB, THIRD_OTHER, "content"},
        {70000, 0, 1 MIB, THIRD_OTHER, "content"}, // what it does not see
        {512 KIB, 0, 1 MIB, THIRD_OTHER, "size"},  // only zeros are missing
        {2 MIB, 0, 1 MIB, THIRD_OTHER, "size"},    // or too many
        {2 MIB, 0, 2 MIB, THIRD_SAME, ""},         // a vpc that has grown
        {2 MIB, 2 MIB - 1, 2 MIB, THIRD_OTHER, "content"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        content_copy(&other, &bench.content);
        content_resize(&other, rows[i].size);
        struct content_extent write = {
            .offset = rows[i].byte_at, .length = 1, .pattern = PATTERN_CONSTANT, .seed = 0xb7};
        if (rows[i].byte_at)
            content_write(&other, &write);
        struct third_reading reading = {0};
        struct image *raw = raw_file(&other);
        expected.size = rows[i].declared;
        third_compare(&reading, raw, &expected);
        image_close(raw);
        if (reading.state != rows[i].state || strcmp(reading.reason, rows[i].reason) != 0)
            fail_msg("row %zu: %d %s %s", i, (int)reading.state, reading.reason, reading.words);
    }
    content_free(&other);
    bench_end(&bench);
}

// What the registry explains of one tool excuses that tool alone.
static void a_known_output_is_left_out_and_the_other_is_not(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench);
    misread(&bench.step.a.third);
    third_say(&bench.step.a.third_control, THIRD_SAME, "", "-");
    bench.said = (struct judgements){0};
    oracle_say(&bench.said, &oracle_truth_size, VERDICT_KNOWN, "instar")->known_tool =
        &bench.instar;
    oracle_third_reader.judge(&oracle_third_reader, &bench.step, &bench.said);
    assert_false(oracle_diverged(&bench.said, 0));
    assert_string_equal(bench.said.items[1].reason, "known_value_instar");
    assert_non_null(bench_find(&bench, TYPE, VERDICT_AGREE)); // qemu-img's output
    bench.said.items[0].known_tool = &bench.qemu_img;
    bench.said.count = 1;
    oracle_third_reader.judge(&oracle_third_reader, &bench.step, &bench.said);
    assert_true(oracle_diverged(&bench.said, 0));
    end(&bench);
}

int main(void) {
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    unlink(path);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_reading_agrees_and_is_no_answer),
        cmocka_unit_test(a_reading_that_both_controls_contradict_accuses),
        cmocka_unit_test(nobody_is_accused_without_a_control),
        cmocka_unit_test(a_known_output_is_left_out_and_the_other_is_not),
        cmocka_unit_test(one_tool_alone_needs_our_own_image),
        cmocka_unit_test(limits_of_the_reader_are_said),
        cmocka_unit_test(what_the_truth_says_comes_first),
        cmocka_unit_test(readings_are_compared_with_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
