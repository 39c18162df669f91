// SPDX-License-Identifier: Apache-2.0
//
// vmdk disks whose descriptor is a file of its own: every layout that the writer has, the same
// layouts made by qemu-img, descriptors that nobody should trust.
#include "tests/unit/image_disk_helper.h"

#include "base/file.h"
#include "image/vmdk.h"

#define KIB 1024ull
#define MIB (1024 * KIB)

static const enum vmdk_subformat layouts[] = {VMDK_FLAT, VMDK_SPLIT_SPARSE, VMDK_SPLIT_FLAT};

static void make_disk(const struct image_options *options, uint64_t size, struct content *content,
                      struct image_written *written) {
    disk_content(content, size, 1u << (options->grain_bits ? options->grain_bits : 16));
    disk_make("disk.vmdk", IMAGE_VMDK, options, content, written);
}

static void unmake_disk(struct content *content, struct image_written *written) {
    unlink("disk.vmdk");
    for (size_t i = 0; i < written->file_count; i++)
        assert_int_equal(unlink(written->files[i]), 0);
    content_free(content);
    image_written_free(written);
}

static void put_text(const char *path, const char *text) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_pwrite(fd, text, strlen(text), 0, NULL), 0);
    close(fd);
}

static void get_text(const char *path, char *text, size_t room) {
    memset(text, 0, room);
    disk_peek(path, 0, text, room - 1);
}

static void descriptors_name_their_extents(void **state) {
    (void)state;
    static const struct {
        enum vmdk_subformat layout;
        const char *type, *lines;
        const char *files[3];
    } expected[] = {
        {VMDK_FLAT,
         "\ncreateType=\"monolithicFlat\"\n",
         "# Extent description\nRW 4101 FLAT \"disk-flat.vmdk\" 0\n",
         {"disk-flat.vmdk"}},
        {VMDK_SPLIT_SPARSE,
         "\ncreateType=\"twoGbMaxExtentSparse\"\n",
         "# Extent description\nRW 1536 SPARSE \"disk-s001.vmdk\"\n"
         "RW 1536 SPARSE \"disk-s002.vmdk\"\nRW 1029 SPARSE \"disk-s003.vmdk\"\n",
         {"disk-s001.vmdk", "disk-s002.vmdk", "disk-s003.vmdk"}},
        {VMDK_SPLIT_FLAT,
         "\ncreateType=\"twoGbMaxExtentFlat\"\n",
         "# Extent description\nRW 1536 FLAT \"disk-f001.vmdk\" 0\n"
         "RW 1536 FLAT \"disk-f002.vmdk\" 0\nRW 1029 FLAT \"disk-f003.vmdk\" 0\n",
         {"disk-f001.vmdk", "disk-f002.vmdk", "disk-f003.vmdk"}},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct image_options options = {.vmdk_subformat = expected[i].layout,
                                        .vmdk_extent = 768 * KIB};
        struct content content = {0};
        struct image_written written = {0};
        char text[4096];
        make_disk(&options, 4101 * 512 - 100, &content, &written);
        get_text("disk.vmdk", text, sizeof text);
        assert_memory_equal(text, "# Disk DescriptorFile\nversion=1\nCID=", 36);
        assert_non_null(strstr(text, expected[i].type));
        assert_non_null(strstr(text, expected[i].lines));
        assert_int_equal(written.file_count, i == 0 ? 1 : 3);
        for (size_t file = 0; file < written.file_count; file++)
            assert_string_equal(written.files[file], expected[i].files[file]);
        assert_int_equal(written.file_size, strlen(text));
        assert_int_equal(written.virtual_size, 4101 * 512);
        assert_int_equal(written.unit, i == 1 ? 65536 : 4096);
        unmake_disk(&content, &written);
    }
}

static void content_survives_in_every_layout(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        for (uint32_t bits = 12; bits <= 16; bits++)
            for (uint64_t extents = 1; extents <= 4; extents += 3) {
                struct image_options options = {
                    .vmdk_subformat = layouts[i], .grain_bits = bits, .skip_zeros = bits % 2};
                uint64_t size = (600ull << bits) + 5 * 512 + bits;
                uint64_t unit = layouts[i] == VMDK_SPLIT_FLAT ? 512 : 1ull << bits;
                struct content content = {0};
                struct image_written written = {0};
                options.vmdk_extent = round_up(size / extents, unit);
                make_disk(&options, size, &content, &written);
                assert_round_trip("disk.vmdk", IMAGE_VMDK, &content, &written);
                assert_qemu_agrees("disk.vmdk", IMAGE_VMDK, true, &content, &written);
                unmake_disk(&content, &written);
            }
}

// Two opinions of where the holes are would make two truths of one file.
static void explicit_zeros_are_holes_of_a_flat_disk(void **state) {
    (void)state;
    const struct content_extent writes[] = {
        {64 * KIB, 64 * KIB, PATTERN_NOISE, FORM_NORMAL, 1},
        {256 * KIB, 128 * KIB, PATTERN_ZERO, FORM_ZERO, 0},
        {512 * KIB, 64 * KIB, PATTERN_ZERO, FORM_ZERO_ALLOCATED, 0},
        {768 * KIB, 64 * KIB, PATTERN_ZERO, FORM_NORMAL, 0},
    };
    for (int split = 0; split < 2; split++) {
        struct image_options options = {.vmdk_subformat = split ? VMDK_SPLIT_FLAT : VMDK_FLAT,
                                        .vmdk_extent = 800 * KIB};
        struct content content = {0};
        struct image_written written = {0};
        content_begin(&content, MIB);
        for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
            content_write(&content, &writes[i]);
        disk_make("disk.vmdk", IMAGE_VMDK, &options, &content, &written);
        assert_int_equal(written.map.count, 2);
        for (size_t i = 0; i < 2; i++) {
            const struct content_extent *stored = &writes[i * 3];
            assert_int_equal(written.map.extents[i].state, IMAGE_DATA);
            assert_int_equal(written.map.extents[i].offset, stored->offset);
            assert_int_equal(written.map.extents[i].length, stored->length);
        }
        unmake_disk(&content, &written);
    }
}

static void info_tells_of_every_extent(void **state) {
    (void)state;
    struct image_options options = {
        .vmdk_subformat = VMDK_SPLIT_SPARSE, .vmdk_extent = MIB, .grain_bits = 13};
    struct content content = {0};
    struct image_written written = {0};
    struct image_info info;
    make_disk(&options, 2 * MIB + 512, &content, &written);
    struct image *image = disk_open("disk.vmdk", IMAGE_VMDK);
    image->driver->info(image, &info);
    assert_string_equal(info.vmdk_create_type, "twoGbMaxExtentSparse");
    assert_int_equal(info.cluster_size, 8192);
    assert_int_equal(info.vmdk_cid, get_le32(written.identity));
    assert_int_equal(info.vmdk_parent_cid, UINT32_MAX);
    assert_false(info.has_backing);
    assert_int_equal(info.vmdk_extent_count, 3);
    assert_string_equal(info.vmdk_extents[2].name, "disk-s003.vmdk");
    assert_string_equal(info.vmdk_extents[2].kind, "SPARSE");
    assert_int_equal(info.vmdk_extents[2].virtual_size, 512);
    assert_int_equal(info.vmdk_extents[2].cluster_size, 8192);
    assert_int_equal(image->file_count, 3);
    assert_string_equal(image->files[0], "disk-s001.vmdk");
    image_close(image);
    enum image_format format;
    assert_int_equal(image_probe("disk.vmdk", &format, NULL), 0);
    assert_int_equal(format, IMAGE_VMDK);
    unmake_disk(&content, &written);
}

static void sizes_that_cannot_be_are_refused(void **state) {
    (void)state;
    static const struct {
        struct image_options options;
        uint64_t size;
        const char *reason;
    } refused[] = {
        {{.vmdk_subformat = VMDK_FLAT}, 0, "size of 0"},
        {{.vmdk_subformat = VMDK_SPLIT_FLAT}, 0, "size of 0"},
        {{.vmdk_subformat = VMDK_FLAT}, INT64_MAX, "cannot have"},
        {{.vmdk_subformat = VMDK_SPLIT_FLAT, .vmdk_extent = 1000}, MIB, "whole units of 512"},
        {{.vmdk_subformat = VMDK_SPLIT_SPARSE, .vmdk_extent = 4096}, MIB, "whole units of 65536"},
        {{.vmdk_subformat = VMDK_SPLIT_SPARSE}, 81ull << 30, "more than 40 extents"},
        {{.vmdk_subformat = VMDK_SPLIT_FLAT, .vmdk_extent = 512}, 41 * 512, "more than 40"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct fault fault = {.text = ""};
        uint64_t declared = 1;
        assert_int_equal(
            vmdk_declared_size(&refused[i].options, refused[i].size, &declared, &fault), -1);
        assert_int_equal(declared, 0);
        if (!strstr(fault.text, refused[i].reason))
            fail_msg("\"%s\" does not say \"%s\"", fault.text, refused[i].reason);
    }
    struct image_options options = {.vmdk_subformat = VMDK_SPLIT_SPARSE};
    uint64_t declared;
    assert_int_equal(vmdk_declared_size(&options, 80ull << 30, &declared, NULL), 0);
    assert_int_equal(declared, 80ull << 30);
}

// What a failed writer began is gone, also beside the file that was asked for.
static void nothing_is_left_of_a_failure(void **state) {
    (void)state;
    struct image_options options = {.vmdk_subformat = VMDK_SPLIT_FLAT, .vmdk_extent = MIB};
    struct content content = {0};
    struct image_written written = {0};
    struct image_source source;
    struct fault fault = {.text = ""};
    content_begin(&content, 3 * MIB);
    content_as_source(&content, &source);
    put_text("disk-f002.vmdk", "somebody's");
    assert_int_equal(image_write("disk.vmdk", IMAGE_VMDK, &options, &source, &written, &fault), -1);
    assert_non_null(strstr(fault.text, "disk-f002.vmdk"));
    assert_int_equal(access("disk.vmdk", F_OK), -1);
    assert_int_equal(access("disk-f001.vmdk", F_OK), -1);
    assert_int_equal(unlink("disk-f002.vmdk"), 0);
    content_free(&content);
    image_written_free(&written);
}

// Layouts as qemu-img makes them; and the flat ones begin anywhere in their file.
static void files_of_qemu_img_are_read(void **state) {
    (void)state;
    if (!have_qemu_img())
        skip();
    static char *const subformats[] = {"subformat=monolithicFlat", "subformat=twoGbMaxExtentSparse",
                                       "subformat=twoGbMaxExtentFlat"};
    const uint64_t size = 2048 * MIB + 3 * MIB; // two extents
    struct content content = {0};
    struct image_written written = {0};
    struct buffer text = {0};
    const struct content_extent seam = {2048 * MIB - 3000, 70000, PATTERN_NOISE, FORM_NORMAL, 9};
    disk_content(&content, size, 1u << 16);
    content_write(&content, &seam);
    disk_make("disk", IMAGE_RAW, &(struct image_options){0}, &content, &written);
    for (size_t i = 0; i < 3; i++) {
        char *argv[] = {"qemu-img", "convert", "-f",   "raw",         "-O", "vmdk",
                        "-o",       NULL,      "disk", "theirs.vmdk", NULL};
        argv[7] = subformats[i];
        if (run_qemu_img(argv, &text) != 0)
            fail_msg("%s", text.data);
        struct image *image = disk_open("theirs.vmdk", IMAGE_VMDK);
        struct image_check check;
        uint8_t *bytes = must_realloc(NULL, 4 * MIB);
        assert_int_equal(image->virtual_size, size);
        assert_int_equal(image_read(image, 0, bytes, 4 * MIB, NULL), 0);
        disk_compare(&content, 0, bytes, 4 * MIB);
        assert_int_equal(image_read(image, size - 4 * MIB, bytes, 4 * MIB, NULL), 0);
        disk_compare(&content, size - 4 * MIB, bytes, 4 * MIB);
        free(bytes);
        assert_int_equal(image->driver->check(image, &check, NULL), 0);
        assert_string_equal(check.first_problem, "");
        for (size_t file = 0; file < image->file_count; file++)
            unlink(image->files[file]);
        image_close(image);
    }
    unlink("theirs.vmdk");
    unlink("disk");
    buffer_free(&text);
    content_free(&content);
    image_written_free(&written);
}

static void extents_of_all_kinds_make_one_disk(void **state) {
    (void)state;
    struct image_options options = {.vmdk_subformat = VMDK_SPLIT_SPARSE, .vmdk_extent = MIB};
    struct content content = {0};
    struct image_written written = {0};
    uint8_t bytes[2048], expected[2048];
    make_disk(&options, 2 * MIB, &content, &written);
    put_text("flat", "0123456789");
    disk_poke("flat", 1024, "flat data", 9);
    assert_int_equal(truncate("flat", 2048), 0);
    put_text("other.vmdk", "# Disk DescriptorFile\nCID=12ab\nparentCID=ffffffff\n"
                           "createType=\"twoGbMaxExtentSparse\"\n"
                           "RW 2048 SPARSE \"disk-s001.vmdk\"\r\n"
                           "RW 3 ZERO\n"
                           "RDONLY 2 FLAT \"flat\" 2\n"
                           "RW 2048 SPARSE \"disk-s002.vmdk\"");
    struct image *image = disk_open("other.vmdk", IMAGE_VMDK);
    struct image_extent extent;
    struct image_info info;
    assert_int_equal(image->virtual_size, 2 * MIB + 5 * 512);
    image->driver->info(image, &info);
    assert_int_equal(info.vmdk_cid, 0x12ab);
    assert_int_equal(info.cluster_size, 0); // not the same everywhere
    assert_int_equal(image_extent_at(image, MIB + 512, &extent, NULL), 0);
    assert_int_equal(extent.state, IMAGE_ZERO);
    assert_int_equal(extent.length, 1024);
    assert_int_equal(image_read(image, MIB + 512, bytes, 2048, NULL), 0);
    assert_true(bytes_are_zero(bytes, 1024));
    assert_memory_equal(bytes + 1024, "flat data\0", 10);
    assert_int_equal(image_read(image, MIB - 1024, bytes, 2048, NULL), 0);
    content_read(&content, MIB - 1024, expected, 1024);
    assert_memory_equal(bytes, expected, 1024);
    assert_true(bytes_are_zero(bytes + 1024, 1024));
    assert_int_equal(image_read(image, 2 * MIB + 5 * 512 - 1000, bytes, 1000, NULL), 0);
    content_read(&content, 2 * MIB - 1000, expected, 1000);
    assert_memory_equal(bytes, expected, 1000);
    image_close(image);
    unlink("flat");
    unlink("other.vmdk");
    unmake_disk(&content, &written);
}

#define HEAD "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n"
#define FLAT "createType=\"monolithicFlat\"\n"

static void hostile_descriptors_are_refused_in_words(void **state) {
    (void)state;
    static const struct {
        const char *text, *reason;
    } hostile[] = {
        {HEAD, "without extents"},
        {HEAD "RW 8 FLAT \"flat\" 0\n", "type ''"},
        {HEAD "createType=\"custom\"\nRW 8 FLAT \"flat\" 0\n", "type 'custom'"},
        {HEAD "createType=\"monolithicSparse\"\nRW 8 SPARSE \"flat\"\n", "'monolithicSparse'"},
        {HEAD FLAT, "without extents"},
        {HEAD FLAT "RW 8 FLAT \"missing\" 0\n", "cannot open missing"},
        {HEAD FLAT "RW 8 FLAT \"../flat\" 0\n", "outside the image's folder"},
        {HEAD FLAT "RW 8 FLAT \"/etc/passwd\" 0\n", "outside the image's folder"},
        {HEAD FLAT "RW 8 FLAT \".\" 0\n", "not a regular file"},
        {HEAD FLAT "RW 9 FLAT \"flat\" 0\n", "shorter than the extent"},
        {HEAD FLAT "RW 8 FLAT \"flat\" 1\n", "shorter than the extent"},
        {HEAD FLAT "RW 1 FLAT \"flat\" 18014398509481983\n", "shorter than the extent"},
        {HEAD FLAT "RW 8 FLAT \"flat\" 99999999999999999999\n", "cannot be read"},
        {HEAD FLAT "RW 18014398509481983 FLAT \"flat\" 0\n", "shorter than the extent"},
        {HEAD FLAT "RW 18014398509481984 FLAT \"flat\" 0\n", "cannot be read"},
        {HEAD FLAT "RW 99999999999999999999 FLAT \"flat\" 0\n", "cannot be read"},
        {HEAD FLAT "RW -8 FLAT \"flat\" 0\n", "cannot be read"},
        {HEAD FLAT "RW 0 FLAT \"flat\" 0\n", "cannot be read"},
        {HEAD FLAT "RW 18014398509481983 ZERO\nRW 8 FLAT \"flat\" 0\n", "larger than any disk"},
        {HEAD FLAT "NOACCESS 8 FLAT \"flat\" 0\n", "cannot be read"},
        {HEAD FLAT "RW 8 FLAT \"flat\"\n", "cannot be read"},
        {HEAD FLAT "RW 8 FLAT flat 0\n", "cannot be read"},
        {HEAD FLAT "RW 8 FLAT \"flat\n", "cannot be read"},
        {HEAD FLAT "RW 8 FLAT \"\" 0\n", "cannot be read"},
        {HEAD FLAT "RW 8 FLAT", "cannot be read"},
        {HEAD FLAT "RW 8 VMFS \"flat\"\n", "cannot be read"},
        {HEAD FLAT "RW ", "cannot be read"},
        {HEAD FLAT "RW 8 SPARSE \"flat\"\n", "not a sparse vmdk"},
        {HEAD FLAT "RW 8 SPARSE \"evil.vmdk\"\n", "names itself"},
        {HEAD FLAT "RW 0000000001 FLAT \"evil.vmdk\" 0\n", "names itself"},
        {HEAD FLAT "RW 4 FLAT \"flat\" 0\nRW 4 FLAT \"evil.vmdk\" 0\n", "names itself"},
    };
    put_text("flat", "flat");
    assert_int_equal(truncate("flat", 4096), 0);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        put_text("evil.vmdk", hostile[i].text);
        assert_refused("evil.vmdk", IMAGE_VMDK, hostile[i].reason);
    }
    struct buffer text = {0};
    buffer_format(&text, HEAD FLAT);
    for (int i = 0; i < 700; i++)
        buffer_format(&text, "RW 1 FLAT \"flat\" %d\n", i % 8);
    put_text("evil.vmdk", text.data);
    assert_refused("evil.vmdk", IMAGE_VMDK, "more than 40 extents");
    for (int i = 0; i < 7000; i++)
        buffer_format(&text, "# and so on\n");
    put_text("evil.vmdk", text.data);
    assert_refused("evil.vmdk", IMAGE_VMDK, "more than 65536 bytes");
    buffer_free(&text);
    unlink("evil.vmdk");
    unlink("flat");
}

// The sparse extents of a descriptor that says something else than they.
static void sizes_that_differ_are_damage(void **state) {
    (void)state;
    struct image_options options = {.vmdk_subformat = VMDK_SPLIT_SPARSE, .vmdk_extent = MIB};
    struct content content = {0};
    struct image_written written = {0};
    static const char *const sectors[] = {"2047", "2049", "1", "18014398509481983"};
    make_disk(&options, 2 * MIB, &content, &written);
    for (size_t i = 0; i < sizeof sectors / sizeof *sectors; i++) {
        struct buffer text = {0};
        buffer_format(&text,
                      HEAD "createType=\"twoGbMaxExtentSparse\"\n"
                           "RW %s SPARSE \"disk-s001.vmdk\"\n",
                      sectors[i]);
        put_text("evil.vmdk", text.data);
        assert_refused("evil.vmdk", IMAGE_VMDK, "differ about its size");
        buffer_free(&text);
    }
    unlink("evil.vmdk");
    unmake_disk(&content, &written);
}

static void check_looks_into_every_extent(void **state) {
    (void)state;
    struct image_options options = {.vmdk_subformat = VMDK_SPLIT_SPARSE, .vmdk_extent = MIB};
    struct content content = {0};
    struct image_written written = {0};
    struct image_check check;
    make_disk(&options, 2 * MIB, &content, &written);
    uint8_t header[512], entry[4];
    disk_peek("disk-s002.vmdk", 0, header, sizeof header);
    disk_peek("disk-s002.vmdk", get_le64(header + VMDK_DIRECTORY_OFFSET) * 512, entry, 4);
    // Grain 15, the last of the disk, goes where no file is.
    disk_poke("disk-s002.vmdk", get_le32(entry) * 512ull + 15 * 4, "\377\377\377\177", 4);
    struct image *image = disk_open("disk.vmdk", IMAGE_VMDK);
    assert_int_equal(image->driver->check(image, &check, NULL), 0);
    assert_int_equal(check.total_clusters, 32);
    assert_non_null(strstr(check.first_problem, "outside the file"));
    assert_true(check.corruptions > 0);
    image_close(image);
    unmake_disk(&content, &written);
}

static void damaged_files_are_survived(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        struct image_options options = {
            .vmdk_subformat = layouts[i], .vmdk_extent = 3 * MIB, .grain_bits = 12};
        struct content content = {0};
        struct image_written written = {0};
        make_disk(&options, 8 * MIB, &content, &written);
        const struct disk_part descriptor[] = {{0, written.file_size}, {90, 120}};
        disk_damage("disk.vmdk", IMAGE_VMDK, descriptor, 2, 600, NULL);
        assert_round_trip("disk.vmdk", IMAGE_VMDK, &content, &written);
        // The extents are cut shorter, the descriptor stays.
        for (off_t size = 3 << 20; size > 0; size -= size / 5 + 1000) {
            assert_int_equal(truncate(written.files[0], size), 0);
            disk_exercise("disk.vmdk", IMAGE_VMDK);
        }
        disk_truncate("disk.vmdk", IMAGE_VMDK);
        unmake_disk(&content, &written);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_name_their_extents),
        cmocka_unit_test(content_survives_in_every_layout),
        cmocka_unit_test(explicit_zeros_are_holes_of_a_flat_disk),
        cmocka_unit_test(info_tells_of_every_extent),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(nothing_is_left_of_a_failure),
        cmocka_unit_test(files_of_qemu_img_are_read),
        cmocka_unit_test(extents_of_all_kinds_make_one_disk),
        cmocka_unit_test(hostile_descriptors_are_refused_in_words),
        cmocka_unit_test(sizes_that_differ_are_damage),
        cmocka_unit_test(check_looks_into_every_extent),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
