// SPDX-License-Identifier: Apache-2.0
//
// One extent's part of a disk, and the sum of what was read of it. All writers of vmdk read through
// it, so that no layout needs to know what the content identifier is made of.
#include "image/vmdk.h"

#include "base/bytes.h"

#include <zlib.h>

static void slice_sum(struct vmdk_slice *slice, uint64_t number, const void *bytes, size_t length) {
    uint8_t text[8];
    put_le64(text, number);
    uLong sum = crc32(*slice->sum, text, sizeof text);
    *slice->sum = (uint32_t)crc32_z(sum, bytes, length);
}

static int slice_extent(void *context, uint64_t offset, struct image_extent *extent,
                        struct fault *fault) {
    struct vmdk_slice *slice = context;
    const struct image_source *disk = slice->disk;
    uint64_t at = slice->start + offset, end = slice->start + slice->source.size;
    if (at >= disk->size) {
        *extent = (struct image_extent){offset, end - at, IMAGE_ZERO};
        return 0;
    }
    struct image_extent found;
    if (disk->extent(disk->context, at, &found, fault))
        return -1;
    if (found.offset > at || found.length <= at - found.offset)
        return fault_set(fault, "the source has no extent at offset %llu", (unsigned long long)at);
    end = min_u64(end, found.offset + found.length);
    *extent = (struct image_extent){offset, end - at, found.state};
    if (found.state != IMAGE_HOLE)
        slice_sum(slice, at, &(uint8_t){(uint8_t)found.state}, 1);
    return 0;
}

static int slice_read(void *context, uint64_t offset, void *buffer, size_t length,
                      struct fault *fault) {
    struct vmdk_slice *slice = context;
    const struct image_source *disk = slice->disk;
    uint64_t at = slice->start + offset;
    size_t inside = at >= disk->size ? 0 : (size_t)min_u64(length, disk->size - at);
    if (inside && disk->read(disk->context, at, buffer, inside, fault))
        return -1;
    memset((uint8_t *)buffer + inside, 0, length - inside);
    // Zeros add nothing: a source whose holes are not known may be full of them.
    if (!bytes_are_zero(buffer, length))
        slice_sum(slice, at, buffer, length);
    return 0;
}

void vmdk_slice_begin(struct vmdk_slice *slice, const struct image_source *disk, uint64_t start,
                      uint64_t size, uint32_t *sum) {
    *slice = (struct vmdk_slice){.disk = disk, .start = start, .size = size, .sum = sum};
    slice->source = *disk;
    slice->source.size = disk->overlay ? size : min_u64(size, disk->size - start);
    slice->source.extent = slice_extent;
    slice->source.read = slice_read;
    slice->source.context = slice;
}

uint32_t vmdk_sum_begin(uint64_t size, uint32_t parent_cid) {
    uint8_t text[12];
    put_le64(text, size);
    put_le32(text + 8, parent_cid);
    return (uint32_t)crc32(0, text, sizeof text);
}
