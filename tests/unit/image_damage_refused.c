// SPDX-License-Identifier: Apache-2.0
//
// Copies that no reader may open: neither ours opens one nor qemu-img, each for its own reason, and
// an image that cannot be spoilt so is left alone.
#include "tests/unit/image_damage_helper.h"

static const struct spoilt {
    enum image_damage kind;
    enum image_format format;
    struct image_options options;
    const char *ours; // a part of our reader's reason
} spoilt[] = {
    {DAMAGE_FEATURE, IMAGE_QCOW2, {.cluster_bits = 16}, "unknown incompatible"},
    {DAMAGE_FEATURE, IMAGE_QCOW2, {.cluster_bits = 9}, "unknown incompatible"},
    {DAMAGE_FEATURE,
     IMAGE_QCOW2,
     {.cluster_bits = 14, .extended_l2 = true, .compression = QCOW2_ZSTD},
     "unknown incompatible"},
    {DAMAGE_COMPRESSION, IMAGE_QCOW2, {.cluster_bits = 16}, "compression type"},
    {DAMAGE_COMPRESSION,
     IMAGE_QCOW2,
     {.cluster_bits = 15, .compression = QCOW2_ZSTD},
     "compression type"},
    {DAMAGE_VERSION, IMAGE_VMDK, {.grain_bits = 16}, "version"},
    {DAMAGE_VERSION, IMAGE_VMDK, {.vmdk_subformat = VMDK_STREAM, .compress = true}, "version"},
    {DAMAGE_COOKIE, IMAGE_VPC, {.block_bits = 19}, "cookie"},
    {DAMAGE_LOG, IMAGE_VHDX, {.block_bits = 20}, "log"},
    {DAMAGE_CHECKSUM, IMAGE_VHDX, {.block_bits = 20}, "region table"},
    {DAMAGE_REGION, IMAGE_VHDX, {.vhdx_fixed = true}, "region is unknown"},
    {DAMAGE_ITEM, IMAGE_VHDX, {.block_bits = 25}, "item is unknown"},
};

static void make(enum image_format format, const struct image_options *options) {
    struct content content = {0};
    struct image_written written = {0};
    disk_content(&content, 4 << 20, 1 << 18);
    disk_make(SOUND, format, options, &content, &written);
    for (size_t file = 0; file < written.file_count; file++)
        unlink(written.files[file]);
    image_written_free(&written);
    content_free(&content);
}

static void qemu_img_refuses(enum image_format format, const char *file, bool expected) {
    char *argv[] = {"qemu-img",   "info", "-f", (char *)image_driver(format)->name,
                    (char *)file, NULL};
    struct buffer text = {0};
    if (have_qemu_img())
        assert_int_equal(run_qemu_img(argv, &text) == 1, expected);
    buffer_free(&text);
}

static void nobody_opens_them(void **state) {
    (void)state;
    for (const struct spoilt *row = spoilt; row < spoilt + sizeof spoilt / sizeof *spoilt; row++) {
        make(row->format, &row->options);
        qemu_img_refuses(row->format, SOUND, false);
        for (uint64_t chosen = 0; chosen < 40; chosen++) {
            assert_true(try_damage(row->format, row->kind, chosen * 7));
            struct image *image = NULL;
            struct fault fault = {{0}};
            if (image_open(&image, UNSOUND, row->format, &fault) == 0)
                fail_msg("%s is opened", image_damage_names[row->kind]);
            if (!strstr(fault.text, row->ours))
                fail_msg("%s: %s", image_damage_names[row->kind], fault.text);
            if (chosen % 8 == 0)
                qemu_img_refuses(row->format, UNSOUND, true);
        }
    }
}

// Not another format's.
static void each_has_a_format(void **state) {
    (void)state;
    for (const struct spoilt *row = spoilt; row < spoilt + sizeof spoilt / sizeof *spoilt; row++) {
        make(row->format, &row->options);
        for (const struct spoilt *other = spoilt; other < spoilt + sizeof spoilt / sizeof *spoilt;
             other++)
            if (other->format != row->format)
                assert_false(try_damage(row->format, other->kind, 1));
    }
}

static void what_has_no_place_for_it_is_left_alone(void **state) {
    (void)state;
    static const struct {
        enum image_damage kind;
        enum image_format format;
        struct image_options options;
    } images[] = {
        {DAMAGE_FEATURE, IMAGE_QCOW2, {.qcow2_version = 2}},
        {DAMAGE_COMPRESSION, IMAGE_QCOW2, {.qcow2_version = 2}},
        {DAMAGE_COMPRESSION, IMAGE_QCOW2, {.cluster_bits = 15}}, // a header of 104 bytes
        {DAMAGE_VERSION, IMAGE_VMDK, {.vmdk_subformat = VMDK_FLAT}},
        {DAMAGE_COOKIE, IMAGE_VPC, {.vpc_fixed = true}},
        {DAMAGE_FEATURE, IMAGE_RAW, {0}},
    };
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        struct stat info;
        make(images[i].format, &images[i].options);
        assert_false(try_damage(images[i].format, images[i].kind, 1));
        assert_int_equal(stat(UNSOUND, &info), -1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_opens_them),
        cmocka_unit_test(each_has_a_format),
        cmocka_unit_test(what_has_no_place_for_it_is_left_alone),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_damaged);
}
