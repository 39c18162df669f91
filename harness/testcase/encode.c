// SPDX-License-Identifier: Apache-2.0
//
// Test case to bytes, in the one canonical spelling: reserved bytes 0, the smallest integer for
// each value, all writes before all operations. Corpora are built with it, and the mutator uses it
// to hand an edited case back to the engine.

#include "testcase/fields.h"

#include <string.h>

_Static_assert(CASE_HEADER_BYTES + (CASE_MAX_WRITES + CASE_MAX_OPERATIONS) * CASE_RECORD_BYTES <=
                   CASE_MAX_BYTES,
               "every case fits into CASE_MAX_BYTES");

static void encode_record(enum case_record kind, const void *record, uint8_t *bytes) {
    memset(bytes, 0, case_record_bytes(kind));
    if (kind == RECORD_OPERATION)
        bytes[0] = 1;
    for (size_t i = 0; i < case_field_count; i++) {
        const struct case_field *field = &case_fields[i];
        if (field->record == kind)
            case_field_store(field, bytes, case_field_stored(field, case_field_get(field, record)));
    }
}

size_t case_encode(const struct testcase *testcase, uint8_t out[CASE_MAX_BYTES]) {
    size_t used = CASE_HEADER_BYTES;

    encode_record(RECORD_HEADER, testcase, out);
    for (uint32_t i = 0; i < testcase->write_count; i++, used += CASE_RECORD_BYTES)
        encode_record(RECORD_WRITE, &testcase->writes[i], out + used);
    for (uint32_t i = 0; i < testcase->operation_count; i++, used += CASE_RECORD_BYTES)
        encode_record(RECORD_OPERATION, &testcase->operations[i], out + used);
    return used;
}
