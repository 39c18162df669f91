// SPDX-License-Identifier: Apache-2.0
//
// Members that change nothing are told, and no others.
#include "tests/unit/testcase_helper.h"

#include <stdio.h>

static struct testcase parsed;

// The names in the notes on a text, each with a blank behind it.
static void idle(const char *text, struct buffer *names) {
    struct fault fault = {0};
    struct buffer notes = {0};
    if (case_from_json(&parsed, text, &fault))
        fail_msg("%s", fault.text);
    case_tell_idle(&parsed, "> ", &notes);
    buffer_clear(names);
    buffer_reserve(names, 1);
    for (char *line = notes.length ? notes.data : ""; *line; line = strchr(line, '\n') + 1) {
        assert_memory_equal(line, "> ", 2);
        size_t length = strcspn(line + 2, " ");
        assert_memory_equal(line + 2 + length, " has no effect here: ", 21);
        buffer_append(names, line + 2, length);
        buffer_text(names, " ");
    }
    if (!names->length)
        buffer_text(names, "");
    buffer_free(&notes);
}

static void expect(const char *text, const char *names) {
    struct buffer got = {0};
    idle(text, &got);
    assert_string_equal(got.data, names);
    buffer_free(&got);
}

static void what_the_format_does_not_have_is_told(void **state) {
    (void)state;
    expect("{\"format\": \"raw\", \"backing_1\": \"qcow2\", \"cluster_bits\": 12, \"vhdx_fixed\": "
           "true}",
           "cluster_bits backing_1 vhdx_fixed ");
    expect("{\"format\": \"qcow2\", \"backing_1\": \"qcow2\", \"cluster_bits\": 12}", "");
    // The chain ends at a format that has no file below it.
    expect("{\"format\": \"qcow2\", \"backing_1\": \"vpc\", \"backing_2\": \"vpc\", "
           "\"backing_2_size\": \"half\"}",
           "backing_2 backing_2_size ");
    expect(
        "{\"format\": \"vmdk\", \"vmdk_subformat\": \"streamOptimized\", \"backing_1\": \"vmdk\"}",
        "backing_1 ");
    expect(
        "{\"format\": \"vmdk\", \"backing_1\": \"vmdk\", \"backing_2\": \"vmdk\", \"backing_3\": "
        "\"vmdk\"}",
        "");
    expect("{\"format\": \"qcow2\", \"qcow2_version\": 2, \"bitmaps\": 1, \"refcount_order\": 3, "
           "\"bitmap_bits\": 12}",
           "refcount_order bitmaps bitmap_bits ");
    expect("{\"format\": \"qcow2\", \"virtual_size\": 65536, \"bitmaps\": 1, \"bitmap_bits\": 12, "
           "\"bitmap_flags\": \"in_use\"}",
           "");
    expect("{\"format\": \"qcow2\", \"data_file\": \"data_file\", \"snapshots\": 2, "
           "\"snapshot_size\": \"longer\"}",
           "snapshots snapshot_size ");
}

static void what_a_write_cannot_mean_is_told(void **state) {
    (void)state;
    expect("{\"writes\": [{\"layer\": 3}]}", "writes[0].layer ");
    expect("{\"format\": \"qcow2\", \"backing_1\": \"raw\", \"writes\": [{}, {\"layer\": 1}]}", "");
    expect("{\"writes\": [{\"form\": \"zero\", \"pattern\": \"counter\", \"seed\": 4}, {\"seed\": "
           "4}]}",
           "writes[0].pattern writes[0].seed ");
    expect("{\"virtual_size\": 0, \"writes\": [{\"seed\": 4, \"layer\": 1}]}", "writes[0] ");
}

static void what_an_operation_does_not_take_is_told(void **state) {
    (void)state;
    expect("{\"operations\": [{\"op\": \"convert\", \"target\": \"vmdk\", \"cluster_bits\": 12, "
           "\"snapshot\": 2}, {\"op\": \"measure\", \"target\": \"qcow2\", \"grain_bits\": 12, "
           "\"refcount_order\": 3}, {\"op\": \"info\", \"target\": \"vpc\"}]}",
           "operations[0].cluster_bits operations[0].snapshot operations[1].grain_bits "
           "operations[2].target ");
    // Without an earlier output every input is the source.
    expect("{\"operations\": [{\"op\": \"info\", \"input\": \"a_output\"}, {\"op\": \"convert\"}, "
           "{\"op\": \"info\", \"input\": \"a_output\"}]}",
           "operations[0].input ");
    expect("{\"format\": \"qcow2\", \"snapshots\": 1, \"operations\": [{\"op\": \"convert\", "
           "\"snapshot\": 1}]}",
           "");
}

// Reduced, raised or cut: another value would have had an effect.
static void a_value_that_comes_to_the_same_is_not_told(void **state) {
    (void)state;
    expect(
        "{\"format\": \"qcow2\", \"size_class\": \"edge\", \"size_value\": 15, \"cluster_bits\": "
        "9}",
        "");
    expect("{\"format\": \"qcow2\", \"backing_1\": \"raw\", \"writes\": [{\"layer\": 2}]}", "");
    expect("{\"writes\": [{\"offset\": 512, \"anchor\": \"end\", \"delta_scale\": \"sectors\"}, "
           "{\"length\": 600, \"offset\": "
           "1024}]}",
           "");
    expect("{\"format\": \"vpc\", \"vpc_application\": \"qemu\"}", "");
}

static void a_default_that_is_said_is_no_mistake(void **state) {
    (void)state;
    expect("{}", "");
    expect("{\"format\": \"raw\", \"cluster_bits\": 16, \"backing_1\": \"none\", \"writes\": "
           "[{\"layer\": 0}], \"operations\": [{\"op\": \"info\", \"target\": \"raw\"}]}",
           "");
}

// Whatever the bytes say, and the case stays what it is.
static void any_case_can_be_asked(void **state) {
    (void)state;
    uint64_t seed = 31;
    struct buffer notes = {0};
    for (int round = 0; round < 20; round++) {
        helper_case(&seed, &parsed);
        struct testcase before = parsed;
        case_tell_idle(&parsed, "", &notes);
        helper_assert_same(&parsed, &before);
    }
    buffer_free(&notes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_format_does_not_have_is_told),
        cmocka_unit_test(what_a_write_cannot_mean_is_told),
        cmocka_unit_test(what_an_operation_does_not_take_is_told),
        cmocka_unit_test(a_value_that_comes_to_the_same_is_not_told),
        cmocka_unit_test(a_default_that_is_said_is_no_mistake),
        cmocka_unit_test(any_case_can_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
