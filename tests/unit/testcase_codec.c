// SPDX-License-Identifier: Apache-2.0
//
// The promises of the encoding: every byte string is a case, each case has one canonical spelling,
// reserved bytes mean nothing, and inserted records leave their neighbours alone.
#include "tests/unit/testcase_helper.h"

#include <stdlib.h>

static void any_bytes_of_any_length_are_a_case(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (size_t length = 0; length <= 5000; length++) {
        struct testcase testcase;
        uint8_t *bytes = malloc(length ? length : 1); // its own block: a read beyond is seen
        helper_fill(&seed, bytes, length);
        memset(&testcase, 0xa5, sizeof testcase);
        case_decode(&testcase, length ? bytes : NULL, length);
        free(bytes);
        assert_true(testcase.write_count <= CASE_MAX_WRITES);
        assert_true(testcase.operation_count <= CASE_MAX_OPERATIONS);
        for (size_t i = 0; i < case_field_count; i++)
            if (case_fields[i].record == RECORD_HEADER)
                assert_true(case_field_accepts(&case_fields[i],
                                               case_field_get(&case_fields[i], &testcase)));
    }
}

static void every_decoded_member_is_in_its_range(void **state) {
    (void)state;
    uint64_t seed = 2;
    for (int round = 0; round < 2000; round++) {
        struct testcase testcase;
        helper_case(&seed, &testcase);
        for (size_t i = 0; i < case_field_count; i++) {
            const struct case_field *field = &case_fields[i];
            for (uint32_t at = 0; at < testcase.write_count; at++)
                if (field->record == RECORD_WRITE)
                    assert_true(
                        case_field_accepts(field, case_field_get(field, &testcase.writes[at])));
            for (uint32_t at = 0; at < testcase.operation_count; at++)
                if (field->record == RECORD_OPERATION)
                    assert_true(
                        case_field_accepts(field, case_field_get(field, &testcase.operations[at])));
        }
    }
}

static void decoding_is_canonical(void **state) {
    (void)state;
    uint64_t seed = 3;
    for (int round = 0; round < 5000; round++) {
        struct testcase first, second;
        uint8_t once[CASE_MAX_BYTES], twice[CASE_MAX_BYTES];
        helper_case(&seed, &first);
        size_t length = case_encode(&first, once);
        case_decode(&second, once, length);
        helper_assert_same(&first, &second);
        assert_int_equal(case_encode(&second, twice), length);
        assert_memory_equal(once, twice, length);
    }
}

static void no_bytes_are_a_raw_sector_without_operations(void **state) {
    (void)state;
    struct testcase testcase;
    case_decode(&testcase, NULL, 0);
    assert_int_equal(testcase.format, IMAGE_RAW);
    assert_int_equal(case_virtual_size(&testcase), 512);
    assert_int_equal(testcase.write_count, 0);
    assert_int_equal(testcase.operation_count, 0);
}

static void zero_bytes_are_the_defaults(void **state) {
    (void)state;
    uint8_t bytes[64] = {0};
    struct testcase decoded, defaults = {.write_count = 1, .operation_count = 1};
    bytes[48] = 1;
    case_decode(&decoded, bytes, sizeof bytes);
    case_record_defaults(RECORD_HEADER, &defaults);
    case_record_defaults(RECORD_WRITE, &defaults.writes[0]);
    case_record_defaults(RECORD_OPERATION, &defaults.operations[0]);
    helper_assert_same(&decoded, &defaults);
    assert_int_equal(decoded.qcow2_version, 3);
    assert_int_equal(decoded.cluster_bits, 16);
}

static void byte_zero_is_two_means_a_later_version(void **state) {
    (void)state;
    uint64_t seed = 4;
    uint8_t bytes[512];
    struct testcase empty, later, plain, odd;
    case_decode(&empty, NULL, 0);
    helper_fill(&seed, bytes, sizeof bytes);
    bytes[0] = 2;
    case_decode(&later, bytes, sizeof bytes);
    helper_assert_same(&later, &empty);
    bytes[0] = 0;
    case_decode(&plain, bytes, sizeof bytes);
    assert_true(plain.write_count + plain.operation_count > 0);
    for (int version = 1; version < 256; version++) {
        bytes[0] = (uint8_t)version;
        case_decode(&odd, bytes, sizeof bytes);
        if (version != 2)
            helper_assert_same(&odd, &plain);
    }
}

// Which bytes of a record a row uses; byte 0 is the kind (or version).
static void used_bytes(enum case_record kind, bool used[CASE_HEADER_BYTES]) {
    memset(used, 0, CASE_HEADER_BYTES);
    used[0] = true;
    for (size_t i = 0; i < case_field_count; i++)
        for (unsigned at = 0; at < case_fields[i].width && case_fields[i].record == kind; at++) {
            // Rows do not overlap, but for those that share a byte and are not its first.
            assert_true(!used[case_fields[i].at + at] || case_fields[i].divisor > 1);
            assert_true(case_fields[i].at + at < case_record_bytes(kind));
            used[case_fields[i].at + at] = true;
        }
}

// What is left of a byte for each of the rows that share it: a divisor is the product of the values
// of all rows before, and the last row's values still fit.
static void rows_that_share_a_byte_leave_each_other_alone(void **state) {
    (void)state;
    for (size_t i = 0; i < case_field_count; i++) {
        const struct case_field *field = &case_fields[i];
        if (!field->divisor)
            continue;
        assert_int_equal(field->width, 1);
        int64_t values = field->high - field->low + 1 + (field->kind == FIELD_OPTIONAL);
        assert_true(values * field->divisor <= 256);
        if (field->divisor == 1)
            continue;
        const struct case_field *before = &case_fields[i - 1];
        assert_int_equal(before->at, field->at);
        values = before->high - before->low + 1 + (before->kind == FIELD_OPTIONAL);
        assert_int_equal(field->divisor, before->divisor * values);
        // Storing one keeps the other.
        uint8_t record[CASE_HEADER_BYTES] = {0};
        case_field_store(before, record, case_field_stored(before, before->high));
        case_field_store(field, record, case_field_stored(field, field->high));
        case_field_store(before, record, case_field_stored(before, before->low));
        assert_int_equal(case_field_value(field, case_field_load(field, record)), field->high);
        assert_int_equal(case_field_value(before, case_field_load(before, record)), before->low);
    }
}

static void reserved_bytes_are_ignored(void **state) {
    (void)state;
    uint64_t seed = 5;
    uint8_t bytes[CASE_HEADER_BYTES + 2 * CASE_RECORD_BYTES], changed[sizeof bytes];
    const struct {
        enum case_record kind;
        size_t at;
    } records[] = {{RECORD_HEADER, 0}, {RECORD_WRITE, 32}, {RECORD_OPERATION, 48}};
    struct testcase before, after;

    helper_fill(&seed, bytes, sizeof bytes);
    bytes[0] = 0, bytes[32] = 4, bytes[48] = 7;
    case_decode(&before, bytes, sizeof bytes);
    memcpy(changed, bytes, sizeof bytes);
    size_t reserved = 0;
    for (size_t r = 0; r < 3; r++) {
        bool used[CASE_HEADER_BYTES];
        used_bytes(records[r].kind, used);
        for (size_t i = 0; i < case_record_bytes(records[r].kind); i++)
            if (!used[i]) {
                changed[records[r].at + i] ^= 0xff;
                reserved++;
            }
    }
    assert_int_equal(reserved, 2 + 0 + 3);
    case_decode(&after, changed, sizeof changed);
    helper_assert_same(&before, &after);
    uint8_t encoded[CASE_MAX_BYTES];
    assert_int_equal(case_encode(&after, encoded), sizeof bytes);
    assert_int_equal(encoded[31], 0);
    assert_int_equal(encoded[63], 0);
}

static void an_inserted_record_keeps_the_others(void **state) {
    (void)state;
    uint64_t seed = 6;
    uint8_t bytes[32 + 6 * 16], longer[sizeof bytes + 16];
    struct testcase before, after;

    helper_fill(&seed, bytes, sizeof bytes);
    bytes[0] = 0;
    for (unsigned i = 0; i < 6; i++)
        bytes[32 + 16 * i] = (uint8_t)(i & 1); // write, operation, write, ...
    case_decode(&before, bytes, sizeof bytes);
    memcpy(longer, bytes, 32 + 32);
    memset(longer + 64, 0, 16);
    memcpy(longer + 80, bytes + 64, sizeof bytes - 64);
    case_decode(&after, longer, sizeof longer);
    assert_int_equal(after.write_count, before.write_count + 1);
    assert_memory_equal(after.operations, before.operations, sizeof before.operations);
    assert_memory_equal(&after.writes[0], &before.writes[0], sizeof before.writes[0]);
    assert_memory_equal(&after.writes[2], &before.writes[1], 2 * sizeof before.writes[0]);
}

static void a_partial_record_is_ignored(void **state) {
    (void)state;
    uint8_t bytes[32 + 15] = {0};
    struct testcase testcase;
    case_decode(&testcase, bytes, sizeof bytes);
    assert_int_equal(testcase.write_count, 0);
}

static void records_beyond_the_maximum_do_not_hide_the_other_kind(void **state) {
    (void)state;
    uint8_t bytes[CASE_MAX_BYTES] = {0};
    struct testcase testcase;
    bytes[CASE_MAX_BYTES - 16] = 1; // after 253 writes, one operation
    case_decode(&testcase, bytes, sizeof bytes);
    assert_int_equal(testcase.write_count, CASE_MAX_WRITES);
    assert_int_equal(testcase.operation_count, 1);
}

// If this fails, files that people kept have changed their meaning: undo the change.
static void version_1_means_what_it_always_meant(void **state) {
    (void)state;
    static const struct {
        enum case_record record;
        const char *name;
        unsigned at, width;
        int64_t low, high, initial;
        unsigned divisor;
    } frozen[] = {
        {RECORD_HEADER, "format", 1, 1, 0, 4, 0, 0},
        {RECORD_HEADER, "size_class", 2, 1, 0, 4, 0, 0},
        {RECORD_HEADER, "size_delta", 3, 1, -128, 127, 0, 0},
        {RECORD_HEADER, "size_value", 4, 4, 0, 16777215, 0, 0},
        {RECORD_HEADER, "qcow2_version", 8, 1, 2, 3, 3, 0},
        {RECORD_HEADER, "cluster_bits", 9, 1, 9, 21, 16, 0},
        {RECORD_HEADER, "refcount_order", 10, 1, 0, 6, 4, 0},
        {RECORD_HEADER, "lazy_refcounts", 11, 1, 0, 1, 0, 0},
        {RECORD_HEADER, "vpc_fixed", 12, 1, 0, 1, 0, 0},
        {RECORD_HEADER, "vpc_creator", 13, 1, 0, 1, 0, 0},
        {RECORD_HEADER, "vmdk_subformat", 14, 1, 0, 1, 0, 0},
        {RECORD_HEADER, "grain_bits", 15, 1, 12, 16, 16, 0},
        {RECORD_HEADER, "block_bits", 16, 1, 19, 28, 21, 0},
        {RECORD_HEADER, "extended_l2", 17, 1, 0, 1, 0, 0},
        {RECORD_HEADER, "compression", 18, 1, 0, 1, 0, 0},
        {RECORD_HEADER, "backing_1", 19, 1, 0, 5, 0, 1},
        {RECORD_HEADER, "backing_1_size", 19, 1, 0, 7, 0, 6},
        {RECORD_HEADER, "backing_2", 20, 1, 0, 5, 0, 1},
        {RECORD_HEADER, "backing_2_size", 20, 1, 0, 7, 0, 6},
        {RECORD_HEADER, "backing_3", 21, 1, 0, 5, 0, 1},
        {RECORD_HEADER, "backing_3_size", 21, 1, 0, 7, 0, 6},
        {RECORD_HEADER, "backing_cluster_bits", 22, 1, 9, 21, 0, 0},
        {RECORD_HEADER, "vmdk_layout", 23, 1, 0, 3, 0, 1},
        {RECORD_HEADER, "vhdx_fixed", 23, 1, 0, 1, 0, 4},
        {RECORD_HEADER, "vpc_application", 24, 1, 0, 11, 0, 0},
        {RECORD_HEADER, "snapshots", 25, 1, 0, 3, 0, 1},
        {RECORD_HEADER, "snapshot_size", 25, 1, 0, 2, 0, 4},
        {RECORD_HEADER, "bitmaps", 26, 1, 0, 3, 0, 1},
        {RECORD_HEADER, "bitmap_flags", 26, 1, 0, 2, 0, 4},
        {RECORD_HEADER, "bitmap_bits", 27, 1, 9, 31, 0, 0},
        {RECORD_HEADER, "data_file", 28, 1, 0, 2, 0, 0},
        {RECORD_HEADER, "vmdk_sector_extents", 29, 1, 0, 1, 0, 1},
        {RECORD_WRITE, "pattern", 1, 1, 0, 3, 3, 0},
        {RECORD_WRITE, "form", 2, 1, 0, 3, 0, 0},
        {RECORD_WRITE, "seed", 3, 1, 0, 255, 0, 0},
        {RECORD_WRITE, "anchor", 4, 1, 0, 4, 0, 0},
        {RECORD_WRITE, "offset_delta", 5, 1, -128, 127, 0, 0},
        {RECORD_WRITE, "delta_scale", 6, 1, 0, 1, 0, 0},
        {RECORD_WRITE, "length_scale", 7, 1, 0, 2, 0, 0},
        {RECORD_WRITE, "offset", 8, 4, 0, 4294967295, 0, 0},
        {RECORD_WRITE, "length", 12, 2, 0, 65535, 0, 0},
        {RECORD_WRITE, "layer", 14, 1, 0, 3, 0, 0},
        {RECORD_WRITE, "table", 15, 1, 0, 4, 0, 0},
        {RECORD_OPERATION, "op", 1, 1, 0, 4, 0, 0},
        {RECORD_OPERATION, "target", 2, 1, 0, 4, 0, 0},
        {RECORD_OPERATION, "input", 3, 1, 0, 2, 0, 0},
        {RECORD_OPERATION, "cluster_bits", 4, 1, 9, 21, 0, 0},
        {RECORD_OPERATION, "refcount_order", 5, 1, 0, 7, 0, 0},
        {RECORD_OPERATION, "subformat", 6, 1, 0, 2, 0, 0},
        {RECORD_OPERATION, "grain_bits", 7, 1, 12, 16, 0, 0},
        {RECORD_OPERATION, "block_bits", 8, 1, 19, 28, 0, 0},
        {RECORD_OPERATION, "extended_l2", 9, 1, 0, 1, 0, 0},
        {RECORD_OPERATION, "flat", 10, 1, 0, 1, 0, 1},
        {RECORD_OPERATION, "no_skip_zeros", 10, 1, 0, 1, 0, 2},
        {RECORD_OPERATION, "size_only", 10, 1, 0, 1, 0, 4},
        {RECORD_OPERATION, "lazy_refcounts", 10, 1, 0, 1, 0, 8},
        {RECORD_OPERATION, "snapshot", 11, 1, 0, 3, 0, 1},
        {RECORD_OPERATION, "preallocation", 11, 1, 0, 4, 0, 4},
        {RECORD_OPERATION, "compat", 12, 1, 0, 2, 0, 1},
        {RECORD_OPERATION, "compression", 12, 1, 0, 2, 0, 3},
    };
    for (size_t i = 0; i < sizeof frozen / sizeof *frozen; i++) {
        assert_true(i < case_field_count);
        assert_int_equal(case_fields[i].record, frozen[i].record);
        assert_string_equal(case_fields[i].name, frozen[i].name);
        assert_int_equal(case_fields[i].at, frozen[i].at);
        assert_int_equal(case_fields[i].width, frozen[i].width);
        assert_int_equal(case_fields[i].low, frozen[i].low);
        assert_int_equal(case_fields[i].high, frozen[i].high);
        assert_int_equal(case_fields[i].initial, frozen[i].initial);
        assert_int_equal(case_fields[i].divisor, frozen[i].divisor);
    }
}

// What is asked beside a step has a name and a command line, but no byte means it.
static void no_byte_is_an_operation_that_no_case_has(void **state) {
    (void)state;
    bool found = false;
    for (size_t i = 0; i < case_field_count; i++) {
        const struct case_field *field = &case_fields[i];
        if (field->record != RECORD_OPERATION || strcmp(field->name, "op") != 0)
            continue;
        found = true;
        for (uint32_t raw = 0; raw < 256; raw++)
            assert_int_equal(case_field_value(field, raw), raw % 5);
    }
    assert_true(found);
    assert_int_equal(OPERATIONS, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_byte_is_an_operation_that_no_case_has),
        cmocka_unit_test(any_bytes_of_any_length_are_a_case),
        cmocka_unit_test(every_decoded_member_is_in_its_range),
        cmocka_unit_test(decoding_is_canonical),
        cmocka_unit_test(no_bytes_are_a_raw_sector_without_operations),
        cmocka_unit_test(zero_bytes_are_the_defaults),
        cmocka_unit_test(byte_zero_is_two_means_a_later_version),
        cmocka_unit_test(rows_that_share_a_byte_leave_each_other_alone),
        cmocka_unit_test(reserved_bytes_are_ignored),
        cmocka_unit_test(an_inserted_record_keeps_the_others),
        cmocka_unit_test(a_partial_record_is_ignored),
        cmocka_unit_test(records_beyond_the_maximum_do_not_hide_the_other_kind),
        cmocka_unit_test(version_1_means_what_it_always_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
