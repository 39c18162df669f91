// SPDX-License-Identifier: Apache-2.0
//
// Members of a case that say something and change nothing: a file below a raw disk, an option of
// another target. Nothing here knows which those are. A member has no effect if nothing that is
// built, written or asked becomes different whatever value it gets; so what is said of a member
// cannot differ from what is done with it. A value that only comes to the same as another (a length
// that is cut at the disk's end, clusters that are raised) is no such thing.

#include "testcase/fields.h"

#include <stdio.h>
#include <string.h>

static bool is_zero_form(enum content_form form) {
    return form == FORM_ZERO || form == FORM_ZERO_ALLOCATED;
}

static bool same_extent(const struct content_extent *a, const struct content_extent *b) {
    if (a->length != b->length)
        return false;
    return a->length == 0 ||
           (a->offset == b->offset && a->form == b->form &&
            (is_zero_form(a->form) || (a->pattern == b->pattern && a->seed == b->seed)));
}

// One file of the chain: its format, size, options and writes.
static bool same_layer(const struct testcase *a, const struct testcase *b, uint32_t layer) {
    struct testcase of_a, of_b;
    struct image_options options_a, options_b;
    struct content_extent extents_a[CASE_MAX_WRITES], extents_b[CASE_MAX_WRITES];
    case_layer(a, layer, &of_a);
    case_layer(b, layer, &of_b);
    memset(&options_a, 0, sizeof options_a);
    memset(&options_b, 0, sizeof options_b);
    case_image_options(&of_a, &options_a);
    case_image_options(&of_b, &options_b);
    bool same = of_a.format == of_b.format &&
                case_virtual_size(&of_a) == case_virtual_size(&of_b) &&
                memcmp(&options_a, &options_b, sizeof options_a) == 0;
    size_t count = case_write_extents(&of_a, extents_a);
    same = same && case_write_extents(&of_b, extents_b) == count;
    for (size_t i = 0; same && i < count; i++)
        same = same_extent(&extents_a[i], &extents_b[i]);
    return same;
}

// What they hold follows from their number and the writes.
static bool same_snapshots(const struct testcase *a, const struct testcase *b) {
    uint32_t count = case_snapshots(a);
    bool same = case_snapshots(b) == count;
    for (uint32_t i = 0; same && i < count; i++)
        same = case_snapshot_size(a, i) == case_snapshot_size(b, i);
    return same;
}

static bool same_bitmaps(const struct testcase *a, const struct testcase *b) {
    uint32_t count = case_bitmaps(a);
    struct image_map dirty = {0};
    bool same = case_bitmaps(b) == count;
    for (uint32_t i = 0; same && i < count; i++) {
        struct image_bitmap of_a, of_b;
        case_bitmap(a, i, &of_a, &dirty);
        case_bitmap(b, i, &of_b, &dirty);
        same = of_a.granularity_bits == of_b.granularity_bits && of_a.automatic == of_b.automatic &&
               of_a.in_use == of_b.in_use;
    }
    image_map_free(&dirty);
    return same;
}

// The file that it reads: without an earlier output the source, and none of a size alone.
static uint32_t input_of(const struct testcase *testcase, uint32_t index,
                         const struct target_options *options) {
    bool is_written = false;
    for (uint32_t i = 0; i < index; i++)
        is_written |= operation_writes((enum operation)testcase->operations[i].op) &&
                      case_operation_allowed(testcase, &testcase->operations[i], NULL);
    return is_written && !options->size_only ? testcase->operations[index].input : INPUT_SOURCE;
}

static bool same_operation(const struct testcase *a, const struct testcase *b, uint32_t index) {
    const struct case_operation *of_a = &a->operations[index], *of_b = &b->operations[index];
    struct target_options options_a, options_b;
    case_target_options(a, of_a, &options_a);
    case_target_options(b, of_b, &options_b);
    bool has_target = operation_has_target((enum operation)of_a->op);
    return of_a->op == of_b->op && (!has_target || of_a->target == of_b->target) &&
           memcmp(&options_a, &options_b, sizeof options_a) == 0 &&
           input_of(a, index, &options_a) == input_of(b, index, &options_b) &&
           case_operation_allowed(a, of_a, NULL) == case_operation_allowed(b, of_b, NULL);
}

// Of cases with the same numbers of records.
static bool same_meaning(const struct testcase *a, const struct testcase *b) {
    uint32_t layers = case_layers(a);
    bool same = case_layers(b) == layers && case_data_file(a) == case_data_file(b) &&
                same_snapshots(a, b) && same_bitmaps(a, b);
    for (uint32_t i = 0; same && i < layers; i++)
        same = same_layer(a, b, i);
    for (uint32_t i = 0; same && i < a->operation_count; i++)
        same = same_operation(a, b, i);
    return same;
}

static void *record_of(struct testcase *testcase, enum case_record kind, uint32_t index) {
    return kind == RECORD_WRITE       ? (void *)&testcase->writes[index]
           : kind == RECORD_OPERATION ? (void *)&testcase->operations[index]
                                      : testcase;
}

// Where a write goes is reduced to the disk: in a small one every number may come to the same, and
// an offset of 0 is 0 in every unit. That is no mistake of who wrote it.
static bool is_place(const struct case_field *field) {
    static const char *const names[] = {"anchor",      "offset",       "offset_delta",
                                        "delta_scale", "length_scale", "length"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (field->record == RECORD_WRITE && strcmp(names[i], field->name) == 0)
            return true;
    return false;
}

#define VALUES 16 // of a field that are tried, spread over its range; of most fields all

// `record` is the field's, and lies in `other`.
static bool is_idle(const struct testcase *testcase, const struct case_field *field,
                    struct testcase *other, void *record) {
    int64_t value = case_field_get(field, record);
    int64_t step = (field->high - field->low) / VALUES + 1;
    case_field_set(field, record, field->initial);
    bool same = same_meaning(testcase, other);
    for (int64_t at = field->low; same && at <= field->high; at += step) {
        case_field_set(field, record, at);
        same = same_meaning(testcase, other);
    }
    case_field_set(field, record, value);
    return same;
}

static void tell_record(const struct testcase *testcase, enum case_record kind, uint32_t index,
                        const char *before, struct buffer *out) {
    static const char *const lists[CASE_RECORDS] = {"", "writes", "operations"};
    struct testcase other = *testcase;
    void *record = record_of(&other, kind, index);
    for (size_t i = 0; i < case_field_count; i++) {
        const struct case_field *field = &case_fields[i];
        if (field->record != kind || case_field_get(field, record) == field->initial ||
            is_place(field) || !is_idle(testcase, field, &other, record))
            continue;
        buffer_text(out, before);
        if (kind != RECORD_HEADER)
            buffer_format(out, "%s[%u].", lists[kind], index);
        buffer_format(out, "%s has no effect here: %s\n", field->name, field->help);
    }
}

void case_tell_idle(const struct testcase *testcase, const char *before, struct buffer *out) {
    struct content_extent extents[CASE_MAX_WRITES];
    case_chain_extents(testcase, extents);
    tell_record(testcase, RECORD_HEADER, 0, before, out);
    for (uint32_t i = 0; i < testcase->write_count; i++)
        if (extents[i].length)
            tell_record(testcase, RECORD_WRITE, i, before, out);
        else
            buffer_format(out, "%swrites[%u] has no effect here: it is left out\n", before, i);
    for (uint32_t i = 0; i < testcase->operation_count; i++)
        tell_record(testcase, RECORD_OPERATION, i, before, out);
}
