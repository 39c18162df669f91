// SPDX-License-Identifier: Apache-2.0
//
// Predictors for documented deviations of instar, from its documentation and source (0.3.0). They
// are hypotheses about one program: where a value does not come out as predicted, the divergence
// stays new, which is what should happen when that program moves on.
#include "oracles/predict.h"

#include "base/bytes.h"
#include "oracles/model.h"
#include "oracles/model_writers.h"

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
    bool is_length = strcmp(field, "virtual-size") == 0 || strcmp(field, "length") == 0;
    return step->source == IMAGE_RAW && is_length && predict_number(seen_size(step), out);
}

// A size without a file is no device: it is taken as it stands. The other layouts count in units of
// sectors, so that only raw shows it, and a flat vmdk, which is that and a descriptor.
bool predict_instar_asked_size(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]) {
    bool flat = step->target == IMAGE_VMDK && step->options.vmdk_subformat == SUBFORMAT_FLAT;
    return step->options.size_only && (step->target == IMAGE_RAW || flat) &&
           (strcmp(field, "required") == 0 || strcmp(field, "fully-allocated") == 0) &&
           predict_number(step->truth.asked_size + (flat ? 512 : 0), out);
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
    if (step->source != IMAGE_QCOW2 || !step->truth.own_allocation)
        return false;
    // Extended entries have another scan, which looks at the stored bits alone.
    if (step->truth.extended_l2)
        return false;
    uint64_t unit = model_target_unit(step->target, &step->options);
    uint64_t units = model_units_in_states(step->truth.own_allocation, unit, ~0u);
    return predict_measure(step, field, step->truth.shown_size, units, out);
}

// qcow2 with extended L2 entries: a population count of the stored bits, in whole subclusters.
bool predict_instar_subcluster_scan(const struct oracle_step *step, const char *field,
                                    char out[PREDICT_ROOM]) {
    const struct truth *truth = &step->truth;
    if (step->source != IMAGE_QCOW2 || !truth->extended_l2 || !truth->own_allocation)
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

// A fixed VHD whose footer is not found is a raw file, footer included.
bool predict_instar_unseen_vhd(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]) {
    uint64_t seen = round_up(step->truth.file_size, TRANSPORT_SECTOR);
    if (step->op == OP_MEASURE)
        return predict_measure(step, field, seen,
                               div_up(seen, model_target_unit(step->target, &step->options)), out);
    if (strcmp(field, "virtual-size") == 0)
        return predict_number(round_up(step->truth.file_size, 512), out);
    snprintf(out, PREDICT_ROOM, "raw");
    return strcmp(field, "format") == 0;
}

// As info_output words them.
bool predict_instar_prints_nothing(const struct oracle_step *step, const char *field,
                                   char out[PREDICT_ROOM]) {
    (void)step;
    snprintf(out, PREDICT_ROOM, "nothing");
    return !*field;
}

bool predict_instar_absent(const struct oracle_step *step, const char *field,
                           char out[PREDICT_ROOM]) {
    (void)step, (void)field;
    snprintf(out, PREDICT_ROOM, "absent");
    return true;
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

bool predict_instar_output_size(const struct oracle_step *step, uint64_t *bytes) {
    if (!step->truth.content || step->op == OP_CONVERT_COMPRESSED)
        return false;
    uint64_t unit = model_target_unit(step->target, &step->options);
    uint64_t per_table = writer_units_per_table(step->target, &step->options);
    struct writer_load load = {.size = seen_size(step)};
    load.units = model_nonzero_units(step->truth.content, unit, per_table, &load.tables);
    if (step->options.no_skip_zeros) {
        load.units = div_up(load.size, unit);
        load.tables = div_up(load.units, per_table);
    }
    return writer_size(step->target, &step->options, &load, TRANSPORT_SECTOR, bytes);
}

bool predict_instar_padded_output(const struct oracle_step *step, const char *field,
                                  char out[PREDICT_ROOM]) {
    uint64_t bytes;
    return strcmp(field, "converted-size") == 0 && predict_instar_output_size(step, &bytes) &&
           predict_number(bytes, out);
}

// The host sizes the output device before the guest runs, and never asks for the unit.
bool predict_instar_capacity(const struct oracle_step *step, const char *field,
                             char out[PREDICT_ROOM]) {
    uint64_t bytes, capacity;
    if (strcmp(field, "outcome") != 0 || !operation_writes(step->op) ||
        !predict_instar_output_size(step, &bytes) ||
        !writer_capacity(step->target, seen_size(step), TRANSPORT_SECTOR, &capacity) ||
        bytes <= capacity)
        return false;
    snprintf(out, PREDICT_ROOM, "%s", outcome_class_names[OUTCOME_REFUSED]);
    return true;
}
