// SPDX-License-Identifier: Apache-2.0
//
// When do two cases mean the same? Most bytes of a header are read by one format only, options by
// one operation, and what costs too much is not run. An engine cannot see that and would pay a
// whole iteration to find out.
#include "mutators/mutation.h"

#include <string.h>

static void mix(uint64_t *hash, uint64_t value) {
    *hash = (*hash ^ value) * 0x9e3779b97f4a7c15u;
    *hash ^= *hash >> 29;
}

static void mix_options(uint64_t *hash, const struct testcase *layer) {
    struct image_options options;
    case_image_options(layer, &options);
    const uint64_t members[] = {
        options.cluster_bits, options.qcow2_version,  options.refcount_bits, options.lazy_refcounts,
        options.extended_l2,  options.compression,    options.data_file,     options.vpc_fixed,
        options.vpc_creator,  options.vmdk_subformat, options.vmdk_extent,   options.grain_bits,
        options.vhdx_fixed,   options.block_bits,
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        mix(hash, members[i]);
}

// `by_number`: which write it is tells where it belongs, too: snapshots and bitmaps share them out.
static void mix_writes(uint64_t *hash, const struct testcase *layer, bool by_number) {
    struct content_extent extents[CASE_MAX_WRITES];
    size_t count = case_write_extents(layer, extents);
    for (size_t i = 0; i < count; i++) {
        const struct content_extent *extent = &extents[i];
        enum content_form form = extent->form;
        if (extent->length == 0)
            continue;
        if (form == FORM_COMPRESSED && layer->format != IMAGE_QCOW2)
            form = FORM_NORMAL;
        bool has_bytes = form == FORM_NORMAL || form == FORM_COMPRESSED;
        mix(hash, by_number ? i : 0);
        mix(hash, extent->offset);
        mix(hash, extent->length);
        mix(hash, form);
        mix(hash, has_bytes ? extent->pattern : 0);
        mix(hash, has_bytes && extent->pattern != PATTERN_ZERO ? extent->seed : 0);
    }
}

static void mix_layers(uint64_t *hash, const struct testcase *testcase) {
    struct testcase layer;
    bool by_number = case_snapshots(testcase) || case_bitmaps(testcase);
    for (uint32_t i = 0, layers = case_layers(testcase); i < layers; i++) {
        case_layer(testcase, i, &layer);
        mix(hash, layer.format);
        mix(hash, case_virtual_size(&layer));
        mix_options(hash, &layer);
        mix_writes(hash, &layer, by_number);
    }
}

static void mix_snapshots(uint64_t *hash, const struct testcase *testcase) {
    uint32_t snapshots = case_snapshots(testcase), bitmaps = case_bitmaps(testcase);
    mix(hash, snapshots);
    for (uint32_t i = 0; i < snapshots; i++)
        mix(hash, case_snapshot_size(testcase, i));
    // Also those that write nothing are shared out.
    mix(hash, snapshots || bitmaps ? testcase->write_count : 0);
    mix(hash, bitmaps);
    mix(hash, bitmaps ? testcase->bitmap_bits : 0);
    mix(hash, bitmaps ? testcase->bitmap_flags : 0);
}

static void mix_operations(uint64_t *hash, const struct testcase *testcase) {
    bool has_output = false;
    for (uint32_t i = 0; i < testcase->operation_count; i++) {
        const struct case_operation *operation = &testcase->operations[i];
        enum operation op = (enum operation)operation->op;
        struct target_options options;
        uint32_t words[sizeof options / sizeof(uint32_t)];
        if (!case_operation_allowed(testcase, operation, NULL))
            continue;
        case_target_options(testcase, operation, &options);
        mix(hash, op);
        mix(hash, has_output && !options.size_only ? operation->input : INPUT_SOURCE);
        mix(hash, operation_has_target(op) ? operation->target : 0);
        memcpy(words, &options, sizeof words);
        for (size_t at = 0; at < sizeof words / sizeof *words; at++)
            mix(hash, words[at]);
        has_output |= operation_writes(op);
    }
}

uint64_t mut_meaning(const struct testcase *testcase) {
    uint64_t hash = 0;
    mix_layers(&hash, testcase);
    mix_snapshots(&hash, testcase);
    mix_operations(&hash, testcase);
    return hash;
}
