// SPDX-License-Identifier: Apache-2.0
//
// Rows and columns of the matrix of comparisons: what a case is counted under, that no option of a
// call is forgotten, and which calls a source of each class can get.
#include "testcase/source_class.h"
#include "tests/unit/classes_helper.h"
#include "tests/unit/testcase_helper.h"

#include <stdio.h>

static void load(const char *text, struct testcase *testcase) {
    struct fault fault = {.text = ""};
    if (case_from_json(testcase, text, &fault))
        fail_msg("%s: %s", text, fault.text);
}

// A random case most of whose fields have their default.
static void plain_case(uint64_t *seed, struct testcase *testcase) {
    uint8_t bytes[CASE_HEADER_BYTES + 12 * CASE_RECORD_BYTES];
    helper_fill(seed, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        if (helper_random(seed) % 4 > 0 && (i < CASE_HEADER_BYTES || i % CASE_RECORD_BYTES > 2))
            bytes[i] = 0;
    bytes[0] = 0;
    case_decode(testcase, bytes, sizeof bytes);
}

// The names of a source's classes, comma-separated.
static void classes_of(const struct testcase *testcase, char *names, size_t room) {
    uint64_t classes = helper_classes(testcase);
    names[0] = 0;
    for (size_t i = 0; i < SOURCE_CLASSES; i++)
        if (classes >> i & 1) {
            size_t used = strlen(names);
            snprintf(names + used, room - used, "%s%s", used ? ", " : "", source_classes[i].name);
        }
}

static void a_source_is_in_every_class_that_it_shows(void **state) {
    (void)state;
    static const struct {
        const char *text, *classes;
    } rows[] = {
        {"{}", "raw"},
        {"{\"virtual_size\": 1000001}", "raw, raw odd size"},
        {"{\"writes\": [{\"table\": \"mbr\", \"length_bytes\": 512}]}", "raw, raw mbr"},
        {"{\"writes\": [{\"table\": \"mbr\", \"length_bytes\": 511}]}", "raw"},
        {"{\"writes\": [{\"table\": \"mbr\", \"length_bytes\": 512, \"form\": \"zero\"}]}", "raw"},
        {"{\"virtual_size\": 65536, \"writes\": [{\"table\": \"gpt\", \"length_bytes\": 17408},"
         " {\"offset_bytes\": 1024, \"length_bytes\": 9}]}",
         "raw, raw gpt"},
        {"{\"virtual_size\": 65536, \"writes\": [{\"table\": \"gpt\", \"length_bytes\": 17408},"
         " {\"offset_bytes\": 1023, \"length_bytes\": 9}]}",
         "raw"},
        {"{\"format\": \"qcow2\", \"qcow2_version\": 2, \"snapshots\": 1, \"bitmaps\": 1}",
         "qcow2 v2, qcow2 snapshots"},
        {"{\"format\": \"qcow2\", \"bitmaps\": 1, \"extended_l2\": true, \"writes\":"
         " [{\"length_bytes\": 512, \"form\": \"zero\"}]}",
         "qcow2 v3, qcow2 extended L2, qcow2 zero clusters, qcow2 bitmaps"},
        // Only what is really compressed tries a decompressor.
        {"{\"format\": \"qcow2\", \"compression\": \"zstd\"}", "qcow2 v3"},
        {"{\"format\": \"qcow2\", \"compression\": \"zstd\", \"writes\":"
         " [{\"length_bytes\": 512, \"form\": \"compressed\"}]}",
         "qcow2 v3, qcow2 zstd, qcow2 compressed"},
        {"{\"format\": \"qcow2\", \"data_file\": \"data_file\", \"snapshots\": 1}",
         "qcow2 v3, qcow2 data file"},
        {"{\"format\": \"qcow2\", \"data_file\": \"data_file_raw\"}",
         "qcow2 v3, qcow2 raw data file"},
        {"{\"format\": \"qcow2\", \"backing_1\": \"vhdx\", \"backing_2\": \"raw\"}",
         "qcow2 v3, qcow2 over vhdx"},
        {"{\"format\": \"qcow2\", \"backing_1\": \"qcow2\", \"backing_2\": \"raw\"}",
         "qcow2 v3, qcow2 over qcow2, qcow2 deep chain"},
        {"{\"format\": \"vmdk\", \"backing_1\": \"raw\", \"backing_2\": \"raw\"}",
         "vmdk monolithicSparse, vmdk over vmdk"},
        {"{\"format\": \"vmdk\", \"vmdk_subformat\": \"streamOptimized\"}", "vmdk streamOptimized"},
        {"{\"format\": \"vmdk\", \"vmdk_layout\": \"twoGbMaxExtentFlat\"}",
         "vmdk twoGbMaxExtentFlat"},
        {"{\"format\": \"vpc\"}", "vpc dynamic by geometry"},
        {"{\"format\": \"vpc\", \"vpc_application\": \"win\"}", "vpc dynamic by size"},
        {"{\"format\": \"vpc\", \"vpc_creator\": \"qem2\", \"vpc_fixed\": true}", "vpc fixed"},
        {"{\"format\": \"vhdx\"}", "vhdx dynamic"},
        {"{\"format\": \"vhdx\", \"vhdx_fixed\": true}", "vhdx fixed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct testcase testcase;
        char found[256];
        load(rows[i].text, &testcase);
        classes_of(&testcase, found, sizeof found);
        if (strcmp(found, rows[i].classes))
            fail_msg("%s: found \"%s\", expected \"%s\"", rows[i].text, found, rows[i].classes);
    }
}

static void every_case_has_a_class_and_every_class_a_case(void **state) {
    (void)state;
    uint64_t seed = 31;
    bool seen[SOURCE_BUILT_CLASSES] = {0};
    char names[256];
    for (int round = 0; round < 20000; round++) {
        struct testcase testcase;
        plain_case(&seed, &testcase);
        classes_of(&testcase, names, sizeof names);
        assert_true(names[0]);
        for (size_t i = 0; i < SOURCE_BUILT_CLASSES; i++) {
            const char *at = strstr(names, source_classes[i].name);
            seen[i] |= at && strchr(",", at[strlen(source_classes[i].name)]);
        }
    }
    for (size_t i = 0; i < SOURCE_BUILT_CLASSES; i++)
        if (!seen[i])
            fail_msg("no case has the class %s", source_classes[i].name);
}

static size_t options_given(const struct target_options *options) {
    const uint32_t *members = (const uint32_t *)(const void *)options;
    size_t given = 0;
    for (size_t i = 0; i < sizeof *options / sizeof *members; i++)
        given += members[i] != 0;
    return given - (options->size_only != 0);
}

// What case_target_options can give and what the table knows is the same set.
static void every_call_of_a_case_has_its_classes(void **state) {
    (void)state;
    uint64_t seed = 32;
    bool seen[CALL_CLASSES] = {0};
    for (int round = 0; round < 20000; round++) {
        struct testcase testcase;
        plain_case(&seed, &testcase);
        for (uint32_t i = 0; i < testcase.operation_count; i++) {
            const struct case_operation *operation = &testcase.operations[i];
            enum operation op = (enum operation)operation->op;
            struct target_options options;
            size_t found[OPTION_CLASSES];
            case_target_options(&testcase, operation, &options);
            size_t count = call_classes_of(
                op, operation_has_target(op) ? (enum image_format)operation->target : IMAGE_FORMATS,
                &options, found);
            size_t given = options_given(&options);
            assert_int_equal(count, given ? given : 1);
            for (size_t j = 0; j < count; j++)
                seen[found[j]] = true;
        }
    }
    for (size_t i = 0; i < CALL_CLASSES; i++)
        if (!seen[i])
            fail_msg("no case makes call %zu: %s %d %s", i, operation_names[call_classes[i].op],
                     call_classes[i].target, option_classes[call_classes[i].option].name);
}

static void the_calls_are_all_there(void **state) {
    (void)state;
    size_t count = 2; // info and check
    for (int op = OP_MEASURE; op < OPERATIONS; op++)
        for (int target = 0; target < IMAGE_FORMATS; target++)
            for (size_t i = 0; i < OPTION_CLASSES; i++)
                count +=
                    option_classes[i].operations >> op & option_classes[i].targets >> target & 1;
    assert_int_equal(count, CALL_CLASSES);
    for (size_t i = 0; i < CALL_CLASSES; i++) { // a sample of each class is in that class alone
        struct target_options options;
        size_t found[OPTION_CLASSES];
        call_class_options(&call_classes[i], &options);
        assert_int_equal(
            call_classes_of(call_classes[i].op, call_classes[i].target, &options, found), 1);
        assert_int_equal(found[0], i);
    }
}

static size_t source_named(const char *name) {
    size_t i = 0;
    while (i < SOURCE_CLASSES && strcmp(source_classes[i].name, name) != 0)
        i++;
    assert_in_range(i, 0, SOURCE_CLASSES - 1);
    return i;
}

static bool takes(const char *source, enum operation op, enum image_format target,
                  struct target_options options) {
    size_t found[OPTION_CLASSES];
    assert_int_equal(call_classes_of(op, target, &options, found), 1);
    return source_class_takes(source_named(source), &call_classes[found[0]]);
}

static void sources_take_what_a_case_can_ask_of_them(void **state) {
    (void)state;
    const struct target_options none = {0}, snapshot = {.snapshot = 1};
    assert_true(takes("raw", OP_INFO, IMAGE_FORMATS, none));
    assert_true(takes("qcow2 snapshots", OP_CONVERT, IMAGE_RAW, snapshot));
    assert_true(takes("qcow2 v2", OP_CONVERT, IMAGE_RAW, snapshot));
    assert_false(takes("qcow2 data file", OP_CONVERT, IMAGE_RAW, snapshot));
    assert_false(takes("vmdk over vmdk", OP_CONVERT, IMAGE_RAW, snapshot));
    assert_false(takes("output qcow2", OP_CONVERT, IMAGE_RAW, snapshot));
    assert_true(takes("output qcow2", OP_CONVERT, IMAGE_RAW, none));
    assert_true(takes("size only", OP_MEASURE, IMAGE_QCOW2, none));
    assert_true(takes("size only", OP_MEASURE, IMAGE_VHDX, none));
    assert_false(takes("size only", OP_CONVERT, IMAGE_QCOW2, none));
    assert_false(takes("size only", OP_CHECK, IMAGE_FORMATS, none));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_is_in_every_class_that_it_shows),
        cmocka_unit_test(every_case_has_a_class_and_every_class_a_case),
        cmocka_unit_test(every_call_of_a_case_has_its_classes),
        cmocka_unit_test(the_calls_are_all_there),
        cmocka_unit_test(sources_take_what_a_case_can_ask_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
