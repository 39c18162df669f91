// SPDX-License-Identifier: Apache-2.0
//
// What instar's writers lead to: worked sizes of its documentation and source, the capacity that it
// computes beforehand, and the rule that counts files of another size.
#include "oracles_step.h"

#include "oracles/model.h"
#include "oracles/model_writers.h"

// Sizes of a file from a disk of zeros, with one stored unit, and with all of them; `refused`:
// which of these the output device cannot hold (bit set).
#define ZERO 1u
#define ONE  2u
#define FULL 4u
struct vector {
    enum image_format target;
    struct target_options options;
    uint64_t sector, size, zero, one, full;
    unsigned refused;
};

static const struct vector vectors[] = {
    {IMAGE_RAW, {0}, 65536, 1 MIB, 1 MIB, 1 MIB, 1 MIB, 0},
    {IMAGE_RAW, {0}, 65536, 1000448, 1000448, 1000448, 1000448, 0},
    {IMAGE_RAW, {.no_skip_zeros = 1}, 65536, 1000448, 1 MIB, 1 MIB, 1 MIB, 0},
    {IMAGE_QCOW2, {0}, 65536, 1 MIB, 262144, 393216, 1376256, 0},
    {IMAGE_QCOW2, {.cluster_bits = 9}, 65536, 1 MIB, 2048, 3072, 1071104, 0},
    {IMAGE_QCOW2, {.cluster_bits = 12}, 65536, 1 MIB, 16384, 24576, 1069056, 0},
    {IMAGE_QCOW2, {.cluster_bits = 21}, 65536, 1 MIB, 8388608, 12582912, 12582912, ONE | FULL},
    {IMAGE_QCOW2, {.extended_l2 = 1}, 65536, 1 MIB, 262144, 393216, 1376256, 0},
    {IMAGE_QCOW2, {0}, 65536, 64 MIB, 262144, 393216, 67436544, 0},
    {IMAGE_QCOW2, {0}, 65536, 1 GIB, 262144, 393216, 1074135040, 0},
    {IMAGE_QCOW2, {.cluster_bits = 12}, 65536, 1 GIB, 16384, 24576, 1076379648, 0},
    {IMAGE_QCOW2, {.cluster_bits = 9}, 65536, 1 GIB, 264704, 265728, 1095127040, FULL},
    {IMAGE_VMDK, {0}, 65536, 1 MIB, 131072, 262144, 1245184, 0},
    {IMAGE_VMDK, {0}, 512, 1 MIB, 11264, 78848, 1061888, 0},
    {IMAGE_VMDK, {.grain_bits = 12}, 65536, 1 MIB, 131072, 262144, 16973824, FULL},
    {IMAGE_VMDK, {0}, 65536, 64 MIB, 131072, 262144, 67371008, 0},
    {IMAGE_VMDK, {0}, 65536, 1 GIB, 131072, 262144, 1075970048, 0},
    {IMAGE_VPC, {0}, 65536, 1 MIB, 262144, 2424832, 2424832, 0},
    {IMAGE_VPC, {.block_bits = 20}, 65536, 1 MIB, 262144, 1376256, 1376256, 0},
    {IMAGE_VPC, {.block_bits = 23}, 65536, 1 MIB, 262144, 8716288, 8716288, 0},
    {IMAGE_VPC, {0}, 65536, 64 MIB, 262144, 2424832, 69468160, 0},
    {IMAGE_VPC, {.block_bits = 19}, 65536, 64 MIB, 262144, 851968, 75759616, 0},
    {IMAGE_VPC, {.block_bits = 20}, 65536, 256 MIB, 262144, 1376256, 285474816, 0},
    {IMAGE_VPC, {0}, 65536, 1 GIB, 262144, 2424832, 1107558400, 0},
    {IMAGE_VHDX, {0}, 65536, 1 MIB, 3276800, 37748736, 37748736, 0},
    {IMAGE_VHDX, {.block_bits = 20}, 65536, 1 MIB, 3276800, 5242880, 5242880, 0},
    {IMAGE_VHDX, {0}, 65536, 64 MIB, 3276800, 37748736, 71303168, 0},
    {IMAGE_VHDX, {.block_bits = 23}, 65536, 1 GIB, 3276800, 12582912, 1077936128, 0},
    {IMAGE_VHDX, {0}, 65536, 1 GIB, 3276800, 37748736, 1077936128, 0},
    {IMAGE_VHDX, {.block_bits = 26}, 65536, 1 MIB, 3276800, 71303168, 71303168, ONE | FULL},
};

static uint64_t size_of(const struct vector *vector, uint64_t units) {
    uint64_t per_table = writer_units_per_table(vector->target, &vector->options), bytes;
    const struct writer_load load = {
        .size = vector->size, .units = units, .tables = (units + per_table - 1) / per_table};
    assert_true(writer_size(vector->target, &vector->options, &load, vector->sector, &bytes));
    return bytes;
}

static void worked_vectors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct vector *vector = &vectors[i];
        uint64_t unit = model_target_unit(vector->target, &vector->options), capacity;
        uint64_t found[] = {size_of(vector, 0), size_of(vector, 1),
                            size_of(vector, (vector->size + unit - 1) / unit)};
        if (found[0] != vector->zero || found[1] != vector->one || found[2] != vector->full)
            fail_msg("vector %zu: %" PRIu64 " %" PRIu64 " %" PRIu64, i, found[0], found[1],
                     found[2]);
        assert_true(writer_capacity(vector->target, vector->size, vector->sector, &capacity));
        unsigned refused = 0;
        for (unsigned j = 0; j < 3; j++)
            refused |= (unsigned)(found[j] > capacity) << j;
        if (vector->target != IMAGE_RAW && refused != vector->refused)
            fail_msg("vector %zu: refused %u", i, refused);
    }
}

// Where a full disk with small units stops to fit, to the smallest multiple of 64 KiB.
static void capacities_end_where_they_should(void **state) {
    (void)state;
    static const struct {
        enum image_format target;
        struct target_options options;
        uint64_t fits, does_not;
    } rows[] = {
        {IMAGE_VMDK, {.grain_bits = 12}, 640 KIB, 704 KIB},
        {IMAGE_VMDK, {.grain_bits = 13}, 1408 KIB, 1472 KIB},
        {IMAGE_VMDK, {.grain_bits = 14}, 3328 KIB, 3392 KIB},
        {IMAGE_VMDK, {.grain_bits = 15}, 10112 KIB, 10176 KIB},
        {IMAGE_VPC, {.block_bits = 19}, 104 MIB, 105 MIB},
        {IMAGE_VPC, {.block_bits = 20}, 313 MIB, 314 MIB},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int larger = 0; larger < 2; larger++) {
            uint64_t size = larger ? rows[i].does_not : rows[i].fits, capacity;
            uint64_t unit = model_target_unit(rows[i].target, &rows[i].options);
            const struct vector vector = {.target = rows[i].target,
                                          .options = rows[i].options,
                                          .sector = 65536,
                                          .size = size};
            assert_true(writer_capacity(rows[i].target, size, 65536, &capacity));
            if ((size_of(&vector, (size + unit - 1) / unit) > capacity) != larger)
                fail_msg("row %zu, %d", i, larger);
        }
}

static void huge_disks_do_not_wrap(void **state) {
    (void)state;
    const struct target_options none = {0};
    uint64_t bytes;
    for (int target = 0; target < IMAGE_FORMATS; target++) {
        const uint64_t most = UINT64_MAX / 2 / 512;
        const struct writer_load whole = {UINT64_MAX, most, most},
                                 empty = {UINT64_C(1) << 62, 0, 0};
        if (target != IMAGE_RAW)
            assert_false(writer_size((enum image_format)target, &none, &whole, 65536, &bytes));
        assert_true(writer_size((enum image_format)target, &none, &empty, 65536, &bytes));
        assert_false(writer_capacity((enum image_format)target, UINT64_MAX, 65536, &bytes));
    }
}

static void no_formula_no_size(void **state) {
    (void)state;
    const struct writer_load load = {1 MIB, 1, 1};
    uint64_t bytes;
    for (uint32_t subformat = SUBFORMAT_STREAM; subformat <= SUBFORMAT_FLAT; subformat++) {
        const struct target_options options = {.vmdk_subformat = subformat};
        assert_false(writer_size(IMAGE_VMDK, &options, &load, 65536, &bytes));
    }
}

static void a_file_of_another_size_is_counted_and_accuses_nobody(void **state) {
    (void)state;
    struct bench bench;
    bench_begin(&bench, OP_CONVERT);
    bench_write(&bench, 0, 4096, PATTERN_NOISE);
    bench.step.a.output_file_size = 393216;
    bench_agrees(&bench, "writer_size");
    bench.step.a.output_file_size = 393216 + 512;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "size_not_predicted");
    bench.instar.is_standin = true; // has a layout of its own
    bench_judge(&bench);
    assert_null(bench_find(&bench, "writer_size", VERDICT_INCONCLUSIVE));
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_vectors),
        cmocka_unit_test(capacities_end_where_they_should),
        cmocka_unit_test(huge_disks_do_not_wrap),
        cmocka_unit_test(no_formula_no_size),
        cmocka_unit_test(a_file_of_another_size_is_counted_and_accuses_nobody),
    };
    return cmocka_run_group_tests_name("instar's writers", tests, NULL, NULL);
}
