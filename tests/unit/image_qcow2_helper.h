// SPDX-License-Identifier: Apache-2.0
//
// What the tests of qcow2 share: one image built from options and extents, opened, checked,
// patched.
#ifndef TESTS_IMAGE_QCOW2_HELPER_H
#define TESTS_IMAGE_QCOW2_HELPER_H

#include "base/bytes.h"
#include "base/file.h"
#include "image/compare.h"
#include "image/content.h"
#include "image/image.h"
#include "tests/unit/image_helper.h"
#include <sys/stat.h>

#define FILE_NAME "image.qcow2"

static struct content content;
static struct image_written written;
static struct buffer text;

static inline void put_extent(uint64_t offset, uint64_t length, enum content_pattern pattern,
                              enum content_form form) {
    struct content_extent write = {
        .offset = offset, .length = length, .pattern = pattern, .form = form, .seed = 9};
    content_write(&content, &write);
}

static inline void build(const struct image_options *options) {
    struct image_source source;
    struct fault fault = {.text = ""};
    unlink(FILE_NAME);
    content_as_source(&content, &source);
    if (image_write(FILE_NAME, IMAGE_QCOW2, options, &source, &written, &fault) < 0)
        fail_msg("%s", fault.text);
}

static inline struct image *opened(const char *path, enum image_format format) {
    struct image *image;
    struct fault fault = {.text = ""};
    if (image_open(&image, path, format, &fault) < 0)
        fail_msg("%s", fault.text);
    return image;
}

static inline void assert_content(const char *path, enum image_format format) {
    struct image *image = opened(path, format);
    struct image_source truth, found;
    struct image_difference difference;
    struct fault fault = {.text = ""};
    content_as_source(&content, &truth);
    image_as_source(image, &found);
    if (image_compare(&truth, &found, UINT64_MAX, &difference, &fault) < 0)
        fail_msg("%s: %s", path, fault.text);
    if (!difference.prefix_equal || !difference.tail_zero)
        fail_msg("%s differs at %llu", path, (unsigned long long)difference.first_offset);
    image_close(image);
}

static inline int checked(const char *path, struct image_check *check, struct fault *fault) {
    struct image *image = opened(path, IMAGE_QCOW2);
    int result = image->driver->check(image, check, fault);
    image_close(image);
    return result;
}

static inline void assert_clean(void) {
    struct image_check check;
    struct fault fault = {.text = ""};
    if (checked(FILE_NAME, &check, &fault) < 0)
        fail_msg("%s", fault.text);
    assert_string_equal(check.first_problem, "");
    assert_int_equal(check.corruptions + check.leaks, 0);
    assert_content(FILE_NAME, IMAGE_QCOW2);
    char *argv[] = {"qemu-img", "check", "-f", "qcow2", FILE_NAME, NULL};
    if (have_qemu_img() && run_qemu_img(argv, &text) != 0)
        fail_msg("%s", text.data);
}

static inline void patch(uint64_t at, const uint8_t *bytes, size_t length) {
    struct fault fault;
    int fd = open(FILE_NAME, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(file_pwrite(fd, bytes, length, at, &fault), 0);
    close(fd);
}

static inline uint8_t *load(size_t *size) {
    int fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);
    struct stat status;
    struct fault fault;
    assert_int_equal(fstat(fd, &status), 0);
    *size = (size_t)status.st_size;
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(file_pread(fd, bytes, *size, 0, &fault), 0);
    close(fd);
    return bytes;
}

static inline void store(const uint8_t *bytes, size_t size) {
    struct fault fault;
    int fd = open(FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(file_pwrite(fd, bytes, size, 0, &fault), 0);
    close(fd);
}

static inline void assert_same_statistics(const char *path) {
    struct image_check check;
    struct fault fault = {.text = ""};
    if (checked(path, &check, &fault) < 0)
        fail_msg("%s", fault.text);
    char *argv[] = {"qemu-img", "check", "--output=json", "-f", "qcow2", (char *)path, NULL};
    run_qemu_img(argv, &text);
    const struct {
        const char *name;
        uint64_t ours;
    } numbers[] = {
        {"corruptions", check.corruptions},
        {"leaks", check.leaks},
        {"total-clusters", check.total_clusters},
        {"allocated-clusters", check.allocated_clusters},
        {"fragmented-clusters", check.fragmented_clusters},
        {"compressed-clusters", check.compressed_clusters},
        {"image-end-offset", check.image_end_offset},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (json_number(&text, numbers[i].name) != (double)numbers[i].ours)
            fail_msg("%s: ours %llu (%s), theirs: %s", numbers[i].name,
                     (unsigned long long)numbers[i].ours, check.first_problem, text.data);
}

static inline int release(void **state) {
    unlink(FILE_NAME);
    content_free(&content);
    image_written_free(&written);
    buffer_free(&text);
    return leave_directory(state);
}

#endif
