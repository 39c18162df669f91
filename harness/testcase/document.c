// SPDX-License-Identifier: Apache-2.0
//
// What the encoding table says to readers that are not this program: the tables in
// docs/encoding.md and the dictionary in dict/. Generated, so that they cannot be out of date.

#include "testcase/fields.h"

#include <inttypes.h>

static void values_cell(const struct case_field *field, struct buffer *out) {
    switch (field->kind) {
    case FIELD_ENUM:
        for (int64_t i = 0; i <= field->high; i++)
            buffer_format(out, "%s`%s`", i ? ", " : "", field->names[i]);
        break;
    case FIELD_FLAG:
        buffer_text(out, "`false`, `true`");
        break;
    case FIELD_OPTIONAL:
        buffer_format(out, "0 or %" PRId64 "..%" PRId64, field->low, field->high);
        break;
    case FIELD_RANGE:
    case FIELD_SIGNED:
        buffer_format(out, "%" PRId64 "..%" PRId64, field->low, field->high);
        break;
    }
}

static void default_cell(const struct case_field *field, struct buffer *out) {
    if (field->kind == FIELD_ENUM)
        buffer_format(out, "`%s`", field->names[field->initial]);
    else if (field->kind == FIELD_FLAG)
        buffer_text(out, field->initial ? "`true`" : "`false`");
    else
        buffer_format(out, "%" PRId64, field->initial);
}

static void kind_row(enum case_record kind, struct buffer *out) {
    static const char *const kinds[CASE_RECORDS] = {
        [RECORD_HEADER] = "2 is kept for version 2; anything else is version 1; written as 0",
        [RECORD_WRITE] = "even: this record is a write; written as 0",
        [RECORD_OPERATION] = "odd: this record is an operation; written as 1",
    };
    buffer_format(out, "| 0 | | %s | | | |\n", kinds[kind]);
}

static void record_table(enum case_record kind, struct buffer *out) {
    size_t used = 1;

    buffer_format(out, "\n### %s (%zu bytes)\n\n", case_record_names[kind],
                  case_record_bytes(kind));
    buffer_text(out, "| bytes | member | values | default | weight | meaning |\n"
                     "|---|---|---|---|---|---|\n");
    kind_row(kind, out);
    for (size_t i = 0; i < case_field_count; i++) {
        const struct case_field *field = &case_fields[i];
        if (field->record != kind)
            continue;
        used = field->at + field->width;
        if (field->width == 1)
            buffer_format(out, "| %u", field->at);
        else
            buffer_format(out, "| %u-%zu", field->at, used - 1);
        if (field->divisor > 1)
            buffer_format(out, " / %u", field->divisor);
        buffer_format(out, " | `%s` | ", field->name);
        values_cell(field, out);
        buffer_text(out, " | ");
        default_cell(field, out);
        buffer_format(out, " | %u | %s |\n", field->weight, field->help);
    }
    size_t last = case_record_bytes(kind) - 1;
    if (used < last)
        buffer_format(out, "| %zu-%zu | | reserved: ignored, written as 0 | | | |\n", used, last);
    else if (used == last)
        buffer_format(out, "| %zu | | reserved: ignored, written as 0 | | | |\n", last);
}

void case_encoding_markdown(struct buffer *out) {
    for (int kind = 0; kind < CASE_RECORDS; kind++)
        record_table((enum case_record)kind, out);
    buffer_text(out, "\n### Sizes of class `edge`\n\n| size_value % 16 | bytes |\n|---|---|\n");
    for (unsigned i = 0; i < CASE_EDGES; i++)
        buffer_format(out, "| %u | %" PRIu64 " |\n", i, case_size_edges[i]);
}

static void entry(const char *name, const uint8_t *bytes, size_t length, struct buffer *out) {
    buffer_format(out, "%s=\"", name);
    for (size_t i = 0; i < length; i++)
        buffer_format(out, "\\x%02x", bytes[i]);
    buffer_text(out, "\"\n");
}

// Entries are cut from the canonical encoding of small cases, so they are right by construction.
static void entry_of(const struct testcase *testcase, const char *name, size_t from, size_t length,
                     struct buffer *out) {
    uint8_t bytes[CASE_MAX_BYTES];

    case_encode(testcase, bytes);
    entry(name, bytes + from, length, out);
}

static void header_entries(struct buffer *out) {
    struct testcase testcase = {0};
    struct buffer name = {0};

    for (uint32_t format = 0; format < IMAGE_FORMATS; format++) {
        case_record_defaults(RECORD_HEADER, &testcase);
        testcase.format = format;
        testcase.size_class = SIZE_EDGE; // entry 0: 1 MiB
        buffer_clear(&name);
        buffer_format(&name, "header_%s", case_format_names[format]);
        entry_of(&testcase, name.data, 0, CASE_HEADER_BYTES, out);
    }
    for (uint32_t edge = 0; edge < CASE_EDGES; edge++) {
        testcase.size_value = edge;
        buffer_clear(&name);
        buffer_format(&name, "size_%" PRIu64, case_size_edges[edge]);
        entry_of(&testcase, name.data, 2, 6, out); // size_class, size_delta, size_value
    }
    buffer_free(&name);
}

static void write_entries(struct buffer *out) {
    struct testcase testcase = {.write_count = 1};
    struct buffer name = {0};

    case_record_defaults(RECORD_HEADER, &testcase);
    case_record_defaults(RECORD_WRITE, &testcase.writes[0]);
    testcase.writes[0].length_scale = LENGTH_UNITS;
    for (uint32_t pattern = 0; pattern < CONTENT_PLAIN_PATTERNS; pattern++)
        for (uint32_t form = 0; form < CONTENT_FORMS; form++) {
            testcase.writes[0].pattern = pattern;
            testcase.writes[0].form = form;
            buffer_clear(&name);
            buffer_format(&name, "write_%u_%u", pattern, form);
            entry_of(&testcase, name.data, CASE_HEADER_BYTES, CASE_RECORD_BYTES, out);
        }
    buffer_free(&name);
}

static void operation_entries(struct buffer *out) {
    struct testcase testcase = {.operation_count = 1};
    struct case_operation *operation = &testcase.operations[0];
    struct buffer name = {0};

    case_record_defaults(RECORD_HEADER, &testcase);
    case_record_defaults(RECORD_OPERATION, operation);
    for (operation->op = 0; operation->op < OPERATIONS; operation->op++)
        for (operation->target = 0; operation->target < IMAGE_FORMATS; operation->target++)
            for (operation->input = 0; operation->input <= INPUT_A_OUTPUT; operation->input++) {
                if (!operation_has_target((enum operation)operation->op) && operation->target > 0)
                    continue;
                buffer_clear(&name);
                buffer_format(&name, "%s_%s%s", operation_names[operation->op],
                              case_format_names[operation->target],
                              operation->input == INPUT_SOURCE ? "" : "_again");
                entry_of(&testcase, name.data, CASE_HEADER_BYTES, CASE_RECORD_BYTES, out);
            }
    buffer_free(&name);
}

static void offset_entries(struct buffer *out) {
    struct buffer name = {0};

    for (unsigned i = 0; i < CASE_EDGES; i++) {
        uint8_t bytes[4];
        if (case_size_edges[i] > UINT32_MAX)
            continue;
        for (unsigned at = 0; at < sizeof bytes; at++)
            bytes[at] = (uint8_t)(case_size_edges[i] >> (8 * at));
        buffer_clear(&name);
        buffer_format(&name, "offset_%" PRIu64, case_size_edges[i]);
        entry(name.data, bytes, sizeof bytes, out);
    }
    buffer_free(&name);
}

void case_dictionary(struct buffer *out) {
    buffer_text(out, "# Generated from the encoding table (docs/encoding.md): do not edit.\n"
                     "# Headers of 32 bytes, and their size fields:\n");
    header_entries(out);
    buffer_text(out, "# Records of 16 bytes: write_<pattern>_<form>, then operations:\n");
    write_entries(out);
    operation_entries(out);
    buffer_text(out, "# Offsets of format edges:\n");
    offset_entries(out);
}
