// SPDX-License-Identifier: Apache-2.0
//
// Who has no opinion on this step, and why. It never accuses anybody; it keeps silence from being
// counted as agreement. Everything else of a step is judged from the sides that are left.
#include "oracles/rule.h"

static void judge_side(const struct oracle *oracle, const struct oracle_side *side,
                       struct judgements *out) {
    if (!side->tool)
        return; // a pair of one tool alone
    if (!side->tool->available)
        oracle_say_role(out, oracle, VERDICT_UNAVAILABLE, "unavailable_", side, "");
    else if (!side->ran)
        oracle_say(out, oracle, VERDICT_UNSUPPORTED, side->why_not ? side->why_not : "not_run");
    else if (oracle_class(side) == OUTCOME_LIMIT)
        oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "limit_", side, "");
    if (!side->ran)
        return;
    // The convert behind a measure did not end well: its bounds are not judged, and that is said.
    if (outcome_is_cut_off(side->fit_class))
        oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "convert_behind_measure_cut_off");
    else if (side->fit_costs_too_much)
        oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "convert_behind_measure_cost_cap");
    else if (side->fit_class == OUTCOME_REFUSED)
        oracle_say(out, oracle, VERDICT_UNSUPPORTED, "convert_behind_measure_refused");
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    judge_side(oracle, &step->a, out);
    judge_side(oracle, &step->b, out);
    if (oracle_class(&step->a) == OUTCOME_NO_CHECKS || oracle_class(&step->b) == OUTCOME_NO_CHECKS)
        oracle_say(out, oracle, VERDICT_UNSUPPORTED, "no_checks");
}

const struct oracle oracle_availability = {
    .type = "availability",
    .rule = "says which tool has no opinion (cannot run, no such option, no checks, a limit of "
            "ours); never a divergence",
    .ops = ORACLE_ALL_OPS,
    .judge = judge,
};
