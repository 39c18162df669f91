// SPDX-License-Identifier: Apache-2.0
//
// Predictors for documented deviations of instar, from its documentation and source (0.3.0). They
// are hypotheses about one program: where a value does not come out as predicted, the divergence
// stays new, which is what should happen when that program moves on.
#include "oracles/predict.h"

#include "base/bytes.h"
#include "oracles/model.h"

#include <stdio.h>
#include <string.h>

// Its scanners look at the file that they are given and at none below it, hence own_allocation.

// The guest sees a device of 64 KiB sectors, and of a raw file nothing but that device.
#define TRANSPORT_SECTOR UINT64_C(65536)

static uint64_t seen_size(const struct oracle_step *step) {
    return step->source == IMAGE_RAW ? round_up(step->truth.file_size, TRANSPORT_SECTOR)
                                     : step->truth.shown_size;
}

bool predict_instar_raw_measure(const struct oracle_step *step, const char *field,
                                char out[PREDICT_ROOM]) {
    uint64_t size = seen_size(step);
    return step->source == IMAGE_RAW &&
           predict_measure(step, field, size,
                           div_up(size, model_target_unit(step->target, &step->options)), out);
}

bool predict_instar_raw_length(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]) {
    return step->source == IMAGE_RAW && strcmp(field, "virtual-size") == 0 &&
           predict_number(seen_size(step), out);
}

// A size without a file is no device: it is taken as it stands. The other targets count in units of
// sectors, so that only raw shows it.
bool predict_instar_asked_size(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]) {
    return step->options.size_only && step->target == IMAGE_RAW &&
           (strcmp(field, "required") == 0 || strcmp(field, "fully-allocated") == 0) &&
           predict_number(step->truth.asked_size, out);
}

// A raw output is made as long as its device, and cut only where zeros are skipped.
bool predict_instar_whole_sectors(const struct oracle_step *step, const char *field,
                                  char out[PREDICT_ROOM]) {
    return step->target == IMAGE_RAW && strcmp(field, "virtual-size") == 0 &&
           predict_number(round_up(step->truth.shown_size, TRANSPORT_SECTOR), out);
}

// Whatever version the target has. A file that a tool wrote has version 3: no conversion is asked
// for another.
bool predict_instar_bitmaps_member(const struct oracle_step *step, const char *field,
                                   char out[PREDICT_ROOM]) {
    bool version_2 = step->truth.options && step->truth.options->qcow2_version == 2;
    if (step->source != IMAGE_QCOW2 || step->target != IMAGE_QCOW2 || version_2)
        return false;
    snprintf(out, PREDICT_ROOM, "present");
    return strcmp(field, "bitmaps") == 0;
}

bool predict_instar_zero_flag(const struct oracle_step *step, const char *field,
                              char out[PREDICT_ROOM]) {
    if (step->source != IMAGE_QCOW2 || step->target != IMAGE_QCOW2 || !step->truth.own_allocation)
        return false;
    // Extended entries have another scan, which looks at the stored bits alone.
    if (step->truth.options && step->truth.options->extended_l2)
        return false;
    uint64_t unit = model_target_unit(step->target, &step->options);
    uint64_t units = model_units_in_states(step->truth.own_allocation, unit, ~0u);
    return predict_measure(step, field, step->truth.shown_size, units, out);
}

// qcow2 with extended L2 entries: a population count of the stored bits, in whole subclusters. Only
// of images that we built is it known that they have such entries.
bool predict_instar_subcluster_scan(const struct oracle_step *step, const char *field,
                                    char out[PREDICT_ROOM]) {
    const struct truth *truth = &step->truth;
    if (step->source != IMAGE_QCOW2 || !truth->options || !truth->options->extended_l2 ||
        !truth->own_allocation)
        return false;
    uint64_t subcluster = truth->unit / 32, bytes = 0;
    for (size_t i = 0; i < truth->own_allocation->count; i++) {
        const struct image_extent *extent = &truth->own_allocation->extents[i];
        if (extent->state == IMAGE_COMPRESSED)
            bytes += extent->length;
        if (extent->state == IMAGE_DATA)
            bytes += round_up(extent->length, subcluster);
    }
    uint64_t unit = model_target_unit(step->target, &step->options);
    return predict_measure(step, field, truth->shown_size,
                           div_up(min_u64(bytes, truth->shown_size), unit), out);
}

// vmdk, vpc, vhdx: the scan keeps a count of bytes only, in whole units of the source.
bool predict_instar_block_scan(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]) {
    static const unsigned counted[IMAGE_FORMATS] = {
        [IMAGE_VMDK] = ~0u, // a zeroed grain has an entry, and an entry counts
        [IMAGE_VPC] = ~0u,
        [IMAGE_VHDX] = 1u << IMAGE_DATA,
    };
    const struct truth *truth = &step->truth;
    if (step->source == IMAGE_FORMATS || !counted[step->source] || !truth->own_allocation ||
        !truth->unit)
        return false;
    // measure takes a vpc's current size for the disk's, whoever created it.
    uint64_t size = max_u64(truth->shown_size, truth->recorded_size);
    uint64_t source_units =
        model_units_in_states(truth->own_allocation, truth->unit, counted[step->source]);
    uint64_t allocated = min_u64(size, source_units * truth->unit);
    if (truth->options && truth->options->vpc_fixed && step->source == IMAGE_VPC)
        allocated = size;
    uint64_t units = div_up(allocated, model_target_unit(step->target, &step->options));
    return predict_measure(step, field, size, units, out);
}

bool predict_instar_no_bitmaps(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]) {
    return step->op == OP_MEASURE && strcmp(field, "bitmaps") == 0 && predict_number(0, out);
}

bool predict_instar_vpc_cluster_size(const struct oracle_step *step, const char *field,
                                     char out[PREDICT_ROOM]) {
    return step->op == OP_INFO && step->source == IMAGE_VPC && strcmp(field, "cluster-size") == 0 &&
           predict_number(2u << 20, out);
}

// --- sizes of converted files --------------------------------------------------------------------

static uint64_t pad(uint64_t bytes) {
    return round_up(bytes, TRANSPORT_SECTOR);
}

static uint64_t qcow2_output(uint64_t size, uint64_t cluster, uint64_t entries, uint64_t units,
                             uint64_t l2_tables) {
    uint64_t l1_clusters = max_u64(1, div_up(8 * div_up(size, cluster * entries), cluster));
    uint64_t used = 1 + units + l2_tables + l1_clusters, table = 1, blocks = 1;
    for (int round = 0; round < 10; round++) {
        blocks = div_up(used + table + blocks, cluster / 2);
        table = div_up(8 * blocks, cluster);
    }
    return cluster * (used + table + blocks);
}

static uint64_t vmdk_output(uint64_t size, uint64_t grain, uint64_t units, uint64_t tables) {
    uint64_t directory = div_up(div_up(size, grain), 512);
    return pad(10752) + tables * pad(2048) + units * pad(grain) +
           max_u64(pad(1), pad(4 * directory));
}

static uint64_t vpc_output(uint64_t size, uint64_t block, uint64_t units) {
    uint64_t bitmap = round_up(div_up(block, 4096), 512);
    return pad(512) + pad(1024) + pad(4 * div_up(size, block)) + units * pad(bitmap + block) +
           pad(512);
}

static uint64_t vhdx_output(uint64_t size, uint64_t block, uint64_t units) {
    const uint64_t mib = 1u << 20;
    uint64_t blocks = div_up(size, block), chunk = (UINT64_C(1) << 32) / block;
    uint64_t table = max_u64(mib, round_up(8 * (blocks + div_up(blocks, chunk)), mib));
    return units ? 3 * mib + table + units * block : 2 * mib + table + 131072;
}

static bool output_size(const struct oracle_step *step, uint64_t *bytes) {
    static const uint64_t entries[IMAGE_FORMATS] = {[IMAGE_VMDK] = 512};
    // Of monolithicFlat it is not known what the descriptor says, to the byte.
    if (!step->truth.content || step->op == OP_CONVERT_COMPRESSED ||
        step->options.vmdk_subformat == SUBFORMAT_FLAT)
        return false;
    uint64_t unit = model_target_unit(step->target, &step->options), tables;
    uint64_t per_table = step->target == IMAGE_QCOW2 ? unit / (step->options.extended_l2 ? 16 : 8)
                                                     : max_u64(entries[step->target], 1);
    uint64_t units = model_nonzero_units(step->truth.content, unit, per_table, &tables);
    uint64_t size = seen_size(step);
    if (step->options.no_skip_zeros) {
        units = div_up(size, unit);
        tables = div_up(units, per_table);
    }
    switch (step->target) {
    case IMAGE_QCOW2:
        *bytes = qcow2_output(size, unit, per_table, units, tables);
        return true;
    case IMAGE_VMDK:
        *bytes = vmdk_output(size, unit, units, tables);
        return true;
    case IMAGE_VPC:
        *bytes = vpc_output(size, unit, units);
        return true;
    case IMAGE_VHDX:
        *bytes = vhdx_output(size, unit, units);
        return true;
    default:
        return false;
    }
}

bool predict_instar_padded_output(const struct oracle_step *step, const char *field,
                                  char out[PREDICT_ROOM]) {
    uint64_t bytes;
    return strcmp(field, "converted-size") == 0 &&
           step->options.vmdk_subformat != SUBFORMAT_STREAM && output_size(step, &bytes) &&
           predict_number(bytes, out);
}

// The host sizes the output device before the guest runs, and never asks for the unit.
static uint64_t capacity(enum image_format target, uint64_t size) {
    const uint64_t mib = 1u << 20;
    switch (target) {
    case IMAGE_VPC:
        return size + div_up(size, 2 * mib) * 65536 + 10 * mib;
    case IMAGE_VHDX:
        return round_up(size, 32 * mib) + 10 * mib;
    default:
        return size + size / 100 + 10 * mib;
    }
}

bool predict_instar_capacity(const struct oracle_step *step, const char *field,
                             char out[PREDICT_ROOM]) {
    uint64_t bytes;
    if (strcmp(field, "outcome") != 0 || !operation_writes(step->op) || !output_size(step, &bytes))
        return false;
    if (bytes <= capacity(step->target, seen_size(step)))
        return false;
    snprintf(out, PREDICT_ROOM, "%s", outcome_class_names[OUTCOME_REFUSED]);
    return true;
}
