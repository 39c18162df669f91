// SPDX-License-Identifier: Apache-2.0
//
// No operation of ours may change its input: measuring, checking without repair and converting only
// read. The run loop compares size, mtime and a hash of the content around each command.
#include "oracles/rule.h"

#include <string.h>

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    if (step->source == IMAGE_FORMATS || (!step->a.ran && !step->b.ran))
        return;
    if (!step->source_modified) {
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
        return;
    }
    bool by_b = step->b.tool && strcmp(step->b.tool->role, step->modified_by) == 0;
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", oracle_side_at(step, by_b), "");
    oracle_text(judgement, "%s was changed (size, mtime or content) while %s did %s on it.",
                step->input_name ? step->input_name : "The input file", step->modified_by,
                operation_names[step->op]);
}

const struct oracle oracle_source_modified = {
    .type = "source_modified",
    .rule = "an operation that only reads leaves size, mtime and content of its input alone",
    .ops = ORACLE_ALL_OPS,
    .no_answer = true,
    .judge = judge,
    .accuses = "The operation only reads.",
    .accuses_by = OPINION_BY_CONTRACT,
};
