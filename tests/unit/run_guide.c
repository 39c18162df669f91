// SPDX-License-Identifier: Apache-2.0
//
// What an engine is told of a case: the same in every run, something else for another answer, and
// nothing where nobody asked.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guide/guide.h"
#include "harness.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#define EVERY_SEED 9 // of the seeds; all of them take minutes
#define CASES      40
#define PATIENT_MS 600000 // a deadline on a busy machine would be another answer

static struct settings settings;
static uint8_t cells[GUIDE_CELLS], kept[GUIDE_CELLS], told[CASES][GUIDE_CELLS];
static unsigned case_ms = PATIENT_MS;

static struct harness *open_pair(enum pair_choice pair, enum guide_choice guide) {
    struct harness *harness;
    struct fault fault = {0};
    bool unavailable;
    if (settings_read(&settings, &fault))
        fail_msg("%s", fault.text);
    settings.pair = pair;
    settings.guide = guide;
    settings.exec = TOOL_EXEC_PLAIN;
    settings.case_ms = case_ms;
    settings.out = settings.seen = NULL;
    if (harness_open(&harness, &settings, &unavailable, &fault))
        fail_msg("%s", fault.text);
    harness_guide(harness, cells);
    return harness;
}

// Runs the case on cleared cells.
static void run(struct harness *harness, const struct testcase *testcase) {
    struct fault fault = {0};
    uint8_t bytes[CASE_MAX_BYTES];
    char signature[SIGNATURE_ROOM];
    memset(cells, 0, sizeof cells);
    if (harness_run(harness, bytes, case_encode(testcase, bytes), signature, &fault) < 0)
        fail_msg("%s", fault.text);
}

static void run_text(struct harness *harness, const char *text) {
    struct testcase testcase;
    struct fault fault = {0};
    if (case_from_json(&testcase, text, &fault))
        fail_msg("%s", fault.text);
    run(harness, &testcase);
}

static size_t count(size_t from, size_t to) {
    size_t set = 0;
    for (size_t i = from; i < to; i++)
        set += cells[i] != 0;
    return set;
}

// Cells of a part that are set now and were not in what was kept.
static size_t news(enum guide_part part) {
    size_t set = 0;
    for (size_t i = part * GUIDE_PART_CELLS; i < (part + 1u) * GUIDE_PART_CELLS; i++)
        set += cells[i] && !kept[i];
    return set;
}

#define FLAT_VMDK                                                                                  \
    "{\"format\": \"raw\", \"virtual_size\": 65536, \"operations\": [{\"op\": \"convert\", "       \
    "\"target\": \"vmdk\", \"flat\": true}]}"

static void a_case_sets_the_same_cells_in_every_run(void **state) {
    (void)state;
    struct harness *first = open_pair(PAIR_STANDIN, GUIDE_OUTPUTS);
    struct harness *second = open_pair(PAIR_STANDIN, GUIDE_OUTPUTS);
    glob_t seeds;
    assert_int_equal(glob("corpus/seeds/*.json", 0, NULL, &seeds), 0);
    static struct testcase cases[CASES];
    size_t ran = 0;
    for (size_t i = 0; i < seeds.gl_pathc && ran < CASES; i += EVERY_SEED, ran++) {
        assert_int_equal(case_load(&cases[ran], seeds.gl_pathv[i], NULL), 0);
        run(first, &cases[ran]);
        memcpy(told[ran], cells, sizeof cells);
        if (cases[ran].operation_count)
            assert_true(count(0, GUIDE_OUTPUT_CELLS) > 3);
    }
    assert_true(ran > 20);
    // In another harness, behind other cases; and once more where they were run before.
    for (size_t i = ran; i-- > 0;) {
        run(second, &cases[i]);
        if (memcmp(told[i], cells, sizeof cells) != 0)
            fail_msg("%s", seeds.gl_pathv[i * EVERY_SEED]);
        run(first, &cases[i]);
        assert_memory_equal(told[i], cells, sizeof cells);
    }
    // Nor by an answer of chance: qemu-img's random ids have seven digits at times.
    for (int i = 0; i < 64; i++) {
        run_text(first, FLAT_VMDK);
        if (i > 0)
            assert_memory_equal(kept, cells, sizeof cells);
        memcpy(kept, cells, sizeof cells);
    }
    globfree(&seeds);
    harness_close(first);
    harness_close(second);
}

#define MEASURE(size_)                                                                             \
    "{\"format\": \"raw\", \"virtual_size\": " #size_ ", \"operations\": "                         \
    "[{\"op\": \"measure\", \"target\": \"qcow2\"}]}"

static void another_answer_sets_another_cell(void **state) {
    (void)state;
    struct harness *harness = open_pair(PAIR_STANDIN, GUIDE_OUTPUTS);
    run_text(harness, MEASURE(1048576));
    memcpy(kept, cells, sizeof cells);
    run_text(harness, MEASURE(1048576));
    for (int part = 0; part < GUIDE_COVERAGE; part++)
        assert_int_equal(news((enum guide_part)part), 0);
    run_text(harness, MEASURE(67108864)); // other magnitudes
    assert_true(news(GUIDE_SIDE_A) > 0);
    assert_true(news(GUIDE_SIDE_B) > 0);
    assert_true(news(GUIDE_TRUTH) > 0);
    assert_int_equal(news(GUIDE_PAIR), 0); // the tools agree as before
    harness_close(harness);
}

static void a_difference_between_the_tools_is_told_of_the_pair(void **state) {
    (void)state;
    struct harness *harness = open_pair(PAIR_STANDIN, GUIDE_OUTPUTS);
    static const char *const text =
        "{\"format\": \"raw\", \"virtual_size\": 1048576, \"writes\": [{\"offset_bytes\": 0, "
        "\"length_bytes\": 4096}], \"operations\": [{\"op\": \"measure\", \"target\": \"qcow2\"}]}";
    run_text(harness, text);
    memcpy(kept, cells, sizeof cells);
    harness_close(harness);
    setenv("STANDIN_LIE", "raw-without-seek-hole", 1);
    harness = open_pair(PAIR_STANDIN, GUIDE_OUTPUTS);
    unsetenv("STANDIN_LIE");
    run_text(harness, text);
    assert_true(news(GUIDE_PAIR) > 0);
    assert_int_equal(news(GUIDE_SIDE_B), 0); // qemu-img says what it said
    assert_int_equal(news(GUIDE_TRUTH), 0);
    harness_close(harness);
}

// How long it takes is the machine's business.
static void a_step_that_was_cut_off_tells_nothing(void **state) {
    (void)state;
    static const char *const text =
        "{\"format\": \"qcow2\", \"cluster_bits\": 12, \"virtual_size\": 1048576, "
        "\"operations\": [{\"op\": \"measure\", \"target\": \"qcow2\"}]}";
    struct harness *harness = open_pair(PAIR_STANDIN, GUIDE_OUTPUTS);
    run_text(harness, text);
    assert_true(count(0, GUIDE_OUTPUT_CELLS) > 3);
    harness_close(harness);
    setenv("STANDIN_LIE", "hang-on-cluster-size", 1);
    case_ms = 12000;
    harness = open_pair(PAIR_STANDIN, GUIDE_OUTPUTS);
    unsetenv("STANDIN_LIE");
    case_ms = PATIENT_MS;
    run_text(harness, text);
    assert_int_equal(count(0, GUIDE_CELLS), 0);
    harness_close(harness);
}

static void a_refusal_is_told_by_its_words(void **state) {
    (void)state;
    struct harness *harness = open_pair(PAIR_QEMU, GUIDE_OUTPUTS);
    run_text(harness, MEASURE(1048576));
    memcpy(kept, cells, sizeof cells);
    // Clusters that small cannot have extended entries.
    run_text(harness, "{\"format\": \"raw\", \"virtual_size\": 1048576, \"operations\": [{\"op\": "
                      "\"measure\", \"target\": \"qcow2\", \"cluster_bits\": 13, "
                      "\"extended_l2\": true}]}");
    assert_true(news(GUIDE_SIDE_A) >= 2); // the class, and the message
    assert_true(news(GUIDE_SIDE_B) >= 2);
    assert_true(news(GUIDE_PAIR) > 0);
    harness_close(harness);
}

static void nothing_is_told_where_guidance_is_off(void **state) {
    (void)state;
    struct harness *harness = open_pair(PAIR_QEMU, GUIDE_OFF);
    run_text(harness, MEASURE(1048576));
    assert_int_equal(count(0, GUIDE_CELLS), 0);
    harness_close(harness);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_sets_the_same_cells_in_every_run),
        cmocka_unit_test(another_answer_sets_another_cell),
        cmocka_unit_test(a_difference_between_the_tools_is_told_of_the_pair),
        cmocka_unit_test(a_step_that_was_cut_off_tells_nothing),
        cmocka_unit_test(a_refusal_is_told_by_its_words),
        cmocka_unit_test(nothing_is_told_where_guidance_is_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
