// SPDX-License-Identifier: Apache-2.0
//
// The extent list: what a writer says it made and what a reader finds, in one canonical form
// (sorted, merged, no holes), so that two maps of the same allocation are equal element by element.
#include "image/image.h"

#include "base/buffer.h"
#include "base/bytes.h"

#include <stdlib.h>

void image_map_clear(struct image_map *map) {
    map->count = 0;
}

void image_map_free(struct image_map *map) {
    free(map->extents);
    *map = (struct image_map){0};
}

void image_map_add(struct image_map *map, uint64_t offset, uint64_t length,
                   enum image_state state) {
    if (length == 0 || state == IMAGE_HOLE)
        return;
    if (map->count > 0) {
        struct image_extent *last = &map->extents[map->count - 1];
        if (last->state == state && last->offset + last->length == offset) {
            last->length += length;
            return;
        }
    }
    map->extents = array_room(map->extents, &map->capacity, map->count + 1, sizeof *map->extents);
    map->extents[map->count++] =
        (struct image_extent){.offset = offset, .length = length, .state = state};
}

// The part of `extent` in [from, to).
static void add_part(struct image_map *map, const struct image_extent *extent, uint64_t from,
                     uint64_t to) {
    uint64_t start = max_u64(extent->offset, from);
    uint64_t end = min_u64(extent->offset + extent->length, to);
    if (start < end)
        image_map_add(map, start, end - start, extent->state);
}

void image_map_overlay(struct image_map *map, uint64_t below_size, const struct image_map *above,
                       struct image_map *spare) {
    image_map_clear(spare);
    size_t below = 0;
    uint64_t done = 0; // guest offset up to which `spare` is complete
    for (size_t i = 0; i <= above->count; i++) {
        const struct image_extent *upper = i < above->count ? &above->extents[i] : NULL;
        uint64_t gap_end = upper ? upper->offset : UINT64_MAX;
        while (below < map->count) {
            const struct image_extent *lower = &map->extents[below];
            add_part(spare, lower, done, min_u64(gap_end, below_size));
            if (lower->offset + lower->length > gap_end)
                break; // what is left of it may show behind `upper`
            below++;
        }
        if (upper) {
            image_map_add(spare, upper->offset, upper->length, upper->state);
            done = upper->offset + upper->length;
        }
    }
    struct image_map result = *spare;
    *spare = *map;
    *map = result;
}
