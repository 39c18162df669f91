// SPDX-License-Identifier: Apache-2.0
//
// The chain of operations: calls come, go, change their target, their options and the file they
// read. Each costs two processes, so chains are kept short, and what is dear is drawn less often.
#include "mutators/mutation.h"

#include <string.h>

// By what a call costs and how many ways there are to make it: info and check have no options; a
// compressed convert takes several times as long as another.
static const unsigned operation_weights[OPERATIONS] = {
    [OP_INFO] = 2, [OP_CHECK] = 2, [OP_MEASURE] = 7, [OP_CONVERT] = 6, [OP_CONVERT_COMPRESSED] = 1,
};

enum operation mut_operation_kind(struct mut_random *random) {
    return (enum operation)mut_weighted(random, operation_weights, OPERATIONS);
}

static bool has_output(const struct testcase *testcase, uint32_t before) {
    for (uint32_t i = 0; i < before; i++)
        if (operation_writes((enum operation)testcase->operations[i].op))
            return true;
    return false;
}

// A row of the table that changes what this call is given on its command line.
static void add_option(const struct mut_work *work, struct case_operation *operation) {
    struct target_options before, after;
    case_target_options(work->testcase, operation, &before);
    for (unsigned tries = 0; tries < 12; tries++) {
        struct case_operation changed = *operation;
        const struct case_field *field = mut_row(work->random, RECORD_OPERATION);
        int64_t value = mut_value(work->random, field, case_field_get(field, operation));
        case_field_set(field, &changed, value);
        if (changed.op != operation->op || changed.target != operation->target ||
            changed.input != operation->input)
            continue;
        case_target_options(work->testcase, &changed, &after);
        if (memcmp(&before, &after, sizeof before) != 0) {
            *operation = changed;
            return;
        }
    }
}

void mut_operation(const struct mut_work *work, uint32_t index, struct case_operation *operation) {
    struct mut_random *random = work->random;
    case_record_defaults(RECORD_OPERATION, operation);
    operation->op = mut_operation_kind(random);
    operation->target = mut_below(random, IMAGE_FORMATS);
    if (has_output(work->testcase, index) && mut_one_in(random, 3))
        operation->input = 1 + mut_below(random, OPERATION_INPUTS - 1);
    if (!operation_has_target((enum operation)operation->op) || mut_one_in(random, 4))
        return;
    do
        add_option(work, operation);
    while (mut_one_in(random, 2));
}

// The longer the chain, the less likely to grow: half of all additions at two operations.
static bool may_grow(const struct mut_work *work) {
    return mut_below(work->random, 4) >= work->testcase->operation_count ||
           mut_one_in(work->random, 16);
}

bool mut_op_add(struct mut_work *work) {
    struct case_operation operation;
    if (!may_grow(work))
        return false;
    uint32_t at = mut_below(work->random, work->testcase->operation_count + 1);
    mut_operation(work, at, &operation);
    return mut_insert(work->testcase, RECORD_OPERATION, at, &operation);
}

// A long chain loses several at once: what it reaches, shorter ones reach in less time.
bool mut_op_drop(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    // Without any there is nothing to compare.
    if (testcase->operation_count < 2)
        return false;
    uint32_t most = testcase->operation_count > 3 ? testcase->operation_count / 2 : 1;
    for (uint32_t left = 1 + mut_below(work->random, most); left > 0; left--) {
        uint32_t at = mut_below(work->random, testcase->operation_count);
        mut_remove(testcase, RECORD_OPERATION, at, at + 1);
    }
    return true;
}

bool mut_op_copy(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    if (testcase->operation_count == 0 || !may_grow(work))
        return false;
    uint32_t from = mut_below(work->random, testcase->operation_count);
    uint32_t to = mut_below(work->random, testcase->operation_count + 1);
    return mut_insert(testcase, RECORD_OPERATION, to, &testcase->operations[from]);
}

bool mut_op_move(struct mut_work *work) {
    return mut_move(work->testcase, RECORD_OPERATION, work->random);
}

bool mut_op_new(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    if (testcase->operation_count == 0)
        return false;
    uint32_t at = mut_below(work->random, testcase->operation_count);
    mut_operation(work, at, &testcase->operations[at]);
    return true;
}

// Another target for the same call; options that belong to the old one stay in the bytes unseen.
bool mut_op_target(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    if (testcase->operation_count == 0)
        return false;
    struct case_operation *operation =
        &testcase->operations[mut_below(work->random, testcase->operation_count)];
    if (!operation_has_target((enum operation)operation->op))
        return false;
    operation->target =
        (operation->target + 1 + mut_below(work->random, IMAGE_FORMATS - 1)) % IMAGE_FORMATS;
    return true;
}

// Reads what another operation has written, or the source again. Where nothing is written before
// it, a conversion is put there.
bool mut_op_input(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    if (testcase->operation_count == 0)
        return false;
    uint32_t at = mut_below(work->random, testcase->operation_count);
    if (!has_output(testcase, at)) {
        struct case_operation convert;
        case_record_defaults(RECORD_OPERATION, &convert);
        convert.op = OP_CONVERT;
        convert.target = mut_below(work->random, IMAGE_FORMATS);
        if (!may_grow(work) || !mut_insert(testcase, RECORD_OPERATION, at, &convert))
            return false;
        at++;
    }
    struct case_operation *operation = &testcase->operations[at];
    operation->input =
        (operation->input + 1 + mut_below(work->random, OPERATION_INPUTS - 1)) % OPERATION_INPUTS;
    return true;
}
