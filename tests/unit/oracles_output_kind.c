// SPDX-License-Identifier: Apache-2.0
//
// The rule about what kind of file a conversion wrote: each option that a tool was given and the
// file does not have, each thing that the file has and nobody asked for, and the silence of what
// was not asked or not given.
#include "oracles_step.h"

#define KIND "output_kind_divergence"

// A conversion by instar alone to a file that our reader opens; its bytes are not looked at here.
static struct oracle_written *kind_begin(struct bench *bench, enum operation op,
                                         enum image_format target) {
    bench_begin(bench, op);
    bench->step.target = target;
    bench->step.b.ran = false;
    bench->step.a.written =
        (struct oracle_written){.known = true, .unit = 65536, .gap = UINT64_MAX};
    return &bench->step.a.written;
}

static void what_was_asked_must_be_there(void **state) {
    (void)state;
    struct bench bench;
    struct oracle_written *written = kind_begin(&bench, OP_CONVERT, IMAGE_QCOW2);
    bench_agrees(&bench, KIND);
    bench.step.options.cluster_bits = 12;
    const struct judgement *judgement = bench_diverges(&bench, KIND, "cluster_size_instar");
    assert_string_equal(judgement->field, "cluster-size");
    assert_string_equal(judgement->a_value, "65536");
    written->unit = 4096;
    bench_agrees(&bench, KIND);
    bench.step.options.extended_l2 = true;
    bench_diverges(&bench, KIND, "extended_l2_instar");
    written->info.extended_l2 = true;
    bench_agrees(&bench, KIND);
    bench.step.options.extended_l2 = false; // nor unasked
    bench_diverges(&bench, KIND, "extended_l2_instar");
    written->info.extended_l2 = false;
    bench.step.options.no_skip_zeros = true;
    bench_agrees(&bench, KIND);
    written->gap = 131072;
    bench_diverges(&bench, KIND, "zeros_stored_instar");
    bench_end(&bench);
}

static void units_of_other_formats_too(void **state) {
    (void)state;
    struct bench bench;
    struct oracle_written *written = kind_begin(&bench, OP_CONVERT, IMAGE_VMDK);
    bench.step.options.grain_bits = 13;
    bench_diverges(&bench, KIND, "grain_size_instar");
    written->unit = 8192;
    bench_agrees(&bench, KIND);
    bench.step.a.tool = &bench.qemu_img; // which has no such option
    written->unit = 65536;
    bench_agrees(&bench, KIND);
    for (int i = 0; i < 2; i++) {
        written = kind_begin(&bench, OP_CONVERT, i ? IMAGE_VHDX : IMAGE_VPC);
        bench.step.options.block_bits = 20;
        bench_diverges(&bench, KIND, "block_size_instar");
        written->unit = 1 << 20;
        bench_agrees(&bench, KIND);
    }
    bench_end(&bench);
}

static void a_layout_is_that_of_its_option(void **state) {
    (void)state;
    struct bench bench;
    struct oracle_written *written = kind_begin(&bench, OP_CONVERT, IMAGE_VMDK);
    strcpy(written->info.vmdk_create_type, vmdk_create_types[VMDK_SPARSE]);
    bench_agrees(&bench, KIND);
    bench.step.options.vmdk_subformat = SUBFORMAT_FLAT;
    bench_diverges(&bench, KIND, "create_type_instar");
    strcpy(written->info.vmdk_create_type, vmdk_create_types[VMDK_FLAT]);
    bench_agrees(&bench, KIND);
    written = kind_begin(&bench, OP_CONVERT_COMPRESSED, IMAGE_VMDK);
    strcpy(written->info.vmdk_create_type, vmdk_create_types[VMDK_SPARSE]);
    bench_diverges(&bench, KIND, "create_type_instar");
    strcpy(written->info.vmdk_create_type, vmdk_create_types[VMDK_STREAM]);
    bench_agrees(&bench, KIND);
    bench_end(&bench);
}

// Noise does not shrink, nor must a part of a cluster.
static void what_shrinks_must_be_compressed(void **state) {
    (void)state;
    struct bench bench;
    struct oracle_written *written = kind_begin(&bench, OP_CONVERT_COMPRESSED, IMAGE_QCOW2);
    bench_write(&bench, 0, 131072, PATTERN_NOISE);
    bench_write(&bench, 131072 + 512, 65536, PATTERN_CONSTANT);
    bench_agrees(&bench, KIND);
    bench_write(&bench, 131072 + 512, 2 * 65536, PATTERN_CONSTANT);
    bench_diverges(&bench, KIND, "compressed_instar");
    written->compressed = true;
    bench_agrees(&bench, KIND);
    written->compressed = false;
    bench.step.op = OP_CONVERT;
    bench_agrees(&bench, KIND);
    bench_end(&bench);
}

static void a_new_image_has_no_past(void **state) {
    (void)state;
    struct bench bench;
    struct oracle_written *written = kind_begin(&bench, OP_CONVERT, IMAGE_QCOW2);
    const struct image_info clean = {0};
    written->info.dirty = true;
    bench_diverges(&bench, KIND, "dirty_instar");
    written->info = clean;
    written->info.corrupt = true;
    bench_diverges(&bench, KIND, "corrupt_instar");
    written->info = clean;
    strcpy(written->info.data_file, "x");
    bench_diverges(&bench, KIND, "data_file_instar");
    written->info = clean;
    written->info.snapshots = 1;
    bench_diverges(&bench, KIND, "snapshots_instar");
    written->info = clean;
    written->info.bitmaps = 2;
    bench_diverges(&bench, KIND, "bitmaps_instar");
    for (int target = IMAGE_QCOW2; target < IMAGE_FORMATS; target++) {
        bench.step.target = (enum image_format)target;
        written->info = clean;
        written->info.has_backing = true;
        bench_diverges(&bench, KIND, "backing_instar");
    }
    bench_end(&bench);
}

static void a_file_that_nobody_opened_is_not_judged(void **state) {
    (void)state;
    struct bench bench;
    struct oracle_written *written = kind_begin(&bench, OP_CONVERT, IMAGE_QCOW2);
    bench.step.options.cluster_bits = 12;
    written->known = false;
    bench_judge(&bench);
    assert_null(bench_find(&bench, KIND, VERDICT_AGREE));
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_asked_must_be_there),
        cmocka_unit_test(units_of_other_formats_too),
        cmocka_unit_test(a_layout_is_that_of_its_option),
        cmocka_unit_test(what_shrinks_must_be_compressed),
        cmocka_unit_test(a_new_image_has_no_past),
        cmocka_unit_test(a_file_that_nobody_opened_is_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
