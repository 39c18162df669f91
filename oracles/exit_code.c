// SPDX-License-Identifier: Apache-2.0
//
// Does one tool accept what the other refuses? Only classes are compared, never exit numbers or
// error texts: 2 is a usage error for one tool and "corrupt" for another.
#include "oracles/rule.h"

static bool has_opinion(const struct oracle_side *side) {
    return oracle_gave(side) || oracle_class(side) == OUTCOME_REFUSED;
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    bool a_gave = oracle_gave(&step->a), b_gave = oracle_gave(&step->b);
    if (has_opinion(&step->a) != has_opinion(&step->b)) {
        // Nobody else can say whether one tool alone is right to refuse.
        if (!a_gave && !b_gave && !(step->a.ran && step->b.ran))
            oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "refused_alone");
        return;
    }
    if (!has_opinion(&step->a))
        return;
    if (a_gave == b_gave) {
        oracle_say(out, oracle, VERDICT_AGREE, a_gave ? NULL : ORACLE_BOTH_REFUSED);
        return;
    }
    const struct oracle_side *refuses = a_gave ? &step->b : &step->a;
    const struct oracle_side *accepts = a_gave ? &step->a : &step->b;
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", refuses, "_refuses");
    oracle_values(judgement, "outcome", outcome_class_names[oracle_class(&step->a)],
                  outcome_class_names[oracle_class(&step->b)]);
    oracle_text(judgement, "%s refuses (exit %d) what %s accepts (exit %d).", refuses->tool->name,
                refuses->outcome ? refuses->outcome->value : -1, accepts->tool->name,
                accepts->outcome ? accepts->outcome->value : -1);
}

// `about` refuses. An empty disk is left out: whether a target may be empty is nowhere said.
static void opinion(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion) {
    bool sound = step->input_is_output ? step->truth.content != NULL
                                       : step->truth.options || step->options.size_only;
    bool a_refuses = judgement->about == step->a.tool;
    if (!oracle_target_exists(step))
        opinion_say(opinion, a_refuses ? OPINION_B : OPINION_A, OPINION_BY_MODEL,
                    "Such a target cannot be: its format or the options do not allow that size.");
    else if (sound && step->truth.shown_size)
        opinion_accuse(step, judgement, opinion, OPINION_BY_TRUTH,
                       "The input is sound, and the target can have that size and these options.");
}

const struct oracle oracle_exit_code = {
    .type = "exit_code_divergence",
    .rule = "one tool succeeds where the other refuses",
    .ops = ORACLE_ALL_OPS,
    .judge = judge,
    .opinion = opinion,
};
