// SPDX-License-Identifier: Apache-2.0
//
// The walk along a case's operations. Each step chooses its input file, runs both tools on it, one
// after the other, opens what they wrote and hands all of it to the oracles. What a single command
// does is in step.c.
#include "chain.h"

#include "step.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void chain_free(struct chain *chain) {
    material_free(&chain->source);
    for (int i = 0; i < CASE_MAX_OPERATIONS; i++)
        for (int side = 0; side < SIDES; side++)
            material_free(&chain->outputs[i][side]);
}

// The input of step `index`: the nearest earlier output of the chosen tool, else the source.
static const struct material *choose_input(const struct chain *chain, size_t index,
                                           uint32_t input) {
    int side = input == INPUT_A_OUTPUT ? SIDE_A : SIDE_B;
    if (input != INPUT_SOURCE)
        for (size_t i = index; i-- > 0;)
            if (chain->outputs[i][side].usable)
                return &chain->outputs[i][side];
    return &chain->source;
}

static bool filtered(const struct chain *chain, const struct case_operation *operation) {
    if (!chain->settings->ops[operation->op])
        return true;
    return operation_has_target((enum operation)operation->op) &&
           !chain->settings->targets[operation->target];
}

// Why a step is not run at all, or NULL.
static const char *skip_reason(const struct chain *chain, const struct testcase *testcase,
                               const struct case_operation *operation, uint64_t deadline_us) {
    const char *reason = NULL;
    if (filtered(chain, operation))
        return "filtered";
    if (!case_operation_allowed(testcase, operation, &reason))
        return reason;
    return now_us() > deadline_us ? "budget" : NULL;
}

static void note_findings(struct chain *chain, struct record *record, size_t index, bool *stop) {
    struct step_record *step = &record->steps[index];
    for (size_t i = 0; i < step->judgements.count; i++) {
        const struct judgement *judgement = &step->judgements.items[i];
        bool known = judgement->verdict == VERDICT_KNOWN && chain->settings->strict_known;
        if (judgement->verdict != VERDICT_DIVERGENCE && !known)
            continue;
        struct finding *finding = &record->findings[record->finding_count++];
        finding->step = index;
        finding->judgement = i;
        oracle_signature(&step->step, judgement, finding->signature, sizeof finding->signature);
        *stop = chain->stop_at && chain->stop_at(chain->stop_context, finding->signature);
        return;
    }
}

static void reset(struct chain *chain, struct record *record, const struct testcase *testcase) {
    record->testcase = testcase;
    record->tools[SIDE_A] = &chain->tools[SIDE_A];
    record->tools[SIDE_B] = &chain->tools[SIDE_B];
    record->step_count = record->finding_count = 0;
    for (int i = 0; i < CASE_MAX_OPERATIONS; i++)
        for (int side = 0; side < SIDES; side++)
            chain->outputs[i][side].usable = false;
}

int chain_run(struct chain *chain, const struct testcase *testcase, struct record *record,
              struct fault *fault) {
    uint64_t start = now_us(), deadline = start + chain->settings->case_ms * 1000ull;
    const char *directory = chain->room.workdir->case_path;
    reset(chain, record, testcase);
    if (workdir_clear_case(chain->room.workdir, fault) ||
        material_build(&chain->source, testcase, directory, fault))
        return -1;
    snprintf(record->source_name, sizeof record->source_name, "%s", chain->source.name);
    record->source = chain->source.truth;
    bool stop = false;
    for (size_t i = 0; i < testcase->operation_count && !stop; i++) {
        const struct case_operation *operation = &testcase->operations[i];
        struct step_record *step = &record->steps[record->step_count++];
        const struct material *input = choose_input(chain, i, operation->input);
        step_begin(step, chain, testcase, operation, input);
        const char *reason = skip_reason(chain, testcase, operation, deadline);
        if (reason) {
            snprintf(step->why, sizeof step->why, "%s", reason);
            continue;
        }
        if (step_run(step, chain, i, input, fault))
            return -1;
        note_findings(chain, record, i, &stop);
        step_adopt_outputs(step, chain, i);
        // Nobody knows what later steps would read.
        stop |= step->step.source_modified;
    }
    record->wall_us = now_us() - start;
    return 0;
}
