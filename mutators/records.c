// SPDX-License-Identifier: Apache-2.0
//
// Putting records into a case's two lists and taking them out, for all mutations that do.
#include "mutators/mutation.h"

#include <string.h>

bool mut_insert_write(struct testcase *testcase, uint32_t at, const struct case_write *write) {
    struct case_write copy = *write; // it may be one of the list
    if (testcase->write_count == CASE_MAX_WRITES)
        return false;
    memmove(&testcase->writes[at + 1], &testcase->writes[at],
            (testcase->write_count++ - at) * sizeof copy);
    testcase->writes[at] = copy;
    return true;
}

bool mut_insert_operation(struct testcase *testcase, uint32_t at,
                          const struct case_operation *operation) {
    struct case_operation copy = *operation;
    if (testcase->operation_count == CASE_MAX_OPERATIONS)
        return false;
    memmove(&testcase->operations[at + 1], &testcase->operations[at],
            (testcase->operation_count++ - at) * sizeof copy);
    testcase->operations[at] = copy;
    return true;
}

// Records behind the count are zero, as the decoder leaves them.
void mut_remove_write(struct testcase *testcase, uint32_t at) {
    memmove(&testcase->writes[at], &testcase->writes[at + 1],
            (--testcase->write_count - at) * sizeof *testcase->writes);
    memset(&testcase->writes[testcase->write_count], 0, sizeof *testcase->writes);
}

void mut_remove_operation(struct testcase *testcase, uint32_t at) {
    memmove(&testcase->operations[at], &testcase->operations[at + 1],
            (--testcase->operation_count - at) * sizeof *testcase->operations);
    memset(&testcase->operations[testcase->operation_count], 0, sizeof *testcase->operations);
}
