// SPDX-License-Identifier: Apache-2.0
//
// For raw and qcow2 targets both tools compute the same two numbers, so they must be equal to the
// byte. (qemu-img cannot measure the other targets; measure_bounds.c judges those.)
#include "oracles/rule.h"

#define COMPARED_TARGETS (1u << IMAGE_RAW | 1u << IMAGE_QCOW2)

static bool equal(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out, const char *field, const char *detail, uint64_t a,
                  uint64_t b) {
    if (a == b)
        return true;
    struct judgement *judgement = oracle_say(out, oracle, VERDICT_DIVERGENCE, detail);
    oracle_numbers(judgement, field, a, b);
    oracle_text(judgement, "%s says %s = %" PRIu64 ", %s %" PRIu64 ".", step->a.tool->name, field,
                a, step->b.tool->name, b);
    return false;
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    if (!(COMPARED_TARGETS & 1u << step->target) || !oracle_both_gave(step))
        return;
    const struct tool_measure *a = &step->a.result->measure, *b = &step->b.result->measure;
    if (!a->has_required || !a->has_fully || !b->has_required || !b->has_fully)
        return; // measure_json_parse_failure has said so
    bool required = equal(oracle, step, out, "required", "required", a->required, b->required);
    // One judgement a step, unless the first difference is an old acquaintance.
    if (!required && !oracle_explained(step, out, &out->items[out->count - 1]))
        return;
    bool fully = equal(oracle, step, out, "fully-allocated", "fully_allocated", a->fully, b->fully);
    if (required && fully)
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
}

const struct oracle oracle_measure_numeric = {
    .type = "measure_numeric_divergence",
    .rule = "required and fully-allocated are equal for raw and qcow2 targets",
    .ops = ORACLE_OP(OP_MEASURE),
    .judge = judge,
    .opinion = opinion_of_values,
};
