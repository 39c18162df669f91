// SPDX-License-Identifier: Apache-2.0
//
// What follows from a case stays within the caps, whatever the bytes say, and sizes and places are
// where the header comments promise them.
#include "base/bytes.h"
#include "testcase/caps.h"
#include "tests/unit/testcase_helper.h"

#include <stdlib.h>

static void set_size(struct testcase *testcase, enum size_class class, uint32_t value,
                     int32_t delta) {
    testcase->size_class = class;
    testcase->size_value = value;
    testcase->size_delta = delta;
}

static void plain_case(struct testcase *testcase, enum image_format format) {
    case_decode(testcase, NULL, 0);
    testcase->format = format;
}

static struct case_write *add_write(struct testcase *testcase) {
    struct case_write *write = &testcase->writes[testcase->write_count++];
    case_record_defaults(RECORD_WRITE, write);
    return write;
}

static void each_size_class_gives_its_size(void **state) {
    (void)state;
    struct testcase testcase;
    plain_case(&testcase, IMAGE_QCOW2);
    set_size(&testcase, SIZE_SECTORS, 2047, 5);
    assert_int_equal(case_virtual_size(&testcase), 1 << 20);
    set_size(&testcase, SIZE_UNITS, 16, -1);
    assert_int_equal(case_virtual_size(&testcase), (1 << 20) - 512);
    testcase.cluster_bits = 21;
    set_size(&testcase, SIZE_UNITS, 63, 0);
    assert_int_equal(case_virtual_size(&testcase), 64 << 20);
    set_size(&testcase, SIZE_EDGE, 15, 127);
    assert_int_equal(case_virtual_size(&testcase), 2ull << 40);
    set_size(&testcase, SIZE_ODD, 0, 0);
    assert_int_equal(case_virtual_size(&testcase), 1);
    set_size(&testcase, SIZE_NONE, 77, 9);
    assert_int_equal(case_virtual_size(&testcase), 0);
    testcase.format = IMAGE_VPC;
    set_size(&testcase, SIZE_EDGE, 14, 127);
    assert_int_equal(case_virtual_size(&testcase), 2040ull << 30);
    testcase.format = IMAGE_VMDK;
    assert_int_equal(case_virtual_size(&testcase), 8ull << 30);
}

static void places_wrap_around_and_keep_their_alignment(void **state) {
    (void)state;
    struct testcase testcase;
    plain_case(&testcase, IMAGE_QCOW2);
    set_size(&testcase, SIZE_SECTORS, 2048, 0); // 1 MiB and a sector: 17 clusters of 64 KiB
    struct case_write *write = add_write(&testcase);
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

// What the writes of one file of a chain cost, counted here.
struct cost {
    uint64_t bytes, zeros, deflated, deflated_bytes, touched;
};

static bool is_deflated(const struct testcase *layer, const struct image_options *options,
                        const struct content_extent *extent, bool is_zero) {
    if (layer->format == IMAGE_VMDK)
        return options->vmdk_subformat == VMDK_STREAM && !is_zero;
    return layer->format == IMAGE_QCOW2 && extent->form == FORM_COMPRESSED && !options->data_file;
}

static void add_cost(const struct testcase *layer, struct cost *cost) {
    struct content_extent extents[CASE_MAX_WRITES];
    struct image_options options;
    uint64_t size = case_virtual_size(layer);
    uint32_t unit = case_source_unit(layer);
    size_t count = case_write_extents(layer, extents);
    case_image_options(layer, &options);
    assert_true(size <= CASE_MAX_SIZE);
    for (size_t i = 0; i < count; i++) {
        const struct content_extent *extent = &extents[i];
        if (extent->length == 0)
            continue;
        uint64_t units = (extent->offset + extent->length - 1) / unit - extent->offset / unit + 1;
        assert_true(extent->offset + extent->length <= size);
        bool is_zero = extent->form == FORM_ZERO || extent->form == FORM_ZERO_ALLOCATED;
        cost->bytes += is_zero ? 0 : extent->length;
        cost->zeros += is_zero ? units : 0;
        if (!is_deflated(layer, &options, extent, is_zero))
            continue;
        cost->deflated += units;
        cost->deflated_bytes += units * unit;
    }
    cost->touched += case_touched_bytes(extents, count, unit, size);
}

static void writes_stay_within_every_cap(void **state) {
    (void)state;
    uint64_t seed = 10;
    struct content content = {0};
    uint32_t longest = 0;
    for (int round = 0; round < 3000; round++) {
        struct testcase testcase, layer;
        struct cost cost = {0};
        helper_case(&seed, &testcase);
        uint32_t layers = case_layers(&testcase);
        longest = layers > longest ? layers : longest;
        for (uint32_t i = 0; i < layers; i++) {
            case_layer(&testcase, i, &layer);
            add_cost(&layer, &cost);
            case_content(&layer, &content);
            assert_int_equal(content.size, case_virtual_size(&layer));
        }
        // All files of a chain together cost what a single one may.
        assert_true(cost.bytes <= CASE_MAX_WRITTEN);
        assert_true(cost.zeros <= CAP_ZERO_UNITS);
        assert_true(cost.deflated <= CAP_DEFLATED_UNITS);
        assert_true(cost.deflated_bytes <= CAP_DEFLATED_BYTES);
        assert_true(cost.touched <= CAP_TOUCHED);
    }
    assert_int_equal(longest, CASE_MAX_LAYERS);
    content_free(&content);
}

static void zeros_are_stored_only_where_they_are_few(void **state) {
    (void)state;
    uint64_t seed = 12;
    uint32_t seen = 0;
    for (int round = 0; round < 3000; round++) {
        struct testcase testcase;
        helper_case(&seed, &testcase);
        uint64_t size = case_virtual_size(&testcase);
        for (uint32_t i = 0; i < testcase.operation_count; i++) {
            struct case_operation *operation = &testcase.operations[i];
            struct target_options options;
            operation->no_skip_zeros = 1;
            case_target_options(&testcase, operation, &options);
            seen += options.no_skip_zeros;
            if (!options.no_skip_zeros)
                continue;
            assert_true(operation_writes((enum operation)operation->op));
            assert_true(size <= CAP_STORED_ALL);
            if (operation->op != OP_CONVERT_COMPRESSED)
                continue;
            assert_true(size <= CAP_STORED_ALL_DEFLATED);
            if (options.cluster_bits)
                assert_true(size >> options.cluster_bits <= CAP_DEFLATED_UNITS);
        }
    }
    assert_true(seen > 100);
}

static void one_write_leaves_room_for_others(void **state) {
    (void)state;
    struct testcase testcase;
    struct content_extent extents[CASE_MAX_WRITES];
    plain_case(&testcase, IMAGE_RAW);
    set_size(&testcase, SIZE_SECTORS, 32767, 0);
    for (uint32_t i = 0; i < 6; i++) {
        struct case_write *write = add_write(&testcase);
        write->length_scale = LENGTH_SECTORS;
        write->length = 65535;
    }
    case_write_extents(&testcase, extents);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(extents[i].length, i < 4 ? CASE_MAX_WRITTEN / 4 : 0);
}

static void a_byte_in_a_huge_block_is_left_out_or_cheap(void **state) {
    (void)state;
    struct testcase testcase;
    struct content_extent extents[CASE_MAX_WRITES];
    plain_case(&testcase, IMAGE_VHDX);
    testcase.block_bits = 28;
    set_size(&testcase, SIZE_EDGE, 10, 0); // 1 GiB
    for (uint32_t i = 0; i < CASE_MAX_WRITES; i++) {
        struct case_write *write = add_write(&testcase);
        write->anchor = ANCHOR_SOURCE;
        write->offset = i;
    }
    assert_int_equal(case_source_unit(&testcase), 32 << 20);
    case_write_extents(&testcase, extents);
    for (uint32_t i = 0; i < CASE_MAX_WRITES; i++)
        assert_int_equal(extents[i].length, i < 4);
    set_size(&testcase, SIZE_SECTORS, 1000, 0); // a small disk keeps the block: its end is cut
    assert_int_equal(case_source_unit(&testcase), 256 << 20);
    case_write_extents(&testcase, extents);
    assert_int_equal(extents[31].length, 1);
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
    assert_int_equal(options->vmdk_extent % (64 * KIB), 0);
    assert_true(options->vmdk_extent <= 2 * GIB);
    assert_true(div_up(size, options->vmdk_extent) <= 4);
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
    plain_case(&testcase, IMAGE_QCOW2);
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
    set_size(&testcase, SIZE_EDGE, 15, 0);
    case_image_options(&testcase, &options);
    assert_int_equal(options.cluster_bits, 14);
    assert_false(options.extended_l2);
}

static void options_belong_to_operation_and_target(void **state) {
    (void)state;
    struct testcase testcase;
    struct target_options options;
    plain_case(&testcase, IMAGE_RAW);
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

static void costly_targets_get_larger_units(void **state) {
    (void)state;
    struct testcase testcase;
    struct target_options options;
    struct case_operation operation = {.op = OP_CONVERT, .target = IMAGE_QCOW2, .cluster_bits = 9};
    plain_case(&testcase, IMAGE_RAW);
    set_size(&testcase, SIZE_EDGE, 15, 0);
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 14);
    operation.op = OP_MEASURE;
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 9);

    set_size(&testcase, SIZE_SECTORS, 32767, 0);
    for (uint32_t i = 0; i < 4; i++) {
        struct case_write *write = add_write(&testcase);
        write->offset = i << 20;
        write->length_scale = LENGTH_SECTORS;
        write->length = 2047;
    }
    operation.op = OP_CONVERT_COMPRESSED;
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 12);

    for (uint32_t i = 0; i < 4; i++) // single bytes, each in a large cluster of its own
        testcase.writes[i].length_scale = LENGTH_BYTES, testcase.writes[i].length = 0;
    set_size(&testcase, SIZE_EDGE, 8, 0);
    for (uint32_t i = 0; i < 4; i++)
        testcase.writes[i].offset = i << 22;
    operation.cluster_bits = 21;
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 20);
    operation.op = OP_CONVERT;
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 21);
}

static void large_compressed_clusters_are_not_inflated_for_each_small_one(void **state) {
    (void)state;
    struct testcase testcase;
    struct target_options options;
    struct case_operation operation = {
        .op = OP_CONVERT_COMPRESSED, .target = IMAGE_QCOW2, .cluster_bits = 9};
    plain_case(&testcase, IMAGE_QCOW2);
    set_size(&testcase, SIZE_SECTORS, 32767, 0);
    testcase.cluster_bits = 21;
    add_write(&testcase);
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 9);
    testcase.writes[0].form = FORM_COMPRESSED;
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 15); // 64 times 2 MiB
    operation.op = OP_CONVERT;
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 9);
}

static void a_vhdx_of_size_zero_has_small_blocks(void **state) {
    (void)state;
    struct testcase testcase;
    struct target_options options;
    struct case_operation operation = {.op = OP_CONVERT, .target = IMAGE_VHDX, .block_bits = 26};
    plain_case(&testcase, IMAGE_VHDX);
    set_size(&testcase, SIZE_NONE, 0, 0);
    testcase.block_bits = 28;
    assert_int_equal(case_source_unit(&testcase), 1 << 20);
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.block_bits, 20);
}

static bool allowed(const struct testcase *testcase, uint32_t index) {
    const char *reason = "";
    bool yes = case_operation_allowed(testcase, &testcase->operations[index], &reason);
    if (yes)
        assert_null(reason);
    else
        assert_string_equal(reason, "cost_cap");
    return yes;
}

static void costly_operations_are_not_allowed(void **state) {
    (void)state;
    struct testcase testcase;
    plain_case(&testcase, IMAGE_VHDX);
    set_size(&testcase, SIZE_EDGE, 12, 0); // 4 GiB
    testcase.operation_count = 3;
    testcase.operations[0] = (struct case_operation){.op = OP_CONVERT, .target = IMAGE_RAW};
    testcase.operations[1] = (struct case_operation){.op = OP_MEASURE, .target = IMAGE_QCOW2};
    testcase.operations[2] = (struct case_operation){.op = OP_CHECK};
    assert_false(allowed(&testcase, 0));
    assert_true(allowed(&testcase, 1));
    assert_true(allowed(&testcase, 2));
    set_size(&testcase, SIZE_EDGE, 11, 0); // 2 GiB
    assert_true(allowed(&testcase, 0));

    testcase.format = IMAGE_RAW;
    testcase.operations[0].target = IMAGE_VMDK;
    set_size(&testcase, SIZE_EDGE, 13, 0); // 127 GiB
    assert_true(allowed(&testcase, 0));
    set_size(&testcase, SIZE_EDGE, 14, 0); // 2040 GiB
    assert_false(allowed(&testcase, 0));
}

static void the_cost_follows_the_chain(void **state) {
    (void)state;
    struct testcase testcase;
    plain_case(&testcase, IMAGE_RAW);
    set_size(&testcase, SIZE_EDGE, 13, 0); // 127 GiB
    testcase.operation_count = 3;
    testcase.operations[0] = (struct case_operation){.op = OP_CONVERT, .target = IMAGE_VMDK};
    testcase.operations[1] = (struct case_operation){.op = OP_MEASURE, .target = IMAGE_QCOW2};
    testcase.operations[2] = testcase.operations[1];
    testcase.operations[2].input = INPUT_B_OUTPUT;
    assert_true(allowed(&testcase, 0));
    assert_true(allowed(&testcase, 1));
    assert_false(allowed(&testcase, 2)); // reads the vmdk
    testcase.operations[0].op = OP_INFO; // no output: the source is read
    assert_true(allowed(&testcase, 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_size_class_gives_its_size),
        cmocka_unit_test(places_wrap_around_and_keep_their_alignment),
        cmocka_unit_test(writes_stay_within_every_cap),
        cmocka_unit_test(zeros_are_stored_only_where_they_are_few),
        cmocka_unit_test(one_write_leaves_room_for_others),
        cmocka_unit_test(a_byte_in_a_huge_block_is_left_out_or_cheap),
        cmocka_unit_test(image_options_fit_the_size),
        cmocka_unit_test(extended_entries_need_version_3_and_large_clusters),
        cmocka_unit_test(options_belong_to_operation_and_target),
        cmocka_unit_test(costly_targets_get_larger_units),
        cmocka_unit_test(large_compressed_clusters_are_not_inflated_for_each_small_one),
        cmocka_unit_test(a_vhdx_of_size_zero_has_small_blocks),
        cmocka_unit_test(costly_operations_are_not_allowed),
        cmocka_unit_test(the_cost_follows_the_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
