// SPDX-License-Identifier: Apache-2.0
//
// The vhdx driver: checksum and table arithmetic against known values, fields where [MS-VHDX] has
// them, content through two readers, and damage.
#include "tests/unit/image_disk_helper.h"

#include "image/vhdx.h"

#define SIZE ((uint64_t)40 << 20)

static void make_disk(const struct image_options *options, struct content *content,
                      struct image_written *written) {
    disk_content(content, SIZE, 1u << 20);
    disk_make("disk", IMAGE_VHDX, options, content, written);
}

// Bit by bit, as the polynomial is defined.
static uint32_t slow_crc32c(const uint8_t *bytes, size_t length) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < length * 8; i++) {
        uint32_t bit = (crc ^ (uint32_t)(bytes[i / 8] >> i % 8)) & 1;
        crc = crc >> 1 ^ (bit ? 0x82f63b78u : 0);
    }
    return ~crc;
}

static void long_runs_of_zeros_have_the_same_checksum(void **state) {
    (void)state;
    static uint8_t bytes[70000];
    assert_int_equal(vhdx_crc32c(bytes, 32), 0x8a9136aa); // RFC 3720, B.4
    struct random random = {5};
    for (int round = 0; round < 40; round++) {
        memset(bytes, 0, sizeof bytes);
        for (uint64_t i = below(&random, 12); i > 0; i--)
            bytes[below(&random, sizeof bytes)] = (uint8_t)below(&random, 256);
        size_t from = (size_t)below(&random, 9);
        size_t length = (size_t)below(&random, sizeof bytes - from);
        assert_int_equal(vhdx_crc32c(bytes + from, length), slow_crc32c(bytes + from, length));
    }
}

static void arithmetic_is_that_of_the_specification(void **state) {
    (void)state;
    assert_int_equal(vhdx_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(vhdx_chunk_ratio(512, 1u << 20), 4096);
    assert_int_equal(vhdx_chunk_ratio(512, 1u << 25), 128);
    assert_int_equal(vhdx_chunk_ratio(4096, 1u << 28), 128);
    assert_int_equal(vhdx_entry_index(127, 128), 127);
    assert_int_equal(vhdx_entry_index(128, 128), 129); // 128 is the sector bitmap's
    assert_int_equal(vhdx_entry_index(256, 128), 258);
}

static void fields_are_where_the_specification_has_them(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {.block_bits = 20};
    make_disk(&options, &content, &written);
    uint8_t *file = must_realloc(NULL, 4 << 20);
    disk_peek("disk", 0, file, 4 << 20);
    assert_memory_equal(file, "vhdxfilei\0n\0s\0t\0", 16);
    for (int i = 0; i < 2; i++) {
        uint8_t *header = file + (64 << 10) * (i + 1), *regions = file + (64 << 10) * (i + 3);
        assert_memory_equal(header, "head", 4);
        assert_int_equal(get_le64(header + 8), i + 1);
        assert_true(bytes_are_zero(header + 48, 16)); // no log
        assert_int_equal(get_le16(header + 64), 0);
        assert_int_equal(get_le16(header + 66), 1);
        assert_int_equal(get_le32(header + 68), 1 << 20);
        assert_int_equal(get_le64(header + 72), 1 << 20);
        uint32_t checksum = get_le32(header + 4);
        put_le32(header + 4, 0);
        assert_int_equal(checksum, vhdx_crc32c(header, 4096));
        assert_memory_equal(regions, "regi", 4);
        assert_int_equal(get_le32(regions + 8), 2);
        assert_int_equal(get_le64(regions + 16 + 16), 3 << 20);
        assert_int_equal(get_le32(regions + 16 + 24), 1 << 20);
        checksum = get_le32(regions + 4);
        put_le32(regions + 4, 0);
        assert_int_equal(checksum, vhdx_crc32c(regions, 65536));
    }
    const uint8_t *metadata = file + (2 << 20), *items = metadata + 65536;
    assert_memory_equal(metadata, "metadata", 8);
    assert_int_equal(get_le16(metadata + 10), 5);
    assert_int_equal(get_le32(metadata + 32 + 16), 65536);
    assert_int_equal(get_le32(items), 1 << 20);
    assert_int_equal(get_le32(items + 4), 0);
    assert_int_equal(get_le64(items + 8), SIZE);
    assert_int_equal(get_le32(items + 32), 512);
    assert_int_equal(get_le32(items + 36), 4096);
    const uint8_t *table = file + (3 << 20);
    assert_int_equal(get_le64(table), (4 << 20) | 6);
    assert_int_equal(get_le64(table + 3 * 8), 0);
    assert_int_equal(get_le64(table + 9 * 8), 2);
    assert_int_equal(written.file_size % (1 << 20), 0);
    free(file);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void content_survives_in_every_variant(void **state) {
    (void)state;
    static const uint32_t bits[] = {20, 21, 22, 0};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        struct image_options options = {.block_bits = bits[i], .skip_zeros = i % 2};
        uint32_t unit = 1u << (bits[i] ? bits[i] : 25);
        assert_good(IMAGE_VHDX, true, &options, min_u64(unit * 14ull, 100 << 20) + 512, unit);
        assert_good(IMAGE_VHDX, true, &options, 1000, unit);
        options.vhdx_fixed = true;
        assert_good(IMAGE_VHDX, true, &options, min_u64(unit * 14ull, 100 << 20) + 512, unit);
        assert_good(IMAGE_VHDX, true, &options, 1000, unit);
    }
}

// All entries there, the second chunk's behind that of the sector bitmap; nothing stored but what
// the source has.
static void a_fixed_disk_has_every_block_and_pays_for_its_data(void **state) {
    (void)state;
    const uint64_t size = ((uint64_t)5 << 30) + 512;
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {.block_bits = 20, .vhdx_fixed = true};
    const struct content_extent write = {size - 512, 512, PATTERN_NOISE, FORM_NORMAL, 1};
    uint8_t bytes[8];
    struct stat status;
    content_begin(&content, size);
    content_write(&content, &write);
    disk_make("disk", IMAGE_VHDX, &options, &content, &written);
    assert_int_equal(written.map.count, 1);
    assert_int_equal(written.map.extents[0].length, size);
    assert_int_equal(written.map.extents[0].state, IMAGE_DATA);
    assert_int_equal(written.file_size, ((uint64_t)4 << 20) + (5121ull << 20));
    disk_peek("disk", (2 << 20) + 65536 + 4, bytes, 4);
    assert_int_equal(get_le32(bytes), VHDX_LEAVE_ALLOCATED);
    disk_peek("disk", (3 << 20) + 4095 * 8, bytes, 8);
    assert_int_equal(get_le64(bytes), ((uint64_t)(4 + 4095) << 20) | VHDX_FULLY_PRESENT);
    disk_peek("disk", (3 << 20) + 4096 * 8, bytes, 8);
    assert_int_equal(get_le64(bytes), 0);
    disk_peek("disk", (3 << 20) + 4097 * 8, bytes, 8);
    assert_int_equal(get_le64(bytes), ((uint64_t)(4 + 4096) << 20) | VHDX_FULLY_PRESENT);
    assert_int_equal(stat("disk", &status), 0);
    assert_true(status.st_blocks * 512 < 1 << 20);
    struct image *image = disk_open("disk", IMAGE_VHDX);
    struct image_check check;
    assert_int_equal(image->driver->check(image, &check, NULL), 0);
    assert_int_equal(check.corruptions + check.leaks, 0);
    assert_int_equal(check.allocated_clusters, 5121);
    assert_int_equal(image_read(image, size - 512, bytes, 8, NULL), 0);
    disk_compare(&content, size - 512, bytes, 8);
    image_close(image);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void empty_disks_can_be_opened_by_qemu_img(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    uint64_t declared;
    content_begin(&content, 0);
    disk_make("disk", IMAGE_VHDX, &(struct image_options){0}, &content, &written);
    assert_int_equal(written.unit, 8 << 20);
    assert_round_trip("disk", IMAGE_VHDX, &content, &written);
    assert_qemu_agrees("disk", IMAGE_VHDX, true, &content, &written);
    struct image_options largest = {.block_bits = 28};
    assert_int_equal(vhdx_declared_size(&largest, 0, &declared, NULL), -1);
    assert_int_equal(vhdx_declared_size(&largest, 1, &declared, NULL), 0);
    assert_int_equal(declared, 512);
    assert_int_equal(vhdx_declared_size(&largest, ((uint64_t)64 << 40) + 1, &declared, NULL), -1);
    unlink("disk");
    content_free(&content);
}

// instar's file without a block ends behind the last item of its metadata; QEMU's regions come in
// the same order.
static void an_empty_file_may_end_in_its_metadata(void **state) {
    (void)state;
    const uint64_t metadata = 3 << 20, end = metadata + 2 * 65536;
    struct buffer text = {0};
    char *create[] = {"qemu-img", "create", "-q", "-f", "vhdx", "disk", "1M", NULL};
    char *compare[] = {"qemu-img", "compare", "-f", "vhdx", "-F", "raw", "disk", "zeros", NULL};
    if (!have_qemu_img())
        skip();
    assert_int_equal(run_qemu_img(create, &text), 0);
    assert_int_equal(truncate("disk", (off_t)end), 0);
    struct image *image = disk_open("disk", IMAGE_VHDX);
    struct image_extent extent;
    struct image_check check;
    assert_int_equal(((struct vhdx *)image->state)->metadata.offset, metadata);
    assert_int_equal(image->virtual_size, 1 << 20);
    assert_int_equal(image_extent_at(image, 0, &extent, NULL), 0);
    assert_true(extent.state != IMAGE_DATA && extent.length == 1 << 20);
    assert_int_equal(image->driver->check(image, &check, NULL), 0);
    assert_int_equal(check.corruptions, 0);
    assert_int_equal(check.image_end_offset, end);
    image_close(image);
    int zeros = open("zeros", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(zeros, 1 << 20), 0);
    close(zeros);
    assert_int_equal(run_qemu_img(compare, &text), 0);
    assert_int_equal(truncate("disk", (off_t)metadata + 65536), 0); // no items
    assert_refused("disk", IMAGE_VHDX, "item is misplaced");
    assert_int_equal(truncate("disk", (off_t)metadata), 0);
    assert_refused("disk", IMAGE_VHDX, "region is misplaced");
    unlink("disk");
    unlink("zeros");
    buffer_free(&text);
}

// 64 TiB of blocks of 1 MiB: a table of half a gigabyte, all but two entries of it a hole.
static void the_largest_disk_costs_nothing(void **state) {
    (void)state;
    const uint64_t size = (uint64_t)64 << 40;
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {.block_bits = 20};
    const struct content_extent write = {size - 512, 512, PATTERN_NOISE, FORM_NORMAL, 1};
    struct image_extent extent;
    content_begin(&content, size);
    content_write(&content, &write);
    disk_make("disk", IMAGE_VHDX, &options, &content, &written);
    struct image *image = disk_open("disk", IMAGE_VHDX);
    assert_int_equal(image_extent_at(image, 512, &extent, NULL), 0);
    assert_int_equal(extent.offset + extent.length, size - (1 << 20));
    struct stat status;
    assert_int_equal(stat("disk", &status), 0);
    assert_true(status.st_blocks * 512 < 1 << 20);
    image_close(image);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void mend_checksums(const char *path) {
    static const uint64_t places[] = {VHDX_HEADER_1_OFFSET, VHDX_HEADER_2_OFFSET,
                                      VHDX_REGIONS_1_OFFSET, VHDX_REGIONS_2_OFFSET};
    static uint8_t bytes[VHDX_REGIONS_SIZE];
    for (size_t i = 0; i < 4; i++) {
        size_t length = i < 2 ? VHDX_HEADER_SIZE : VHDX_REGIONS_SIZE;
        disk_peek(path, places[i], bytes, length);
        put_le32(bytes + VHDX_CHECKSUM_OFFSET, vhdx_checksum(bytes, length));
        disk_poke(path, places[i], bytes, 8);
    }
}

static void the_newer_valid_header_counts(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {.block_bits = 20};
    make_disk(&options, &content, &written);
    struct image *image = disk_open("disk", IMAGE_VHDX);
    assert_int_equal(((struct vhdx *)image->state)->sequence, 2);
    image_close(image);
    disk_poke("disk", VHDX_HEADER_2_OFFSET + 16, "x", 1); // breaks its checksum
    image = disk_open("disk", IMAGE_VHDX);
    assert_int_equal(((struct vhdx *)image->state)->sequence, 1);
    struct image_check check;
    assert_int_equal(image->driver->check(image, &check, NULL), 0);
    assert_int_equal(check.corruptions, 1);
    assert_string_equal(check.first_problem, "damaged: header 2");
    image_close(image);
    disk_poke("disk", VHDX_HEADER_1_OFFSET + 16, "x", 1);
    assert_refused("disk", IMAGE_VHDX, "no valid vhdx header");
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void what_cannot_be_read_is_refused_in_words(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {.block_bits = 20};
    make_disk(&options, &content, &written);
    disk_poke("disk", VHDX_HEADER_2_OFFSET + VHDX_HEADER_LOG_GUID, "x", 1);
    mend_checksums("disk");
    assert_refused("disk", IMAGE_VHDX, "log is not empty");
    disk_poke("disk", VHDX_HEADER_2_OFFSET + VHDX_HEADER_LOG_GUID, "", 1);
    mend_checksums("disk");
    disk_poke("disk", (2 << 20) + 65536 + 4, "\2", 1);
    assert_refused("disk", IMAGE_VHDX, "parent");
    disk_poke("disk", (2 << 20) + 65536 + 4, "", 1);
    disk_poke("disk", 3 << 20, "\7", 1); // partially present
    struct image *image = disk_open("disk", IMAGE_VHDX);
    uint8_t byte;
    assert_int_equal(image_read(image, 0, &byte, 1, NULL), -1);
    assert_int_equal(image_read(image, 3 << 20, &byte, 1, NULL), 0);
    struct image_check check;
    assert_int_equal(image->driver->check(image, &check, NULL), 0);
    assert_int_equal(check.corruptions, 1);
    image_close(image);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void check_finds_blocks_that_overlap(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {.block_bits = 20};
    make_disk(&options, &content, &written);
    uint8_t entry[8];
    struct image_check check;
    disk_peek("disk", 3 << 20, entry, 8);
    disk_poke("disk", (3 << 20) + 8, entry, 8); // block 1 where block 0 is
    struct image *image = disk_open("disk", IMAGE_VHDX);
    assert_int_equal(image->driver->check(image, &check, NULL), 0);
    assert_int_equal(check.corruptions, 1);
    assert_int_equal(check.leaks, 1);
    image_close(image);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void damaged_files_are_survived(void **state) {
    (void)state;
    static const struct disk_part parts[] = {
        {VHDX_HEADER_2_OFFSET, 80},
        {VHDX_REGIONS_1_OFFSET, 80},
        {2 << 20, 200},
        {(2 << 20) + 65536, 40},
        {3 << 20, 400},
    };
    struct content content = {0};
    struct image_written written = {0};
    for (int fixed = 0; fixed < 2; fixed++) {
        struct image_options options = {.block_bits = 20, .vhdx_fixed = fixed};
        make_disk(&options, &content, &written);
        disk_damage("disk", IMAGE_VHDX, parts, sizeof parts / sizeof *parts, 200, mend_checksums);
        assert_round_trip("disk", IMAGE_VHDX, &content, &written);
        disk_truncate("disk", IMAGE_VHDX);
    }
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_is_that_of_the_specification),
        cmocka_unit_test(long_runs_of_zeros_have_the_same_checksum),
        cmocka_unit_test(fields_are_where_the_specification_has_them),
        cmocka_unit_test(content_survives_in_every_variant),
        cmocka_unit_test(a_fixed_disk_has_every_block_and_pays_for_its_data),
        cmocka_unit_test(empty_disks_can_be_opened_by_qemu_img),
        cmocka_unit_test(an_empty_file_may_end_in_its_metadata),
        cmocka_unit_test(the_largest_disk_costs_nothing),
        cmocka_unit_test(the_newer_valid_header_counts),
        cmocka_unit_test(what_cannot_be_read_is_refused_in_words),
        cmocka_unit_test(check_finds_blocks_that_overlap),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
