// SPDX-License-Identifier: Apache-2.0
//
// VHDX files with a parent, as they are read: the parent locator's names, and which sectors of a
// partially present block are the file's own.
#include "base/bytes.h"
#include "base/file.h"
#include "image/sectors.h"
#include "image/vhdx.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_LOCATOR (64u * 1024) // bytes of the item that are looked at

// 2.6.2.6.3, in the order in which names are believed.
static const char *const path_keys[] = {"relative_path", "absolute_win32_path", "volume_path"};

// The value of a key, as a name; "" if it is not there.
static void find_name(const uint8_t *item, uint64_t length, const char *wanted, char *name,
                      size_t room) {
    uint32_t count = get_le16(item + 18);
    *name = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = VHDX_LOCATOR_HEADER + (uint64_t)i * VHDX_LOCATOR_ENTRY;
        if (at + VHDX_LOCATOR_ENTRY > length)
            return;
        uint64_t key_at = get_le32(item + at), value_at = get_le32(item + at + 4);
        uint32_t key_length = get_le16(item + at + 8), value_length = get_le16(item + at + 10);
        char key[64];
        if (key_at + key_length > length || value_at + value_length > length)
            continue;
        sectors_parent_name(item + key_at, key_length, false, key, sizeof key);
        if (strcmp(key, wanted) == 0) {
            sectors_parent_name(item + value_at, value_length, false, name, room);
            return;
        }
    }
}

int vhdx_open_parent(struct image *image, struct vhdx *vhdx, uint64_t offset, uint64_t length,
                     struct fault *fault) {
    uint8_t item[MAX_LOCATOR];
    length = min_u64(length, sizeof item);
    if (file_pread(image->fd, item, length, offset, fault))
        return -1;
    if (memcmp(item, vhdx_locator_type, 16) != 0)
        return fault_set(fault, "the vhdx parent locator is of an unknown type");
    for (size_t i = 0; i < sizeof path_keys / sizeof *path_keys && !vhdx->parent[0]; i++)
        find_name(item, length, path_keys[i], vhdx->parent, sizeof vhdx->parent);
    if (!vhdx->parent[0])
        return fault_set(fault, "the vhdx disk does not name its parent");
    image->has_backing = true;
    table_in_begin(&vhdx->file, image->fd, 0, image->file_size);
    return 0;
}

int vhdx_bitmap_offset(struct image *image, uint64_t chunk, uint64_t *offset, struct fault *fault) {
    struct vhdx *vhdx = image->state;
    uint64_t index = (chunk + 1) * (vhdx->chunk_ratio + 1) - 1;
    const uint8_t *bytes = table_in_at(&vhdx->table, index * 8, fault);
    if (!bytes)
        return -1;
    uint64_t entry = get_le64(bytes);
    *offset = entry & VHDX_OFFSET_MASK;
    if ((entry & VHDX_STATE_MASK) != VHDX_BITMAP_PRESENT || *offset < VHDX_MIB ||
        *offset > image->file_size || image->file_size - *offset < VHDX_MIB)
        return fault_set(fault, "sector bitmap %llu of the vhdx disk is not there",
                         (unsigned long long)chunk);
    return 0;
}

int vhdx_partial_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                        struct fault *fault) {
    struct vhdx *vhdx = image->state;
    // The bitmap block covers a whole chunk, sector by sector.
    uint64_t chunk_bytes = vhdx->chunk_ratio * vhdx->block_size, bitmap, length;
    uint64_t end =
        min_u64(round_down(offset, vhdx->block_size) + vhdx->block_size, image->virtual_size);
    uint64_t first = offset % chunk_bytes / vhdx->logical_sector;
    uint64_t limit =
        first + div_up(end - round_down(offset, vhdx->logical_sector), vhdx->logical_sector);
    bool own;
    if (vhdx_bitmap_offset(image, offset / chunk_bytes, &bitmap, fault) ||
        sectors_run(&vhdx->file, bitmap, SECTOR_BITS_LOW_FIRST, first, limit, &own, &length, fault))
        return -1;
    length = length * vhdx->logical_sector - offset % vhdx->logical_sector;
    *extent = (struct image_extent){offset, length, own ? IMAGE_DATA : IMAGE_HOLE};
    return 0;
}
