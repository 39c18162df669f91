// SPDX-License-Identifier: Apache-2.0
//
// qemu-img documents what measure says as a size that is guaranteed to fit. So the file that the
// same tool's convert then writes, with the same options, is no longer than `required`, and that is
// no more than `fully-allocated`. Where a size was no contract from the start it is a named
// relaxation.
#include "oracles/relax.h"
#include "oracles/rule.h"

#define CONTRACT_TARGETS (1u << IMAGE_RAW | 1u << IMAGE_QCOW2)

// How long the file may be: that is required, or what preallocated tables make of it.
static uint64_t promised(const struct oracle_step *step, const struct oracle_side *side) {
    const struct tool_measure *measure = &side->result->measure;
    const struct relax_query query = {step, .expected = measure->required, .found = measure->fully,
                                      .tool = side->tool};
    return relax_allows(RELAX_CONTRACT_METADATA, &query) ? measure->fully : measure->required;
}

static bool fits(const struct oracle_step *step, const struct oracle_side *side) {
    static const enum relaxation_id slack[] = {RELAX_CONTRACT_FALLOC, RELAX_CONTRACT_REFCOUNT_TABLE,
                                               RELAX_CONTRACT_INSTAR_SECTOR};
    const struct relax_query query = {step, .expected = promised(step, side),
                                      .found = side->converted_size, .tool = side->tool};
    if (query.found <= query.expected)
        return true;
    for (size_t i = 0; i < sizeof slack / sizeof *slack; i++)
        if (relax_allows(slack[i], &query))
            return true;
    return false;
}

static void say_order(const struct oracle *oracle, struct judgements *out, int i,
                      const struct oracle_side *side) {
    const struct tool_measure *measure = &side->result->measure;
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "order_", side, "");
    oracle_number_of(judgement, "required", i, measure->required);
    oracle_text(judgement,
                "%s says required = %" PRIu64 ", which is above fully-allocated = %" PRIu64 ".",
                side->tool->name, measure->required, measure->fully);
}

static void say_longer(const struct oracle *oracle, struct judgements *out, int i,
                       const struct oracle_side *side) {
    struct judgement *judgement = oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", side, "");
    uint64_t required = side->result->measure.required;
    oracle_number_of(judgement, "converted-size", i, side->converted_size);
    oracle_text(judgement,
                "%s measures required = %" PRIu64 ", but its own convert writes %" PRIu64
                " bytes, %" PRIu64 " more.",
                side->tool->name, required, side->converted_size, side->converted_size - required);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if (!oracle_gave(side) || !side->result->measure.has_required ||
            !side->result->measure.has_fully)
            continue;
        if (side->result->measure.required > side->result->measure.fully)
            say_order(oracle, out, i, side);
        else if (!(CONTRACT_TARGETS & 1u << step->target) || !side->has_converted)
            continue;
        else if (oracle_leaves_out_known(oracle, out, side))
            continue; // a number that is known to be wrong promises nothing
        else if (fits(step, side))
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
        else
            say_longer(oracle, out, i, side);
        struct judgement *last = &out->items[out->count - 1];
        if (last->verdict == VERDICT_DIVERGENCE && !oracle_explained(step, out, last))
            return;
    }
}

const struct oracle oracle_measure_contract = {
    .type = "measure_contract_violation",
    .rule =
        "a tool's own convert to raw or qcow2 writes no more than its required, which is no more "
        "than its fully-allocated",
    .ops = ORACLE_OP(OP_MEASURE),
    .no_answer = true,
    .beside = 1u << CROSS_CHECK_FIT,
    .by_turn = true,
    .judge = judge,
    .accuses = "Its own measure promised that the file fits.",
    .accuses_by = OPINION_BY_CONTRACT,
};
