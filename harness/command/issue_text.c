// SPDX-License-Identifier: Apache-2.0
//
// What an issue says. Whatever a tool printed stands in a code block that it cannot end: there
// GitHub reads neither markup nor @names nor references to other issues.
#include "command/issue.h"

#include "command/triage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEEN_BEGIN "<!-- instar-fuzz-seen "
#define SEEN_END   "<!-- instar-fuzz-seen-end -->"

bool issue_signature_is_one(const char *text) {
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return length && !text[length] && length < SIGNATURE_ROOM && *text != '-';
}

void issue_title(const char *signature, char title[257]) {
    snprintf(title, 257, "Differential fuzz: %s", signature); // 256 is GitHub's limit
}

// --- code blocks ---------------------------------------------------------------------------------

// Marks that hide or turn text: valid UTF-8, and three bytes each.
static bool issue_turns_text(const char *at) {
    static const char *const marks[] = {
        "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\x8e", "\xe2\x80\x8f",
        "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
        "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8",
        "\xe2\x81\xa9", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strncmp(at, marks[i], 3) == 0)
            return true;
    return false;
}

// One line: what is no text is written as \xNN.
static void issue_clean_line(const char *line, size_t length, struct buffer *out) {
    struct buffer copy = {0};
    for (size_t i = 0; i < length; i++)
        if (line[i] == '\t')
            buffer_text(&copy, "    ");
        else if (length - i >= 3 && issue_turns_text(line + i))
            buffer_format(&copy, "\\x%02x\\x%02x\\x%02x", (unsigned char)line[i],
                          (unsigned char)line[i + 1], (unsigned char)line[i + 2]),
                i += 2;
        else
            buffer_append(&copy, line + i, 1);
    buffer_reserve(&copy, 1)[0] = 0;
    triage_text(copy.data, out);
    buffer_free(&copy);
}

static void issue_clean(const char *text, size_t most, bool *cut, struct buffer *out) {
    while (*text && !*cut) {
        size_t length = strcspn(text, "\n");
        issue_clean_line(text, length, out);
        buffer_text(out, "\n");
        text += length + (text[length] == '\n');
        *cut = out->length > most;
    }
    if (!*cut)
        return;
    // Not within a character.
    size_t end = most;
    while (end > 0 && ((unsigned char)out->data[end] & 0xc0) == 0x80)
        end--;
    out->length = end;
    out->data[end] = 0;
    if (end && out->data[end - 1] != '\n')
        buffer_text(out, "\n");
}

static void issue_fence(struct buffer *body, size_t length, const char *language) {
    while (length--)
        buffer_text(body, "`");
    buffer_format(body, "%s\n", language);
}

void issue_fenced(struct buffer *body, const char *language, const char *text, size_t most,
                  const char *where) {
    struct buffer clean = {0};
    bool cut = false;
    buffer_reserve(&clean, 1)[0] = 0;
    issue_clean(text, most, &cut, &clean);
    size_t longest = 2;
    for (const char *at = clean.data; *at; at += strcspn(at, "`")) {
        size_t run = strspn(at, "`");
        longest = run > longest ? run : longest;
        at += run;
    }
    // What would need a fence of hundreds is no text that one wants to read backquotes in.
    for (char *at = clean.data; longest > 64 && *at; at++)
        *at = *at == '`' ? '\'' : *at;
    size_t fence = longest > 64 ? 3 : longest + 1;
    issue_fence(body, fence, language);
    buffer_text(body, clean.data);
    issue_fence(body, fence, "");
    if (cut)
        buffer_format(body, "(cut; `%s` has all of it)\n", where);
    buffer_text(body, "\n");
    buffer_free(&clean);
}

// --- the tools ---------------------------------------------------------------------------------

void issue_tools(const char *a_version, const char *b_version, struct buffer *words) {
    buffer_format(words, "%s against %s", a_version, b_version);
}

int issue_pair_is_instar(bool instar, bool standin, const char *what, const char *tools,
                         struct fault *fault) {
    return instar && !standin
               ? 0
               : fault_set(fault,
                           "%s compared %s, and that is not instar: nothing is filed (--any-pair "
                           "does)",
                           what, tools);
}

// --- the seen block ------------------------------------------------------------------------------

// Letters, digits and what versions are written with: nothing that is markup or names anybody.
static void issue_plain(const char *text, const char *also, struct buffer *out) {
    for (; *text; text++) {
        bool fine = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                    (*text >= '0' && *text <= '9') || strchr(also, *text);
        buffer_append(out, fine ? text : "?", 1);
    }
    buffer_reserve(out, 1)[0] = 0;
}

bool issue_seen_find(const char *body, const char **begin, const char **end) {
    *begin = body ? strstr(body, SEEN_BEGIN) : NULL;
    *end = *begin ? strstr(*begin, SEEN_END) : NULL;
    if (*end)
        *end += strlen(SEEN_END);
    return *end != NULL;
}

// The numbers that the block holds, or NULL.
static cJSON *issue_seen_numbers(const char *body) {
    const char *begin, *end;
    if (!issue_seen_find(body, &begin, &end))
        return NULL;
    begin += strlen(SEEN_BEGIN);
    return cJSON_ParseWithLength(begin, strcspn(begin, "\r\n"));
}

static void issue_seen_tools(const char *tools, struct buffer *plain) {
    issue_plain(tools, " .,;:()+~_/-", plain);
}

bool issue_seen_same_tools(const char *body, const char *tools) {
    struct buffer plain = {0};
    cJSON *numbers = issue_seen_numbers(body);
    issue_seen_tools(tools, &plain);
    const char *then = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(numbers, "tools"));
    bool same = then && strcmp(then, plain.data) == 0;
    buffer_free(&plain);
    cJSON_Delete(numbers);
    return same;
}

static double issue_seen_number(const cJSON *numbers, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(numbers, name);
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e15
               ? item->valuedouble
               : 0;
}

void issue_seen(const struct issue *issue, const char *before, struct buffer *seen) {
    cJSON *numbers = issue_seen_numbers(before), *now = cJSON_CreateObject();
    struct buffer tools = {0}, url = {0};
    char today[32];
    triage_time((int64_t)time(NULL), false, today);
    const char *first = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(numbers, "first"));
    if (!first || strlen(first) != strlen(today) || strspn(first, "0123456789-:TZ") < strlen(first))
        first = today;
    double runs = issue_seen_number(numbers, "runs") + 1;
    double cases = issue_seen_number(numbers, "cases") + (double)issue->cases;
    issue_seen_tools(issue->tools, &tools);
    if (issue->run_url && strncmp(issue->run_url, "https://", 8) == 0)
        issue_plain(issue->run_url, ":/._-~?=&%#+", &url);
    cJSON_AddNumberToObject(now, "runs", runs);
    cJSON_AddNumberToObject(now, "cases", cases);
    cJSON_AddStringToObject(now, "first", first);
    cJSON_AddStringToObject(now, "last", today);
    cJSON_AddStringToObject(now, "tools", tools.data);
    char *text = cJSON_PrintUnformatted(now);
    buffer_format(seen, SEEN_BEGIN "%s -->\n", text);
    buffer_format(
        seen, "**Seen** in %.0f run%s, %.0f case%s; first %s, last %s%s%.500s%s, with `%.400s`\n",
        runs, runs == 1 ? "" : "s", cases, cases == 1 ? "" : "s", first, today,
        url.length ? " (<" : "", url.length ? url.data : "", url.length ? ">)" : "", tools.data);
    buffer_text(seen, SEEN_END);
    free(text);
    buffer_free(&tools);
    buffer_free(&url);
    cJSON_Delete(numbers);
    cJSON_Delete(now);
}

void issue_body(const struct issue *issue, const char *seen, struct buffer *body) {
    buffer_format(body, "<!-- instar-fuzz-signature: %s -->\n%s\n\n%s", issue->signature, seen,
                  issue->report);
}
