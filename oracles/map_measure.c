// SPDX-License-Identifier: Apache-2.0
//
// Two answers of one tool about one image: what map calls data, in whole clusters of the target, is
// what measure counts for a qcow2. Holds also where nobody knows what is right.
#include "oracles/model.h"
#include "oracles/registry.h"
#include "oracles/relax.h"
#include "oracles/rule.h"

#include "base/bytes.h"

static uint64_t units_of(const struct tool_result *result, uint64_t unit) {
    uint64_t count = 0, next = 0; // `next`: first unit that is not counted yet
    for (size_t i = 0; i < result->map_count; i++) {
        const struct tool_extent *run = &result->map[i];
        if (!run->data || run->zero || !run->length)
            continue;
        uint64_t first = max_u64(run->start / unit, next);
        uint64_t end = (run->start + run->length - 1) / unit + 1;
        if (end > first) {
            count += end - first;
            next = end;
        }
    }
    return count;
}

// Nobody was asked beside a tool that runs alone, so nothing has made its number known.
static bool is_documented(const struct oracle_step *step, const struct judgements *out, int i,
                          uint64_t required) {
    struct judgement number = {.oracle = &oracle_measure_numeric};
    oracle_number_of(&number, "required", i, required);
    return out->registry && registry_predicts(out->registry, step, &number, i);
}

static void judge_side(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, struct judgements *out) {
    const struct cross_answer *answer = &side->beside[CROSS_MAP];
    const struct relax_query query = {step, .tool = side->tool};
    struct model_sizes sizes;
    if (!oracle_gave(side) || !side->result->measure.has_required || !answer->result ||
        answer->result->class != OUTCOME_OK || answer->result->json_failed ||
        relax_allows(RELAX_MAP_STANDIN_VHDX, &query) || oracle_leaves_out_known(oracle, out, side))
        return;
    uint64_t unit = model_target_unit(IMAGE_QCOW2, &step->options);
    uint64_t units = units_of(answer->result, unit), required = side->result->measure.required;
    if (!model_measure(IMAGE_QCOW2, &step->options, step->truth.shown_size, units, &sizes))
        return;
    if (sizes.required == required) {
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
        return;
    }
    if (is_documented(step, out, i, required)) {
        oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "known_value_", side, "");
        return;
    }
    struct judgement *judgement = oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", side, "");
    oracle_number_of(judgement, "required", i, required);
    oracle_text(judgement,
                "%s maps data in %" PRIu64 " clusters of the target, which need %" PRIu64
                " bytes; it measures required = %" PRIu64 ".",
                side->tool->name, units, sizes.required, required);
    oracle_explained(step, out, judgement);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    if (step->target == IMAGE_QCOW2)
        oracle_each_side(oracle, step, out, judge_side);
}

const struct oracle oracle_map_measure = {
    .type = "map_measure_divergence",
    .rule = "what a tool's map calls data is what its measure counts for a qcow2",
    .ops = ORACLE_OP(OP_MEASURE),
    .no_answer = true,
    .beside = 1u << CROSS_MAP,
    .by_turn = true,
    .judge = judge,
    .accuses = "Its own measure counts other clusters than its map names.",
    .accuses_by = OPINION_BY_CONTRACT,
};
