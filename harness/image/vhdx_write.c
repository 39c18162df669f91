// SPDX-License-Identifier: Apache-2.0
//
// Writes dynamic and fixed VHDX files: the block allocation table and the blocks. What stands in
// front of them is in vhdx_write_tables.c.
#include "base/buffer.h"
#include "base/bytes.h"
#include "image/unit_walk.h"
#include "image/vhdx_writer.h"

#include <stdlib.h>
#include <unistd.h>

#define VHDX_DEFAULT_BLOCK_BITS 25u
// An empty disk is the one that QEMU cannot open unless its table is the size that follows from an
// underflow in its arithmetic (0 blocks - 1, in 32 bits); 8 MiB is what qemu-img create then takes.
#define VHDX_EMPTY_BLOCK_BITS 23u

static int vhdx_block_bits(const struct image_options *options, uint64_t size, uint32_t *bits,
                           struct fault *fault) {
    *bits = options->block_bits;
    if (!*bits)
        *bits = size ? VHDX_DEFAULT_BLOCK_BITS : VHDX_EMPTY_BLOCK_BITS;
    if (*bits < 20 || *bits > 28)
        return fault_set(fault, "a vhdx block has 2^20 to 2^28 bytes, not 2^%u", *bits);
    return 0;
}

int vhdx_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                       struct fault *fault) {
    uint32_t bits;
    *declared = 0;
    if (vhdx_block_bits(options, size, &bits, fault))
        return -1;
    if (size > VHDX_MAX_SIZE)
        return fault_set(fault, "a vhdx disk holds at most 64 TiB");
    if (size == 0 && bits == 28)
        return fault_set(fault, "an empty vhdx disk with blocks of 256 MiB cannot be opened by "
                                "qemu-img, nor created");
    *declared = round_up(size, VHDX_LOGICAL_SECTOR);
    return 0;
}

// Bytes of the table's region: whole MiB.
static uint64_t vhdx_table_length(const struct vhdx_writer *writer) {
    uint64_t blocks = div_up(writer->written->virtual_size, writer->written->unit);
    uint64_t entries = vhdx_entries(blocks, writer->chunk_ratio, writer->options->backing);
    if (blocks == 0)
        entries = UINT32_MAX / writer->chunk_ratio; // what QEMU asks for then, see above
    return round_up(entries * 8, VHDX_MIB);
}

int vhdx_put_entry(struct vhdx_writer *writer, uint64_t index, uint64_t value,
                   struct fault *fault) {
    uint8_t *entry = table_out_at(&writer->table, index * 8, fault);
    if (!entry)
        return -1;
    put_le64(entry, value);
    return 0;
}

// Is the block to be stored, and how? Moves writer->end behind what was stored.
static int vhdx_write_block(struct vhdx_writer *writer, const struct unit *unit, uint64_t *entry,
                            struct fault *fault) {
    bool stored = true;
    *entry = VHDX_ZERO;
    if (!unit_wants_bytes(unit))
        return 0;
    if (unit_walk_copy(&writer->walk, unit, writer->fd, writer->end, writer->options->skip_zeros,
                       &stored, fault))
        return -1;
    *entry = stored ? writer->end | VHDX_FULLY_PRESENT : VHDX_NOT_PRESENT;
    writer->end += stored ? writer->written->unit : 0;
    return 0;
}

static int vhdx_write_dynamic(struct vhdx_writer *writer, struct fault *fault) {
    struct image_written *written = writer->written;
    struct unit unit;
    uint64_t entry;
    int more;
    while ((more = unit_walk_next(&writer->walk, &unit, fault)) > 0) {
        if (vhdx_write_block(writer, &unit, &entry, fault))
            return -1;
        if (entry == VHDX_NOT_PRESENT)
            continue;
        if (vhdx_put_entry(writer, vhdx_entry_index(unit.index, writer->chunk_ratio), entry, fault))
            return -1;
        image_map_add(&written->map, unit.offset,
                      min_u64(written->unit, written->virtual_size - unit.offset),
                      entry == VHDX_ZERO ? IMAGE_ZERO : IMAGE_DATA);
    }
    return more;
}

// Every block at its place, whether the source has anything for it or not.
static int vhdx_write_fixed(struct vhdx_writer *writer, struct fault *fault) {
    struct image_written *written = writer->written;
    uint64_t start = writer->end, blocks = div_up(written->virtual_size, written->unit);
    struct unit unit;
    bool stored;
    int more;
    while ((more = unit_walk_next(&writer->walk, &unit, fault)) > 0)
        if (unit_walk_copy(&writer->walk, &unit, writer->fd, start + unit.offset,
                           writer->options->skip_zeros, &stored, fault))
            return -1;
    for (uint64_t block = 0; more == 0 && block < blocks; block++)
        if (vhdx_put_entry(writer, vhdx_entry_index(block, writer->chunk_ratio),
                           (start + block * written->unit) | VHDX_FULLY_PRESENT, fault))
            return -1;
    writer->end = start + blocks * written->unit;
    image_map_add(&written->map, 0, written->virtual_size, IMAGE_DATA);
    return more;
}

static int vhdx_write_all_blocks(struct vhdx_writer *writer, struct fault *fault) {
    table_out_begin(&writer->table, writer->fd, VHDX_BAT_OFFSET, writer->table_length, 0);
    unit_walk_begin(&writer->walk, &writer->source, writer->written->unit);
    int result = writer->options->backing      ? vhdx_write_differencing(writer, fault)
                 : writer->options->vhdx_fixed ? vhdx_write_fixed(writer, fault)
                                               : vhdx_write_dynamic(writer, fault);
    unit_walk_end(&writer->walk);
    return table_out_end(&writer->table, result < 0, fault);
}

// The files of a chain must be told apart.
static void vhdx_choose_identity(const struct image_options *options, uint8_t *identity) {
    static const uint8_t data_write_guid[16] = {0x11, 0x4d, 0x3c, 0x91, 0x5a, 0x27, 0x8b, 0x46,
                                                0xa0, 0x33, 0x69, 0x6e, 0x73, 0x74, 0x61, 0x72};
    memcpy(identity, options->backing ? options->backing->identity : data_write_guid, 16);
    identity[15] += options->backing != NULL;
}

int vhdx_write(struct image_output *output, const struct image_options *options,
               const struct image_source *source, struct image_written *written,
               struct fault *fault) {
    struct vhdx_writer writer = {
        .fd = output->fd, .options = options, .source = *source, .written = written};
    uint32_t bits;
    if (options->backing && (options->vhdx_fixed || options->backing->format != IMAGE_VHDX))
        return fault_set(fault, "only a dynamic vhdx disk has a parent, which is a vhdx disk too");
    if (vhdx_declared_size(options, source->size, &written->virtual_size, fault) ||
        vhdx_block_bits(options, source->size, &bits, fault))
        return -1;
    written->unit = 1u << bits;
    vhdx_choose_identity(options, written->identity);
    writer.padded = (struct sectors_source){source, written->virtual_size};
    if (options->backing)
        sectors_source_begin(&writer.padded, &writer.source);
    writer.chunk_ratio = vhdx_chunk_ratio(VHDX_LOGICAL_SECTOR, written->unit);
    writer.table_length = vhdx_table_length(&writer);
    writer.end = VHDX_BAT_OFFSET + writer.table_length;
    if (vhdx_write_all_blocks(&writer, fault) || vhdx_write_tables(&writer, fault))
        return -1;
    if (ftruncate(writer.fd, (off_t)writer.end) < 0)
        return fault_errno(fault, "cannot set the length of the vhdx file");
    return 0;
}
