// SPDX-License-Identifier: Apache-2.0
//
// A copy with one fault has that fault, in every cluster that can have it, and no other: our check
// and qemu-img's say so, and the guest's bytes are still there.
#include "image_helper.h"

#include "image/content.h"
#include "image/damage.h"

#include <sys/stat.h>

#define SOUND   "sound.qcow2"
#define UNSOUND "unsound.qcow2"

// 1 MiB with data, deflated data, zeros and holes.
static void write_sound(struct content *content, uint32_t cluster_bits, uint32_t refcount_bits,
                        bool extended) {
    struct image_options options = {
        .cluster_bits = cluster_bits, .refcount_bits = refcount_bits, .extended_l2 = extended};
    struct image_written written = {0};
    struct image_source source;
    struct fault fault = {{0}};
    content_begin(content, 1 << 20);
    content_write(content, &(struct content_extent){5000, 70000, PATTERN_NOISE, FORM_NORMAL, 3});
    content_write(content,
                  &(struct content_extent){1 << 18, 1 << 17, PATTERN_COUNTER, FORM_COMPRESSED, 4});
    content_write(
        content, &(struct content_extent){1 << 19, 1 << 16, PATTERN_NOISE, FORM_ZERO_ALLOCATED, 5});
    content_as_source(content, &source);
    unlink(SOUND);
    if (image_write(SOUND, IMAGE_QCOW2, &options, &source, &written, &fault))
        fail_msg("%s", fault.text);
    image_written_free(&written);
}

static void damage(enum image_damage kind, uint64_t chosen) {
    struct fault fault = {{0}};
    unlink(UNSOUND);
    if (image_damage(SOUND, UNSOUND, kind, chosen, 16 << 20, &fault))
        fail_msg("%s", fault.text);
}

static void expect_readable(const struct content *content) {
    static uint8_t expected[1 << 20], found[1 << 20];
    struct image *image;
    struct fault fault = {{0}};
    content_read(content, 0, expected, sizeof expected);
    if (image_open(&image, UNSOUND, IMAGE_QCOW2, &fault) ||
        image_read(image, 0, found, sizeof found, &fault))
        fail_msg("%s", fault.text);
    assert_memory_equal(expected, found, sizeof found);
    image_close(image);
}

static void expect_fault(enum image_damage kind) {
    struct image *image;
    struct image_check check;
    struct fault fault = {{0}};
    if (image_open(&image, UNSOUND, IMAGE_QCOW2, &fault) ||
        image->driver->check(image, &check, &fault))
        fail_msg("%s", fault.text);
    image_close(image);
    assert_int_equal(check.leaks, kind == DAMAGE_LEAK);
    assert_int_equal(check.corruptions > 0, kind == DAMAGE_REFCOUNT);
    if (!have_qemu_img())
        return;
    struct buffer text = {0};
    char *argv[] = {"qemu-img", "check", "-f", "qcow2", UNSOUND, NULL};
    assert_int_equal(run_qemu_img(argv, &text), kind == DAMAGE_LEAK ? 3 : 2);
    buffer_free(&text);
}

static void every_copy_has_its_one_fault(void **state) {
    (void)state;
    static const struct {
        uint32_t cluster_bits, refcount_bits;
        bool extended;
    } images[] = {{9, 16, false}, {12, 1, false}, {16, 64, false}, {14, 4, true}};
    struct content content = {0};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        write_sound(&content, images[i].cluster_bits, images[i].refcount_bits, images[i].extended);
        damage(DAMAGE_LEAK, 0);
        expect_readable(&content);
        expect_fault(DAMAGE_LEAK);
        for (uint64_t chosen = 0; chosen < 24; chosen++) {
            damage(DAMAGE_REFCOUNT, chosen * 7);
            expect_readable(&content);
            expect_fault(DAMAGE_REFCOUNT);
        }
    }
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
    write_sound(&content, 12, 8, false);
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

static void what_cannot_be_damaged_is_left_alone(void **state) {
    (void)state;
    struct content content = {0};
    struct fault fault = {{0}};
    struct stat info;
    write_sound(&content, 16, 16, false);
    unlink(UNSOUND);
    assert_int_equal(image_damage(SOUND, UNSOUND, DAMAGE_LEAK, 0, 65536, &fault), -1);
    assert_string_equal(fault.text, "too large to copy");
    assert_int_equal(stat(UNSOUND, &info), -1);
    damage(DAMAGE_LEAK, 0);
    assert_int_equal(image_damage(SOUND, UNSOUND, DAMAGE_LEAK, 0, 16 << 20, &fault), -1);
    assert_int_equal(stat(UNSOUND, &info), 0); // it was there, and is not ours
    content_free(&content);
}

static int leave(void **state) {
    unlink(SOUND);
    unlink(UNSOUND);
    return leave_directory(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_copy_has_its_one_fault),
        cmocka_unit_test(the_choice_reaches_every_cluster),
        cmocka_unit_test(what_cannot_be_damaged_is_left_alone),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave);
}
