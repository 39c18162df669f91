// SPDX-License-Identifier: Apache-2.0
//
// The ways to an opinion that rules share, and the default: the tool that a rule speaks of is the
// one that it accuses.
#include "oracles/opinion.h"

#include "oracles/predict.h"
#include "oracles/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const opinion_wrong_names[OPINION_WRONGS] = {
    [OPINION_UNKNOWN] = "unknown", [OPINION_A] = "a",           [OPINION_B] = "b",
    [OPINION_BOTH] = "both",       [OPINION_NOBODY] = "nobody",
};

const char *const opinion_by_names[OPINION_BYS] = {
    [OPINION_BY_NONE] = "none",         [OPINION_BY_TRUTH] = "truth",
    [OPINION_BY_MODEL] = "model",       [OPINION_BY_THIRD_READER] = "third_reader",
    [OPINION_BY_CONTRACT] = "contract", [OPINION_BY_TOOL] = "tool",
};

void opinion_say(struct opinion *opinion, enum opinion_wrong wrong, enum opinion_by by,
                 const char *format, ...) {
    va_list args;
    va_start(args, format);
    opinion->wrong = wrong;
    opinion->by = by;
    vsnprintf(opinion->reason, sizeof opinion->reason, format, args);
    va_end(args);
    oracle_clean(opinion->reason);
}

void opinion_accuse(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion, enum opinion_by by, const char *why) {
    if (judgement->about == step->a.tool || judgement->about == step->b.tool)
        opinion_say(opinion, judgement->about == step->a.tool ? OPINION_A : OPINION_B, by, "%s",
                    why);
}

// wrong[i]: is side i? One that has no answer is not.
static enum opinion_wrong of_sides(const bool wrong[ORACLE_SIDES]) {
    static const enum opinion_wrong table[2][2] = {
        {OPINION_NOBODY, OPINION_B},
        {OPINION_A, OPINION_BOTH},
    };
    return table[wrong[0]][wrong[1]];
}

void opinion_of_values(const struct oracle_step *step, const struct judgement *judgement,
                       struct opinion *opinion) {
    const char *values[ORACLE_SIDES] = {judgement->a_value, judgement->b_value};
    char right[PREDICT_ROOM], also[PREDICT_ROOM];
    if (!predict_right(step, judgement->field, right, also))
        return;
    bool wrong[ORACLE_SIDES];
    for (int i = 0; i < ORACLE_SIDES; i++)
        wrong[i] =
            *values[i] && strcmp(values[i], right) != 0 && (!*also || strcmp(values[i], also) != 0);
    enum opinion_by by = step->op == OP_MEASURE ? OPINION_BY_MODEL : OPINION_BY_TRUTH;
    opinion_say(opinion, of_sides(wrong), by, "%s %s = %s%s%s.",
                by == OPINION_BY_MODEL ? "For the image that was built the model has"
                                       : "The image was built with",
                judgement->field, right, *also ? ", or with whole cylinders " : "", also);
}

// Does the output differ from the truth? The third reader, where it was asked, must not contradict:
// then it may be our own reader that is wrong.
static int differs_from_truth(const struct oracle_step *step, const struct oracle_side *side,
                              uint64_t *offset) {
    struct image_source written, truth;
    struct image_difference difference;
    struct fault fault;
    if (!side->output)
        return -1;
    image_as_source(side->output, &written);
    content_as_source(step->truth.content, &truth);
    if (image_compare(&written, &truth, step->compare_budget, &difference, &fault) < 0)
        return -1;
    *offset = difference.first_offset;
    bool same = difference.prefix_equal && difference.tail_zero;
    if (same && difference.cut_short)
        return -1;
    if (!same && side->third.state == THIRD_SAME)
        return -1;
    return !same;
}

void opinion_of_contents(const struct oracle_step *step, struct opinion *opinion) {
    if (!step->truth.content)
        return;
    bool wrong[ORACLE_SIDES], libyal = false;
    uint64_t offset = 0, at;
    for (int i = 0; i < ORACLE_SIDES; i++) {
        int differs = differs_from_truth(step, oracle_side_at(step, i), &at);
        if (differs < 0)
            return;
        wrong[i] = differs;
        if (!differs)
            continue;
        offset = at;
        libyal |= oracle_side_at(step, i)->third.state == THIRD_OTHER;
    }
    enum opinion_wrong who = of_sides(wrong);
    if (who == OPINION_NOBODY)
        return; // each holds the truth, and they differ: in what lies behind its end
    opinion_say(opinion, who, OPINION_BY_TRUTH,
                "%s not hold what the input was built with, at guest offset %" PRIu64 "%s.",
                who == OPINION_BOTH ? "Both outputs do" : "Its output does", offset,
                libyal ? "; libyal reads it so, too" : "");
}

void oracle_opinion(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion) {
    const struct oracle *oracle = judgement->oracle;
    opinion_say(opinion, OPINION_UNKNOWN, OPINION_BY_NONE,
                "Neither the truth nor the model nor another reader says which is right.");
    if (oracle->opinion)
        oracle->opinion(step, judgement, opinion);
    else if (oracle->accuses)
        opinion_accuse(step, judgement, opinion, oracle->accuses_by, oracle->accuses);
}

const char *oracle_opinion_role(const struct oracle_step *step, const struct opinion *opinion) {
    if (opinion->wrong == OPINION_A || opinion->wrong == OPINION_B)
        return oracle_side_at(step, opinion->wrong == OPINION_B)->tool->role;
    return opinion_wrong_names[opinion->wrong];
}
