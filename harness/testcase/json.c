// SPDX-License-Identifier: Apache-2.0
//
// Reads the text form of a case. People write it by hand (corpus/seeds), so it allows comments,
// fills in defaults, takes plain byte numbers for sizes and places, and says of a mistake which
// member is wrong and what it may be. Members are found in the encoding table.

#include "base/distance.h"
#include "testcase/fields.h"
#include "testcase/json_place.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Replaces // comments by spaces, so that positions in error messages stay right.
static void strip_comments(char *text) {
    bool in_string = false;

    for (; *text; text++) {
        if (in_string && text[0] == '\\' && text[1])
            text++;
        else if (*text == '"')
            in_string = !in_string;
        else if (!in_string && text[0] == '/' && text[1] == '/')
            for (; *text && *text != '\n'; text++)
                *text = ' ';
        if (!*text)
            break;
    }
}

static cJSON *parse(const char *text, struct fault *fault) {
    char *stripped = must_strdup(text);
    const char *end = NULL;

    strip_comments(stripped);
    cJSON *root = cJSON_ParseWithOpts(stripped, &end, true);
    if (!root) {
        json_place(stripped, end ? end : stripped, fault);
    } else if (!cJSON_IsObject(root)) {
        fault_set(fault, "a case is a JSON object");
        cJSON_Delete(root);
        root = NULL;
    }
    free(stripped);
    return root;
}

static void allowed_values(const struct case_field *field, struct buffer *out) {
    if (field->kind == FIELD_FLAG)
        buffer_text(out, "true or false");
    else if (field->kind == FIELD_ENUM)
        for (int64_t i = 0; i <= field->high; i++)
            buffer_format(out, "%s\"%s\"", i == 0 ? "one of " : ", ", field->names[i]);
    else
        buffer_format(out, "%s%" PRId64 "..%" PRId64, field->kind == FIELD_OPTIONAL ? "0 or " : "",
                      field->low, field->high);
}

static int bad_value(const char *where, const struct case_field *field, struct fault *fault) {
    struct buffer allowed = {0};

    allowed_values(field, &allowed);
    fault_set(fault, "%s%s must be %s", where, field->name, allowed.data);
    buffer_free(&allowed);
    return -1;
}

// A whole number that a double holds exactly.
static bool whole_number(const cJSON *item, int64_t *value) {
    const double limit = 9007199254740992.0;

    if (!cJSON_IsNumber(item) || !(item->valuedouble > -limit && item->valuedouble < limit))
        return false;
    *value = (int64_t)item->valuedouble;
    return (double)*value == item->valuedouble;
}

static bool value_of(const struct case_field *field, const cJSON *item, int64_t *value) {
    if (field->kind == FIELD_FLAG) {
        *value = cJSON_IsTrue(item);
        return cJSON_IsBool(item);
    }
    if (field->kind == FIELD_ENUM) {
        for (*value = 0; cJSON_IsString(item) && *value <= field->high; ++*value)
            if (!strcmp(item->valuestring, field->names[*value]))
                return true;
        return false;
    }
    return whole_number(item, value) && case_field_accepts(field, *value);
}

static const struct case_field *field_named(enum case_record kind, const char *name) {
    for (size_t i = 0; i < case_field_count; i++)
        if (case_fields[i].record == kind && !strcmp(case_fields[i].name, name))
            return &case_fields[i];
    return NULL;
}

// Members that are no rows of the table, by record: exact numbers in place of encoded ones, lists.
static const char *const header_extras[] = {"virtual_size", "writes", "operations", NULL};
static const char *const write_extras[] = {"offset_bytes", "length_bytes", NULL};
static const char *const no_extras[] = {NULL};
static const char *const *const extra_members[CASE_RECORDS] = {header_extras, write_extras,
                                                               no_extras};

static bool is_extra(enum case_record kind, const char *name) {
    for (const char *const *extra = extra_members[kind]; *extra; extra++)
        if (!strcmp(*extra, name))
            return true;
    return false;
}

static void consider(const char *name, const char *wanted, const char **best, size_t *distance) {
    size_t away = distance_of(wanted, name);
    if (away < *distance) {
        *best = name;
        *distance = away;
    }
}

// The member of that record whose name is nearest, if it is near.
static const char *member_near(enum case_record kind, const char *wanted) {
    const char *best = "";
    size_t distance = SIZE_MAX;
    for (const char *const *extra = extra_members[kind]; *extra; extra++)
        consider(*extra, wanted, &best, &distance);
    for (size_t i = 0; i < case_field_count; i++)
        if (case_fields[i].record == kind)
            consider(case_fields[i].name, wanted, &best, &distance);
    return distance_is_near(distance, best) ? best : NULL;
}

static int no_member(enum case_record kind, const char *where, const char *name,
                     struct fault *fault) {
    static const char *const owners[CASE_RECORDS] = {"the case itself", "a write", "an operation"};
    const char *near = member_near(kind, name);
    if (near)
        return fault_set(fault, "%s%s: there is no such member; is %s meant?", where, name, near);
    for (enum case_record other = 0; other < CASE_RECORDS; other++)
        if (field_named(other, name) || is_extra(other, name))
            return fault_set(fault, "%s%s: there is no such member here, but %s has one", where,
                             name, owners[other]);
    return fault_set(fault,
                     "%s%s: there is no such member, nor one of a name like it "
                     "(docs/encoding.md has them all)",
                     where, name);
}

// Fills the record from the object's members; `where` ("writes[2].") is for messages.
static int read_record(enum case_record kind, const cJSON *object, const char *where, void *record,
                       struct fault *fault) {
    const cJSON *item;

    if (!cJSON_IsObject(object))
        return fault_set(fault, "%.*s must be an object", (int)strlen(where) - 1, where);
    case_record_defaults(kind, record);
    cJSON_ArrayForEach(item, object) {
        if (item->string[0] == '_')
            continue;
        if (cJSON_GetObjectItemCaseSensitive(object, item->string) != item)
            return fault_set(fault, "%s%s is there twice", where, item->string);
        if (is_extra(kind, item->string))
            continue;
        const struct case_field *field = field_named(kind, item->string);
        int64_t value;
        if (!field)
            return no_member(kind, where, item->string, fault);
        if (!value_of(field, item, &value))
            return bad_value(where, field, fault);
        case_field_set(field, record, value);
    }
    return 0;
}

// An exact number, at most `most`, in place of the members listed (NULL-terminated). 1: it is
// there.
static int exact_number(const cJSON *object, const char *name, uint64_t most,
                        const char *const *instead_of, const char *where, uint64_t *value,
                        struct fault *fault) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    int64_t number;

    if (!item)
        return 0;
    if (!whole_number(item, &number) || number < 0 || (uint64_t)number > most)
        return fault_set(fault, "%s%s must be a whole number of bytes, 0..%" PRIu64, where, name,
                         most);
    for (; *instead_of; instead_of++)
        if (cJSON_GetObjectItemCaseSensitive(object, *instead_of))
            return fault_set(fault, "%s%s and %s%s say the same: keep one", where, name, where,
                             *instead_of);
    *value = (uint64_t)number;
    return 1;
}

static int read_size(const cJSON *root, struct testcase *testcase, struct fault *fault) {
    static const char *const members[] = {"size_class", "size_value", "size_delta", NULL};
    uint64_t size = 0;
    int present = exact_number(root, "virtual_size", CASE_MAX_SIZE, members, "", &size, fault);

    if (present <= 0)
        return present;
    if (!case_choose_size(testcase, size))
        return fault_set(fault,
                         "virtual_size %" PRIu64 " cannot be expressed for %s: 0 to 16 MiB, or at "
                         "most 127 sectors from an edge (docs/encoding.md)",
                         size, case_format_names[testcase->format]);
    return 0;
}

static int read_write(const cJSON *object, const char *where, struct testcase *testcase,
                      struct case_write *write, struct fault *fault) {
    static const char *const place[] = {"anchor", "offset", "offset_delta", "delta_scale", NULL};
    static const char *const extent[] = {"length_scale", "length", NULL};
    uint64_t number;

    if (read_record(RECORD_WRITE, object, where, write, fault))
        return -1;
    int present =
        exact_number(object, "offset_bytes", CASE_MAX_SIZE - 1, place, where, &number, fault);
    if (present > 0 && !case_choose_place(testcase, write, number))
        return fault_set(fault,
                         "%soffset_bytes must lie below virtual_size, and above 4 GiB "
                         "near a multiple of the source's unit, 64 KiB or 2 MiB",
                         where);
    if (present < 0)
        return -1;
    uint32_t unit = case_source_unit(testcase);
    present = exact_number(object, "length_bytes", 65536ull * (unit > 512 ? unit : 512), extent,
                           where, &number, fault);
    if (present > 0 && !case_choose_length(write, number, unit))
        return fault_set(fault,
                         "%slength_bytes must be 1..65536 bytes, sectors or units of the "
                         "source",
                         where);
    return present < 0 ? -1 : 0;
}

static int read_list(const cJSON *root, enum case_record kind, uint32_t most,
                     struct testcase *testcase, struct fault *fault) {
    const char *name = kind == RECORD_WRITE ? "writes" : "operations";
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, name), *item;
    uint32_t index = 0;

    if (list && !cJSON_IsArray(list))
        return fault_set(fault, "%s must be a list", name);
    cJSON_ArrayForEach(item, list) {
        char where[32];
        snprintf(where, sizeof where, "%s[%u].", name, index);
        if (index == most)
            return fault_set(fault, "%s: at most %u", name, most);
        if (kind == RECORD_WRITE
                ? read_write(item, where, testcase, &testcase->writes[index], fault)
                : read_record(kind, item, where, &testcase->operations[index], fault))
            return -1;
        index++;
    }
    *(kind == RECORD_WRITE ? &testcase->write_count : &testcase->operation_count) = index;
    return 0;
}

int case_from_json(struct testcase *testcase, const char *text, struct fault *fault) {
    memset(testcase, 0, sizeof *testcase);
    cJSON *root = parse(text, fault);
    if (!root)
        return -1;
    // Places are counted in units of an image of this size, so the order matters.
    int result = read_record(RECORD_HEADER, root, "", testcase, fault);
    if (!result)
        result = read_size(root, testcase, fault);
    if (!result)
        result = read_list(root, RECORD_WRITE, CASE_MAX_WRITES, testcase, fault);
    if (!result)
        result = read_list(root, RECORD_OPERATION, CASE_MAX_OPERATIONS, testcase, fault);
    cJSON_Delete(root);
    return result;
}
