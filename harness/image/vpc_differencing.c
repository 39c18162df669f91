// SPDX-License-Identifier: Apache-2.0
//
// Differencing VHDs: who the parent is, and which sectors of a block are the file's own. qemu-img
// looks at neither (docs/findings.md, vpc-differencing-alone); the specification and libvhdi do.
#include "base/bytes.h"
#include "base/file.h"
#include "image/sectors.h"
#include "image/vpc_writer.h"

// In the order in which names are believed.
static const char locator_codes[][5] = {"W2ru", "W2ku"};

// The data of the first locator of this kind: its length, at most `room`; 0 if there is none.
static int read_locator(struct image *image, const struct vpc *vpc, const char *code, uint8_t *data,
                        size_t room, size_t *length, struct fault *fault) {
    *length = 0;
    for (unsigned i = 0; i < VPC_LOCATORS; i++) {
        const uint8_t *locator = vpc->header + VPC_HEADER_LOCATORS + i * VPC_LOCATOR_SIZE;
        uint64_t offset = get_be64(locator + VPC_LOCATOR_OFFSET);
        uint32_t stored = get_be32(locator + VPC_LOCATOR_LENGTH);
        if (memcmp(locator + VPC_LOCATOR_CODE, code, 4) != 0)
            continue;
        if (offset > image->file_size || stored > image->file_size - offset)
            return fault_set(fault, "a parent locator of the vpc disk lies outside the file");
        *length = (size_t)min_u64(stored, room);
        return file_pread(image->fd, data, *length, offset, fault);
    }
    return 0;
}

int vpc_open_parent(struct image *image, struct vpc *vpc, struct fault *fault) {
    uint8_t data[2048];
    size_t length;
    for (size_t i = 0; i < sizeof locator_codes / sizeof *locator_codes && !vpc->parent[0]; i++) {
        if (read_locator(image, vpc, locator_codes[i], data, sizeof data, &length, fault))
            return -1;
        sectors_parent_name(data, length, false, vpc->parent, sizeof vpc->parent);
    }
    if (!vpc->parent[0])
        sectors_parent_name(vpc->header + VPC_HEADER_PARENT_NAME, VPC_PARENT_NAME_SIZE, true,
                            vpc->parent, sizeof vpc->parent);
    if (!vpc->parent[0])
        return fault_set(fault, "the differencing vpc disk does not name its parent");
    vpc->differencing = true;
    image->has_backing = true;
    table_in_begin(&vpc->file, image->fd, 0, image->file_size);
    return 0;
}

int vpc_differencing_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                            struct fault *fault) {
    struct vpc *vpc = image->state;
    uint64_t block = round_down(offset, vpc->block_size), length;
    uint64_t end = min_u64(vpc->block_size, image->virtual_size - block);
    uint32_t entry;
    bool own;
    if (vpc_entry(vpc, offset / vpc->block_size, &entry, fault) ||
        sectors_run(&vpc->file, (uint64_t)entry * VPC_SECTOR, SECTOR_BITS_HIGH_FIRST,
                    (offset - block) / VPC_SECTOR, end / VPC_SECTOR, &own, &length, fault))
        return -1;
    length = length * VPC_SECTOR - offset % VPC_SECTOR;
    *extent = (struct image_extent){offset, length, own ? IMAGE_DATA : IMAGE_HOLE};
    return 0;
}

// --- writing -------------------------------------------------------------------------------------

int vpc_write_parent(struct vpc_writer *writer, uint8_t *header, struct fault *fault) {
    const struct image_backing *backing = writer->options->backing;
    memcpy(header + VPC_HEADER_PARENT_UUID, backing->identity, 16);
    put_be32(header + VPC_HEADER_PARENT_TIME, VPC_TIME);
    sectors_locator(backing->name, false, true, header + VPC_HEADER_PARENT_NAME,
                    VPC_PARENT_NAME_SIZE - 2);
    for (unsigned i = 0; i < VPC_WRITTEN_LOCATORS; i++) {
        uint8_t data[VPC_SECTOR] = {0};
        bool relative = i == 0;
        uint64_t offset = writer->locators_offset + i * sizeof data;
        uint8_t *locator = header + VPC_HEADER_LOCATORS + i * VPC_LOCATOR_SIZE;
        memcpy(locator + VPC_LOCATOR_CODE, locator_codes[i], 4);
        put_be32(locator + VPC_LOCATOR_SPACE, sizeof data);
        put_be32(locator + VPC_LOCATOR_LENGTH,
                 (uint32_t)sectors_locator(backing->name, relative, false, data, sizeof data));
        put_be64(locator + VPC_LOCATOR_OFFSET, offset);
        if (file_pwrite(writer->fd, data, sizeof data, offset, fault))
            return -1;
    }
    return 0;
}

int vpc_store_block(struct vpc_writer *writer, const struct unit *unit, uint8_t *bitmap,
                    struct fault *fault) {
    uint32_t block_size = writer->written->unit, bitmap_size = vpc_bitmap_size(block_size);
    memset(bitmap, 0, bitmap_size);
    const struct sectors_block block = {
        .offset = unit->offset,
        .length = unit->length,
        .fd = writer->fd,
        .file_offset = writer->end + bitmap_size,
        .order = SECTOR_BITS_HIGH_FIRST,
        .bitmap = bitmap,
    };
    uint64_t own;
    return sectors_store(&block, &writer->source, &writer->written->map, &own, fault);
}
