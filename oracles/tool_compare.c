// SPDX-License-Identifier: Apache-2.0
//
// A tool's own compare is asked for what is known: an input and what a convert made of it hold the
// same bytes, as our comparison says (convert_content, truth_content); an image in which one byte
// was changed does not. Both tools are held to the same truth, so they agree with each other.
#include "oracles/rule.h"

// Our comparison of input and output. false: it does not know, or cannot read.
static bool outputs_same(const struct oracle_step *step, const struct oracle_side *side,
                         struct judgements *out, bool *same) {
    struct image_source written, truth;
    struct image_difference difference;
    struct fault fault;
    if (!side->output || !step->truth.content)
        return false;
    image_as_source(side->output, &written);
    content_as_source(step->truth.content, &truth);
    if (oracle_compare(step, out, &written, &truth, &difference, &fault) < 0)
        return false;
    *same = difference.prefix_equal && difference.tail_zero;
    return !difference.cut_short || !*same;
}

static void judge_answer(const struct oracle *oracle, const struct oracle_step *step,
                         const struct oracle_side *side, int i, enum cross_check check, bool same,
                         struct judgements *out) {
    const struct tool_result *refused = side->beside[check].result;
    if (oracle_gave(side) && refused && refused->class == OUTCOME_REFUSED) {
        oracle_text(oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "refused_", side, ""),
                    "%s converted the input, but refuses the %s.", side->tool->name,
                    cross_names[check]);
        return;
    }
    const struct tool_result *result = oracle_beside(oracle, out, side, check);
    if (!result)
        return;
    if ((result->class == OUTCOME_OK) == same) {
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
        return;
    }
    const char *said = same ? "different" : "identical";
    struct judgement *judgement = oracle_say_role(out, oracle, VERDICT_DIVERGENCE,
                                                  same ? "different_" : "identical_", side, "");
    oracle_values(judgement, "compare", i == 0 ? said : NULL, i == 0 ? NULL : said);
    oracle_text(judgement, "The %s by %s says %s, which they are not.", cross_names[check],
                side->tool->name, said);
    oracle_explained(step, out, judgement);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        size_t from = out->count;
        bool same;
        if (side->beside[CROSS_COMPARE_OUTPUT].result && outputs_same(step, side, out, &same))
            judge_answer(oracle, step, side, i, CROSS_COMPARE_OUTPUT, same, out);
        if (!oracle_diverged(out, from))
            judge_answer(oracle, step, side, i, CROSS_COMPARE_OTHER, false, out);
        if (oracle_diverged(out, from))
            return;
    }
}

const struct oracle oracle_tool_compare = {
    .type = "compare_divergence",
    .rule = "compare says of input and output, and of an image with one byte changed, what is so",
    .ops = ORACLE_WRITES,
    .no_answer = true,
    .beside = 1u << CROSS_COMPARE_OUTPUT | 1u << CROSS_COMPARE_OTHER,
    .by_turn = true,
    .judge = judge,
    .accuses = "What the two images hold is known.",
    .accuses_by = OPINION_BY_TRUTH,
};
