// SPDX-License-Identifier: Apache-2.0
//
// Comparison of two sources in lockstep over their extents. Tool outputs are mostly holes, so what
// costs is only what at least one side stores.
#include "image/compare.h"

#include "base/bytes.h"

#include <string.h>

#define CHUNK (64u << 10) // bytes compared at once

struct side {
    const struct image_source *source;
    const char *name;
    struct image_extent extent; // the one that holds the current offset; length 0 at first
    uint8_t bytes[CHUNK];
};

// Looks up the extent at `offset`, unless the known one holds it. Beyond the size: endless zeros.
static int side_seek(struct side *side, uint64_t offset, struct fault *fault) {
    if (offset >= side->source->size) {
        side->extent = (struct image_extent){.offset = offset, .length = UINT64_MAX - offset};
        return 0;
    }
    if (offset - side->extent.offset < side->extent.length)
        return 0;
    if (side->source->extent(side->source->context, offset, &side->extent, fault) < 0)
        return fault_prefix(fault, "%s: ", side->name);
    if (side->extent.offset > offset || offset - side->extent.offset >= side->extent.length)
        return fault_set(fault, "%s: the extent at %llu does not hold it", side->name,
                         (unsigned long long)offset);
    return 0;
}

static uint64_t side_rest(const struct side *side, uint64_t offset) {
    return side->extent.offset + side->extent.length - offset;
}

// The side's bytes, read only if it stores them; `read` counts what was.
static int side_bytes(struct side *side, uint64_t offset, size_t length, uint64_t *read,
                      struct fault *fault) {
    if (!image_state_is_stored(side->extent.state)) {
        memset(side->bytes, 0, length);
        return 0;
    }
    if (side->source->read(side->source->context, offset, side->bytes, length, fault) < 0)
        return fault_prefix(fault, "%s: ", side->name);
    *read += length;
    return 0;
}

struct comparison {
    struct side a, b;
    uint64_t budget, a_read, b_read;
};

enum walk_end { WALK_EQUAL, WALK_DIFFERS, WALK_OUT_OF_BUDGET };

static size_t first_difference(const struct comparison *walk, size_t length) {
    size_t i = 0;
    while (i < length && walk->a.bytes[i] == walk->b.bytes[i])
        i++;
    return i;
}

// Compares [from, to); at a difference, *from is its offset and the bytes are in *difference.
static int walk_range(struct comparison *walk, uint64_t *from, uint64_t to,
                      struct image_difference *difference, enum walk_end *end,
                      struct fault *fault) {
    *end = WALK_EQUAL;
    while (*from < to) {
        if (side_seek(&walk->a, *from, fault) < 0 || side_seek(&walk->b, *from, fault) < 0)
            return -1;
        uint64_t run = min_u64(side_rest(&walk->a, *from), side_rest(&walk->b, *from));
        run = min_u64(run, to - *from);
        if (!image_state_is_stored(walk->a.extent.state) &&
            !image_state_is_stored(walk->b.extent.state)) {
            *from += run;
            continue;
        }
        size_t length = (size_t)min_u64(run, CHUNK);
        if (length > walk->budget - max_u64(walk->a_read, walk->b_read)) {
            *end = WALK_OUT_OF_BUDGET;
            return 0;
        }
        if (side_bytes(&walk->a, *from, length, &walk->a_read, fault) < 0 ||
            side_bytes(&walk->b, *from, length, &walk->b_read, fault) < 0)
            return -1;
        if (memcmp(walk->a.bytes, walk->b.bytes, length) != 0) {
            size_t at = first_difference(walk, length);
            *from += at;
            difference->a_byte = walk->a.bytes[at];
            difference->b_byte = walk->b.bytes[at];
            *end = WALK_DIFFERS;
            return 0;
        }
        *from += length;
    }
    return 0;
}

// Fills everything but bytes_read. The tail is looked at even if the prefix differs: an oracle may
// want to say both. The bytes and the offset are then the prefix's.
static int compare_parts(struct comparison *walk, struct image_difference *difference,
                         struct fault *fault) {
    uint64_t shared = min_u64(difference->a_size, difference->b_size);
    uint64_t at = 0;
    enum walk_end end;
    if (walk_range(walk, &at, shared, difference, &end, fault) < 0)
        return -1;
    if (end == WALK_OUT_OF_BUDGET) {
        difference->cut_short = true;
        return 0;
    }
    if (end == WALK_DIFFERS) {
        difference->prefix_equal = false;
        difference->first_offset = at;
    }
    struct image_difference tail = {0};
    at = shared;
    if (walk_range(walk, &at, max_u64(difference->a_size, difference->b_size), &tail, &end, fault) <
        0)
        return -1;
    difference->cut_short = end == WALK_OUT_OF_BUDGET;
    difference->tail_zero = end != WALK_DIFFERS;
    if (end == WALK_DIFFERS && difference->prefix_equal) {
        difference->first_offset = at;
        difference->a_byte = tail.a_byte;
        difference->b_byte = tail.b_byte;
    }
    return 0;
}

int image_compare(const struct image_source *a, const struct image_source *b, uint64_t budget,
                  struct image_difference *difference, struct fault *fault) {
    struct comparison walk = {.budget = budget};
    walk.a.source = a;
    walk.a.name = "first";
    walk.b.source = b;
    walk.b.name = "second";
    *difference = (struct image_difference){
        .a_size = a->size,
        .b_size = b->size,
        .prefix_equal = true,
        .tail_zero = true,
    };
    int result = compare_parts(&walk, difference, fault);
    difference->bytes_read = walk.a_read + walk.b_read;
    return result;
}
