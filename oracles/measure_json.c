// SPDX-License-Identifier: Apache-2.0
//
// `measure --output json` has one documented form. A tool that succeeds must print it, also when it
// runs alone.
#include "oracles/rule.h"

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    int read = 0;
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if (!oracle_gave(side))
            continue;
        if (side->result->json_failed) {
            struct judgement *judgement =
                oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", side, "");
            oracle_text(judgement, "%s succeeded but did not print measure's JSON: %s.",
                        side->tool->name, side->result->json_problem);
            return;
        }
        read++;
    }
    if (read)
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
}

const struct oracle oracle_measure_json = {
    .type = "measure_json_parse_failure",
    .rule = "a measure that succeeds prints the documented JSON",
    .ops = ORACLE_OP(OP_MEASURE),
    // Of the form alone: numbers that nobody held against anything are no comparison.
    .no_answer = true,
    .judge = judge,
    .accuses = "It succeeded without the documented JSON.",
    .accuses_by = OPINION_BY_CONTRACT,
};
