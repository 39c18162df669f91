// SPDX-License-Identifier: Apache-2.0
//
// The text form as a person would have written it: the image in one line, one line for each write
// and operation, members at their default left out, sizes and places in bytes. It reads back to the
// identical case, so a number that bytes cannot say keeps its encoded members.

#include "testcase/fields.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

// An operation without its name says nothing, and none with a target goes without saying which.
static bool always_said(const struct case_field *field, const void *record) {
    const struct case_operation *operation = record;
    if (field->record != RECORD_OPERATION)
        return false;
    return field->member == offsetof(struct case_operation, op) ||
           (field->member == offsetof(struct case_operation, target) &&
            operation_has_target((enum operation)operation->op));
}

// `lead` is what comes before the first member, ", " before each other.
static void write_members(enum case_record kind, const void *record, const char *lead,
                          struct buffer *out) {
    for (size_t i = 0; i < case_field_count; i++) {
        const struct case_field *field = &case_fields[i];
        if (field->record != kind)
            continue;
        int64_t value = case_field_get(field, record);
        if (value == field->initial && !always_said(field, record))
            continue;
        buffer_format(out, "%s\"%s\": ", lead, field->name);
        case_value_to_json(field, value, out);
        lead = ", ";
    }
}

// The size in bytes takes the place of its members where the reader makes the same members of it.
static void write_image(const struct testcase *testcase, struct buffer *out) {
    struct testcase rest = *testcase, read = *testcase;
    uint64_t size = case_virtual_size(testcase);
    bool said = case_choose_size(&read, size) && memcmp(&read, testcase, sizeof read) == 0;
    buffer_format(out, "{\"format\": \"%s\"", case_format_names[testcase->format]);
    rest.format = IMAGE_RAW; // the default, which is not said again
    if (said) {
        rest.size_class = rest.size_value = 0;
        rest.size_delta = 0;
        buffer_format(out, ", \"virtual_size\": %" PRIu64, size);
    }
    write_members(RECORD_HEADER, &rest, ", ", out);
}

static bool reads_as_place(const struct testcase *testcase, const struct case_write *write,
                           uint64_t offset) {
    struct case_write read = *write;
    return case_choose_place(testcase, &read, offset) && memcmp(&read, write, sizeof read) == 0;
}

static bool reads_as_length(const struct testcase *testcase, const struct case_write *write,
                            uint64_t length) {
    struct case_write read = *write;
    return case_choose_length(&read, length, case_source_unit(testcase)) &&
           memcmp(&read, write, sizeof read) == 0;
}

static void write_write(const struct testcase *testcase, const struct case_write *write,
                        struct buffer *out) {
    const uint64_t scales[LENGTH_SCALES] = {1, 512, case_source_unit(testcase)};
    struct case_write rest = *write, plain;
    uint64_t offset = case_write_offset(testcase, write);
    uint64_t length = (write->length + 1ull) * scales[write->length_scale];
    const char *lead = "{";
    case_record_defaults(RECORD_WRITE, &plain);
    if (reads_as_place(testcase, write, offset)) {
        buffer_format(out, "%s\"offset_bytes\": %" PRIu64, lead, offset);
        rest.anchor = plain.anchor;
        rest.offset = plain.offset;
        rest.offset_delta = plain.offset_delta;
        rest.delta_scale = plain.delta_scale;
        lead = ", ";
    }
    if (reads_as_length(testcase, write, length)) {
        buffer_format(out, "%s\"length_bytes\": %" PRIu64, lead, length);
        rest.length = plain.length;
        rest.length_scale = plain.length_scale;
        lead = ", ";
    }
    size_t before = out->length;
    write_members(RECORD_WRITE, &rest, lead, out);
    buffer_text(out, out->length == before && *lead == '{' ? "{}" : "}");
}

void case_to_json_brief(const struct testcase *testcase, struct buffer *out) {
    write_image(testcase, out);
    for (uint32_t i = 0; i < testcase->write_count; i++) {
        buffer_text(out, i ? ",\n            " : ",\n \"writes\": [");
        write_write(testcase, &testcase->writes[i], out);
    }
    buffer_text(out, testcase->write_count ? "]" : "");
    for (uint32_t i = 0; i < testcase->operation_count; i++) {
        buffer_text(out, i ? ",\n                " : ",\n \"operations\": [");
        write_members(RECORD_OPERATION, &testcase->operations[i], "{", out);
        buffer_text(out, "}");
    }
    buffer_text(out, testcase->operation_count ? "]}\n" : "}\n");
}
