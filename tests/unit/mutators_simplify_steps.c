// SPDX-License-Identifier: Apache-2.0
//
// What the steps reach: what a judge needs stays, all else goes, numbers get small and round.
#include "tests/unit/simplify_helper.h"

static bool measures_a_compressed_write(const struct testcase *testcase, void *context) {
    bool compressed = false, measured = false;
    (void)context;
    for (uint32_t i = 0; i < testcase->write_count; i++)
        compressed |= testcase->writes[i].form == FORM_COMPRESSED;
    for (uint32_t i = 0; i < testcase->operation_count; i++)
        measured |= testcase->operations[i].op == OP_MEASURE &&
                    testcase->operations[i].target == IMAGE_QCOW2;
    return compressed && measured;
}

static void what_matters_is_all_that_is_left(void **state) {
    (void)state;
    unsigned tried = 0;
    for (uint64_t seed = 1; seed < 200; seed++) {
        struct outcome outcome, again;
        struct testcase wanted;
        uint8_t bytes[CASE_MAX_BYTES];
        uint64_t random = seed;
        size_t size = large(&random, bytes);
        case_decode(&wanted, bytes, size);
        if (!measures_a_compressed_write(&wanted, NULL))
            continue;
        tried++;
        simplified(bytes, size, measures_a_compressed_write, NULL, &outcome);
        helper_plain_case(&wanted, IMAGE_RAW);
        helper_add_write(&wanted)->form = FORM_COMPRESSED;
        wanted.operation_count = 1;
        case_record_defaults(RECORD_OPERATION, &wanted.operations[0]);
        wanted.operations[0].op = OP_MEASURE;
        wanted.operations[0].target = IMAGE_QCOW2;
        wanted.writes[0].length = outcome.best.writes[0].length;
        helper_assert_same(&outcome.best, &wanted);
        assert_true(outcome.best.writes[0].length == 511 || outcome.best.writes[0].length == 0);
        assert_true(outcome.candidates < 150);
        simplified(bytes, size, measures_a_compressed_write, NULL, &again);
        assert_int_equal(again.candidates, outcome.candidates);
        assert_int_equal(again.size, outcome.size);
        assert_memory_equal(again.bytes, outcome.bytes, outcome.size);
    }
    assert_true(tried > 20);
}

struct wanted_member {
    const struct case_field *field;
    int64_t value;
};

static const void *record_of(const struct testcase *testcase, enum case_record kind) {
    return kind == RECORD_HEADER  ? (const void *)testcase
           : kind == RECORD_WRITE ? (const void *)testcase->writes
                                  : (const void *)testcase->operations;
}

static bool has_member(const struct testcase *testcase, void *context) {
    const struct wanted_member *wanted = context;
    enum case_record kind = wanted->field->record;
    if ((kind == RECORD_WRITE && !testcase->write_count) ||
        (kind == RECORD_OPERATION && !testcase->operation_count))
        return false;
    return case_field_get(wanted->field, record_of(testcase, kind)) == wanted->value;
}

// Sizes, places and lengths may be said in another way: the others are what is looked at.
static bool is_number(const struct case_field *field) {
    static const char *const numbers[] = {"size_class", "size_delta",   "size_value",
                                          "anchor",     "offset_delta", "delta_scale",
                                          "offset",     "length_scale", "length"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(field->name, numbers[i]))
            return true;
    return false;
}

static void every_member_of_the_table_can_be_all_that_is_left(void **state) {
    (void)state;
    uint64_t seed = 5;
    for (size_t i = 0; i < case_field_count; i++) {
        struct outcome outcome;
        struct testcase testcase;
        uint8_t bytes[CASE_MAX_BYTES];
        struct wanted_member wanted = {.field = &case_fields[i]};
        size_t size = large(&seed, bytes);
        bytes[CASE_HEADER_BYTES] = wanted.field->record == RECORD_OPERATION;
        case_decode(&testcase, bytes, size);
        wanted.value = case_field_get(wanted.field, record_of(&testcase, wanted.field->record));
        simplified(bytes, size, has_member, &wanted, &outcome);
        assert_true(has_member(&outcome.best, &wanted));
        assert_int_equal(outcome.best.write_count, wanted.field->record == RECORD_WRITE);
        assert_int_equal(outcome.best.operation_count, wanted.field->record == RECORD_OPERATION);
        for (size_t j = 0; j < case_field_count; j++) {
            const struct case_field *field = &case_fields[j];
            bool there = field->record == RECORD_HEADER || field->record == wanted.field->record;
            if (!there || j == i || is_number(field))
                continue;
            int64_t left = case_field_get(field, record_of(&outcome.best, field->record));
            if (left != field->initial)
                fail_msg("%s is left where only %s matters", field->name, wanted.field->name);
        }
    }
}

static bool needs_bytes_near_the_end(const struct testcase *testcase, void *context) {
    struct content_extent extents[CASE_MAX_WRITES];
    uint64_t size = case_virtual_size(testcase);
    (void)context;
    size_t count = case_write_extents(testcase, extents);
    for (size_t i = 0; i < count && size >= 1000000; i++)
        if (extents[i].length >= 100 && extents[i].offset + extents[i].length + 65536 > size)
            return true;
    return false;
}

static void numbers_become_small_and_round(void **state) {
    (void)state;
    struct testcase testcase;
    struct outcome outcome;
    uint8_t bytes[CASE_MAX_BYTES];
    struct content_extent extents[CASE_MAX_WRITES];
    helper_plain_case(&testcase, IMAGE_QCOW2);
    helper_set_size(&testcase, SIZE_ODD, 12345678, 0);
    struct case_write *write = helper_add_write(&testcase);
    write->anchor = ANCHOR_END;
    write->offset = 23456;
    write->length = 123;
    simplified(bytes, case_encode(&testcase, bytes), needs_bytes_near_the_end, NULL, &outcome);
    assert_int_equal(case_virtual_size(&outcome.best), 1 << 20);
    case_write_extents(&outcome.best, extents);
    assert_int_equal(extents[0].length, 512);
    assert_int_equal(extents[0].offset, (1 << 20) - 65536);
    assert_int_equal(outcome.best.writes[0].anchor, ANCHOR_START);
}

static bool needs_a_large_disk(const struct testcase *testcase, void *context) {
    return case_virtual_size(testcase) > *(uint64_t *)context;
}

static void the_disk_is_the_smallest_round_one_that_will_do(void **state) {
    (void)state;
    static const struct {
        uint64_t more_than, result;
    } disks[] = {
        {0, 512},
        {512, 1024},
        {65536, 131072},
        {1000000, 1 << 20},
        {(1 << 20) + 1, 1 << 21},
        {2040ull << 30, 2048ull << 30},
        {127ull << 30, 2040ull << 30},
        {1ull << 30, 2ull << 30},
    };
    for (size_t i = 0; i < sizeof disks / sizeof *disks; i++) {
        struct testcase testcase;
        struct outcome outcome;
        uint8_t bytes[CASE_MAX_BYTES];
        uint64_t more_than = disks[i].more_than;
        helper_plain_case(&testcase, IMAGE_QCOW2);
        helper_set_size(&testcase, SIZE_EDGE, 15, -77);
        simplified(bytes, case_encode(&testcase, bytes), needs_a_large_disk, &more_than, &outcome);
        assert_int_equal(case_virtual_size(&outcome.best), disks[i].result);
    }
}

static bool needs_much_data(const struct testcase *testcase, void *context) {
    struct content_extent extents[CASE_MAX_WRITES];
    size_t count = case_write_extents(testcase, extents);
    (void)context;
    return case_touched_bytes(extents, count, 4096, UINT64_MAX) >= 100000;
}

static void many_small_writes_become_a_long_one(void **state) {
    (void)state;
    struct testcase testcase;
    struct outcome outcome;
    uint8_t bytes[CASE_MAX_BYTES];
    helper_plain_case(&testcase, IMAGE_RAW);
    helper_set_size(&testcase, SIZE_EDGE, 0, 0);
    for (uint32_t i = 0; i < 25; i++)
        helper_add_write(&testcase)->offset = 7 + i * 4096;
    simplified(bytes, case_encode(&testcase, bytes), needs_much_data, NULL, &outcome);
    assert_int_equal(outcome.best.write_count, 1);
    assert_int_equal(outcome.best.writes[0].offset, 0);
}

static bool needs_both_ends(const struct testcase *testcase, void *context) {
    struct content_extent extents[CASE_MAX_WRITES];
    size_t count = case_write_extents(testcase, extents);
    bool start = false, end = false;
    (void)context;
    for (size_t i = 0; i < count; i++) {
        start |= extents[i].length && extents[i].offset == 0;
        end |= extents[i].offset + extents[i].length > 8 << 20;
    }
    return start && end;
}

static void writes_come_in_the_order_of_their_places(void **state) {
    (void)state;
    struct testcase testcase;
    struct outcome outcome;
    uint8_t bytes[CASE_MAX_BYTES];
    helper_plain_case(&testcase, IMAGE_RAW);
    helper_set_size(&testcase, SIZE_EDGE, 4, 0);
    helper_add_write(&testcase)->offset = 9 << 20;
    helper_add_write(&testcase)->length = 100;
    simplified(bytes, case_encode(&testcase, bytes), needs_both_ends, NULL, &outcome);
    assert_int_equal(outcome.best.write_count, 2);
    assert_int_equal(outcome.best.writes[0].offset, 0);
    assert_int_equal(outcome.best.writes[1].offset, 8 << 20);
}

static bool needs_two_snapshots(const struct testcase *testcase, void *context) {
    (void)context;
    return testcase->snapshots >= 2;
}

static void counts_become_as_few_as_will_do(void **state) {
    (void)state;
    struct testcase testcase;
    struct outcome outcome;
    uint8_t bytes[CASE_MAX_BYTES];
    helper_plain_case(&testcase, IMAGE_QCOW2);
    testcase.snapshots = 3;
    simplified(bytes, case_encode(&testcase, bytes), needs_two_snapshots, NULL, &outcome);
    assert_int_equal(outcome.best.snapshots, 2);
}

static bool is_same_disk(const struct testcase *testcase, void *context) {
    struct content_extent extents[CASE_MAX_WRITES];
    (void)context;
    return case_virtual_size(testcase) == 3 * 65536 && case_write_extents(testcase, extents) == 1 &&
           extents[0].offset == 2 * 65536 - 512 && extents[0].length == 65536;
}

static void what_was_said_in_units_is_said_in_bytes(void **state) {
    (void)state;
    struct testcase testcase;
    struct outcome outcome;
    uint8_t bytes[CASE_MAX_BYTES];
    helper_plain_case(&testcase, IMAGE_QCOW2);
    helper_set_size(&testcase, SIZE_UNITS, 3, 0);
    struct case_write *write = helper_add_write(&testcase);
    write->anchor = ANCHOR_SOURCE;
    write->offset = 2;
    write->offset_delta = -1;
    write->delta_scale = 1;
    write->length_scale = LENGTH_UNITS;
    assert_true(is_same_disk(&testcase, NULL));
    simplified(bytes, case_encode(&testcase, bytes), is_same_disk, NULL, &outcome);
    assert_true(is_same_disk(&outcome.best, NULL));
    assert_int_equal(outcome.best.size_class, SIZE_SECTORS);
    assert_int_equal(outcome.best.writes[0].anchor, ANCHOR_START);
    assert_int_equal(outcome.best.writes[0].length_scale, LENGTH_BYTES);
}

static void an_operation_that_needs_no_other_is_found_at_once(void **state) {
    (void)state;
    struct testcase testcase;
    uint8_t bytes[CASE_MAX_BYTES], candidate[CASE_MAX_BYTES];
    unsigned count = 0;
    helper_plain_case(&testcase, IMAGE_QCOW2);
    testcase.operation_count = CASE_MAX_OPERATIONS;
    for (uint32_t i = 0; i < CASE_MAX_OPERATIONS; i++) {
        case_record_defaults(RECORD_OPERATION, &testcase.operations[i]);
        testcase.operations[i].cluster_bits = 9 + i;
    }
    struct simplify *s = simplify_begin(bytes, case_encode(&testcase, bytes));
    do {
        simplify_judged(s, false);
        case_decode(&testcase, candidate, simplify_next(s, candidate));
    } while (++count < 100 &&
             !(testcase.operation_count == 1 && testcase.operations[0].cluster_bits == 14));
    assert_int_equal(count, 6);
    simplify_end(s);
}

static bool measures_a_vpc(const struct testcase *testcase, void *context) {
    uint32_t format = testcase->format;
    (void)context;
    for (uint32_t i = 0; i < testcase->operation_count; i++) {
        const struct case_operation *operation = &testcase->operations[i];
        uint32_t input = operation->input == INPUT_SOURCE ? testcase->format : format;
        if (operation->op == OP_MEASURE && input == IMAGE_VPC)
            return true;
        if (operation_writes((enum operation)operation->op))
            format = operation->target;
    }
    return false;
}

static void what_a_tool_wrote_is_built_instead(void **state) {
    (void)state;
    struct testcase testcase;
    struct outcome outcome;
    uint8_t bytes[CASE_MAX_BYTES];
    helper_plain_case(&testcase, IMAGE_QCOW2);
    testcase.operation_count = 3;
    for (uint32_t i = 0; i < 3; i++)
        case_record_defaults(RECORD_OPERATION, &testcase.operations[i]);
    testcase.operations[1].op = OP_CONVERT;
    testcase.operations[1].target = IMAGE_VPC;
    testcase.operations[2].op = OP_MEASURE;
    testcase.operations[2].target = IMAGE_VMDK;
    testcase.operations[2].input = INPUT_B_OUTPUT;
    simplified(bytes, case_encode(&testcase, bytes), measures_a_vpc, NULL, &outcome);
    assert_int_equal(outcome.best.format, IMAGE_VPC);
    assert_int_equal(outcome.best.operation_count, 1);
    assert_int_equal(outcome.best.operations[0].input, INPUT_SOURCE);
    assert_int_equal(outcome.best.operations[0].target, IMAGE_RAW);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_matters_is_all_that_is_left),
        cmocka_unit_test(every_member_of_the_table_can_be_all_that_is_left),
        cmocka_unit_test(numbers_become_small_and_round),
        cmocka_unit_test(the_disk_is_the_smallest_round_one_that_will_do),
        cmocka_unit_test(many_small_writes_become_a_long_one),
        cmocka_unit_test(writes_come_in_the_order_of_their_places),
        cmocka_unit_test(counts_become_as_few_as_will_do),
        cmocka_unit_test(what_was_said_in_units_is_said_in_bytes),
        cmocka_unit_test(an_operation_that_needs_no_other_is_found_at_once),
        cmocka_unit_test(what_a_tool_wrote_is_built_instead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
