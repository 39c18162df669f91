// SPDX-License-Identifier: Apache-2.0
//
// The probed profile, for people (doctor) and for programs (every report): what was run against
// what, and what each side could do. Facts about the machine are told elsewhere.
#include "tool/adapter.h"

// The sets in a profile, and where each gets the names of its members from.
static const char *operation_name(int op) {
    return tool_operation_name((enum operation)op);
}
static const char *format_name(int format) {
    return tool_format_name(format);
}

struct profile_set {
    const char *title;
    const bool *members;
    int count;
    const char *(*name)(int member);
};

enum { PROFILE_SETS = 4 };
static void profile_sets(const struct tool *tool, struct profile_set sets[PROFILE_SETS]) {
    sets[0] = (struct profile_set){"operations", tool->ops, TOOL_OPERATIONS, operation_name};
    sets[1] = (struct profile_set){"reads", tool->reads, IMAGE_FORMATS, format_name};
    sets[2] = (struct profile_set){"writes", tool->writes, IMAGE_FORMATS, format_name};
    sets[3] = (struct profile_set){"measures", tool->measures, IMAGE_FORMATS, format_name};
}

static void profile_set_words(const struct profile_set *set, struct buffer *words) {
    bool any = false;
    buffer_format(words, "  %-11s", set->title);
    for (int i = 0; i < set->count; i++)
        if (set->members[i]) {
            buffer_format(words, " %s", set->name(i));
            any = true;
        }
    buffer_text(words, any ? "\n" : " nothing\n");
}

static void profile_lacking_words(const struct tool *tool, struct buffer *words) {
    for (int op = 0; op < OPERATIONS; op++)
        for (int option = 0; option < TOOL_OPTIONS; option++)
            if (tool->lacks_option[op][option])
                buffer_format(words, "  lacks       %s of %s\n", tool_option_name(option),
                              operation_names[op]);
}

void tool_profile_words(const struct tool *tool, struct buffer *words) {
    buffer_format(words, "%s: %s (%s)\n", tool->role, tool->name, tool->path);
    if (tool->version[0])
        buffer_format(words, "  version     %s\n", tool->version);
    buffer_format(words, "  driven as   %s\n", tool_adapter(tool->kind)->program);
    if (tool->played_version)
        buffer_text(words, "  plays       the documented instar, whose known divergences count\n");
    if (!tool->available) {
        buffer_format(words, "  unavailable %s\n", tool->why_not);
        return;
    }
    struct profile_set sets[PROFILE_SETS];
    profile_sets(tool, sets);
    for (int i = 0; i < PROFILE_SETS; i++)
        profile_set_words(&sets[i], words);
    profile_lacking_words(tool, words);
    if (tool->kind == TOOL_INSTAR)
        buffer_format(words, "  imitates    qemu-img %s%s\n", tool->qemu_version,
                      tool->qemu_version_option ? "" : " (cannot be told: no --qemu-version)");
    buffer_format(words, "  runs        %s%s%s\n", exec_backend_names[tool->backend],
                  tool->backend_why[0] ? ": " : "", tool->backend_why);
    if (tool->guests[0])
        buffer_format(words, "  guests      %s (INSTAR_BIN_DIR)\n", tool->guests);
    if (tool->why_not[0])
        buffer_format(words, "  problem     %s\n", tool->why_not);
    if (tool->edges)
        buffer_format(words, "  counts      %u edges of its code\n", tool->edges);
    if (tool->edges_dropped)
        buffer_format(words, "  counts not  %u others: too many for the map\n",
                      tool->edges_dropped);
    if (tool->lies[0])
        buffer_format(words, "  lies        %s\n", tool->lies);
}

static void profile_set_json(const struct profile_set *set, cJSON *profile) {
    cJSON *list = cJSON_AddArrayToObject(profile, set->title);
    for (int i = 0; i < set->count; i++)
        if (set->members[i])
            cJSON_AddItemToArray(list, cJSON_CreateString(set->name(i)));
}

static void profile_lacking_json(const struct tool *tool, cJSON *profile) {
    cJSON *lacks = cJSON_AddArrayToObject(profile, "lacks_options");
    for (int op = 0; op < OPERATIONS; op++)
        for (int option = 0; option < TOOL_OPTIONS; option++)
            if (tool->lacks_option[op][option]) {
                struct buffer words = {0};
                buffer_format(&words, "%s:%s", operation_names[op], tool_option_name(option));
                cJSON_AddItemToArray(lacks, cJSON_CreateString(words.data));
                buffer_free(&words);
            }
}

cJSON *tool_profile_json(const struct tool *tool) {
    cJSON *profile = cJSON_CreateObject();
    cJSON_AddStringToObject(profile, "role", tool->role);
    cJSON_AddStringToObject(profile, "name", tool->name);
    cJSON_AddStringToObject(profile, "driven_as", tool_adapter(tool->kind)->program);
    cJSON_AddStringToObject(profile, "path", tool->path);
    cJSON_AddStringToObject(profile, "version", tool->version);
    cJSON_AddNumberToObject(profile, "version_number", tool->version_number);
    cJSON_AddBoolToObject(profile, "available", tool->available);
    cJSON_AddStringToObject(profile, "why_not", tool->why_not);
    cJSON_AddBoolToObject(profile, "is_standin", tool->is_standin);
    cJSON_AddNumberToObject(profile, "played_version", tool->played_version);
    struct profile_set sets[PROFILE_SETS];
    profile_sets(tool, sets);
    for (int i = 0; i < PROFILE_SETS; i++)
        profile_set_json(&sets[i], profile);
    profile_lacking_json(tool, profile);
    cJSON_AddBoolToObject(profile, "qemu_version_option", tool->qemu_version_option);
    cJSON_AddBoolToObject(profile, "map_version_option", tool->map_version_option);
    cJSON_AddStringToObject(profile, "qemu_version", tool->qemu_version);
    cJSON_AddStringToObject(profile, "lies", tool->lies);
    cJSON_AddStringToObject(profile, "guests", tool->guests);
    cJSON_AddStringToObject(profile, "backend", exec_backend_names[tool->backend]);
    cJSON_AddStringToObject(profile, "backend_why", tool->backend_why);
    return profile;
}
