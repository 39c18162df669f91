// SPDX-License-Identifier: Apache-2.0
//
// For raw and qcow2 targets both tools compute the same two numbers, so they must be equal to the
// byte. Then each tool alone is held against the model, which also contradicts two that agree on a
// wrong number, and is all there is for the targets that qemu-img cannot measure: the size of the
// disk alone says what is fully allocated, and `required` has room for every unit that is not zero.
#include "oracles/model.h"
#include "oracles/relax.h"
#include "oracles/rule.h"

#define COMPARED_TARGETS (1u << IMAGE_RAW | 1u << IMAGE_QCOW2)

static bool has_numbers(const struct oracle_side *side) {
    // Where one is missing, measure_json_parse_failure has said so.
    return oracle_gave(side) && side->result->measure.has_required &&
           side->result->measure.has_fully;
}

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

static bool is_pair(const struct oracle_step *step) {
    return (COMPARED_TARGETS & 1u << step->target) && has_numbers(&step->a) &&
           has_numbers(&step->b);
}

static void judge_pair(const struct oracle *oracle, const struct oracle_step *step,
                       struct judgements *out) {
    const struct tool_measure *a = &step->a.result->measure, *b = &step->b.result->measure;
    bool required = equal(oracle, step, out, "required", "required", a->required, b->required);
    // One judgement a step, unless the first difference is an old acquaintance.
    if (!required && !oracle_explained(step, out, &out->items[out->count - 1]))
        return;
    bool fully = equal(oracle, step, out, "fully-allocated", "fully_allocated", a->fully, b->fully);
    if (!fully)
        oracle_explained(step, out, &out->items[out->count - 1]);
    if (required && fully)
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
}

// What the model has for the units that hold another byte than zero; without a known content for
// none. False: no such target can be.
static bool least(const struct oracle_step *step, struct model_sizes *sizes) {
    uint64_t unit = model_target_unit(step->target, &step->options), units = 0;
    if (step->truth.content && step->target != IMAGE_RAW)
        units = model_nonzero_units(step->truth.content, unit, 1, NULL);
    return oracle_target_exists(step) &&
           model_measure(step->target, &step->options, step->truth.shown_size, units, sizes);
}

// Two layouts of a vmdk, vpc or vhdx may differ by a little.
static bool fits(const struct oracle_step *step, uint64_t expected, uint64_t found) {
    const struct relax_query above = {step, .expected = expected, .found = found};
    const struct relax_query below = {step, .expected = found, .found = expected};
    if (found == expected || COMPARED_TARGETS & 1u << step->target)
        return found == expected;
    return (relax_allows(RELAX_BOUND_CUSHION, &above) &&
            relax_allows(RELAX_BOUND_CUSHION, &below)) ||
           relax_allows(RELAX_NUMERIC_EMPTY_VHDX, &above);
}

static bool says_wrong(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, const char *before, const char *field,
                       uint64_t found, const char *than, uint64_t expected,
                       struct judgements *out) {
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, before, side, "");
    oracle_number_of(judgement, field, i, found);
    oracle_text(judgement, "%s says %s = %" PRIu64 "; %s %" PRIu64 ".", side->tool->name, field,
                found, than, expected);
    return !oracle_explained(step, out, judgement);
}

static void judge_side(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, struct judgements *out) {
    struct model_sizes sizes;
    bool unknown = oracle_is_tainted(step);
    // What is known of its numbers has been told.
    if (!has_numbers(side) || oracle_known(out, side) || !least(step, &sizes))
        return;
    const struct tool_measure *found = &side->result->measure;
    bool enough = found->required >= sizes.required, full = fits(step, sizes.fully, found->fully);
    if (!enough && says_wrong(oracle, step, side, i, "required_", "required", found->required,
                              "what the disk holds needs at least", sizes.required, out))
        return;
    if (!full && says_wrong(oracle, step, side, i, "fully_", "fully-allocated", found->fully,
                            "a disk of that size needs", sizes.fully, out))
        return;
    if (!enough || !full || is_pair(step))
        return;
    oracle_say(out, oracle, unknown ? VERDICT_INCONCLUSIVE : VERDICT_AGREE,
               unknown ? "truth_unknown" : NULL);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    size_t from = out->count;
    if (is_pair(step))
        judge_pair(oracle, step, out);
    if (!oracle_diverged(out, from))
        oracle_each_side(oracle, step, out, judge_side);
}

static void opinion(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion) {
    opinion_of_values(step, judgement, opinion);
    if (opinion->wrong == OPINION_UNKNOWN)
        opinion_accuse(step, judgement, opinion, OPINION_BY_MODEL,
                       "For a disk of that size and content the model has another number.");
}

const struct oracle oracle_measure_numeric = {
    .type = "measure_numeric_divergence",
    .rule = "required and fully-allocated are equal for raw and qcow2 targets, and for every "
            "target what the disk's size and content lead to",
    .ops = ORACLE_OP(OP_MEASURE),
    .judge = judge,
    .opinion = opinion,
};
