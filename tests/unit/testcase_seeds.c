// SPDX-License-Identifier: Apache-2.0
//
// The seeds are where every campaign starts: each must load, mean something, be affordable, say why
// it exists, and together they must reach every format, operation and target. Runs from the
// repository's root.
#include "tests/unit/testcase_helper.h"

#include <glob.h>
#include <stdio.h>

static glob_t seeds;

static int find_seeds(void **state) {
    (void)state;
    return glob("corpus/seeds/*.json", 0, NULL, &seeds);
}

static int forget_seeds(void **state) {
    (void)state;
    globfree(&seeds);
    return 0;
}

static void load(size_t index, struct testcase *testcase) {
    struct fault fault;
    if (case_load(testcase, seeds.gl_pathv[index], &fault))
        fail_msg("%s", fault.text);
}

static void every_seed_survives_both_forms(void **state) {
    (void)state;
    struct buffer text = {0};
    assert_true(seeds.gl_pathc >= 60);
    for (size_t i = 0; i < seeds.gl_pathc; i++) {
        struct testcase seed, again;
        uint8_t bytes[CASE_MAX_BYTES];
        load(i, &seed);
        case_decode(&again, bytes, case_encode(&seed, bytes));
        helper_assert_same(&seed, &again);
        buffer_clear(&text);
        case_to_json(&seed, &text);
        assert_int_equal(case_from_json(&again, text.data, NULL), 0);
        helper_assert_same(&seed, &again);
    }
    buffer_free(&text);
}

static void every_seed_says_why_it_exists(void **state) {
    (void)state;
    for (size_t i = 0; i < seeds.gl_pathc; i++) {
        char start[8] = "";
        FILE *file = fopen(seeds.gl_pathv[i], "r");
        assert_non_null(file);
        assert_non_null(fgets(start, sizeof start, file));
        fclose(file);
        if (strncmp(start, "// ", 3))
            fail_msg("%s does not begin with a comment", seeds.gl_pathv[i]);
    }
}

static void no_seed_asks_for_what_is_left_out(void **state) {
    (void)state;
    for (size_t i = 0; i < seeds.gl_pathc; i++) {
        struct testcase seed;
        struct content_extent extents[CASE_MAX_WRITES];
        load(i, &seed);
        size_t count = case_chain_extents(&seed, extents);
        for (size_t at = 0; at < count; at++)
            if (extents[at].length == 0)
                fail_msg("%s: write %zu is left out", seeds.gl_pathv[i], at + 1);
        for (uint32_t at = 0; at < seed.operation_count; at++)
            if (!case_operation_allowed(&seed, &seed.operations[at], NULL))
                fail_msg("%s: operation %u is not allowed", seeds.gl_pathv[i], at + 1);
    }
}

static void no_two_seeds_are_the_same(void **state) {
    (void)state;
    for (size_t i = 0; i < seeds.gl_pathc; i++)
        for (size_t j = 0; j < i; j++) {
            struct testcase a, b;
            load(i, &a);
            load(j, &b);
            if (!memcmp(&a, &b, sizeof a))
                fail_msg("%s and %s are the same case", seeds.gl_pathv[i], seeds.gl_pathv[j]);
        }
}

static void seeds_reach_every_value_of_every_choice(void **state) {
    (void)state;
    bool operations[IMAGE_FORMATS][OPERATIONS][IMAGE_FORMATS] = {0};
    bool values[96][32] = {0};
    bool without_operations = false;

    assert_true(case_field_count <= 96);
    for (size_t i = 0; i < seeds.gl_pathc; i++) {
        struct testcase seed;
        load(i, &seed);
        without_operations |= seed.operation_count == 0;
        for (uint32_t at = 0; at < seed.operation_count; at++)
            operations[seed.format][seed.operations[at].op][seed.operations[at].target] = true;
        for (size_t f = 0; f < case_field_count; f++) {
            const struct case_field *field = &case_fields[f];
            if (field->kind != FIELD_ENUM && field->kind != FIELD_FLAG)
                continue;
            if (field->record == RECORD_HEADER)
                values[f][case_field_get(field, &seed)] = true;
            for (uint32_t at = 0; at < seed.write_count && field->record == RECORD_WRITE; at++)
                values[f][case_field_get(field, &seed.writes[at])] = true;
            for (uint32_t at = 0; at < seed.operation_count && field->record == RECORD_OPERATION;
                 at++)
                values[f][case_field_get(field, &seed.operations[at])] = true;
        }
    }
    assert_true(without_operations);
    for (size_t f = 0; f < case_field_count; f++)
        for (int64_t value = 0; value <= case_fields[f].high; value++)
            if ((case_fields[f].kind == FIELD_ENUM || case_fields[f].kind == FIELD_FLAG) &&
                !values[f][value])
                fail_msg("no seed has %s %s = %d", case_record_names[case_fields[f].record],
                         case_fields[f].name, (int)value);
    for (int format = 0; format < IMAGE_FORMATS; format++)
        for (int op = 0; op < OPERATIONS; op++)
            for (int target = 0; target < IMAGE_FORMATS; target++) {
                bool counts = operation_has_target((enum operation)op) ? true : target == 0;
                if (op == OP_CONVERT_COMPRESSED)
                    counts = target == IMAGE_QCOW2 || target == IMAGE_VMDK;
                if (counts && !operations[format][op][target])
                    fail_msg("no seed runs %s of %s for %s", operation_names[op],
                             case_format_names[format], case_format_names[target]);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_seed_survives_both_forms),
        cmocka_unit_test(every_seed_says_why_it_exists),
        cmocka_unit_test(no_seed_asks_for_what_is_left_out),
        cmocka_unit_test(no_two_seeds_are_the_same),
        cmocka_unit_test(seeds_reach_every_value_of_every_choice),
    };
    return cmocka_run_group_tests(tests, find_seeds, forget_seeds);
}
