// SPDX-License-Identifier: Apache-2.0
//
// Microsoft's Virtual Hard Disk ("vpc" to qemu-img), read as QEMU reads it: dynamic disks through
// their block allocation table, fixed disks as the bytes in front of a footer. A differencing disk
// is a dynamic one of which the sector bitmaps count (vpc_differencing.c).
#include "image/vpc.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/drivers.h"
#include "image/flat.h"

#include <stdio.h>
#include <stdlib.h>

static const char footer_cookie[] = "conectix";
static const char header_cookie[] = "cxsparse";

static bool vpc_probe(const uint8_t *head, size_t head_length, const uint8_t *tail,
                      size_t tail_length) {
    if (head_length >= 8 && memcmp(head, footer_cookie, 8) == 0)
        return true;
    return tail_length >= VPC_FOOTER_SIZE &&
           memcmp(tail + tail_length - VPC_FOOTER_SIZE, footer_cookie, 8) == 0;
}

// A footer at the front makes the disk dynamic whatever its type field says; only if there is none
// the one at the end counts, and the disk is fixed.
static int vpc_open_footer(struct image *image, struct vpc *vpc, struct fault *fault) {
    if (image->file_size < VPC_FOOTER_SIZE)
        return fault_set(fault, "the file is too short for a vpc footer");
    if (file_pread(image->fd, vpc->footer, VPC_FOOTER_SIZE, 0, fault))
        return -1;
    vpc->fixed = memcmp(vpc->footer, footer_cookie, 8) != 0;
    if (vpc->fixed) {
        if (file_pread(image->fd, vpc->footer, VPC_FOOTER_SIZE, image->file_size - VPC_FOOTER_SIZE,
                       fault))
            return -1;
        if (memcmp(vpc->footer, footer_cookie, 8) != 0)
            return fault_set(fault, "there is no vpc footer at the front or at the end");
    }
    if (vpc_checksum(vpc->footer, VPC_FOOTER_SIZE, VPC_FOOTER_CHECKSUM) !=
        get_be32(vpc->footer + VPC_FOOTER_CHECKSUM))
        return fault_set(fault, "the vpc footer's checksum is wrong");
    uint32_t type = get_be32(vpc->footer + VPC_FOOTER_TYPE);
    if (vpc->fixed && type != VPC_FIXED)
        return fault_set(fault, "a vpc disk of type %u lacks its footer at the front", type);
    uint64_t sectors = vpc_footer_sectors(vpc->footer);
    if (sectors > VPC_MAX_SECTORS)
        return fault_set(fault, "the vpc disk is larger than 2040 GiB");
    image->virtual_size = sectors * VPC_SECTOR;
    if (vpc->fixed && image->virtual_size > image->file_size - VPC_FOOTER_SIZE)
        return fault_set(fault, "the fixed vpc disk is cut short");
    return 0;
}

// Every block must lie in the file, or the disk has been cut short; qemu-img asks for that too,
// so that a reader never finds out late.
static int vpc_open_table(struct image *image, struct vpc *vpc, struct fault *fault) {
    uint64_t table_length = (uint64_t)vpc->entries * 4;
    if (vpc->table_offset > image->file_size ||
        round_up(table_length, VPC_SECTOR) > image->file_size - vpc->table_offset)
        return fault_set(fault, "the block allocation table goes beyond the file's end");
    table_in_begin(&vpc->table, image->fd, vpc->table_offset, table_length);
    uint64_t stored = (uint64_t)vpc->bitmap_size + vpc->block_size;
    for (uint32_t i = 0; i < vpc->entries; i++) {
        uint32_t entry;
        if (vpc_entry(vpc, i, &entry, fault))
            return -1;
        if (entry != VPC_UNUSED && (uint64_t)entry * VPC_SECTOR + stored > image->file_size)
            return fault_set(fault, "block %u goes beyond the file's end", i);
    }
    return 0;
}

static int vpc_open_dynamic(struct image *image, struct vpc *vpc, struct fault *fault) {
    uint64_t offset = get_be64(vpc->footer + VPC_FOOTER_DATA_OFFSET);
    if (offset > image->file_size || image->file_size - offset < VPC_HEADER_SIZE)
        return fault_set(fault, "the dynamic disk header lies outside the file");
    if (file_pread(image->fd, vpc->header, VPC_HEADER_SIZE, offset, fault))
        return -1;
    if (memcmp(vpc->header, header_cookie, 8) != 0)
        return fault_set(fault, "the dynamic disk header has no cookie");
    vpc->block_size = get_be32(vpc->header + VPC_HEADER_BLOCK_SIZE);
    vpc->entries = get_be32(vpc->header + VPC_HEADER_ENTRIES);
    vpc->table_offset = get_be64(vpc->header + VPC_HEADER_TABLE_OFFSET);
    if (vpc->block_size < VPC_SECTOR || (vpc->block_size & (vpc->block_size - 1)))
        return fault_set(fault, "block size %u is not possible", vpc->block_size);
    if (vpc->entries > VPC_MAX_SECTORS * VPC_SECTOR / vpc->block_size)
        return fault_set(fault, "too many blocks (%u)", vpc->entries);
    if ((uint64_t)vpc->entries * vpc->block_size < image->virtual_size)
        return fault_set(fault, "%u blocks do not cover the disk", vpc->entries);
    vpc->bitmap_size = vpc_bitmap_size(vpc->block_size);
    image->unit = vpc->block_size;
    if (get_be32(vpc->footer + VPC_FOOTER_TYPE) == VPC_DIFFERENCING &&
        vpc_open_parent(image, vpc, fault))
        return -1;
    return vpc_open_table(image, vpc, fault);
}

static void vpc_close(struct image *image) {
    struct vpc *vpc = image->state;
    if (vpc) {
        table_in_end(&vpc->table);
        table_in_end(&vpc->file);
    }
    free(vpc);
    image->state = NULL;
}

static int vpc_open(struct image *image, struct fault *fault) {
    struct vpc *vpc = must_realloc(NULL, sizeof *vpc);
    *vpc = (struct vpc){0};
    image->state = vpc;
    image->unit = FLAT_UNIT; // a fixed disk is allocated by the file system, as raw
    if (vpc_open_footer(image, vpc, fault) == 0 &&
        (vpc->fixed || vpc_open_dynamic(image, vpc, fault) == 0))
        return 0;
    vpc_close(image);
    return -1;
}

int vpc_entry(struct vpc *vpc, uint64_t index, uint32_t *entry, struct fault *fault) {
    const uint8_t *at = table_in_at(&vpc->table, index * 4, fault);
    if (!at)
        return -1;
    *entry = get_be32(at);
    return 0;
}

static int vpc_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                      struct fault *fault) {
    struct vpc *vpc = image->state;
    if (vpc->fixed) // the holes that its file has, as raw; qemu-img map shows them the same way
        return flat_extent(image->fd, image->virtual_size, offset, extent, fault);
    uint64_t count = div_up(image->virtual_size, vpc->block_size);
    uint64_t index = offset / vpc->block_size;
    uint32_t entry;
    if (vpc_entry(vpc, index, &entry, fault))
        return -1;
    bool used = entry != VPC_UNUSED;
    if (used && vpc->differencing)
        return vpc_differencing_extent(image, offset, extent, fault);
    while (++index < count) {
        if (vpc_entry(vpc, index, &entry, fault))
            return -1;
        if ((entry != VPC_UNUSED) != used)
            break;
    }
    uint64_t end = min_u64(index * vpc->block_size, image->virtual_size);
    *extent = (struct image_extent){offset, end - offset, used ? IMAGE_DATA : IMAGE_HOLE};
    return 0;
}

// The sector bitmap of a block is not looked at: QEMU reads all of a block that is in the table,
// and of a differencing disk only what its extents call its own is asked for.
static int vpc_read(struct image *image, uint64_t offset, void *buffer, size_t length,
                    struct fault *fault) {
    struct vpc *vpc = image->state;
    if (vpc->fixed)
        return file_pread(image->fd, buffer, length, offset, fault);
    for (uint8_t *to = buffer; length;) {
        uint64_t inside = offset % vpc->block_size;
        size_t part = (size_t)min_u64(length, vpc->block_size - inside);
        uint32_t entry;
        if (vpc_entry(vpc, offset / vpc->block_size, &entry, fault))
            return -1;
        if (entry == VPC_UNUSED)
            memset(to, 0, part);
        else if (file_pread(image->fd, to, part,
                            (uint64_t)entry * VPC_SECTOR + vpc->bitmap_size + inside, fault))
            return -1;
        to += part;
        offset += part;
        length -= part;
    }
    return 0;
}

static void vpc_info(struct image *image, struct image_info *info) {
    const struct vpc *vpc = image->state;
    *info = (struct image_info){
        .virtual_size = image->virtual_size,
        .cluster_size = vpc->fixed ? 0 : vpc->block_size,
        .vpc_fixed = vpc->fixed,
        .has_backing = vpc->differencing,
    };
    info->vpc_current_size = get_be64(vpc->footer + VPC_FOOTER_CURRENT_SIZE);
    memcpy(info->vpc_creator, vpc->footer + VPC_FOOTER_CREATOR, 4);
    if (vpc->differencing) {
        snprintf(info->backing_name, sizeof info->backing_name, "%s", vpc->parent);
        strcpy(info->backing_format, "vpc");
    }
}

const struct image_driver vpc_driver = {
    .format = IMAGE_VPC,
    .name = "vpc",
    .probe = vpc_probe,
    .open = vpc_open,
    .close = vpc_close,
    .extent = vpc_extent,
    .read = vpc_read,
    .check = vpc_check,
    .info = vpc_info,
    .write = vpc_write,
    .declared_size = vpc_declared_size,
};
