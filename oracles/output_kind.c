// SPDX-License-Identifier: Apache-2.0
//
// Is the file that a conversion wrote what was asked for? An option that a tool takes and forgets
// leaves the guest's bytes alone, so no comparison of contents sees it; nor a flag or a name in a
// header that only a later writer would stumble over. What was not asked for, the file must not
// have: a new image is clean, stands alone, and has no history.
#include "oracles/model.h"
#include "oracles/rule.h"

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

struct view {
    const struct oracle_step *step;
    const struct tool *tool;
    const struct oracle_written *written;
};

// What was asked for and what the file has, in words; "" expected: nothing was asked.
struct claim {
    char expected[32], found[32];
};

static void numbers(struct claim *claim, uint64_t expected, uint64_t found) {
    snprintf(claim->expected, sizeof claim->expected, "%" PRIu64, expected);
    snprintf(claim->found, sizeof claim->found, "%" PRIu64, found);
}

static void flags(struct claim *claim, bool expected, bool found) {
    snprintf(claim->expected, sizeof claim->expected, "%s", expected ? "true" : "false");
    snprintf(claim->found, sizeof claim->found, "%s", found ? "true" : "false");
}

// Did these options reach the tool's command line, or would they if they were given?
static bool takes(const struct view *view, struct target_options options) {
    const struct tool_call call = {
        .op = view->step->op, .target = view->step->target, .options = options};
    return tool_honours_options(view->tool, &call);
}

static void unit(const struct view *view, uint32_t bits, struct target_options option,
                 struct claim *claim) {
    if (bits && takes(view, option))
        numbers(claim, UINT64_C(1) << bits, view->written->unit);
}

static void cluster_size(const struct view *view, struct claim *claim) {
    uint32_t bits = view->step->options.cluster_bits;
    unit(view, bits, (struct target_options){.cluster_bits = bits}, claim);
}

// Of an image without grains nobody can tell; with -c the layout is the tool's.
static void grain_size(const struct view *view, struct claim *claim) {
    uint32_t bits = view->step->options.grain_bits;
    if (view->step->op == OP_CONVERT && view->step->options.vmdk_subformat != SUBFORMAT_FLAT)
        unit(view, bits, (struct target_options){.grain_bits = bits}, claim);
}

static void block_size(const struct view *view, struct claim *claim) {
    uint32_t bits = view->step->options.block_bits;
    unit(view, bits, (struct target_options){.block_bits = bits}, claim);
}

static void extended_l2(const struct view *view, struct claim *claim) {
    if (takes(view, (struct target_options){.extended_l2 = true}))
        flags(claim, view->step->options.extended_l2, view->written->info.extended_l2);
}

// Neither tool compresses into another layout, and only the one with a file for the bytes alone can
// be asked for.
static void create_type(const struct view *view, struct claim *claim) {
    bool flat = view->step->options.vmdk_subformat == SUBFORMAT_FLAT;
    const char *expected = view->step->op == OP_CONVERT_COMPRESSED ? vmdk_create_types[VMDK_STREAM]
                                                                   : vmdk_create_types[VMDK_FLAT];
    if (view->step->op == OP_CONVERT &&
        (!flat || !takes(view, (struct target_options){.vmdk_subformat = SUBFORMAT_FLAT})))
        return;
    snprintf(claim->expected, sizeof claim->expected, "%s", expected);
    snprintf(claim->found, sizeof claim->found, "%.31s", view->written->info.vmdk_create_type);
}

// Is there a whole cluster that becomes smaller whoever deflates it?
static bool can_shrink(const struct content *content, uint64_t cluster) {
    for (size_t i = 0; content && i < content->count; i++) {
        const struct content_extent *extent = &content->extents[i];
        uint64_t begin = round_up(extent->offset, cluster);
        if (extent->pattern == PATTERN_CONSTANT && extent->form != FORM_ZERO &&
            extent->form != FORM_ZERO_ALLOCATED &&
            begin + cluster <= extent->offset + extent->length)
            return true;
    }
    return false;
}

static void compressed(const struct view *view, struct claim *claim) {
    if (view->step->op == OP_CONVERT_COMPRESSED &&
        can_shrink(view->step->truth.content, view->written->unit))
        flags(claim, true, view->written->compressed);
}

static void zeros_stored(const struct view *view, struct claim *claim) {
    if (view->step->options.no_skip_zeros &&
        takes(view, (struct target_options){.no_skip_zeros = true}))
        flags(claim, true, view->written->gap == UINT64_MAX);
}

static void dirty(const struct view *view, struct claim *claim) {
    flags(claim, false, view->written->info.dirty);
}
static void corrupt(const struct view *view, struct claim *claim) {
    flags(claim, false, view->written->info.corrupt);
}
static void data_file(const struct view *view, struct claim *claim) {
    flags(claim, false, view->written->info.data_file[0]);
}
static void snapshots(const struct view *view, struct claim *claim) {
    numbers(claim, 0, view->written->info.snapshots);
}
static void bitmaps(const struct view *view, struct claim *claim) {
    numbers(claim, 0, view->written->info.bitmaps);
}
static void backing(const struct view *view, struct claim *claim) {
    flags(claim, false, view->written->info.has_backing);
}

#define FORMAT(format) (1u << (format))
#define ALL            FORMAT(IMAGE_QCOW2) | FORMAT(IMAGE_VMDK) | FORMAT(IMAGE_VPC) | FORMAT(IMAGE_VHDX)

static const struct kind {
    unsigned targets; // bit set
    const char *detail, *field;
    void (*ask)(const struct view *view, struct claim *claim);
} kinds[] = {
    {FORMAT(IMAGE_QCOW2), "cluster_size_", "cluster-size", cluster_size},
    {FORMAT(IMAGE_VMDK), "grain_size_", "grain-size", grain_size},
    {FORMAT(IMAGE_VPC) | FORMAT(IMAGE_VHDX), "block_size_", "block-size", block_size},
    {FORMAT(IMAGE_QCOW2), "extended_l2_", "extended-l2", extended_l2},
    {FORMAT(IMAGE_VMDK), "create_type_", "create-type", create_type},
    {FORMAT(IMAGE_QCOW2), "compressed_", "compressed", compressed},
    {ALL, "zeros_stored_", "zeros-stored", zeros_stored},
    {FORMAT(IMAGE_QCOW2), "dirty_", "dirty", dirty},
    {FORMAT(IMAGE_QCOW2), "corrupt_", "corrupt", corrupt},
    {FORMAT(IMAGE_QCOW2), "data_file_", "data-file", data_file},
    {FORMAT(IMAGE_QCOW2), "snapshots_", "snapshots", snapshots},
    {FORMAT(IMAGE_QCOW2), "bitmaps_", "bitmaps", bitmaps},
    {ALL, "backing_", "backing", backing},
};

static void judge_side(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, struct judgements *out) {
    const struct view view = {step, side->tool, &side->written};
    if (!oracle_gave(side) || !side->written.known)
        return;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const struct kind *kind = &kinds[k];
        struct claim claim = {"", ""};
        if (!(kind->targets & FORMAT(step->target)))
            continue;
        kind->ask(&view, &claim);
        if (strcmp(claim.expected, claim.found) == 0)
            continue;
        struct judgement *judgement =
            oracle_say_role(out, oracle, VERDICT_DIVERGENCE, kind->detail, side, "");
        oracle_values(judgement, kind->field, i == 0 ? claim.found : NULL,
                      i == 0 ? NULL : claim.found);
        oracle_text(judgement, "%s wrote a file with %s = %s; it was asked for one with %s.",
                    side->tool->name, kind->field, claim.found, claim.expected);
        if (!oracle_explained(step, out, judgement))
            return;
    }
    oracle_say(out, oracle, VERDICT_AGREE, NULL);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    oracle_each_side(oracle, step, out, judge_side);
}

const struct oracle oracle_output_kind = {
    .type = "output_kind_divergence",
    .rule = "an output has the options that were asked for, and a header without a past",
    .ops = ORACLE_WRITES,
    .no_answer = true,
    .judge = judge,
    .accuses = "Its output is another kind of file than the command line asks for.",
    .accuses_by = OPINION_BY_CONTRACT,
};
