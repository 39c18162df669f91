// SPDX-License-Identifier: Apache-2.0
//
// The vmdk driver: both subformats against the specification, three readers, the promise that
// instar's measure makes about the size of a file, and damage.
#include "tests/unit/image_disk_helper.h"

#include "image/vmdk.h"

#define SIZE ((uint64_t)48 << 20)

static void make_disk(const struct image_options *options, uint64_t size, uint32_t unit,
                      struct image_written *written) {
    struct content content = {0};
    disk_content(&content, size, unit);
    disk_make("disk", IMAGE_VMDK, options, &content, written);
    content_free(&content);
}

static void sparse_fields_are_where_the_specification_has_them(void **state) {
    (void)state;
    struct image_written written = {0};
    make_disk(&(struct image_options){0}, SIZE, 1u << 16, &written);
    uint8_t header[512], entry[4];
    char text[20 * 512];
    disk_peek("disk", 0, header, sizeof header);
    disk_peek("disk", 512, text, sizeof text);
    assert_memory_equal(header, "KDMV", 4);
    assert_int_equal(get_le32(header + 4), 2); // there is a zeroed grain
    assert_int_equal(get_le32(header + 8), 7);
    assert_int_equal(get_le64(header + 12), SIZE / 512);
    assert_int_equal(get_le64(header + 20), 128);
    assert_int_equal(get_le64(header + 28), 1);
    assert_int_equal(get_le64(header + 36), 20);
    assert_int_equal(get_le32(header + 44), 512);
    assert_int_equal(get_le64(header + 48), 21);
    assert_int_equal(get_le64(header + 56), 22);
    assert_int_equal(get_le64(header + 64), 23);
    assert_memory_equal(header + 73, "\n \r\n", 4);
    assert_int_equal(get_le16(header + 77), 0);
    assert_non_null(strstr(text, "createType=\"monolithicSparse\"\n"));
    char identity[48];
    snprintf(identity, sizeof identity, "\nCID=%08x\nparentCID=ffffffff\n",
             get_le32(written.identity));
    assert_non_null(strstr(text, identity));
    assert_non_null(strstr(text, "\nRW 98304 SPARSE \"disk.vmdk\"\n"));
    disk_peek("disk", 21 * 512, entry, 4);
    assert_int_equal(get_le32(entry), 23); // the redundant table comes first
    disk_peek("disk", 22 * 512, entry, 4);
    assert_int_equal(get_le32(entry), 27);
    disk_peek("disk", 27 * 512, entry, 4);
    assert_int_equal(get_le32(entry), 31); // the first grain
    unlink("disk");
    image_written_free(&written);
}

static void stream_fields_are_where_the_specification_has_them(void **state) {
    (void)state;
    struct image_written written = {0};
    struct image_options options = {.vmdk_subformat = VMDK_STREAM};
    make_disk(&options, SIZE, 1u << 16, &written);
    uint8_t header[512], tail[1536], grain[12];
    disk_peek("disk", 0, header, sizeof header);
    disk_peek("disk", written.file_size - sizeof tail, tail, sizeof tail);
    assert_int_equal(get_le32(header + 4), 3);
    assert_int_equal(get_le32(header + 8), 0x30001);
    assert_int_equal(get_le64(header + 56), UINT64_MAX);
    assert_int_equal(get_le16(header + 77), 1);
    assert_int_equal(get_le64(tail), 1); // footer marker: one sector follows
    assert_int_equal(get_le32(tail + 8), 0);
    assert_int_equal(get_le32(tail + 12), 3);
    put_le64(header + 56, get_le64(tail + 512 + 56)); // the one difference
    assert_memory_equal(header, tail + 512, 512);
    assert_true(bytes_are_zero(tail + 1024, 512)); // end of stream
    uint8_t marker[512], directory[4];
    uint64_t at = get_le64(header + 56) * 512;
    disk_peek("disk", at - 512, marker, sizeof marker);
    assert_int_equal(get_le64(marker), 1);
    assert_int_equal(get_le32(marker + 12), 2); // directory marker
    disk_peek("disk", at, directory, 4);
    disk_peek("disk", get_le32(directory) * 512ull - 512, marker, sizeof marker);
    assert_int_equal(get_le64(marker), 4);
    assert_int_equal(get_le32(marker + 12), 1); // table marker
    disk_peek("disk", 21 * 512, grain, sizeof grain);
    assert_int_equal(get_le64(grain), 0); // the first grain is guest sector 0
    assert_int_not_equal(get_le32(grain + 8), 0);
    unlink("disk");
    image_written_free(&written);
}

static void content_survives_in_every_variant(void **state) {
    (void)state;
    static const uint32_t sectors[] = {0, 4096, 65536};
    for (uint32_t bits = 12; bits <= 16; bits++)
        for (int subformat = VMDK_SPARSE; subformat <= VMDK_STREAM; subformat++) {
            struct image_options options = {.grain_bits = bits,
                                            .vmdk_subformat = (enum vmdk_subformat)subformat,
                                            .skip_zeros = bits % 2,
                                            .output_sector = sectors[bits % 3]};
            assert_good(IMAGE_VMDK, true, &options, (1024ull << bits) + 5 * 512, 1u << bits);
            assert_good(IMAGE_VMDK, true, &options, 513, 1u << bits);
        }
}

static void zero_wishes_become_zeroed_grains(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    const struct content_extent write = {65536, 65536 * 3, PATTERN_ZERO, FORM_ZERO, 0};
    content_begin(&content, 1 << 20);
    content_write(&content, &write);
    disk_make("disk", IMAGE_VMDK, &(struct image_options){0}, &content, &written);
    assert_int_equal(written.map.count, 1);
    assert_int_equal(written.map.extents[0].state, IMAGE_ZERO);
    assert_int_equal(written.map.extents[0].offset, 65536);
    assert_int_equal(written.map.extents[0].length, 65536 * 3);
    assert_round_trip("disk", IMAGE_VMDK, &content, &written);
    // Without the flag the same entries are offsets, into the descriptor.
    struct image *image = disk_open("disk", IMAGE_VMDK);
    image_close(image);
    disk_poke("disk", VMDK_FLAGS, "\3\0\0\0", 4);
    image = disk_open("disk", IMAGE_VMDK);
    struct image_extent extent;
    assert_int_equal(image_extent_at(image, 65536, &extent, NULL), 0);
    assert_int_equal(extent.state, IMAGE_DATA);
    image_close(image);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

// reference of instar: 10752 + grains in use + 2048 for each grain table + the directory.
static void sparse_files_are_as_small_as_measure_says(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1 << 20, 64 << 20, 1 << 30, 40ull << 30, 3ull << 40};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint32_t bits = 12; bits <= 16; bits += 2) {
            struct image_written written = {0};
            struct image_options options = {.grain_bits = bits};
            make_disk(&options, sizes[i], 1u << bits, &written);
            uint64_t grain = 1u << bits, data = 0;
            uint64_t tables = div_up(sizes[i], grain * 512);
            for (size_t e = 0; e < written.map.count; e++)
                if (written.map.extents[e].state == IMAGE_DATA)
                    data += round_up(written.map.extents[e].length, grain);
            uint64_t required = 10752 + data + tables * 2048 + round_up(tables * 4, 512);
            assert_true(written.file_size <= required + 65536);
            unlink("disk");
            image_written_free(&written);
        }
}

// A disk of 2 TiB of which nothing is used is one extent, and that is found at once.
static void long_holes_cost_nothing(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {.grain_bits = 12};
    struct image_extent extent;
    const struct content_extent write = {(2ull << 40) - 512, 512, PATTERN_NOISE, FORM_NORMAL, 1};
    content_begin(&content, 2ull << 40);
    content_write(&content, &write);
    disk_make("disk", IMAGE_VMDK, &options, &content, &written);
    struct image *image = disk_open("disk", IMAGE_VMDK);
    assert_int_equal(image_extent_at(image, 12345, &extent, NULL), 0);
    assert_int_equal(extent.state, IMAGE_HOLE);
    assert_int_equal(extent.offset + extent.length, (2ull << 40) - 4096);
    struct image_check check;
    assert_int_equal(image->driver->check(image, &check, NULL), 0);
    assert_int_equal(check.allocated_clusters, 1);
    assert_string_equal(check.first_problem, "");
    image_close(image);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void sizes_that_cannot_be_are_refused(void **state) {
    (void)state;
    struct fault fault = {.text = ""};
    uint64_t declared = 1;
    struct image_options options = {0};
    assert_int_equal(vmdk_declared_size(&options, 0, &declared, &fault), -1);
    assert_int_equal(declared, 0);
    assert_non_null(strstr(fault.text, "size of 0"));
    assert_int_equal(vmdk_declared_size(&options, 1, &declared, &fault), 0);
    assert_int_equal(declared, 512);
    assert_int_equal(vmdk_declared_size(&options, UINT64_MAX, &declared, &fault), -1);
}

// The flag says that there is a second directory, and the offset that there is none.
static void a_second_directory_need_not_be_there(void **state) {
    (void)state;
    struct image_written written = {0};
    static const uint8_t nowhere[8];
    uint8_t flags;
    make_disk(&(struct image_options){0}, SIZE, 1u << 16, &written);
    disk_peek("disk", VMDK_FLAGS, &flags, 1);
    assert_true(flags & VMDK_FLAG_REDUNDANT);
    disk_poke("disk", VMDK_REDUNDANT_OFFSET, nowhere, sizeof nowhere);
    struct image *image = disk_open("disk", IMAGE_VMDK);
    uint8_t byte;
    assert_int_equal(image_read(image, 0, &byte, 1, NULL), 0);
    image_close(image);
    unlink("disk");
    image_written_free(&written);
}

static void what_cannot_be_read_is_refused_in_words(void **state) {
    (void)state;
    static const char extents[] = "# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\n"
                                  "RW 8 SPARSE \"a\"\nRW 8 SPARSE \"b\"\n";
    static const char nameless[] = "# Disk DescriptorFile\nCID=1\nparentCID=12345678\n";
    static const char denied[] = "# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\n"
                                 "parentFileNameHint=\"base.vmdk\"\n";
    static const char endless[] = "# Disk DescriptorFile\nCID=1\nparentCID=12345678\n"
                                  "parentFileNameHint=\"base.vmdk\n";
    struct image_written written = {0};
    make_disk(&(struct image_options){0}, SIZE, 1u << 16, &written);
    disk_poke("disk", 512, extents, sizeof extents);
    assert_refused("disk", IMAGE_VMDK, "descriptor of several");
    disk_poke("disk", 512, nameless, sizeof nameless);
    assert_refused("disk", IMAGE_VMDK, "none is named");
    disk_poke("disk", 512, denied, sizeof denied);
    assert_refused("disk", IMAGE_VMDK, "there is none");
    disk_poke("disk", 512, endless, sizeof endless);
    assert_refused("disk", IMAGE_VMDK, "name of the parent");
    disk_poke("disk", 0, extents, sizeof extents);
    assert_refused("disk", IMAGE_VMDK, "more than 65536 bytes");
    disk_poke("disk", 0, "COWD", 4);
    assert_refused("disk", IMAGE_VMDK, "COWD");
    unlink("disk");
    image_written_free(&written);
}

static void check_finds_what_is_wrong(void **state) {
    (void)state;
    struct image_written written = {0};
    struct image_check check;
    make_disk(&(struct image_options){0}, SIZE, 1u << 16, &written);
    uint8_t entries[4];
    disk_peek("disk", 27 * 512, entries, 4);
    disk_poke("disk", 27 * 512 + 4, entries, 4); // grain 1 where grain 0 is
    struct image *image = disk_open("disk", IMAGE_VMDK);
    assert_int_equal(image->driver->check(image, &check, NULL), 0);
    assert_int_equal(check.corruptions, 2); // the overlap, and the redundant table says otherwise
    image_close(image);
    disk_poke("disk", 27 * 512 + 4, "\377\377\377\177", 4);
    image = disk_open("disk", IMAGE_VMDK);
    assert_int_equal(image->driver->check(image, &check, NULL), 0);
    assert_non_null(strstr(check.first_problem, "outside the file"));
    image_close(image);
    unlink("disk");
    image_written_free(&written);
}

// qemu-img's own files, which differ in layout: grains on 64 KiB, directory named by the header.
static void files_of_qemu_img_are_read(void **state) {
    (void)state;
    if (!have_qemu_img())
        skip();
    static char *const subformats[] = {"subformat=monolithicSparse", "subformat=streamOptimized"};
    struct content content = {0};
    struct image_written written = {0};
    struct buffer text = {0};
    disk_content(&content, SIZE, 1u << 16);
    disk_make("disk", IMAGE_RAW, &(struct image_options){0}, &content, &written);
    for (size_t i = 0; i < 2; i++) {
        char *argv[] = {"qemu-img", "convert", "-f",   "raw",    "-O", "vmdk",
                        "-o",       NULL,      "disk", "theirs", NULL};
        argv[7] = subformats[i];
        assert_int_equal(run_qemu_img(argv, &text), 0);
        struct image *image = disk_open("theirs", IMAGE_VMDK);
        struct image_check check;
        uint8_t *bytes = must_realloc(NULL, SIZE);
        assert_int_equal(image_read(image, 0, bytes, SIZE, NULL), 0);
        disk_compare(&content, 0, bytes, SIZE);
        free(bytes);
        assert_int_equal(image->driver->check(image, &check, NULL), 0);
        assert_string_equal(check.first_problem, "");
        assert_int_equal(check.leaks, 0);
        image_close(image);
    }
    unlink("theirs");
    unlink("disk");
    buffer_free(&text);
    content_free(&content);
    image_written_free(&written);
}

static void damaged_files_are_survived(void **state) {
    (void)state;
    for (int subformat = VMDK_SPARSE; subformat <= VMDK_STREAM; subformat++) {
        struct image_options options = {.grain_bits = 12,
                                        .vmdk_subformat = (enum vmdk_subformat)subformat};
        struct image_written written = {0};
        struct content content = {0};
        disk_content(&content, SIZE, 1u << 12);
        disk_make("disk", IMAGE_VMDK, &options, &content, &written);
        const struct disk_part parts[] = {
            {0, 80},
            {512, 512},
            {21 * 512, 5 * 2048},
            {written.file_size - 3 * 512 - 512, 4 * 512},
            {written.file_size - 1024, 80},
        };
        disk_damage("disk", IMAGE_VMDK, parts, sizeof parts / sizeof *parts, 600, NULL);
        assert_round_trip("disk", IMAGE_VMDK, &content, &written);
        disk_truncate("disk", IMAGE_VMDK);
        unlink("disk");
        content_free(&content);
        image_written_free(&written);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sparse_fields_are_where_the_specification_has_them),
        cmocka_unit_test(stream_fields_are_where_the_specification_has_them),
        cmocka_unit_test(content_survives_in_every_variant),
        cmocka_unit_test(zero_wishes_become_zeroed_grains),
        cmocka_unit_test(sparse_files_are_as_small_as_measure_says),
        cmocka_unit_test(long_holes_cost_nothing),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(a_second_directory_need_not_be_there),
        cmocka_unit_test(what_cannot_be_read_is_refused_in_words),
        cmocka_unit_test(check_finds_what_is_wrong),
        cmocka_unit_test(files_of_qemu_img_are_read),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
