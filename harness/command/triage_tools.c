// SPDX-License-Identifier: Apache-2.0
//
// The tools of each file's report, or of a run's log, against those of today: what is different is
// said beside the file.
#include "command/triage.h"

#include "report/story.h"

#include <string.h>

// Of the report beside a finding's case.
void triage_read_tools(struct triage *t, struct triage_file *file) {
    bool damaged;
    cJSON *report = found_report(file->path, &damaged);
    found_read(report, file->found_with);
    if (damaged)
        file->note = triage_intern(t, "its report.json is damaged");
    cJSON_Delete(report);
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
        file->foreign = found_compare(t->harness, file->found_with, &words);
        compare_pair(t, file, &words);
        if (!words.length)
            continue;
        triage_text(words.data, &clean);
        file->note = triage_intern(t, clean.data);
    }
    buffer_free(&words);
    buffer_free(&clean);
}
