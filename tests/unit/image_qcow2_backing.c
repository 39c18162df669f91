// SPDX-License-Identifier: Apache-2.0
//
// qcow2 over another file: overlays are written with holes where the file below shows, and chains
// are read as qemu-img reads them.
#include "image_qcow2_helper.h"
#include "image_qcow2_use.h"

static const char *const base_names[IMAGE_FORMATS] = {
    [IMAGE_RAW] = "base.raw",   [IMAGE_QCOW2] = "base.qcow2", [IMAGE_VPC] = "base.vpc",
    [IMAGE_VMDK] = "base.vmdk", [IMAGE_VHDX] = "base.vhdx",
};

static struct content own, below_content;

// `content` is what the chain shows.
static void begin_over(uint64_t base_size, uint64_t size) {
    content_begin(&below_content, base_size);
    content_write(&below_content,
                  &(struct content_extent){0, base_size, PATTERN_NOISE, FORM_NORMAL, 1});
    content_begin(&own, size);
    content_copy(&content, &below_content);
    content_resize(&content, size);
}

static void put(uint64_t offset, uint64_t length, enum content_pattern pattern,
                enum content_form form) {
    const struct content_extent write = {offset, length, pattern, form, 9};
    content_write(&own, &write);
    content_write(&content, &write);
}

static void put_below(enum image_format format, struct image_backing *backing) {
    struct image_source source;
    struct fault fault = {.text = ""};
    content_as_source(&below_content, &source);
    unlink(base_names[format]);
    if (image_write(base_names[format], format,
                    &(struct image_options){.vpc_creator = VPC_CREATOR_QEM2}, &source, &written,
                    &fault) < 0)
        fail_msg("%s", fault.text);
    *backing = (struct image_backing){.format = format};
    snprintf(backing->name, sizeof backing->name, "%s", base_names[format]);
}

static void put_above(struct image_options *options, const struct image_backing *backing) {
    const struct content_layer pair = {&own, &content};
    struct image_source source;
    struct fault fault = {.text = ""};
    options->backing = backing;
    content_as_overlay(&pair, &source);
    unlink(FILE_NAME);
    if (image_write(FILE_NAME, IMAGE_QCOW2, options, &source, &written, &fault) < 0)
        fail_msg("%s", fault.text);
}

static void assert_chain(void) {
    struct fault fault = {.text = ""};
    struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
    struct image_source truth, found;
    struct image_difference difference;
    struct image_check check;
    if (image_open_backing(image, &fault) < 0)
        fail_msg("%s", fault.text);
    content_as_source(&content, &truth);
    image_as_source(image, &found);
    if (image_compare(&truth, &found, UINT64_MAX, &difference, &fault) < 0)
        fail_msg("%s", fault.text);
    if (!difference.prefix_equal || !difference.tail_zero)
        fail_msg("differs at %llu", (unsigned long long)difference.first_offset);
    image_close(image);
    assert_int_equal(checked(FILE_NAME, &check, &fault), 0);
    assert_string_equal(check.first_problem, "");
    char *convert[] = {"qemu-img", "convert", "-f",     "qcow2", "-O",
                       "raw",      FILE_NAME, "theirs", NULL};
    if (!have_qemu_img())
        return;
    assert_same_statistics(FILE_NAME);
    if (run_qemu_img(convert, &text) != 0)
        fail_msg("%s", text.data);
    assert_content("theirs", IMAGE_RAW);
    unlink("theirs");
}

static void every_format_can_be_below(void **state) {
    (void)state;
    static const uint64_t sizes[] = {512, 700 * 512, 1u << 20, 3u << 20};
    for (int format = 0; format < IMAGE_FORMATS; format++)
        for (int version = 2; version <= 3; version++)
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                struct image_backing backing;
                struct image_options options = {.qcow2_version = (uint32_t)version,
                                                .cluster_bits = 9 + 3 * (uint32_t)i};
                begin_over(sizes[i], 1u << 20);
                put_below((enum image_format)format, &backing);
                put(3000, 70000, PATTERN_COUNTER, FORM_NORMAL);
                put(100000, 50000, PATTERN_ZERO, FORM_ZERO);
                put(200000, 50000, PATTERN_ZERO, FORM_NORMAL);
                put(300000, 3000, PATTERN_ZERO, FORM_ZERO_ALLOCATED);
                put(400000, 10, PATTERN_CONSTANT, FORM_COMPRESSED);
                put((1u << 20) - 1, 1, PATTERN_CONSTANT, FORM_NORMAL);
                put_above(&options, &backing);
                assert_chain();
                unlink(base_names[format]);
            }
}

static void subclusters_and_data_files_can_be_above(void **state) {
    (void)state;
    for (int row = 0; row < 4; row++) {
        struct image_backing backing;
        struct image_options options = {.extended_l2 = row & 1, .stale_subclusters = row & 1};
        options.data_file = row & 2 ? QCOW2_DATA_FILE : QCOW2_DATA_INSIDE;
        begin_over(1u << 20, 1u << 20);
        put_below(IMAGE_RAW, &backing);
        put(5 * 2048, 1, PATTERN_CONSTANT, FORM_NORMAL);
        put(100000, 30000, PATTERN_ZERO, FORM_ZERO);
        put(500000, 3000, PATTERN_ZERO, FORM_ZERO_ALLOCATED);
        put_above(&options, &backing);
        assert_chain();
        unlink("image.data");
    }
    unlink("base.raw");
}

static void name_and_format_are_recorded(void **state) {
    (void)state;
    for (int format = 0; format < IMAGE_FORMATS; format++)
        for (int version = 2; version <= 3; version++) {
            struct image_backing backing;
            struct image_options options = {.qcow2_version = (uint32_t)version};
            struct image_info info;
            begin_over(1u << 20, 1u << 20);
            put_below((enum image_format)format, &backing);
            put_above(&options, &backing);
            struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
            image->driver->info(image, &info);
            assert_string_equal(info.backing_name, base_names[format]);
            assert_string_equal(info.backing_format, image_driver((enum image_format)format)->name);
            image_close(image);
            char *argv[] = {"qemu-img", "info", "--output=json", FILE_NAME, NULL};
            if (have_qemu_img()) {
                char expected[80];
                assert_int_equal(run_qemu_img(argv, &text), 0);
                snprintf(expected, sizeof expected, "\"backing-filename\": \"%s\"",
                         base_names[format]);
                assert_non_null(strstr(text.data, expected));
                snprintf(expected, sizeof expected, "\"backing-filename-format\": \"%s\"",
                         info.backing_format);
                assert_non_null(strstr(text.data, expected));
            }
            unlink(base_names[format]);
        }
}

// The bytes of a chain are not known before the files below are open.
static void a_closed_chain_gives_no_bytes(void **state) {
    (void)state;
    struct image_backing backing;
    struct image_options options = {0};
    struct fault fault = {.text = ""};
    uint8_t byte;
    begin_over(1u << 20, 1u << 20);
    put_below(IMAGE_RAW, &backing);
    put_above(&options, &backing);
    struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
    assert_int_equal(image_read(image, 0, &byte, 1, &fault), -1);
    assert_non_null(strstr(fault.text, "not open"));
    unlink("base.raw");
    assert_int_equal(image_open_backing(image, &fault), -1);
    image_close(image);
}

static void a_chain_that_leads_back_ends(void **state) {
    (void)state;
    struct image_backing backing = {.name = FILE_NAME, .format = IMAGE_QCOW2};
    struct image_options options = {0};
    struct fault fault = {.text = ""};
    begin_over(1u << 20, 1u << 20);
    put_above(&options, &backing);
    struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
    assert_int_equal(image_open_backing(image, &fault), -1);
    assert_non_null(strstr(fault.text, "leads back"));
    image_close(image);
}

static void zeros_cannot_be_left_out_of_an_overlay(void **state) {
    (void)state;
    const struct content_layer pair = {&own, &content};
    const struct image_backing backing = {.name = "base.raw"};
    const struct image_options rows[] = {{.backing = &backing, .skip_zeros = true}, {0}};
    struct image_source source;
    begin_over(1u << 20, 1u << 20);
    content_as_overlay(&pair, &source);
    unlink(FILE_NAME);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {.text = ""};
        assert_int_equal(image_write(FILE_NAME, IMAGE_QCOW2, &rows[i], &source, &written, &fault),
                         -1);
        assert_non_null(strstr(fault.text, i ? "overlay" : "zeros"));
    }
}

static void damaged_names_are_survived(void **state) {
    (void)state;
    struct random random = {17};
    struct image_backing backing;
    struct image_options options = {.cluster_bits = 9};
    begin_over(1u << 20, 100000);
    put_below(IMAGE_RAW, &backing);
    put(3000, 3000, PATTERN_NOISE, FORM_NORMAL);
    put_above(&options, &backing);
    size_t size;
    uint8_t *good = load(&size), *bad = malloc(size);
    assert_non_null(bad);
    for (int round = 0; round < 600; round++) {
        struct image *image;
        struct fault fault;
        memcpy(bad, good, size);
        for (uint64_t flips = 1 + below(&random, 3); flips > 0; flips--)
            bad[one_in(&random, 2) ? 8 + below(&random, 12) : 100 + below(&random, 60)] ^=
                (uint8_t)(1u << below(&random, 8));
        store(bad, size);
        use_everything(FILE_NAME);
        if (image_open(&image, FILE_NAME, IMAGE_QCOW2, &fault) == 0) {
            if (image_open_backing(image, &fault) == 0)
                use_disk(image);
            image_close(image);
        }
    }
    free(good);
    free(bad);
    unlink("base.raw");
}

static int release_all(void **state) {
    content_free(&own);
    content_free(&below_content);
    return release(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_can_be_below),
        cmocka_unit_test(subclusters_and_data_files_can_be_above),
        cmocka_unit_test(name_and_format_are_recorded),
        cmocka_unit_test(a_closed_chain_gives_no_bytes),
        cmocka_unit_test(a_chain_that_leads_back_ends),
        cmocka_unit_test(zeros_cannot_be_left_out_of_an_overlay),
        cmocka_unit_test(damaged_names_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, release_all);
}
