// SPDX-License-Identifier: Apache-2.0
//
// What a tool wrote against what the harness knows it read. Finds what two tools agree on wrongly,
// says which of two is wrong, and works for one tool alone.
#include "oracles/rule.h"

static void judge_side(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, struct judgements *out) {
    struct image_source written, truth;
    struct image_difference difference;
    struct fault fault;
    image_as_source(side->output, &written);
    content_as_source(step->truth.content, &truth);
    if (oracle_compare(step, out, &written, &truth, &difference, &fault) < 0) {
        if (side->output_undecided) {
            oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "unread_", side, "");
            return;
        }
        struct judgement *judgement =
            oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "unreadable_", side, "");
        oracle_text(judgement, "The output of %s cannot be read: %s.", side->tool->name,
                    fault.text);
        return;
    }
    // What lies beyond the end of a disk that is too short is for truth_size_divergence; what a
    // disk has beyond the known content must be zero.
    bool tail_fits = difference.a_size <= difference.b_size || difference.tail_zero;
    if (difference.prefix_equal && tail_fits) {
        oracle_say(out, oracle, difference.cut_short ? VERDICT_INCONCLUSIVE : VERDICT_AGREE,
                   difference.cut_short ? "compare_budget" : NULL);
        return;
    }
    struct judgement *judgement = oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", side, "");
    oracle_text(judgement,
                "%s wrote 0x%02x at guest offset %" PRIu64 ", where the input holds 0x%02x.",
                side->tool->name, difference.a_byte, difference.first_offset, difference.b_byte);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if (!oracle_gave(side) || !side->output)
            continue;
        if (!step->truth.content) {
            oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "truth_unknown");
            return;
        }
        judge_side(oracle, step, side, out);
        if (out->items[out->count - 1].verdict == VERDICT_DIVERGENCE)
            return;
    }
}

const struct oracle oracle_truth_content = {
    .type = "truth_content_divergence",
    .rule = "the output holds the content that the input was built with",
    .ops = ORACLE_WRITES,
    .judge = judge,
    .accuses = "Its output is not the disk that the input was built with.",
    .accuses_by = OPINION_BY_TRUTH,
};
