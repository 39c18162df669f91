// SPDX-License-Identifier: Apache-2.0
//
// One field gets another value: the mutation that needs nothing but the encoding table. Rows are
// drawn by the table's weights, values from the whole range, from its edges and from the
// neighbourhood of the value that is there.
#include "mutators/mutation.h"

#include <stddef.h>

const struct case_field *mut_row(struct mut_random *random, enum case_record kind) {
    unsigned sum = 0;
    for (size_t i = 0; i < case_field_count; i++)
        sum += case_fields[i].record == kind ? case_fields[i].weight : 0;
    unsigned left = mut_below(random, sum);
    const struct case_field *field = case_fields;
    for (;; field++) {
        if (field->record != kind)
            continue;
        if (left < field->weight)
            return field;
        left -= field->weight;
    }
}

static int64_t edge_value(struct mut_random *random, const struct case_field *field) {
    const int64_t edges[] = {field->low, field->high, field->initial};
    return edges[mut_below(random, sizeof edges / sizeof *edges)];
}

// Near a power of two: where tables end and numbers get a bit longer.
static int64_t power_value(struct mut_random *random, const struct case_field *field) {
    int64_t value =
        (INT64_C(1) << mut_below(random, 8 * field->width)) + mut_between(random, -1, 1);
    return case_field_accepts(field, value) ? value : field->low;
}

static int64_t any_value(struct mut_random *random, const struct case_field *field,
                         int64_t current) {
    int64_t near;
    switch (field->kind == FIELD_ENUM ? 0 : mut_below(random, 4)) {
    case 0:
        break;
    case 1:
        return edge_value(random, field);
    case 2:
        near = current + mut_between(random, -2, 2);
        return case_field_accepts(field, near) ? near : current;
    default:
        if (field->width > 1)
            return power_value(random, field);
        break;
    }
    return case_field_value(field, (uint32_t)mut_draw(random));
}

int64_t mut_value(struct mut_random *random, const struct case_field *field, int64_t current) {
    int64_t value;
    do
        value = any_value(random, field, current);
    while (value == current);
    return value;
}

static bool is_kind_of_operation(const struct case_field *field) {
    return field->record == RECORD_OPERATION &&
           field->member == offsetof(struct case_operation, op);
}

bool mut_field(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    const unsigned weights[CASE_RECORDS] = {
        [RECORD_HEADER] = 4,
        [RECORD_WRITE] = testcase->write_count ? 3 : 0,
        [RECORD_OPERATION] = testcase->operation_count ? 4 : 0,
    };
    enum case_record kind = (enum case_record)mut_weighted(work->random, weights, CASE_RECORDS);
    void *record = testcase;
    if (kind != RECORD_HEADER)
        record = mut_record_of(testcase, kind, mut_below(work->random, mut_count(testcase, kind)));
    const struct case_field *field = mut_row(work->random, kind);
    int64_t current = case_field_get(field, record);
    int64_t value = is_kind_of_operation(field) ? (int64_t)mut_operation_kind(work->random)
                                                : mut_value(work->random, field, current);
    case_field_set(field, record, value);
    return value != current;
}
