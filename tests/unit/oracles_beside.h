// SPDX-License-Identifier: Apache-2.0
//
// What the tests of rules about cross-checks share: a question beside the step is asked, and the
// test says what the tool answered. `forget` frees the answers of a test.
#ifndef TESTS_ORACLES_BESIDE_H
#define TESTS_ORACLES_BESIDE_H

#include "oracles_step.h"

static struct tool_result answers[ORACLE_SIDES][CROSS_CHECKS];
static struct exec_outcome outcomes[ORACLE_SIDES][CROSS_CHECKS];

static inline struct oracle_side *side_of(struct bench *bench, int side) {
    return side ? &bench->step.b : &bench->step.a;
}

// Asks a question beside the step and answers with a class.
static inline struct tool_result *answer(struct bench *bench, int side, enum cross_check check,
                                         enum outcome_class class) {
    struct tool_result *result = &answers[side][check];
    tool_result_free(result);
    result->class = class;
    outcomes[side][check] = (struct exec_outcome){0};
    side_of(bench, side)->beside[check] = (struct cross_answer){result, &outcomes[side][check]};
    return result;
}

static inline void forget(void) {
    for (int side = 0; side < ORACLE_SIDES; side++)
        for (int check = 0; check < CROSS_CHECKS; check++)
            tool_result_free(&answers[side][check]);
}

static inline void expect_silence(struct bench *bench, const char *type) {
    bench_judge(bench);
    assert_int_equal(bench_count(bench, VERDICT_DIVERGENCE), 0);
    assert_null(bench_find(bench, type, VERDICT_AGREE));
}

#endif
