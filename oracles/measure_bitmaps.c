// SPDX-License-Identifier: Apache-2.0
//
// The "bitmaps" member of measure: on both sides or on neither, and with one value; of an image of
// our own making the model knows which. Two types, as instar's own fuzzer names the first of them.
#include "oracles/model.h"
#include "oracles/rule.h"

#include <stdio.h>
#include <string.h>

static bool applies(const struct oracle_step *step) {
    return step->target == IMAGE_QCOW2 && oracle_both_gave(step) && !step->a.result->json_failed &&
           !step->b.result->json_failed;
}

static void judge_presence(const struct oracle *oracle, const struct oracle_step *step,
                           struct judgements *out) {
    if (!applies(step))
        return;
    const struct tool_measure *a = &step->a.result->measure, *b = &step->b.result->measure;
    if (a->has_bitmaps == b->has_bitmaps) {
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
        return;
    }
    const struct oracle_side *omits = a->has_bitmaps ? &step->b : &step->a;
    const struct oracle_side *prints = a->has_bitmaps ? &step->a : &step->b;
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", omits, "_omits");
    oracle_values(judgement, "bitmaps", a->has_bitmaps ? "present" : "absent",
                  b->has_bitmaps ? "present" : "absent");
    oracle_text(judgement, "%s prints \"bitmaps\", %s leaves it out.", prints->tool->name,
                omits->tool->name);
}

// QEMU's documentation: there where source and target both can have bitmaps. What a tool wrote has
// version 3, as no conversion is asked for another.
static void opinion_of_presence(const struct oracle_step *step, const struct judgement *judgement,
                                struct opinion *opinion) {
    const struct image_options *built = step->truth.options;
    bool version_2 = built && built->qcow2_version == 2;
    bool expected = step->source == IMAGE_QCOW2 && !version_2 && step->options.compat != 1;
    bool by_a = (strcmp(judgement->a_value, "present") == 0) != expected;
    opinion_say(opinion, by_a ? OPINION_A : OPINION_B, OPINION_BY_CONTRACT,
                "measure prints bitmaps where source and target both can have them: here %s.",
                expected ? "they can" : "they cannot");
}

// The value for the image that was built; false where the harness does not know it.
static bool bitmaps_of_truth(const struct oracle_step *step, uint64_t *bytes) {
    const struct truth *truth = &step->truth;
    if (step->target != IMAGE_QCOW2 || truth->format != IMAGE_QCOW2 || !truth->options ||
        step->input_is_output)
        return false;
    *bytes = model_bitmaps(truth->options, model_target_unit(IMAGE_QCOW2, &step->options),
                           truth->shown_size);
    return true;
}

static void opinion_of_value(const struct oracle_step *step, const struct judgement *judgement,
                             struct opinion *opinion) {
    uint64_t right;
    if (!bitmaps_of_truth(step, &right))
        return;
    char words[24];
    snprintf(words, sizeof words, "%" PRIu64, right);
    bool a = *judgement->a_value && strcmp(judgement->a_value, words) != 0;
    bool b = *judgement->b_value && strcmp(judgement->b_value, words) != 0;
    opinion_say(opinion,
                a && b ? OPINION_BOTH
                : a    ? OPINION_A
                       : OPINION_B,
                OPINION_BY_MODEL, "The bitmaps that the image was built with take %s bytes.",
                words);
}

// Each tool alone against what was built. `step->truth.format` is not qcow2 where only a size is
// measured.
static void judge_truth(const struct oracle *oracle, const struct oracle_step *step,
                        struct judgements *out) {
    uint64_t expected;
    if (!bitmaps_of_truth(step, &expected))
        return;
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if (!oracle_gave(side) || side->result->json_failed || !side->result->measure.has_bitmaps)
            continue;
        uint64_t found = side->result->measure.bitmaps;
        if (found == expected) {
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
            continue;
        }
        struct judgement *judgement =
            oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "truth_", side, "");
        oracle_number_of(judgement, "bitmaps", i, found);
        oracle_text(judgement,
                    "%s says bitmaps = %" PRIu64 ", but those of the image take %" PRIu64 ".",
                    side->tool->name, found, expected);
        if (!oracle_explained(step, out, judgement))
            return;
    }
}

static void judge_pair(const struct oracle *oracle, const struct oracle_step *step,
                       struct judgements *out) {
    if (!applies(step))
        return;
    const struct tool_measure *a = &step->a.result->measure, *b = &step->b.result->measure;
    if (!a->has_bitmaps || !b->has_bitmaps)
        return;
    if (a->bitmaps == b->bitmaps) {
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
        return;
    }
    struct judgement *judgement = oracle_say(out, oracle, VERDICT_DIVERGENCE, "bitmaps");
    oracle_numbers(judgement, "bitmaps", a->bitmaps, b->bitmaps);
    oracle_text(judgement, "%s says bitmaps = %" PRIu64 ", %s %" PRIu64 ".", step->a.tool->name,
                a->bitmaps, step->b.tool->name, b->bitmaps);
}

// Where the two differ, one of them is wrong and the difference has said so.
static void judge_value(const struct oracle *oracle, const struct oracle_step *step,
                        struct judgements *out) {
    size_t before = out->count;
    judge_pair(oracle, step, out);
    if (out->count == before || out->items[out->count - 1].verdict == VERDICT_AGREE)
        judge_truth(oracle, step, out);
}

const struct oracle oracle_measure_bitmaps_presence = {
    .type = "measure_bitmaps_presence_divergence",
    .rule = "the bitmaps member is printed by both tools or by neither (qcow2 targets)",
    .ops = ORACLE_OP(OP_MEASURE),
    .judge = judge_presence,
    .opinion = opinion_of_presence,
};

const struct oracle oracle_measure_bitmaps_value = {
    .type = "measure_bitmaps_value_divergence",
    .rule =
        "where both tools print bitmaps, the value is one, and what the image that was built has "
        "(qcow2 targets)",
    .ops = ORACLE_OP(OP_MEASURE),
    .judge = judge_value,
    .opinion = opinion_of_value,
};
