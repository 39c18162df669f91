// SPDX-License-Identifier: Apache-2.0
//
// Guest content by extents: overlaying writes, making bytes from patterns, answering what is zero.
#include "image/content.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "image/content_table.h"

#include <stdlib.h>
#include <string.h>

void content_begin(struct content *content, uint64_t size) {
    content->size = size;
    content->count = 0;
}

void content_free(struct content *content) {
    free(content->extents);
    *content = (struct content){0};
}

void content_copy(struct content *content, const struct content *from) {
    content->size = from->size;
    content->count = from->count;
    content->extents =
        array_room(content->extents, &content->capacity, from->count, sizeof *content->extents);
    if (from->count)
        memcpy(content->extents, from->extents, from->count * sizeof *from->extents);
}

static uint64_t extent_end(const struct content_extent *extent) {
    return extent->offset + extent->length;
}

// Index of the first extent that ends behind `offset`: the one that holds it or the next one.
static size_t find(const struct content *content, uint64_t offset) {
    size_t low = 0, high = content->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (extent_end(&content->extents[middle]) > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

// Opens a gap of `wanted` elements in place of the `present` ones at `at`.
static void replace(struct content *content, size_t at, size_t present, size_t wanted) {
    size_t count = content->count - present + wanted;
    content->extents =
        array_room(content->extents, &content->capacity, count, sizeof *content->extents);
    if (content->count > at + present)
        memmove(&content->extents[at + wanted], &content->extents[at + present],
                (content->count - at - present) * sizeof *content->extents);
    content->count = count;
}

void content_write(struct content *content, const struct content_extent *write) {
    if (write->length == 0 || write->offset >= content->size)
        return;
    struct content_extent cut = *write;
    cut.length = min_u64(cut.length, content->size - cut.offset);
    uint64_t end = extent_end(&cut);

    size_t first = find(content, cut.offset), behind = first;
    while (behind < content->count && content->extents[behind].offset < end)
        behind++;
    // What remains of the first and the last overlapped extent; the same one, if it is split.
    struct content_extent pieces[3];
    size_t count = 0;
    if (behind > first && content->extents[first].offset < cut.offset) {
        pieces[count] = content->extents[first];
        pieces[count].length = cut.offset - pieces[count].offset;
        count++;
    }
    pieces[count++] = cut;
    if (behind > first && extent_end(&content->extents[behind - 1]) > end) {
        pieces[count] = content->extents[behind - 1];
        pieces[count].length = extent_end(&pieces[count]) - end;
        pieces[count].offset = end;
        count++;
    }
    replace(content, first, behind - first, count);
    memcpy(&content->extents[first], pieces, count * sizeof *pieces);
}

void content_resize(struct content *content, uint64_t size) {
    content->size = size;
    while (content->count > 0 && content->extents[content->count - 1].offset >= size)
        content->count--;
    if (content->count > 0) {
        struct content_extent *last = &content->extents[content->count - 1];
        last->length = min_u64(last->length, size - last->offset);
    }
}

static bool reads_as_zero(const struct content_extent *extent) {
    return extent->pattern == PATTERN_ZERO || extent->form == FORM_ZERO ||
           extent->form == FORM_ZERO_ALLOCATED;
}

// The 64-bit mixer of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
// generators", 2014), over word number and seed.
static uint64_t noise_word(uint64_t word, uint8_t seed) {
    uint64_t x = word * 0x9e3779b97f4a7c15u + ((uint64_t)seed + 1) * 0xd1342543de82ef95u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t pattern_word(const struct content_extent *extent, uint64_t word) {
    const uint8_t *table = content_table_word(extent->pattern, word);
    if (table)
        return get_le64(table);
    if (extent->pattern == PATTERN_NOISE)
        return noise_word(word, extent->seed);
    return word + ((uint64_t)extent->seed << 56);
}

// Whole words. What is compared with every output is made here: no branch is taken a word but in
// the few that a table has.
static void make_words(const struct content_extent *extent, uint64_t word, uint8_t *to,
                       size_t count) {
    uint8_t *end = to + count * 8;
    uint64_t top = (uint64_t)extent->seed << 56;
    for (; to < end && content_table_word(extent->pattern, word); to += 8)
        put_le64(to, pattern_word(extent, word++));
    if (extent->pattern == PATTERN_NOISE)
        for (; to < end; to += 8)
            put_le64(to, noise_word(word++, extent->seed));
    else
        for (; to < end; to += 8)
            put_le64(to, top + word++);
}

// Some bytes of one word, from byte `skip` of it on.
static void make_part(const struct content_extent *extent, uint64_t word, size_t skip, uint8_t *to,
                      size_t length) {
    uint8_t bytes[8];
    put_le64(bytes, pattern_word(extent, word));
    memcpy(to, bytes + skip, length);
}

// The extent's bytes at `offset`, which lies inside it with all of `length`.
static void make_bytes(const struct content_extent *extent, uint64_t offset, uint8_t *to,
                       size_t length) {
    if (reads_as_zero(extent)) {
        memset(to, 0, length);
        return;
    }
    if (extent->pattern == PATTERN_CONSTANT) {
        memset(to, extent->seed ? extent->seed : 0xff, length);
        return;
    }
    size_t skip = offset % 8, front = skip ? (size_t)min_u64(8 - skip, length) : 0;
    if (front)
        make_part(extent, offset / 8, skip, to, front);
    to += front;
    offset += front;
    length -= front;
    make_words(extent, offset / 8, to, length / 8);
    if (length % 8)
        make_part(extent, (offset + length) / 8, 0, to + length / 8 * 8, length % 8);
}

void content_read(const struct content *content, uint64_t offset, void *buffer, size_t length) {
    uint8_t *to = buffer;
    for (size_t i = find(content, offset); length > 0; i++) {
        const struct content_extent *extent = i < content->count ? &content->extents[i] : NULL;
        uint64_t start = extent ? extent->offset : UINT64_MAX;
        if (start > offset) {
            size_t gap = (size_t)min_u64(length, start - offset);
            memset(to, 0, gap);
            to += gap;
            offset += gap;
            length -= gap;
        }
        if (length == 0)
            return;
        size_t take = (size_t)min_u64(length, extent_end(extent) - offset);
        make_bytes(extent, offset, to, take);
        to += take;
        offset += take;
        length -= take;
    }
}

// Decided by the bytes themselves: even a counter has zero bytes. No pattern has a long run of
// them, so this ends soon.
static bool piece_is_zero(const struct content_extent *extent, uint64_t offset, uint64_t length) {
    if (reads_as_zero(extent))
        return true;
    while (length > 0) {
        uint8_t bytes[64];
        size_t take = (size_t)min_u64(length, sizeof bytes);
        make_bytes(extent, offset, bytes, take);
        if (!bytes_are_zero(bytes, take))
            return false;
        offset += take;
        length -= take;
    }
    return true;
}

bool content_is_zero(const struct content *content, uint64_t offset, uint64_t length) {
    uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
    for (size_t i = find(content, offset); i < content->count; i++) {
        const struct content_extent *extent = &content->extents[i];
        if (extent->offset >= end)
            break;
        uint64_t from = max_u64(offset, extent->offset);
        if (!piece_is_zero(extent, from, min_u64(end, extent_end(extent)) - from))
            return false;
    }
    return true;
}

static const enum image_state state_of_form[CONTENT_FORMS] = {
    [FORM_NORMAL] = IMAGE_DATA,
    [FORM_COMPRESSED] = IMAGE_COMPRESSED,
    [FORM_ZERO] = IMAGE_ZERO,
    [FORM_ZERO_ALLOCATED] = IMAGE_ZERO_ALLOCATED,
};

static int source_extent(void *context, uint64_t offset, struct image_extent *extent,
                         struct fault *fault) {
    const struct content *content = context;
    if (offset >= content->size)
        return fault_set(fault, "offset %llu is beyond the content's end",
                         (unsigned long long)offset);
    size_t i = find(content, offset);
    *extent = (struct image_extent){.offset = offset, .state = IMAGE_HOLE};
    if (i == content->count) {
        extent->length = content->size - offset;
    } else if (content->extents[i].offset > offset) {
        extent->length = content->extents[i].offset - offset;
    } else {
        extent->length = extent_end(&content->extents[i]) - offset;
        extent->state = state_of_form[content->extents[i].form];
    }
    return 0;
}

static int overlay_extent(void *context, uint64_t offset, struct image_extent *extent,
                          struct fault *fault) {
    const struct content_layer *pair = context;
    return source_extent((void *)(uintptr_t)pair->own, offset, extent, fault);
}

static int overlay_read(void *context, uint64_t offset, void *buffer, size_t length,
                        struct fault *fault) {
    (void)fault;
    const struct content_layer *pair = context;
    content_read(pair->merged, offset, buffer, length);
    return 0;
}

void content_as_overlay(const struct content_layer *pair, struct image_source *source) {
    *source = (struct image_source){
        .size = pair->own->size,
        .extent = overlay_extent,
        .read = overlay_read,
        .context = (void *)(uintptr_t)pair, // only ever read
        .overlay = true,
    };
}

static int source_read(void *context, uint64_t offset, void *buffer, size_t length,
                       struct fault *fault) {
    (void)fault; // patterns cannot fail
    content_read(context, offset, buffer, length);
    return 0;
}

void content_as_source(const struct content *content, struct image_source *source) {
    *source = (struct image_source){
        .size = content->size,
        .extent = source_extent,
        .read = source_read,
        .context = (void *)(uintptr_t)content, // only ever read
    };
}
