// SPDX-License-Identifier: Apache-2.0
//
// A check that calls everything clean agrees with every other one, for all images of a case are
// sound. So check is asked of copies with one fault each (image/damage.h), and has to call them
// what QEMU's documentation of qemu-img calls them ("Repairing" and the exit codes of check):
// leaks, where nothing is lost but space, or corrupt. A file whose tables lead nowhere it may
// refuse to open. Of vmdk, vpc and vhdx it is instar's documentation (docs/check.md) that promises
// to see overlaps and places behind the end.
#include "oracles/relax.h"
#include "oracles/rule.h"

#define LEAKS   (1u << OUTCOME_LEAKS)
#define CORRUPT (1u << OUTCOME_CORRUPT)
#define REFUSED (1u << OUTCOME_REFUSED)

static const struct fault_kind {
    unsigned classes; // bit set of right answers
    const char *detail, *words, *right;
} kinds[IMAGE_FAULTS] = {
    [DAMAGE_LEAK] = {LEAKS, "leak_", "a cluster that nobody refers to", "leaking"},
    [DAMAGE_REFCOUNT] = {CORRUPT, "refcount_", "a cluster in use whose refcount is 0", "corrupt"},
    // With a COPIED flag that then contradicts it, it is more than a leak.
    [DAMAGE_EXCESS] = {LEAKS | CORRUPT, "excess_", "a cluster whose refcount is one too high",
                       "leaking or corrupt"},
    [DAMAGE_COPIED] = {CORRUPT, "copied_", "an entry whose COPIED flag contradicts the refcount",
                       "corrupt"},
    [DAMAGE_SUBCLUSTERS] = {CORRUPT | REFUSED, "subclusters_",
                            "a subcluster that is stored and zero", "corrupt"},
    [DAMAGE_OVERLAP] = {CORRUPT | REFUSED, "overlap_",
                        "two units of the disk at one place of the file", "corrupt"},
    [DAMAGE_BEYOND] = {CORRUPT | REFUSED, "beyond_", "a unit of the disk behind the file's end",
                       "corrupt"},
};

static bool is_overlooked(const struct oracle_step *step, const struct oracle_side *side,
                          enum image_damage damage, enum outcome_class said) {
    const struct relax_query query = {step, .tool = side->tool};
    return said == OUTCOME_CLEAN &&
           ((damage == DAMAGE_OVERLAP && relax_allows(RELAX_DAMAGE_OVERLAP, &query)) ||
            (damage == DAMAGE_SUBCLUSTERS && relax_allows(RELAX_DAMAGE_SUBCLUSTERS, &query)));
}

static void judge_kind(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, enum image_damage damage,
                       struct judgements *out) {
    const struct fault_kind *kind = &kinds[damage];
    const struct tool_result *result = side->beside[cross_of_damage(damage)].result;
    if (!result || !oracle_gave(side))
        return;
    if (result->class != OUTCOME_REFUSED && result->class != OUTCOME_NO_CHECKS &&
        !oracle_beside(oracle, out, side, cross_of_damage(damage)))
        return;
    if (kind->classes >> result->class & 1) {
        if (oracle_check_is_sound(oracle, step, out, i, result))
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
        return;
    }
    if (is_overlooked(step, side, damage, result->class))
        return;
    const char *said = outcome_class_names[result->class];
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, kind->detail, side, "");
    oracle_values(judgement, "check", i == 0 ? said : NULL, i == 0 ? NULL : said);
    oracle_text(judgement, "A copy of the image has %s: %s calls it %s, not %s.", kind->words,
                side->tool->name, said, kind->right);
    oracle_explained(step, out, judgement);
}

static void judge_side(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, struct judgements *out) {
    size_t from = out->count;
    for (int damage = 0; damage < IMAGE_FAULTS && !oracle_diverged(out, from); damage++)
        judge_kind(oracle, step, side, i, (enum image_damage)damage, out);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    oracle_each_side(oracle, step, out, judge_side);
}

static void opinion(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion) {
    if (!oracle_check_opinion(step, judgement, opinion))
        opinion_accuse(step, judgement, opinion, OPINION_BY_TRUTH,
                       "What is wrong with the copy is known.");
}

const struct oracle oracle_check_damage = {
    .type = "check_damage_divergence",
    .rule = "check finds the one fault that a copy of a sound image was given",
    .ops = ORACLE_OP(OP_CHECK),
    .no_answer = true,
    .beside = ((1u << IMAGE_FAULTS) - 1) << CROSS_CHECK_DAMAGED,
    .by_turn = true,
    .judge = judge,
    .opinion = opinion,
};
