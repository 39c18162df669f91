// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the vpc, vmdk and vhdx drivers share: make an image from content, hold it
// against our own reader and against qemu-img, and damage it in every way that a seed can think of.
#ifndef TESTS_IMAGE_DISK_HELPER_H
#define TESTS_IMAGE_DISK_HELPER_H

#include "tests/unit/image_helper.h"

#include "base/bytes.h"
#include "base/file.h"
#include "image/content.h"
#include "image/image.h"

#include <sys/stat.h>

// A disk with data of all kinds, at unit edges and across them, and holes of many units.
static inline void disk_content(struct content *content, uint64_t size, uint32_t unit) {
    const uint64_t grain = unit, last = min_u64(size, 1000);
    const struct content_extent writes[] = {
        {0, 70000, PATTERN_NOISE, FORM_NORMAL, 1},
        {grain * 2 - 3, 7, PATTERN_CONSTANT, FORM_NORMAL, 2},
        {grain * 5, grain + 512, PATTERN_COUNTER, FORM_COMPRESSED, 3},
        {grain * 9, grain * 2, PATTERN_ZERO, FORM_ZERO, 4},
        {grain * 12, grain, PATTERN_ZERO, FORM_NORMAL, 5},
        {size - last, last, PATTERN_NOISE, FORM_NORMAL, 6},
    };
    content_begin(content, size);
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        content_write(content, &writes[i]);
}

static inline void disk_make(const char *path, enum image_format format,
                             const struct image_options *options, const struct content *content,
                             struct image_written *written) {
    struct fault fault = {.text = ""};
    struct image_source source;
    content_as_source(content, &source);
    unlink(path);
    if (image_write(path, format, options, &source, written, &fault))
        fail_msg("%s", fault.text);
    uint64_t declared = 0;
    assert_int_equal(image_driver(format)->declared_size(options, content->size, &declared, &fault),
                     0);
    assert_int_equal(written->virtual_size, declared);
}

static inline struct image *disk_open(const char *path, enum image_format format) {
    struct fault fault = {.text = ""};
    struct image *image = NULL;
    if (image_open(&image, path, format, &fault))
        fail_msg("%s", fault.text);
    return image;
}

// The reason for which it cannot be opened.
static inline void assert_refused(const char *path, enum image_format format, const char *reason) {
    struct fault fault = {.text = ""};
    struct image *image = NULL;
    assert_int_equal(image_open(&image, path, format, &fault), -1);
    assert_null(image);
    if (!strstr(fault.text, reason))
        fail_msg("\"%s\" does not say \"%s\"", fault.text, reason);
}

static inline void disk_compare(const struct content *content, uint64_t offset, const void *bytes,
                                size_t length) {
    uint8_t *expected = must_realloc(NULL, length);
    content_read(content, offset, expected, length);
    if (memcmp(expected, bytes, length) != 0)
        fail_msg("content differs within %zu bytes at %llu", length, (unsigned long long)offset);
    free(expected);
}

// Our reader gives back every byte and the allocation that the writer claims; the check is clean.
static inline void assert_round_trip(const char *path, enum image_format format,
                                     const struct content *content,
                                     const struct image_written *written) {
    struct fault fault = {.text = ""};
    struct image *image = disk_open(path, format);
    struct image_map map = {0};
    assert_int_equal(image->virtual_size, written->virtual_size);
    assert_int_equal(image->unit, written->unit);
    uint8_t *bytes = must_realloc(NULL, 1 << 20);
    for (uint64_t at = 0; at < image->virtual_size; at += 1 << 20) {
        size_t part = (size_t)min_u64(1 << 20, image->virtual_size - at);
        if (image_read(image, at, bytes, part, &fault))
            fail_msg("%s", fault.text);
        disk_compare(content, at, bytes, part);
    }
    free(bytes);
    assert_int_equal(image_map_of(image, &map, &fault), 0);
    assert_int_equal(map.count, written->map.count);
    for (size_t i = 0; i < map.count; i++) {
        assert_int_equal(map.extents[i].offset, written->map.extents[i].offset);
        assert_int_equal(map.extents[i].length, written->map.extents[i].length);
        assert_int_equal(map.extents[i].state, written->map.extents[i].state);
    }
    struct image_check check;
    assert_int_equal(image->driver->check(image, &check, &fault), 0);
    assert_string_equal(check.first_problem, "");
    assert_int_equal(check.corruptions + check.leaks, 0);
    image_map_free(&map);
    image_close(image);
}

// qemu-img converts it to the content, and finds it clean where it can check the format.
static inline void assert_qemu_agrees(const char *path, enum image_format format, bool checks,
                                      const struct content *content,
                                      const struct image_written *written) {
    if (!have_qemu_img())
        return;
    struct buffer text = {0};
    const char *name = image_driver(format)->name;
    char *check[] = {"qemu-img", "check", "-f", (char *)name, (char *)path, NULL};
    char *convert[] = {"qemu-img", "convert",    "-f",      (char *)name, "-O",
                       "raw",      (char *)path, "out.raw", NULL};
    if (checks && run_qemu_img(check, &text) != 0)
        fail_msg("qemu-img check: %s", text.data);
    if (run_qemu_img(convert, &text) != 0)
        fail_msg("qemu-img convert: %s", text.data);
    struct image *raw = disk_open("out.raw", IMAGE_RAW);
    assert_int_equal(raw->virtual_size, written->virtual_size);
    uint8_t *bytes = must_realloc(NULL, 1 << 20);
    for (uint64_t at = 0; at < raw->virtual_size; at += 1 << 20) {
        size_t part = (size_t)min_u64(1 << 20, raw->virtual_size - at);
        assert_int_equal(image_read(raw, at, bytes, part, NULL), 0);
        disk_compare(content, at, bytes, part);
    }
    free(bytes);
    image_close(raw);
    unlink("out.raw");
    buffer_free(&text);
}

// All of it, for one set of options.
static inline void assert_good(enum image_format format, bool qemu_checks,
                               const struct image_options *options, uint64_t size, uint32_t unit) {
    struct content content = {0};
    struct image_written written = {0};
    disk_content(&content, size, unit);
    disk_make("disk", format, options, &content, &written);
    assert_round_trip("disk", format, &content, &written);
    assert_qemu_agrees("disk", format, qemu_checks, &content, &written);
    unlink("disk");
    content_free(&content);
    image_written_free(&written);
}

static inline int disk_edit(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static inline void disk_poke(const char *path, uint64_t offset, const void *bytes, size_t length) {
    int fd = disk_edit(path);
    assert_int_equal(file_pwrite(fd, bytes, length, offset, NULL), 0);
    close(fd);
}

static inline void disk_peek(const char *path, uint64_t offset, void *bytes, size_t length) {
    int fd = disk_edit(path);
    assert_int_equal(file_pread(fd, bytes, length, offset, NULL), 0);
    close(fd);
}

// Everything that a caller may do with an image that could be opened. Whatever it says is fine, as
// long as it says it: the sanitizers and the test's deadline are the judges.
static inline void disk_exercise(const char *path, enum image_format format) {
    struct fault fault = {.text = ""};
    struct image *image;
    struct image_check check;
    struct image_info info = {0};
    struct image_extent extent;
    uint8_t bytes[4096];
    if (image_open(&image, path, format, &fault))
        return;
    image->driver->info(image, &info);
    if (image->driver->check)
        image->driver->check(image, &check, &fault);
    uint64_t at = 0;
    for (int i = 0; i < 200 && at < image->virtual_size; i++) {
        if (image_extent_at(image, at, &extent, &fault))
            break;
        assert_int_equal(extent.offset, at);
        assert_true(extent.length > 0 && extent.length <= image->virtual_size - at);
        image_read(image, at, bytes, (size_t)min_u64(sizeof bytes, extent.length), &fault);
        at += extent.length;
    }
    image_close(image);
}

struct disk_part {
    uint64_t offset, length; // file bytes where damage is interesting
};

// Flips bits and overwrites words in the given parts, one to four at a time, and undoes it again.
// `mend` (may be NULL) makes checksums right, so that the damage gets further than the first test.
static inline void disk_damage(const char *path, enum image_format format,
                               const struct disk_part *parts, size_t count, unsigned rounds,
                               void (*mend)(const char *path)) {
    static const uint32_t words[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 512, 3};
    struct random random = {.state = format};
    for (unsigned round = 0; round < rounds; round++) {
        uint8_t saved[4][4];
        uint64_t places[4];
        unsigned hits = 1 + (unsigned)below(&random, 4);
        for (unsigned i = 0; i < hits; i++) {
            const struct disk_part *part = &parts[below(&random, count)];
            places[i] = part->offset + below(&random, part->length / 4) * 4;
            disk_peek(path, places[i], saved[i], 4);
            uint32_t word = words[below(&random, sizeof words / sizeof *words)];
            if (one_in(&random, 2))
                word = get_le32(saved[i]) ^ 1u << below(&random, 32);
            disk_poke(path, places[i], &word, 4);
        }
        if (mend && !one_in(&random, 4))
            mend(path);
        disk_exercise(path, format);
        while (hits--)
            disk_poke(path, places[hits], saved[hits], 4);
        if (mend)
            mend(path);
    }
}

// Cuts the file shorter and shorter.
static inline void disk_truncate(const char *path, enum image_format format) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    for (off_t size = status.st_size; size > 0;) {
        size = size > 3000 ? size - size / 7 - 1 : size - 97;
        assert_int_equal(truncate(path, size > 0 ? size : 0), 0);
        disk_exercise(path, format);
    }
}

#endif
