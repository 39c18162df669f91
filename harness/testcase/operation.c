// SPDX-License-Identifier: Apache-2.0
//
// The names of the operations, the options that a case may give to each, and which operations cost
// too much for a fuzzer (the limits are in caps.h).

#include "testcase/operation.h"
#include "base/bytes.h"
#include "testcase/caps.h"
#include "testcase/fields.h"

const char *const operation_names[OPERATIONS] = {
    [OP_INFO] = "info",
    [OP_CHECK] = "check",
    [OP_MEASURE] = "measure",
    [OP_CONVERT] = "convert",
    [OP_CONVERT_COMPRESSED] = "convert_compressed",
};

uint64_t operation_l1_entries(uint64_t size, uint32_t cluster_bits, bool extended_l2) {
    return div_up(size, 1ull << (2 * cluster_bits - (extended_l2 ? 4 : 3)));
}

// Bytes that a tool inflates which reads one target cluster of 2^bits at a time.
static uint64_t inflated_bytes(const struct testcase *testcase, uint32_t bits) {
    struct content_extent extents[CASE_MAX_WRITES];
    struct testcase layer;
    uint64_t bytes = 0;
    for (uint32_t i = 0, layers = case_layers(testcase); i < layers; i++) {
        case_layer(testcase, i, &layer);
        size_t count = case_write_extents(&layer, extents);
        bytes += case_deflated_bytes(&layer, extents, count) * (case_source_unit(&layer) >> bits);
    }
    return bytes;
}

static uint32_t fit_cluster_bits(const struct testcase *testcase, enum operation op, uint32_t bits,
                                 bool extended_l2) {
    uint64_t size = case_virtual_size(testcase);
    struct content_extent extents[CASE_MAX_WRITES];
    size_t count = case_chain_extents(testcase, extents);

    while (bits < 21 && operation_l1_entries(size, bits, extended_l2) > CAP_L1_ENTRIES)
        bits++;
    while (op == OP_CONVERT_COMPRESSED && bits < 16 &&
           case_touched_bytes(extents, count, 1u << bits, size) >> bits > CAP_DEFLATED_UNITS)
        bits++;
    while (op == OP_CONVERT_COMPRESSED && bits < 16 &&
           inflated_bytes(testcase, bits) > CAP_INFLATED)
        bits++;
    while (op == OP_CONVERT_COMPRESSED && bits > 16 &&
           case_touched_bytes(extents, count, 1u << bits, UINT64_MAX) > CAP_DEFLATED_TARGET)
        bits--;
    return bits;
}

static uint32_t raise_grain_bits(const struct testcase *testcase, uint32_t bits) {
    while (bits < 16 && div_up(case_virtual_size(testcase), 1ull << bits) > CAP_READ_GRAINS)
        bits++;
    return bits;
}

static uint32_t fit_block_bits(const struct testcase *testcase, uint32_t bits) {
    uint64_t size = case_virtual_size(testcase);
    struct content_extent extents[CASE_MAX_WRITES];
    size_t count = case_chain_extents(testcase, extents);

    if (size == 0 && bits > CAP_BLOCK_BITS_OF_NOTHING)
        return CAP_BLOCK_BITS_OF_NOTHING;
    while (bits < 28 && div_up(size, 1ull << bits) > CAP_BLOCKS)
        bits++;
    // Filled to the block's end, also behind the end of the disk.
    while (bits > 21 && case_touched_bytes(extents, count, 1u << bits, UINT64_MAX) > CAP_FILLED)
        bits--;
    return bits;
}

static void measure_options(const struct case_operation *operation,
                            struct target_options *options) {
    if (operation->refcount_order)
        options->refcount_bits = 1u << (operation->refcount_order - 1);
    options->lazy_refcounts = operation->lazy_refcounts;
    options->preallocation = operation->preallocation;
    options->compat = operation->compat;
    options->compression = operation->compression;
}

// All of the disk becomes bytes of the output then.
static bool may_store_all(const struct testcase *testcase, enum operation op) {
    uint64_t cap = op == OP_CONVERT_COMPRESSED ? CAP_STORED_ALL_DEFLATED : CAP_STORED_ALL;
    return case_virtual_size(testcase) <= cap;
}

// Zeros that are stored are units to deflate, too.
static uint32_t fit_stored_all(const struct testcase *testcase, enum operation op, uint32_t bits) {
    while (op == OP_CONVERT_COMPRESSED && bits < 16 &&
           case_virtual_size(testcase) >> bits > CAP_DEFLATED_UNITS)
        bits++;
    return bits;
}

void case_target_options(const struct testcase *testcase, const struct case_operation *operation,
                         struct target_options *options) {
    enum operation op = (enum operation)operation->op;
    bool writes = operation_writes(op);

    *options = (struct target_options){0};
    if (!operation_has_target(op))
        return;
    options->no_skip_zeros = writes && operation->no_skip_zeros && may_store_all(testcase, op);
    options->size_only = !writes && operation->size_only && case_virtual_size(testcase) > 0;
    uint32_t snapshots = operation->input == INPUT_SOURCE ? case_snapshots(testcase) : 0;
    if (writes && snapshots && operation->snapshot)
        options->snapshot = 1 + (operation->snapshot - 1) % snapshots;
    switch ((enum image_format)operation->target) {
    case IMAGE_QCOW2:
        options->cluster_bits = operation->cluster_bits;
        options->extended_l2 = operation->extended_l2;
        if (writes && options->cluster_bits)
            options->cluster_bits =
                fit_cluster_bits(testcase, op, options->cluster_bits, options->extended_l2);
        if (options->no_skip_zeros && options->cluster_bits)
            options->cluster_bits = fit_stored_all(testcase, op, options->cluster_bits);
        if (op == OP_MEASURE)
            measure_options(operation, options);
        break;
    case IMAGE_VMDK:
        options->grain_bits = operation->grain_bits;
        if (writes && options->grain_bits)
            options->grain_bits = raise_grain_bits(testcase, options->grain_bits);
        if (op == OP_MEASURE)
            options->vmdk_subformat = operation->subformat;
        // Compressed grains need streamOptimized.
        if (operation->flat && op != OP_CONVERT_COMPRESSED) {
            options->vmdk_subformat = SUBFORMAT_FLAT;
            options->grain_bits = 0;
        }
        break;
    case IMAGE_VPC:
    case IMAGE_VHDX:
        options->block_bits = operation->block_bits;
        if (options->block_bits && operation->target == IMAGE_VHDX)
            options->block_bits = (uint32_t)max_u64(options->block_bits, 20);
        if (writes && options->block_bits)
            options->block_bits = fit_block_bits(testcase, options->block_bits);
        break;
    case IMAGE_RAW:
    case IMAGE_FORMATS:
        break;
    }
}

// The file that an operation reads, as far as its costs go.
struct input {
    enum image_format format;
    uint64_t grains; // of all vmdk files that are read for it
};

// qemu-img asks every file of a chain, grain by grain.
static uint64_t chain_grains(const struct testcase *testcase) {
    struct image_options built;
    struct testcase layer;
    uint64_t grains = 0;
    for (uint32_t i = 0, layers = case_layers(testcase); i < layers; i++) {
        case_layer(testcase, i, &layer);
        case_image_options(&layer, &built);
        if (built.grain_bits)
            grains += div_up(case_virtual_size(&layer), 1ull << built.grain_bits);
    }
    return grains;
}

static bool has_vhdx_below(const struct testcase *testcase) {
    struct testcase layer;
    for (uint32_t i = 1, layers = case_layers(testcase); i < layers; i++) {
        case_layer(testcase, i, &layer);
        if (layer.format == IMAGE_VHDX)
            return true;
    }
    return false;
}

static bool allowed_for(const struct testcase *testcase, const struct case_operation *operation,
                        const struct input *input) {
    enum operation op = (enum operation)operation->op;
    uint64_t size = case_virtual_size(testcase);

    if (op == OP_MEASURE && operation->size_only && size > 0)
        return true; // no file is read
    if (op != OP_INFO && input->grains > (op == OP_CHECK ? CAP_CHECK_GRAINS : CAP_READ_GRAINS))
        return false;
    if (!operation_writes(op))
        return true;
    if ((input->format == IMAGE_VHDX || has_vhdx_below(testcase)) && size > CAP_VHDX_CONVERT)
        return false;
    // The output is checked, so its grains count. qemu-img always writes grains of 64 KiB.
    if (operation->target == IMAGE_VMDK && size >> 16 > CAP_CHECK_GRAINS)
        return false;
    if (operation->target == IMAGE_VHDX && operation->block_bits == 0) {
        struct content_extent extents[CASE_MAX_WRITES];
        size_t count = case_chain_extents(testcase, extents);
        return case_touched_bytes(extents, count, VHDX_DEFAULT_BLOCK, UINT64_MAX) <=
               CAP_FILLED_DEFAULT;
    }
    return true;
}

static struct input output_of(const struct testcase *testcase, const struct case_operation *step) {
    struct target_options options;
    if (step->target != IMAGE_VMDK)
        return (struct input){(enum image_format)step->target, 0};
    case_target_options(testcase, step, &options);
    uint32_t bits = options.grain_bits ? options.grain_bits : 16;
    return (struct input){IMAGE_VMDK, div_up(case_virtual_size(testcase), 1ull << bits)};
}

bool case_operation_allowed(const struct testcase *testcase, const struct case_operation *operation,
                            const char **reason) {
    struct input source = {(enum image_format)testcase->format, chain_grains(testcase)};
    struct input latest = source;
    bool allowed = true;

    // Follows the chain: only operations that are themselves allowed leave an output.
    for (uint32_t i = 0; i <= testcase->operation_count; i++) {
        bool last = i == testcase->operation_count || &testcase->operations[i] == operation;
        const struct case_operation *step = last ? operation : &testcase->operations[i];
        allowed = allowed_for(testcase, step, step->input == INPUT_SOURCE ? &source : &latest);
        if (last)
            break;
        if (allowed && operation_writes((enum operation)step->op))
            latest = output_of(testcase, step);
    }
    if (reason)
        *reason = allowed ? NULL : "cost_cap";
    return allowed;
}

// Preallocation gives every cluster an entry, or bytes.
static bool qcow2_fit_allowed(const struct testcase *testcase,
                              const struct target_options *options) {
    uint64_t size = case_virtual_size(testcase);
    uint32_t bits = options->cluster_bits ? options->cluster_bits : 16;
    bool reserves = options->preallocation > PREALLOCATION_OFF;
    return operation_l1_entries(size, bits, options->extended_l2) <= CAP_L1_ENTRIES &&
           (!reserves || size <= CAP_STORED_ALL);
}

bool case_fit_allowed(const struct testcase *testcase, const struct case_operation *measure) {
    struct case_operation convert = *measure;
    struct target_options options;
    struct content_extent extents[CASE_MAX_WRITES];
    convert.op = OP_CONVERT;
    if (!case_operation_allowed(testcase, &convert, NULL))
        return false;
    // As measured: a convert that a case asks for gets larger clusters where these would be too
    // many, and smaller blocks.
    case_target_options(testcase, measure, &options);
    if (measure->target == IMAGE_QCOW2 && !qcow2_fit_allowed(testcase, &options))
        return false;
    return !options.block_bits ||
           case_touched_bytes(extents, case_chain_extents(testcase, extents),
                              1u << options.block_bits, UINT64_MAX) <= CAP_FILLED_DEFAULT;
}
