// SPDX-License-Identifier: Apache-2.0
//
// Writes what makes a VHDX file a differencing one: blocks of which only some sectors are present,
// a sector bitmap block for each chunk that has such a block, and the parent locator.
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/vhdx_writer.h"

#include <stdio.h>
#include <stdlib.h>

struct bitmaps {
    uint64_t chunk;  // whose bitmap block is being written
    uint64_t offset; // of it in the file; 0: none is
};

// The entry of a bitmap block follows those of its chunk.
static int end_chunk(struct vhdx_writer *writer, struct bitmaps *bitmaps, struct fault *fault) {
    uint64_t index = (bitmaps->chunk + 1) * (writer->chunk_ratio + 1) - 1;
    uint64_t offset = bitmaps->offset;
    bitmaps->offset = 0;
    return offset ? vhdx_put_entry(writer, index, offset | VHDX_BITMAP_PRESENT, fault) : 0;
}

// One block at writer->end. Its part of the bitmap block is written only if it needs one: what a
// fully present block has there is not looked at (2.5.1.1).
static int write_block(struct vhdx_writer *writer, struct bitmaps *bitmaps, const struct unit *unit,
                       uint8_t *bitmap, uint64_t *entry, struct fault *fault) {
    uint64_t part = writer->written->unit / VHDX_LOGICAL_SECTOR / 8, own;
    memset(bitmap, 0, part);
    const struct sectors_block block = {
        .offset = unit->offset,
        .length = unit->length,
        .fd = writer->fd,
        .file_offset = writer->end,
        .order = SECTOR_BITS_LOW_FIRST,
        .bitmap = bitmap,
    };
    if (sectors_store(&block, &writer->source, &writer->written->map, &own, fault))
        return -1;
    bool whole = own == unit->length / VHDX_LOGICAL_SECTOR;
    *entry = writer->end | (whole ? VHDX_FULLY_PRESENT : VHDX_PARTIALLY_PRESENT);
    writer->end += writer->written->unit;
    if (whole)
        return 0;
    if (!bitmaps->offset) {
        bitmaps->offset = writer->end;
        writer->end += VHDX_MIB;
    }
    return file_pwrite(writer->fd, bitmap, part,
                       bitmaps->offset + unit->index % writer->chunk_ratio * part, fault);
}

static int write_blocks(struct vhdx_writer *writer, uint8_t *bitmap, struct fault *fault) {
    struct bitmaps bitmaps = {0};
    struct unit unit;
    int more;
    while ((more = unit_walk_next(&writer->walk, &unit, fault)) > 0) {
        uint64_t chunk = unit.index / writer->chunk_ratio, entry = VHDX_ZERO;
        if (chunk != bitmaps.chunk && end_chunk(writer, &bitmaps, fault))
            return -1;
        bitmaps.chunk = chunk;
        if (!unit_wants_bytes(&unit))
            image_map_add(&writer->written->map, unit.offset, unit.length, IMAGE_ZERO);
        else if (write_block(writer, &bitmaps, &unit, bitmap, &entry, fault))
            return -1;
        if (vhdx_put_entry(writer, vhdx_entry_index(unit.index, writer->chunk_ratio), entry, fault))
            return -1;
    }
    return more < 0 ? -1 : end_chunk(writer, &bitmaps, fault);
}

int vhdx_write_differencing(struct vhdx_writer *writer, struct fault *fault) {
    uint8_t *bitmap = must_realloc(NULL, writer->written->unit / VHDX_LOGICAL_SECTOR / 8);
    int result = write_blocks(writer, bitmap, fault);
    free(bitmap);
    return result;
}

// --- parent locator ------------------------------------------------------------------------------

// A GUID as text; the first three parts are stored little endian.
static void guid_text(const uint8_t *guid, char text[40]) {
    snprintf(text, 40, "{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", get_le32(guid),
             get_le16(guid + 4), get_le16(guid + 6), guid[8], guid[9], guid[10], guid[11], guid[12],
             guid[13], guid[14], guid[15]);
}

uint32_t vhdx_build_locator(const struct image_backing *backing, uint8_t *item) {
    char linkage[40];
    guid_text(backing->identity, linkage);
    // 2.6.2.6.3: the parent's DataWriteGuid, and at least one path.
    const struct {
        const char *key, *value;
        bool relative;
    } pairs[] = {{"parent_linkage", linkage, false}, {"relative_path", backing->name, true}};
    const size_t count = sizeof pairs / sizeof *pairs;
    uint32_t used = (uint32_t)(VHDX_LOCATOR_HEADER + count * VHDX_LOCATOR_ENTRY);
    memset(item, 0, VHDX_LOCATOR_ROOM);
    memcpy(item, vhdx_locator_type, 16);
    put_le16(item + 18, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        uint8_t *entry = item + VHDX_LOCATOR_HEADER + i * VHDX_LOCATOR_ENTRY;
        size_t key =
            sectors_locator(pairs[i].key, false, false, item + used, VHDX_LOCATOR_ROOM - used);
        put_le32(entry, used);
        put_le16(entry + 8, (uint16_t)key);
        used += (uint32_t)key;
        size_t value = sectors_locator(pairs[i].value, pairs[i].relative, false, item + used,
                                       VHDX_LOCATOR_ROOM - used);
        put_le32(entry + 4, used);
        put_le16(entry + 10, (uint16_t)value);
        used += (uint32_t)value;
    }
    return used;
}
