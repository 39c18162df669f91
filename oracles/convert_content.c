// SPDX-License-Identifier: Apache-2.0
//
// Two tools convert one input: the guest must see the same disk in both outputs. Files, layout and
// metadata are each writer's own.
#include "oracles/relax.h"
#include "oracles/rule.h"

#include "base/bytes.h"

#include <string.h>

static struct judgement *say_unreadable(const struct oracle *oracle, struct judgements *out,
                                        const struct oracle_side *side, const char *why) {
    if (side->output_undecided)
        return oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "unread_", side, "");
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "unreadable_", side, "");
    oracle_text(judgement, "%s said that it succeeded, but its output cannot be read: %s.",
                side->tool->name, why);
    return judgement;
}

// Holds for each side on its own, also when there is no other.
static bool readable(const struct oracle *oracle, const struct oracle_step *step,
                     struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if (!oracle_gave(side) || side->output || (!*side->output_fault && !side->output_undecided))
            continue;
        say_unreadable(oracle, out, side, side->output_fault);
        return false;
    }
    return true;
}

static void say_content(const struct oracle *oracle, const struct oracle_step *step,
                        struct judgements *out, const struct image_difference *difference) {
    struct judgement *judgement = oracle_say(out, oracle, VERDICT_DIVERGENCE, "content");
    oracle_text(judgement,
                "The outputs differ at guest offset %" PRIu64 ": %s wrote 0x%02x, %s 0x%02x.",
                difference->first_offset, step->a.tool->name, difference->a_byte,
                step->b.tool->name, difference->b_byte);
}

static bool sizes_fit(const struct oracle_step *step, const struct image_difference *difference) {
    const struct relax_query query = {
        step,
        .expected = min_u64(difference->a_size, difference->b_size),
        .found = max_u64(difference->a_size, difference->b_size),
    };
    return query.expected == query.found || relax_allows(RELAX_PAIR_VPC_CYLINDERS, &query);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    if (!readable(oracle, step, out) || !oracle_both_gave(step) || !step->a.output ||
        !step->b.output)
        return;
    struct image_source a, b;
    struct image_difference difference;
    struct fault fault;
    image_as_source(step->a.output, &a);
    image_as_source(step->b.output, &b);
    if (oracle_compare(step, out, &a, &b, &difference, &fault) < 0) {
        bool first = strncmp(fault.text, "first", 5) == 0;
        say_unreadable(oracle, out, first ? &step->a : &step->b, fault.text);
        return;
    }
    if (!difference.prefix_equal) {
        say_content(oracle, step, out, &difference);
        return;
    }
    if (!sizes_fit(step, &difference)) {
        struct judgement *judgement = oracle_say(out, oracle, VERDICT_DIVERGENCE, "size");
        oracle_numbers(judgement, "virtual-size", difference.a_size, difference.b_size);
        oracle_text(judgement, "%s wrote a disk of %" PRIu64 " bytes, %s one of %" PRIu64 ".",
                    step->a.tool->name, difference.a_size, step->b.tool->name, difference.b_size);
        if (!oracle_explained(step, out, judgement))
            return;
    }
    if (!difference.tail_zero)
        say_content(oracle, step, out, &difference);
    else if (difference.cut_short)
        oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "compare_budget");
    else if (difference.a_size == difference.b_size || sizes_fit(step, &difference))
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
}

static void opinion(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion) {
    if (judgement->about)
        opinion_accuse(step, judgement, opinion, OPINION_BY_CONTRACT,
                       "It said that it succeeded, but nobody can read its output.");
    else if (*judgement->field)
        opinion_of_values(step, judgement, opinion);
    else
        opinion_of_contents(step, opinion);
}

const struct oracle oracle_convert_content = {
    .type = "convert_content_divergence",
    .rule = "the outputs of both tools hold the same guest content and size",
    .ops = ORACLE_WRITES,
    .judge = judge,
    .opinion = opinion,
};
