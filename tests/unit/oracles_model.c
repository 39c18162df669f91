// SPDX-License-Identifier: Apache-2.0
//
// The model against worked vectors of qemu-img and of instar's documentation.
#include "oracles_step.h"

#include "oracles/model.h"

struct vector {
    enum image_format target;
    struct target_options options;
    uint64_t size, allocated, required, fully;
};

// `allocated` bytes are dense, so they touch as few units as they can. ALL: as many as there are.
#define ALL UINT64_MAX

static const struct vector vectors[] = {
    {IMAGE_RAW, {0}, 1 MIB, 0, 1 MIB, 1 MIB},
    {IMAGE_RAW, {0}, 511, 0, 511, 511},
    {IMAGE_QCOW2, {0}, 0, 0, 196608, 196608},
    {IMAGE_QCOW2, {.cluster_bits = 9}, 1 MIB, 0, 22528, 1071104},
    {IMAGE_QCOW2, {.cluster_bits = 12}, 1 MIB, 0, 20480, 1069056},
    {IMAGE_QCOW2, {0}, 1 MIB, 0, 327680, 1376256},
    {IMAGE_QCOW2, {.cluster_bits = 21}, 1 MIB, 0, 10485760, 12582912},
    {IMAGE_QCOW2, {.cluster_bits = 9}, 64 MIB, 0, 1337856, 68446720},
    {IMAGE_QCOW2, {.cluster_bits = 16}, 64 MIB, 0, 327680, 67436544},
    {IMAGE_QCOW2, {.cluster_bits = 9}, 1 GIB, 0, 21385216, 1095127040},
    {IMAGE_QCOW2, {.cluster_bits = 12}, 1 GIB, 0, 2637824, 1076379648},
    {IMAGE_QCOW2, {0}, 1 GIB, 0, 393216, 1074135040},
    {IMAGE_QCOW2, {0}, 1024 GIB, 0, 168034304, 1099679662080},
    {IMAGE_QCOW2, {.cluster_bits = 21}, 1024 GIB, 0, 12582912, 1099524210688},
    {IMAGE_QCOW2, {.refcount_bits = 1}, 1024 GIB, 0, 136577024, 1099648204800},
    {IMAGE_QCOW2, {.refcount_bits = 64}, 1024 GIB, 0, 268697600, 1099780325376},
    {IMAGE_QCOW2, {.refcount_bits = 64}, 1 GIB, 0, 524288, 1074266112},
    {IMAGE_QCOW2, {0}, 64 MIB, 16 MIB, 17104896, 67436544},
    {IMAGE_QCOW2, {.cluster_bits = 12}, 1 GIB, 512 MIB, 539508736, 1076379648},
    {IMAGE_QCOW2, {.extended_l2 = 1}, 1 GIB, 0, 524288, 1074266112},
    {IMAGE_QCOW2, {.extended_l2 = 1}, 1 MIB, 0, 327680, 1376256},
    // qemu-img 7.2: preallocation, and what has no effect on a number.
    {IMAGE_QCOW2, {.preallocation = PREALLOCATION_OFF}, 1 MIB, 0, 327680, 1376256},
    {IMAGE_QCOW2, {.preallocation = PREALLOCATION_METADATA}, 1 MIB, 0, 327680, 1376256},
    {IMAGE_QCOW2, {.preallocation = PREALLOCATION_FALLOC}, 1 MIB, 0, 1376256, 1376256},
    {IMAGE_QCOW2, {.preallocation = PREALLOCATION_FULL}, 1 MIB, 0, 1376256, 1376256},
    {IMAGE_QCOW2, {.compat = 1, .extended_l2 = 1, .compression = 2}, 1 MIB, 0, 327680, 1376256},
    {IMAGE_QCOW2,
     {.compat = 1, .refcount_bits = 16, .lazy_refcounts = 1},
     1 MIB,
     0,
     327680,
     1376256},
    {IMAGE_RAW, {.size_only = 1}, 1, 0, 512, 512},
    {IMAGE_RAW, {.size_only = 1}, 1048577, 0, 1049088, 1049088},
    {IMAGE_QCOW2, {.size_only = 1}, 1048577, 0, 327680, 1441792},
    {IMAGE_QCOW2, {.size_only = 1, .cluster_bits = 9}, 128 GIB, 0, 2737157632, 140176111104},
    {IMAGE_VMDK, {.vmdk_subformat = SUBFORMAT_FLAT}, 1 GIB, 0, 1073742336, 1073742336},
    {IMAGE_VMDK, {.vmdk_subformat = SUBFORMAT_FLAT}, 64 MIB, 0, 67109376, 67109376},
    {IMAGE_VMDK, {.vmdk_subformat = SUBFORMAT_FLAT}, 64 MIB, ALL, 67109376, 67109376},
    {IMAGE_VMDK, {0}, 1 MIB, 0, 13312, 1061888},
    {IMAGE_VMDK, {0}, 1 GIB, 0, 76800, 1073818624},
    {IMAGE_VMDK, {.grain_bits = 12}, 1 GIB, ALL, 1074803200, 1074803200},
    {IMAGE_VMDK, {.vmdk_subformat = SUBFORMAT_STREAM}, 1 MIB, 0, 65536, 1114112},
    {IMAGE_VMDK, {.vmdk_subformat = SUBFORMAT_STREAM}, 1 GIB, 512 KIB, 655360, 1082261504},
    {IMAGE_VMDK,
     {.vmdk_subformat = SUBFORMAT_STREAM, .grain_bits = 12},
     1 GIB,
     ALL,
     1209335808,
     1209335808},
    {IMAGE_VPC, {0}, 1 MIB, 0, 2560, 2100224},
    {IMAGE_VPC, {0}, 1 GIB, 0, 4096, 1074008064},
    {IMAGE_VPC, {.block_bits = 19}, 1 GIB, 0, 10240, 1074800640},
    {IMAGE_VPC, {.block_bits = 31}, 64 GIB, 0, 2560, 68736256512},
    {IMAGE_VHDX, {0}, 1 GIB, 0, 4194304, 1077936128},
    {IMAGE_VHDX, {.block_bits = 20}, 1 GIB, 0, 4194304, 1077936128},
    {IMAGE_VHDX, {.block_bits = 28}, 64 GIB, 0, 4194304, 68723671040},
    {IMAGE_VHDX, {.block_bits = 20}, 64 MIB, 1 MIB, 5242880, 71303168},
    {IMAGE_VHDX, {.block_bits = 20}, 64 MIB, 16 MIB, 20971520, 71303168},
};

// Values of qemu-img 7.2 and 10.0; "bitmap0" is seven letters.
static void bitmaps_as_qemu_img_counts_them(void **state) {
    (void)state;
    static const struct {
        uint32_t count, granularity_bits, name_length;
        uint64_t target_cluster, size, expected;
    } rows[] = {
        {0, 16, 7, 65536, 1 MIB, 0},        {1, 16, 7, 512, 1 MIB, 1536},
        {1, 16, 7, 65536, 1 MIB, 196608},   {1, 16, 7, 2 MIB, 1 MIB, 6291456},
        {2, 16, 7, 65536, 1 MIB, 327680},   {1, 9, 7, 512, 1 MIB, 1536}, // 256 bytes of bits
        {1, 9, 7, 512, 2 MIB, 1536},                                     // 512
        {1, 9, 7, 512, 2 MIB + 512, 2048},                               // 513
        {1, 9, 7, 512, 128 MIB, 33792},     // 64 clusters: a table of 512 bytes
        {1, 9, 7, 512, 130 MIB, 34816},     // 65
        {1, 31, 7, 4096, 64 GIB, 12288},    //
        {1, 12, 7, 65536, 64 GIB, 2228224}, // 32 clusters
        {1, 16, 40, 512, 1 MIB, 1536},      //
        {3, 16, 63, 512, 1 MIB, 3584},      // a directory of 264 bytes
        {16, 16, 8, 512, 1 MIB, 16896},     // of 512
        {17, 16, 8, 512, 1 MIB, 18432},     // of 544
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct image_bitmap bitmaps[17];
        const struct image_options built = {.bitmaps = bitmaps, .bitmap_count = rows[i].count};
        for (uint32_t j = 0; j < rows[i].count; j++) {
            bitmaps[j] = (struct image_bitmap){.granularity_bits = rows[i].granularity_bits,
                                               .in_use = j % 2};
            memset(bitmaps[j].name, 'n', rows[i].name_length);
        }
        uint64_t found = model_bitmaps(&built, rows[i].target_cluster, rows[i].size);
        if (found != rows[i].expected)
            fail_msg("row %zu: %llu", i, (unsigned long long)found);
    }
}

static void worked_vectors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct vector *vector = &vectors[i];
        uint64_t unit = model_target_unit(vector->target, &vector->options);
        uint64_t bytes = vector->allocated == ALL ? vector->size : vector->allocated;
        struct model_sizes sizes;
        assert_true(model_measure(vector->target, &vector->options, vector->size,
                                  (bytes + unit - 1) / unit, &sizes));
        if (sizes.required != vector->required || sizes.fully != vector->fully)
            fail_msg("vector %zu: %" PRIu64 ", %" PRIu64, i, sizes.required, sizes.fully);
    }
}

static void a_size_that_does_not_fit_is_no_answer(void **state) {
    (void)state;
    const struct target_options none = {0};
    struct model_sizes sizes;
    for (int target = 0; target < IMAGE_FORMATS; target++)
        assert_false(
            model_measure((enum image_format)target, &none, UINT64_MAX, UINT64_MAX, &sizes));
    assert_false(model_measure(IMAGE_QCOW2, &none, (UINT64_C(1) << 63) + 1, 0, &sizes));
    // Each fits, their sum does not: instar calls that an overflow too.
    assert_false(model_measure(IMAGE_RAW, &none, UINT64_C(1) << 63, 0, &sizes));
}

static void extended_entries_need_large_clusters(void **state) {
    (void)state;
    struct model_sizes sizes;
    for (uint32_t bits = 9; bits <= 21; bits++) {
        const struct target_options options = {.cluster_bits = bits, .extended_l2 = 1};
        assert_int_equal(model_measure(IMAGE_QCOW2, &options, 1 MIB, 0, &sizes), bits >= 14);
    }
}

static void version_2_has_refcounts_of_16_bits(void **state) {
    (void)state;
    struct model_sizes sizes;
    for (uint32_t bits = 1; bits <= 64; bits *= 2) {
        struct target_options options = {.refcount_bits = bits, .compat = 1};
        assert_int_equal(model_measure(IMAGE_QCOW2, &options, 1 MIB, 0, &sizes), bits == 16);
        options.compat = 2;
        assert_true(model_measure(IMAGE_QCOW2, &options, 1 MIB, 0, &sizes));
    }
}

static void only_a_size_alone_is_held_to_the_largest_l1_table(void **state) {
    (void)state;
    struct model_sizes sizes;
    struct target_options options = {.cluster_bits = 9};
    assert_true(model_measure(IMAGE_QCOW2, &options, 128 GIB + 512, 0, &sizes));
    options.size_only = 1;
    assert_true(model_measure(IMAGE_QCOW2, &options, 128 GIB, 0, &sizes));
    assert_false(model_measure(IMAGE_QCOW2, &options, 128 GIB + 512, 0, &sizes));
    options.cluster_bits = 10;
    assert_true(model_measure(IMAGE_QCOW2, &options, 512 GIB, 0, &sizes));
    assert_false(model_measure(IMAGE_QCOW2, &options, 512 GIB + 512, 0, &sizes));
}

static void units_are_counted_once_however_often_they_are_touched(void **state) {
    (void)state;
    struct image_map map = {0};
    image_map_add(&map, 0, 4096, IMAGE_DATA);
    image_map_add(&map, 8192, 4096, IMAGE_COMPRESSED);  // same 64 KiB unit
    image_map_add(&map, 65536 - 512, 1024, IMAGE_DATA); // straddles units 0 and 1
    image_map_add(&map, 3 * 65536, 4096, IMAGE_ZERO);
    image_map_add(&map, 10 * 65536, 2 * 65536, IMAGE_DATA);
    assert_int_equal(model_units_touched(&map, 65536), 4);
    assert_int_equal(model_units_in_states(&map, 65536, ~0u), 5);
    assert_int_equal(model_units_in_states(&map, 65536, 1u << IMAGE_ZERO), 1);
    assert_int_equal(model_allocated(&map), 4096 + 4096 + 1024 + 2 * 65536);
    image_map_clear(&map);
    assert_int_equal(model_units_touched(&map, 65536), 0);
    image_map_free(&map);
}

static void only_units_with_a_byte_that_is_not_zero_count(void **state) {
    (void)state;
    struct content content = {0};
    uint64_t tables;
    content_begin(&content, 64 MIB);
    struct content_extent writes[] = {
        {.offset = 100, .length = 8, .pattern = PATTERN_NOISE, .seed = 1},
        {.offset = 65536, .length = 65536, .pattern = PATTERN_ZERO},
        {.offset = 131072, .length = 512, .pattern = PATTERN_CONSTANT, .seed = 7},
        {.offset = 40 MIB, .length = 70000, .pattern = PATTERN_CONSTANT, .seed = 7},
        {.offset = 64 MIB - 1, .length = 1, .pattern = PATTERN_CONSTANT, .seed = 7},
    };
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        content_write(&content, &writes[i]);
    assert_int_equal(model_nonzero_units(&content, 65536, 512, &tables), 5);
    assert_int_equal(tables, 2);
    content_free(&content);
}

static void empty_content_has_no_units(void **state) {
    (void)state;
    struct content content = {0};
    uint64_t tables;
    content_begin(&content, 2048 GIB);
    assert_int_equal(model_nonzero_units(&content, 4096, 512, &tables), 0);
    assert_int_equal(tables, 0);
    content_free(&content);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bitmaps_as_qemu_img_counts_them),
        cmocka_unit_test(worked_vectors),
        cmocka_unit_test(a_size_that_does_not_fit_is_no_answer),
        cmocka_unit_test(extended_entries_need_large_clusters),
        cmocka_unit_test(version_2_has_refcounts_of_16_bits),
        cmocka_unit_test(only_a_size_alone_is_held_to_the_largest_l1_table),
        cmocka_unit_test(units_are_counted_once_however_often_they_are_touched),
        cmocka_unit_test(only_units_with_a_byte_that_is_not_zero_count),
        cmocka_unit_test(empty_content_has_no_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
