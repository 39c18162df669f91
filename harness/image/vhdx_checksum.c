// SPDX-License-Identifier: Apache-2.0
//
// The checksum of VHDX structures. They are up to 64 KiB long and nearly all zeros, and every open
// of a file checks four of them: blocks of zeros are stepped over at once.
#include "base/bytes.h"
#include "image/vhdx.h"

#define ZERO_BLOCK 512u // bytes

static uint32_t bytes_table[256];    // of one byte, by the checksum's low byte
static uint32_t zeros_table[4][256]; // of ZERO_BLOCK zeros, by each byte of the checksum

static uint32_t add_bytes(uint32_t crc, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        crc = crc >> 8 ^ bytes_table[(crc ^ bytes[i]) & 0xff];
    return crc;
}

// What zeros make of a checksum is linear: the sum of what they make of each of its bits.
__attribute__((constructor)) static void make_tables(void) {
    static const uint8_t zeros[ZERO_BLOCK];
    uint32_t of_bit[32];
    for (uint32_t i = 0; i < 256; i++) {
        bytes_table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            bytes_table[i] = bytes_table[i] >> 1 ^ (bytes_table[i] & 1 ? 0x82f63b78u : 0);
    }
    for (uint32_t bit = 0; bit < 32; bit++)
        of_bit[bit] = add_bytes(1u << bit, zeros, sizeof zeros);
    for (uint32_t at = 0; at < 4; at++)
        for (uint32_t i = 0; i < 256; i++)
            for (uint32_t bit = 0; bit < 8; bit++)
                zeros_table[at][i] ^= i >> bit & 1 ? of_bit[at * 8 + bit] : 0;
}

static uint32_t add(uint32_t crc, const uint8_t *bytes, size_t length) {
    for (; length >= ZERO_BLOCK; bytes += ZERO_BLOCK, length -= ZERO_BLOCK)
        crc = bytes_are_zero(bytes, ZERO_BLOCK)
                  ? zeros_table[0][crc & 0xff] ^ zeros_table[1][crc >> 8 & 0xff] ^
                        zeros_table[2][crc >> 16 & 0xff] ^ zeros_table[3][crc >> 24]
                  : add_bytes(crc, bytes, ZERO_BLOCK);
    return add_bytes(crc, bytes, length);
}

uint32_t vhdx_crc32c(const void *bytes, size_t length) {
    return ~add(~0u, bytes, length);
}

uint32_t vhdx_checksum(const uint8_t *bytes, size_t length) {
    static const uint8_t none[4];
    uint32_t crc = add(~0u, bytes, VHDX_CHECKSUM_OFFSET);
    crc = add(crc, none, sizeof none);
    size_t behind = VHDX_CHECKSUM_OFFSET + sizeof none;
    return ~add(crc, bytes + behind, length - behind);
}
