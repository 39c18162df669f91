// SPDX-License-Identifier: Apache-2.0
//
// qcow2: persistent bitmaps, for reading: which there are. Their bits are nobody's business here;
// the check follows their tables.
#include "image/qcow2.h"

#include "base/bytes.h"
#include "base/file.h"

#include <string.h>

int qcow2_parse_bitmaps(struct image *image, const uint8_t *extension, uint32_t length,
                        struct fault *fault) {
    struct qcow2_state *state = image->state;
    if (length != QCOW2_BITMAPS_EXTENSION)
        return fault_set(fault, "the bitmaps extension has %u bytes", length);
    // Without the bit somebody wrote to the file who knows no bitmaps: they are void.
    if (!(state->autoclear & QCOW2_AUTOCLEAR_BITMAPS))
        return 0;
    state->bitmaps = get_be32(extension + QCOW2_BITMAPS_COUNT);
    state->directory_bytes = get_be64(extension + QCOW2_BITMAPS_DIRECTORY_SIZE);
    state->directory_offset = get_be64(extension + QCOW2_BITMAPS_DIRECTORY_OFFSET);
    if (state->bitmaps == 0 || state->bitmaps > QCOW2_MAX_BITMAPS ||
        get_be32(extension + QCOW2_BITMAPS_COUNT + 4) != 0)
        return fault_set(fault, "a bitmaps extension for %u bitmaps, or with reserved bits",
                         state->bitmaps);
    return 0;
}

uint64_t qcow2_bitmap_entries(uint64_t size, uint32_t granularity_bits, uint32_t cluster_bits) {
    uint64_t bits = div_up(size, 1ull << granularity_bits);
    return div_up(div_up(bits, 8), 1ull << cluster_bits);
}

// QEMU's own conditions. (A table behind the file's end is a matter of the check.) A bitmap that is
// in use may be of an earlier size of the disk.
static int check_bitmap(const struct image *image, const struct qcow2_bitmap *bitmap,
                        struct fault *fault) {
    const struct qcow2_state *state = image->state;
    const struct image_bitmap_info *info = &bitmap->info;
    uint64_t entries = bitmap->table_entries;
    if (info->granularity_bits < QCOW2_MIN_GRANULARITY_BITS ||
        info->granularity_bits > QCOW2_MAX_GRANULARITY_BITS)
        return fault_set(fault, "a bitmap with a granularity of 2^%u", info->granularity_bits);
    if (entries == 0 || entries << state->cluster_bits > QCOW2_MAX_BITMAP_BYTES ||
        bitmap->table_offset == 0 || bitmap->table_offset % image->unit != 0)
        return fault_set(fault, "a bitmap table is misplaced or too large");
    if (!info->in_use && entries != qcow2_bitmap_entries(state->disk_size, info->granularity_bits,
                                                         state->cluster_bits))
        return fault_set(fault, "a bitmap table is not as large as the disk");
    return 0;
}

int qcow2_next_bitmap(struct image *image, uint64_t *at, struct qcow2_bitmap *bitmap,
                      struct fault *fault) {
    const struct qcow2_state *state = image->state;
    uint64_t end = state->directory_offset + state->directory_bytes; // it fits
    uint8_t entry[QCOW2_BITMAP_FIXED];
    if (end - *at < sizeof entry)
        return fault_set(fault, "the bitmap directory is too short");
    if (file_pread(image->fd, entry, sizeof entry, *at, fault) < 0)
        return -1;
    uint32_t flags = get_be32(entry + QCOW2_BITMAP_FLAGS);
    uint32_t name = get_be16(entry + QCOW2_BITMAP_NAME_LENGTH);
    if ((flags & ~(QCOW2_BITMAP_IN_USE | QCOW2_BITMAP_AUTO)) != 0 ||
        entry[QCOW2_BITMAP_TYPE] != QCOW2_BITMAP_DIRTY_TRACKING || name == 0 ||
        name > QCOW2_MAX_BITMAP_NAME || get_be32(entry + QCOW2_BITMAP_EXTRA_LENGTH) != 0)
        return fault_set(fault, "a bitmap with unknown flags, type or extra data, or without name");
    if (round_up(sizeof entry + name, 8) > end - *at)
        return fault_set(fault, "the bitmap directory is too short");
    *bitmap = (struct qcow2_bitmap){
        .table_offset = get_be64(entry + QCOW2_BITMAP_TABLE_OFFSET),
        .table_entries = get_be32(entry + QCOW2_BITMAP_TABLE_SIZE),
        .info.granularity_bits = entry[QCOW2_BITMAP_GRANULARITY_BITS],
        .info.automatic = flags & QCOW2_BITMAP_AUTO,
        .info.in_use = flags & QCOW2_BITMAP_IN_USE,
    };
    if (file_pread(image->fd, bitmap->info.name, name, *at + sizeof entry, fault) < 0)
        return -1;
    *at += round_up(sizeof entry + name, 8);
    return check_bitmap(image, bitmap, fault);
}

int qcow2_open_bitmaps(struct image *image, struct fault *fault) {
    const struct qcow2_state *state = image->state;
    struct qcow2_bitmap bitmap;
    uint64_t at = state->directory_offset;
    if (state->bitmaps == 0)
        return 0;
    if (!qcow2_table_fits(image, at, state->directory_bytes))
        return fault_set(fault, "the bitmap directory is misplaced");
    for (uint32_t i = 0; i < state->bitmaps; i++)
        if (qcow2_next_bitmap(image, &at, &bitmap, fault) < 0)
            return -1;
    if (at != state->directory_offset + state->directory_bytes)
        return fault_set(fault, "the bitmap directory has more than %u entries", state->bitmaps);
    return 0;
}

int qcow2_bitmap_at(struct image *image, uint32_t index, struct image_bitmap_info *info,
                    struct fault *fault) {
    const struct qcow2_state *state = image->state;
    struct qcow2_bitmap bitmap;
    uint64_t at = state->directory_offset;
    if (index >= state->bitmaps)
        return fault_set(fault, "there is no bitmap %u", index);
    for (uint32_t i = 0; i <= index; i++)
        if (qcow2_next_bitmap(image, &at, &bitmap, fault) < 0)
            return -1;
    *info = bitmap.info;
    return 0;
}
