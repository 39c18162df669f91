// SPDX-License-Identifier: Apache-2.0
//
// A test case: one image to build and a chain of operations to run on it, decoded from at most
// 4 KiB of engine bytes. One table (testcase/fields.c) describes the encoding; the decoder, the
// encoder, the JSON text form, docs/encoding.md, the dictionary and the mutator are made
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
#define CASE_MAX_LAYERS     4 // files of a chain

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

// What a layer below the source is. The chain ends at the first BACKING_NONE, and at a format that
// cannot have files below it (see case_layers).
enum case_backing {
    BACKING_NONE,
    BACKING_RAW,
    BACKING_QCOW2,
    BACKING_VPC,
    BACKING_VMDK,
    BACKING_VHDX,
    BACKINGS
};

// Size of a layer below the source, by the source's.
enum backing_size {
    BACKING_SAME,
    BACKING_SECTOR_SHORTER,
    BACKING_HALF,
    BACKING_UNIT_LONGER, // 64 KiB
    BACKING_DOUBLE,
    BACKING_ODD_SHORTER, // 1 byte
    BACKING_ODD_LONGER,  // 513 bytes
    BACKING_TINY,        // one sector
    BACKING_SIZES
};

// The layout of a vmdk source; the first leaves it to vmdk_subformat.
enum case_layout { LAYOUT_SINGLE, LAYOUT_FLAT, LAYOUT_SPLIT_SPARSE, LAYOUT_SPLIT_FLAT, LAYOUTS };

// What a write lays down instead of its pattern. Only the first sectors of a disk make it what it
// is called; elsewhere it is data like any other.
enum write_table {
    TABLE_NONE,
    TABLE_MBR,
    TABLE_GPT,
    TABLE_QCOW2_HEADER, // bytes that look like another format's beginning
    TABLE_VPC_FOOTER,
    WRITE_TABLES
};

enum bitmap_flags { BITMAP_AUTO, BITMAP_DISABLED, BITMAP_IN_USE, BITMAP_FLAGS };
enum snapshot_size { SNAPSHOT_SAME, SNAPSHOT_SHORTER, SNAPSHOT_LONGER, SNAPSHOT_SIZES };

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
    uint32_t layer;        // 0 the source, 1.. the files below it; reduced to the chain
    uint32_t table;        // enum write_table
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
    uint32_t flat;           // vmdk: subformat monolithicFlat, whatever `subformat` says
    uint32_t no_skip_zeros;  // convert: store zeros too
    uint32_t size_only;      // measure: of a size, without a file
    uint32_t lazy_refcounts; // measure for qcow2
    uint32_t snapshot;       // convert: 0, or 1.. of the source's internal snapshots, in a circle
    uint32_t preallocation;  // measure for qcow2: enum target_preallocation
    uint32_t compat;         // measure for qcow2: 0 not given, 1 "0.10", 2 "1.1"
    uint32_t compression;    // measure for qcow2: 0 not given, 1 zlib, 2 zstd
};

struct testcase {
    uint32_t format; // enum image_format: of the source
    uint32_t size_class, size_value;
    int32_t size_delta;                 // sectors, -128..127
    uint32_t qcow2_version;             // 2, 3
    uint32_t cluster_bits;              // 9..21; raised where the L1 table would exceed 1 MiB
    uint32_t refcount_order;            // 0..6 (1 to 64 bits)
    uint32_t lazy_refcounts;            // 0, 1
    uint32_t vpc_fixed;                 // 0, 1
    uint32_t vpc_creator;               // enum vpc_creator
    uint32_t vmdk_subformat;            // enum vmdk_subformat
    uint32_t grain_bits;                // 12..16
    uint32_t block_bits;                // 19..28 (vhdx: at least 20)
    uint32_t extended_l2;               // 0, 1; only with version 3 and cluster_bits >= 14
    uint32_t compression;               // enum qcow2_compression; only with version 3
    uint32_t backing_1, backing_1_size; // enum case_backing, enum backing_size
    uint32_t backing_2, backing_2_size;
    uint32_t backing_3, backing_3_size;
    uint32_t backing_cluster_bits; // of qcow2 layers below the source: 0 as the source, 9..21
    uint32_t vmdk_layout;          // enum case_layout
    uint32_t vhdx_fixed;           // 0, 1
    uint32_t vpc_application;      // 0 as vpc_creator says, else enum vpc_creator + 1
    uint32_t snapshots;            // qcow2: 0..3; taken between the writes, evenly spread
    uint32_t snapshot_size;        // enum snapshot_size: of the first one
    uint32_t bitmaps;              // qcow2 version 3: 0..3
    uint32_t bitmap_flags;         // enum bitmap_flags: of the last one
    uint32_t bitmap_bits;          // log2 of its granularity: 0 = 16, 9..31
    uint32_t data_file;            // qcow2 version 3: enum qcow2_data_file
    uint32_t vmdk_sector_extents;  // 0, 1
    uint32_t write_count, operation_count;
    // Not of the encoding: which file of the chain the functions below speak of; see case_layer.
    uint32_t layer;
    uint32_t layers;     // of a layer below the source: how many files the case has
    uint64_t layer_size; // of it too; bytes
    struct case_write writes[CASE_MAX_WRITES];
    struct case_operation operations[CASE_MAX_OPERATIONS];
};

void case_decode(struct testcase *testcase, const uint8_t *data, size_t size);
// Returns the bytes used, at most CASE_MAX_BYTES.
size_t case_encode(const struct testcase *testcase, uint8_t out[CASE_MAX_BYTES]);

// --- the chain: layer 0 is the source, layer n + 1 is the file below layer n ---------------------
// How many files the case builds: 1 to CASE_MAX_LAYERS. A qcow2 file can have a file of any format
// below it, a vmdk file of one sparse extent another vmdk, and no other format any.
uint32_t case_layers(const struct testcase *testcase);
// The same case with that layer in the place of the source, so that size, options, writes and caps
// of it are asked for by the functions below. Layer 0 gives the case itself.
void case_layer(const struct testcase *testcase, uint32_t layer, struct testcase *as_source);

// --- internal snapshots and bitmaps of a qcow2 source --------------------------------------------
#define CASE_MAX_SNAPSHOTS 3
#define CASE_MAX_BITMAPS   3
uint32_t case_snapshots(const struct testcase *testcase);
// ID and name are constants. The second one's name is the first one's ID.
const char *case_snapshot_id(uint32_t index);
const char *case_snapshot_name(uint32_t index);
uint64_t case_snapshot_size(const struct testcase *testcase, uint32_t index); // guest bytes
// Lays the source's writes up to that snapshot over `content`.
void case_snapshot_writes(const struct testcase *testcase, uint32_t index, struct content *content);
uint32_t case_bitmaps(const struct testcase *testcase);
// `dirty` gets the ranges whose bits are set; bitmap->dirty is for the caller.
void case_bitmap(const struct testcase *testcase, uint32_t index, struct image_bitmap *bitmap,
                 struct image_map *dirty);

uint64_t case_virtual_size(const struct testcase *testcase); // bytes, as asked for
// Of the source's file alone: backing, snapshots and bitmaps are for the caller to fill in.
void case_image_options(const struct testcase *testcase, struct image_options *options);
// The source's allocation unit in bytes (raw: 4096).
uint32_t case_source_unit(const struct testcase *testcase);
// Lays the layer's writes over `content`, with every cap applied.
void case_writes(const struct testcase *testcase, struct content *content);
// The same into an empty content, begun with case_virtual_size.
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

// The same of the convert behind a measure, with the units of the measure, which alone cost
// nothing.
bool case_fit_allowed(const struct testcase *testcase, const struct case_operation *measure);

// The text form: commented JSON written from the table. `case_to_json` adds read-only members whose
// names start with "_" ("_virtual_size", "_extent") that the reader ignores. The reader accepts
// "virtual_size": N in place of the three size_* members where a class can express N exactly,
// members left out take their default, an unknown member or a value out of range is an error.
void case_to_json(const struct testcase *testcase, struct buffer *out);
// The same without help and without what has its default, one line for the image and one for each
// write and operation.
void case_to_json_brief(const struct testcase *testcase, struct buffer *out);
int case_from_json(struct testcase *testcase, const char *text, struct fault *fault);
// A line for each member that differs from its default without changing what the case builds or
// asks, with the sentence of the encoding table that says what it is for. In idle.c.
void case_tell_idle(const struct testcase *testcase, const char *before, struct buffer *out);
// The image and the operations in words, a line each, for `show` and `replay`.
void case_describe(const struct testcase *testcase, struct buffer *out);
// Reads a case file: the text form if its name ends in ".json", else bytes as they are, of which at
// most CASE_MAX_BYTES count.
int case_load(struct testcase *testcase, const char *path, struct fault *fault);
// The generated tables: Markdown for docs/encoding.md, AFL/libFuzzer dictionary text.
void case_encoding_markdown(struct buffer *out);
void case_dictionary(struct buffer *out);

#endif
