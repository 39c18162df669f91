// SPDX-License-Identifier: Apache-2.0
//
// The one table that describes the encoding. It exists so that the decoder, the encoder, the JSON
// form, the mutator, the dictionary and docs/encoding.md cannot disagree: all of them are loops
// over these rows. fields.h has the rules by which it may grow.

#include "testcase/fields.h"

#include <stddef.h>

const char *const case_record_names[CASE_RECORDS] = {"header", "write", "operation"};

const char *const case_format_names[IMAGE_FORMATS] = {
    [IMAGE_RAW] = "raw",   [IMAGE_QCOW2] = "qcow2", [IMAGE_VPC] = "vpc",
    [IMAGE_VMDK] = "vmdk", [IMAGE_VHDX] = "vhdx",
};

// Words that written cases hold stand here in full, whatever the same thing is called elsewhere: a
// name that changes there must not make them unreadable.
static const char *const size_class_names[SIZE_CLASSES] = {
    [SIZE_SECTORS] = "sectors", [SIZE_UNITS] = "units", [SIZE_EDGE] = "edge",
    [SIZE_ODD] = "odd",         [SIZE_NONE] = "none",
};
static const char *const vpc_creator_names[] = {
    [VPC_CREATOR_QEMU] = "qemu",
    [VPC_CREATOR_QEM2] = "qem2",
};
static const char *const compression_names[] = {
    [QCOW2_ZLIB] = "zlib",
    [QCOW2_ZSTD] = "zstd",
};
static const char *const vmdk_subformat_names[] = {
    [VMDK_SPARSE] = "monolithicSparse",
    [VMDK_STREAM] = "streamOptimized",
};
static const char *const pattern_names[CONTENT_PLAIN_PATTERNS] = {
    [PATTERN_ZERO] = "zero",
    [PATTERN_CONSTANT] = "constant",
    [PATTERN_COUNTER] = "counter",
    [PATTERN_NOISE] = "noise",
};
static const char *const form_names[CONTENT_FORMS] = {
    [FORM_NORMAL] = "normal",
    [FORM_COMPRESSED] = "compressed",
    [FORM_ZERO] = "zero",
    [FORM_ZERO_ALLOCATED] = "zero_allocated",
};
static const char *const anchor_names[WRITE_ANCHORS] = {
    [ANCHOR_START] = "start", [ANCHOR_SOURCE] = "source", [ANCHOR_TARGET] = "target",
    [ANCHOR_END] = "end",     [ANCHOR_BLOCK] = "block",
};
static const char *const delta_scale_names[] = {"bytes", "sectors"};
static const char *const length_scale_names[LENGTH_SCALES] = {
    [LENGTH_BYTES] = "bytes",
    [LENGTH_SECTORS] = "sectors",
    [LENGTH_UNITS] = "units",
};
static const char *const input_names[OPERATION_INPUTS] = {
    [INPUT_SOURCE] = "source",
    [INPUT_A_OUTPUT] = "a_output",
    [INPUT_B_OUTPUT] = "b_output",
};
static const char *const backing_names[BACKINGS] = {
    [BACKING_NONE] = "none", [BACKING_RAW] = "raw",   [BACKING_QCOW2] = "qcow2",
    [BACKING_VPC] = "vpc",   [BACKING_VMDK] = "vmdk", [BACKING_VHDX] = "vhdx",
};
static const char *const backing_size_names[BACKING_SIZES] = {
    [BACKING_SAME] = "same",
    [BACKING_SECTOR_SHORTER] = "sector_shorter",
    [BACKING_HALF] = "half",
    [BACKING_UNIT_LONGER] = "unit_longer",
    [BACKING_DOUBLE] = "double",
    [BACKING_ODD_SHORTER] = "odd_shorter",
    [BACKING_ODD_LONGER] = "odd_longer",
    [BACKING_TINY] = "tiny",
};
static const char *const layout_names[LAYOUTS] = {
    [LAYOUT_SINGLE] = "single",
    [LAYOUT_FLAT] = "monolithicFlat",
    [LAYOUT_SPLIT_SPARSE] = "twoGbMaxExtentSparse",
    [LAYOUT_SPLIT_FLAT] = "twoGbMaxExtentFlat",
};
static const char *const application_names[VPC_CREATORS + 1] = {
    "as_vpc_creator",
    [VPC_CREATOR_QEMU + 1] = "qemu",
    [VPC_CREATOR_QEM2 + 1] = "qem2",
    [VPC_CREATOR_VPC + 1] = "vpc",
    [VPC_CREATOR_VS + 1] = "vs",
    [VPC_CREATOR_VSIM + 1] = "vsim",
    [VPC_CREATOR_WA + 1] = "wa",
    [VPC_CREATOR_IMGO + 1] = "imgo",
    [VPC_CREATOR_WIN + 1] = "win",
    [VPC_CREATOR_D2V + 1] = "d2v",
    [VPC_CREATOR_TAP + 1] = "tap",
    [VPC_CREATOR_CTXS + 1] = "CTXS",
};
static const char *const table_names[WRITE_TABLES] = {
    [TABLE_NONE] = "none",
    [TABLE_MBR] = "mbr",
    [TABLE_GPT] = "gpt",
    [TABLE_QCOW2_HEADER] = "qcow2_header",
    [TABLE_VPC_FOOTER] = "vpc_footer",
};
static const char *const snapshot_size_names[SNAPSHOT_SIZES] = {
    [SNAPSHOT_SAME] = "same",
    [SNAPSHOT_SHORTER] = "shorter",
    [SNAPSHOT_LONGER] = "longer",
};
static const char *const bitmap_flags_names[BITMAP_FLAGS] = {
    [BITMAP_AUTO] = "auto",
    [BITMAP_DISABLED] = "disabled",
    [BITMAP_IN_USE] = "in_use",
};
static const char *const data_file_names[QCOW2_DATA_FILES] = {
    [QCOW2_DATA_INSIDE] = "none",
    [QCOW2_DATA_FILE] = "data_file",
    [QCOW2_DATA_FILE_RAW] = "data_file_raw",
};
static const char *const preallocation_names[PREALLOCATIONS] = {
    [PREALLOCATION_NOT_GIVEN] = "default", [PREALLOCATION_OFF] = "off",
    [PREALLOCATION_METADATA] = "metadata", [PREALLOCATION_FALLOC] = "falloc",
    [PREALLOCATION_FULL] = "full",
};
static const char *const compat_names[] = {"default", "0.10", "1.1"};
static const char *const target_compression_names[] = {"default", "zlib", "zstd"};
static const char *const target_subformat_names[] = {"default", "monolithicSparse",
                                                     "streamOptimized"};

// clang-format off
#define ROW(record_, struct_, name_, at_, width_, ...) \
    {.name = #name_, .record = record_, .at = at_, .width = width_, \
     .member = offsetof(struct struct_, name_), __VA_ARGS__}
#define HEADER(...)    ROW(RECORD_HEADER, testcase, __VA_ARGS__)
#define WRITE(...)     ROW(RECORD_WRITE, case_write, __VA_ARGS__)
#define OPERATION(...) ROW(RECORD_OPERATION, case_operation, __VA_ARGS__)

#define ENUM(names_)         .kind = FIELD_ENUM, .high = sizeof names_ / sizeof *names_ - 1, .names = names_
#define FLAG                 .kind = FIELD_FLAG, .high = 1
#define RANGE(low_, high_)   .kind = FIELD_RANGE, .low = low_, .high = high_
#define OPTIONAL(low_, high_) .kind = FIELD_OPTIONAL, .low = low_, .high = high_
#define SIGNED_BYTE          .kind = FIELD_SIGNED, .low = -128, .high = 127
#define DEFAULT(value_)      .initial = value_
#define WEIGHT(value_)       .weight = value_
#define DIVISOR(value_)      .divisor = value_
#define SHOWN                .shown = true
#define HELP(text_)          .help = text_

const struct case_field case_fields[] = {
    // Byte 0 is the version.
    HEADER(format, 1, 1, ENUM(case_format_names), WEIGHT(8), SHOWN,
           HELP("Format of the source image.")),
    HEADER(size_class, 2, 1, ENUM(size_class_names), WEIGHT(6), SHOWN,
           HELP("How size_value becomes the virtual size.")),
    HEADER(size_delta, 3, 1, SIGNED_BYTE, WEIGHT(4), SHOWN,
           HELP("Sectors added to a size of class units or edge.")),
    HEADER(size_value, 4, 4, RANGE(0, 0xffffff), WEIGHT(6), SHOWN,
           HELP("The number that the size class reads.")),
    HEADER(qcow2_version, 8, 1, RANGE(2, 3), DEFAULT(3), WEIGHT(2), SHOWN,
           HELP("qcow2: version of the header.")),
    HEADER(cluster_bits, 9, 1, RANGE(9, 21), DEFAULT(16), WEIGHT(4), SHOWN,
           HELP("qcow2: log2 of the cluster size; raised where the L1 table would exceed 1 MiB.")),
    HEADER(refcount_order, 10, 1, RANGE(0, 6), DEFAULT(4), WEIGHT(2), SHOWN,
           HELP("qcow2: log2 of the bits of a refcount; version 2 always has 16 bits.")),
    HEADER(lazy_refcounts, 11, 1, FLAG, WEIGHT(1), SHOWN,
           HELP("qcow2 version 3: the lazy refcounts feature bit.")),
    HEADER(vpc_fixed, 12, 1, FLAG, WEIGHT(2), SHOWN,
           HELP("vpc: a fixed disk instead of a dynamic one.")),
    HEADER(vpc_creator, 13, 1, ENUM(vpc_creator_names), WEIGHT(2), SHOWN,
           HELP("vpc: creator application; it decides whether a reader takes the size from the "
                "geometry.")),
    HEADER(vmdk_subformat, 14, 1, ENUM(vmdk_subformat_names), WEIGHT(2), SHOWN,
           HELP("vmdk: the subformat.")),
    HEADER(grain_bits, 15, 1, RANGE(12, 16), DEFAULT(16), WEIGHT(2), SHOWN,
           HELP("vmdk: log2 of the grain size; raised where there would be more than 2^17 grains.")),
    HEADER(block_bits, 16, 1, RANGE(19, 28), DEFAULT(21), WEIGHT(3), SHOWN,
           HELP("vpc and vhdx: log2 of the block size; vhdx has at least 20.")),
    HEADER(extended_l2, 17, 1, FLAG, WEIGHT(3),
           HELP("qcow2 version 3 with cluster_bits of 14 or more: extended L2 entries, each cluster "
                "in 32 subclusters.")),
    HEADER(compression, 18, 1, ENUM(compression_names), WEIGHT(2),
           HELP("qcow2 version 3: how compressed clusters are compressed.")),
    HEADER(backing_1, 19, 1, ENUM(backing_names), DIVISOR(1), WEIGHT(4),
           HELP("Format of the file below the source. qcow2 can have any below it, a vmdk of one "
                "sparse extent another vmdk, other formats none.")),
    HEADER(backing_1_size, 19, 1, ENUM(backing_size_names), DIVISOR(BACKINGS), WEIGHT(3),
           HELP("Its size, by the source's.")),
    HEADER(backing_2, 20, 1, ENUM(backing_names), DIVISOR(1), WEIGHT(2),
           HELP("Format of the file below that one.")),
    HEADER(backing_2_size, 20, 1, ENUM(backing_size_names), DIVISOR(BACKINGS), WEIGHT(2),
           HELP("Its size, by the source's.")),
    HEADER(backing_3, 21, 1, ENUM(backing_names), DIVISOR(1), WEIGHT(1),
           HELP("Format of the lowest file.")),
    HEADER(backing_3_size, 21, 1, ENUM(backing_size_names), DIVISOR(BACKINGS), WEIGHT(1),
           HELP("Its size, by the source's.")),
    HEADER(backing_cluster_bits, 22, 1, OPTIONAL(9, 21), WEIGHT(2),
           HELP("log2 of the cluster size of qcow2 files below the source; 0 is the source's.")),
    HEADER(vmdk_layout, 23, 1, ENUM(layout_names), DIVISOR(1), WEIGHT(4),
           HELP("vmdk: a layout of several files; single leaves it to vmdk_subformat.")),
    HEADER(vhdx_fixed, 23, 1, FLAG, DIVISOR(LAYOUTS), WEIGHT(2),
           HELP("vhdx: every block is allocated.")),
    HEADER(vpc_application, 24, 1, ENUM(application_names), WEIGHT(3),
           HELP("vpc: creator application, where vpc_creator knows too few.")),
    HEADER(snapshots, 25, 1, RANGE(0, CASE_MAX_SNAPSHOTS), DIVISOR(1), WEIGHT(3),
           HELP("qcow2: internal snapshots, taken between the writes at even distances.")),
    HEADER(snapshot_size, 25, 1, ENUM(snapshot_size_names), DIVISOR(CASE_MAX_SNAPSHOTS + 1),
           WEIGHT(2), HELP("qcow2 version 3: size of the first snapshot, by the source's.")),
    HEADER(bitmaps, 26, 1, RANGE(0, CASE_MAX_BITMAPS), DIVISOR(1), WEIGHT(3),
           HELP("qcow2 version 3: persistent dirty bitmaps.")),
    HEADER(bitmap_flags, 26, 1, ENUM(bitmap_flags_names), DIVISOR(CASE_MAX_BITMAPS + 1), WEIGHT(2),
           HELP("State of the last bitmap.")),
    HEADER(bitmap_bits, 27, 1, OPTIONAL(9, 31), WEIGHT(2),
           HELP("log2 of the bitmaps' granularity; 0 is 16.")),
    HEADER(data_file, 28, 1, ENUM(data_file_names), WEIGHT(3),
           HELP("qcow2 version 3: guest clusters lie in a file of their own.")),
    HEADER(vmdk_sector_extents, 29, 1, FLAG, DIVISOR(1), WEIGHT(2),
           HELP("vmdk twoGbMaxExtentFlat: extents end at any sector, else at 64 KiB.")),

    WRITE(pattern, 1, 1, ENUM(pattern_names), DEFAULT(PATTERN_NOISE), WEIGHT(4), SHOWN,
          HELP("What the guest bytes are; zero means zero bytes that are really written.")),
    WRITE(form, 2, 1, ENUM(form_names), WEIGHT(5),
          HELP("How the writer of the image is asked to store them; in the two zero forms the "
               "pattern does not matter.")),
    WRITE(seed, 3, 1, RANGE(0, 255), WEIGHT(1),
          HELP("Varies the pattern.")),
    WRITE(anchor, 4, 1, ENUM(anchor_names), WEIGHT(5), SHOWN,
          HELP("What offset counts from, and in which unit.")),
    WRITE(offset_delta, 5, 1, SIGNED_BYTE, WEIGHT(4),
          HELP("Added to the place, times delta_scale.")),
    WRITE(delta_scale, 6, 1, ENUM(delta_scale_names), WEIGHT(2),
          HELP("Unit of offset_delta.")),
    WRITE(length_scale, 7, 1, ENUM(length_scale_names), WEIGHT(4), SHOWN,
          HELP("Unit of the length; units are the source's.")),
    WRITE(offset, 8, 4, RANGE(0, 0xffffffff), WEIGHT(6), SHOWN,
          HELP("Distance from the anchor in the anchor's unit, reduced to the disk.")),
    WRITE(length, 12, 2, RANGE(0, 65535), WEIGHT(5), SHOWN,
          HELP("One less than the length in length_scale.")),
    WRITE(layer, 14, 1, RANGE(0, CASE_MAX_LAYERS - 1), WEIGHT(3),
          HELP("The file of the chain that has it: 0 is the source; reduced to the chain.")),
    WRITE(table, 15, 1, ENUM(table_names), WEIGHT(2),
          HELP("What is laid down instead of the pattern: at the disk's beginning a partition table "
               "or another format's magic.")),

    OPERATION(op, 1, 1, ENUM(operation_names), WEIGHT(6), SHOWN,
              HELP("The operation.")),
    OPERATION(target, 2, 1, ENUM(case_format_names), WEIGHT(6), SHOWN,
              HELP("Target format of measure and the conversions.")),
    OPERATION(input, 3, 1, ENUM(input_names), WEIGHT(3),
              HELP("The file that both tools read; without an earlier output it is the source.")),
    OPERATION(cluster_bits, 4, 1, OPTIONAL(9, 21), WEIGHT(4),
              HELP("qcow2 target: log2 of the cluster size.")),
    OPERATION(refcount_order, 5, 1, RANGE(0, 7), WEIGHT(2),
              HELP("measure for qcow2: 0 is not given, 1 to 7 are 1 to 64 bits.")),
    OPERATION(subformat, 6, 1, ENUM(target_subformat_names), WEIGHT(2),
              HELP("measure for vmdk: the subformat.")),
    OPERATION(grain_bits, 7, 1, OPTIONAL(12, 16), WEIGHT(2),
              HELP("vmdk target: log2 of the grain size.")),
    OPERATION(block_bits, 8, 1, OPTIONAL(19, 28), WEIGHT(2),
              HELP("vpc and vhdx target: log2 of the block size; vhdx has at least 20.")),
    OPERATION(extended_l2, 9, 1, FLAG, WEIGHT(2),
              HELP("qcow2 target: extended L2 entries; tools refuse them with clusters below "
                   "16 KiB.")),
    OPERATION(flat, 10, 1, FLAG, DIVISOR(1), WEIGHT(2),
              HELP("vmdk target: subformat monolithicFlat (measure and convert).")),
    OPERATION(no_skip_zeros, 10, 1, FLAG, DIVISOR(2), WEIGHT(2),
              HELP("convert: zeros are stored too.")),
    OPERATION(size_only, 10, 1, FLAG, DIVISOR(4), WEIGHT(2),
              HELP("measure: of the case's size, without a file.")),
    OPERATION(lazy_refcounts, 10, 1, FLAG, DIVISOR(8), WEIGHT(1),
              HELP("measure for qcow2.")),
    OPERATION(snapshot, 11, 1, RANGE(0, CASE_MAX_SNAPSHOTS), DIVISOR(1), WEIGHT(3),
              HELP("convert of a source with internal snapshots: 0 is the active disk.")),
    OPERATION(preallocation, 11, 1, ENUM(preallocation_names), DIVISOR(CASE_MAX_SNAPSHOTS + 1),
              WEIGHT(2), HELP("measure for qcow2.")),
    OPERATION(compat, 12, 1, ENUM(compat_names), DIVISOR(1), WEIGHT(1), HELP("measure for qcow2.")),
    OPERATION(compression, 12, 1, ENUM(target_compression_names), DIVISOR(3), WEIGHT(1),
              HELP("measure for qcow2: compression_type.")),
};
// clang-format on
const size_t case_field_count = sizeof case_fields / sizeof case_fields[0];

// How many values the field has. The default comes first, so that a byte of 0 is always the
// default; from there the values count upwards and wrap.
static uint64_t field_values(const struct case_field *field) {
    return (uint64_t)(field->high - field->low) + 1 + (field->kind == FIELD_OPTIONAL);
}

// The position of a value in its range: an optional field's 0 comes before its low.
static uint64_t field_position(const struct case_field *field, int64_t value) {
    if (field->kind == FIELD_OPTIONAL)
        return value == 0 ? 0 : (uint64_t)(value - field->low) + 1;
    return (uint64_t)(value - field->low);
}

int64_t case_field_value(const struct case_field *field, uint32_t stored) {
    uint64_t position = (stored + field_position(field, field->initial)) % field_values(field);
    if (field->kind == FIELD_OPTIONAL)
        return position == 0 ? 0 : field->low + (int64_t)position - 1;
    return field->low + (int64_t)position;
}

uint32_t case_field_stored(const struct case_field *field, int64_t value) {
    uint64_t count = field_values(field);
    uint64_t initial = field_position(field, field->initial);
    return (uint32_t)((field_position(field, value) + count - initial) % count);
}

bool case_field_accepts(const struct case_field *field, int64_t value) {
    if (field->kind == FIELD_OPTIONAL && value == 0)
        return true;
    return value >= field->low && value <= field->high;
}

static uint32_t bytes_load(const struct case_field *field, const uint8_t *record) {
    uint32_t stored = 0;
    for (unsigned i = 0; i < field->width; i++)
        stored |= (uint32_t)record[field->at + i] << (8 * i);
    return stored;
}

static uint32_t field_divisor(const struct case_field *field) {
    return field->divisor ? field->divisor : 1;
}

uint32_t case_field_load(const struct case_field *field, const uint8_t *record) {
    return bytes_load(field, record) / field_divisor(field);
}

// Where rows share bytes, the others keep their values.
void case_field_store(const struct case_field *field, uint8_t *record, uint32_t stored) {
    if (field->divisor) {
        uint32_t whole = bytes_load(field, record);
        uint32_t before = whole / field->divisor % (uint32_t)field_values(field);
        stored = whole + (stored - before) * field->divisor;
    }
    for (unsigned i = 0; i < field->width; i++)
        record[field->at + i] = (uint8_t)(stored >> (8 * i));
}

int64_t case_field_get(const struct case_field *field, const void *record) {
    const char *at = (const char *)record + field->member;
    return field->kind == FIELD_SIGNED ? (int64_t) * (const int32_t *)at
                                       : (int64_t) * (const uint32_t *)at;
}

void case_field_set(const struct case_field *field, void *record, int64_t value) {
    char *at = (char *)record + field->member;
    if (field->kind == FIELD_SIGNED)
        *(int32_t *)at = (int32_t)value;
    else
        *(uint32_t *)at = (uint32_t)value;
}

void case_record_defaults(enum case_record kind, void *record) {
    for (size_t i = 0; i < case_field_count; i++)
        if (case_fields[i].record == kind)
            case_field_set(&case_fields[i], record, case_fields[i].initial);
}
