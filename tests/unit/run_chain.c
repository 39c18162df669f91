// SPDX-License-Identifier: Apache-2.0
//
// Which file a step reads. What no later step reads is not adopted, and a chain must not lose an
// input by that: it would go on with the source, and nobody would see a difference.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"

#include <stdio.h>
#include <string.h>

static struct settings settings;
static struct harness *harness;

static int begin(void **state) {
    struct fault fault = {0};
    bool unavailable;
    (void)state;
    if (settings_read(&settings, &fault))
        return -1;
    settings.pair = PAIR_QEMU;
    settings.out = settings.seen = NULL;
    if (harness_open(&harness, &settings, &unavailable, &fault) == 0)
        return 0;
    print_message("%s\n", fault.text);
    return -1;
}

static int end(void **state) {
    (void)state;
    harness_close(harness);
    return 0;
}

static const struct record *run(const char *operations) {
    struct fault fault = {0};
    struct testcase testcase;
    uint8_t bytes[CASE_MAX_BYTES];
    char text[1024], signature[SIGNATURE_ROOM];
    snprintf(text, sizeof text,
             "{\"format\": \"raw\", \"virtual_size\": 1048576, \"writes\": "
             "[{\"pattern\": \"noise\", \"offset_bytes\": 70000, \"length_bytes\": 8192}], "
             "\"operations\": [%s]}",
             operations);
    if (case_from_json(&testcase, text, &fault) ||
        harness_run(harness, bytes, case_encode(&testcase, bytes), signature, &fault) !=
            HARNESS_NOTHING)
        fail_msg("%s", fault.text);
    return harness_record(harness);
}

static void expect_inputs(const struct record *record, const char *const *names, size_t count) {
    assert_int_equal(record->step_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(record->steps[i].done);
        assert_string_equal(record->steps[i].step.input_name, names[i]);
    }
}

static void a_step_reads_the_nearest_output_of_its_side(void **state) {
    (void)state;
    static const char *const names[] = {"src.raw",    "a.out1.qcow2", "b.out1.qcow2",
                                        "b.out3.raw", "a.out3.raw",   "src.raw"};
    expect_inputs(run("{\"op\": \"convert\", \"target\": \"qcow2\"}, "
                      "{\"op\": \"check\", \"input\": \"a_output\"}, "
                      "{\"op\": \"convert\", \"target\": \"raw\", \"input\": \"b_output\"}, "
                      "{\"op\": \"measure\", \"target\": \"qcow2\", \"input\": \"b_output\"}, "
                      "{\"op\": \"convert\", \"target\": \"vmdk\", \"input\": \"a_output\"}, "
                      "{\"op\": \"info\"}"),
                  names, 6);
}

// The outputs of an earlier case are not inputs of the next one.
static void each_case_begins_with_its_source(void **state) {
    (void)state;
    static const char *const names[] = {"src.raw", "src.raw"};
    expect_inputs(run("{\"op\": \"info\", \"input\": \"a_output\"}, "
                      "{\"op\": \"measure\", \"target\": \"raw\", \"input\": \"b_output\"}"),
                  names, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_reads_the_nearest_output_of_its_side),
        cmocka_unit_test(each_case_begins_with_its_source),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
