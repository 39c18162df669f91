// SPDX-License-Identifier: Apache-2.0
//
// Consistency. Tools that check must agree on clean or not clean; an image of our own making is
// clean by construction, so there every complaint is a finding, and so is a tool that no longer
// checks what it can check; and what a convert wrote, also the one behind a measure, must pass the
// reference checker. Counts are not compared, since each tool counts different things, but a tool's
// own must lead to how it ended.
#include "oracles/rule.h"

#include <string.h>

static bool has_verdict(const struct oracle_side *side) {
    enum outcome_class class = oracle_class(side);
    return class == OUTCOME_CLEAN || class == OUTCOME_LEAKS || class == OUTCOME_CORRUPT;
}

// False: the registry explains it.
static bool say_not_clean(const struct oracle *oracle, const struct oracle_step *step,
                          struct judgements *out, int i, const char *than) {
    const struct oracle_side *side = oracle_side_at(step, i);
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "clean_", side, "");
    const char *class = outcome_class_names[side->result->class];
    const struct oracle_side *other = oracle_side_at(step, !i);
    // Two that complain of a sound image are judged each for itself.
    bool beside = has_verdict(other) &&
                  (other->result->class == OUTCOME_CLEAN || !oracle_input_is_built(step));
    const char *other_class = beside ? outcome_class_names[other->result->class] : NULL;
    oracle_values(judgement, "outcome", i == 0 ? class : other_class, i == 0 ? other_class : class);
    oracle_text(
        judgement, "%s calls the image %s (%" PRIu64 " corruptions, %" PRIu64 " leaks), %s.",
        side->tool->name, class, side->result->check.corruptions, side->result->check.leaks, than);
    return !oracle_explained(step, out, judgement);
}

// `other`: 1 the other tool finds it clean, 0 not, -1 it has no verdict, or a known one. True:
// judged, and the step ends.
static bool judge_complaint(const struct oracle *oracle, const struct oracle_step *step,
                            struct judgements *out, int i, int other) {
    const char *than = oracle_input_is_built(step) ? "though it was built without a fault"
                       : other == 1                ? "while the other tool finds nothing wrong"
                                                   : "though no step before found a fault in it";
    if (!oracle_input_is_built(step) && other == 0)
        return false; // they are of one mind
    if (oracle_input_is_built(step) || other == 1 || step->truth.content)
        return say_not_clean(oracle, step, out, i, than);
    oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "complains_alone");
    return true;
}

// It can check such images, and has no verdict on one that is sound. That both refuse, or one what
// the other accepts, exit_code has said; instar documents that it checks no descriptors.
static bool judge_silence(const struct oracle *oracle, const struct oracle_step *step,
                          struct judgements *out, int i) {
    const struct oracle_side *side = oracle_side_at(step, i), *other = oracle_side_at(step, !i);
    enum outcome_class class = oracle_class(side);
    bool refused =
        class == OUTCOME_REFUSED && !oracle_gave(other) && oracle_class(other) != OUTCOME_REFUSED;
    if ((!refused && class != OUTCOME_NO_CHECKS) || !oracle_input_is_built(step) ||
        !tool_checks(side->tool, step->source) ||
        (side->tool->kind == TOOL_INSTAR && oracle_input_is_descriptor(step)))
        return false;
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "unchecked_", side, "");
    const char *words = outcome_class_names[class];
    oracle_values(judgement, "outcome", i == 0 ? words : NULL, i == 0 ? NULL : words);
    oracle_text(judgement, "%s %s an image that was built without a fault.", side->tool->name,
                refused ? "refuses to check" : "says that it has no checks for the format of");
    return !oracle_explained(step, out, judgement);
}

static void judge_check(const struct oracle *oracle, const struct oracle_step *step,
                        struct judgements *out) {
    int clean[ORACLE_SIDES] = {-1, -1};
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if (!has_verdict(side))
            continue;
        clean[i] = side->result->class == OUTCOME_CLEAN;
        if (!oracle_check_is_sound(oracle, step, out, i, side->result))
            return;
    }
    for (int i = 0; i < ORACLE_SIDES; i++) {
        if ((clean[i] == 0 && judge_complaint(oracle, step, out, i, clean[!i])) ||
            judge_silence(oracle, step, out, i))
            return;
        if (oracle_known(out, oracle_side_at(step, i)))
            clean[i] = -1;
    }
    bool one = clean[0] >= 0 || clean[1] >= 0, both = clean[0] >= 0 && clean[1] >= 0;
    if (both || (one && oracle_input_is_built(step)))
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
}

// A crash is a bug of the program that dies, whoever wrote the file.
static void say_crash(const struct oracle *oracle, const struct oracle_step *step, int i,
                      const char *during, struct judgements *out) {
    const char *words = outcome_class_names[OUTCOME_SIGNAL];
    bool by_a = step->checker == step->a.tool;
    struct judgement *judgement =
        oracle_say_tool(out, oracle, VERDICT_DIVERGENCE, "crash_", step->checker, "");
    oracle_values(judgement, "outcome", by_a ? words : NULL, by_a ? NULL : words);
    oracle_text(judgement, "%s dies of a signal %s what %s wrote.", step->checker->name, during,
                oracle_side_at(step, i)->tool->name);
    oracle_explained(step, out, judgement);
}

// What qemu-img's check finds in a file that a tool wrote. `before` begins the detail.
static void judge_written(const struct oracle *oracle, const struct oracle_step *step, int i,
                          const struct tool_result *check, const char *before,
                          struct judgements *out) {
    const struct oracle_side *side = oracle_side_at(step, i);
    if (check->class == OUTCOME_CLEAN)
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
    if (outcome_is_cut_off(check->class))
        oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "output_check_cut_off_", side, "");
    if (check->class == OUTCOME_SIGNAL)
        say_crash(oracle, step, i, "when it checks", out);
    if (check->class != OUTCOME_LEAKS && check->class != OUTCOME_CORRUPT &&
        check->class != OUTCOME_REFUSED)
        return;
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, before, side, "");
    oracle_values(judgement, "outcome", i == 0 ? outcome_class_names[check->class] : NULL,
                  i == 0 ? NULL : outcome_class_names[check->class]);
    if (check->class == OUTCOME_REFUSED)
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
        if (side->reader_died)
            say_crash(oracle, step, i, "when it reads", out);
        else if (step->op != OP_MEASURE)
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
    if (strncmp(judgement->detail, "crash_", 6) == 0)
        opinion_accuse(step, judgement, opinion, OPINION_BY_TOOL,
                       "No image may end a tool by a signal.");
    else if (step->op != OP_CHECK)
        opinion_accuse(step, judgement, opinion, OPINION_BY_TOOL,
                       "qemu-img's own check does not find its output clean.");
    else if (!oracle_check_opinion(step, judgement, opinion) && oracle_input_is_built(step))
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
