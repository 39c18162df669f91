// SPDX-License-Identifier: Apache-2.0
//
// Writes dynamic VHD files, byte for byte the same on every run: time stamp and UUID are constants.
// A differencing one is dynamic but for its parent and its bitmaps (vpc_differencing.c); fixed ones
// are in vpc_write_fixed.c. All share the footer.
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/vpc_writer.h"

#include <stdlib.h>
#include <unistd.h>

#define VPC_DEFAULT_BLOCK_BITS 21u

static const uint8_t vpc_uuid[16] = {0x69, 0x6e, 0x73, 0x74, 0x61, 0x72, 0x4d, 0x46,
                                     0x9a, 0x1d, 0x5e, 0x0c, 0x47, 0x21, 0xb3, 0x68};

// Spec, "Hard Disk Footer Format".
static void vpc_build_footer(struct vpc_writer *writer, const struct vpc_sizes *sizes) {
    const struct image_options *options = writer->options;
    const struct vpc_geometry *geometry = &sizes->geometry;
    uint8_t *footer = writer->footer;
    memcpy(footer + VPC_FOOTER_COOKIE, "conectix", 8);
    put_be32(footer + VPC_FOOTER_FEATURES, 2); // a bit that is always set
    put_be32(footer + VPC_FOOTER_VERSION, 0x00010000);
    put_be64(footer + VPC_FOOTER_DATA_OFFSET,
             options->vpc_fixed ? UINT64_MAX : writer->header_offset);
    put_be32(footer + VPC_FOOTER_TIME, VPC_TIME);
    memcpy(footer + VPC_FOOTER_CREATOR, vpc_creators[options->vpc_creator].application, 4);
    put_be32(footer + VPC_FOOTER_CREATOR_VERSION, 0x00050003);
    memcpy(footer + VPC_FOOTER_HOST, "Wi2k", 4);
    put_be64(footer + VPC_FOOTER_ORIGINAL_SIZE, sizes->current * VPC_SECTOR);
    put_be64(footer + VPC_FOOTER_CURRENT_SIZE, sizes->current * VPC_SECTOR);
    put_be16(footer + VPC_FOOTER_CYLINDERS, (uint16_t)geometry->cylinders);
    footer[VPC_FOOTER_HEADS] = (uint8_t)geometry->heads;
    footer[VPC_FOOTER_SECTORS] = (uint8_t)geometry->sectors;
    put_be32(footer + VPC_FOOTER_TYPE, options->vpc_fixed ? VPC_FIXED
                                       : options->backing ? VPC_DIFFERENCING
                                                          : VPC_DYNAMIC);
    // The files of a chain must be told apart.
    uint8_t *uuid = writer->written->identity;
    memcpy(uuid, options->backing ? options->backing->identity : vpc_uuid, sizeof vpc_uuid);
    uuid[15] += options->backing != NULL;
    memcpy(footer + VPC_FOOTER_UUID, uuid, sizeof vpc_uuid);
    put_be32(footer + VPC_FOOTER_CHECKSUM,
             vpc_checksum(footer, VPC_FOOTER_SIZE, VPC_FOOTER_CHECKSUM));
}

// Spec, "Dynamic Disk Header Format".
static int vpc_write_header(struct vpc_writer *writer, uint32_t entries, struct fault *fault) {
    uint8_t header[VPC_HEADER_SIZE] = {0};
    memcpy(header + VPC_HEADER_COOKIE, "cxsparse", 8);
    put_be64(header + VPC_HEADER_DATA_OFFSET, UINT64_MAX);
    put_be64(header + VPC_HEADER_TABLE_OFFSET, writer->table_offset);
    put_be32(header + VPC_HEADER_VERSION, 0x00010000);
    put_be32(header + VPC_HEADER_ENTRIES, entries);
    put_be32(header + VPC_HEADER_BLOCK_SIZE, writer->written->unit);
    if (writer->options->backing && vpc_write_parent(writer, header, fault))
        return -1;
    put_be32(header + VPC_HEADER_CHECKSUM,
             vpc_checksum(header, VPC_HEADER_SIZE, VPC_HEADER_CHECKSUM));
    return file_pwrite(writer->fd, header, sizeof header, writer->header_offset, fault);
}

// One block at writer->end, but for its bitmap. Without a parent a block in use is stored whole,
// and all of its sectors are present.
static int vpc_store_unit(struct vpc_writer *writer, struct unit_walk *walk,
                          const struct unit *unit, uint8_t *bitmap, bool *stored,
                          struct fault *fault) {
    struct image_written *written = writer->written;
    uint32_t bitmap_size = vpc_bitmap_size(written->unit);
    *stored = writer->options->backing != NULL;
    if (*stored)
        return vpc_store_block(writer, unit, bitmap, fault);
    if (!unit_wants_bytes(unit))
        return 0;
    if (unit_walk_copy(walk, unit, writer->fd, writer->end + bitmap_size,
                       writer->options->skip_zeros, stored, fault))
        return -1;
    if (*stored)
        image_map_add(&written->map, unit->offset,
                      min_u64(written->unit, written->virtual_size - unit->offset), IMAGE_DATA);
    return 0;
}

// All the blocks, from writer->end on.
static int vpc_write_blocks(struct vpc_writer *writer, struct unit_walk *walk,
                            struct table_out *table, struct fault *fault) {
    uint32_t bitmap_size = vpc_bitmap_size(writer->written->unit);
    uint8_t *bitmap = must_realloc(NULL, bitmap_size);
    memset(bitmap, 0xff, bitmap_size);
    struct unit unit;
    int more;
    while ((more = unit_walk_next(walk, &unit, fault)) > 0) {
        bool stored;
        more = vpc_store_unit(writer, walk, &unit, bitmap, &stored, fault);
        if (more < 0)
            break;
        if (!stored)
            continue;
        uint8_t *entry = table_out_at(table, unit.index * 4, fault);
        more = entry ? file_pwrite(writer->fd, bitmap, bitmap_size, writer->end, fault) : -1;
        if (more < 0)
            break;
        put_be32(entry, (uint32_t)(writer->end / VPC_SECTOR));
        writer->end += round_up((uint64_t)bitmap_size + writer->written->unit, writer->sector);
    }
    free(bitmap);
    return more;
}

static int vpc_write_dynamic(struct vpc_writer *writer, struct fault *fault) {
    struct image_written *written = writer->written;
    uint32_t bits =
        writer->options->block_bits ? writer->options->block_bits : VPC_DEFAULT_BLOCK_BITS;
    if (bits < 19 || bits > 28)
        return fault_set(fault, "a vpc block has 2^19 to 2^28 bytes, not 2^%u", bits);
    written->unit = 1u << bits;
    uint32_t entries = (uint32_t)div_up(writer->current, written->unit);
    uint64_t table_length = round_up((uint64_t)entries * 4, writer->sector);
    writer->table_offset = writer->header_offset + round_up(VPC_HEADER_SIZE, writer->sector);
    writer->locators_offset = writer->table_offset + table_length;
    writer->end = writer->locators_offset;
    if (writer->options->backing)
        writer->end += round_up(VPC_WRITTEN_LOCATORS * VPC_SECTOR, writer->sector);
    struct table_out table;
    struct unit_walk walk;
    table_out_begin(&table, writer->fd, writer->table_offset, table_length, 0xff);
    unit_walk_begin(&walk, &writer->source, written->unit);
    int result = vpc_write_blocks(writer, &walk, &table, fault);
    unit_walk_end(&walk);
    if (table_out_end(&table, result < 0, fault) ||
        file_pwrite(writer->fd, writer->footer, VPC_FOOTER_SIZE, 0, fault) ||
        vpc_write_header(writer, entries, fault))
        return -1;
    // "Hard Disk Footer Format": the last sector, also of a file that is padded. qemu-img takes the
    // copy at the start, libvhdi this one only.
    uint64_t length = writer->end + round_up(VPC_FOOTER_SIZE, writer->sector);
    if (file_pwrite(writer->fd, writer->footer, VPC_FOOTER_SIZE, length - VPC_FOOTER_SIZE, fault))
        return -1;
    if (ftruncate(writer->fd, (off_t)length) < 0)
        return fault_errno(fault, "cannot set the length of the vpc file");
    return 0;
}

int vpc_write(struct image_output *output, const struct image_options *options,
              const struct image_source *source, struct image_written *written,
              struct fault *fault) {
    struct vpc_sizes sizes;
    if (options->backing && (options->vpc_fixed || options->backing->format != IMAGE_VPC))
        return fault_set(fault, "only a dynamic vpc disk has a parent, which is a vpc disk too");
    if (vpc_declared_size(options, source->size, &written->virtual_size, fault) ||
        vpc_sizes_of(options->vpc_creator, div_up(source->size, VPC_SECTOR), &sizes, fault))
        return -1;
    struct vpc_writer writer = {
        .fd = output->fd,
        .options = options,
        .source = *source,
        .written = written,
        .current = sizes.current * VPC_SECTOR,
        .sector = (uint32_t)max_u64(options->output_sector, VPC_SECTOR),
    };
    // What no reader sees is not stored.
    writer.source.size = min_u64(source->size, written->virtual_size);
    writer.padded = (struct sectors_source){source, written->virtual_size};
    if (options->backing)
        sectors_source_begin(&writer.padded, &writer.source);
    writer.header_offset = round_up(VPC_FOOTER_SIZE, writer.sector);
    written->recorded_size = writer.current;
    vpc_build_footer(&writer, &sizes);
    return options->vpc_fixed ? vpc_write_fixed(&writer, fault) : vpc_write_dynamic(&writer, fault);
}
