// SPDX-License-Identifier: Apache-2.0
//
// Putting records into a case's two lists, taking them out and moving them. Where a list lies in
// the struct is a row of a table.
#include "mutators/records.h"

#include <stddef.h>
#include <string.h>

static const struct list {
    size_t records, count; // offsets in struct testcase
    size_t width;          // bytes of a record
    uint32_t most;
} lists[CASE_RECORDS] = {
    [RECORD_WRITE] = {offsetof(struct testcase, writes), offsetof(struct testcase, write_count),
                      sizeof(struct case_write), CASE_MAX_WRITES},
    [RECORD_OPERATION] = {offsetof(struct testcase, operations),
                          offsetof(struct testcase, operation_count), sizeof(struct case_operation),
                          CASE_MAX_OPERATIONS},
};

union record {
    struct case_write write;
    struct case_operation operation;
};

static uint32_t *count_of(struct testcase *testcase, enum case_record kind) {
    return (uint32_t *)((char *)testcase + lists[kind].count);
}

uint32_t mut_count(const struct testcase *testcase, enum case_record kind) {
    return kind == RECORD_HEADER ? 1
                                 : *(const uint32_t *)((const char *)testcase + lists[kind].count);
}

const void *mut_record(const struct testcase *testcase, enum case_record kind, uint32_t at) {
    return (const char *)testcase + lists[kind].records + at * lists[kind].width;
}

void *mut_record_of(struct testcase *testcase, enum case_record kind, uint32_t at) {
    return (char *)testcase + lists[kind].records + at * lists[kind].width;
}

bool mut_insert(struct testcase *testcase, enum case_record kind, uint32_t at, const void *record) {
    uint32_t *count = count_of(testcase, kind);
    size_t width = lists[kind].width;
    union record copy; // what moves up may be the record itself
    if (*count == lists[kind].most)
        return false;
    memcpy(&copy, record, width);
    memmove(mut_record_of(testcase, kind, at + 1), mut_record(testcase, kind, at),
            ((*count)++ - at) * width);
    memcpy(mut_record_of(testcase, kind, at), &copy, width);
    return true;
}

// Records behind the count are zero, as the decoder leaves them.
void mut_remove(struct testcase *testcase, enum case_record kind, uint32_t first, uint32_t end) {
    uint32_t *count = count_of(testcase, kind);
    size_t width = lists[kind].width;
    memmove(mut_record_of(testcase, kind, first), mut_record(testcase, kind, end),
            (*count - end) * width);
    *count -= end - first;
    memset(mut_record_of(testcase, kind, *count), 0, (end - first) * width);
}

bool mut_move(struct testcase *testcase, enum case_record kind, struct mut_random *random) {
    uint32_t count = mut_count(testcase, kind);
    union record moved;
    if (count < 2)
        return false;
    uint32_t from = mut_below(random, count);
    uint32_t to = (from + 1 + mut_below(random, count - 1)) % count;
    memcpy(&moved, mut_record(testcase, kind, from), lists[kind].width);
    mut_remove(testcase, kind, from, from + 1);
    return mut_insert(testcase, kind, to, &moved);
}
