// SPDX-License-Identifier: Apache-2.0
//
// Facts of the VHDX format that its reader and its writer must share: identifiers, the checksum,
// and where in the table a block is.
#include "base/bytes.h"
#include "image/vhdx.h"

// [MS-VHDX] 2.2.3.2
const uint8_t vhdx_bat_region[16] = {0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42,
                                     0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08};
const uint8_t vhdx_metadata_region[16] = {0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
                                          0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e};
// 2.6.2.6.1
const uint8_t vhdx_locator_type[16] = {0xb7, 0xef, 0x4a, 0xb0, 0x9e, 0xd1, 0x81, 0x4a,
                                       0xb7, 0x89, 0x25, 0xb8, 0xe9, 0x44, 0x59, 0x13};

const struct vhdx_item_kind vhdx_items[VHDX_ITEMS] = {
    // 2.6.2.1: block size, flags
    {{0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7,
      0x6b},
     8,
     4},
    // 2.6.2.2
    {{0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4,
      0xb8},
     8,
     6},
    // 2.6.2.3: virtual disk id ("page 83 data")
    {{0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45, 0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7,
      0x46},
     16,
     6},
    // 2.6.2.4
    {{0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47, 0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab,
      0x5f},
     4,
     6},
    // 2.6.2.5
    {{0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44, 0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5,
      0x56},
     4,
     6},
    // 2.6.2.6
    {{0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45, 0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab,
      0x0c},
     VHDX_LOCATOR_HEADER,
     4},
};

uint32_t vhdx_crc32c(const void *bytes, size_t length) {
    static uint32_t table[256];
    if (!table[255])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; bit++)
                value = value >> 1 ^ (value & 1 ? 0x82f63b78u : 0);
            table[i] = value;
        }
    uint32_t crc = ~0u;
    for (const uint8_t *at = bytes, *end = at + length; at < end; at++)
        crc = crc >> 8 ^ table[(crc ^ *at) & 0xff];
    return ~crc;
}

uint32_t vhdx_checksum(const uint8_t *bytes, size_t length) {
    // Both structures are at most 64 KiB, and the field is near the front: a copy of the front is
    // cheaper than a checksum in three parts.
    uint8_t copy[VHDX_REGIONS_SIZE];
    memcpy(copy, bytes, length);
    memset(copy + VHDX_CHECKSUM_OFFSET, 0, 4);
    return vhdx_crc32c(copy, length);
}

uint64_t vhdx_chunk_ratio(uint32_t logical_sector, uint32_t block_size) {
    return ((uint64_t)1 << 23) * logical_sector / block_size;
}

uint64_t vhdx_entry_index(uint64_t block, uint64_t chunk_ratio) {
    return block + block / chunk_ratio;
}

uint64_t vhdx_entries(uint64_t blocks, uint64_t chunk_ratio, bool differencing) {
    if (blocks == 0)
        return 0;
    return differencing ? div_up(blocks, chunk_ratio) * (chunk_ratio + 1)
                        : vhdx_entry_index(blocks - 1, chunk_ratio) + 1;
}
