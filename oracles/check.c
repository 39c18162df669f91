// SPDX-License-Identifier: Apache-2.0
//
// Consistency. Tools that check must agree on clean or not clean; an image of our own making is
// clean by construction, so there every complaint is a finding; and what a convert wrote, also the
// one behind a measure, must pass the reference checker. Counts are not compared: each tool counts
// different things.
#include "oracles/rule.h"

static bool has_verdict(const struct oracle_side *side) {
    enum outcome_class class = oracle_class(side);
    return class == OUTCOME_CLEAN || class == OUTCOME_LEAKS || class == OUTCOME_CORRUPT;
}

static void say_not_clean(const struct oracle *oracle, const struct oracle_step *step,
                          struct judgements *out, int i, const char *than) {
    const struct oracle_side *side = oracle_side_at(step, i);
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "clean_", side, "");
    const char *class = outcome_class_names[side->result->class];
    const struct oracle_side *other = oracle_side_at(step, !i);
    const char *other_class = has_verdict(other) ? outcome_class_names[other->result->class] : NULL;
    oracle_values(judgement, "outcome", i == 0 ? class : other_class, i == 0 ? other_class : class);
    oracle_text(
        judgement, "%s calls the image %s (%" PRIu64 " corruptions, %" PRIu64 " leaks), %s.",
        side->tool->name, class, side->result->check.corruptions, side->result->check.leaks, than);
}

static void judge_check(const struct oracle *oracle, const struct oracle_step *step,
                        struct judgements *out) {
    int clean[ORACLE_SIDES] = {-1, -1};
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if (!has_verdict(side))
            continue;
        clean[i] = side->result->class == OUTCOME_CLEAN;
        if (side->result->json_failed) {
            struct judgement *judgement =
                oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "unparsed_", side, "");
            oracle_text(judgement, "%s did not print check's JSON: %s.", side->tool->name,
                        side->result->json_problem);
            return;
        }
    }
    bool built_by_us = step->truth.options && !step->input_is_output;
    for (int i = 0; i < ORACLE_SIDES; i++) {
        if (clean[i] != 0)
            continue;
        if (built_by_us) {
            say_not_clean(oracle, step, out, i, "though it was built without a fault");
            return;
        }
        if (clean[!i] == 1) {
            say_not_clean(oracle, step, out, i, "while the other tool finds nothing wrong");
            return;
        }
    }
    if (clean[0] >= 0 || clean[1] >= 0)
        if (built_by_us || (clean[0] >= 0 && clean[1] >= 0))
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
}

// What qemu-img's check finds in a file that a tool wrote. `before` begins the detail.
static void judge_written(const struct oracle *oracle, const struct oracle_step *step, int i,
                          const struct tool_result *check, const char *before,
                          struct judgements *out) {
    const struct oracle_side *side = oracle_side_at(step, i);
    if (check->class == OUTCOME_CLEAN)
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
    if (check->class == OUTCOME_LIMIT || check->class == OUTCOME_TIMEOUT)
        oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "output_check_cut_off_", side, "");
    if (check->class != OUTCOME_LEAKS && check->class != OUTCOME_CORRUPT &&
        check->class != OUTCOME_REFUSED && check->class != OUTCOME_SIGNAL)
        return;
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, before, side, "");
    oracle_values(judgement, "outcome", i == 0 ? outcome_class_names[check->class] : NULL,
                  i == 0 ? NULL : outcome_class_names[check->class]);
    if (check->class == OUTCOME_SIGNAL)
        oracle_text(judgement, "qemu-img check dies on what %s wrote.", side->tool->name);
    else if (check->class == OUTCOME_REFUSED)
        oracle_text(judgement, "qemu-img check refuses to open what %s wrote.", side->tool->name);
    else
        oracle_text(judgement,
                    "qemu-img check finds %" PRIu64 " corruptions and %" PRIu64
                    " leaks in what %s wrote.",
                    check->check.corruptions, check->check.leaks, side->tool->name);
    oracle_explained(step, out, judgement);
}

static void judge_outputs(const struct oracle *oracle, const struct oracle_step *step,
                          struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        size_t from = out->count;
        if (!oracle_gave(side))
            continue;
        if (step->op != OP_MEASURE)
            judge_written(oracle, step, i, &side->output_check, "output_", out);
        else if (side->beside[CROSS_CHECK_FIT].result)
            judge_written(oracle, step, i, side->beside[CROSS_CHECK_FIT].result, "fit_", out);
        if (oracle_diverged(out, from))
            return;
    }
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    if (step->op == OP_CHECK)
        judge_check(oracle, step, out);
    else
        judge_outputs(oracle, step, out);
}

static void opinion(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion) {
    bool built_by_us = step->truth.options && !step->input_is_output;
    if (step->op != OP_CHECK)
        opinion_accuse(step, judgement, opinion, OPINION_BY_TOOL,
                       "qemu-img's own check does not find its output clean.");
    else if (!*judgement->field)
        opinion_accuse(step, judgement, opinion, OPINION_BY_CONTRACT,
                       "It gave a verdict without the documented JSON.");
    else if (built_by_us)
        opinion_accuse(step, judgement, opinion, OPINION_BY_TRUTH,
                       "The image was built without a fault.");
}

const struct oracle oracle_check = {
    .type = "check_divergence",
    .rule = "tools agree on clean or not clean, and what was built or converted is clean",
    .ops = ORACLE_OP(OP_CHECK) | ORACLE_OP(OP_MEASURE) | ORACLE_WRITES,
    .beside = 1u << CROSS_CHECK_FIT,
    .judge = judge,
    .opinion = opinion,
};
