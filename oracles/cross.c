// SPDX-License-Identifier: Apache-2.0
//
// What the rules about cross-checks share: is there an answer, and what is said where there is
// none.
#include "oracles/cross.h"

#include "oracles/rule.h"

const char *const cross_names[CROSS_CHECKS] = {
    [CROSS_MAP] = "map",
    [CROSS_CHECK_FIT] = "check of the converted file",
    [CROSS_MEASURE_INPUT] = "measure of the input",
    [CROSS_MEASURE_OUTPUT] = "measure of the output",
    [CROSS_COMPARE_OUTPUT] = "compare of input and output",
    [CROSS_COMPARE_OTHER] = "compare with one byte changed",
    [CROSS_CHECK_DAMAGED + DAMAGE_LEAK] = "check of a copy with a leak",
    [CROSS_CHECK_DAMAGED + DAMAGE_REFCOUNT] = "check of a copy with a refcount lost",
    [CROSS_CHECK_DAMAGED + DAMAGE_EXCESS] = "check of a copy with a refcount too high",
    [CROSS_CHECK_DAMAGED + DAMAGE_COPIED] = "check of a copy with a COPIED flag wrong",
    [CROSS_CHECK_DAMAGED + DAMAGE_SUBCLUSTERS] = "check of a copy with a subcluster both",
    [CROSS_CHECK_DAMAGED + DAMAGE_OVERLAP] = "check of a copy with an overlap",
    [CROSS_CHECK_DAMAGED + DAMAGE_BEYOND] = "check of a copy with a unit beyond",
    [CROSS_CHECK_DAMAGED + DAMAGE_FEATURE] = "a copy with an unknown feature",
    [CROSS_CHECK_DAMAGED + DAMAGE_COMPRESSION] = "a copy with an unknown compression",
    [CROSS_CHECK_DAMAGED + DAMAGE_VERSION] = "a copy of an unknown version",
    [CROSS_CHECK_DAMAGED + DAMAGE_COOKIE] = "a copy with no cookie",
    [CROSS_CHECK_DAMAGED + DAMAGE_LOG] = "a copy with a log",
    [CROSS_CHECK_DAMAGED + DAMAGE_CHECKSUM] = "a copy with wrong checksums",
    [CROSS_CHECK_DAMAGED + DAMAGE_REGION] = "a copy with an unknown region",
    [CROSS_CHECK_DAMAGED + DAMAGE_ITEM] = "a copy with an unknown item",
};

bool oracle_known(const struct judgements *out, const struct oracle_side *side) {
    for (size_t i = 0; i < out->count; i++)
        if (out->items[i].verdict == VERDICT_KNOWN && out->items[i].known_tool == side->tool)
            return true;
    return false;
}

bool oracle_leaves_out_known(const struct oracle *oracle, struct judgements *out,
                             const struct oracle_side *side) {
    if (!oracle_known(out, side))
        return false;
    oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "known_value_", side, "");
    return true;
}

// A limit says nothing, a crash is one as in any other command.
static void say_ended(const struct oracle *oracle, struct judgements *out,
                      const struct oracle_side *side, enum cross_check check,
                      enum outcome_class class) {
    if (class == OUTCOME_SIGNAL)
        oracle_text(oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "crash_", side, ""),
                    "%s dies of a signal in its %s.", side->tool->name, cross_names[check]);
    else if (class == OUTCOME_REFUSED)
        oracle_say_role(out, oracle, VERDICT_UNSUPPORTED, "beside_refused_", side, "");
    else
        oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "beside_cut_off_", side, "");
}

const struct tool_result *oracle_beside(const struct oracle *oracle, struct judgements *out,
                                        const struct oracle_side *side, enum cross_check check) {
    const struct cross_answer *answer = &side->beside[check];
    if (!oracle_gave(side) || !answer->result)
        return NULL;
    enum outcome_class class = answer->result->class;
    if (class == OUTCOME_OK || class == OUTCOME_DIFFERENT || class == OUTCOME_CLEAN ||
        class == OUTCOME_LEAKS || class == OUTCOME_CORRUPT)
        return answer->result;
    say_ended(oracle, out, side, check, class);
    return NULL;
}

void oracle_each_side(const struct oracle *oracle, const struct oracle_step *step,
                      struct judgements *out, oracle_side_judge *judge) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        size_t from = out->count;
        judge(oracle, step, oracle_side_at(step, i), i, out);
        if (oracle_diverged(out, from))
            return;
    }
}
