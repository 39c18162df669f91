// SPDX-License-Identifier: Apache-2.0
//
// Do several sources hold the same bytes? The usual answer is yes, and this finds it in one walk
// that asks each source for its bytes once, however many there are. What differs, and where, is for
// image_compare.
#include "image/compare.h"

#include "base/bytes.h"

// Small enough that what was read or made is still in a fast cache when it is compared.
#define CHUNK (32u << 10)

struct walker {
    const struct image_source *source;
    struct image_extent extent; // the one that holds the current offset; length 0 at first
    uint64_t read;              // bytes so far
};

static bool is_stored(const struct walker *walker) {
    return image_state_is_stored(walker->extent.state);
}

// Looks up the extent at `offset`; beyond the size there are endless zeros.
static bool walker_seek(struct walker *walker, uint64_t offset) {
    const struct image_source *source = walker->source;
    struct image_extent *extent = &walker->extent;
    if (offset - extent->offset < extent->length)
        return true;
    if (offset >= source->size) {
        *extent = (struct image_extent){.offset = offset, .length = UINT64_MAX - offset};
        return true;
    }
    return source->extent(source->context, offset, extent, NULL) == 0 && extent->offset <= offset &&
           offset - extent->offset < extent->length;
}

// All of them at `offset`: how long all stay what they are there, cut at `end`; 0: cannot say.
static uint64_t seek_all(struct walker *walkers, size_t count, uint64_t offset, uint64_t end) {
    uint64_t run = end - offset;
    for (size_t i = 0; i < count; i++) {
        if (!walker_seek(&walkers[i], offset))
            return 0;
        run = min_u64(run, walkers[i].extent.offset + walkers[i].extent.length - offset);
    }
    return run;
}

static bool read_bytes(struct walker *walker, uint64_t offset, uint8_t *to, size_t length,
                       uint64_t budget) {
    walker->read += length;
    return walker->read <= budget &&
           walker->source->read(walker->source->context, offset, to, length, NULL) == 0;
}

// The bytes of the first that stores any are what all others are held against.
static bool chunk_is_same(struct walker *walkers, size_t count, uint64_t offset, size_t length,
                          uint64_t budget) {
    static _Thread_local uint8_t bytes[CHUNK], other[CHUNK];
    size_t first = 0;
    while (!is_stored(&walkers[first]))
        first++;
    if (!read_bytes(&walkers[first], offset, bytes, length, budget) ||
        (first > 0 && !bytes_are_zero(bytes, length)))
        return false;
    for (size_t i = first + 1; i < count; i++)
        if (!is_stored(&walkers[i]) ? !bytes_are_zero(bytes, length)
                                    : !read_bytes(&walkers[i], offset, other, length, budget) ||
                                          memcmp(bytes, other, length) != 0)
            return false;
    return true;
}

static bool any_is_stored(const struct walker *walkers, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_stored(&walkers[i]))
            return true;
    return false;
}

bool image_all_same(const struct image_source *const *sources, size_t count, uint64_t budget) {
    struct walker walkers[IMAGE_ALL_SAME_MAX] = {{0}};
    uint64_t end = 0;
    if (count > IMAGE_ALL_SAME_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        walkers[i].source = sources[i];
        end = max_u64(end, sources[i]->size);
    }
    for (uint64_t offset = 0; offset < end;) {
        uint64_t run = seek_all(walkers, count, offset, end);
        if (run == 0)
            return false;
        if (any_is_stored(walkers, count)) {
            run = min_u64(run, CHUNK);
            if (!chunk_is_same(walkers, count, offset, (size_t)run, budget))
                return false;
        }
        offset += run;
    }
    return true;
}
