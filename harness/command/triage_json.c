// SPDX-License-Identifier: Apache-2.0
//
// The triage for programs. docs/triage.md has every member; a member that is there keeps its name
// and meaning, new ones may come.
#include "command/triage.h"

#include "exec/clock.h"
#include "report/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void triage_add_text(cJSON *to, const char *name, const char *text) {
    struct buffer clean = {0};
    triage_text(text, &clean);
    cJSON *item = cJSON_CreateString(clean.length ? clean.data : "");
    buffer_free(&clean);
    if (name)
        cJSON_AddItemToObject(to, name, item);
    else
        cJSON_AddItemToArray(to, item);
}

static void add_time(cJSON *to, const char *name, int64_t seconds) {
    char text[32];
    triage_time(seconds, false, text);
    cJSON_AddStringToObject(to, name, text);
}

static void add_examples(const struct triage *t, const struct triage_row *row, cJSON *to) {
    cJSON *list = cJSON_AddArrayToObject(to, "examples");
    struct buffer clean = {0};
    for (size_t i = 0; i < row->example_count; i++) {
        buffer_clear(&clean);
        triage_text(t->files[row->examples[i]].path, &clean);
        cJSON_AddItemToArray(list, cJSON_CreateString(clean.data));
    }
    buffer_free(&clean);
}

static void add_opinion(const struct triage_settled *settled, cJSON *to) {
    cJSON *opinion = cJSON_AddObjectToObject(to, "opinion");
    cJSON_AddStringToObject(opinion, "wrong", settled->wrong);
    cJSON_AddStringToObject(opinion, "role", settled->role);
    cJSON_AddStringToObject(opinion, "who", settled->who);
    cJSON_AddStringToObject(opinion, "by", settled->by);
    cJSON_AddStringToObject(opinion, "reason", settled->reason);
}

// What is known once the signature has been run again.
static void add_settled(const struct triage *t, const struct triage_signature *signature,
                        cJSON *to) {
    const struct triage_settled *settled = &signature->settled;
    add_opinion(settled, to);
    cJSON_AddStringToObject(to, "type", settled->type);
    if (settled->known_id[0])
        cJSON_AddStringToObject(to, "known", settled->known_id);
    cJSON_AddStringToObject(to, "words", settled->words);
    if (settled->field[0]) {
        cJSON_AddStringToObject(to, "field", settled->field);
        cJSON *values = cJSON_AddObjectToObject(to, "values");
        for (int side = 0; side < SIDES; side++)
            cJSON_AddStringToObject(values, settled->roles[side], settled->values[side]);
    }
    cJSON *minimized = cJSON_AddObjectToObject(to, "minimized");
    cJSON_AddStringToObject(minimized, "end", settled->minimized);
    cJSON_AddNumberToObject(minimized, "bytes", settled->size);
    cJSON_AddNumberToObject(minimized, "runs", settled->runs);
    cJSON_AddNumberToObject(minimized, "seconds", (double)(settled->us / 1000) / 1000);
    struct testcase testcase;
    struct buffer text = {0};
    case_decode(&testcase, settled->bytes, settled->size);
    case_to_json_brief(&testcase, &text);
    cJSON_AddItemToObject(to, "case", cJSON_ParseWithLength(text.data, text.length));
    buffer_free(&text);
    if (t->out && settled->reported) {
        char folder[SIGNATURE_ROOM + 16];
        snprintf(folder, sizeof folder, "findings/%s", signature->name);
        cJSON_AddStringToObject(to, "folder", folder);
    }
}

static cJSON *row_json(const struct triage *t, const struct triage_row *row) {
    cJSON *json = cJSON_CreateObject();
    if (row->list == LIST_KNOWN)
        cJSON_AddStringToObject(json, "known", row->key);
    const char *signature = row->settled ? row->key : row->signature;
    if (signature)
        cJSON_AddStringToObject(json, "signature", signature);
    struct buffer group = {0};
    if (triage_group_name(row, &group))
        cJSON_AddStringToObject(json, "group", group.data);
    buffer_free(&group);
    if (!row->settled && row->list != LIST_KNOWN)
        triage_add_text(json, "reason", row->key);
    cJSON_AddNumberToObject(json, "files", (double)row->files);
    add_time(json, "first_seen", row->first_s);
    if (row->settled) {
        cJSON_AddNumberToObject(json, "shown_by", (double)row->settled->shown_by);
        cJSON_AddBoolToObject(json, "confirmed", row->settled->state == SETTLE_CONFIRMED);
        if (row->settled->state == SETTLE_CONFIRMED)
            add_settled(t, row->settled, json);
    }
    add_examples(t, row, json);
    return json;
}

static size_t row_in_list(const struct triage *t, size_t row) {
    size_t first = row;
    while (first > 0 && t->rows[first - 1].list == t->rows[row].list)
        first--;
    return row - first;
}

static cJSON *file_json(const struct triage *t, const struct triage_file *file, size_t first) {
    cJSON *json = cJSON_CreateObject();
    triage_add_text(json, "path", file->path);
    cJSON_AddStringToObject(json, "origin", triage_origins[file->origin].name);
    cJSON_AddNumberToObject(json, "bytes", (double)file->size);
    add_time(json, "seen", file->seen_s);
    cJSON_AddStringToObject(json, "list", triage_lists[file->list].name);
    cJSON_AddNumberToObject(json, "row", (double)row_in_list(t, file->row));
    if (file->claimed)
        triage_add_text(json, "kept_for", file->claimed);
    if (file->note)
        triage_add_text(json, "note", file->note);
    if (first != SIZE_MAX)
        triage_add_text(json, "same_as", t->files[first].path);
    return json;
}

static void add_files(const struct triage *t, cJSON *to) {
    cJSON *files = cJSON_AddArrayToObject(to, "files");
    size_t *first = must_realloc(NULL, (t->case_count + 1) * sizeof *first);
    for (size_t i = 0; i < t->case_count; i++)
        first[i] = SIZE_MAX;
    for (size_t i = 0; i < t->file_count; i++) {
        size_t item = t->files[i].item, same = item == SIZE_MAX ? SIZE_MAX : first[item];
        if (item != SIZE_MAX && same == SIZE_MAX)
            first[item] = i;
        cJSON_AddItemToArray(files, file_json(t, &t->files[i], same));
    }
    free(first);
}

static void add_counts(const struct triage *t, cJSON *to) {
    cJSON *counts = cJSON_AddObjectToObject(to, "counts");
    cJSON_AddNumberToObject(counts, "files", (double)t->file_count);
    cJSON_AddNumberToObject(counts, "distinct", (double)t->case_count);
    cJSON_AddNumberToObject(counts, "left_out", (double)t->left_out);
    for (int list = 0; list < LISTS; list++) {
        cJSON *of = cJSON_AddObjectToObject(counts, triage_lists[list].name);
        cJSON_AddNumberToObject(of, "files", (double)triage_count(t, list, false));
        cJSON_AddNumberToObject(of, "rows", (double)triage_count(t, list, true));
        if (list == LIST_DIVERGENCES)
            cJSON_AddNumberToObject(of, "groups", (double)t->group_count);
    }
}

cJSON *triage_json(const struct triage *t) {
    cJSON *json = cJSON_CreateObject();
    cJSON *lists[LISTS];
    cJSON_AddStringToObject(json, "tool", "instar-fuzz triage");
    cJSON_AddNumberToObject(json, "version", 1);
    cJSON_AddStringToObject(json, "harness", report_harness_version);
    cJSON_AddBoolToObject(json, "partial", t->interrupted != 0);
    add_time(json, "started", t->started_s);
    cJSON_AddNumberToObject(json, "seconds", (double)((clock_us() - t->begun_us) / 1000) / 1000);
    if (t->harness) {
        cJSON *tools = cJSON_AddObjectToObject(json, "tools");
        cJSON_AddItemToObject(tools, "a", tool_profile_json(harness_tool(t->harness, SIDE_A)));
        cJSON_AddItemToObject(tools, "b", tool_profile_json(harness_tool(t->harness, SIDE_B)));
    }
    add_counts(t, json);
    for (int list = 0; list < LISTS; list++)
        lists[list] = cJSON_AddArrayToObject(json, triage_lists[list].name);
    for (size_t i = 0; i < t->row_count; i++)
        cJSON_AddItemToArray(lists[t->rows[i].list], row_json(t, &t->rows[i]));
    add_files(t, json);
    return json;
}
