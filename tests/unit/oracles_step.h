// SPDX-License-Identifier: Apache-2.0
//
// Steps built by hand for the oracle tests: two tools, their outcomes and results, a truth. Each
// test changes what it is about and asks oracle_judge.
#ifndef TESTS_ORACLES_STEP_H
#define TESTS_ORACLES_STEP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracles/oracle.h"
#include "oracles/registry.h"
#include "oracles/rule.h"

#include <stdio.h>
#include <string.h>

#define KIB *UINT64_C(1024)
#define MIB *UINT64_C(1048576)
#define GIB *UINT64_C(1073741824)

struct bench {
    struct tool instar, qemu_img;
    struct exec_outcome a_outcome, b_outcome;
    struct tool_result a_result, b_result;
    struct image_map map, own; // of the chain; `own` only if own_allocation is set to it
    struct content content;
    struct image_options built; // options that the source was built with
    struct oracle_step step;
    struct judgements said;
};

// instar against qemu-img, both available, both OK, on a raw source of 1 MiB, all hole.
static inline void bench_begin(struct bench *bench, enum operation op) {
    *bench = (struct bench){0};
    bench->instar = (struct tool){.kind = TOOL_INSTAR,
                                  .role = "instar",
                                  .name = "instar",
                                  .version_number = 300,
                                  .available = true};
    bench->qemu_img = (struct tool){.kind = TOOL_QEMU_IMG,
                                    .role = "qemu_img",
                                    .name = "qemu-img",
                                    .version_number = 70222,
                                    .available = true};
    content_begin(&bench->content, 1 MIB);
    struct oracle_step *step = &bench->step;
    step->op = op;
    step->source = IMAGE_RAW;
    step->target = operation_has_target(op) ? IMAGE_QCOW2 : IMAGE_FORMATS;
    step->input_name = "src.raw";
    step->checker = &bench->qemu_img;
    step->compare_budget = 64 MIB;
    step->truth = (struct truth){.format = IMAGE_RAW,
                                 .content = &bench->content,
                                 .asked_size = 1 MIB,
                                 .declared_size = 1 MIB,
                                 .shown_size = 1 MIB,
                                 .file_size = 1 MIB,
                                 .unit = 4096,
                                 .allocation = &bench->map,
                                 .own_allocation = &bench->map,
                                 .layers = 1,
                                 .options = &bench->built};
    step->a = (struct oracle_side){.tool = &bench->instar,
                                   .ran = true,
                                   .outcome = &bench->a_outcome,
                                   .result = &bench->a_result,
                                   .output_check.class = OUTCOME_CLASSES};
    step->b = (struct oracle_side){.tool = &bench->qemu_img,
                                   .ran = true,
                                   .outcome = &bench->b_outcome,
                                   .result = &bench->b_result,
                                   .output_check.class = OUTCOME_CLASSES};
    if (op == OP_CHECK)
        bench->a_result.class = bench->b_result.class = OUTCOME_CLEAN;
}

static inline void bench_size(struct bench *bench, uint64_t size) {
    struct truth *truth = &bench->step.truth;
    content_begin(&bench->content, size);
    truth->asked_size = truth->declared_size = truth->shown_size = truth->file_size = size;
}

static inline void bench_end(struct bench *bench) {
    image_map_free(&bench->map);
    image_map_free(&bench->own);
    content_free(&bench->content);
    tool_result_free(&bench->a_result);
    tool_result_free(&bench->b_result);
}

static inline void bench_judge(struct bench *bench) {
    bench->said.count = 0;
    oracle_judge(&bench->step, &bench->said);
}

static inline const struct judgement *bench_find(const struct bench *bench, const char *type,
                                                 enum verdict verdict) {
    for (size_t i = 0; i < bench->said.count; i++)
        if (bench->said.items[i].verdict == verdict &&
            strcmp(bench->said.items[i].oracle->type, type) == 0)
            return &bench->said.items[i];
    return NULL;
}

static inline size_t bench_count(const struct bench *bench, enum verdict verdict) {
    size_t count = 0;
    for (size_t i = 0; i < bench->said.count; i++)
        count += bench->said.items[i].verdict == verdict;
    return count;
}

// Judges and expects exactly one divergence, with this type and detail.
static inline const struct judgement *bench_diverges(struct bench *bench, const char *type,
                                                     const char *detail) {
    bench_judge(bench);
    const struct judgement *judgement = bench_find(bench, type, VERDICT_DIVERGENCE);
    if (!judgement)
        for (size_t i = 0; i < bench->said.count; i++)
            print_message("said: %s %s %s%s\n", bench->said.items[i].oracle->type,
                          verdict_names[bench->said.items[i].verdict], bench->said.items[i].detail,
                          bench->said.items[i].reason);
    assert_non_null(judgement);
    assert_string_equal(judgement->detail, detail);
    assert_int_equal(bench_count(bench, VERDICT_DIVERGENCE), 1);
    assert_true(*judgement->text);
    return judgement;
}

// Judges and expects no divergence, and this oracle to have compared something.
static inline void bench_agrees(struct bench *bench, const char *type) {
    bench_judge(bench);
    for (size_t i = 0; i < bench->said.count; i++)
        if (bench->said.items[i].verdict == VERDICT_DIVERGENCE)
            fail_msg("unexpected: %s: %s", bench->said.items[i].oracle->type,
                     bench->said.items[i].text);
    assert_non_null(bench_find(bench, type, VERDICT_AGREE));
}

static inline void bench_reason(struct bench *bench, enum verdict verdict, const char *reason) {
    bench_judge(bench);
    assert_int_equal(bench_count(bench, VERDICT_DIVERGENCE), 0);
    for (size_t i = 0; i < bench->said.count; i++)
        if (bench->said.items[i].verdict == verdict &&
            strcmp(bench->said.items[i].reason, reason) == 0)
            return;
    fail_msg("nobody said %s", reason);
}

static inline void bench_measure(struct tool_result *result, uint64_t required, uint64_t fully) {
    result->measure = (struct tool_measure){
        .has_required = true, .has_fully = true, .required = required, .fully = fully};
}

static inline void bench_write(struct bench *bench, uint64_t offset, uint64_t length,
                               enum content_pattern pattern) {
    struct content_extent write = {
        .offset = offset, .length = length, .pattern = pattern, .seed = 0x5a};
    content_write(&bench->content, &write);
}

// The registry of the repository.
static inline struct registry *built_in(void) {
    struct registry *registry = NULL;
    struct fault fault = {{0}};
    if (registry_load_built_in(&registry, &fault) < 0)
        fail_msg("%s", fault.text);
    return registry;
}

// Judges and expects this entry to explain something.
static inline void expect_known(struct bench *bench, const char *id) {
    bench_judge(bench);
    for (size_t i = 0; i < bench->said.count; i++)
        if (bench->said.items[i].verdict == VERDICT_KNOWN &&
            strcmp(bench->said.items[i].known_id, id) == 0)
            return;
    for (size_t i = 0; i < bench->said.count; i++)
        print_message("said: %s %s %s\n", bench->said.items[i].oracle->type,
                      verdict_names[bench->said.items[i].verdict], bench->said.items[i].known_id);
    fail_msg("%s does not explain its own case", id);
}

#endif
