// SPDX-License-Identifier: Apache-2.0
//
// Writes dynamic VHDX files that any reader can open at once: two valid headers, an empty log,
// constant identifiers. Layout: header section, log, metadata, table, blocks.
#include "base/buffer.h"
#include "base/bytes.h"
#include "image/unit_walk.h"
#include "image/vhdx.h"

#include <stdlib.h>
#include <unistd.h>

#define VHDX_DEFAULT_BLOCK_BITS 25u
// An empty disk is the one that QEMU cannot open unless its table is the size that follows from an
// underflow in its arithmetic (0 blocks - 1, in 32 bits); 8 MiB is what qemu-img create then takes.
#define VHDX_EMPTY_BLOCK_BITS 23u
#define VHDX_LOG_OFFSET       VHDX_MIB
#define VHDX_METADATA_OFFSET  (2 * VHDX_MIB)
#define VHDX_BAT_OFFSET       (3 * VHDX_MIB)
#define VHDX_LOGICAL_SECTOR   512u
#define VHDX_PHYSICAL_SECTOR  4096u

static const uint8_t file_write_guid[16] = {0x10, 0x4d, 0x3c, 0x91, 0x5a, 0x27, 0x8b, 0x46,
                                            0xa0, 0x33, 0x69, 0x6e, 0x73, 0x74, 0x61, 0x72};
static const uint8_t data_write_guid[16] = {0x11, 0x4d, 0x3c, 0x91, 0x5a, 0x27, 0x8b, 0x46,
                                            0xa0, 0x33, 0x69, 0x6e, 0x73, 0x74, 0x61, 0x72};
static const uint8_t virtual_disk_id[16] = {0x12, 0x4d, 0x3c, 0x91, 0x5a, 0x27, 0x8b, 0x46,
                                            0xa0, 0x33, 0x69, 0x6e, 0x73, 0x74, 0x61, 0x72};

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
static uint64_t vhdx_table_length(uint64_t blocks, uint32_t block_size) {
    uint64_t ratio = vhdx_chunk_ratio(VHDX_LOGICAL_SECTOR, block_size);
    uint64_t entries = UINT32_MAX / ratio; // what QEMU asks for when there is no block, see above
    if (blocks)
        entries = vhdx_entry_index(blocks - 1, ratio) + 1;
    return round_up(entries * 8, VHDX_MIB);
}

// [MS-VHDX] 2.2.1: signature, then the creator in UTF-16.
static int vhdx_write_identifier(int fd, struct fault *fault) {
    static const char creator[] = "instar-fuzz";
    uint8_t identifier[8 + 2 * sizeof creator] = "vhdxfile";
    for (size_t i = 0; creator[i]; i++)
        put_le16(identifier + 8 + 2 * i, (uint8_t)creator[i]);
    return image_pwrite(fd, identifier, sizeof identifier, VHDX_IDENTIFIER_OFFSET, fault);
}

// 2.2.2: the second one, with the larger sequence number, is current. The log GUID stays zero.
static int vhdx_write_headers(int fd, struct fault *fault) {
    static const uint64_t offsets[2] = {VHDX_HEADER_1_OFFSET, VHDX_HEADER_2_OFFSET};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t header[VHDX_HEADER_SIZE] = "head";
        put_le64(header + VHDX_HEADER_SEQUENCE, i + 1);
        memcpy(header + VHDX_HEADER_FILE_WRITE, file_write_guid, 16);
        memcpy(header + VHDX_HEADER_DATA_WRITE, data_write_guid, 16);
        put_le16(header + VHDX_HEADER_VERSION, 1);
        put_le32(header + VHDX_HEADER_LOG_LENGTH, VHDX_MIB);
        put_le64(header + VHDX_HEADER_LOG_OFFSET, VHDX_LOG_OFFSET);
        put_le32(header + VHDX_CHECKSUM_OFFSET, vhdx_checksum(header, sizeof header));
        if (image_pwrite(fd, header, sizeof header, offsets[i], fault))
            return -1;
    }
    return 0;
}

static void vhdx_put_region(uint8_t *entry, const uint8_t *guid, uint64_t offset, uint64_t length) {
    memcpy(entry, guid, 16);
    put_le64(entry + 16, offset);
    put_le32(entry + 24, (uint32_t)length);
    put_le32(entry + 28, 1); // required
}

// 2.2.3: the same table twice.
static int vhdx_write_regions(int fd, uint64_t table_length, struct fault *fault) {
    uint8_t *table = must_realloc(NULL, VHDX_REGIONS_SIZE);
    memset(table, 0, VHDX_REGIONS_SIZE);
    memcpy(table, "regi", 4);
    put_le32(table + 8, 2);
    vhdx_put_region(table + 16, vhdx_bat_region, VHDX_BAT_OFFSET, table_length);
    vhdx_put_region(table + 48, vhdx_metadata_region, VHDX_METADATA_OFFSET, VHDX_MIB);
    put_le32(table + VHDX_CHECKSUM_OFFSET, vhdx_checksum(table, VHDX_REGIONS_SIZE));
    // Only what is not zero: the rest of 64 KiB stays a hole.
    int result = image_pwrite(fd, table, 4096, VHDX_REGIONS_1_OFFSET, fault);
    if (result == 0)
        result = image_pwrite(fd, table, 4096, VHDX_REGIONS_2_OFFSET, fault);
    free(table);
    return result;
}

// 2.6: the table, and the items from 64 KiB on.
static int vhdx_write_metadata(int fd, uint32_t block_size, uint64_t size, struct fault *fault) {
    uint8_t table[32 + VHDX_ITEMS * 32] = "metadata", items[64] = {0};
    put_le16(table + 10, VHDX_ITEMS);
    uint32_t offsets[VHDX_ITEMS], used = 0;
    for (size_t kind = 0; kind < VHDX_ITEMS; kind++) {
        uint8_t *entry = table + 32 + kind * 32;
        offsets[kind] = used;
        memcpy(entry, vhdx_items[kind].guid, 16);
        put_le32(entry + 16, VHDX_METADATA_TABLE + used);
        put_le32(entry + 20, vhdx_items[kind].length);
        put_le32(entry + 24, vhdx_items[kind].flags);
        used += vhdx_items[kind].length;
    }
    put_le32(items + offsets[VHDX_ITEM_PARAMETERS], block_size);
    put_le64(items + offsets[VHDX_ITEM_SIZE], size);
    memcpy(items + offsets[VHDX_ITEM_IDENTITY], virtual_disk_id, 16);
    put_le32(items + offsets[VHDX_ITEM_LOGICAL_SECTOR], VHDX_LOGICAL_SECTOR);
    put_le32(items + offsets[VHDX_ITEM_PHYSICAL_SECTOR], VHDX_PHYSICAL_SECTOR);
    if (image_pwrite(fd, table, sizeof table, VHDX_METADATA_OFFSET, fault))
        return -1;
    return image_pwrite(fd, items, used, VHDX_METADATA_OFFSET + VHDX_METADATA_TABLE, fault);
}

// All the blocks, from *end on; *end moves behind the last one.
static int vhdx_write_blocks(int fd, const struct image_options *options, struct unit_walk *walk,
                             struct table_out *table, uint64_t *end, struct image_written *written,
                             struct fault *fault) {
    uint32_t block_size = written->unit;
    uint64_t ratio = vhdx_chunk_ratio(VHDX_LOGICAL_SECTOR, block_size);
    struct unit unit;
    int more;
    while ((more = unit_walk_next(walk, &unit, fault)) > 0) {
        bool zero = !unit_wants_bytes(&unit), stored = true;
        if (!zero && unit_walk_copy(walk, &unit, fd, *end, options->skip_zeros, &stored, fault))
            return -1;
        if (!stored)
            continue;
        uint8_t *entry = table_out_at(table, vhdx_entry_index(unit.index, ratio) * 8, fault);
        if (!entry)
            return -1;
        put_le64(entry, zero ? VHDX_ZERO : *end | VHDX_FULLY_PRESENT);
        *end += zero ? 0 : block_size;
        image_map_add(&written->map, unit.offset,
                      min_u64(block_size, written->virtual_size - unit.offset),
                      zero ? IMAGE_ZERO : IMAGE_DATA);
    }
    return more;
}

int vhdx_write(struct image_output *output, const struct image_options *options,
               const struct image_source *source, struct image_written *written,
               struct fault *fault) {
    int fd = output->fd;
    uint32_t bits;
    if (vhdx_declared_size(options, source->size, &written->virtual_size, fault) ||
        vhdx_block_bits(options, source->size, &bits, fault))
        return -1;
    written->unit = 1u << bits;
    uint64_t blocks = div_up(written->virtual_size, written->unit);
    uint64_t table_length = vhdx_table_length(blocks, written->unit);
    uint64_t end = VHDX_BAT_OFFSET + table_length;
    struct table_out table;
    struct unit_walk walk;
    table_out_begin(&table, fd, VHDX_BAT_OFFSET, table_length, 0);
    unit_walk_begin(&walk, source, written->unit);
    int result = vhdx_write_blocks(fd, options, &walk, &table, &end, written, fault);
    unit_walk_end(&walk);
    if (table_out_end(&table, result < 0, fault) || vhdx_write_identifier(fd, fault) ||
        vhdx_write_headers(fd, fault) || vhdx_write_regions(fd, table_length, fault) ||
        vhdx_write_metadata(fd, written->unit, written->virtual_size, fault))
        return -1;
    if (ftruncate(fd, (off_t)end) < 0)
        return fault_errno(fault, "cannot set the length of the vhdx file");
    written->file_size = end;
    return 0;
}
