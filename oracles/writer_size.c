// SPDX-License-Identifier: Apache-2.0
//
// The file that instar's convert wrote against the size that its documentation and source lead to.
// That prediction is a hypothesis about a program that moves on, so it accuses nobody: a file of
// another size is counted and shown, for whoever keeps oracles/model_writers.c. What a size may do
// to a user, too much for what measure promised or for the device, other rules judge.
#include "oracles/predict.h"
#include "oracles/rule.h"

static bool applies(const struct oracle_side *side) {
    return oracle_gave(side) && side->tool->kind == TOOL_INSTAR && !side->tool->is_standin &&
           side->output_file_size;
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        uint64_t predicted;
        if (!applies(side) || !predict_instar_output_size(step, &predicted))
            continue;
        if (side->output_file_size == predicted) {
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
            continue;
        }
        struct judgement *judgement =
            oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "size_not_predicted");
        oracle_text(judgement,
                    "%s wrote a file of %" PRIu64 " bytes; what is known of its writer leads to "
                    "%" PRIu64 ".",
                    side->tool->name, side->output_file_size, predicted);
    }
}

const struct oracle oracle_writer_size = {
    .type = "writer_size",
    .rule = "instar writes a file of the size that its documented layout leads to",
    .ops = ORACLE_OP(OP_CONVERT),
    .no_answer = true,
    .judge = judge,
};
