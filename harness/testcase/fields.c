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
static const char *const pattern_names[CONTENT_PATTERNS] = {
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

uint32_t case_field_load(const struct case_field *field, const uint8_t *record) {
    uint32_t stored = 0;
    for (unsigned i = 0; i < field->width; i++)
        stored |= (uint32_t)record[field->at + i] << (8 * i);
    return stored;
}

void case_field_store(const struct case_field *field, uint8_t *record, uint32_t stored) {
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
