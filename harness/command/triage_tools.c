// SPDX-License-Identifier: Apache-2.0
//
// With what a finding was made, and with what it is replayed today. Another version may be why a
// finding is gone; and where a tool of that kind is not compared at all, that nothing diverges says
// nothing about the finding.
#include "command/triage.h"

#include "report/story.h"

#include <stdio.h>
#include <string.h>

#define TOOLS_MOST_REPORT (16u << 20)

static void take_text(const cJSON *tool, const char *member, char *to, size_t room) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tool, member));
    snprintf(to, room, "%s", text ? text : "");
}

static void take_tool(const cJSON *tool, struct triage_found_with *found) {
    // A side that was left out has found nothing.
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tool, "available")))
        return;
    take_text(tool, "driven_as", found->driven_as, sizeof found->driven_as);
    take_text(tool, "version", found->version, sizeof found->version);
    take_text(tool, "lies", found->lies, sizeof found->lies);
    found->standin = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tool, "is_standin"));
    found->named = found->driven_as[0];
}

// Of the report beside a finding's case. One that is not there, or damaged, names no tools.
void triage_read_tools(struct triage *t, struct triage_file *file) {
    char path[4096];
    struct buffer text = {0};
    const char *slash = strrchr(file->path, '/');
    snprintf(path, sizeof path, "%.*sreport.json", slash ? (int)(slash + 1 - file->path) : 0,
             file->path);
    if (command_read_file(path, TOOLS_MOST_REPORT, &text, NULL) == 0) {
        cJSON *tree = cJSON_ParseWithLength(text.data, text.length);
        const cJSON *tools = cJSON_GetObjectItemCaseSensitive(tree, "tools");
        take_tool(cJSON_GetObjectItemCaseSensitive(tools, "a"), &file->found_with[SIDE_A]);
        take_tool(cJSON_GetObjectItemCaseSensitive(tools, "b"), &file->found_with[SIDE_B]);
        if (!tree)
            file->note = triage_intern(t, "its report.json is damaged");
        cJSON_Delete(tree);
    }
    buffer_free(&text);
}

static const char *kind_words(const struct triage_found_with *found) {
    return found->standin ? "a stand-in for instar" : found->driven_as;
}

// "a,b" as "a, b", which can be broken into lines.
static void lies_words(const char *lies, struct buffer *words) {
    for (; *lies; lies++)
        buffer_format(words, "%c%s", *lies, *lies == ',' ? " " : "");
}

static bool same_kind(const struct triage_found_with *found, const struct tool *tool) {
    cJSON *profile = tool_profile_json(tool);
    const char *driven = cJSON_GetObjectItemCaseSensitive(profile, "driven_as")->valuestring;
    bool same = tool->available && tool->is_standin == found->standin &&
                strcmp(driven, found->driven_as) == 0;
    cJSON_Delete(profile);
    return same;
}

// What is different about one tool of the report; nothing if it is compared today as it was.
static void compare_tool(const struct triage *t, struct triage_file *file,
                         const struct triage_found_with *found, struct buffer *words) {
    const struct tool *same = NULL;
    if (!found->named)
        return;
    for (int side = 0; side < SIDES; side++) {
        const struct tool *tool = harness_tool(t->harness, side);
        if (same_kind(found, tool) && (!same || strcmp(tool->version, found->version) == 0))
            same = tool;
    }
    const char *comma = words->length ? "; " : "";
    if (!same) {
        file->foreign = true;
        buffer_format(words, "%sfound with %s (%s), which is not compared today", comma,
                      kind_words(found), found->version);
    } else if (strcmp(same->version, found->version) != 0) {
        buffer_format(words, "%sfound with %s, today's is %s", comma, found->version,
                      same->version);
    } else if (strcmp(same->lies, found->lies) != 0) {
        buffer_format(words, "%sfound with other lies of the stand-in (", comma);
        lies_words(found->lies[0] ? found->lies : "none", words);
        buffer_text(words, "; today: ");
        lies_words(same->lies[0] ? same->lies : "none", words);
        buffer_text(words, ")");
    }
}

// The log of a run has the pair in words alone: "NAME (VERSION) against NAME (VERSION)", and notes.
static void compare_pair(const struct triage *t, struct triage_file *file, struct buffer *words) {
    struct buffer today = {0};
    report_pair_words(harness_tool(t->harness, SIDE_A), harness_tool(t->harness, SIDE_B), &today);
    if (file->pair && strcmp(today.data, file->pair) != 0) {
        size_t kind = strcspn(file->pair, "("), kind_today = strcspn(today.data, "(");
        file->foreign = kind != kind_today || strncmp(file->pair, today.data, kind) != 0;
        buffer_format(words, "found with %.*s%s", (int)strcspn(file->pair, "\n"), file->pair,
                      file->foreign ? ", which is not compared today" : "");
    }
    buffer_free(&today);
}

void triage_compare_tools(struct triage *t) {
    struct buffer words = {0}, clean = {0};
    for (size_t i = 0; i < t->file_count; i++) {
        struct triage_file *file = &t->files[i];
        buffer_clear(&words);
        buffer_clear(&clean);
        for (int side = 0; side < SIDES; side++)
            compare_tool(t, file, &file->found_with[side], &words);
        compare_pair(t, file, &words);
        if (!words.length)
            continue;
        triage_text(words.data, &clean);
        file->note = triage_intern(t, clean.data);
    }
    buffer_free(&words);
    buffer_free(&clean);
}
