// SPDX-License-Identifier: Apache-2.0
//
// A copy with one fault has that fault, in every place that can have it, and no other: our check
// and qemu-img's say so, and unless the fault is one of places, the guest's bytes are still there.
#include "tests/unit/image_damage_helper.h"

static const struct sound {
    uint32_t cluster_bits, refcount_bits, version;
    bool extended;
    bool past; // an internal snapshot, which shares most of the disk, and a bitmap
} sounds[] = {{9, 16, 2, false, false}, {12, 1, 3, false, false}, {16, 64, 3, false, false},
              {14, 4, 3, true, false},  {12, 16, 3, false, true}, {14, 2, 3, true, true}};
#define SOUNDS (sizeof sounds / sizeof *sounds)

// 1 MiB with data, deflated data, zeros and holes.
static void write_sound(struct content *content, const struct sound *sound) {
    struct content older = {0};
    struct image_map dirty = {0};
    struct image_snapshot snapshot = {.id = "1", .name = "older"};
    struct image_bitmap bitmap = {.name = "b", .granularity_bits = 16, .dirty = &dirty};
    struct image_options options = {.cluster_bits = sound->cluster_bits,
                                    .refcount_bits = sound->refcount_bits,
                                    .qcow2_version = sound->version,
                                    .extended_l2 = sound->extended,
                                    .snapshots = &snapshot,
                                    .snapshot_count = sound->past,
                                    .bitmaps = &bitmap,
                                    .bitmap_count = sound->past};
    struct image_written written = {0};
    struct image_source source;
    struct fault fault = {{0}};
    content_begin(content, 1 << 20);
    content_write(content, &(struct content_extent){5000, 70000, PATTERN_NOISE, FORM_NORMAL, 3});
    content_write(content,
                  &(struct content_extent){1 << 18, 1 << 17, PATTERN_COUNTER, FORM_COMPRESSED, 4});
    content_write(
        content, &(struct content_extent){1 << 19, 1 << 16, PATTERN_NOISE, FORM_ZERO_ALLOCATED, 5});
    content_copy(&older, content);
    content_write(content, &(struct content_extent){0, 30000, PATTERN_NOISE, FORM_NORMAL, 6});
    image_map_add(&dirty, 0, 1 << 18, IMAGE_DATA);
    content_as_source(&older, &snapshot.source);
    content_as_source(content, &source);
    unlink(SOUND);
    if (image_write(SOUND, IMAGE_QCOW2, &options, &source, &written, &fault))
        fail_msg("%s", fault.text);
    image_written_free(&written);
    image_map_free(&dirty);
    content_free(&older);
}

static void damage(enum image_damage kind, uint64_t chosen) {
    assert_true(try_damage(IMAGE_QCOW2, kind, chosen));
}

static void expect_readable(const struct content *content) {
    static uint8_t expected[1 << 20], found[1 << 20];
    struct fault fault = {{0}};
    struct image *image = disk_open(UNSOUND, IMAGE_QCOW2);
    content_read(content, 0, expected, sizeof expected);
    if (image_read(image, 0, found, sizeof found, &fault))
        fail_msg("%s", fault.text);
    assert_memory_equal(expected, found, sizeof found);
    image_close(image);
}

static bool loses_nothing(enum image_damage kind) {
    return kind <= DAMAGE_COPIED;
}

// The end of qemu-img's check; -1 without one here.
static int qemu_img_check(enum image_format format) {
    struct buffer text = {0};
    char *argv[] = {"qemu-img", "check", "-f", (char *)image_driver(format)->name, UNSOUND, NULL};
    int status = have_qemu_img() ? run_qemu_img(argv, &text) : -1;
    buffer_free(&text);
    return status;
}

static void expect_fault(enum image_damage kind) {
    struct image_check check;
    struct fault fault = {{0}};
    struct image *image = disk_open(UNSOUND, IMAGE_QCOW2);
    if (image->driver->check(image, &check, &fault))
        fail_msg("%s", fault.text);
    image_close(image);
    bool leaks = kind == DAMAGE_LEAK || (kind == DAMAGE_EXCESS && check.corruptions == 0);
    if (kind == DAMAGE_LEAK || kind == DAMAGE_EXCESS)
        assert_int_equal(check.leaks, 1);
    assert_int_equal(check.corruptions > 0, !leaks);
    int status = qemu_img_check(IMAGE_QCOW2);
    if (status >= 0)
        assert_int_equal(status, leaks ? 3 : 2);
}

static void every_copy_has_its_one_fault(void **state) {
    (void)state;
    struct content content = {0};
    for (const struct sound *sound = sounds; sound < sounds + SOUNDS; sound++) {
        write_sound(&content, sound);
        for (int kind = 0; kind < IMAGE_FAULTS; kind++) {
            bool possible = kind == DAMAGE_SUBCLUSTERS ? sound->extended
                            : kind == DAMAGE_EXCESS    ? sound->refcount_bits > 1
                                                       : true;
            for (uint64_t chosen = 0; chosen < 24; chosen++) {
                assert_int_equal(try_damage(IMAGE_QCOW2, kind, chosen * 7), possible);
                if (!possible)
                    continue;
                if (loses_nothing(kind))
                    expect_readable(&content);
                expect_fault(kind);
            }
        }
    }
    content_free(&content);
}

// Of a refcount that is too high a COPIED flag knows, but not all clusters have one.
static void an_excess_is_a_leak_or_corrupt(void **state) {
    (void)state;
    struct content content = {0};
    struct fault fault = {{0}};
    bool seen[2] = {false, false};
    write_sound(&content, &(struct sound){12, 16, 3, false, false});
    for (uint64_t chosen = 0; chosen < 64; chosen++) {
        struct image_check check;
        damage(DAMAGE_EXCESS, chosen);
        struct image *image = disk_open(UNSOUND, IMAGE_QCOW2);
        assert_int_equal(image->driver->check(image, &check, &fault), 0);
        seen[check.corruptions > 0] = true;
        image_close(image);
    }
    assert_true(seen[0] && seen[1]);
    content_free(&content);
}

static size_t read_all(const char *path, uint8_t *to, size_t room) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, to, room);
    close(fd);
    assert_in_range(length, 1, room - 1);
    return (size_t)length;
}

// Header, tables and data: whoever forgets a kind of cluster is found.
static void the_choice_reaches_every_cluster(void **state) {
    (void)state;
    struct content content = {0};
    static uint8_t sound[4 << 20], unsound[4 << 20];
    static bool seen[4 << 20];
    size_t lost = 0, single = 0, block = 0;
    write_sound(&content, &(struct sound){12, 8, 3, false, false});
    size_t length = read_all(SOUND, sound, sizeof sound);
    for (uint64_t chosen = 0; chosen < length / 4096; chosen++) {
        damage(DAMAGE_REFCOUNT, chosen);
        assert_int_equal(read_all(UNSOUND, unsound, sizeof unsound), length);
        size_t at = 0;
        while (at < length && sound[at] == unsound[at])
            at++;
        assert_in_range(at, 0, length - 1);
        assert_int_equal(sound[at], 1);
        assert_int_equal(unsound[at], 0);
        unsound[at] = 1; // the one difference
        assert_memory_equal(sound, unsound, length);
        lost += !seen[at];
        seen[at] = true;
        block = at / 4096 * 4096;
    }
    for (size_t i = 0; i < 4096; i++)
        single += sound[block + i] == 1;
    assert_true(single > 30); // of deflated clusters some share their place
    assert_int_equal(lost, single);
    content_free(&content);
}

// A reader may refuse the file, but nobody may find nothing wrong with it.
static void expect_table_fault(enum image_format format, enum image_damage kind) {
    struct image *image = NULL;
    struct image_check check = {0};
    struct fault fault = {{0}};
    if (image_open(&image, UNSOUND, format, &fault) == 0)
        assert_int_equal(image->driver->check(image, &check, &fault), 0);
    assert_true(!image || check.corruptions > 0);
    if (format == IMAGE_VMDK) // the second set of tables does not give it away
        assert_int_equal(check.corruptions, 1);
    image_close(image);
    int status = qemu_img_check(format);
    bool unseen = format == IMAGE_VPC || (kind == DAMAGE_OVERLAP && format != IMAGE_QCOW2);
    if (status >= 0 && !unseen)
        assert_in_range(status, 1, 2);
}

// One entry differs, in a vmdk with its copy, and nothing else.
static void expect_one_entry(void) {
    static uint8_t sound[16 << 20], unsound[16 << 20];
    size_t length = read_all(SOUND, sound, sizeof sound), differ = 0;
    assert_int_equal(read_all(UNSOUND, unsound, sizeof unsound), length);
    for (size_t i = 0; i < length; i++)
        differ += sound[i] != unsound[i];
    assert_in_range(differ, 1, 8);
}

static void entries_of_every_format_can_be_wrong(void **state) {
    (void)state;
    static const struct {
        enum image_format format;
        struct image_options options;
    } images[] = {
        {IMAGE_QCOW2, {.cluster_bits = 16}},
        {IMAGE_QCOW2, {.cluster_bits = 14, .extended_l2 = true, .qcow2_version = 3}},
        {IMAGE_VMDK, {.grain_bits = 16}},
        {IMAGE_VMDK, {.grain_bits = 12, .vmdk_subformat = VMDK_STREAM, .compress = true}},
        {IMAGE_VPC, {.block_bits = 19}},
        {IMAGE_VHDX, {.block_bits = 20}},
    };
    static const enum image_damage kinds[] = {DAMAGE_OVERLAP, DAMAGE_BEYOND};
    struct content content = {0};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        struct image_written written = {0};
        disk_content(&content, 4 << 20, 1 << 18);
        disk_make(SOUND, images[i].format, &images[i].options, &content, &written);
        image_written_free(&written);
        for (uint64_t chosen = 0; chosen < 2 * 13; chosen++) {
            assert_true(try_damage(images[i].format, kinds[chosen % 2], chosen));
            expect_one_entry();
            expect_table_fault(images[i].format, kinds[chosen % 2]);
        }
        content_free(&content);
    }
}

static void files_without_such_tables_cannot_have_wrong_ones(void **state) {
    (void)state;
    static const struct {
        enum image_format format;
        struct image_options options;
    } images[] = {
        {IMAGE_VPC, {.vpc_fixed = true}},
        {IMAGE_VMDK, {.vmdk_subformat = VMDK_FLAT}},
        {IMAGE_VMDK, {.vmdk_subformat = VMDK_SPLIT_SPARSE}},
        {IMAGE_QCOW2, {.data_file = QCOW2_DATA_FILE, .qcow2_version = 3}},
        {IMAGE_RAW, {0}},
    };
    struct content content = {0};
    disk_content(&content, 4 << 20, 1 << 18);
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        struct image_written written = {0};
        struct stat info;
        disk_make(SOUND, images[i].format, &images[i].options, &content, &written);
        assert_false(try_damage(images[i].format, DAMAGE_OVERLAP, 1));
        assert_false(try_damage(images[i].format, DAMAGE_BEYOND, 1));
        assert_int_equal(stat(UNSOUND, &info), -1);
        for (size_t file = 0; file < written.file_count; file++)
            unlink(written.files[file]);
        image_written_free(&written);
    }
    content_free(&content);
}

static void what_cannot_be_damaged_is_left_alone(void **state) {
    (void)state;
    struct content content = {0};
    struct fault fault = {{0}};
    struct stat info;
    write_sound(&content, &(struct sound){16, 16, 3, false, false});
    unlink(UNSOUND);
    assert_int_equal(image_damage(SOUND, UNSOUND, IMAGE_QCOW2, DAMAGE_LEAK, 0, 65536, &fault), -1);
    assert_string_equal(fault.text, "too large to copy");
    assert_int_equal(stat(UNSOUND, &info), -1);
    damage(DAMAGE_LEAK, 0);
    assert_int_equal(image_damage(SOUND, UNSOUND, IMAGE_QCOW2, DAMAGE_LEAK, 0, 16 << 20, &fault),
                     -1);
    assert_int_equal(stat(UNSOUND, &info), 0); // it was there, and is not ours
    content_free(&content);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_copy_has_its_one_fault),
        cmocka_unit_test(an_excess_is_a_leak_or_corrupt),
        cmocka_unit_test(the_choice_reaches_every_cluster),
        cmocka_unit_test(entries_of_every_format_can_be_wrong),
        cmocka_unit_test(files_without_such_tables_cannot_have_wrong_ones),
        cmocka_unit_test(what_cannot_be_damaged_is_left_alone),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_damaged);
}
