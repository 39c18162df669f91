// SPDX-License-Identifier: Apache-2.0
//
// Each mutation does what its name says, on a case that has what it needs.
#include "tests/unit/classes_helper.h"
#include "tests/unit/testcase_helper.h"

#include "mutators/mutation.h"
#include "testcase/caps.h"

#include <stdio.h>

// A source with three writes and a chain of three operations; nothing in it is at its default.
static void suitable_case(uint64_t *state, struct testcase *testcase) {
    case_decode(testcase, NULL, 0);
    testcase->format = (uint32_t)(helper_random(state) >> 33) % IMAGE_FORMATS;
    helper_set_size(testcase, SIZE_EDGE, 3, 0); // 8 MiB
    for (uint32_t i = 0; i < 3; i++) {
        struct case_write *write = helper_add_write(testcase);
        write->anchor = ANCHOR_TARGET;
        write->offset = 8 * i + (uint32_t)(helper_random(state) >> 33) % 8;
        write->offset_delta = (int32_t)i * 3;
        write->delta_scale = i == 1;
        write->length_scale = LENGTH_SECTORS;
        write->length = (uint32_t)(helper_random(state) >> 33) % 200;
        write->seed = i;
    }
    static const enum operation chain[] = {OP_CONVERT, OP_MEASURE, OP_INFO};
    for (uint32_t i = 0; i < 3; i++) {
        struct case_operation *operation = &testcase->operations[testcase->operation_count++];
        case_record_defaults(RECORD_OPERATION, operation);
        operation->op = chain[i];
        operation->target = IMAGE_QCOW2;
        operation->cluster_bits = 12;
    }
}

// Applies it until it finds something to do; how often it was asked.
static unsigned apply(bool (*mutation)(struct mut_work *), struct mut_random *random,
                      struct testcase *testcase, const struct testcase *donor) {
    const struct testcase before = *testcase;
    for (unsigned tries = 1; tries < 200; tries++) {
        struct mut_work work = {.testcase = testcase, .donor = donor, .random = random};
        if (mutation(&work))
            return tries;
        *testcase = before;
    }
    fail_msg("found nothing to do");
    return 0;
}

static void every_mutation_changes_something(void **state) {
    (void)state;
    uint64_t seed = 1;
    struct mut_random random = {1};
    const struct mutation *tables[] = {mut_mutations, mut_splices};
    const size_t counts[] = {mut_mutation_count, mut_splice_count};
    for (size_t table = 0; table < 2; table++)
        for (size_t i = 0; i < counts[table]; i++) {
            const struct mutation *mutation = &tables[table][i];
            unsigned changed = 0, rounds = 300;
            for (unsigned round = 0; round < rounds; round++) {
                struct testcase before, after, donor;
                suitable_case(&seed, &before);
                suitable_case(&seed, &donor);
                donor.qcow2_version = 2;
                donor.operations[0].op = OP_CHECK;
                after = before;
                apply(mutation->apply, &random, &after, &donor);
                changed += mut_meaning(&before) != mut_meaning(&after);
            }
            // Fields that another format reads are drawn as often as others.
            if (changed * 4 < rounds)
                fail_msg("%s changed %u of %u cases", mutation->name, changed, rounds);
        }
}

static void lists_grow_and_shrink_by_one(void **state) {
    (void)state;
    const struct {
        bool (*mutation)(struct mut_work *);
        int writes, operations;
    } rows[] = {
        {mut_write_add, 1, 0},  {mut_write_drop, -1, 0}, {mut_write_copy, 1, 0},
        {mut_write_move, 0, 0}, {mut_op_add, 0, 1},      {mut_op_drop, 0, -1},
        {mut_op_copy, 0, 1},    {mut_op_move, 0, 0},     {mut_op_new, 0, 0},
        {mut_op_target, 0, 0},
    };
    uint64_t seed = 2;
    struct mut_random random = {2};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned round = 0; round < 100; round++) {
            struct testcase testcase;
            suitable_case(&seed, &testcase);
            apply(rows[i].mutation, &random, &testcase, NULL);
            assert_int_equal(testcase.write_count, 3 + rows[i].writes);
            assert_int_equal(testcase.operation_count, 3 + rows[i].operations);
        }
}

static void full_lists_stay_within_their_limits(void **state) {
    (void)state;
    uint64_t seed = 3;
    struct mut_random random = {3};
    struct testcase testcase, donor;
    suitable_case(&seed, &testcase);
    while (testcase.write_count < CASE_MAX_WRITES)
        helper_add_write(&testcase);
    while (testcase.operation_count < CASE_MAX_OPERATIONS)
        case_record_defaults(RECORD_OPERATION, &testcase.operations[testcase.operation_count++]);
    donor = testcase;
    for (unsigned round = 0; round < 20000; round++) {
        struct mut_work work = {.testcase = &testcase, .donor = &donor, .random = &random};
        if (round % 3)
            mut_mutations[round % mut_mutation_count].apply(&work);
        else
            mut_splices[round % mut_splice_count].apply(&work);
        assert_true(testcase.write_count <= CASE_MAX_WRITES);
        assert_true(testcase.operation_count <= CASE_MAX_OPERATIONS);
    }
}

static void a_compressed_convert_is_drawn_least(void **state) {
    (void)state;
    struct mut_random random = {4};
    unsigned drawn[OPERATIONS] = {0};
    for (unsigned i = 0; i < 10000; i++)
        drawn[mut_operation_kind(&random)]++;
    assert_true(drawn[OP_CONVERT_COMPRESSED] * 2 < drawn[OP_CONVERT]);
    assert_true(drawn[OP_CONVERT_COMPRESSED] * 2 < drawn[OP_MEASURE]);
    assert_true(drawn[OP_CONVERT_COMPRESSED] > 500);
}

// Does some end of a changed write lie on a unit of the source or a target, where none did before?
static bool on_a_unit(const struct testcase *testcase, uint64_t at) {
    if (at % case_source_unit(testcase) == 0)
        return true;
    for (uint32_t i = 0; i < testcase->operation_count; i++) {
        uint32_t unit = mut_target_unit(testcase, &testcase->operations[i]);
        if (unit && at % unit == 0)
            return true;
    }
    return at == case_virtual_size(testcase);
}

// Every class of source that a campaign must have tried, from one case that is in one of them.
static void kinds_reach_every_class_of_source(void **state) {
    (void)state;
    uint64_t seed = 4, met = 0;
    struct mut_random random = {4};
    for (unsigned round = 0; round < 3000; round++) {
        struct testcase testcase;
        suitable_case(&seed, &testcase);
        apply(mut_kind, &random, &testcase, NULL);
        met |= helper_classes(&testcase);
    }
    for (size_t i = 0; i < SOURCE_BUILT_CLASSES; i++)
        if (!(met >> i & 1))
            fail_msg("no %s", source_classes[i].name);
}

// Kinds that join leave what was there, as far as one source can be both.
static void a_kind_joins_others_of_its_format(void **state) {
    (void)state;
    struct mut_random random = {9};
    unsigned both = 0;
    for (unsigned round = 0; round < 1000; round++) {
        struct testcase testcase;
        helper_plain_case(&testcase, IMAGE_QCOW2);
        helper_set_size(&testcase, SIZE_EDGE, 3, 0);
        testcase.lazy_refcounts = 1;
        testcase.backing_1 = BACKING_VHDX;
        apply(mut_kind_join, &random, &testcase, NULL);
        assert_int_equal(testcase.format, IMAGE_QCOW2);
        assert_int_equal(testcase.lazy_refcounts, 1);
        both += testcase.backing_1 == BACKING_VHDX;
    }
    assert_true(both > 500);
}

// A write comes to lie across, before or behind the end of a file below, of an extent, of what one
// table speaks for.
static void a_write_meets_an_edge(void **state) {
    (void)state;
    struct mut_random random = {10};
    enum { BELOW, TABLE, EXTENT, DISK, EDGES };
    unsigned across[EDGES] = {0}, beside[EDGES] = {0};
    for (unsigned round = 0; round < 4000; round++) {
        struct testcase testcase, layer;
        struct content_extent extents[CASE_MAX_WRITES];
        bool split = round % 2;
        helper_plain_case(&testcase, split ? IMAGE_VMDK : IMAGE_QCOW2);
        helper_set_size(&testcase, SIZE_EDGE, 2, 0); // 4 MiB
        testcase.vmdk_layout = split ? LAYOUT_SPLIT_SPARSE : LAYOUT_SINGLE;
        testcase.cluster_bits = 12; // 2 MiB a table
        testcase.backing_1 = split ? BACKING_NONE : BACKING_RAW;
        testcase.backing_1_size = BACKING_SECTOR_SHORTER;
        apply(mut_write_edge, &random, &testcase, NULL);
        struct image_options options;
        case_image_options(&testcase, &options);
        case_layer(&testcase, split ? 0 : 1, &layer);
        const uint64_t edges[EDGES] = {
            [BELOW] = split ? 0 : case_virtual_size(&layer),
            [TABLE] = split ? 0 : 2 * MIB,
            [EXTENT] = options.vmdk_extent,
            [DISK] = case_virtual_size(&testcase),
        };
        case_chain_extents(&testcase, extents);
        for (uint32_t i = 0; i < testcase.write_count; i++)
            for (size_t edge = 0; edge < EDGES; edge++) {
                uint64_t end = extents[i].offset + extents[i].length;
                across[edge] += extents[i].offset < edges[edge] && end > edges[edge];
                beside[edge] += extents[i].offset == edges[edge] || end == edges[edge];
            }
    }
    for (size_t edge = 0; edge < EDGES; edge++) {
        assert_true(across[edge] > 100 || edge == DISK);
        assert_true(beside[edge] > 100);
    }
}

static void a_comb_has_its_teeth_a_unit_apart(void **state) {
    (void)state;
    uint64_t seed = 5;
    struct mut_random random = {5};
    unsigned combs = 0;
    for (unsigned round = 0; round < 300; round++) {
        struct testcase testcase;
        struct content_extent extents[CASE_MAX_WRITES];
        suitable_case(&seed, &testcase);
        apply(mut_write_comb, &random, &testcase, NULL);
        size_t count = case_write_extents(&testcase, extents);
        if (count < 6)
            continue;
        combs++;
        uint64_t stride = extents[4].offset - extents[3].offset;
        assert_true(stride >= SECTOR);
        for (size_t i = 5; i < count; i++)
            assert_int_equal(extents[i].offset - extents[i - 1].offset, stride);
        for (size_t i = 3; i < count; i++)
            assert_true(extents[i].length <= stride);
    }
    assert_true(combs > 100);
}

static void alignment_puts_an_end_on_a_unit(void **state) {
    (void)state;
    uint64_t seed = 5;
    struct mut_random random = {5};
    for (unsigned round = 0; round < 2000; round++) {
        struct testcase before, after;
        struct content_extent old[CASE_MAX_WRITES], new[CASE_MAX_WRITES];
        suitable_case(&seed, &before);
        after = before;
        apply(mut_align, &random, &after, NULL);
        case_write_extents(&before, old);
        case_write_extents(&after, new);
        unsigned moved = 0;
        for (uint32_t i = 0; i < after.write_count; i++) {
            if (new[i].offset != old[i].offset) {
                assert_true(on_a_unit(&after, new[i].offset));
                moved++;
            }
            uint64_t end = new[i].offset + new[i].length, was = old[i].offset + old[i].length;
            // A beginning that is moved over the end takes the end along, by one unit.
            if (end != was) {
                assert_true(on_a_unit(&after, end));
                moved++;
            }
        }
        assert_in_range(moved, 1, 2);
    }
}

static void misalignment_puts_an_end_beside_a_unit(void **state) {
    (void)state;
    uint64_t seed = 6;
    struct mut_random random = {6};
    unsigned beside = 0, rounds = 2000;
    for (unsigned round = 0; round < rounds; round++) {
        struct testcase before, after;
        struct content_extent old[CASE_MAX_WRITES], new[CASE_MAX_WRITES];
        suitable_case(&seed, &before);
        after = before;
        apply(mut_misalign, &random, &after, NULL);
        case_write_extents(&before, old);
        case_write_extents(&after, new);
        for (uint32_t i = 0; i < after.write_count; i++) {
            uint64_t end = new[i].offset + new[i].length, was = old[i].offset + old[i].length;
            bool begin_moved = new[i].offset != old[i].offset;
            if (begin_moved || end != was)
                beside += !on_a_unit(&after, begin_moved ? new[i].offset : end);
        }
    }
    // Half a large unit can be a whole small one.
    assert_true(beside * 4 > rounds * 3);
}

static void assert_same_content(const struct testcase *a, const struct testcase *b) {
    struct content one = {0}, two = {0};
    case_content(a, &one);
    case_content(b, &two);
    assert_int_equal(one.size, two.size);
    assert_int_equal(one.count, two.count);
    for (size_t i = 0; i < one.count; i++) {
        assert_int_equal(one.extents[i].offset, two.extents[i].offset);
        assert_int_equal(one.extents[i].length, two.extents[i].length);
        assert_int_equal(one.extents[i].pattern, two.extents[i].pattern);
        assert_int_equal(one.extents[i].seed, two.extents[i].seed);
    }
    content_free(&one);
    content_free(&two);
}

static void another_format_has_the_same_disk(void **state) {
    (void)state;
    uint64_t seed = 7;
    struct mut_random random = {7};
    unsigned met[IMAGE_FORMATS][IMAGE_FORMATS] = {0};
    for (unsigned round = 0; round < 3000; round++) {
        struct testcase before, after;
        suitable_case(&seed, &before);
        before.cluster_bits = 9 + round % 13;
        before.block_bits = 19 + round % 8;
        before.grain_bits = 12 + round % 5;
        // Counted in the source's unit, which the format changes: the disk and a write.
        if (round % 2)
            helper_set_size(&before, SIZE_UNITS, 1 + round % 16, (int32_t)(round % 3));
        before.writes[1].anchor = ANCHOR_SOURCE;
        before.writes[1].length_scale = round % 4 ? LENGTH_SECTORS : LENGTH_UNITS;
        before.writes[1].length %= 4;
        before.writes[2].anchor = ANCHOR_END;
        // A size that the vmdk writer's source cannot have is no matter here: all are below 8 GiB.
        if (case_virtual_size(&before) > (16u << 20))
            helper_set_size(&before, SIZE_EDGE, 3, 0);
        struct content_extent extents[CASE_MAX_WRITES];
        case_write_extents(&before, extents);
        // No field says the length of a long write that ends in mid-sector.
        if (extents[1].length > 65536 && extents[1].length % 512)
            continue;
        after = before;
        apply(mut_format, &random, &after, NULL);
        assert_true(after.format != before.format);
        met[before.format][after.format]++;
        assert_same_content(&before, &after);
    }
    for (int from = 0; from < IMAGE_FORMATS; from++)
        for (int to = 0; to < IMAGE_FORMATS; to++)
            assert_true(from == to || met[from][to] > 0);
}

// Without a file below it the disk of a chain has to be one file's content.
static void a_chain_becomes_one_file_with_the_source_on_top(void **state) {
    (void)state;
    struct mut_random random = {8};
    for (unsigned round = 0; round < 200; round++) {
        struct testcase testcase;
        helper_plain_case(&testcase, IMAGE_QCOW2);
        helper_set_size(&testcase, SIZE_EDGE, 0, 0);
        testcase.backing_1 = BACKING_RAW;
        for (uint32_t i = 0; i < 2; i++) {
            struct case_write *write = helper_add_write(&testcase);
            write->length_scale = LENGTH_SECTORS;
            write->length = 7;
            write->seed = i;
            write->layer = i;
        }
        apply(mut_format, &random, &testcase, NULL);
        if (case_layers(&testcase) > 1)
            continue;
        struct content content = {0};
        case_content(&testcase, &content);
        assert_int_equal(content.extents[0].seed, 0);
        content_free(&content);
    }
}

static void meaning_leaves_out_what_nobody_reads(void **state) {
    (void)state;
    struct testcase a, b;
    uint64_t seed = 9;
    suitable_case(&seed, &a);
    a.format = IMAGE_RAW;
    b = a;
    b.cluster_bits = 9;
    b.vpc_fixed = 1;
    b.operations[1].grain_bits = 12;
    b.operations[2].target = IMAGE_VMDK;
    assert_true(mut_meaning(&a) == mut_meaning(&b));
    b.operations[1].refcount_order = 1;
    assert_false(mut_meaning(&a) == mut_meaning(&b));
    b = a;
    b.writes[0].seed++;
    assert_false(mut_meaning(&a) == mut_meaning(&b));
    b = a;
    b.operations[2].input = INPUT_A_OUTPUT;
    assert_false(mut_meaning(&a) == mut_meaning(&b));
    b = a;
    b.format = IMAGE_QCOW2;
    assert_false(mut_meaning(&a) == mut_meaning(&b));
}

static uint64_t meaning_of(const char *text) {
    struct testcase testcase;
    struct fault fault = {0};
    if (case_from_json(&testcase, text, &fault))
        fail_msg("%s", fault.text);
    return mut_meaning(&testcase);
}

#define OVER_RAW(snapshots_, first_, second_)                                                      \
    "{\"format\": \"qcow2\", \"backing_1\": \"raw\", \"virtual_size\": 1048576, "                  \
    "\"snapshots\": " #snapshots_ ", \"writes\": [{\"length_bytes\": 4096, \"layer\": " #first_    \
    "}, {\"length_bytes\": 4096, \"layer\": " #second_ "}]}"

// A snapshot is taken between the two writes: which of them it has is another image.
static void the_order_of_writes_counts_where_it_is_seen(void **state) {
    (void)state;
    assert_false(meaning_of(OVER_RAW(1, 0, 1)) == meaning_of(OVER_RAW(1, 1, 0)));
    assert_true(meaning_of(OVER_RAW(0, 0, 1)) == meaning_of(OVER_RAW(0, 1, 0)));
}

#define BEHIND_CONVERT(input_, size_)                                                              \
    "{\"virtual_size\": 1048576, \"operations\": [{\"op\": \"convert\", \"target\": \"raw\"}, "    \
    "{\"op\": \"measure\", \"target\": \"qcow2\", \"size_only\": " #size_                          \
    ", \"input\": \"" #input_ "\"}]}"

static void what_is_measured_by_size_has_no_input(void **state) {
    (void)state;
    assert_true(meaning_of(BEHIND_CONVERT(source, true)) ==
                meaning_of(BEHIND_CONVERT(a_output, true)));
    assert_false(meaning_of(BEHIND_CONVERT(source, false)) ==
                 meaning_of(BEHIND_CONVERT(a_output, false)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mutation_changes_something),
        cmocka_unit_test(lists_grow_and_shrink_by_one),
        cmocka_unit_test(full_lists_stay_within_their_limits),
        cmocka_unit_test(a_compressed_convert_is_drawn_least),
        cmocka_unit_test(kinds_reach_every_class_of_source),
        cmocka_unit_test(a_kind_joins_others_of_its_format),
        cmocka_unit_test(a_write_meets_an_edge),
        cmocka_unit_test(a_comb_has_its_teeth_a_unit_apart),
        cmocka_unit_test(alignment_puts_an_end_on_a_unit),
        cmocka_unit_test(misalignment_puts_an_end_beside_a_unit),
        cmocka_unit_test(another_format_has_the_same_disk),
        cmocka_unit_test(a_chain_becomes_one_file_with_the_source_on_top),
        cmocka_unit_test(meaning_leaves_out_what_nobody_reads),
        cmocka_unit_test(the_order_of_writes_counts_where_it_is_seen),
        cmocka_unit_test(what_is_measured_by_size_has_no_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
