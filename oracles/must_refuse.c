// SPDX-License-Identifier: Apache-2.0
//
// Every image of a case is sound, so a tool that opens whatever it is given agrees with one that
// looks first. So the command of a step is asked once more, of copies that no reader may open: they
// ask for what nobody knows, or lack what identifies them (image/damage_refused.c).
#include "oracles/rule.h"

static const struct refusal {
    const char *detail, *words;
} refusals[IMAGE_DAMAGES] = {
    [DAMAGE_FEATURE] = {"feature_", "an incompatible feature that is not known"},
    [DAMAGE_COMPRESSION] = {"compression_", "a compression type that is not known"},
    [DAMAGE_VERSION] = {"version_", "a version that there is not"},
    [DAMAGE_COOKIE] = {"cookie_", "a header that is none of a dynamic disk"},
    [DAMAGE_LOG] = {"log_", "a log to replay first, and an end before that log's"},
    [DAMAGE_CHECKSUM] = {"checksum_", "no region table with a right checksum"},
    [DAMAGE_REGION] = {"region_", "a required region that is not known"},
    [DAMAGE_ITEM] = {"item_", "a required metadata item that is not known"},
};

static void judge_kind(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, enum image_damage damage,
                       struct judgements *out) {
    const struct refusal *refusal = &refusals[damage];
    const struct tool_result *result = side->beside[cross_of_damage(damage)].result;
    if (!result || !oracle_gave(side) || result->class == OUTCOME_NO_CHECKS)
        return;
    // A check that calls it corrupt has seen it as well.
    if (result->class == OUTCOME_REFUSED || result->class == OUTCOME_CORRUPT) {
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
        return;
    }
    if (!oracle_beside(oracle, out, side, cross_of_damage(damage)))
        return;
    const char *said = outcome_class_names[result->class];
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, refusal->detail, side, "");
    oracle_values(judgement, "copy", i == 0 ? said : NULL, i == 0 ? NULL : said);
    oracle_text(judgement, "A copy of the image has %s: %s opens it (%s) and must not.",
                refusal->words, side->tool->name, said);
    oracle_explained(step, out, judgement);
}

static void judge_side(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, struct judgements *out) {
    size_t from = out->count;
    for (int damage = IMAGE_FAULTS; damage < IMAGE_DAMAGES && !oracle_diverged(out, from); damage++)
        judge_kind(oracle, step, side, i, (enum image_damage)damage, out);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    oracle_each_side(oracle, step, out, judge_side);
}

const struct oracle oracle_must_refuse = {
    .type = "must_refuse_violation",
    .rule = "a copy that asks for what nobody knows, or lacks what identifies it, is refused",
    .ops = ORACLE_ALL_OPS & ~ORACLE_OP(OP_CONVERT_COMPRESSED),
    .no_answer = true,
    .beside = ((1u << (IMAGE_DAMAGES - IMAGE_FAULTS)) - 1) << CROSS_REFUSE,
    .by_turn = true,
    .judge = judge,
    .accuses = "What the copy says of itself nobody can honour.",
    .accuses_by = OPINION_BY_TRUTH,
};
