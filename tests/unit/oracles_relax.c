// SPDX-License-Identifier: Apache-2.0
//
// Each relaxation on its own: the case that needs it, and the neighbour that it must not cover.
// (The members of info are in oracles_info.c.)
#include "oracles_step.h"

#include "oracles/model.h"
#include "oracles/relax.h"

// qemu-img create -f vpc with these sizes, as 7.2 shows them.
static const struct {
    uint64_t asked, shown;
} cylinders[] = {
    {512, 34816},
    {34816, 34816},
    {34817, 69632},
    {1000448, 1009664},
    {1 MIB, 1079296},
    {34 MIB, 35686400},
    {1 GIB, 1073995776},
    {136899993600, 136899993600},
    {137000000000, 137000000000},
};

static void whole_cylinders_are_those_of_qemu_img(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cylinders / sizeof *cylinders; i++)
        assert_int_equal(relax_vpc_cylinders(cylinders[i].asked), cylinders[i].shown);
    assert_int_equal(relax_vpc_cylinders(0), 0);
}

struct demonstration {
    enum relaxation_id id;
    enum image_format source, target;
    enum operation op;
    uint64_t expected, found; // differ: this is why the relaxation is needed
    uint64_t beyond;          // `found` that is not allowed any more
    // With this source or target it is not allowed either; IMAGE_FORMATS: it is for all of them.
    enum image_format not_source, not_target;
};
#define ANY IMAGE_FORMATS

#define GRAIN_BASE UINT64_C(11264 + 2048) // a vmdk of 32 MiB without a grain

static const struct demonstration demonstrations[RELAXATIONS] = {
    {RELAX_PAIR_VPC_CYLINDERS, IMAGE_RAW, IMAGE_VPC, OP_CONVERT, 1 MIB, 1079296, 1079808, ANY,
     IMAGE_QCOW2},
    {RELAX_TRUTH_SECTOR, IMAGE_RAW, IMAGE_RAW, OP_CONVERT, 1000000, 1000448, 1000960, ANY, ANY},
    {RELAX_TRUTH_VPC_CYLINDERS, IMAGE_RAW, IMAGE_VPC, OP_CONVERT, 1000000, 1009664, 1010176, ANY,
     IMAGE_QCOW2},
    {RELAX_TRUTH_ACTIVE_SIZE, IMAGE_QCOW2, IMAGE_RAW, OP_CONVERT, 1 MIB, 2 MIB, 2 MIB + 512, ANY,
     ANY},
    {RELAX_BOUND_CUSHION, IMAGE_RAW, IMAGE_VMDK, OP_MEASURE, 1 MIB, 1 MIB + 65536, 1 MIB + 65537,
     ANY, ANY},
    // 16 MiB of 32 are not zero; all of it was measured.
    {RELAX_BOUND_SPARSE_WRITER, IMAGE_RAW, IMAGE_VMDK, OP_MEASURE, GRAIN_BASE + 32 MIB,
     GRAIN_BASE + 16 MIB, GRAIN_BASE + 16 MIB - 65537, ANY, ANY},
    {RELAX_BOUND_STREAM, IMAGE_RAW, IMAGE_VMDK, OP_MEASURE, 64 MIB, 65536, 65536, ANY, IMAGE_VPC},
    {RELAX_NUMERIC_EMPTY_VHDX, IMAGE_RAW, IMAGE_VHDX, OP_MEASURE, 3 MIB, 67 MIB, 67 MIB, ANY,
     IMAGE_VPC},
    {RELAX_CONTRACT_METADATA, IMAGE_RAW, IMAGE_QCOW2, OP_MEASURE, 327680, 1376256, 1376256, ANY,
     IMAGE_RAW},
    {RELAX_CONTRACT_FALLOC, IMAGE_RAW, IMAGE_QCOW2, OP_MEASURE, 1536, 2048, 2049, ANY, IMAGE_RAW},
    // 16 MiB of data; 132 refcount blocks and their one table of 64 entries.
    {RELAX_CONTRACT_REFCOUNT_TABLE, IMAGE_RAW, IMAGE_QCOW2, OP_MEASURE, 17112576, 17143808,
     17112576 + 390 * 512, ANY, IMAGE_RAW},
    {RELAX_CONTRACT_INSTAR_SECTOR, IMAGE_RAW, IMAGE_QCOW2, OP_MEASURE, 327680, 393216, 393217, ANY,
     IMAGE_RAW},
    {RELAX_MAP_NO_BLOCK_STATUS, IMAGE_VHDX, IMAGE_QCOW2, OP_MEASURE, 0, 1, 1, IMAGE_VMDK, ANY},
    {RELAX_MAP_VPC_PRESENT, IMAGE_VPC, IMAGE_QCOW2, OP_MEASURE, 0, 1, 1, IMAGE_VHDX, ANY},
    {RELAX_MAP_INSTAR_RAW, IMAGE_RAW, IMAGE_QCOW2, OP_MEASURE, 0, 1, 1, IMAGE_VPC, ANY},
    {RELAX_MAP_INSTAR_REFUSES, IMAGE_VMDK, IMAGE_QCOW2, OP_MEASURE, 0, 1, 1, IMAGE_QCOW2, ANY},
    {RELAX_MAP_INSTAR_COMPRESSED, IMAGE_QCOW2, IMAGE_QCOW2, OP_MEASURE, 0, 1, 1, ANY, ANY},
    {RELAX_MAP_STANDIN_VHDX, IMAGE_VHDX, IMAGE_QCOW2, OP_MEASURE, 0, 1, 1, IMAGE_VPC, ANY},
    {RELAX_DAMAGE_OVERLAP, IMAGE_VMDK, IMAGE_FORMATS, OP_CHECK, 0, 1, 1, IMAGE_QCOW2, ANY},
    {RELAX_DAMAGE_SUBCLUSTERS, IMAGE_QCOW2, IMAGE_FORMATS, OP_CHECK, 0, 1, 1, ANY, ANY},
};

static void demonstrate(struct bench *bench, const struct demonstration *shown) {
    bench_begin(bench, shown->op);
    bench->step.source = shown->source;
    bench->step.target = shown->target;
    if (shown->id == RELAX_BOUND_SPARSE_WRITER) {
        bench_size(bench, 32 MIB);
        bench_write(bench, 0, 16 MIB, PATTERN_NOISE);
    } else if (shown->id == RELAX_CONTRACT_FALLOC || shown->id == RELAX_NUMERIC_EMPTY_VHDX) {
        bench_size(bench, 0);
    } else {
        bench->step.truth.declared_size = 1000000;
        bench->step.truth.shown_size = 1000448;
    }
    bench->step.truth.active_size = 2 MIB;
    if (shown->id == RELAX_MAP_INSTAR_REFUSES)
        bench->step.truth.create_type = vmdk_create_types[VMDK_FLAT];
    bench->instar.is_standin = shown->id == RELAX_MAP_STANDIN_VHDX;
    if (shown->id == RELAX_DAMAGE_SUBCLUSTERS)
        bench->qemu_img.version_number = 60199;
    bench->step.options.snapshot = shown->id == RELAX_TRUTH_ACTIVE_SIZE;
    bench->step.options.vmdk_subformat =
        shown->id == RELAX_BOUND_STREAM ? SUBFORMAT_STREAM : SUBFORMAT_NOT_GIVEN;
    bench->step.options.preallocation =
        shown->id == RELAX_CONTRACT_METADATA ? PREALLOCATION_METADATA : PREALLOCATION_FULL;
    if (shown->id == RELAX_CONTRACT_FALLOC || shown->id == RELAX_CONTRACT_REFCOUNT_TABLE)
        bench->step.options.cluster_bits = 9;
}

// Of the contracts, maps and damages; the others are for every tool.
static bool is_qemu_imgs(enum relaxation_id id) {
    return id == RELAX_CONTRACT_METADATA || id == RELAX_CONTRACT_FALLOC ||
           id == RELAX_CONTRACT_REFCOUNT_TABLE || id == RELAX_MAP_NO_BLOCK_STATUS ||
           id == RELAX_MAP_VPC_PRESENT || id == RELAX_DAMAGE_OVERLAP ||
           id == RELAX_DAMAGE_SUBCLUSTERS;
}

// The query of a demonstration, about the answer of the tool that it is about.
static struct relax_query query_of(const struct bench *bench, const struct demonstration *shown) {
    return (struct relax_query){.step = &bench->step,
                                .expected = shown->expected,
                                .found = shown->found,
                                .tool =
                                    is_qemu_imgs(shown->id) ? &bench->qemu_img : &bench->instar};
}

// Contracts, maps and damages are each tool's own: what one of them may, the other may not.
static void relaxations_of_one_tool_do_not_reach_the_other(void **state) {
    (void)state;
    for (int i = RELAX_CONTRACT_METADATA; i < RELAXATIONS; i++) {
        struct bench bench;
        demonstrate(&bench, &demonstrations[i]);
        struct relax_query query = query_of(&bench, &demonstrations[i]);
        query.tool = query.tool == &bench.instar ? &bench.qemu_img : &bench.instar;
        assert_false(relax_allows(i, &query));
        bench_end(&bench);
    }
}

// Where instar's documentation has a deviation that the stand-in does not share.
static void the_stand_in_sees_holes_and_ends_where_it_ends(void **state) {
    (void)state;
    static const enum relaxation_id instars[] = {RELAX_CONTRACT_INSTAR_SECTOR, RELAX_MAP_INSTAR_RAW,
                                                 RELAX_MAP_INSTAR_COMPRESSED};
    for (size_t i = 0; i < sizeof instars / sizeof *instars; i++) {
        struct bench bench;
        demonstrate(&bench, &demonstrations[instars[i]]);
        bench.instar.is_standin = true;
        const struct relax_query query = query_of(&bench, &demonstrations[instars[i]]);
        assert_false(relax_allows(instars[i], &query));
        bench_end(&bench);
    }
}

// Of the stand-in's measure alone qemu's lack of a block status is the model.
static void instar_counts_the_blocks_that_it_maps(void **state) {
    (void)state;
    struct bench bench;
    demonstrate(&bench, &demonstrations[RELAX_MAP_STANDIN_VHDX]);
    bench.instar.is_standin = false;
    const struct relax_query query = query_of(&bench, &demonstrations[RELAX_MAP_STANDIN_VHDX]);
    assert_false(relax_allows(RELAX_MAP_STANDIN_VHDX, &query));
    bench_end(&bench);
}

// A table that did not grow leaves nothing over.
static void small_files_have_no_table_to_outgrow(void **state) {
    (void)state;
    const struct demonstration *shown = &demonstrations[RELAX_CONTRACT_REFCOUNT_TABLE];
    struct bench bench;
    demonstrate(&bench, shown);
    struct relax_query query = query_of(&bench, shown);
    query.expected = 8 MIB - 512; // 64 blocks count 8 MiB
    query.found = 8 MIB;
    assert_false(relax_allows(RELAX_CONTRACT_REFCOUNT_TABLE, &query));
    query.found = 8 MIB + 512;
    assert_true(relax_allows(RELAX_CONTRACT_REFCOUNT_TABLE, &query));
    bench_end(&bench);
}

static void every_relaxation_has_a_case_that_needs_it(void **state) {
    (void)state;
    for (int i = 0; i < RELAXATIONS; i++) {
        const struct demonstration *shown = &demonstrations[i];
        struct bench bench;
        demonstrate(&bench, shown);
        assert_int_equal(shown->id, i);
        assert_int_not_equal(shown->expected, shown->found);
        struct relax_query query = query_of(&bench, shown);
        assert_true(relax_allows(shown->id, &query));
        query.found = shown->beyond;
        if (shown->found != shown->beyond)
            assert_false(relax_allows(shown->id, &query));
        assert_true(relaxations[i].name && strlen(relaxations[i].reason) > 20);
        bench_end(&bench);
    }
}

static bool allows_with(const struct demonstration *shown, enum image_format source,
                        enum image_format target) {
    struct bench bench;
    demonstrate(&bench, shown);
    bench.step.source = source;
    bench.step.target = target;
    const struct relax_query query = query_of(&bench, shown);
    bool allows = relax_allows(shown->id, &query);
    bench_end(&bench);
    return allows;
}

static void relaxations_of_one_format_do_not_reach_another(void **state) {
    (void)state;
    for (int i = 0; i < RELAXATIONS; i++) {
        const struct demonstration *shown = &demonstrations[i];
        if (shown->not_source != ANY)
            assert_false(allows_with(shown, shown->not_source, shown->target));
        if (shown->not_target != ANY)
            assert_false(allows_with(shown, shown->source, shown->not_target));
    }
}

// A vmdk is one file that instar maps like any other, or a descriptor that it does not.
static void a_vmdk_in_one_file_is_to_be_mapped(void **state) {
    (void)state;
    static const struct {
        enum vmdk_subformat subformat;
        bool allows;
    } rows[] = {
        {VMDK_SPARSE, false}, {VMDK_STREAM, false}, {VMDK_FLAT, true}, {VMDK_SPLIT_SPARSE, true}};
    const struct demonstration *shown = &demonstrations[RELAX_MAP_INSTAR_REFUSES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench bench;
        demonstrate(&bench, shown);
        bench.step.truth.create_type = vmdk_create_types[rows[i].subformat];
        const struct relax_query query = query_of(&bench, shown);
        assert_int_equal(relax_allows(shown->id, &query), rows[i].allows);
        bench_end(&bench);
    }
}

static void the_cushion_follows_the_unit(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.step.target = IMAGE_VMDK;
    bench.step.options.grain_bits = 12;
    assert_int_equal(relax_bound_cushion(&bench.step), 65536);
    bench.step.target = IMAGE_VHDX;
    assert_int_equal(relax_bound_cushion(&bench.step), 32 MIB);
    bench_end(&bench);
}

// A fixed VHD is a raw file with a footer: who reads it through a block device sees no holes.
static void a_fixed_vhd_may_be_counted_whole(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench_size(&bench, 64 MIB);
    bench.step.source = IMAGE_VPC;
    bench.step.target = IMAGE_VHDX;
    bench.step.options.block_bits = 20;
    struct model_sizes all, none;
    model_measure(IMAGE_VHDX, &bench.step.options, 64 MIB, 64, &all);
    model_measure(IMAGE_VHDX, &bench.step.options, 64 MIB, 0, &none);
    struct relax_query query = {&bench.step, .expected = all.required, .found = none.required};
    assert_false(relax_allows(RELAX_BOUND_SPARSE_WRITER, &query));
    bench.built.vpc_fixed = true;
    bench.step.truth.options = &bench.built;
    assert_true(relax_allows(RELAX_BOUND_SPARSE_WRITER, &query));
    bench_end(&bench);
}

// A tool that claims too much must not be excused by zeros that it never claimed.
static void what_a_sparse_writer_omits_is_bounded_by_what_was_claimed(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench_size(&bench, 64 MIB);
    bench.step.target = IMAGE_VPC;
    bench_write(&bench, 0, 64 MIB, PATTERN_NOISE);
    struct model_sizes sizes;
    model_measure(IMAGE_VPC, &bench.step.options, 64 MIB, 32, &sizes);
    struct relax_query query = {
        .step = &bench.step, .expected = sizes.required + 8 MIB, .found = sizes.required};
    assert_false(relax_allows(RELAX_BOUND_SPARSE_WRITER, &query));
    query.expected = sizes.required;
    assert_true(relax_allows(RELAX_BOUND_SPARSE_WRITER, &query));
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_cylinders_are_those_of_qemu_img),
        cmocka_unit_test(every_relaxation_has_a_case_that_needs_it),
        cmocka_unit_test(relaxations_of_one_format_do_not_reach_another),
        cmocka_unit_test(a_vmdk_in_one_file_is_to_be_mapped),
        cmocka_unit_test(relaxations_of_one_tool_do_not_reach_the_other),
        cmocka_unit_test(the_stand_in_sees_holes_and_ends_where_it_ends),
        cmocka_unit_test(instar_counts_the_blocks_that_it_maps),
        cmocka_unit_test(small_files_have_no_table_to_outgrow),
        cmocka_unit_test(the_cushion_follows_the_unit),
        cmocka_unit_test(a_fixed_vhd_may_be_counted_whole),
        cmocka_unit_test(what_a_sparse_writer_omits_is_bounded_by_what_was_claimed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
