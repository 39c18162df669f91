// SPDX-License-Identifier: Apache-2.0
//
// qcow2 with an external data file: written, read, checked and converted as qemu-img does it.
#include "image_qcow2_helper.h"
#include "image_qcow2_use.h"

#include <sys/stat.h>

#define DATA_NAME "image.data"

static void remove_data(void) {
    unlink(DATA_NAME);
}

static void build_outside(const struct image_options *options) {
    remove_data();
    build(options);
    assert_int_equal(written.file_count, 1);
    assert_string_equal(written.files[0], DATA_NAME);
}

static void put_some(void) {
    content_begin(&content, 1000000);
    put_extent(0, 3000, PATTERN_NOISE, FORM_NORMAL);
    put_extent(200000, 100000, PATTERN_COUNTER, FORM_COMPRESSED);
    put_extent(400000, 70000, PATTERN_ZERO, FORM_ZERO);
    put_extent(600000, 70000, PATTERN_ZERO, FORM_ZERO_ALLOCATED);
    put_extent(999000, 1000, PATTERN_NOISE, FORM_NORMAL);
}

static void assert_converted(void) {
    char *argv[] = {"qemu-img", "convert", "-f", "qcow2", "-O", "raw", FILE_NAME, "theirs", NULL};
    if (!have_qemu_img())
        return;
    if (run_qemu_img(argv, &text) != 0)
        fail_msg("%s", text.data);
    assert_content("theirs", IMAGE_RAW);
    unlink("theirs");
}

static void assert_shown(bool raw) {
    struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
    struct image_info info;
    image->driver->info(image, &info);
    assert_string_equal(info.data_file, DATA_NAME);
    assert_int_equal(info.data_file_raw, raw);
    assert_int_equal(image->file_count, 1);
    assert_string_equal(image->files[0], DATA_NAME);
    image_close(image);
    char *argv[] = {"qemu-img", "info", "--output=json", FILE_NAME, NULL};
    if (!have_qemu_img())
        return;
    assert_int_equal(run_qemu_img(argv, &text), 0);
    assert_non_null(strstr(text.data, "\"data-file\": \"" DATA_NAME "\""));
    assert_non_null(
        strstr(text.data, raw ? "\"data-file-raw\": true" : "\"data-file-raw\": false"));
}

static void both_kinds_hold_the_disk(void **state) {
    (void)state;
    for (uint32_t bits = 9; bits <= 21; bits++)
        for (int kind = QCOW2_DATA_FILE; kind < QCOW2_DATA_FILES; kind++)
            for (int extended = 0; extended < 1 + (bits >= 14); extended++) {
                put_some();
                build_outside(&(struct image_options){.cluster_bits = bits,
                                                      .data_file = (enum qcow2_data_file)kind,
                                                      .extended_l2 = extended,
                                                      .stale_subclusters = extended,
                                                      .refcount_bits = 1});
                assert_clean();
                if (have_qemu_img())
                    assert_same_statistics(FILE_NAME);
                assert_converted();
                assert_shown(kind == QCOW2_DATA_FILE_RAW);
                if (kind == QCOW2_DATA_FILE_RAW)
                    assert_content(DATA_NAME, IMAGE_RAW);
            }
    remove_data();
}

// What the tables call zero has other bytes in a data file that is no raw image, so that who reads
// it as one is seen.
static void a_data_file_that_is_not_raw_does_not_read_as_the_disk(void **state) {
    (void)state;
    put_some();
    build_outside(&(struct image_options){.cluster_bits = 12, .data_file = QCOW2_DATA_FILE});
    struct image *image = opened(DATA_NAME, IMAGE_RAW);
    uint8_t byte = 0;
    struct fault fault = {.text = ""};
    assert_int_equal(image->virtual_size, round_up(content.size, 512));
    // Inside the zeros that keep their place; the first sector of a cluster.
    assert_int_equal(image_read(image, round_up(630000, 4096), &byte, 1, &fault), 0);
    assert_int_equal(byte, 0xa5);
    image_close(image);
    remove_data();
}

static void zeros_with_a_place_cost_little_however_long(void **state) {
    (void)state;
    struct stat status;
    const uint64_t clusters = 512;
    for (int extended = 0; extended < 2; extended++) {
        content_begin(&content, 1ull << 40);
        put_extent(0, clusters << 21, PATTERN_ZERO, FORM_ZERO_ALLOCATED);
        build_outside(&(struct image_options){
            .cluster_bits = 21, .data_file = QCOW2_DATA_FILE, .extended_l2 = extended});
        assert_clean();
        assert_int_equal(stat(DATA_NAME, &status), 0);
        assert_in_range(status.st_blocks, 1, clusters * 65536 / 512);
    }
    remove_data();
}

// Offset 0 is a place there. A zero cluster cannot have it: QEMU takes it for one without place.
static void the_first_cluster_has_a_place(void **state) {
    (void)state;
    static const struct {
        enum content_form form;
        bool extended;
        enum image_state state;
    } rows[] = {
        {FORM_NORMAL, false, IMAGE_DATA},         {FORM_NORMAL, true, IMAGE_DATA},
        {FORM_COMPRESSED, false, IMAGE_DATA},     {FORM_ZERO, false, IMAGE_ZERO},
        {FORM_ZERO_ALLOCATED, false, IMAGE_ZERO}, {FORM_ZERO_ALLOCATED, true, IMAGE_ZERO_ALLOCATED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {.text = ""};
        struct image_extent extent;
        content_begin(&content, 1u << 20);
        put_extent(0, 65536, PATTERN_COUNTER, rows[i].form);
        build_outside(
            &(struct image_options){.data_file = QCOW2_DATA_FILE, .extended_l2 = rows[i].extended});
        assert_clean();
        assert_converted();
        struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
        assert_int_equal(image_extent_at(image, 0, &extent, &fault), 0);
        assert_int_equal(extent.state, rows[i].state);
        assert_int_equal(extent.length, 65536);
        image_close(image);
        assert_int_equal(written.map.extents[0].state, rows[i].state);
    }
    remove_data();
}

static void files_of_qemu_img_are_read(void **state) {
    (void)state;
    static const char *const kinds[] = {"data_file=their.data,data_file_raw=off",
                                        "data_file=their.data,data_file_raw=on",
                                        "data_file=their.data,data_file_raw=off,cluster_size=512",
                                        "data_file=their.data,extended_l2=on"};
    struct image_source source;
    struct fault fault = {.text = ""};
    if (!have_qemu_img())
        skip();
    content_begin(&content, 3u << 20);
    put_extent(0, 70000, PATTERN_NOISE, FORM_NORMAL);
    put_extent(1u << 20, 512, PATTERN_COUNTER, FORM_NORMAL);
    put_extent((3u << 20) - 5, 5, PATTERN_NOISE, FORM_NORMAL);
    content_as_source(&content, &source);
    assert_int_equal(
        image_write("source.raw", IMAGE_RAW, &(struct image_options){0}, &source, &written, &fault),
        0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char *argv[] = {"qemu-img",       "convert",    "-O",     "qcow2", "-o",
                        (char *)kinds[i], "source.raw", "theirs", NULL};
        if (run_qemu_img(argv, &text) != 0)
            fail_msg("%s: %s", kinds[i], text.data);
        assert_content("theirs", IMAGE_QCOW2);
        assert_same_statistics("theirs");
        unlink("theirs");
        unlink("their.data");
    }
    unlink("source.raw");
}

static void what_qemu_img_refuses_is_refused(void **state) {
    (void)state;
    struct image *image;
    struct fault fault = {.text = ""};
    uint8_t byte;
    static const struct {
        uint64_t at; // file offset; clusters of 512 bytes
        uint8_t value;
        const char *reason;
    } rows[] = {
        {104, 'E', "no name"},        // an unknown extension instead
        {112, '/', "outside"},        // a name with a directory
        {112, 'x', "cannot open"},    // of no file
        {512, 0x40, "compressed"},    // a compressed cluster
        {512 + 6, 2, "guest offset"}, // 512 bytes behind its place
        {512 + 7, 0, NULL},           // as it was
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_some();
        build_outside(&(struct image_options){.cluster_bits = 9, .data_file = QCOW2_DATA_FILE});
        patch(rows[i].at, &rows[i].value, 1);
        bool fine = image_open(&image, FILE_NAME, IMAGE_QCOW2, &fault) == 0 &&
                    image_read(image, 0, &byte, 1, &fault) == 0;
        assert_int_equal(fine, rows[i].reason == NULL);
        if (rows[i].reason && !strstr(fault.text, rows[i].reason))
            fail_msg("row %zu: %s", i, fault.text);
        image_close(image);
        char *argv[] = {"qemu-img", "convert", "-f",     "qcow2", "-O",
                        "raw",      FILE_NAME, "theirs", NULL};
        if (have_qemu_img() && (run_qemu_img(argv, &text) == 0) != fine)
            fail_msg("row %zu: qemu-img: %s", i, text.data);
        unlink("theirs");
    }
    remove_data();
}

static void what_the_format_has_not_is_refused(void **state) {
    (void)state;
    const struct image_backing backing = {.name = "base.raw"};
    const struct {
        struct image_options options;
        const char *reason;
    } rows[] = {
        {{.data_file = QCOW2_DATA_FILE, .qcow2_version = 2}, "version 2"},
        {{.data_file = QCOW2_DATA_FILE_RAW, .backing = &backing}, "below"},
        {{.data_file = QCOW2_DATA_FILES}, "kind"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {.text = ""};
        uint64_t declared;
        assert_int_equal(
            image_driver(IMAGE_QCOW2)->declared_size(&rows[i].options, 512, &declared, &fault), -1);
        assert_non_null(strstr(fault.text, rows[i].reason));
    }
}

static void nothing_is_left_of_a_failure(void **state) {
    (void)state;
    struct image_source source;
    struct fault fault = {.text = ""};
    put_some();
    build_outside(&(struct image_options){.data_file = QCOW2_DATA_FILE});
    content_as_source(&content, &source);
    unlink(FILE_NAME);
    // The data file is in the way, and stays: it is not ours.
    assert_int_equal(image_write(FILE_NAME, IMAGE_QCOW2,
                                 &(struct image_options){.data_file = QCOW2_DATA_FILE}, &source,
                                 &written, &fault),
                     -1);
    assert_int_equal(access(FILE_NAME, F_OK), -1);
    assert_int_equal(access(DATA_NAME, F_OK), 0);
    remove_data();
}

static void damaged_files_are_survived(void **state) {
    (void)state;
    struct random random = {13};
    put_some();
    build_outside(&(struct image_options){.cluster_bits = 9, .data_file = QCOW2_DATA_FILE_RAW});
    size_t size;
    uint8_t *good = load(&size), *bad = malloc(size);
    assert_non_null(bad);
    for (int round = 0; round < 600; round++) {
        memcpy(bad, good, size);
        for (uint64_t flips = 1 + below(&random, 6); flips > 0; flips--)
            bad[one_in(&random, 2) ? below(&random, 140) : below(&random, size)] ^=
                (uint8_t)(1u << below(&random, 8));
        store(bad, one_in(&random, 4) ? (size_t)below(&random, size) : size);
        use_everything(FILE_NAME);
    }
    free(good);
    free(bad);
    remove_data();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_kinds_hold_the_disk),
        cmocka_unit_test(a_data_file_that_is_not_raw_does_not_read_as_the_disk),
        cmocka_unit_test(zeros_with_a_place_cost_little_however_long),
        cmocka_unit_test(the_first_cluster_has_a_place),
        cmocka_unit_test(files_of_qemu_img_are_read),
        cmocka_unit_test(what_qemu_img_refuses_is_refused),
        cmocka_unit_test(what_the_format_has_not_is_refused),
        cmocka_unit_test(nothing_is_left_of_a_failure),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, release);
}
