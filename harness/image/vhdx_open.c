// SPDX-License-Identifier: Apache-2.0
//
// From the first bytes of a VHDX file to the place of its table: two headers of which the newer
// valid one counts, two region tables of which one valid one is enough, and the metadata items.
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/vhdx.h"

#include <stdlib.h>

// [MS-VHDX] 2.2.2.1: "A header is valid if the Signature and Checksum fields both validate".
static int vhdx_load_header(struct image *image, uint64_t offset, uint8_t *header, bool *valid,
                            struct fault *fault) {
    if (file_pread(image->fd, header, VHDX_HEADER_SIZE, offset, fault))
        return -1;
    *valid = memcmp(header, "head", 4) == 0 && get_le16(header + VHDX_HEADER_VERSION) == 1 &&
             get_le32(header + VHDX_CHECKSUM_OFFSET) == vhdx_checksum(header, VHDX_HEADER_SIZE);
    return 0;
}

int vhdx_open_header(struct image *image, struct vhdx *vhdx, struct fault *fault) {
    uint8_t headers[2][VHDX_HEADER_SIZE];
    bool *valid = vhdx->header_valid;
    if (vhdx_load_header(image, VHDX_HEADER_1_OFFSET, headers[0], &valid[0], fault) ||
        vhdx_load_header(image, VHDX_HEADER_2_OFFSET, headers[1], &valid[1], fault))
        return -1;
    if (!valid[0] && !valid[1])
        return fault_set(fault, "no valid vhdx header");
    uint64_t first = get_le64(headers[0] + VHDX_HEADER_SEQUENCE);
    uint64_t second = get_le64(headers[1] + VHDX_HEADER_SEQUENCE);
    // Disk2VHD writes the same header twice, which is against the specification; QEMU takes it.
    if (valid[0] && valid[1] && first == second &&
        memcmp(headers[0] + 8, headers[1] + 8, VHDX_HEADER_SIZE - 8) != 0)
        return fault_set(fault, "two vhdx headers with the same sequence number differ");
    const uint8_t *header = headers[valid[1] && (!valid[0] || second > first)];
    vhdx->sequence = get_le64(header + VHDX_HEADER_SEQUENCE);
    vhdx->log.offset = get_le64(header + VHDX_HEADER_LOG_OFFSET);
    vhdx->log.length = get_le32(header + VHDX_HEADER_LOG_LENGTH);
    if (vhdx->log.offset % VHDX_MIB || vhdx->log.length % VHDX_MIB || vhdx->log.offset < VHDX_MIB ||
        vhdx->log.offset > image->file_size)
        return fault_set(fault, "the vhdx log is misplaced");
    // "If this field is zero, then the log is empty".
    if (!bytes_are_zero(header + VHDX_HEADER_LOG_GUID, 16))
        return fault_set(fault, "the vhdx log is not empty; replaying it is not supported");
    return 0;
}

// Does the region begin in the file, on whole MiB, past the headers? (2.2.3.2) It need not end
// there: instar cuts a file without blocks behind the last metadata item, which QEMU reads. What is
// used of it has to be there (vhdx_open_table, vhdx_read_table).
static bool vhdx_region_fits(const struct image *image, const struct vhdx_region *region) {
    return region->offset % VHDX_MIB == 0 && region->length % VHDX_MIB == 0 && region->length &&
           region->offset >= VHDX_MIB && region->offset < image->file_size;
}

static bool vhdx_regions_overlap(const struct vhdx_region *a, const struct vhdx_region *b) {
    return a->offset < b->offset + b->length && b->offset < a->offset + a->length;
}

static int vhdx_read_regions(struct image *image, struct vhdx *vhdx, const uint8_t *table,
                             struct fault *fault) {
    uint32_t count = get_le32(table + 8);
    if (count > VHDX_MAX_REGIONS)
        return fault_set(fault, "%u vhdx regions are too many", count);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = table + 16 + i * 32;
        struct vhdx_region *known = NULL;
        if (memcmp(entry, vhdx_bat_region, 16) == 0)
            known = &vhdx->bat;
        if (memcmp(entry, vhdx_metadata_region, 16) == 0)
            known = &vhdx->metadata;
        if (!known && (get_le32(entry + 28) & 1))
            return fault_set(fault, "a required vhdx region is unknown");
        if (!known)
            continue;
        if (known->length)
            return fault_set(fault, "a vhdx region is there twice");
        *known = (struct vhdx_region){get_le64(entry + 16), get_le32(entry + 24)};
        if (!vhdx_region_fits(image, known))
            return fault_set(fault, "a vhdx region is misplaced");
    }
    if (!vhdx->bat.length || !vhdx->metadata.length)
        return fault_set(fault, "a vhdx region is missing");
    if (vhdx_regions_overlap(&vhdx->bat, &vhdx->metadata) ||
        vhdx_regions_overlap(&vhdx->bat, &vhdx->log) ||
        vhdx_regions_overlap(&vhdx->metadata, &vhdx->log))
        return fault_set(fault, "vhdx regions overlap");
    return 0;
}

// QEMU looks at the first table only; the specification has two so that one may be damaged.
int vhdx_open_regions(struct image *image, struct vhdx *vhdx, struct fault *fault) {
    static const uint64_t offsets[2] = {VHDX_REGIONS_1_OFFSET, VHDX_REGIONS_2_OFFSET};
    uint8_t *table = must_realloc(NULL, VHDX_REGIONS_SIZE);
    int result = 1; // no table yet
    for (int i = 0; i < 2 && result >= 0; i++) {
        if (file_pread(image->fd, table, VHDX_REGIONS_SIZE, offsets[i], fault)) {
            result = -1;
            break;
        }
        vhdx->regions_valid[i] =
            memcmp(table, "regi", 4) == 0 &&
            get_le32(table + VHDX_CHECKSUM_OFFSET) == vhdx_checksum(table, VHDX_REGIONS_SIZE);
        if (vhdx->regions_valid[i] && result == 1)
            result = vhdx_read_regions(image, vhdx, table, fault);
    }
    free(table);
    return result == 1 ? fault_set(fault, "no valid vhdx region table") : result;
}

// 2.6.1.
static int vhdx_read_table(const struct image *image, const struct vhdx *vhdx, const uint8_t *table,
                           struct vhdx_region items[VHDX_ITEMS], struct fault *fault) {
    uint64_t there = min_u64(vhdx->metadata.length, image->file_size - vhdx->metadata.offset);
    uint32_t count = get_le16(table + 10);
    if (memcmp(table, "metadata", 8) != 0 || count > VHDX_MAX_METADATA)
        return fault_set(fault, "the vhdx metadata table is damaged");
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = table + 32 + i * 32;
        uint64_t offset = get_le32(entry + 16), length = get_le32(entry + 20);
        size_t kind = 0;
        while (kind < VHDX_ITEMS && memcmp(entry, vhdx_items[kind].guid, 16) != 0)
            kind++;
        if (kind == VHDX_ITEMS && (get_le32(entry + 24) & 4))
            return fault_set(fault, "a required vhdx metadata item is unknown");
        if (kind == VHDX_ITEMS)
            continue;
        if (items[kind].offset)
            return fault_set(fault, "a vhdx metadata item is there twice");
        if (offset < VHDX_METADATA_TABLE || length < vhdx_items[kind].length || offset > there ||
            length > there - offset)
            return fault_set(fault, "a vhdx metadata item is misplaced");
        items[kind] = (struct vhdx_region){vhdx->metadata.offset + offset, length};
    }
    for (size_t kind = 0; kind < VHDX_COMMON_ITEMS; kind++)
        if (!items[kind].offset)
            return fault_set(fault, "a vhdx metadata item is missing");
    return 0;
}

static int vhdx_read_items(struct image *image, struct vhdx *vhdx,
                           const struct vhdx_region items[VHDX_ITEMS], struct fault *fault) {
    uint8_t parameters[8], size[8], logical[4];
    if (file_pread(image->fd, parameters, 8, items[VHDX_ITEM_PARAMETERS].offset, fault) ||
        file_pread(image->fd, size, 8, items[VHDX_ITEM_SIZE].offset, fault) ||
        file_pread(image->fd, logical, 4, items[VHDX_ITEM_LOGICAL_SECTOR].offset, fault))
        return -1;
    vhdx->block_size = get_le32(parameters);
    vhdx->logical_sector = get_le32(logical);
    image->virtual_size = get_le64(size);
    vhdx->differencing = get_le32(parameters + 4) & VHDX_HAS_PARENT;
    const struct vhdx_region *parent = &items[VHDX_ITEM_PARENT];
    if (vhdx->differencing != (parent->offset != 0))
        return fault_set(fault, "the vhdx disk has a parent by its flag or by its locator only");
    if (vhdx->differencing && vhdx_open_parent(image, vhdx, parent->offset, parent->length, fault))
        return -1;
    if (vhdx->block_size < VHDX_MIB || vhdx->block_size > 256 * VHDX_MIB ||
        (vhdx->block_size & (vhdx->block_size - 1)))
        return fault_set(fault, "a vhdx block of %u bytes is not possible", vhdx->block_size);
    if (vhdx->logical_sector != 512 && vhdx->logical_sector != 4096)
        return fault_set(fault, "a logical sector of %u bytes is not possible",
                         vhdx->logical_sector);
    if (image->virtual_size > VHDX_MAX_SIZE || image->virtual_size % vhdx->logical_sector)
        return fault_set(fault, "a vhdx disk of %llu bytes is not possible",
                         (unsigned long long)image->virtual_size);
    return 0;
}

int vhdx_find_items(struct image *image, const struct vhdx *vhdx,
                    struct vhdx_region items[VHDX_ITEMS], struct fault *fault) {
    uint8_t *table = must_realloc(NULL, VHDX_METADATA_TABLE);
    int result = file_pread(image->fd, table, VHDX_METADATA_TABLE, vhdx->metadata.offset, fault);
    if (result == 0)
        result = vhdx_read_table(image, vhdx, table, items, fault);
    free(table);
    return result;
}

int vhdx_open_metadata(struct image *image, struct vhdx *vhdx, struct fault *fault) {
    struct vhdx_region items[VHDX_ITEMS] = {0};
    return vhdx_find_items(image, vhdx, items, fault) ? -1
                                                      : vhdx_read_items(image, vhdx, items, fault);
}
