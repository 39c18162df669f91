// SPDX-License-Identifier: Apache-2.0
//
// Refcounts of 1 to 64 bits, for the writer that stores them and the check that reads them.
#include "image/qcow2.h"

#include "base/bytes.h"

// Entries below a byte start at the least significant bit; larger ones are big endian (spec "Host
// cluster management", "Refcount block entry").
uint64_t qcow2_get_refcount(const uint8_t *block, uint64_t index, uint32_t order) {
    switch (order) {
    case 3:
        return block[index];
    case 4:
        return get_be16(block + index * 2);
    case 5:
        return get_be32(block + index * 4);
    case 6:
        return get_be64(block + index * 8);
    default: {
        uint32_t bits = 1u << order, per_byte = 8 / bits;
        return block[index / per_byte] >> (index % per_byte * bits) & ((1u << bits) - 1);
    }
    }
}

void qcow2_set_refcount(uint8_t *block, uint64_t index, uint32_t order, uint64_t value) {
    switch (order) {
    case 3:
        block[index] = (uint8_t)value;
        break;
    case 4:
        put_be16(block + index * 2, (uint16_t)value);
        break;
    case 5:
        put_be32(block + index * 4, (uint32_t)value);
        break;
    case 6:
        put_be64(block + index * 8, value);
        break;
    default: {
        uint32_t bits = 1u << order, per_byte = 8 / bits;
        uint32_t shift = (uint32_t)(index % per_byte) * bits, mask = (1u << bits) - 1;
        uint8_t *byte = &block[index / per_byte];
        *byte = (uint8_t)((*byte & ~(mask << shift)) | ((uint32_t)value & mask) << shift);
    }
    }
}
