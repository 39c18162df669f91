// SPDX-License-Identifier: Apache-2.0
//
// With what a finding was made, and with what it is run today. Another version may be why a finding
// is gone; and where a tool of that kind is not compared at all, that nothing diverges says nothing
// about the finding.
#include "command/found.h"

#include "command/triage.h"
#include "page/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOUND_MOST_REPORT (16u << 20)

cJSON *found_report(const char *path, bool *damaged) {
    char beside[4096];
    struct buffer text = {0};
    cJSON *report = NULL;
    const char *slash = strrchr(path, '/');
    snprintf(beside, sizeof beside, "%.*sreport.json", slash ? (int)(slash + 1 - path) : 0, path);
    bool there = command_read_file(beside, FOUND_MOST_REPORT, &text, NULL) == 0;
    if (there)
        report = cJSON_ParseWithLength(text.data, text.length);
    *damaged = there && !report;
    buffer_free(&text);
    return report;
}

const char *found_signature(const cJSON *report) {
    const char *signature =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(report, "signature"));
    size_t length = signature ? strspn(signature, "abcdefghijklmnopqrstuvwxyz0123456789_-") : 0;
    return length && !signature[length] && length < SIGNATURE_ROOM ? signature : NULL;
}

static void take_text(const cJSON *tool, const char *member, char *to, size_t room) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tool, member));
    snprintf(to, room, "%s", text ? text : "");
}

static void take_tool(const cJSON *tool, struct found_with *found) {
    *found = (struct found_with){0};
    // A side that was left out has found nothing.
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tool, "available")))
        return;
    take_text(tool, "driven_as", found->driven_as, sizeof found->driven_as);
    take_text(tool, "version", found->version, sizeof found->version);
    take_text(tool, "lies", found->lies, sizeof found->lies);
    found->standin = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tool, "is_standin"));
    found->named = found->driven_as[0];
}

void found_read(const cJSON *report, struct found_with found[SIDES]) {
    const cJSON *tools = cJSON_GetObjectItemCaseSensitive(report, "tools");
    take_tool(cJSON_GetObjectItemCaseSensitive(tools, "a"), &found[SIDE_A]);
    take_tool(cJSON_GetObjectItemCaseSensitive(tools, "b"), &found[SIDE_B]);
}

static const char *kind_words(const struct found_with *found) {
    return found->standin ? "a stand-in for instar" : found->driven_as;
}

// "a,b" as "a, b", which can be broken into lines.
static void lies_words(const char *lies, struct buffer *words) {
    for (; *lies; lies++)
        buffer_format(words, "%c%s", *lies, *lies == ',' ? " " : "");
}

static bool same_kind(const struct found_with *found, const struct tool *tool) {
    cJSON *profile = tool_profile_json(tool);
    const char *driven = cJSON_GetObjectItemCaseSensitive(profile, "driven_as")->valuestring;
    bool same = tool->available && tool->is_standin == found->standin &&
                strcmp(driven, found->driven_as) == 0;
    cJSON_Delete(profile);
    return same;
}

// What is different about one tool of the report; nothing if it is compared today as it was. true:
// it is not compared.
static bool compare_tool(const struct harness *harness, const struct found_with *found,
                         struct buffer *words) {
    const struct tool *same = NULL;
    if (!found->named)
        return false;
    for (int side = 0; side < SIDES; side++) {
        const struct tool *tool = harness_tool(harness, side);
        if (same_kind(found, tool) && (!same || strcmp(tool->version, found->version) == 0))
            same = tool;
    }
    const char *comma = words->length ? "; " : "";
    if (!same) {
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
    return !same;
}

bool found_compare(const struct harness *harness, const struct found_with found[SIDES],
                   struct buffer *words) {
    bool foreign = false;
    for (int side = 0; side < SIDES; side++)
        foreign |= compare_tool(harness, &found[side], words);
    return foreign;
}

// The variables of then; those of today that are in the way are emptied.
static void put_setting(const cJSON *report, const struct found_with found[SIDES],
                        struct buffer *words) {
    struct buffer setting = {0};
    const char *lies = getenv("STANDIN_LIE");
    page_variables(report, &setting);
    if (lies && *lies && !found[SIDE_A].lies[0] && !found[SIDE_B].lies[0])
        buffer_text(&setting, "STANDIN_LIE= ");
    if (setting.length)
        buffer_format(words, "; to compare as then, set %.*s", (int)setting.length - 1,
                      setting.data);
    buffer_free(&setting);
}

void found_gone(const struct harness *harness, const cJSON *report, struct buffer *words) {
    struct found_with found[SIDES];
    struct buffer different = {0};
    const char *signature = found_signature(report);
    if (!signature)
        return;
    found_read(report, found);
    found_compare(harness, found, &different);
    buffer_format(words, "it does not show %s, which the report beside it is about", signature);
    if (different.length) {
        buffer_text(words, "; ");
        triage_text(different.data, words);
        put_setting(report, found, words);
    }
    buffer_free(&different);
}
