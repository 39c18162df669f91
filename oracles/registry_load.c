// SPDX-License-Identifier: Apache-2.0
//
// Reading the file of known divergences. It is written by people and silences findings, so nothing
// in it is guessed: an unknown or missing member, name or date is an error that says where.
#include "oracles/registry.h"

#include "base/buffer.h"
#include "oracles/registry_entry.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES (1u << 20)

// One member while it is read: where the value goes and how errors name the place.
struct reader {
    struct registry_entry *entry;
    const cJSON *item;
    const char *id, *member;
    struct fault *fault;
};

static int bad(const struct reader *reader, const char *why) {
    return fault_set(reader->fault, "entry \"%s\": member \"%s\": %s", reader->id, reader->member,
                     why);
}

static int read_text(const struct reader *reader, const char **to, bool may_be_empty) {
    if (!cJSON_IsString(reader->item))
        return bad(reader, "must be a string");
    if (!may_be_empty && !*reader->item->valuestring)
        return bad(reader, "must not be empty");
    *to = reader->item->valuestring;
    return 0;
}

static int read_id(const struct reader *reader) {
    return read_text(reader, &reader->entry->id, false);
}

static int read_type(const struct reader *reader) {
    if (read_text(reader, &reader->entry->type, false) < 0)
        return -1;
    return oracle_named(reader->entry->type) ? 0 : bad(reader, "is no oracle type");
}

static int operation_index(const char *name) {
    for (int i = 0; i < OPERATIONS; i++)
        if (strcmp(operation_names[i], name) == 0)
            return i;
    return -1;
}

static int format_index(const char *name) {
    for (int i = 0; i < IMAGE_FORMATS; i++)
        if (strcmp(image_driver((enum image_format)i)->name, name) == 0)
            return i;
    return -1;
}

static int source_index(const char *name) {
    return strcmp(name, "none") == 0 ? IMAGE_FORMATS : format_index(name);
}

// "any", one name, or a list of names.
static int read_set(const struct reader *reader, unsigned *set, char words[64],
                    int (*index_of)(const char *name)) {
    const cJSON *item = cJSON_IsArray(reader->item) ? reader->item->child : reader->item;
    if (!item)
        return bad(reader, "is an empty list");
    *set = 0;
    for (; item; item = cJSON_IsArray(reader->item) ? item->next : NULL) {
        if (!cJSON_IsString(item))
            return bad(reader, "must be \"any\", a name or a list of names");
        const char *name = item->valuestring;
        bool any = !cJSON_IsArray(reader->item) && strcmp(name, "any") == 0;
        int index = any ? 0 : index_of(name);
        if (index < 0)
            return bad(reader, "has an unknown name");
        *set = any ? REGISTRY_ANY : *set | 1u << index;
        size_t used = strlen(words);
        snprintf(words + used, 64 - used, "%s%s", used ? "," : "", name);
    }
    return 0;
}

static int read_op(const struct reader *reader) {
    return read_set(reader, &reader->entry->ops, reader->entry->op_words, operation_index);
}

static int read_source(const struct reader *reader) {
    return read_set(reader, &reader->entry->sources, reader->entry->source_words, source_index);
}

static int read_target(const struct reader *reader) {
    return read_set(reader, &reader->entry->targets, reader->entry->target_words, format_index);
}

static int read_when(const struct reader *reader) {
    struct registry_entry *entry = reader->entry;
    if (!cJSON_IsArray(reader->item))
        return bad(reader, "must be a list of features");
    for (const cJSON *item = reader->item->child; item; item = item->next) {
        const struct feature *feature =
            cJSON_IsString(item) ? feature_find(item->valuestring) : NULL;
        if (!feature)
            return bad(reader, "has an unknown feature");
        if (entry->feature_count == REGISTRY_MAX_FEATURES)
            return bad(reader, "has too many features");
        entry->features[entry->feature_count++] = feature;
    }
    return 0;
}

// One of ">=7.0", "<11", "=0.3.0". Returns what follows it, or NULL.
static const char *read_term(const char *text, struct registry_version_term *term) {
    uint32_t parts[3] = {0};
    term->less = *text == '<';
    term->greater = *text == '>';
    text += term->less || term->greater;
    term->equal = *text == '=';
    text += term->equal;
    if (!term->less && !term->greater && !term->equal)
        return NULL;
    for (int i = 0; i < 3; i++) {
        char *end;
        if (!isdigit((unsigned char)*text))
            return NULL;
        unsigned long part = strtoul(text, &end, 10);
        if (part > (i ? 99 : 9999))
            return NULL;
        parts[i] = (uint32_t)part;
        text = end;
        if (*text != '.')
            break;
        text++;
    }
    term->version = parts[0] * 10000 + parts[1] * 100 + parts[2];
    return *text == ' ' || !*text ? text : NULL;
}

static bool read_versions(struct registry_tool *tool) {
    const char *text = tool->versions;
    if (strcmp(text, "any") == 0)
        return true;
    while (*text) {
        if (tool->term_count == REGISTRY_MAX_TERMS)
            return false;
        text = read_term(text, &tool->terms[tool->term_count++]);
        if (!text)
            return false;
        text += strspn(text, " ");
    }
    return tool->term_count > 0;
}

static int read_tool_members(const struct reader *reader, struct registry_tool *tool) {
    static const char *const names[] = {"qemu_img", "instar", "stand_in", "any"};
    if (!cJSON_IsObject(reader->item))
        return bad(reader, "must be an object of name and versions");
    for (const cJSON *item = reader->item->child; item; item = item->next) {
        const char **to = strcmp(item->string, "name") == 0       ? &tool->name
                          : strcmp(item->string, "versions") == 0 ? &tool->versions
                                                                  : NULL;
        if (!to || *to || !cJSON_IsString(item))
            return bad(reader, "may hold \"name\" and \"versions\" only, each once, as strings");
        *to = item->valuestring;
    }
    if (!tool->name || !tool->versions)
        return bad(reader, "needs \"name\" and \"versions\"");
    if (!read_versions(tool))
        return bad(reader, "versions must be \"any\" or terms such as \">=7.0 <11\"");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], tool->name) == 0)
            return 0;
    return bad(reader, "name must be qemu_img, instar, stand_in or any");
}

static int read_tool(const struct reader *reader) {
    return read_tool_members(reader, &reader->entry->tool);
}

static int read_other(const struct reader *reader) {
    return read_tool_members(reader, &reader->entry->other);
}

static int read_field(const struct reader *reader) {
    return read_text(reader, &reader->entry->field, true);
}

static int read_predict(const struct reader *reader) {
    if (cJSON_IsNull(reader->item))
        return 0;
    if (!cJSON_IsString(reader->item))
        return bad(reader, "must be a predictor's name or null");
    reader->entry->predictor = predictor_find(reader->item->valuestring);
    return reader->entry->predictor ? 0 : bad(reader, "is no predictor");
}

static int read_reason(const struct reader *reader) {
    return read_text(reader, &reader->entry->reason, false);
}

static int read_link(const struct reader *reader) {
    return read_text(reader, &reader->entry->link, true);
}

static bool is_date(const char *text) {
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
            return false;
    if (text[10])
        return false;
    int year = atoi(text), month = atoi(text + 5), day = atoi(text + 8);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    return leap || month != 2 || day != 29;
}

static int read_date(const struct reader *reader) {
    if (read_text(reader, &reader->entry->date, false) < 0)
        return -1;
    return is_date(reader->entry->date) ? 0 : bad(reader, "must be a date, YYYY-MM-DD");
}

// The case is read for good when it is asked for; here it must be one.
static int read_case(const struct reader *reader) {
    struct fault fault = {0};
    struct testcase testcase;
    if (cJSON_IsNull(reader->item))
        return 0;
    if (!cJSON_IsObject(reader->item))
        return bad(reader, "must be the text form of a case, or null");
    reader->entry->proof = reader->item;
    char *text = cJSON_PrintUnformatted(reader->item);
    int status = case_from_json(&testcase, text, &fault);
    cJSON_free(text);
    return status ? bad(reader, fault.text) : 0;
}

static int read_lie(const struct reader *reader) {
    return read_text(reader, &reader->entry->lie, true);
}

// What can be known must be proved, by the installed tool or by a lie of the stand-in.
static int check_proof(struct reader *reader) {
    const struct registry_entry *entry = reader->entry;
    bool about_instar = strcmp(entry->tool.name, "instar") == 0;
    reader->member = "case";
    if (!entry->predictor != !entry->proof)
        return bad(reader, entry->proof ? "must be null where nothing is predicted"
                                        : "may be null only where nothing is predicted");
    reader->member = "lie";
    if (*entry->lie && (!about_instar || !entry->predictor))
        return bad(reader, "is for a predicted divergence of instar");
    if (!*entry->lie && about_instar && entry->predictor)
        return bad(reader, "must name the lie of the stand-in that shows it");
    return 0;
}

static const struct {
    const char *name;
    int (*read)(const struct reader *reader);
} members[] = {
    {"id", read_id},           {"type", read_type},     {"op", read_op},
    {"source", read_source},   {"target", read_target}, {"when", read_when},
    {"tool", read_tool},       {"other", read_other},   {"field", read_field},
    {"predict", read_predict}, {"reason", read_reason}, {"link", read_link},
    {"date", read_date},       {"case", read_case},     {"lie", read_lie},
};
#define MEMBERS (sizeof members / sizeof *members)

static int read_entry(const cJSON *json, size_t index, struct registry_entry *entry,
                      struct fault *fault) {
    char number[32];
    snprintf(number, sizeof number, "#%zu", index + 1);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "id");
    struct reader reader = {
        .entry = entry, .id = cJSON_IsString(id) ? id->valuestring : number, .fault = fault};
    bool seen[MEMBERS] = {false};
    if (!cJSON_IsObject(json))
        return fault_set(fault, "entry \"%s\" is no object", number);
    for (const cJSON *item = json->child; item; item = item->next) {
        size_t i = 0;
        reader.item = item;
        reader.member = item->string;
        while (i < MEMBERS && strcmp(members[i].name, item->string) != 0)
            i++;
        if (i == MEMBERS)
            return bad(&reader, "is unknown");
        if (seen[i])
            return bad(&reader, "occurs twice");
        seen[i] = true;
        if (members[i].read(&reader) < 0)
            return -1;
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        reader.member = members[i].name;
        if (!seen[i])
            return bad(&reader, "is missing");
    }
    return check_proof(&reader);
}

static int read_entries(struct registry *registry, const cJSON *list, struct fault *fault) {
    int count = cJSON_GetArraySize(list);
    registry->entries =
        must_realloc(NULL, ((size_t)count + 1) * sizeof *registry->entries); // + 1: never of size 0
    for (const cJSON *item = list->child; item; item = item->next) {
        struct registry_entry *entry = &registry->entries[registry->count];
        *entry = (struct registry_entry){0};
        if (read_entry(item, registry->count, entry, fault) < 0)
            return -1;
        for (size_t i = 0; i < registry->count; i++)
            if (strcmp(registry->entries[i].id, entry->id) == 0)
                return fault_set(fault, "entry \"%s\": member \"id\": occurs twice", entry->id);
        registry->count++;
    }
    return 0;
}

static int read_document(struct registry *registry, struct fault *fault) {
    const cJSON *list = NULL;
    double version = 0;
    for (const cJSON *item = registry->json->child; item; item = item->next) {
        if (item->string && strcmp(item->string, "version") == 0 && cJSON_IsNumber(item) &&
            version == 0)
            version = item->valuedouble;
        else if (item->string && strcmp(item->string, "entries") == 0 && cJSON_IsArray(item) &&
                 !list)
            list = item;
        else
            return fault_set(fault, "member \"%s\" is unknown, of a wrong kind or there twice",
                             item->string ? item->string : "");
    }
    if (version != 1)
        return fault_set(fault, "member \"version\" must be 1");
    if (!list)
        return fault_set(fault, "member \"entries\" is missing");
    return read_entries(registry, list, fault);
}

static int read_file(const char *path, struct buffer *text, struct fault *fault) {
    FILE *file = fopen(path, "rbe");
    if (!file)
        return fault_errno(fault, "cannot be opened");
    size_t got = 0;
    do {
        text->length += got;
        got = fread(buffer_reserve(text, 65536), 1, 65536, file);
    } while (got && text->length < MAX_FILE_BYTES);
    bool failed = ferror(file);
    fclose(file);
    buffer_append(text, "", 0);
    if (failed)
        return fault_set(fault, "cannot be read");
    return text->length < MAX_FILE_BYTES ? 0 : fault_set(fault, "is larger than 1 MiB");
}

static int parse(struct registry *registry, const char *text, size_t length, struct fault *fault) {
    const char *end = NULL;
    registry->json = cJSON_ParseWithLengthOpts(text, length, &end, false);
    while (registry->json && end < text + length && isspace((unsigned char)*end))
        end++;
    if (!registry->json || end != text + length)
        return fault_set(fault, "is not JSON");
    return read_document(registry, fault);
}

int registry_load_text(struct registry **registry, const char *text, size_t length,
                       const char *name, struct fault *fault) {
    *registry = must_realloc(NULL, sizeof **registry);
    **registry = (struct registry){0};
    if (parse(*registry, text, length, fault) == 0)
        return 0;
    registry_free(*registry);
    *registry = NULL;
    return fault_prefix(fault, "%s: ", name);
}

int registry_load(struct registry **registry, const char *path, struct fault *fault) {
    struct buffer text = {0};
    int status = read_file(path, &text, fault);
    if (status == 0)
        status = registry_load_text(registry, text.data, text.length, path, fault);
    else
        fault_prefix(fault, "%s: ", path);
    buffer_free(&text);
    return status;
}
