// SPDX-License-Identifier: Apache-2.0
//
// What `info` must print of an image that this project built: the members that follow from its
// options alone. Judges nothing; it is asked who is right where two tools print different values.
#include "oracles/predict.h"

#include <stdio.h>
#include <string.h>

#define TRUTH_OPTIONS(step) ((step)->truth.options)

static bool yes_or_no(bool yes, char out[PREDICT_ROOM]) {
    snprintf(out, PREDICT_ROOM, "%s", yes ? "true" : "false");
    return true;
}

static bool text(const char *words, char out[PREDICT_ROOM]) {
    snprintf(out, PREDICT_ROOM, "%s", words);
    return true;
}

static bool format(const struct oracle_step *step, char out[PREDICT_ROOM]) {
    return text(image_driver(step->source)->name, out);
}

// A fixed VHD and a flat vmdk have no unit to show.
static bool unit(const struct oracle_step *step, char out[PREDICT_ROOM]) {
    const struct image_options *built = TRUTH_OPTIONS(step);
    bool flat = built->vmdk_subformat != VMDK_SPARSE && built->vmdk_subformat != VMDK_STREAM;
    if (step->source == IMAGE_RAW || (step->source == IMAGE_VPC && built->vpc_fixed) ||
        (step->source == IMAGE_VMDK && flat))
        return false;
    return predict_number(step->truth.unit, out);
}

static bool version_3(const struct oracle_step *step) {
    return step->source == IMAGE_QCOW2 && TRUTH_OPTIONS(step)->qcow2_version != 2;
}

static bool compat(const struct oracle_step *step, char out[PREDICT_ROOM]) {
    return step->source == IMAGE_QCOW2 && text(version_3(step) ? "1.1" : "0.10", out);
}

static bool refcount_bits(const struct oracle_step *step, char out[PREDICT_ROOM]) {
    uint32_t bits = version_3(step) ? TRUTH_OPTIONS(step)->refcount_bits : 0;
    return step->source == IMAGE_QCOW2 && predict_number(bits ? bits : 16, out);
}

static bool lazy_refcounts(const struct oracle_step *step, char out[PREDICT_ROOM]) {
    return version_3(step) && yes_or_no(TRUTH_OPTIONS(step)->lazy_refcounts, out);
}

static bool extended_l2(const struct oracle_step *step, char out[PREDICT_ROOM]) {
    return version_3(step) && yes_or_no(TRUTH_OPTIONS(step)->extended_l2, out);
}

static bool corrupt(const struct oracle_step *step, char out[PREDICT_ROOM]) {
    return version_3(step) && yes_or_no(false, out);
}

static bool compression(const struct oracle_step *step, char out[PREDICT_ROOM]) {
    bool zstd = version_3(step) && TRUTH_OPTIONS(step)->compression == QCOW2_ZSTD;
    return step->source == IMAGE_QCOW2 && text(zstd ? "zstd" : "zlib", out);
}

static bool create_type(const struct oracle_step *step, char out[PREDICT_ROOM]) {
    return step->source == IMAGE_VMDK &&
           text(vmdk_create_types[TRUTH_OPTIONS(step)->vmdk_subformat], out);
}

static const struct {
    const char *path;
    bool (*value)(const struct oracle_step *step, char out[PREDICT_ROOM]);
} members[] = {
    {"format", format},
    {"cluster-size", unit},
    {"format-specific.data.compat", compat},
    {"format-specific.data.refcount-bits", refcount_bits},
    {"format-specific.data.lazy-refcounts", lazy_refcounts},
    {"format-specific.data.extended-l2", extended_l2},
    {"format-specific.data.corrupt", corrupt},
    {"format-specific.data.compression-type", compression},
    {"format-specific.data.create-type", create_type},
};

bool predict_info(const struct oracle_step *step, const char *path, char out[PREDICT_ROOM]) {
    if (step->op != OP_INFO || !TRUTH_OPTIONS(step) || step->input_is_output)
        return false;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].path, path) == 0)
            return members[i].value(step, out);
    return false;
}
