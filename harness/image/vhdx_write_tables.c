// SPDX-License-Identifier: Apache-2.0
//
// What stands in front of the blocks of a VHDX file, so that any reader can open it at once: two
// valid headers, an empty log, two region tables, the metadata items. Identifiers are constants.
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/vhdx_writer.h"

#include <stdlib.h>

#define VHDX_PHYSICAL_SECTOR 4096u

static const uint8_t file_write_guid[16] = {0x10, 0x4d, 0x3c, 0x91, 0x5a, 0x27, 0x8b, 0x46,
                                            0xa0, 0x33, 0x69, 0x6e, 0x73, 0x74, 0x61, 0x72};
static const uint8_t virtual_disk_id[16] = {0x12, 0x4d, 0x3c, 0x91, 0x5a, 0x27, 0x8b, 0x46,
                                            0xa0, 0x33, 0x69, 0x6e, 0x73, 0x74, 0x61, 0x72};

// [MS-VHDX] 2.2.1: signature, then the creator in UTF-16.
static int vhdx_write_identifier(int fd, struct fault *fault) {
    static const char creator[] = "instar-fuzz";
    uint8_t identifier[8 + 2 * sizeof creator] = "vhdxfile";
    for (size_t i = 0; creator[i]; i++)
        put_le16(identifier + 8 + 2 * i, (uint8_t)creator[i]);
    return file_pwrite(fd, identifier, sizeof identifier, VHDX_IDENTIFIER_OFFSET, fault);
}

// 2.2.2: the second one, with the larger sequence number, is current. The log GUID stays zero.
static int vhdx_write_headers(const struct vhdx_writer *writer, struct fault *fault) {
    static const uint64_t offsets[2] = {VHDX_HEADER_1_OFFSET, VHDX_HEADER_2_OFFSET};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t header[VHDX_HEADER_SIZE] = "head";
        put_le64(header + VHDX_HEADER_SEQUENCE, i + 1);
        memcpy(header + VHDX_HEADER_FILE_WRITE, file_write_guid, 16);
        memcpy(header + VHDX_HEADER_DATA_WRITE, writer->written->identity, 16);
        put_le16(header + VHDX_HEADER_VERSION, 1);
        put_le32(header + VHDX_HEADER_LOG_LENGTH, VHDX_MIB);
        put_le64(header + VHDX_HEADER_LOG_OFFSET, VHDX_LOG_OFFSET);
        put_le32(header + VHDX_CHECKSUM_OFFSET, vhdx_checksum(header, sizeof header));
        if (file_pwrite(writer->fd, header, sizeof header, offsets[i], fault))
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
    int result = file_pwrite(fd, table, 4096, VHDX_REGIONS_1_OFFSET, fault);
    if (result == 0)
        result = file_pwrite(fd, table, 4096, VHDX_REGIONS_2_OFFSET, fault);
    free(table);
    return result;
}

// The bytes of an item; their number.
static uint32_t vhdx_build_item(const struct vhdx_writer *writer, enum vhdx_item kind,
                                uint8_t *item) {
    const struct image_options *options = writer->options;
    switch (kind) {
    case VHDX_ITEM_PARAMETERS:
        put_le32(item, writer->written->unit);
        put_le32(item + 4, options->backing      ? VHDX_HAS_PARENT
                           : options->vhdx_fixed ? VHDX_LEAVE_ALLOCATED
                                                 : 0);
        break;
    case VHDX_ITEM_SIZE:
        put_le64(item, writer->written->virtual_size);
        break;
    case VHDX_ITEM_IDENTITY:
        memcpy(item, virtual_disk_id, 16);
        break;
    case VHDX_ITEM_LOGICAL_SECTOR:
        put_le32(item, VHDX_LOGICAL_SECTOR);
        break;
    case VHDX_ITEM_PHYSICAL_SECTOR:
        put_le32(item, VHDX_PHYSICAL_SECTOR);
        break;
    case VHDX_ITEM_PARENT:
        return vhdx_build_locator(options->backing, item);
    case VHDX_ITEMS:
        break;
    }
    return vhdx_items[kind].length;
}

// 2.6: the table, and the items from 64 KiB on.
static int vhdx_write_metadata(const struct vhdx_writer *writer, struct fault *fault) {
    uint8_t table[32 + VHDX_ITEMS * 32] = "metadata", items[64 + VHDX_LOCATOR_ROOM] = {0};
    unsigned kinds = writer->options->backing ? VHDX_ITEMS : VHDX_COMMON_ITEMS;
    uint32_t used = 0;
    put_le16(table + 10, (uint16_t)kinds);
    for (unsigned kind = 0; kind < kinds; kind++) {
        uint8_t *entry = table + 32 + kind * 32;
        uint32_t length = vhdx_build_item(writer, (enum vhdx_item)kind, items + used);
        memcpy(entry, vhdx_items[kind].guid, 16);
        put_le32(entry + 16, VHDX_METADATA_TABLE + used);
        put_le32(entry + 20, length);
        put_le32(entry + 24, vhdx_items[kind].flags);
        used += length;
    }
    if (file_pwrite(writer->fd, table, sizeof table, VHDX_METADATA_OFFSET, fault))
        return -1;
    return file_pwrite(writer->fd, items, used, VHDX_METADATA_OFFSET + VHDX_METADATA_TABLE, fault);
}

int vhdx_write_tables(const struct vhdx_writer *writer, struct fault *fault) {
    return vhdx_write_identifier(writer->fd, fault) || vhdx_write_headers(writer, fault) ||
                   vhdx_write_regions(writer->fd, writer->table_length, fault) ||
                   vhdx_write_metadata(writer, fault)
               ? -1
               : 0;
}
