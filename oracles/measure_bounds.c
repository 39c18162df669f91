// SPDX-License-Identifier: Apache-2.0
//
// qemu-img cannot measure vmdk, vpc and vhdx, so there a tool is judged against itself: the file
// that its own convert then writes must lie between what its measure called `required` and
// `fully-allocated`. Holds for a tool that runs alone, too.
#include "oracles/relax.h"
#include "oracles/rule.h"

#include <stdio.h>

#define BOUNDED_TARGETS (1u << IMAGE_VMDK | 1u << IMAGE_VPC | 1u << IMAGE_VHDX)

static bool applies(const struct oracle_step *step, const struct oracle_side *side) {
    return (BOUNDED_TARGETS & 1u << step->target) && oracle_gave(side) && side->has_converted &&
           side->result->measure.has_required && side->result->measure.has_fully;
}

static void judge_above(const struct oracle *oracle, const struct oracle_step *step,
                        struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if (!applies(step, side))
            continue;
        uint64_t fully = side->result->measure.fully, size = side->converted_size;
        const struct relax_query query = {.step = step, .expected = fully, .found = size};
        if (size <= fully || relax_allows(RELAX_BOUND_CUSHION, &query)) {
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
            continue;
        }
        struct judgement *judgement =
            oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", side, "");
        oracle_number_of(judgement, "converted-size", i, size);
        oracle_text(judgement,
                    "%s measures fully-allocated = %" PRIu64 ", but its own convert writes %" PRIu64
                    " bytes, %" PRIu64 " more (allowed: %" PRIu64 ").",
                    side->tool->name, fully, size, size - fully, relax_bound_cushion(step));
        if (!oracle_explained(step, out, judgement))
            return;
    }
}

static struct judgement *say_below(const struct oracle *oracle, const struct oracle_step *step,
                                   struct judgements *out, int i) {
    const struct oracle_side *side = oracle_side_at(step, i);
    struct judgement *judgement = oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", side, "");
    oracle_number_of(judgement, "required", i, side->result->measure.required);
    oracle_text(judgement,
                "%s measures required = %" PRIu64 ", but its own convert writes only %" PRIu64
                " bytes.",
                side->tool->name, side->result->measure.required, side->converted_size);
    return judgement;
}

static void judge_below(const struct oracle *oracle, const struct oracle_step *step,
                        struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if (!applies(step, side))
            continue;
        uint64_t required = side->result->measure.required, size = side->converted_size;
        const struct relax_query query = {step, .expected = required, .found = size};
        const struct relax_query turned = {step, .expected = size, .found = required};
        if (size < required && out->strict_bounds) {
            say_below(oracle, step, out, i);
            return;
        }
        if (size >= required || relax_allows(RELAX_BOUND_CUSHION, &turned)) {
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
            continue;
        }
        if (relax_allows(RELAX_BOUND_STREAM, &query))
            continue;
        if (!step->truth.content) {
            oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "truth_unknown");
            continue;
        }
        if (relax_allows(RELAX_BOUND_SPARSE_WRITER, &query)) {
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
            continue;
        }
        if (!oracle_explained(step, out, say_below(oracle, step, out, i)))
            return;
    }
}

const struct oracle oracle_measure_above = {
    .type = "measure_above_fully_allocated_bound",
    .rule = "a tool's own convert to vmdk, vpc or vhdx does not exceed its fully-allocated",
    .ops = ORACLE_OP(OP_MEASURE),
    .judge = judge_above,
    .accuses = "Its own convert writes more than its measure promised.",
    .accuses_by = OPINION_BY_CONTRACT,
};

const struct oracle oracle_measure_below = {
    .type = "measure_below_required_bound",
    .rule = "a tool's own convert to vmdk, vpc or vhdx reaches its required, less what a sparse "
            "writer may omit",
    .ops = ORACLE_OP(OP_MEASURE),
    .judge = judge_below,
    .accuses = "Its own convert writes less than its measure required.",
    .accuses_by = OPINION_BY_CONTRACT,
};
