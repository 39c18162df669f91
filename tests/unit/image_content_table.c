// SPDX-License-Identifier: Apache-2.0
//
// Partition tables and magics that a guest has written: they are what their specifications say, and
// wherever a disk begins with one a reader that looks for it finds it.
#include "tests/unit/image_helper.h"

#include "base/bytes.h"
#include "image/content.h"
#include "image/image.h"

#include <zlib.h>

#define TABLE 17408 // 34 sectors

static void begin_with(struct content *content, enum content_pattern pattern, uint64_t length) {
    content_begin(content, 1 << 20);
    content_write(content,
                  &(struct content_extent){.length = length, .pattern = pattern, .seed = 0x11});
}

static void an_mbr_has_its_signature_and_one_partition(void **state) {
    (void)state;
    struct content content = {0};
    uint8_t sector[512];
    begin_with(&content, PATTERN_MBR, 4096);
    content_read(&content, 0, sector, sizeof sector);
    assert_int_equal(get_le16(sector + 510), 0xaa55);
    assert_int_equal(sector[446], 0x80);                  // active
    assert_int_equal(sector[446 + 4], 0x83);              // a Linux file system
    assert_int_equal(get_le32(sector + 446 + 8), 2048);   // first sector
    assert_int_equal(get_le32(sector + 446 + 12), 30720); // sectors: up to 16 MiB
    assert_true(bytes_are_zero(sector + 462, 48));        // the other three entries
    content_free(&content);
}

static void a_gpt_passes_its_own_checksums(void **state) {
    (void)state;
    struct content content = {0};
    static uint8_t disk[TABLE];
    begin_with(&content, PATTERN_GPT, sizeof disk);
    content_read(&content, 0, disk, sizeof disk);
    assert_int_equal(get_le16(disk + 510), 0xaa55);
    assert_int_equal(disk[446 + 4], 0xee); // the protective entry
    uint8_t *header = disk + 512;
    assert_memory_equal(header, "EFI PART", 8);
    assert_int_equal(get_le32(header + 12), 92);
    assert_int_equal(get_le64(header + 24), 1); // where it lies
    assert_int_equal(get_le32(header + 88), crc32(0, disk + 1024, 128 * 128));
    uint32_t sum = get_le32(header + 16);
    put_le32(header + 16, 0);
    assert_int_equal(sum, crc32(0, header, 92));
    assert_false(bytes_are_zero(disk + 1024, 16)); // the first entry is in use
    assert_true(bytes_are_zero(disk + 1024 + 128, sizeof disk - 1024 - 128));
    content_free(&content);
}

static void magics_make_a_raw_disk_look_like_an_image(void **state) {
    (void)state;
    static const struct {
        enum content_pattern pattern;
        enum image_format looks;
    } rows[] = {
        {PATTERN_QCOW2_HEADER, IMAGE_QCOW2},
        {PATTERN_VPC_FOOTER, IMAGE_VPC},
        {PATTERN_MBR, IMAGE_RAW},
        {PATTERN_GPT, IMAGE_RAW},
    };
    struct content content = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct image_written written = {0};
        struct image_source source;
        struct image_options options = {0};
        struct fault fault = {.text = ""};
        enum image_format format;
        begin_with(&content, rows[i].pattern, 65536);
        content_as_source(&content, &source);
        if (image_write("table.raw", IMAGE_RAW, &options, &source, &written, &fault))
            fail_msg("%s", fault.text);
        assert_int_equal(image_probe("table.raw", &format, &fault), 0);
        assert_int_equal(format, rows[i].looks);
        unlink("table.raw");
        image_written_free(&written);
    }
    content_free(&content);
}

static void behind_its_table_a_pattern_counts(void **state) {
    (void)state;
    static const struct {
        enum content_pattern pattern;
        uint64_t end;
    } rows[] = {{PATTERN_MBR, 512},
                {PATTERN_GPT, TABLE},
                {PATTERN_QCOW2_HEADER, 512},
                {PATTERN_VPC_FOOTER, 512}};
    struct content content = {0}, counter = {0};
    uint8_t found[64], expected[64];
    begin_with(&counter, PATTERN_COUNTER, 1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin_with(&content, rows[i].pattern, 1 << 20);
        content_read(&content, rows[i].end, found, sizeof found);
        content_read(&counter, rows[i].end, expected, sizeof expected);
        assert_memory_equal(found, expected, sizeof found);
        content_read(&content, rows[i].end - 8, found, 8);
        content_read(&counter, rows[i].end - 8, expected, 8);
        assert_memory_not_equal(found, expected, 8);
    }
    content_free(&content);
    content_free(&counter);
}

// A pattern is a function of the guest offset: cut anywhere, the bytes that remain are the same.
static void a_table_can_be_cut_and_read_anywhere(void **state) {
    (void)state;
    struct content whole = {0}, cut = {0};
    static uint8_t bytes[TABLE];
    uint8_t part[100];
    struct random random = {21};
    begin_with(&whole, PATTERN_GPT, sizeof bytes);
    content_read(&whole, 0, bytes, sizeof bytes);
    for (int i = 0; i < 500; i++) {
        size_t offset = (size_t)below(&random, sizeof bytes - sizeof part);
        content_begin(&cut, 1 << 20);
        content_write(
            &cut, &(struct content_extent){.offset = offset, .length = 90, .pattern = PATTERN_GPT});
        content_read(&cut, offset, part, 90);
        assert_memory_equal(part, bytes + offset, 90);
        assert_int_equal(content_is_zero(&cut, offset, 90), bytes_are_zero(part, 90));
    }
    content_begin(&cut, 1 << 20);
    content_write(
        &cut, &(struct content_extent){.length = 512, .pattern = PATTERN_MBR, .form = FORM_ZERO});
    content_read(&cut, 446, part, 66);
    assert_true(bytes_are_zero(part, 66));
    content_free(&whole);
    content_free(&cut);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_mbr_has_its_signature_and_one_partition),
        cmocka_unit_test(a_gpt_passes_its_own_checksums),
        cmocka_unit_test(magics_make_a_raw_disk_look_like_an_image),
        cmocka_unit_test(behind_its_table_a_pattern_counts),
        cmocka_unit_test(a_table_can_be_cut_and_read_anywhere),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
