// SPDX-License-Identifier: Apache-2.0
//
// Sector bitmaps, and the names of parents.
#include "image/sectors.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

#define SECTORS_CHUNK ((uint64_t)64 * 1024)

static unsigned bit_mask(enum sector_bits order, uint64_t sector) {
    return order == SECTOR_BITS_HIGH_FIRST ? 0x80u >> sector % 8 : 1u << sector % 8;
}

int sectors_run(struct table_in *file, uint64_t start, enum sector_bits order, uint64_t first,
                uint64_t limit, bool *own, uint64_t *length, struct fault *fault) {
    uint64_t sector = first;
    while (sector < limit) {
        const uint8_t *byte = table_in_at(file, start + sector / 8, fault);
        if (!byte)
            return -1;
        bool set = *byte & bit_mask(order, sector);
        if (sector == first)
            *own = set;
        if (set != *own)
            break;
        // Bytes of one kind count at once.
        sector += sector % 8 == 0 && *byte == (set ? 0xff : 0) ? 8 : 1;
    }
    *length = min_u64(sector, limit) - first;
    return 0;
}

// --- writing -------------------------------------------------------------------------------------

static int padded_extent(void *context, uint64_t offset, struct image_extent *extent,
                         struct fault *fault) {
    const struct sectors_source *sectors = context;
    *extent = (struct image_extent){offset, sectors->size - offset, IMAGE_ZERO};
    if (offset >= sectors->of->size)
        return 0;
    if (sectors->of->extent(sectors->of->context, offset, extent, fault))
        return -1;
    extent->length = min_u64(extent->length, sectors->size - offset);
    return 0;
}

static int padded_read(void *context, uint64_t offset, void *buffer, size_t length,
                       struct fault *fault) {
    const struct sectors_source *sectors = context;
    uint64_t size = sectors->of->size;
    size_t inside = offset < size ? (size_t)min_u64(length, size - offset) : 0;
    memset((uint8_t *)buffer + inside, 0, length - inside);
    return inside ? sectors->of->read(sectors->of->context, offset, buffer, inside, fault) : 0;
}

void sectors_source_begin(struct sectors_source *sectors, struct image_source *source) {
    *source = (struct image_source){
        .size = sectors->size,
        .extent = padded_extent,
        .read = padded_read,
        .context = sectors,
        .overlay = true,
    };
}

static int store_bytes(const struct sectors_block *block, const struct image_source *source,
                       uint64_t from, uint64_t to, uint8_t *chunk, struct fault *fault) {
    while (from < to) {
        size_t part = (size_t)min_u64(SECTORS_CHUNK, to - from);
        if (source->read(source->context, from, chunk, part, fault))
            return -1;
        if (!bytes_are_zero(chunk, part) &&
            file_pwrite(block->fd, chunk, part, block->file_offset + (from - block->offset), fault))
            return -1;
        from += part;
    }
    return 0;
}

// Bytes of one extent that is not a hole. Of a zero form only sectors that it shares with others
// can hold anything.
static int store_extent(const struct sectors_block *block, const struct image_source *source,
                        const struct image_extent *extent, uint64_t from, uint64_t to,
                        uint8_t *chunk, struct fault *fault) {
    if (image_state_is_stored(extent->state))
        return store_bytes(block, source, from, to, chunk, fault);
    if (from < extent->offset &&
        store_bytes(block, source, from, from + SECTOR_BYTES, chunk, fault))
        return -1;
    if (to > extent->offset + extent->length)
        return store_bytes(block, source, to - SECTOR_BYTES, to, chunk, fault);
    return 0;
}

int sectors_store(const struct sectors_block *block, const struct image_source *source,
                  struct image_map *map, uint64_t *own, struct fault *fault) {
    uint64_t end = block->offset + block->length, done = block->offset;
    uint8_t *chunk = must_realloc(NULL, SECTORS_CHUNK);
    struct image_extent extent;
    int result = 0;
    *own = 0;
    for (uint64_t at = block->offset; result == 0 && at < end; at = extent.offset + extent.length) {
        result = source->extent(source->context, at, &extent, fault);
        if (result || extent.state == IMAGE_HOLE)
            continue;
        uint64_t from = round_down(at, SECTOR_BYTES);
        uint64_t to = min_u64(round_up(extent.offset + extent.length, SECTOR_BYTES), end);
        result = store_extent(block, source, &extent, from, to, chunk, fault);
        for (uint64_t sector = max_u64(from, done); sector < to; sector += SECTOR_BYTES) {
            uint64_t index = (sector - block->offset) / SECTOR_BYTES;
            block->bitmap[index / 8] |= (uint8_t)bit_mask(block->order, index);
            ++*own;
        }
        if (to > done) {
            image_map_add(map, max_u64(from, done), to - max_u64(from, done), IMAGE_DATA);
            done = to;
        }
    }
    free(chunk);
    return result;
}

// --- names ---------------------------------------------------------------------------------------

void sectors_parent_name(const uint8_t *utf16, size_t bytes, bool big_endian, char *name,
                         size_t room) {
    size_t used = 0;
    for (size_t at = 0; at + 1 < bytes && used + 4 < room; at += 2) {
        unsigned unit = big_endian ? get_be16(utf16 + at) : get_le16(utf16 + at);
        if (unit == 0)
            break;
        // A surrogate becomes three bytes of its own: a name that no file of ours has.
        if (unit < 0x80) {
            name[used++] = unit == '\\' ? '/' : (char)unit;
        } else if (unit < 0x800) {
            name[used++] = (char)(0xc0 | unit >> 6);
            name[used++] = (char)(0x80 | (unit & 0x3f));
        } else {
            name[used++] = (char)(0xe0 | unit >> 12);
            name[used++] = (char)(0x80 | (unit >> 6 & 0x3f));
            name[used++] = (char)(0x80 | (unit & 0x3f));
        }
    }
    name[used] = 0;
    if (strncmp(name, "./", 2) == 0)
        memmove(name, name + 2, used - 1);
}

size_t sectors_locator(const char *name, bool relative, bool big_endian, uint8_t *utf16,
                       size_t room) {
    size_t used = 0;
    for (const char *at = relative ? ".\\" : name; *at && used + 2 <= room; used += 2) {
        if (big_endian)
            put_be16(utf16 + used, (uint8_t)*at);
        else
            put_le16(utf16 + used, (uint8_t)*at);
        at++;
        if (!*at && relative) {
            relative = false;
            at = name;
        }
    }
    return used;
}
