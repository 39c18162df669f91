// SPDX-License-Identifier: Apache-2.0
//
// The walk from extents to units. The order of enum image_state is the order of strength: one
// stored byte makes a unit data, a zero form wins over a hole (both read as zero).
#include "image/unit_walk.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

#define UNIT_CHUNK ((uint64_t)64 * 1024)

void unit_walk_begin(struct unit_walk *walk, const struct image_source *source,
                     uint64_t unit_size) {
    *walk = (struct unit_walk){.source = source, .unit_size = unit_size};
}

void unit_walk_end(struct unit_walk *walk) {
    free(walk->chunk);
    walk->chunk = NULL;
}

// The extent that covers `offset`, asked for once.
static int unit_walk_extent(struct unit_walk *walk, uint64_t offset, struct fault *fault) {
    struct image_extent *last = &walk->last;
    if (last->length && offset >= last->offset && offset - last->offset < last->length)
        return 0;
    if (walk->source->extent(walk->source->context, offset, last, fault))
        return -1;
    if (last->offset > offset || offset - last->offset >= last->length)
        return fault_set(fault, "the source has no extent at offset %llu",
                         (unsigned long long)offset);
    return 0;
}

int unit_walk_next(struct unit_walk *walk, struct unit *unit, struct fault *fault) {
    uint64_t size = walk->source->size;
    while (walk->position < size) {
        if (unit_walk_extent(walk, walk->position, fault))
            return -1;
        if (walk->last.state != IMAGE_HOLE)
            break;
        walk->position = walk->last.offset + walk->last.length;
    }
    if (walk->position >= size)
        return 0;
    *unit = (struct unit){.index = walk->position / walk->unit_size};
    unit->offset = unit->index * walk->unit_size;
    unit->length = min_u64(walk->unit_size, size - unit->offset);
    uint64_t end = unit->offset + unit->length;
    bool has_hole = walk->position > unit->offset;
    while (walk->position < end) {
        if (unit_walk_extent(walk, walk->position, fault))
            return -1;
        if (walk->last.state > unit->state)
            unit->state = walk->last.state;
        has_hole |= walk->last.state == IMAGE_HOLE;
        walk->position = min_u64(end, walk->last.offset + walk->last.length);
    }
    // Zeros beside bytes of the file below: only stored bytes can say both.
    if (walk->source->overlay && has_hole && unit->state < IMAGE_DATA)
        unit->state = IMAGE_DATA;
    return 1;
}

int unit_walk_load(const struct unit_walk *walk, const struct unit *unit, void *buffer,
                   struct fault *fault) {
    memset((uint8_t *)buffer + unit->length, 0, walk->unit_size - unit->length);
    return walk->source->read(walk->source->context, unit->offset, buffer, unit->length, fault);
}

int unit_walk_copy(struct unit_walk *walk, const struct unit *unit, int fd, uint64_t file_offset,
                   bool skip_zeros, bool *stored, struct fault *fault) {
    *stored = !skip_zeros;
    if (!walk->chunk)
        walk->chunk = must_realloc(NULL, UNIT_CHUNK);
    uint64_t end = unit->offset + unit->length;
    for (uint64_t at = unit->offset; at < end;) {
        if (unit_walk_extent(walk, at, fault))
            return -1;
        const struct image_extent *extent = &walk->last;
        uint64_t stop = min_u64(end, extent->offset + extent->length);
        if (!image_state_is_stored(extent->state)) {
            at = stop;
            continue;
        }
        size_t part = (size_t)min_u64(UNIT_CHUNK, stop - at);
        if (walk->source->read(walk->source->context, at, walk->chunk, part, fault))
            return -1;
        if (!skip_zeros || !bytes_are_zero(walk->chunk, part)) {
            if (file_pwrite(fd, walk->chunk, part, file_offset + (at - unit->offset), fault))
                return -1;
            *stored = true;
        }
        at += part;
    }
    return 0;
}
