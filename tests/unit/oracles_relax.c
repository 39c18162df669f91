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
};

#define GRAIN_BASE UINT64_C(11264 + 2048) // a vmdk of 32 MiB without a grain

static const struct demonstration demonstrations[RELAXATIONS] = {
    {RELAX_PAIR_VPC_CYLINDERS, IMAGE_RAW, IMAGE_VPC, OP_CONVERT, 1 MIB, 1079296, 1079808},
    {RELAX_TRUTH_SECTOR, IMAGE_RAW, IMAGE_RAW, OP_CONVERT, 1000000, 1000448, 1000960},
    {RELAX_TRUTH_VPC_CYLINDERS, IMAGE_RAW, IMAGE_VPC, OP_CONVERT, 1000000, 1009664, 1010176},
    {RELAX_TRUTH_ACTIVE_SIZE, IMAGE_QCOW2, IMAGE_RAW, OP_CONVERT, 1 MIB, 2 MIB, 2 MIB + 512},
    {RELAX_BOUND_CUSHION, IMAGE_RAW, IMAGE_VMDK, OP_MEASURE, 1 MIB, 1 MIB + 65536, 1 MIB + 65537},
    // 16 MiB of 32 are not zero; all of it was measured.
    {RELAX_BOUND_SPARSE_WRITER, IMAGE_RAW, IMAGE_VMDK, OP_MEASURE, GRAIN_BASE + 32 MIB,
     GRAIN_BASE + 16 MIB, GRAIN_BASE + 16 MIB - 65537},
    {RELAX_BOUND_STREAM, IMAGE_RAW, IMAGE_VMDK, OP_MEASURE, 64 MIB, 65536, 65536},
};

static void demonstrate(struct bench *bench, const struct demonstration *shown) {
    bench_begin(bench, shown->op);
    bench->step.source = shown->source;
    bench->step.target = shown->target;
    if (shown->id == RELAX_BOUND_SPARSE_WRITER) {
        bench_size(bench, 32 MIB);
        bench_write(bench, 0, 16 MIB, PATTERN_NOISE);
    } else {
        bench->step.truth.declared_size = 1000000;
        bench->step.truth.shown_size = 1000448;
    }
    bench->step.truth.active_size = 2 MIB;
    bench->step.options.snapshot = shown->id == RELAX_TRUTH_ACTIVE_SIZE;
    bench->step.options.vmdk_subformat =
        shown->id == RELAX_BOUND_STREAM ? SUBFORMAT_STREAM : SUBFORMAT_NOT_GIVEN;
}

static void every_relaxation_has_a_case_that_needs_it(void **state) {
    (void)state;
    for (int i = 0; i < RELAXATIONS; i++) {
        const struct demonstration *shown = &demonstrations[i];
        struct bench bench;
        demonstrate(&bench, shown);
        assert_int_equal(shown->id, i);
        assert_int_not_equal(shown->expected, shown->found);
        struct relax_query query = {&bench.step, shown->expected, shown->found};
        assert_true(relax_allows(shown->id, &query));
        query.found = shown->beyond;
        if (shown->found != shown->beyond)
            assert_false(relax_allows(shown->id, &query));
        assert_true(relaxations[i].name && strlen(relaxations[i].reason) > 20);
        bench_end(&bench);
    }
}

static void relaxations_of_one_target_do_not_reach_another(void **state) {
    (void)state;
    for (int i = 0; i < RELAXATIONS; i++) {
        const struct demonstration *shown = &demonstrations[i];
        if (shown->target == IMAGE_RAW || i == RELAX_BOUND_CUSHION ||
            i == RELAX_BOUND_SPARSE_WRITER)
            continue;
        struct bench bench;
        demonstrate(&bench, shown);
        bench.step.target = IMAGE_QCOW2;
        const struct relax_query query = {&bench.step, shown->expected, shown->found};
        assert_false(relax_allows(shown->id, &query));
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
    struct relax_query query = {&bench.step, sizes.required + 8 MIB, sizes.required};
    assert_false(relax_allows(RELAX_BOUND_SPARSE_WRITER, &query));
    query.expected = sizes.required;
    assert_true(relax_allows(RELAX_BOUND_SPARSE_WRITER, &query));
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_cylinders_are_those_of_qemu_img),
        cmocka_unit_test(every_relaxation_has_a_case_that_needs_it),
        cmocka_unit_test(relaxations_of_one_target_do_not_reach_another),
        cmocka_unit_test(the_cushion_follows_the_unit),
        cmocka_unit_test(what_a_sparse_writer_omits_is_bounded_by_what_was_claimed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
