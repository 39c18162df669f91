// SPDX-License-Identifier: Apache-2.0
//
// Copying into a file as it is, and asking what the file system made of it.
#include "image/flat.h"

#include "base/bytes.h"
#include "base/file.h"

#include <errno.h>
#include <unistd.h>

#define FLAT_CHUNK (64u << 10) // bytes copied at once

int flat_extent(int fd, uint64_t end, uint64_t offset, struct image_extent *extent,
                struct fault *fault) {
    *extent = (struct image_extent){.offset = offset};
    off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO) { // nothing but a hole up to the end
        extent->length = end - offset;
        extent->state = IMAGE_HOLE;
        return 0;
    }
    if (data < 0)
        return fault_errno(fault, "SEEK_DATA at %llu", (unsigned long long)offset);
    if ((uint64_t)data > offset) {
        extent->length = min_u64((uint64_t)data, end) - offset;
        extent->state = IMAGE_HOLE;
        return 0;
    }
    off_t hole = lseek(fd, data, SEEK_HOLE);
    if (hole < 0)
        return fault_errno(fault, "SEEK_HOLE at %llu", (unsigned long long)offset);
    if ((uint64_t)hole <= offset)
        return fault_set(fault, "the file changed while it was read");
    extent->length = min_u64((uint64_t)hole, end) - offset;
    extent->state = IMAGE_DATA;
    return 0;
}

int flat_write(int fd, const struct image_source *source, bool skip_zeros, struct fault *fault) {
    uint8_t bytes[FLAT_CHUNK];
    uint32_t chunk = skip_zeros ? FLAT_UNIT : FLAT_CHUNK; // zeros are judged by unit
    struct image_extent extent;
    for (uint64_t offset = 0; offset < source->size;) {
        if (source->extent(source->context, offset, &extent, fault) < 0)
            return -1;
        uint64_t end = min_u64(extent.offset + extent.length, source->size);
        if (end <= offset)
            return fault_set(fault, "the source has an empty extent");
        if (!image_state_is_stored(extent.state)) {
            offset = end;
            continue;
        }
        size_t length = (size_t)min_u64(chunk - offset % chunk, end - offset);
        if (source->read(source->context, offset, bytes, length, fault) < 0)
            return -1;
        if (!(skip_zeros && bytes_are_zero(bytes, length)) &&
            file_pwrite(fd, bytes, length, offset, fault) < 0)
            return -1;
        offset += length;
    }
    return 0;
}

int flat_map(int fd, uint64_t size, uint64_t guest, struct image_map *map, struct fault *fault) {
    struct image_extent extent;
    for (uint64_t offset = 0; offset < size; offset += extent.length) {
        if (flat_extent(fd, size, offset, &extent, fault) < 0)
            return -1;
        image_map_add(map, guest + offset, extent.length, extent.state);
    }
    return 0;
}
