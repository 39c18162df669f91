// SPDX-License-Identifier: Apache-2.0
//
// A check that calls everything clean agrees with every other one, for all images of a case are
// sound. So check is asked of copies with one fault each: a cluster that nobody refers to is a
// leak, one that is referred to more often than its refcount says is a corruption ("Repairing" and
// the exit codes of check in QEMU's documentation of qemu-img). Counts are not compared.
#include "oracles/rule.h"

static const struct fault_kind {
    enum cross_check check;
    enum outcome_class class; // of a right answer
    const char *detail, *words;
} kinds[] = {
    {CROSS_CHECK_LEAK, OUTCOME_LEAKS, "leak_", "a cluster that nobody refers to"},
    {CROSS_CHECK_REFCOUNT, OUTCOME_CORRUPT, "refcount_", "a cluster in use whose refcount is 0"},
};

static void judge_side(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, struct judgements *out) {
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        size_t from = out->count;
        const struct tool_result *result = oracle_beside(oracle, out, side, kinds[kind].check);
        if (oracle_diverged(out, from))
            return;
        if (!result)
            continue;
        if (result->class == kinds[kind].class) {
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
            continue;
        }
        const char *said = outcome_class_names[result->class];
        struct judgement *judgement =
            oracle_say_role(out, oracle, VERDICT_DIVERGENCE, kinds[kind].detail, side, "");
        oracle_values(judgement, "check", i == 0 ? said : NULL, i == 0 ? NULL : said);
        oracle_text(judgement, "A copy of the image has %s: %s calls it %s, not %s.",
                    kinds[kind].words, side->tool->name, said,
                    outcome_class_names[kinds[kind].class]);
        if (!oracle_explained(step, out, judgement))
            return;
    }
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    oracle_each_side(oracle, step, out, judge_side);
}

const struct oracle oracle_check_damage = {
    .type = "check_damage_divergence",
    .rule = "check finds the one fault that a copy of a sound image was given",
    .ops = ORACLE_OP(OP_CHECK),
    .no_answer = true,
    .beside = 1u << CROSS_CHECK_LEAK | 1u << CROSS_CHECK_REFCOUNT,
    .by_turn = true,
    .judge = judge,
    .accuses = "What is wrong with the copy is known.",
    .accuses_by = OPINION_BY_TRUTH,
};
