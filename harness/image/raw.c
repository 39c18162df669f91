// SPDX-License-Identifier: Apache-2.0
//
// Raw files: the format without a format. All it has is bytes in their places.
#include "base/file.h"
#include "image/drivers.h"
#include "image/flat.h"

#include <unistd.h>

static bool raw_probe(const uint8_t *head, size_t head_length, const uint8_t *tail,
                      size_t tail_length) {
    (void)head, (void)head_length, (void)tail, (void)tail_length;
    return true;
}

static int raw_open(struct image *image, struct fault *fault) {
    (void)fault;
    image->virtual_size = image->file_size;
    image->unit = FLAT_UNIT;
    return 0;
}

static void raw_close(struct image *image) {
    (void)image; // no state
}

static int raw_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                      struct fault *fault) {
    return flat_extent(image->fd, image->virtual_size, offset, extent, fault);
}

static int raw_read(struct image *image, uint64_t offset, void *buffer, size_t length,
                    struct fault *fault) {
    return file_pread(image->fd, buffer, length, offset, fault);
}

static void raw_info(struct image *image, struct image_info *info) {
    *info = (struct image_info){.virtual_size = image->virtual_size};
}

static int raw_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                             struct fault *fault) {
    (void)options;
    *declared = 0;
    if (size > INT64_MAX)
        return fault_set(fault, "a file cannot have %llu bytes", (unsigned long long)size);
    *declared = size;
    return 0;
}

static int raw_write(struct image_output *output, const struct image_options *options,
                     const struct image_source *source, struct image_written *written,
                     struct fault *fault) {
    int fd = output->fd;
    if (raw_declared_size(options, source->size, &written->virtual_size, fault) < 0)
        return -1;
    if (ftruncate(fd, (off_t)source->size) < 0)
        return fault_errno(fault, "cannot make the file %llu bytes long",
                           (unsigned long long)source->size);
    if (flat_write(fd, source, options->skip_zeros, fault) < 0)
        return -1;
    written->unit = FLAT_UNIT;
    return flat_map(fd, source->size, 0, &written->map, fault);
}

const struct image_driver raw_driver = {
    .format = IMAGE_RAW,
    .name = "raw",
    .probe = raw_probe,
    .open = raw_open,
    .close = raw_close,
    .extent = raw_extent,
    .read = raw_read,
    .info = raw_info,
    .write = raw_write,
    .declared_size = raw_declared_size,
};
