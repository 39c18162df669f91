// SPDX-License-Identifier: Apache-2.0
//
// The operations that a case can ask of the tools, and the options of a target format that both
// sides may know. Shared by the decoder, the tool adapters and the oracles.
#ifndef TESTCASE_OPERATION_H
#define TESTCASE_OPERATION_H

#include "image/image.h"

#include <stdbool.h>
#include <stdint.h>

// Those below OPERATIONS are what a case can hold; the others are asked beside a step
// (harness/cross.h), and no encoding has a number for them.
enum operation {
    OP_INFO,
    OP_CHECK,
    OP_MEASURE,
    OP_CONVERT,
    OP_CONVERT_COMPRESSED,
    OPERATIONS,
    OP_MAP = OPERATIONS,
    OP_COMPARE,
    TOOL_OPERATIONS
};

// As reports and signatures write them: "info", "check", "measure", "convert",
// "convert_compressed". The encoding of a case has one value for each, and no other.
extern const char *const operation_names[OPERATIONS];

static inline bool operation_writes(enum operation op) {
    return op == OP_CONVERT || op == OP_CONVERT_COMPRESSED;
}
// Entries of a qcow2 L1 table for a disk of `size` bytes: one covers an L2 table's worth of
// clusters, half as many where entries have 16 bytes. Below 2^63 bytes.
uint64_t operation_l1_entries(uint64_t size, uint32_t cluster_bits, bool extended_l2);

static inline bool operation_has_target(enum operation op) {
    return op == OP_MEASURE || operation_writes(op);
}

enum target_preallocation {
    PREALLOCATION_NOT_GIVEN,
    PREALLOCATION_OFF,
    PREALLOCATION_METADATA,
    PREALLOCATION_FALLOC,
    PREALLOCATION_FULL,
    PREALLOCATIONS
};

// The values are those of the encoded member `subformat`, and flat's behind them.
enum target_subformat {
    SUBFORMAT_NOT_GIVEN,
    SUBFORMAT_SPARSE = VMDK_SPARSE + 1, // measure only
    SUBFORMAT_STREAM = VMDK_STREAM + 1, // measure only
    SUBFORMAT_FLAT = VMDK_FLAT + 1,     // measure and convert
};

// Of one that is given.
static inline const char *target_subformat_name(uint32_t subformat) {
    return vmdk_create_types[subformat - 1];
}

// 0 everywhere means "not given on the command line". An option of another target is never set.
struct target_options {
    uint32_t cluster_bits;   // qcow2: 9..21 (measure and convert)
    uint32_t refcount_bits;  // qcow2, measure only: 1..64
    uint32_t vmdk_subformat; // enum target_subformat
    uint32_t grain_bits;     // vmdk: 12..16 (only instar knows it)
    uint32_t block_bits;     // vpc 19..28 (only instar knows it); vhdx 20..28
    uint32_t extended_l2;    // qcow2: 1 (measure and convert)
    uint32_t lazy_refcounts; // qcow2, measure only: 1
    uint32_t preallocation;  // qcow2, measure only: enum target_preallocation
    uint32_t compat;         // qcow2, measure only: 1 "0.10", 2 "1.1"
    uint32_t compression;    // qcow2, measure only: 1 zlib, 2 zstd
    uint32_t no_skip_zeros;  // convert, any target: 1
    uint32_t snapshot;       // convert, any target: 1.. = index of the source's snapshot + 1
    uint32_t size_only;      // measure, any target: 1 = of the case's size, without a file
};

#endif
