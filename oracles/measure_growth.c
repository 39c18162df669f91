// SPDX-License-Identifier: Apache-2.0
//
// A relation between answers of one tool, which holds whatever the right numbers are: a conversion
// stores nothing that was not there, so that measure asks no more for what convert to qcow2 wrote
// than for what it read. Both are measured for a qcow2 with the options of the conversion: what the
// input has in smaller pieces is rounded up to the same clusters in both numbers.
#include "oracles/model.h"
#include "oracles/relax.h"
#include "oracles/rule.h"

// The options that both measures were given; a convert knows no others that change a size.
static bool least_required(const struct oracle_step *step, uint64_t *required) {
    const struct target_options options = {.cluster_bits = step->options.cluster_bits,
                                           .extended_l2 = step->options.extended_l2};
    struct model_sizes sizes;
    if (!step->truth.allocation)
        return false;
    uint64_t units =
        model_units_touched(step->truth.allocation, model_target_unit(IMAGE_QCOW2, &options));
    if (!model_measure(IMAGE_QCOW2, &options, step->truth.shown_size, units, &sizes))
        return false;
    *required = sizes.required;
    return true;
}

static const struct tool_measure *measured(const struct oracle *oracle, struct judgements *out,
                                           const struct oracle_side *side, enum cross_check check) {
    const struct tool_result *result = oracle_beside(oracle, out, side, check);
    return result && !result->json_failed ? &result->measure : NULL;
}

static void judge_side(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, struct judgements *out) {
    const struct tool_measure *input = measured(oracle, out, side, CROSS_MEASURE_INPUT),
                              *output = measured(oracle, out, side, CROSS_MEASURE_OUTPUT);
    uint64_t least;
    if (!input || !output || oracle_leaves_out_known(oracle, out, side))
        return;
    if (output->required <= input->required) {
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
        return;
    }
    // Too small a number for the input is a fault of measure, which has a rule and a name.
    if (!least_required(step, &least) || input->required < least) {
        oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "input_misjudged_", side, "");
        return;
    }
    struct judgement *judgement = oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", side, "");
    oracle_number_of(judgement, "required", i, output->required);
    oracle_text(judgement,
                "%s measures required = %" PRIu64 " for its input and %" PRIu64
                " for the qcow2 file that it made of it.",
                side->tool->name, input->required, output->required);
    oracle_explained(step, out, judgement);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    oracle_each_side(oracle, step, out, judge_side);
}

const struct oracle oracle_measure_growth = {
    .type = "measure_growth_violation",
    .rule = "measure does not grow by a conversion to qcow2",
    .ops = ORACLE_WRITES,
    .no_answer = true,
    .beside = 1u << CROSS_MEASURE_INPUT | 1u << CROSS_MEASURE_OUTPUT,
    .by_turn = true,
    .judge = judge,
    .accuses = "A conversion stores nothing that its input does not have.",
    .accuses_by = OPINION_BY_CONTRACT,
};
