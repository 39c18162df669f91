// SPDX-License-Identifier: Apache-2.0
//
// The records of a case by their kind, so that what mutations and steps of simplification do to a
// list is written once for both lists. The header counts as a list of one where records are only
// looked at; what changes a list takes RECORD_WRITE or RECORD_OPERATION.
#ifndef MUTATORS_RECORDS_H
#define MUTATORS_RECORDS_H

#include "mutators/random.h"
#include "testcase/fields.h"

uint32_t mut_count(const struct testcase *testcase, enum case_record kind);
const void *mut_record(const struct testcase *testcase, enum case_record kind, uint32_t at);
void *mut_record_of(struct testcase *testcase, enum case_record kind, uint32_t at);

// False where the list is full. `record` may be one of the list.
bool mut_insert(struct testcase *testcase, enum case_record kind, uint32_t at, const void *record);
// Records first to end - 1 go.
void mut_remove(struct testcase *testcase, enum case_record kind, uint32_t first, uint32_t end);
// One record comes to stand at any place but its own. False: there are fewer than two.
bool mut_move(struct testcase *testcase, enum case_record kind, struct mut_random *random);

#endif
