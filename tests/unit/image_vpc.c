// SPDX-License-Identifier: Apache-2.0
//
// The vpc driver: geometry against known vectors and against qemu-img, fields where the
// specification has them, content through three readers, and damage.
#include "tests/unit/image_disk_helper.h"

#include "image/vpc.h"

static void geometry_follows_the_specification(void **state) {
    (void)state;
    static const struct {
        uint64_t wanted;
        uint32_t cylinders, heads, sectors;
    } vectors[] = {
        {104349, 1023, 6, 17},
        {68, 1, 4, 17},
        {2048, 30, 4, 17},
        {65535ull * 16 * 63 - 1, 65534, 16, 63},
        {65535ull * 16 * 63, 16191, 16, 255},
        {VPC_MAX_GEOMETRY, 65535, 16, 255},
        {VPC_MAX_GEOMETRY + 1000, 65535, 16, 255},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct vpc_geometry geometry = vpc_geometry_of(vectors[i].wanted);
        assert_int_equal(geometry.cylinders, vectors[i].cylinders);
        assert_int_equal(geometry.heads, vectors[i].heads);
        assert_int_equal(geometry.sectors, vectors[i].sectors);
    }
}

// The plain algorithm gives 1023 * 6 * 17 = 104346 sectors here, three too few.
static void each_creator_makes_its_own_size_of_104349_sectors(void **state) {
    (void)state;
    for (int creator = 0; creator < VPC_CREATORS; creator++) {
        const struct vpc_creator_kind *kind = &vpc_creators[creator];
        struct vpc_sizes sizes;
        assert_int_equal(vpc_sizes_of((enum vpc_creator)creator, 104349, &sizes, NULL), 0);
        bool down = creator == VPC_CREATOR_VPC;
        assert_int_equal(sizes.geometry.cylinders, down ? 1023 : 877);
        assert_int_equal(sizes.geometry.heads, down ? 6 : 7);
        assert_int_equal(sizes.geometry.sectors, 17);
        assert_int_equal(sizes.shown, down ? 104346 : kind->rule == VPC_BY_SIZE ? 104349 : 104363);
        assert_int_equal(sizes.current, down ? 104349 : sizes.shown);
    }
}

// Where nothing lies below, and where the geometry is the largest, which nobody believes.
static void a_creator_that_rounds_down_keeps_its_disks_defined(void **state) {
    (void)state;
    static const struct {
        uint64_t sectors, shown, current;
    } vectors[] = {
        {0, 0, 0},
        {1, 68, 68},
        {67, 68, 68},
        {68, 68, 68},
        {69, 68, 69},
        {135, 68, 135},
        {136, 136, 136},
        {65535ull * 16 * 63, 16191ull * 16 * 255, 65535ull * 16 * 63},
        {VPC_MAX_GEOMETRY - 1, 65534ull * 16 * 255, VPC_MAX_GEOMETRY - 1},
        {VPC_MAX_GEOMETRY, VPC_MAX_GEOMETRY, VPC_MAX_GEOMETRY},
        {VPC_MAX_GEOMETRY + 7, VPC_MAX_GEOMETRY + 7, VPC_MAX_GEOMETRY + 7},
        {VPC_MAX_SECTORS, VPC_MAX_SECTORS, VPC_MAX_SECTORS},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct vpc_sizes sizes;
        assert_int_equal(vpc_sizes_of(VPC_CREATOR_VPC, vectors[i].sectors, &sizes, NULL), 0);
        assert_int_equal(sizes.shown, vectors[i].shown);
        assert_int_equal(sizes.current, vectors[i].current);
    }
}

static void declared_size_is_that_of_qemu_img_dd_and_create(void **state) {
    (void)state;
    static const struct {
        uint64_t size, declared;
    } vectors[] = {
        {0, 0},
        {512, 34816},
        {34817, 69632},
        {1048576, 1079296},
        {35651584, 35686400},
        {1ull << 30, 1073995776},
        {1ull << 40, 1ull << 40},
        {VPC_MAX_GEOMETRY * 512 - 512, VPC_MAX_GEOMETRY * 512 - 512},
        {VPC_MAX_SECTORS * 512, VPC_MAX_SECTORS * 512},
    };
    struct image_options options = {0}, exact = {.vpc_creator = VPC_CREATOR_QEM2};
    uint64_t declared;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        assert_int_equal(vpc_declared_size(&options, vectors[i].size, &declared, NULL), 0);
        assert_int_equal(declared, vectors[i].declared);
        assert_int_equal(vpc_declared_size(&exact, vectors[i].size, &declared, NULL), 0);
        assert_int_equal(declared, round_up(vectors[i].size, 512));
    }
    assert_int_equal(vpc_declared_size(&options, VPC_MAX_SECTORS * 512 + 1, &declared, NULL), -1);
    assert_int_equal(declared, 0);
}

static void rounding_equals_qemu_img_create(void **state) {
    (void)state;
    if (!have_qemu_img())
        skip();
    struct random random = {.state = 5};
    struct buffer text = {0};
    for (int i = 0; i < 60; i++) {
        uint64_t size = next_random(&random) >> (23 + below(&random, 32)), declared;
        char number[32];
        snprintf(number, sizeof number, "%llu", (unsigned long long)size);
        char *argv[] = {"qemu-img", "create", "-q", "-f", "vpc", "theirs", number, NULL};
        if (vpc_declared_size(&(struct image_options){0}, size, &declared, NULL)) {
            assert_int_not_equal(run_qemu_img(argv, &text), 0);
            continue;
        }
        assert_int_equal(run_qemu_img(argv, &text), 0);
        struct image *image = disk_open("theirs", IMAGE_VPC);
        assert_int_equal(image->virtual_size, declared);
        struct vpc_sizes sizes;
        uint8_t footer[VPC_FOOTER_SIZE];
        vpc_sizes_of(VPC_CREATOR_QEMU, div_up(size, 512), &sizes, NULL);
        const struct vpc_geometry geometry = sizes.geometry;
        disk_peek("theirs", 0, footer, sizeof footer);
        assert_int_equal(get_be16(footer + VPC_FOOTER_CYLINDERS), geometry.cylinders);
        assert_int_equal(footer[VPC_FOOTER_HEADS], geometry.heads);
        assert_int_equal(footer[VPC_FOOTER_SECTORS], geometry.sectors);
        image_close(image);
    }
    unlink("theirs");
    buffer_free(&text);
}

static void fields_are_where_the_specification_has_them(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {.block_bits = 19, .vpc_creator = VPC_CREATOR_QEM2};
    disk_content(&content, 20u << 20, 1u << 19);
    disk_make("disk", IMAGE_VPC, &options, &content, &written);
    uint8_t front[1536 + 512], tail[512], bitmap[512];
    disk_peek("disk", 0, front, sizeof front);
    disk_peek("disk", written.file_size - 512, tail, sizeof tail);
    assert_memory_equal(front, "conectix", 8);
    assert_memory_equal(front, tail, 512);
    assert_int_equal(get_be32(front + 8), 2);
    assert_int_equal(get_be32(front + 12), 0x10000);
    assert_int_equal(get_be64(front + 16), 512);
    assert_memory_equal(front + 28, "qem2", 4);
    assert_int_equal(get_be64(front + 48), 20u << 20);
    assert_int_equal(get_be32(front + 60), 3);
    assert_memory_equal(front + 512, "cxsparse", 8);
    assert_int_equal(get_be64(front + 512 + 8), UINT64_MAX);
    assert_int_equal(get_be64(front + 512 + 16), 1536);
    assert_int_equal(get_be32(front + 512 + 28), 40);
    assert_int_equal(get_be32(front + 512 + 32), 1u << 19);
    assert_int_equal(get_be32(front + 1536), 4); // sector of the first block
    assert_int_equal(get_be32(front + 1536 + 3 * 4), VPC_UNUSED);
    assert_int_equal(get_be32(front + 1536 + 40 * 4), VPC_UNUSED); // padding of the table
    disk_peek("disk", 2048, bitmap, sizeof bitmap);
    for (size_t i = 0; i < sizeof bitmap; i++)
        assert_int_equal(bitmap[i], 0xff);
    // 512 + 1024 + 512 + blocks * (512 + 2^19) + 512
    assert_int_equal((written.file_size - 2560) % (512 + (1u << 19)), 0);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void content_survives_in_every_variant(void **state) {
    (void)state;
    static const struct {
        uint32_t block_bits, output_sector;
        bool fixed, skip_zeros;
    } variants[] = {{0, 0, false, false},  {19, 0, false, true}, {24, 0, false, false},
                    {0, 0, true, false},   {0, 0, true, true},   {19, 65536, false, false},
                    {0, 4096, false, true}};
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        for (int creator = 0; creator < VPC_CREATORS; creator += i ? 2 : 1) {
            const struct image_options options = {
                .block_bits = variants[i].block_bits,
                .output_sector = variants[i].output_sector,
                .vpc_fixed = variants[i].fixed,
                .skip_zeros = variants[i].skip_zeros,
                .vpc_creator = (enum vpc_creator)creator,
            };
            uint32_t unit = 1u << (options.block_bits ? options.block_bits : 21);
            assert_good(IMAGE_VPC, false, &options, (uint64_t)unit * 16 + 5 * 512, unit);
            assert_good(IMAGE_VPC, false, &options, 513, unit);
        }
    }
}

// What a disk shows by its geometry, and what it would show by its size, differ for the one creator
// whose rule no version of qemu-img has changed.
static void no_version_of_qemu_img_sees_another_disk(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    uint8_t footer[VPC_FOOTER_SIZE];
    disk_content(&content, (5u << 20) + 512, 1u << 19);
    for (int creator = 0; creator < VPC_CREATORS; creator++) {
        struct image_options options = {.block_bits = 19, .vpc_creator = (enum vpc_creator)creator};
        disk_make("disk", IMAGE_VPC, &options, &content, &written);
        disk_peek("disk", 0, footer, sizeof footer);
        assert_memory_equal(footer + VPC_FOOTER_CREATOR, vpc_creators[creator].application, 4);
        uint64_t current = get_be64(footer + VPC_FOOTER_CURRENT_SIZE);
        assert_int_equal(current, get_be64(footer + VPC_FOOTER_ORIGINAL_SIZE));
        if (creator == VPC_CREATOR_VPC)
            assert_int_equal(current, content.size);
        else
            assert_int_equal(current, written.virtual_size);
        assert_int_equal(written.virtual_size < content.size, creator == VPC_CREATOR_VPC);
    }
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

// Current size 5 MiB + 512, geometry 150 * 4 * 17 sectors: data is written up to the former's end.
static void content_behind_the_geometry_is_cut_off(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    for (int fixed = 0; fixed < 2; fixed++) {
        struct image_options options = {
            .block_bits = 19, .vpc_fixed = fixed, .vpc_creator = VPC_CREATOR_VPC};
        content_begin(&content, (5u << 20) + 512);
        const struct content_extent all = {0, content.size, PATTERN_NOISE, FORM_NORMAL, 1};
        content_write(&content, &all);
        disk_make("disk", IMAGE_VPC, &options, &content, &written);
        assert_int_equal(written.virtual_size, 150 * 4 * 17 * 512);
        assert_int_equal(written.map.count, 1);
        assert_int_equal(written.map.extents[0].length, written.virtual_size);
        assert_round_trip("disk", IMAGE_VPC, &content, &written);
        assert_qemu_agrees("disk", IMAGE_VPC, false, &content, &written);
        uint8_t behind[512];
        uint64_t places[] = {2048 + 9 * (512 + (1u << 19)) + 512 +
                                 (written.virtual_size % (1u << 19)),
                             written.virtual_size};
        disk_peek("disk", places[fixed], behind, sizeof behind);
        assert_true(bytes_are_zero(behind, sizeof behind));
        if (fixed)
            assert_int_equal(written.file_size, content.size + 512);
    }
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

// Header, table, and each block with its bitmap, on multiples of 64 KiB, and the footer at the end
// of the last.
static void large_sectors_pad_everything(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {.block_bits = 19, .output_sector = 65536};
    uint8_t bytes[8];
    content_begin(&content, 4u << 20);
    const struct content_extent write = {3u << 19, 600, PATTERN_NOISE, FORM_NORMAL, 1};
    content_write(&content, &write);
    disk_make("disk", IMAGE_VPC, &options, &content, &written);
    assert_int_equal(written.file_size, 3 * 65536 + ((1u << 19) + 65536) + 65536);
    disk_peek("disk", 65536, bytes, 8);
    assert_memory_equal(bytes, "cxsparse", 8);
    disk_peek("disk", 131072 + 3 * 4, bytes, 4);
    assert_int_equal(get_be32(bytes), 3 * 65536 / 512);
    disk_peek("disk", written.file_size - 512, bytes, 8);
    assert_memory_equal(bytes, "conectix", 8);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void empty_disks_are_what_qemu_img_makes_of_them(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    content_begin(&content, 0);
    disk_make("disk", IMAGE_VPC, &(struct image_options){0}, &content, &written);
    assert_int_equal(written.file_size, 2048);
    assert_round_trip("disk", IMAGE_VPC, &content, &written);
    assert_qemu_agrees("disk", IMAGE_VPC, false, &content, &written);
    struct image_options fixed = {.vpc_fixed = true};
    uint64_t declared;
    assert_int_equal(vpc_declared_size(&fixed, 0, &declared, NULL), -1);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void mend_footer(const char *path) {
    uint8_t footer[VPC_FOOTER_SIZE];
    disk_peek(path, 0, footer, sizeof footer);
    put_be32(footer + VPC_FOOTER_CHECKSUM,
             vpc_checksum(footer, sizeof footer, VPC_FOOTER_CHECKSUM));
    disk_poke(path, 0, footer, sizeof footer);
}

static uint64_t qemu_virtual_size(const char *path) {
    struct buffer text = {0};
    char *argv[] = {"qemu-img", "info", "-f", "vpc", "--output=json", (char *)path, NULL};
    assert_int_equal(run_qemu_img(argv, &text), 0);
    uint64_t size = (uint64_t)json_number(&text, "virtual-size");
    buffer_free(&text);
    return size;
}

// The reader has the rule of qemu-img before 10.0 where versions differ.
static bool qemu_has_the_older_rule(void) {
    struct buffer text = {0};
    char *argv[] = {"qemu-img", "--version", NULL};
    run_qemu_img(argv, &text);
    const char *number = strstr(text.data, "version ");
    bool older = number && strtol(number + 8, NULL, 10) < 10;
    buffer_free(&text);
    return older;
}

static void assert_size_as_in_qemu(const char *application, bool by_version) {
    disk_poke("disk", VPC_FOOTER_CREATOR, application, 4);
    mend_footer("disk");
    struct image *image = disk_open("disk", IMAGE_VPC);
    if (!by_version || qemu_has_the_older_rule())
        assert_int_equal(image->virtual_size, qemu_virtual_size("disk"));
    else
        assert_int_equal(qemu_virtual_size("disk"), 3u << 20);
    image_close(image);
}

static void creators_decide_about_the_size_as_in_qemu(void **state) {
    (void)state;
    if (!have_qemu_img())
        skip();
    struct content content = {0};
    struct image_written written = {0};
    disk_content(&content, 5u << 20, 1u << 21);
    disk_make("disk", IMAGE_VPC, &(struct image_options){0}, &content, &written);
    uint8_t size[8];
    put_be64(size, 3u << 20);
    disk_poke("disk", VPC_FOOTER_CURRENT_SIZE, size, sizeof size);
    for (size_t i = 0; i < VPC_CREATORS; i++)
        assert_size_as_in_qemu(vpc_creators[i].application, vpc_creators[i].rule == VPC_BY_VERSION);
    assert_size_as_in_qemu("xyzz", true);
    disk_poke("disk", VPC_FOOTER_CYLINDERS, "\xff\xff\x10\xff", 4);
    mend_footer("disk");
    struct image *image = disk_open("disk", IMAGE_VPC);
    assert_int_equal(image->virtual_size, 3u << 20);
    assert_int_equal(image->virtual_size, qemu_virtual_size("disk"));
    image_close(image);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void what_cannot_be_read_is_refused_in_words(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    disk_content(&content, 5u << 20, 1u << 21);
    disk_make("disk", IMAGE_VPC, &(struct image_options){0}, &content, &written);
    disk_poke("disk", VPC_FOOTER_TYPE, "\0\0\0\4", 4);
    assert_refused("disk", IMAGE_VPC, "checksum");
    mend_footer("disk");
    assert_refused("disk", IMAGE_VPC, "differencing");
    disk_poke("disk", VPC_FOOTER_TYPE, "\0\0\0\3", 4);
    mend_footer("disk");
    disk_poke("disk", 1536, "\0\1\0\0", 4);
    assert_refused("disk", IMAGE_VPC, "beyond the file's end");
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void check_finds_what_is_wrong(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    struct image_check check;
    disk_content(&content, 20u << 20, 1u << 21);
    disk_make("disk", IMAGE_VPC, &(struct image_options){0}, &content, &written);
    uint8_t entry[4];
    disk_peek("disk", 1536, entry, 4);
    disk_poke("disk", 1536 + 4, entry, 4); // block 1 where block 0 is
    struct image *image = disk_open("disk", IMAGE_VPC);
    assert_int_equal(image->driver->check(image, &check, NULL), 0);
    assert_int_equal(check.corruptions, 1);
    assert_non_null(strstr(check.first_problem, "overlap"));
    assert_int_equal(check.leaks, 1); // and the block that was there belongs to nobody
    image_close(image);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static void damaged_files_are_survived(void **state) {
    (void)state;
    static const struct disk_part parts[] = {{0, 72}, {512, 48}, {1536, 64}, {512, 40}};
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {.block_bits = 19};
    disk_content(&content, 8u << 20, 1u << 19);
    disk_make("disk", IMAGE_VPC, &options, &content, &written);
    disk_damage("disk", IMAGE_VPC, parts, sizeof parts / sizeof *parts, 600, mend_footer);
    assert_round_trip("disk", IMAGE_VPC, &content, &written);
    disk_truncate("disk", IMAGE_VPC);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geometry_follows_the_specification),
        cmocka_unit_test(each_creator_makes_its_own_size_of_104349_sectors),
        cmocka_unit_test(a_creator_that_rounds_down_keeps_its_disks_defined),
        cmocka_unit_test(declared_size_is_that_of_qemu_img_dd_and_create),
        cmocka_unit_test(rounding_equals_qemu_img_create),
        cmocka_unit_test(fields_are_where_the_specification_has_them),
        cmocka_unit_test(content_survives_in_every_variant),
        cmocka_unit_test(no_version_of_qemu_img_sees_another_disk),
        cmocka_unit_test(content_behind_the_geometry_is_cut_off),
        cmocka_unit_test(large_sectors_pad_everything),
        cmocka_unit_test(empty_disks_are_what_qemu_img_makes_of_them),
        cmocka_unit_test(creators_decide_about_the_size_as_in_qemu),
        cmocka_unit_test(what_cannot_be_read_is_refused_in_words),
        cmocka_unit_test(check_finds_what_is_wrong),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
