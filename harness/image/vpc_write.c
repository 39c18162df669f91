// SPDX-License-Identifier: Apache-2.0
//
// Writes dynamic and fixed VHD files, byte for byte the same on every run: time stamp and UUID are
// constants.
#include "base/buffer.h"
#include "base/bytes.h"
#include "image/flat.h"
#include "image/unit_walk.h"
#include "image/vpc.h"

#include <stdlib.h>

#define VPC_DEFAULT_BLOCK_BITS 21u
#define VPC_TABLE_OFFSET       (VPC_FOOTER_SIZE + VPC_HEADER_SIZE)

static const uint8_t vpc_uuid[16] = {0x69, 0x6e, 0x73, 0x74, 0x61, 0x72, 0x4d, 0x46,
                                     0x9a, 0x1d, 0x5e, 0x0c, 0x47, 0x21, 0xb3, 0x68};

// Spec, "Hard Disk Footer Format".
static void vpc_build_footer(uint8_t *footer, const struct image_options *options,
                             const struct vpc_geometry *geometry, uint64_t size) {
    bool by_size = options->vpc_creator == VPC_CREATOR_QEM2;
    memset(footer, 0, VPC_FOOTER_SIZE);
    memcpy(footer + VPC_FOOTER_COOKIE, "conectix", 8);
    put_be32(footer + VPC_FOOTER_FEATURES, 2); // a bit that is always set
    put_be32(footer + VPC_FOOTER_VERSION, 0x00010000);
    put_be64(footer + VPC_FOOTER_DATA_OFFSET, options->vpc_fixed ? UINT64_MAX : VPC_FOOTER_SIZE);
    put_be32(footer + VPC_FOOTER_TIME, 0x20000000); // seconds since 2000
    memcpy(footer + VPC_FOOTER_CREATOR, by_size ? "qem2" : "qemu", 4);
    put_be32(footer + VPC_FOOTER_CREATOR_VERSION, 0x00050003);
    memcpy(footer + VPC_FOOTER_HOST, "Wi2k", 4);
    put_be64(footer + VPC_FOOTER_ORIGINAL_SIZE, size);
    put_be64(footer + VPC_FOOTER_CURRENT_SIZE, size);
    put_be16(footer + VPC_FOOTER_CYLINDERS, (uint16_t)geometry->cylinders);
    footer[VPC_FOOTER_HEADS] = (uint8_t)geometry->heads;
    footer[VPC_FOOTER_SECTORS] = (uint8_t)geometry->sectors;
    put_be32(footer + VPC_FOOTER_TYPE, options->vpc_fixed ? VPC_FIXED : VPC_DYNAMIC);
    memcpy(footer + VPC_FOOTER_UUID, vpc_uuid, sizeof vpc_uuid);
    put_be32(footer + VPC_FOOTER_CHECKSUM,
             vpc_checksum(footer, VPC_FOOTER_SIZE, VPC_FOOTER_CHECKSUM));
}

// Spec, "Dynamic Disk Header Format".
static int vpc_write_header(int fd, uint32_t entries, uint32_t block_size, struct fault *fault) {
    uint8_t header[VPC_HEADER_SIZE] = {0};
    memcpy(header + VPC_HEADER_COOKIE, "cxsparse", 8);
    put_be64(header + VPC_HEADER_DATA_OFFSET, UINT64_MAX);
    put_be64(header + VPC_HEADER_TABLE_OFFSET, VPC_TABLE_OFFSET);
    put_be32(header + VPC_HEADER_VERSION, 0x00010000);
    put_be32(header + VPC_HEADER_ENTRIES, entries);
    put_be32(header + VPC_HEADER_BLOCK_SIZE, block_size);
    put_be32(header + VPC_HEADER_CHECKSUM,
             vpc_checksum(header, VPC_HEADER_SIZE, VPC_HEADER_CHECKSUM));
    return image_pwrite(fd, header, sizeof header, VPC_FOOTER_SIZE, fault);
}

// All the blocks, from *end on; *end moves behind the last one. A block in use is stored whole,
// with a bitmap that calls all of its sectors present.
static int vpc_write_blocks(int fd, const struct image_options *options, struct unit_walk *walk,
                            struct table_out *table, uint64_t *end, struct image_written *written,
                            struct fault *fault) {
    uint32_t block_size = (uint32_t)walk->unit_size, bitmap_size = vpc_bitmap_size(block_size);
    uint8_t *bitmap = must_realloc(NULL, bitmap_size);
    memset(bitmap, 0xff, bitmap_size);
    struct unit unit;
    int more;
    while ((more = unit_walk_next(walk, &unit, fault)) > 0) {
        bool stored;
        if (!unit_wants_bytes(&unit))
            continue;
        more = unit_walk_copy(walk, &unit, fd, *end + bitmap_size, options->skip_zeros, &stored,
                              fault);
        if (more < 0)
            break;
        if (!stored)
            continue;
        uint8_t *entry = table_out_at(table, unit.index * 4, fault);
        more = entry ? image_pwrite(fd, bitmap, bitmap_size, *end, fault) : -1;
        if (more < 0)
            break;
        put_be32(entry, (uint32_t)(*end / VPC_SECTOR));
        *end += (uint64_t)bitmap_size + block_size;
        image_map_add(&written->map, unit.offset,
                      min_u64(block_size, written->virtual_size - unit.offset), IMAGE_DATA);
    }
    free(bitmap);
    return more;
}

static int vpc_write_dynamic(int fd, const struct image_options *options,
                             const struct image_source *source, const uint8_t *footer,
                             struct image_written *written, struct fault *fault) {
    uint32_t bits = options->block_bits ? options->block_bits : VPC_DEFAULT_BLOCK_BITS;
    if (bits < 19 || bits > 28)
        return fault_set(fault, "a vpc block has 2^19 to 2^28 bytes, not 2^%u", bits);
    written->unit = 1u << bits;
    uint32_t entries = (uint32_t)div_up(written->virtual_size, written->unit);
    uint64_t table_length = round_up((uint64_t)entries * 4, VPC_SECTOR);
    uint64_t end = VPC_TABLE_OFFSET + table_length;
    struct table_out table;
    struct unit_walk walk;
    table_out_begin(&table, fd, VPC_TABLE_OFFSET, table_length, 0xff);
    unit_walk_begin(&walk, source, written->unit);
    int result = vpc_write_blocks(fd, options, &walk, &table, &end, written, fault);
    unit_walk_end(&walk);
    if (table_out_end(&table, result < 0, fault) ||
        image_pwrite(fd, footer, VPC_FOOTER_SIZE, 0, fault) ||
        vpc_write_header(fd, entries, written->unit, fault) ||
        image_pwrite(fd, footer, VPC_FOOTER_SIZE, end, fault))
        return -1;
    written->file_size = end + VPC_FOOTER_SIZE;
    return 0;
}

static int vpc_write_fixed(int fd, const struct image_options *options,
                           const struct image_source *source, const uint8_t *footer,
                           struct image_written *written, struct fault *fault) {
    written->unit = FLAT_UNIT;
    written->file_size = written->virtual_size + VPC_FOOTER_SIZE;
    if (flat_write(fd, source, options->skip_zeros, fault) ||
        image_pwrite(fd, footer, VPC_FOOTER_SIZE, written->virtual_size, fault))
        return -1;
    // Only now: the block with the footer is no hole.
    return flat_map(fd, written->virtual_size, 0, &written->map, fault);
}

int vpc_write(struct image_output *output, const struct image_options *options,
              const struct image_source *source, struct image_written *written,
              struct fault *fault) {
    int fd = output->fd;
    struct vpc_geometry geometry;
    uint64_t declared;
    uint8_t footer[VPC_FOOTER_SIZE];
    if (vpc_declared_size(options, source->size, &declared, fault) ||
        vpc_geometry_declared(options->vpc_creator, div_up(source->size, VPC_SECTOR), &geometry,
                              &declared, fault))
        return -1;
    written->virtual_size = declared * VPC_SECTOR;
    vpc_build_footer(footer, options, &geometry, written->virtual_size);
    return options->vpc_fixed ? vpc_write_fixed(fd, options, source, footer, written, fault)
                              : vpc_write_dynamic(fd, options, source, footer, written, fault);
}
