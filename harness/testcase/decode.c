// SPDX-License-Identifier: Apache-2.0
//
// Bytes to test case. It exists as its own file because it is the one place that faces hostile
// input in every run: it must accept any bytes of any length, and mean the same by them for ever.

#include "testcase/fields.h"

#include <string.h>

static void decode_record(enum case_record kind, const uint8_t *bytes, void *record) {
    for (size_t i = 0; i < case_field_count; i++) {
        const struct case_field *field = &case_fields[i];
        if (field->record == kind)
            case_field_set(field, record, case_field_value(field, case_field_load(field, bytes)));
    }
}

void case_decode(struct testcase *testcase, const uint8_t *data, size_t size) {
    uint8_t header[CASE_HEADER_BYTES] = {0};

    memset(testcase, 0, sizeof *testcase);
    // A file of version 2 must not be read as something else by a program of version 1.
    if (size > 0 && data[0] == 2)
        size = 0;
    if (size > CASE_MAX_BYTES)
        size = CASE_MAX_BYTES;
    if (size > 0)
        memcpy(header, data, size < sizeof header ? size : sizeof header);
    decode_record(RECORD_HEADER, header, testcase);

    for (size_t at = CASE_HEADER_BYTES; at + CASE_RECORD_BYTES <= size; at += CASE_RECORD_BYTES) {
        const uint8_t *record = data + at;
        bool is_operation = record[0] & 1;
        if (is_operation && testcase->operation_count < CASE_MAX_OPERATIONS)
            decode_record(RECORD_OPERATION, record,
                          &testcase->operations[testcase->operation_count++]);
        else if (!is_operation && testcase->write_count < CASE_MAX_WRITES)
            decode_record(RECORD_WRITE, record, &testcase->writes[testcase->write_count++]);
    }
}
