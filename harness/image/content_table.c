// SPDX-License-Identifier: Apache-2.0
//
// Partition tables and magics as constant sectors, made once. Sources: UEFI Specification 2.10,
// sections 5.2.1 (legacy MBR), 5.2.3 (protective MBR) and 5.3 (GPT disk layout).
#include "image/content_table.h"

#include "base/bytes.h"

#include <string.h>
#include <zlib.h>

#define SECTOR 512
// A GPT of 128 entries: protective MBR, header, 32 sectors of entries.
#define TABLE_BYTES (34 * SECTOR)
// The disk that the tables speak of: 16 MiB, whatever the disk's true size is. Readers that look
// for a table only do not mind; those that follow it find its end elsewhere.
#define DISK_SECTORS 32768u

static uint8_t mbr[SECTOR], gpt[TABLE_BYTES], qcow2_header[SECTOR], vpc_footer[SECTOR];

static void put_partition(uint8_t *sector, uint8_t flag, uint8_t type, uint32_t first,
                          uint32_t sectors) {
    uint8_t *entry = sector + 446;
    entry[0] = flag;
    entry[4] = type;
    put_le32(entry + 8, first);
    put_le32(entry + 12, sectors);
    sector[510] = 0x55;
    sector[511] = 0xaa;
}

static void make_gpt(void) {
    put_partition(gpt, 0, 0xee, 1, DISK_SECTORS - 1);
    uint8_t *header = gpt + SECTOR, *entries = gpt + 2 * SECTOR;
    // One partition: type "Linux filesystem", any unique identifier.
    static const uint8_t linux_type[16] = {0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47,
                                           0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4};
    memcpy(entries, linux_type, sizeof linux_type);
    memset(entries + 16, 0x5a, 16);
    put_le64(entries + 32, 2048);
    put_le64(entries + 40, DISK_SECTORS - 2048);
    memcpy(header, "EFI PART", 8);
    put_le32(header + 8, 0x00010000);
    put_le32(header + 12, 92);
    put_le64(header + 24, 1);
    put_le64(header + 32, DISK_SECTORS - 1);
    put_le64(header + 40, 34);
    put_le64(header + 48, DISK_SECTORS - 34);
    memset(header + 56, 0xa5, 16);
    put_le64(header + 72, 2);
    put_le32(header + 80, 128);
    put_le32(header + 84, 128);
    put_le32(header + 88, (uint32_t)crc32(0, entries, 32 * SECTOR));
    put_le32(header + 16, (uint32_t)crc32(0, header, 92));
}

__attribute__((constructor)) static void make_tables(void) {
    put_partition(mbr, 0x80, 0x83, 2048, DISK_SECTORS - 2048);
    make_gpt();
    // Version 3, 64 KiB clusters, 1 MiB: as much as a reader needs to be sure of itself.
    put_be32(qcow2_header, 0x514649fb);
    put_be32(qcow2_header + 4, 3);
    put_be32(qcow2_header + 20, 16);
    put_be64(qcow2_header + 24, 1 << 20);
    memcpy(vpc_footer, "conectix", 8);
    put_be32(vpc_footer + 60, 2);
}

const uint8_t *content_table_word(enum content_pattern pattern, uint64_t word) {
    static const struct {
        const uint8_t *bytes;
        size_t length;
    } tables[CONTENT_PATTERNS] = {
        [PATTERN_MBR] = {mbr, sizeof mbr},
        [PATTERN_GPT] = {gpt, sizeof gpt},
        [PATTERN_QCOW2_HEADER] = {qcow2_header, sizeof qcow2_header},
        [PATTERN_VPC_FOOTER] = {vpc_footer, sizeof vpc_footer},
    };
    return tables[pattern].bytes && word < tables[pattern].length / 8
               ? tables[pattern].bytes + word * 8
               : NULL;
}
