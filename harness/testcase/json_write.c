// SPDX-License-Identifier: Apache-2.0
//
// The text form of a case, for people: a member a line for the image, one line for each write and
// operation, and beside the stored numbers what they come to. Members whose names start with "_"
// are such help; the reader (json.c) skips them.

#include "testcase/fields.h"

#include <inttypes.h>

void case_value_to_json(const struct case_field *field, int64_t value, struct buffer *out) {
    if (field->kind == FIELD_ENUM)
        buffer_format(out, "\"%s\"", field->names[value]);
    else if (field->kind == FIELD_FLAG)
        buffer_text(out, value ? "true" : "false");
    else
        buffer_format(out, "%" PRId64, value);
}

// Words never hold control characters, so quotes are all there is to escape.
static void write_words(struct buffer *words, struct buffer *out) {
    buffer_text(out, "\"_words\": \"");
    for (size_t i = 0; i < words->length; i++) {
        if (words->data[i] == '"')
            buffer_text(out, "\\");
        buffer_append(out, &words->data[i], 1);
    }
    buffer_text(out, "\"");
    buffer_clear(words);
}

static void write_members(enum case_record kind, const void *record, const char *behind,
                          struct buffer *out) {
    for (size_t i = 0; i < case_field_count; i++) {
        const struct case_field *field = &case_fields[i];
        int64_t value = field->record == kind ? case_field_get(field, record) : 0;
        if (field->record != kind || (!field->shown && value == field->initial))
            continue;
        buffer_format(out, "\"%s\": ", field->name);
        case_value_to_json(field, value, out);
        buffer_text(out, behind);
    }
}

static void write_writes(const struct testcase *testcase, struct buffer *words,
                         struct buffer *out) {
    struct content_extent extents[CASE_MAX_WRITES];

    case_chain_extents(testcase, extents);
    buffer_text(out, "\"writes\": [");
    for (uint32_t i = 0; i < testcase->write_count; i++) {
        buffer_text(out, i ? ",\n    {" : "\n    {");
        write_members(RECORD_WRITE, &testcase->writes[i], ", ", out);
        buffer_format(out, "\"_extent\": [%" PRIu64 ", %" PRIu64 "], ", extents[i].offset,
                      extents[i].length);
        case_describe_write(testcase, i, &extents[i], words);
        write_words(words, out);
        buffer_text(out, "}");
    }
    buffer_text(out, testcase->write_count ? "\n  ]" : "]");
}

static void write_operations(const struct testcase *testcase, struct buffer *words,
                             struct buffer *out) {
    buffer_text(out, "\"operations\": [");
    for (uint32_t i = 0; i < testcase->operation_count; i++) {
        buffer_text(out, i ? ",\n    {" : "\n    {");
        write_members(RECORD_OPERATION, &testcase->operations[i], ", ", out);
        case_describe_operation(testcase, i, words);
        write_words(words, out);
        buffer_text(out, "}");
    }
    buffer_text(out, testcase->operation_count ? "\n  ]" : "]");
}

void case_to_json(const struct testcase *testcase, struct buffer *out) {
    struct buffer words = {0};

    buffer_text(out, "{\n  ");
    write_members(RECORD_HEADER, testcase, ",\n  ", out);
    buffer_format(out, "\"_virtual_size\": %" PRIu64 ",\n  ", case_virtual_size(testcase));
    case_describe_image(testcase, &words);
    write_words(&words, out);
    buffer_text(out, ",\n  ");
    write_writes(testcase, &words, out);
    buffer_text(out, ",\n  ");
    write_operations(testcase, &words, out);
    buffer_text(out, "\n}\n");
    buffer_free(&words);
}
