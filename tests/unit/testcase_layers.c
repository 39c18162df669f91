// SPDX-License-Identifier: Apache-2.0
//
// The files below a source, its snapshots and its bitmaps: which of them a case has, how large they
// are, and which writes they get.
#include "base/bytes.h"
#include "testcase/caps.h"
#include "tests/unit/testcase_helper.h"

#include <stdio.h>

static void plain_case(struct testcase *testcase, enum image_format format) {
    case_decode(testcase, NULL, 0);
    testcase->format = format;
    testcase->size_value = 2047; // 1 MiB
}

static void set_backing(struct testcase *testcase, uint32_t first, uint32_t second,
                        uint32_t third) {
    testcase->backing_1 = first;
    testcase->backing_2 = second;
    testcase->backing_3 = third;
}

static struct case_write *add_write(struct testcase *testcase, uint64_t offset) {
    struct case_write *write = &testcase->writes[testcase->write_count++];
    case_record_defaults(RECORD_WRITE, write);
    write->offset = (uint32_t)offset;
    write->length_scale = LENGTH_SECTORS;
    return write;
}

// "qcow2 raw": the formats of the chain from the source down.
static void assert_chain(const struct testcase *testcase, const char *expected) {
    char found[64] = "";
    struct testcase layer;
    for (uint32_t i = 0; i < case_layers(testcase); i++) {
        case_layer(testcase, i, &layer);
        size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%s", i ? " " : "",
                 case_format_names[layer.format]);
    }
    assert_string_equal(found, expected);
}

static void chains_follow_what_formats_can_have(void **state) {
    (void)state;
    struct testcase testcase;
    plain_case(&testcase, IMAGE_QCOW2);
    assert_chain(&testcase, "qcow2");
    set_backing(&testcase, BACKING_QCOW2, BACKING_QCOW2, BACKING_RAW);
    assert_chain(&testcase, "qcow2 qcow2 qcow2 raw");
    set_backing(&testcase, BACKING_VHDX, BACKING_QCOW2, BACKING_RAW); // nothing below a vhdx
    assert_chain(&testcase, "qcow2 vhdx");
    set_backing(&testcase, BACKING_VPC, BACKING_RAW, BACKING_RAW);
    assert_chain(&testcase, "qcow2 vpc");
    set_backing(&testcase, BACKING_RAW, BACKING_QCOW2, BACKING_QCOW2);
    assert_chain(&testcase, "qcow2 raw");
    set_backing(&testcase, BACKING_NONE, BACKING_QCOW2, BACKING_RAW); // the first none ends it
    assert_chain(&testcase, "qcow2");
    set_backing(&testcase, BACKING_QCOW2, BACKING_VMDK, BACKING_RAW); // below a vmdk only vmdk
    assert_chain(&testcase, "qcow2 qcow2 vmdk vmdk");
    testcase.format = IMAGE_VMDK;
    assert_chain(&testcase, "vmdk vmdk vmdk vmdk");
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        testcase.format = (uint32_t)format;
        assert_int_equal(case_layers(&testcase) > 1, format == IMAGE_QCOW2 || format == IMAGE_VMDK);
    }
}

static void only_a_single_sparse_vmdk_names_a_parent(void **state) {
    (void)state;
    struct testcase testcase, layer;
    struct image_options options;
    plain_case(&testcase, IMAGE_VMDK);
    set_backing(&testcase, BACKING_VMDK, BACKING_NONE, BACKING_NONE);
    assert_int_equal(case_layers(&testcase), 2);
    testcase.vmdk_subformat = VMDK_STREAM;
    assert_int_equal(case_layers(&testcase), 1);
    testcase.vmdk_subformat = VMDK_SPARSE;
    for (uint32_t layout = LAYOUT_FLAT; layout < LAYOUTS; layout++) {
        testcase.vmdk_layout = layout;
        assert_int_equal(case_layers(&testcase), 1);
    }
    // Of a chain's vmdk files the lowest may have any layout.
    plain_case(&testcase, IMAGE_QCOW2);
    set_backing(&testcase, BACKING_VMDK, BACKING_VMDK, BACKING_NONE);
    testcase.vmdk_layout = LAYOUT_SPLIT_FLAT;
    case_layer(&testcase, 1, &layer);
    case_image_options(&layer, &options);
    assert_int_equal(options.vmdk_subformat, VMDK_SPARSE);
    case_layer(&testcase, 2, &layer);
    case_image_options(&layer, &options);
    assert_int_equal(options.vmdk_subformat, VMDK_SPLIT_FLAT);
}

static uint64_t size_below(const struct testcase *testcase) {
    struct testcase layer;
    case_layer(testcase, 1, &layer);
    return case_virtual_size(&layer);
}

static void layers_have_their_sizes(void **state) {
    (void)state;
    struct testcase testcase;
    static const uint64_t expected[BACKING_SIZES] = {
        [BACKING_SAME] = MIB,
        [BACKING_SECTOR_SHORTER] = MIB - 512,
        [BACKING_HALF] = MIB / 2,
        [BACKING_UNIT_LONGER] = MIB + 65536,
        [BACKING_DOUBLE] = 2 * MIB,
        [BACKING_ODD_SHORTER] = MIB - 1,
        [BACKING_ODD_LONGER] = MIB + 513,
        [BACKING_TINY] = 512,
    };
    plain_case(&testcase, IMAGE_QCOW2);
    set_backing(&testcase, BACKING_RAW, BACKING_NONE, BACKING_NONE);
    for (uint32_t size = 0; size < BACKING_SIZES; size++) {
        testcase.backing_1_size = size;
        assert_int_equal(size_below(&testcase), expected[size]);
    }
    testcase.size_class = SIZE_NONE;
    for (uint32_t size = BACKING_SAME; size <= BACKING_HALF; size++) {
        testcase.backing_1_size = size;
        assert_int_equal(size_below(&testcase), 0);
    }
    testcase.backing_1 = BACKING_VMDK; // cannot be empty
    assert_int_equal(size_below(&testcase), 512);
    testcase.size_class = SIZE_EDGE;
    testcase.size_value = 15; // 2 TiB
    testcase.backing_1_size = BACKING_DOUBLE;
    assert_int_equal(size_below(&testcase), 8 * GIB);
    testcase.backing_1 = BACKING_VPC;
    assert_int_equal(size_below(&testcase), 2040 * GIB);
    testcase.backing_1 = BACKING_RAW;
    assert_int_equal(size_below(&testcase), CASE_MAX_SIZE);
}

static void a_layers_clusters_are_its_own(void **state) {
    (void)state;
    struct testcase testcase, layer;
    plain_case(&testcase, IMAGE_QCOW2);
    set_backing(&testcase, BACKING_QCOW2, BACKING_NONE, BACKING_NONE);
    testcase.cluster_bits = 12;
    case_layer(&testcase, 1, &layer);
    assert_int_equal(case_source_unit(&layer), 4096);
    testcase.backing_cluster_bits = 18;
    case_layer(&testcase, 1, &layer);
    assert_int_equal(case_source_unit(&layer), 1 << 18);
    assert_int_equal(case_source_unit(&testcase), 4096);
    // What only a source has.
    testcase.snapshots = testcase.bitmaps = 3;
    testcase.data_file = QCOW2_DATA_FILE;
    case_layer(&testcase, 1, &layer);
    assert_int_equal(case_snapshots(&layer), 0);
    assert_int_equal(case_bitmaps(&layer), 0);
    assert_int_equal(case_data_file(&layer), QCOW2_DATA_INSIDE);
}

static void each_write_lands_in_one_layer(void **state) {
    (void)state;
    struct testcase testcase, layer;
    struct content_extent extents[CASE_MAX_WRITES];
    plain_case(&testcase, IMAGE_QCOW2);
    set_backing(&testcase, BACKING_QCOW2, BACKING_RAW, BACKING_NONE);
    for (uint32_t i = 0; i < 7; i++)
        add_write(&testcase, i * 65536)->layer = i;
    for (uint32_t at = 0; at < 3; at++) {
        case_layer(&testcase, at, &layer);
        assert_int_equal(case_write_extents(&layer, extents), 7);
        for (uint32_t i = 0; i < 7; i++)
            assert_int_equal(extents[i].length, i % 3 == at ? 512 : 0);
    }
    assert_int_equal(case_chain_extents(&testcase, extents), 7);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(extents[i].length, 512);
        assert_int_equal(extents[i].offset, i * 65536);
    }
}

static void the_files_of_a_chain_share_the_budget(void **state) {
    (void)state;
    struct testcase testcase, layer;
    struct content_extent extents[CASE_MAX_WRITES];
    plain_case(&testcase, IMAGE_QCOW2);
    testcase.size_value = 32767; // 16 MiB
    set_backing(&testcase, BACKING_RAW, BACKING_NONE, BACKING_NONE);
    for (uint32_t i = 0; i < 8; i++) {
        struct case_write *write = add_write(&testcase, i << 20);
        write->length = 65535;
        write->layer = i % 2;
    }
    for (uint32_t at = 0; at < 2; at++) {
        case_layer(&testcase, at, &layer);
        uint64_t bytes = 0;
        case_write_extents(&layer, extents);
        for (uint32_t i = 0; i < 8; i++)
            bytes += extents[i].length;
        assert_int_equal(bytes, CASE_MAX_WRITTEN / 2);
    }
}

static void snapshots_lie_between_the_writes(void **state) {
    (void)state;
    struct testcase testcase;
    struct content content = {0};
    plain_case(&testcase, IMAGE_QCOW2);
    testcase.snapshots = 3;
    for (uint32_t i = 0; i < 8; i++)
        add_write(&testcase, i * 65536);
    for (uint32_t i = 0; i < 3; i++) {
        content_begin(&content, case_snapshot_size(&testcase, i));
        case_snapshot_writes(&testcase, i, &content);
        assert_int_equal(content.count, 2 * (i + 1));
        assert_int_equal(content.extents[content.count - 1].offset, (2 * i + 1) * 65536);
    }
    assert_string_equal(case_snapshot_name(1), case_snapshot_id(0));
    content_free(&content);
}

static void the_first_snapshot_may_have_a_size_of_its_own(void **state) {
    (void)state;
    struct testcase testcase;
    plain_case(&testcase, IMAGE_QCOW2);
    testcase.snapshots = 2;
    testcase.snapshot_size = SNAPSHOT_SHORTER;
    assert_int_equal(case_snapshot_size(&testcase, 0), MIB / 2);
    assert_int_equal(case_snapshot_size(&testcase, 1), MIB);
    testcase.snapshot_size = SNAPSHOT_LONGER;
    assert_int_equal(case_snapshot_size(&testcase, 0), MIB + 65536);
    testcase.qcow2_version = 2; // its table has no field for it
    assert_int_equal(case_snapshot_size(&testcase, 0), MIB);
    testcase.size_class = SIZE_ODD;
    testcase.size_value = 512; // 513 bytes
    assert_int_equal(case_snapshot_size(&testcase, 0), 1024);
}

static void features_that_exclude_each_other_are_left_out(void **state) {
    (void)state;
    struct testcase testcase;
    plain_case(&testcase, IMAGE_QCOW2);
    testcase.snapshots = testcase.bitmaps = 2;
    testcase.data_file = QCOW2_DATA_FILE_RAW;
    assert_int_equal(case_snapshots(&testcase), 0);
    assert_int_equal(case_bitmaps(&testcase), 2);
    assert_int_equal(case_data_file(&testcase), QCOW2_DATA_FILE_RAW);
    testcase.backing_1 = BACKING_RAW;
    assert_int_equal(case_data_file(&testcase), QCOW2_DATA_FILE);
    testcase.qcow2_version = 2;
    assert_int_equal(case_data_file(&testcase), QCOW2_DATA_INSIDE);
    assert_int_equal(case_bitmaps(&testcase), 0);
    assert_int_equal(case_snapshots(&testcase), 2);
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        testcase.format = (uint32_t)format;
        assert_int_equal(case_snapshots(&testcase), format == IMAGE_QCOW2 ? 2 : 0);
    }
}

static void bitmaps_share_the_writes(void **state) {
    (void)state;
    struct testcase testcase;
    struct image_bitmap bitmap;
    struct image_map dirty = {0};
    plain_case(&testcase, IMAGE_QCOW2);
    testcase.bitmaps = 2;
    testcase.bitmap_flags = BITMAP_IN_USE;
    for (uint32_t i = 0; i < 6; i++)
        add_write(&testcase, (5 - i) * 65536);
    for (uint32_t index = 0; index < 2; index++) {
        case_bitmap(&testcase, index, &bitmap, &dirty);
        assert_int_equal(dirty.count, 3);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(dirty.extents[i].offset, (2 * i + 1 - index) * 65536);
        assert_int_equal(bitmap.granularity_bits, 16);
        assert_int_equal(bitmap.automatic, index == 0); // flags are the last one's
        assert_int_equal(bitmap.in_use, index == 1);
    }
    image_map_free(&dirty);
}

static void large_disks_get_coarse_bitmaps(void **state) {
    (void)state;
    struct testcase testcase;
    struct image_bitmap bitmap;
    struct image_map dirty = {0};
    plain_case(&testcase, IMAGE_QCOW2);
    testcase.bitmaps = 1;
    testcase.bitmap_bits = 9;
    case_bitmap(&testcase, 0, &bitmap, &dirty);
    assert_int_equal(bitmap.granularity_bits, 9);
    testcase.size_class = SIZE_EDGE;
    testcase.size_value = 15; // 2 TiB
    case_bitmap(&testcase, 0, &bitmap, &dirty);
    assert_int_equal(bitmap.granularity_bits, 17);
    assert_true(case_virtual_size(&testcase) >> bitmap.granularity_bits <= CAP_BITMAP_BITS);
    testcase.bitmap_bits = 31;
    case_bitmap(&testcase, 0, &bitmap, &dirty);
    assert_int_equal(bitmap.granularity_bits, 31);
    image_map_free(&dirty);
}

static bool may_convert(const struct testcase *testcase) {
    struct case_operation convert;
    case_record_defaults(RECORD_OPERATION, &convert);
    convert.op = OP_CONVERT;
    return case_operation_allowed(testcase, &convert, NULL);
}

// Of each vmdk every grain, of each qcow2 the L1 table.
static void tables_are_walked_file_by_file(void **state) {
    (void)state;
    struct testcase testcase, layer;
    for (int format = 0; format < 2; format++) {
        plain_case(&testcase, format ? IMAGE_QCOW2 : IMAGE_VMDK);
        testcase.size_class = SIZE_EDGE;
        testcase.size_value = 12; // 4 GiB: half of CAP_READ_GRAINS
        set_backing(&testcase, BACKING_VMDK, format ? BACKING_VMDK : BACKING_NONE, BACKING_NONE);
        assert_true(may_convert(&testcase));
        set_backing(&testcase, BACKING_VMDK, BACKING_VMDK, format ? BACKING_VMDK : BACKING_NONE);
        assert_false(may_convert(&testcase));
    }
    plain_case(&testcase, IMAGE_QCOW2);
    testcase.size_class = SIZE_EDGE;
    testcase.size_value = 15; // 2 TiB
    testcase.cluster_bits = 9;
    assert_int_equal(case_source_unit(&testcase), 16384);
    set_backing(&testcase, BACKING_QCOW2, BACKING_QCOW2, BACKING_QCOW2);
    for (uint32_t i = 0; i < case_layers(&testcase); i++) {
        case_layer(&testcase, i, &layer);
        assert_int_equal(case_source_unit(&layer), 32768);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_follow_what_formats_can_have),
        cmocka_unit_test(only_a_single_sparse_vmdk_names_a_parent),
        cmocka_unit_test(layers_have_their_sizes),
        cmocka_unit_test(a_layers_clusters_are_its_own),
        cmocka_unit_test(each_write_lands_in_one_layer),
        cmocka_unit_test(the_files_of_a_chain_share_the_budget),
        cmocka_unit_test(snapshots_lie_between_the_writes),
        cmocka_unit_test(the_first_snapshot_may_have_a_size_of_its_own),
        cmocka_unit_test(features_that_exclude_each_other_are_left_out),
        cmocka_unit_test(bitmaps_share_the_writes),
        cmocka_unit_test(large_disks_get_coarse_bitmaps),
        cmocka_unit_test(tables_are_walked_file_by_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
