// SPDX-License-Identifier: Apache-2.0
//
// A test case: one image to build and a chain of operations to run on it, decoded from at most
// 4 KiB of engine bytes. One table (testcase/fields.c) describes the encoding; the decoder, the
// encoder, the JSON text form, docs/encoding.md, the dictionary and later the mutator are made
// from it.
//
// The decoder is total (any bytes, also none, are a valid case) and canonical
// (decode . encode . decode = decode). Encoding: a 32-byte header, then 16-byte records, each
// either a guest write or an operation, told apart by its first byte, so that inserted and deleted
// blocks stay aligned. A short header is completed with zero bytes; a partial last record is
// ignored; records beyond the maximum of their kind are ignored. Byte 0 equal to 2 is kept for a
// second version (today: the case with no writes and no operations); any other value is version 1,
// for ever. Reserved bytes are ignored when read and written as 0.
//
// The structs hold what the bytes say, reduced to each field's range. What follows from it (the
// virtual size in bytes, the place of a write) is computed by the case_* functions, never stored.
#ifndef TESTCASE_TESTCASE_H
#define TESTCASE_TESTCASE_H

#include "base/buffer.h"
#include "base/fault.h"
#include "image/content.h"
#include "image/image.h"
#include "testcase/operation.h"

#define CASE_MAX_BYTES      4096
#define CASE_HEADER_BYTES   32
#define CASE_RECORD_BYTES   16
#define CASE_MAX_WRITES     32
#define CASE_MAX_OPERATIONS 8

// Caps that keep a case cheap, whatever its virtual size.
#define CASE_MAX_WRITTEN (4u << 20)   // bytes, sum over all writes; later ones are cut
#define CASE_MAX_SIZE    (2ull << 40) // bytes of virtual size

enum size_class {
    SIZE_SECTORS, // (1 + value % 32768) sectors: up to 16 MiB
    SIZE_UNITS,   // value % 64 source units (at most 64 MiB) + delta sectors
    SIZE_EDGE,    // entry value % 16 of a table of format edges (1 MiB ... 2 TiB) + delta sectors
    SIZE_ODD,     // 1 + value % 16 MiB bytes: any byte count
    SIZE_NONE,    // 0
    SIZE_CLASSES
};

enum write_anchor {
    ANCHOR_START,  // value bytes from the start of the disk
    ANCHOR_SOURCE, // value source units
    ANCHOR_TARGET, // value units of 64 KiB (a common target cluster and grain)
    ANCHOR_END,    // backwards from the end of the disk
    ANCHOR_BLOCK,  // value units of 2 MiB (vpc blocks, large clusters)
    WRITE_ANCHORS
};

enum length_scale { LENGTH_BYTES, LENGTH_SECTORS, LENGTH_UNITS, LENGTH_SCALES };

enum operation_input {
    INPUT_SOURCE,   // the image that was built
    INPUT_A_OUTPUT, // what tool A wrote in the nearest earlier operation with outputs
    INPUT_B_OUTPUT, // what tool B wrote there
    OPERATION_INPUTS
}; // without such an output: the source

// All members are uint32_t or int32_t, so that one table can reach them.
struct case_write {
    uint32_t pattern;      // enum content_pattern
    uint32_t form;         // enum content_form
    uint32_t seed;         // 0..255
    uint32_t anchor;       // enum write_anchor
    uint32_t offset;       // in units of the anchor; reduced to the disk
    int32_t offset_delta;  // -128..127 bytes times delta_scale
    uint32_t delta_scale;  // 0: bytes, 1: sectors
    uint32_t length_scale; // enum length_scale
    uint32_t length;       // 0..65535, + 1, in that scale; one write has at most
                           // CASE_MAX_WRITTEN / 4 bytes
};

struct case_operation {
    uint32_t op;             // enum operation
    uint32_t target;         // enum image_format
    uint32_t input;          // enum operation_input
    uint32_t cluster_bits;   // 0, 9..21
    uint32_t refcount_order; // 0 = not given, 1..7 = 1..64 bits
    uint32_t subformat;      // vmdk: 0 not given, 1 monolithicSparse, 2 streamOptimized
    uint32_t grain_bits;     // vmdk: 0, 12..16
    uint32_t block_bits;     // 0, 19..28; for vhdx at least 20
    uint32_t extended_l2;    // qcow2: 0, 1
};

struct testcase {
    uint32_t format; // enum image_format: of the source
    uint32_t size_class, size_value;
    int32_t size_delta;      // sectors, -128..127
    uint32_t qcow2_version;  // 2, 3
    uint32_t cluster_bits;   // 9..21; raised where the L1 table would exceed 1 MiB
    uint32_t refcount_order; // 0..6 (1 to 64 bits)
    uint32_t lazy_refcounts; // 0, 1
    uint32_t vpc_fixed;      // 0, 1
    uint32_t vpc_creator;    // enum vpc_creator
    uint32_t vmdk_subformat; // enum vmdk_subformat
    uint32_t grain_bits;     // 12..16
    uint32_t block_bits;     // 19..28 (vhdx: at least 20)
    uint32_t extended_l2;    // 0, 1; only with version 3 and cluster_bits >= 14
    uint32_t compression;    // enum qcow2_compression; only with version 3
    uint32_t write_count, operation_count;
    struct case_write writes[CASE_MAX_WRITES];
    struct case_operation operations[CASE_MAX_OPERATIONS];
};

void case_decode(struct testcase *testcase, const uint8_t *data, size_t size);
// Returns the bytes used, at most CASE_MAX_BYTES.
size_t case_encode(const struct testcase *testcase, uint8_t out[CASE_MAX_BYTES]);

uint64_t case_virtual_size(const struct testcase *testcase); // bytes, as asked for
void case_image_options(const struct testcase *testcase, struct image_options *options);
// The source's allocation unit in bytes (raw: 4096).
uint32_t case_source_unit(const struct testcase *testcase);
// Lays all writes into `content` (begun with case_virtual_size), with every cap applied.
void case_content(const struct testcase *testcase, struct content *content);
// Only options that belong to the operation and target; clamped to what keeps a case cheap.
void case_target_options(const struct testcase *testcase, const struct case_operation *operation,
                         struct target_options *options);
// False if running the operation would take too long for a fuzzer (several tenths of a second and
// more, by the sizes involved); *reason is then "cost_cap", else NULL. `operation` is one of the
// case's own, so that its place in the chain is known; a copy is judged as if it came last.
// `reason` may be NULL.
bool case_operation_allowed(const struct testcase *testcase, const struct case_operation *operation,
                            const char **reason);

// The text form: commented JSON written from the table. `case_to_json` adds read-only members whose
// names start with "_" ("_virtual_size", "_extent") that the reader ignores. The reader accepts
// "virtual_size": N in place of the three size_* members where a class can express N exactly,
// members left out take their default, an unknown member or a value out of range is an error.
void case_to_json(const struct testcase *testcase, struct buffer *out);
int case_from_json(struct testcase *testcase, const char *text, struct fault *fault);
// The image and the operations in words, a line each, for `show` and `replay`.
void case_describe(const struct testcase *testcase, struct buffer *out);
// Reads a case file: bytes as they are, or the text form if the file begins with '{' (after
// spaces and comments) and its name ends in ".json". At most CASE_MAX_BYTES of bytes count.
int case_load(struct testcase *testcase, const char *path, struct fault *fault);
// The generated tables: Markdown for docs/encoding.md, AFL/libFuzzer dictionary text.
void case_encoding_markdown(struct buffer *out);
void case_dictionary(struct buffer *out);

#endif
