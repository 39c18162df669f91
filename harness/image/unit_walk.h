// SPDX-License-Identifier: Apache-2.0
//
// What a source wants to have stored, one allocation unit at a time: writers of formats with fixed
// units (blocks, grains) all need the same walk over the source's extents, and none of them should
// pay for the holes between.
#ifndef IMAGE_UNIT_WALK_H
#define IMAGE_UNIT_WALK_H

#include "image/image.h"

struct unit {
    uint64_t index;         // offset / unit size
    uint64_t offset;        // guest bytes
    uint64_t length;        // guest bytes of it below the source's size; > 0
    enum image_state state; // the strongest wish in it; never IMAGE_HOLE
};

struct unit_walk {
    const struct image_source *source; // borrowed
    uint64_t unit_size;
    uint64_t position;        // everything below has been handed out or is a hole
    struct image_extent last; // the extent seen last; it may reach into the next unit
    uint8_t *chunk;           // owned; for unit_walk_copy
};

void unit_walk_begin(struct unit_walk *walk, const struct image_source *source, uint64_t unit_size);
void unit_walk_end(struct unit_walk *walk);
// The next unit that is not wholly a hole: 1 and *unit, 0 at the end, -1 with a fault.
int unit_walk_next(struct unit_walk *walk, struct unit *unit, struct fault *fault);
// The unit's bytes into buffer (unit_size bytes), zeros behind the end of the disk.
int unit_walk_load(const struct unit_walk *walk, const struct unit *unit, void *buffer,
                   struct fault *fault);

// Copies what the source has in the unit to `file_offset`, in pieces, so that a block of 256 MiB
// with one sector of data costs one sector: what is a hole or a zero form in the source stays a
// hole of the file. With skip_zeros pieces of zeros are left out too, and *stored is false when
// nothing was left; without, *stored is always true.
int unit_walk_copy(struct unit_walk *walk, const struct unit *unit, int fd, uint64_t file_offset,
                   bool skip_zeros, bool *stored, struct fault *fault);

// Does this wish want bytes in the file, and not a zero form?
static inline bool unit_wants_bytes(const struct unit *unit) {
    return image_state_is_stored(unit->state);
}

#endif
