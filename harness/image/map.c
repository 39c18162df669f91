// SPDX-License-Identifier: Apache-2.0
//
// The extent list: what a writer says it made and what a reader finds, in one canonical form
// (sorted, merged, no holes), so that two maps of the same allocation are equal element by element.
#include "image/image.h"

#include "base/buffer.h"

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
    if (map->count == map->capacity) {
        map->capacity = map->capacity ? map->capacity * 2 : 32;
        map->extents = must_realloc(map->extents, map->capacity * sizeof *map->extents);
    }
    map->extents[map->count++] =
        (struct image_extent){.offset = offset, .length = length, .state = state};
}
