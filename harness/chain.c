// SPDX-License-Identifier: Apache-2.0
//
// The walk along a case's operations. Each step chooses its input file, runs both tools on it, one
// after the other, opens what they wrote and hands all of it to the oracles. What a single command
// does is in step.c.
#include "chain.h"

#include "cells.h"
#include "exec/clock.h"
#include "guide/features.h"
#include "output.h"
#include "step.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void chain_free(struct chain *chain) {
    material_free(&chain->source);
    for (int i = 0; i < CASE_MAX_OPERATIONS; i++)
        for (int side = 0; side < SIDES; side++)
            material_free(&chain->outputs[i][side]);
}

// Whose output a step reads; SIDES: nobody's, the source.
static int input_side(uint32_t input) {
    if (input == INPUT_SOURCE)
        return SIDES;
    return input == INPUT_A_OUTPUT ? SIDE_A : SIDE_B;
}

// The input of step `index`: the nearest earlier output of the chosen tool, else the source.
static const struct material *choose_input(const struct chain *chain, size_t index,
                                           uint32_t input) {
    int side = input_side(input);
    if (side < SIDES)
        for (size_t i = index; i-- > 0;)
            if (chain->outputs[i][side].usable)
                return &chain->outputs[i][side];
    return &chain->source;
}

// Does a step behind `index` read what this side wrote? What nobody reads again is not adopted:
// that costs more than judging it.
static bool is_read_later(const struct testcase *testcase, size_t index, int side) {
    for (size_t i = index + 1; i < testcase->operation_count; i++)
        if (input_side(testcase->operations[i].input) == side)
            return true;
    return false;
}

static bool filtered(const struct chain *chain, const struct case_operation *operation) {
    if (!chain->settings->ops[operation->op])
        return true;
    return operation_has_target((enum operation)operation->op) &&
           !chain->settings->targets[operation->target];
}

static bool is_sought(const struct chain *chain, size_t index) {
    return chain->confirming && chain->confirming->step == index;
}

// Why a step is not run at all, or NULL.
static const char *skip_reason(const struct chain *chain, const struct testcase *testcase,
                               size_t index) {
    const struct case_operation *operation = &testcase->operations[index];
    const char *reason = NULL;
    if (chain->confirming && !is_sought(chain, index) &&
        !operation_writes((enum operation)operation->op))
        return "not_needed";
    if (filtered(chain, operation))
        return "filtered";
    if (!case_operation_allowed(testcase, operation, &reason))
        return reason;
    return clock_us() > chain->deadline_us ? "budget" : NULL;
}

static bool is_of_interest(const struct chain *chain, const char *signature) {
    return (chain->sought && strcmp(chain->sought, signature) == 0) ||
           (chain->stop_at && chain->stop_at(chain->stop_context, signature));
}

// The judgement of a step that makes its finding: a divergence, else, if those count, a known one;
// of each the first, or the first whose signature is of interest. -1: none.
static int choose_judgement(const struct chain *chain, const struct step_record *step) {
    char signature[SIGNATURE_ROOM];
    bool of_interest[VERDICTS] = {false};
    int chosen[VERDICTS];
    for (int i = 0; i < VERDICTS; i++)
        chosen[i] = -1;
    for (size_t i = 0; i < step->judgements.count; i++) {
        const struct judgement *judgement = &step->judgements.items[i];
        enum verdict verdict = judgement->verdict;
        if ((verdict != VERDICT_DIVERGENCE && verdict != VERDICT_KNOWN) || of_interest[verdict])
            continue;
        oracle_signature(&step->step, judgement, signature, sizeof signature);
        of_interest[verdict] = is_of_interest(chain, signature);
        if (chosen[verdict] < 0 || of_interest[verdict])
            chosen[verdict] = (int)i;
    }
    if (chosen[VERDICT_DIVERGENCE] >= 0)
        return chosen[VERDICT_DIVERGENCE];
    return chain->settings->strict_known ? chosen[VERDICT_KNOWN] : -1;
}

static const struct finding *note_finding(struct record *record, size_t index, size_t chosen) {
    const struct step_record *step = &record->steps[index];
    const struct judgement *judgement = &step->judgements.items[chosen];
    struct finding *finding = &record->findings[record->finding_count++];
    finding->step = index;
    finding->judgement = chosen;
    oracle_signature(&step->step, judgement, finding->signature, sizeof finding->signature);
    oracle_opinion(&step->step, judgement, &finding->opinion);
    return finding;
}

static bool has_finding_of(const struct record *record, size_t index, const struct oracle *oracle) {
    for (size_t i = 0; i < record->finding_count; i++) {
        const struct finding *finding = &record->findings[i];
        if (finding->step == index &&
            record->steps[index].judgements.items[finding->judgement].oracle == oracle)
            return true;
    }
    return false;
}

// Notes the finding of a step, if it has one; true if the case ends there.
static bool note_findings(struct chain *chain, struct record *record, size_t index) {
    const struct judgements *judgements = &record->steps[index].judgements;
    int chosen = choose_judgement(chain, &record->steps[index]);
    if (chosen < 0)
        return false;
    const struct finding *first = note_finding(record, index, (size_t)chosen);
    for (size_t i = 0; chain->tells_all && i < judgements->count; i++)
        if (judgements->items[i].verdict == VERDICT_DIVERGENCE &&
            record->finding_count < RECORD_MAX_FINDINGS &&
            !has_finding_of(record, index, judgements->items[i].oracle))
            note_finding(record, index, i);
    return !chain->goes_on && chain->stop_at &&
           chain->stop_at(chain->stop_context, first->signature);
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

static void tell_guide(struct chain *chain, const struct step_record *step) {
    const struct guide_view view = {&step->step, &step->judgements,
                                    cells_source(&step->step, chain->source_classes)};
    guide_step(&chain->guide, &view);
}

// A tool has changed the source, or put something else in its place. The report is made from this
// folder afterwards, and its reproducer must begin with what that tool was given.
static int restore_source(struct chain *chain, const struct testcase *testcase,
                          struct fault *fault) {
    const char *directory = chain->room.workdir->case_path;
    char path[4096];
    for (size_t i = 0; i < chain->source.file_count; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, chain->source.files[i].name);
        if (unlink(path) && errno != ENOENT && workdir_remove_tree(path, fault))
            return -1;
    }
    return material_build(&chain->source, testcase, directory, fault);
}

// One operation of the case; 1 ends it.
static int run_operation(struct chain *chain, const struct testcase *testcase,
                         struct record *record, size_t index, struct fault *fault) {
    const struct case_operation *operation = &testcase->operations[index];
    struct step_record *step = &record->steps[record->step_count++];
    const struct material *input = choose_input(chain, index, operation->input);
    step_begin(step, chain, testcase, operation, input);
    if (chain->sought && (!chain->confirming || is_sought(chain, index)))
        step->judgements.sought = oracle_of_signature(chain->sought);
    const char *reason = skip_reason(chain, testcase, index);
    if (reason)
        snprintf(step->why, sizeof step->why, "%s", reason);
    else if (step_run(step, chain, index, input, fault))
        return -1;
    if (chain->counting)
        step_count(step, chain->source_classes, chain->stats);
    if (reason)
        return 0;
    if (chain->counting)
        tell_guide(chain, step);
    bool stop = note_findings(chain, record, index);
    for (int side = 0; side < SIDES; side++)
        output_end(step, chain, index, side, is_read_later(testcase, index, side));
    if (step->step.source_modified && input == &chain->source &&
        restore_source(chain, testcase, fault))
        return -1;
    // After a modified input nobody knows what later steps would have read.
    return stop || step->step.source_modified;
}

int chain_run(struct chain *chain, const struct testcase *testcase, struct record *record,
              struct fault *fault) {
    uint64_t start = clock_us();
    chain->deadline_us = start + chain->settings->case_ms * 1000ull;
    reset(chain, record, testcase);
    if (workdir_clear_case(chain->room.workdir, fault) ||
        material_build(&chain->source, testcase, chain->room.workdir->case_path, fault))
        return -1;
    snprintf(record->source_name, sizeof record->source_name, "%s", chain->source.name);
    record->source_file_count = chain->source.file_count;
    for (size_t i = 0; i < chain->source.file_count; i++)
        record->source_files[i] = chain->source.files[i].name;
    record->source = chain->source.truth;
    if (chain->counting)
        chain->source_classes = source_classes_of(
            &(struct source_view){testcase, &chain->source.options, &chain->source.written.map});
    int status = 0;
    for (size_t i = 0; i < testcase->operation_count && status == 0; i++)
        if (!chain->confirming || i <= chain->confirming->step)
            status = run_operation(chain, testcase, record, i, fault);
    record->wall_us = clock_us() - start;
    return status < 0 ? -1 : 0;
}
