// SPDX-License-Identifier: Apache-2.0
//
// Crossover: a case takes something from another. A source of one and the calls of another are what
// fills the matrix of comparisons fastest, because both have proved to be worth keeping.
#include "mutators/mutation.h"

#include <string.h>

// A run of `count` records, at least one.
static void draw_run(struct mut_random *random, uint32_t count, uint32_t *first, uint32_t *length) {
    *first = mut_below(random, count);
    *length = 1 + mut_below(random, count - *first);
}

// The other's records take the place of most of those that stand there, so that cases do not grow
// with every generation.
static bool splice(struct mut_work *work, enum case_record kind) {
    struct testcase *testcase = work->testcase;
    uint32_t first, length, at = mut_below(work->random, mut_count(testcase, kind) + 1);
    if (mut_count(work->donor, kind) == 0)
        return false;
    draw_run(work->random, mut_count(work->donor, kind), &first, &length);
    for (uint32_t i = 0; i < length; i++) {
        if (at + i < mut_count(testcase, kind) && !mut_one_in(work->random, 3))
            mut_remove(testcase, kind, at + i, at + i + 1);
        if (!mut_insert(testcase, kind, at + i, mut_record(work->donor, kind, first + i)))
            return i > 0;
    }
    return true;
}

bool mut_splice_writes(struct mut_work *work) {
    return splice(work, RECORD_WRITE);
}

bool mut_splice_ops(struct mut_work *work) {
    return splice(work, RECORD_OPERATION);
}

static void copy_operations(struct testcase *to, const struct testcase *from) {
    to->operation_count = from->operation_count;
    memcpy(to->operations, from->operations, sizeof to->operations);
}

// All of a short chain, a run of a long one.
bool mut_take_ops(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    const struct testcase *donor = work->donor;
    uint32_t first = 0, length = donor->operation_count;
    if (length == 0)
        return false;
    if (length > 3)
        draw_run(work->random, length, &first, &length);
    memset(testcase->operations, 0, sizeof testcase->operations);
    testcase->operation_count = length;
    memcpy(testcase->operations, &donor->operations[first], length * sizeof *donor->operations);
    return true;
}

bool mut_take_source(struct mut_work *work) {
    const struct testcase ours = *work->testcase;
    if (ours.operation_count == 0)
        return false;
    *work->testcase = *work->donor;
    copy_operations(work->testcase, &ours);
    return true;
}

// Each member of the header from one of the two; writes and operations stay.
bool mut_mix_header(struct mut_work *work) {
    bool changed = false;
    for (size_t i = 0; i < case_field_count; i++) {
        const struct case_field *field = &case_fields[i];
        if (field->record != RECORD_HEADER || mut_one_in(work->random, 2))
            continue;
        int64_t theirs = case_field_get(field, work->donor);
        changed |= theirs != case_field_get(field, work->testcase);
        case_field_set(field, work->testcase, theirs);
    }
    return changed;
}
