// SPDX-License-Identifier: Apache-2.0
//
// The "bitmaps" member of measure: on both sides or on neither, and with one value. Two types, as
// instar's own fuzzer names the first of them.
#include "oracles/rule.h"

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

static void judge_value(const struct oracle *oracle, const struct oracle_step *step,
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

const struct oracle oracle_measure_bitmaps_presence = {
    .type = "measure_bitmaps_presence_divergence",
    .rule = "the bitmaps member is printed by both tools or by neither (qcow2 targets)",
    .ops = ORACLE_OP(OP_MEASURE),
    .judge = judge_presence,
};

const struct oracle oracle_measure_bitmaps_value = {
    .type = "measure_bitmaps_value_divergence",
    .rule = "where both tools print bitmaps, the value is one (qcow2 targets)",
    .ops = ORACLE_OP(OP_MEASURE),
    .judge = judge_value,
};
