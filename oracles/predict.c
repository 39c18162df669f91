// SPDX-License-Identifier: Apache-2.0
//
// The tables of predictors and features, and what a correct tool says.
#include "oracles/predict.h"

#include "base/bytes.h"
#include "oracles/model.h"
#include "oracles/relax.h"
#include "oracles/rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool predict_number(uint64_t value, char out[PREDICT_ROOM]) {
    snprintf(out, PREDICT_ROOM, "%" PRIu64, value);
    return true;
}

bool predict_measure(const struct oracle_step *step, const char *field, uint64_t size,
                     uint64_t units, char out[PREDICT_ROOM]) {
    struct model_sizes sizes;
    if (step->op != OP_MEASURE || !model_measure(step->target, &step->options, size, units, &sizes))
        return false;
    if (strcmp(field, "required") == 0)
        return predict_number(sizes.required, out);
    if (strcmp(field, "fully-allocated") == 0)
        return predict_number(sizes.fully, out);
    return false;
}

static bool ends(enum outcome_class class, const char *field, char out[PREDICT_ROOM]) {
    snprintf(out, PREDICT_ROOM, "%s", outcome_class_names[class]);
    return strcmp(field, "outcome") == 0;
}

static bool refused(const struct oracle_step *step, const char *field, char out[PREDICT_ROOM]) {
    (void)step;
    return ends(OUTCOME_REFUSED, field, out);
}

static bool accepted(const struct oracle_step *step, const char *field, char out[PREDICT_ROOM]) {
    (void)step;
    return ends(OUTCOME_OK, field, out);
}

static bool leaks(const struct oracle_step *step, const char *field, char out[PREDICT_ROOM]) {
    (void)step;
    return ends(OUTCOME_LEAKS, field, out);
}

static bool unchecked(const struct oracle_step *step, const char *field, char out[PREDICT_ROOM]) {
    (void)step;
    return ends(OUTCOME_NO_CHECKS, field, out);
}

// As tool_crash names the signal.
static bool aborts(const struct oracle_step *step, const char *field, char out[PREDICT_ROOM]) {
    (void)step;
    snprintf(out, PREDICT_ROOM, "sigabrt");
    return strcmp(field, "outcome") == 0;
}

const struct predictor predictors[] = {
    {"refused", "the tool refuses", refused, false},
    {"accepted", "the tool succeeds", accepted, false},
    {"unchecked", "the tool says that it has no checks for the format", unchecked, false},
    {"leaks", "the tool's check ends with leaks", leaks, false},
    {"aborts", "the tool ends by SIGABRT", aborts, false},
    {"instar_raw_measure",
     "the length of a raw file rounded up to 64 KiB, all of it counted as allocated",
     predict_instar_raw_measure, false},
    {"instar_raw_length", "the length of a raw file rounded up to 64 KiB",
     predict_instar_raw_length, false},
    {"instar_asked_size", "the number that --size was given, not rounded to sectors",
     predict_instar_asked_size, false},
    {"instar_whole_sectors", "the disk's size rounded up to 64 KiB", predict_instar_whole_sectors,
     false},
    {"instar_bitmaps_member", "the member is there for every qcow2 source of version 3",
     predict_instar_bitmaps_member, false},
    {"instar_zero_flag", "qcow2 clusters with the zero flag counted as data",
     predict_instar_zero_flag, false},
    {"instar_block_scan",
     "named grains or blocks times their size, divided by the target unit: where they lie is lost",
     predict_instar_block_scan, false},
    {"instar_no_bitmaps", "0 bytes of bitmaps, whatever the image holds", predict_instar_no_bitmaps,
     false},
    {"instar_subcluster_scan",
     "bytes in stored subclusters and compressed clusters, divided by the target unit: where they "
     "lie is lost",
     predict_instar_subcluster_scan, false},
    {"instar_padded_output", "the size of a vmdk or vpc whose every part is padded to 64 KiB",
     predict_instar_padded_output, true},
    {"instar_vpc_cluster_size", "2097152 for every VHD, also for a fixed one",
     predict_instar_vpc_cluster_size, false},
    {"instar_unseen_vhd",
     "what a raw file of that length is: its size, in measure rounded up to 64 KiB and all of it "
     "counted",
     predict_instar_unseen_vhd, false},
    {"instar_prints_nothing", "success, and nothing on stdout", predict_instar_prints_nothing,
     false},
    {"instar_absent", "the member is left out", predict_instar_absent, false},
    {"instar_capacity",
     "refused where the output exceeds the device capacity that the host computed beforehand",
     predict_instar_capacity, true},
    {NULL, NULL, NULL, false},
};

const struct predictor *predictor_find(const char *name) {
    for (const struct predictor *predictor = predictors; predictor->name; predictor++)
        if (strcmp(predictor->name, name) == 0)
            return predictor;
    return NULL;
}

// --- features ------------------------------------------------------------------------------------

static bool has_state(const struct oracle_step *step, unsigned states) {
    const struct image_map *map = step->truth.allocation;
    for (size_t i = 0; map && i < map->count; i++)
        if (states & 1u << map->extents[i].state)
            return true;
    return false;
}

static bool holes(const struct oracle_step *step) {
    return step->truth.allocation &&
           model_allocated(step->truth.allocation) < step->truth.shown_size;
}

static bool zero_clusters(const struct oracle_step *step) {
    return has_state(step, 1u << IMAGE_ZERO | 1u << IMAGE_ZERO_ALLOCATED);
}

static bool compressed(const struct oracle_step *step) {
    return has_state(step, 1u << IMAGE_COMPRESSED);
}

static bool odd_size(const struct oracle_step *step) {
    return step->truth.declared_size % 512 != 0;
}

// Of a snapshot qemu-img makes a disk as long as the active one.
static bool zero_size(const struct oracle_step *step) {
    return step->truth.shown_size == 0 || (step->options.snapshot && step->truth.active_size == 0);
}

static bool partial_64k(const struct oracle_step *step) {
    return step->truth.file_size % 65536 != 0;
}

static bool chained(const struct oracle_step *step) {
    return step->input_is_output;
}

static bool vpc_fixed(const struct oracle_step *step) {
    return step->source == IMAGE_VPC && step->truth.options && step->truth.options->vpc_fixed;
}

// Its footer is looked for where the last sector of 64 KiB begins.
static bool vpc_footer_unseen(const struct oracle_step *step) {
    return vpc_fixed(step) && (step->truth.file_size - 512) % 65536 != 0;
}

// Its table has no entry then, whoever wrote it.
static bool vpc_without_blocks(const struct oracle_step *step) {
    return step->source == IMAGE_VPC && !vpc_fixed(step) && step->truth.shown_size == 0 &&
           step->truth.recorded_size == 0;
}

static bool empty_file(const struct oracle_step *step) {
    return step->truth.file_size == 0 && !step->options.size_only;
}

static bool data_file(const struct oracle_step *step) {
    return step->source == IMAGE_QCOW2 && step->truth.options &&
           step->truth.options->data_file != QCOW2_DATA_INSIDE;
}

static bool vmdk_split_sparse(const struct oracle_step *step) {
    return oracle_input_is_descriptor(step) &&
           strcmp(step->truth.create_type, vmdk_create_types[VMDK_SPLIT_SPARSE]) == 0;
}

static bool vmdk_footer_unseen(const struct oracle_step *step) {
    return step->source == IMAGE_VMDK && step->truth.vmdk_footer && partial_64k(step);
}

static bool extended_l2(const struct oracle_step *step) {
    return step->source == IMAGE_QCOW2 && step->truth.extended_l2;
}

static bool backing(const struct oracle_step *step) {
    return step->truth.layers > 1;
}

static bool vpc_sizes_differ(const struct oracle_step *step) {
    return step->source == IMAGE_VPC && step->truth.recorded_size > step->truth.shown_size;
}

static bool bitmaps(const struct oracle_step *step) {
    return step->source == IMAGE_QCOW2 && step->truth.options &&
           step->truth.options->bitmap_count > 0;
}

static bool snapshots(const struct oracle_step *step) {
    return step->source == IMAGE_QCOW2 && step->truth.snapshot_count > 0;
}

// A disk whose guest wrote what makes a reader take its file for another format.
static bool foreign_magic(const struct oracle_step *step) {
    static const char *const magics[] = {"QFI\xfb", "conectix"};
    char head[9] = "";
    if ((step->source != IMAGE_RAW && !vpc_fixed(step)) || !step->truth.content)
        return false;
    content_read(step->truth.content, 0, head, sizeof head - 1);
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (strncmp(head, magics[i], strlen(magics[i])) == 0)
            return true;
    return false;
}

static bool unit_option(const struct oracle_step *step) {
    return step->options.cluster_bits || step->options.grain_bits || step->options.block_bits;
}

static bool no_skip_zeros(const struct oracle_step *step) {
    return step->options.no_skip_zeros;
}

static bool target_flat(const struct oracle_step *step) {
    return step->options.vmdk_subformat == SUBFORMAT_FLAT;
}

static bool target_extended_l2(const struct oracle_step *step) {
    return step->options.extended_l2;
}

static bool target_version_2(const struct oracle_step *step) {
    return step->options.compat == 1;
}

static bool refcount_width(const struct oracle_step *step) {
    return step->options.refcount_bits && step->options.refcount_bits != 16;
}

static bool large_l1_table(const struct oracle_step *step) {
    uint32_t bits = step->options.cluster_bits ? step->options.cluster_bits : 16;
    return 8 * operation_l1_entries(step->truth.shown_size, bits, step->options.extended_l2) >
           32u << 20;
}

const struct feature features[] = {
    {"holes", "some of the input is not stored as data", holes, false},
    {"zero_clusters", "the input has explicit zero units", zero_clusters, false},
    {"compressed", "the input has compressed units", compressed, false},
    {"odd_size", "the input's size is not a multiple of 512", odd_size, false},
    {"zero_size", "the guest disk is empty, or the active one of which a snapshot is read",
     zero_size, false},
    {"partial_64k", "the input file's length is not a multiple of 64 KiB", partial_64k, false},
    {"chained", "the input was written by a tool", chained, false},
    {"vpc_fixed", "the input is a fixed VHD", vpc_fixed, false},
    {"vpc_footer_unseen", "the input is a fixed VHD whose footer does not begin a 64 KiB sector",
     vpc_footer_unseen, false},
    {"vpc_without_blocks", "the input is a dynamic VHD of size 0", vpc_without_blocks, false},
    {"empty_file", "the input file has no bytes", empty_file, false},
    {"data_file", "the input keeps its clusters in a data file", data_file, false},
    {"vmdk_descriptor_file", "the input is a vmdk with its descriptor in a file of its own",
     oracle_input_is_descriptor, false},
    {"vmdk_split_sparse", "the input is a vmdk of several sparse extents", vmdk_split_sparse,
     false},
    {"vmdk_footer_unseen", "the input is a vmdk with a footer that does not end a 64 KiB sector",
     vmdk_footer_unseen, false},
    {"extended_l2", "the input has extended L2 entries", extended_l2, false},
    {"backing", "there are files below the input", backing, false},
    {"bitmaps", "the input was built with persistent bitmaps", bitmaps, false},
    {"snapshots", "the input was built with internal snapshots", snapshots, false},
    {"vpc_sizes_differ", "the footer's current size is above what the geometry shows",
     vpc_sizes_differ, false},
    {"foreign_magic", "a raw input or fixed VHD whose first bytes are another format's magic",
     foreign_magic, true},
    {"unit_option", "a cluster, grain or block size is asked for", unit_option, false},
    {"no_skip_zeros", "zeros are to be stored too", no_skip_zeros, false},
    {"target_flat", "the target is a monolithicFlat vmdk", target_flat, false},
    {"target_extended_l2", "extended L2 entries are asked for", target_extended_l2, false},
    {"target_version_2", "compat=0.10 is asked for", target_version_2, false},
    {"refcount_width", "refcounts of other than 16 bits are asked for", refcount_width, false},
    {"large_l1_table", "the qcow2 target would need an L1 table above 32 MiB", large_l1_table,
     false},
    {NULL, NULL, NULL, false},
};

const struct feature *feature_find(const char *name) {
    for (const struct feature *feature = features; feature->name; feature++)
        if (strcmp(feature->name, name) == 0)
            return feature;
    return NULL;
}

// --- what is right -------------------------------------------------------------------------------

// qemu-img has no block status for VHDX: every disk counts as fully allocated.
static uint64_t units_of_truth(const struct oracle_step *step) {
    uint64_t unit = model_target_unit(step->target, &step->options);
    if (step->source == IMAGE_VHDX)
        return div_up(step->truth.shown_size, unit);
    return model_units_touched(step->truth.allocation, unit);
}

bool predict_right(const struct oracle_step *step, const char *field, char right[PREDICT_ROOM],
                   char also[PREDICT_ROOM]) {
    *also = 0;
    if (step->op == OP_CHECK && ends(OUTCOME_CLEAN, field, right))
        return oracle_input_is_built(step);
    if (step->op == OP_MEASURE && step->truth.allocation)
        return predict_measure(step, field, step->truth.shown_size, units_of_truth(step), right);
    if (strcmp(field, "virtual-size") != 0)
        return predict_info(step, field, right);
    if (!step->truth.content)
        return false;
    predict_number(step->truth.shown_size, right);
    if (operation_writes(step->op) && step->target == IMAGE_VPC)
        predict_number(relax_vpc_cylinders(step->truth.shown_size), also);
    return true;
}

enum predict_truth predict_judge(const struct oracle_step *step, const char *field,
                                 const char *value) {
    char right[PREDICT_ROOM], also[PREDICT_ROOM];
    if (!predict_right(step, field, right, also))
        return PREDICT_UNKNOWN;
    return strcmp(value, right) == 0 || strcmp(value, also) == 0 ? PREDICT_RIGHT : PREDICT_WRONG;
}
