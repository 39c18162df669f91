// SPDX-License-Identifier: Apache-2.0
//
// The operations that a case can ask of the tools, and the options of a target format that both
// sides may know. Shared by the decoder, the tool adapters and the oracles.
#ifndef TESTCASE_OPERATION_H
#define TESTCASE_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

enum operation { OP_INFO, OP_CHECK, OP_MEASURE, OP_CONVERT, OP_CONVERT_COMPRESSED, OPERATIONS };

// As reports and signatures write them: "info", "check", "measure", "convert",
// "convert_compressed".
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

// 0 everywhere means "not given on the command line". An option of another target is never set.
struct target_options {
    uint32_t cluster_bits;   // qcow2: 9..21 (measure and convert)
    uint32_t refcount_bits;  // qcow2, measure only: 1..64
    uint32_t vmdk_subformat; // measure only: 1 monolithicSparse, 2 streamOptimized
    uint32_t grain_bits;     // vmdk: 12..16 (only instar knows it)
    uint32_t block_bits;     // vpc 19..28 (only instar knows it); vhdx 20..28
    uint32_t extended_l2;    // qcow2: 1 (measure and convert)
};

#endif
