// SPDX-License-Identifier: Apache-2.0
//
// What follows from a case: sizes, places and options are where the header comments promise them,
// whatever the bytes say.
#include "base/bytes.h"
#include "testcase/caps.h"
#include "tests/unit/testcase_helper.h"

static void each_size_class_gives_its_size(void **state) {
    (void)state;
    struct testcase testcase;
    helper_plain_case(&testcase, IMAGE_QCOW2);
    helper_set_size(&testcase, SIZE_SECTORS, 2047, 5);
    assert_int_equal(case_virtual_size(&testcase), 1 << 20);
    helper_set_size(&testcase, SIZE_UNITS, 16, -1);
    assert_int_equal(case_virtual_size(&testcase), (1 << 20) - 512);
    testcase.cluster_bits = 21;
    helper_set_size(&testcase, SIZE_UNITS, 63, 0);
    assert_int_equal(case_virtual_size(&testcase), 64 << 20);
    helper_set_size(&testcase, SIZE_EDGE, 15, 127);
    assert_int_equal(case_virtual_size(&testcase), 2ull << 40);
    helper_set_size(&testcase, SIZE_ODD, 0, 0);
    assert_int_equal(case_virtual_size(&testcase), 1);
    helper_set_size(&testcase, SIZE_NONE, 77, 9);
    assert_int_equal(case_virtual_size(&testcase), 0);
    testcase.format = IMAGE_VPC;
    helper_set_size(&testcase, SIZE_EDGE, 14, 127);
    assert_int_equal(case_virtual_size(&testcase), 2040ull << 30);
    testcase.format = IMAGE_VMDK;
    assert_int_equal(case_virtual_size(&testcase), 8ull << 30);
}

static void places_wrap_around_and_keep_their_alignment(void **state) {
    (void)state;
    struct testcase testcase;
    helper_plain_case(&testcase, IMAGE_QCOW2);
    helper_set_size(&testcase, SIZE_SECTORS, 2048, 0); // 1 MiB and a sector: 17 clusters of 64 KiB
    struct case_write *write = helper_add_write(&testcase);
    write->offset_delta = -1;
    write->delta_scale = 1;
    assert_int_equal(case_write_offset(&testcase, write), 1 << 20);
    write->offset_delta = 0;
    write->anchor = ANCHOR_SOURCE;
    write->offset = 17 + 3;
    assert_int_equal(case_write_offset(&testcase, write), 3 << 16);
    write->anchor = ANCHOR_END;
    write->offset = 512;
    assert_int_equal(case_write_offset(&testcase, write), 1 << 20);
    write->anchor = ANCHOR_BLOCK;
    assert_int_equal(case_write_offset(&testcase, write), 0);
}

// Flat extents have no grains to be walked; the others are walked grain by grain, and an extent
// begins where a grain does.
static void assert_vmdk_options(const struct testcase *testcase,
                                const struct image_options *options) {
    uint64_t size = case_virtual_size(testcase);
    bool flat = options->vmdk_subformat == VMDK_FLAT || options->vmdk_subformat == VMDK_SPLIT_FLAT;
    assert_int_equal(options->grain_bits == 0, flat);
    if (!flat)
        assert_true(div_up(size, 1ull << options->grain_bits) <= CAP_READ_GRAINS);
    assert_int_equal(options->compress, options->vmdk_subformat == VMDK_STREAM);
    bool by_sector = options->vmdk_subformat == VMDK_SPLIT_FLAT && testcase->vmdk_sector_extents;
    assert_int_equal(options->vmdk_extent % (by_sector ? SECTOR : 64 * KIB), 0);
    assert_true(options->vmdk_extent <= 2 * GIB);
    assert_true(div_up(size, options->vmdk_extent) <= 4);
}

static void flat_extents_can_end_at_any_sector(void **state) {
    (void)state;
    struct testcase testcase;
    struct image_options options;
    struct fault fault = {0};
    static const char text[] = "{\"format\": \"vmdk\", \"vmdk_layout\": \"twoGbMaxExtentFlat\", "
                               "\"virtual_size\": 1048576, \"vmdk_sector_extents\": true}";
    assert_int_equal(case_from_json(&testcase, text, &fault), 0);
    case_image_options(&testcase, &options);
    assert_int_equal(options.vmdk_extent, 683 * SECTOR);
    testcase.vmdk_sector_extents = 0;
    case_image_options(&testcase, &options);
    assert_int_equal(options.vmdk_extent, 384 * KIB);
    testcase.vmdk_sector_extents = 1;
    testcase.vmdk_layout = LAYOUT_SPLIT_SPARSE;
    case_image_options(&testcase, &options);
    assert_int_equal(options.vmdk_extent, 384 * KIB);
}

static void image_options_fit_the_size(void **state) {
    (void)state;
    uint64_t seed = 11;
    for (int round = 0; round < 20000; round++) {
        struct testcase testcase;
        struct image_options options;
        helper_case(&seed, &testcase);
        if (round % 2)
            testcase.size_class = SIZE_EDGE;
        uint64_t size = case_virtual_size(&testcase);
        case_image_options(&testcase, &options);
        if (testcase.format == IMAGE_QCOW2) {
            assert_true(options.cluster_bits >= testcase.cluster_bits);
            assert_true(operation_l1_entries(size, options.cluster_bits, options.extended_l2) <=
                        CAP_L1_ENTRIES);
            assert_true(options.qcow2_version == 3 ||
                        (options.refcount_bits == 16 && !options.lazy_refcounts &&
                         !options.extended_l2 && !options.compression));
            assert_true(!options.extended_l2 || options.cluster_bits >= 14);
        }
        if (testcase.format == IMAGE_VMDK)
            assert_vmdk_options(&testcase, &options);
        if (testcase.format == IMAGE_VHDX)
            assert_true(options.block_bits >= 20);
        if (options.block_bits)
            assert_true(div_up(size, 1ull << options.block_bits) <= CAP_BLOCKS);
        assert_true(case_source_unit(&testcase) >= 512);
    }
}

static void extended_entries_need_version_3_and_large_clusters(void **state) {
    (void)state;
    struct testcase testcase;
    struct image_options options;
    helper_plain_case(&testcase, IMAGE_QCOW2);
    testcase.extended_l2 = testcase.compression = 1;
    for (uint32_t version = 2; version <= 3; version++)
        for (uint32_t bits = 9; bits <= 21; bits++) {
            testcase.qcow2_version = version;
            testcase.cluster_bits = bits;
            case_image_options(&testcase, &options);
            assert_int_equal(options.extended_l2, version == 3 && bits >= 14);
            assert_int_equal(options.stale_subclusters, options.extended_l2);
            assert_int_equal(options.compression, version == 3 ? QCOW2_ZSTD : QCOW2_ZLIB);
        }
    // Clusters that only the disk's size made large enough do not get them.
    testcase.cluster_bits = 9;
    helper_set_size(&testcase, SIZE_EDGE, 15, 0);
    case_image_options(&testcase, &options);
    assert_int_equal(options.cluster_bits, 14);
    assert_false(options.extended_l2);
}

static void options_belong_to_operation_and_target(void **state) {
    (void)state;
    struct testcase testcase;
    struct target_options options;
    helper_plain_case(&testcase, IMAGE_RAW);
    for (uint32_t op = 0; op < OPERATIONS; op++)
        for (uint32_t target = 0; target < IMAGE_FORMATS; target++) {
            struct case_operation operation = {.op = op,
                                               .target = target,
                                               .cluster_bits = 12,
                                               .refcount_order = 7,
                                               .subformat = 2,
                                               .grain_bits = 13,
                                               .block_bits = 19,
                                               .extended_l2 = 1};
            bool has = operation_has_target((enum operation)op), measure = op == OP_MEASURE;
            case_target_options(&testcase, &operation, &options);
            assert_int_equal(options.cluster_bits, has && target == IMAGE_QCOW2 ? 12 : 0);
            assert_int_equal(options.extended_l2, has && target == IMAGE_QCOW2);
            assert_int_equal(options.refcount_bits, measure && target == IMAGE_QCOW2 ? 64 : 0);
            assert_int_equal(options.vmdk_subformat, measure && target == IMAGE_VMDK
                                                         ? SUBFORMAT_STREAM
                                                         : SUBFORMAT_NOT_GIVEN);
            assert_int_equal(options.grain_bits, has && target == IMAGE_VMDK ? 13 : 0);
            assert_int_equal(options.block_bits, has && target == IMAGE_VPC    ? 19
                                                 : has && target == IMAGE_VHDX ? 20
                                                                               : 0);
        }
}

static void a_vhdx_of_size_zero_has_small_blocks(void **state) {
    (void)state;
    struct testcase testcase;
    struct target_options options;
    struct case_operation operation = {.op = OP_CONVERT, .target = IMAGE_VHDX, .block_bits = 26};
    helper_plain_case(&testcase, IMAGE_VHDX);
    helper_set_size(&testcase, SIZE_NONE, 0, 0);
    testcase.block_bits = 28;
    assert_int_equal(case_source_unit(&testcase), 1 << 20);
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.block_bits, 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_size_class_gives_its_size),
        cmocka_unit_test(places_wrap_around_and_keep_their_alignment),
        cmocka_unit_test(flat_extents_can_end_at_any_sector),
        cmocka_unit_test(image_options_fit_the_size),
        cmocka_unit_test(extended_entries_need_version_3_and_large_clusters),
        cmocka_unit_test(options_belong_to_operation_and_target),
        cmocka_unit_test(a_vhdx_of_size_zero_has_small_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
