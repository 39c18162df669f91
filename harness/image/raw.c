// SPDX-License-Identifier: Apache-2.0
//
// Raw files: the format without a format. What is allocated is the file system's knowledge, so
// the reader and the writer both ask it (SEEK_DATA, SEEK_HOLE) instead of deriving it: qemu-img
// measures by the same calls, and a file system may store more than was written.
#include "image/drivers.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#define RAW_UNIT  4096u       // the page size that file systems allocate in
#define RAW_CHUNK (64u << 10) // bytes copied at once

static bool raw_probe(const uint8_t *head, size_t head_length, const uint8_t *tail,
                      size_t tail_length) {
    (void)head, (void)head_length, (void)tail, (void)tail_length;
    return true;
}

static int raw_open(struct image *image, struct fault *fault) {
    (void)fault;
    image->virtual_size = image->file_size;
    image->unit = RAW_UNIT;
    return 0;
}

static void raw_close(struct image *image) {
    (void)image; // no state
}

// The run at `offset` of a file of `size` bytes.
static int raw_run(int fd, uint64_t size, uint64_t offset, struct image_extent *extent,
                   struct fault *fault) {
    *extent = (struct image_extent){.offset = offset};
    off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO) { // nothing but a hole up to the end
        extent->length = size - offset;
        extent->state = IMAGE_HOLE;
        return 0;
    }
    if (data < 0)
        return fault_errno(fault, "SEEK_DATA at %llu", (unsigned long long)offset);
    if ((uint64_t)data > offset) {
        extent->length = min_u64((uint64_t)data, size) - offset;
        extent->state = IMAGE_HOLE;
        return 0;
    }
    off_t hole = lseek(fd, data, SEEK_HOLE);
    if (hole < 0)
        return fault_errno(fault, "SEEK_HOLE at %llu", (unsigned long long)offset);
    if ((uint64_t)hole <= offset)
        return fault_set(fault, "the file changed while it was read");
    extent->length = min_u64((uint64_t)hole, size) - offset;
    extent->state = IMAGE_DATA;
    return 0;
}

static int raw_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                      struct fault *fault) {
    return raw_run(image->fd, image->virtual_size, offset, extent, fault);
}

static int raw_read(struct image *image, uint64_t offset, void *buffer, size_t length,
                    struct fault *fault) {
    return image_pread(image->fd, buffer, length, offset, fault);
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

// Copies what the source stores; a zero form is a hole.
static int write_units(int fd, const struct image_options *options,
                       const struct image_source *source, struct fault *fault) {
    uint8_t bytes[RAW_CHUNK];
    uint32_t chunk = options->skip_zeros ? RAW_UNIT : RAW_CHUNK; // zeros are judged by unit
    struct image_extent extent;
    for (uint64_t offset = 0; offset < source->size;) {
        if (source->extent(source->context, offset, &extent, fault) < 0)
            return -1;
        uint64_t end = extent.offset + extent.length;
        if (extent.state != IMAGE_DATA && extent.state != IMAGE_COMPRESSED) {
            offset = end;
            continue;
        }
        size_t length = (size_t)min_u64(chunk - offset % chunk, end - offset);
        if (source->read(source->context, offset, bytes, length, fault) < 0)
            return -1;
        if (!(options->skip_zeros && bytes_are_zero(bytes, length)) &&
            image_pwrite(fd, bytes, length, offset, fault) < 0)
            return -1;
        offset += length;
    }
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
    if (write_units(fd, options, source, fault) < 0)
        return -1;
    written->unit = RAW_UNIT;
    for (uint64_t offset = 0; offset < source->size;) {
        struct image_extent extent;
        if (raw_run(fd, source->size, offset, &extent, fault) < 0)
            return -1;
        image_map_add(&written->map, offset, extent.length, extent.state);
        offset += extent.length;
    }
    return 0;
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
    .max_unit_bits = 12,
};
