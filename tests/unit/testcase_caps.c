// SPDX-License-Identifier: Apache-2.0
//
// What a case costs stays within the caps, whatever the bytes say: writes are left out, units grow,
// operations are not run.
#include "base/bytes.h"
#include "testcase/caps.h"
#include "tests/unit/testcase_helper.h"

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

static void units_are_counted_once_and_only_within_the_disk(void **state) {
    (void)state;
    static const struct content_extent extents[] = {
        {.offset = 10, .length = 1, .form = FORM_NORMAL},
        {.offset = 4000, .length = 200, .form = FORM_COMPRESSED}, // the first unit again
        {.offset = 1, .length = 1 << 20, .form = FORM_ZERO},
        {.offset = 5 * 4096,
         .length = 4097,
         .form = FORM_NORMAL}, // of a lower file, if 4200 is all
    };
    assert_int_equal(case_touched_bytes(extents, 4, 4096, UINT64_MAX), 4 * 4096);
    assert_int_equal(case_touched_bytes(extents, 4, 4096, 4200), 4200);
    assert_int_equal(case_touched_bytes(extents, 4, 4096, 6 * 4096 + 1), 3 * 4096 + 1);
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
    helper_plain_case(&testcase, IMAGE_RAW);
    helper_set_size(&testcase, SIZE_SECTORS, 32767, 0);
    for (uint32_t i = 0; i < 6; i++) {
        struct case_write *write = helper_add_write(&testcase);
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
    helper_plain_case(&testcase, IMAGE_VHDX);
    testcase.block_bits = 28;
    helper_set_size(&testcase, SIZE_EDGE, 10, 0); // 1 GiB
    for (uint32_t i = 0; i < CASE_MAX_WRITES; i++) {
        struct case_write *write = helper_add_write(&testcase);
        write->anchor = ANCHOR_SOURCE;
        write->offset = i;
    }
    assert_int_equal(case_source_unit(&testcase), 32 << 20);
    case_write_extents(&testcase, extents);
    for (uint32_t i = 0; i < CASE_MAX_WRITES; i++)
        assert_int_equal(extents[i].length, i < 4);
    helper_set_size(&testcase, SIZE_SECTORS, 1000,
                    0); // a small disk keeps the block: its end is cut
    assert_int_equal(case_source_unit(&testcase), 256 << 20);
    case_write_extents(&testcase, extents);
    assert_int_equal(extents[31].length, 1);
}

static void costly_targets_get_larger_units(void **state) {
    (void)state;
    struct testcase testcase;
    struct target_options options;
    struct case_operation operation = {.op = OP_CONVERT, .target = IMAGE_QCOW2, .cluster_bits = 9};
    helper_plain_case(&testcase, IMAGE_RAW);
    helper_set_size(&testcase, SIZE_EDGE, 15, 0);
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 14);
    operation.op = OP_MEASURE;
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 9);

    helper_set_size(&testcase, SIZE_SECTORS, 32767, 0);
    for (uint32_t i = 0; i < 4; i++) {
        struct case_write *write = helper_add_write(&testcase);
        write->offset = i << 20;
        write->length_scale = LENGTH_SECTORS;
        write->length = 2047;
    }
    operation.op = OP_CONVERT_COMPRESSED;
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 12);

    for (uint32_t i = 0; i < 4; i++) // single bytes, each in a large cluster of its own
        testcase.writes[i].length_scale = LENGTH_BYTES, testcase.writes[i].length = 0;
    helper_set_size(&testcase, SIZE_EDGE, 8, 0);
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
    helper_plain_case(&testcase, IMAGE_QCOW2);
    helper_set_size(&testcase, SIZE_SECTORS, 32767, 0);
    testcase.cluster_bits = 21;
    helper_add_write(&testcase);
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 9);
    testcase.writes[0].form = FORM_COMPRESSED;
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 15); // 64 times 2 MiB
    operation.op = OP_CONVERT;
    case_target_options(&testcase, &operation, &options);
    assert_int_equal(options.cluster_bits, 9);
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
    helper_plain_case(&testcase, IMAGE_VHDX);
    helper_set_size(&testcase, SIZE_EDGE, 12, 0); // 4 GiB
    testcase.operation_count = 3;
    testcase.operations[0] = (struct case_operation){.op = OP_CONVERT, .target = IMAGE_RAW};
    testcase.operations[1] = (struct case_operation){.op = OP_MEASURE, .target = IMAGE_QCOW2};
    testcase.operations[2] = (struct case_operation){.op = OP_CHECK};
    assert_false(allowed(&testcase, 0));
    assert_true(allowed(&testcase, 1));
    assert_true(allowed(&testcase, 2));
    helper_set_size(&testcase, SIZE_EDGE, 11, 0); // 2 GiB
    assert_true(allowed(&testcase, 0));

    testcase.format = IMAGE_RAW;
    testcase.operations[0].target = IMAGE_VMDK;
    helper_set_size(&testcase, SIZE_EDGE, 13, 0); // 127 GiB
    assert_true(allowed(&testcase, 0));
    helper_set_size(&testcase, SIZE_EDGE, 14, 0); // 2040 GiB
    assert_false(allowed(&testcase, 0));
}

static void the_cost_follows_the_chain(void **state) {
    (void)state;
    struct testcase testcase;
    helper_plain_case(&testcase, IMAGE_RAW);
    helper_set_size(&testcase, SIZE_EDGE, 13, 0); // 127 GiB
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

// What measures large blocks is held against its convert where that fills few of them.
static void the_convert_behind_a_measure_has_a_cap(void **state) {
    (void)state;
    struct testcase testcase;
    struct fault fault;
    const char *one = "{\"virtual_size\": 2147483648, \"writes\": [{\"length_bytes\": 512}],"
                      " \"operations\": [{\"op\": \"measure\", \"target\": \"vhdx\","
                      " \"block_bits\": 28}]}";
    const char *two = "{\"virtual_size\": 2147483648, \"writes\": [{\"length_bytes\": 512},"
                      " {\"anchor\": \"end\", \"offset\": 512, \"length_bytes\": 512}],"
                      " \"operations\": [{\"op\": \"measure\", \"target\": \"vhdx\","
                      " \"block_bits\": 28}, {\"op\": \"measure\", \"target\": \"vhdx\","
                      " \"block_bits\": 27}]}";
    const char *huge = "{\"format\": \"vhdx\", \"size_class\": \"edge\", \"size_value\": 15,"
                       " \"operations\": [{\"op\": \"measure\", \"target\": \"vmdk\"}]}";
    assert_int_equal(case_from_json(&testcase, one, &fault), 0);
    assert_true(case_fit_allowed(&testcase, &testcase.operations[0]));
    assert_int_equal(case_from_json(&testcase, two, &fault), 0);
    assert_false(case_fit_allowed(&testcase, &testcase.operations[0]));
    assert_true(case_fit_allowed(&testcase, &testcase.operations[1]));
    assert_int_equal(case_from_json(&testcase, huge, &fault), 0);
    assert_false(case_fit_allowed(&testcase, &testcase.operations[0]));
}

// As measured: clusters of a convert that a case asks for would be made larger, or have no
// preallocation.
static void a_qcow2_of_many_clusters_is_not_converted_behind_its_measure(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool allowed;
    } rows[] = {
        {"{\"virtual_size\": 1048576, \"operations\": [{\"op\": \"measure\", \"target\": \"qcow2\","
         " \"cluster_bits\": 9, \"preallocation\": \"full\"}]}",
         true},
        {"{\"virtual_size\": 67108864, \"operations\": [{\"op\": \"measure\", \"target\": "
         "\"qcow2\","
         " \"preallocation\": \"metadata\"}]}",
         false},
        {"{\"virtual_size\": 67108864, \"operations\": [{\"op\": \"measure\", \"target\": "
         "\"qcow2\","
         " \"preallocation\": \"off\"}]}",
         true},
        {"{\"size_class\": \"edge\", \"size_value\": 15, \"operations\": [{\"op\": \"measure\","
         " \"target\": \"qcow2\", \"cluster_bits\": 9}]}",
         false},
        {"{\"size_class\": \"edge\", \"size_value\": 15, \"operations\": [{\"op\": \"measure\","
         " \"target\": \"qcow2\"}]}",
         true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct testcase testcase;
        struct fault fault = {0};
        if (case_from_json(&testcase, rows[i].text, &fault))
            fail_msg("%s", fault.text);
        assert_int_equal(case_fit_allowed(&testcase, &testcase.operations[0]), rows[i].allowed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_counted_once_and_only_within_the_disk),
        cmocka_unit_test(writes_stay_within_every_cap),
        cmocka_unit_test(zeros_are_stored_only_where_they_are_few),
        cmocka_unit_test(one_write_leaves_room_for_others),
        cmocka_unit_test(a_byte_in_a_huge_block_is_left_out_or_cheap),
        cmocka_unit_test(costly_targets_get_larger_units),
        cmocka_unit_test(large_compressed_clusters_are_not_inflated_for_each_small_one),
        cmocka_unit_test(costly_operations_are_not_allowed),
        cmocka_unit_test(the_cost_follows_the_chain),
        cmocka_unit_test(the_convert_behind_a_measure_has_a_cap),
        cmocka_unit_test(a_qcow2_of_many_clusters_is_not_converted_behind_its_measure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
