// SPDX-License-Identifier: Apache-2.0
//
// What triage.json adds to a folder: how many files showed a signature, the oldest of them, and how
// many files ended otherwise (docs/triage.md has every member).
#include "page/campaign.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

// "2026-01-31T23:59:00Z" as seconds; 0: it is no such time.
static uint64_t time_of(const char *text) {
    struct tm utc = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    time_t seconds = end && !*end ? timegm(&utc) : -1;
    return seconds < 0 ? 0 : (uint64_t)seconds;
}

static void apply_row(struct campaign *campaign, size_t first, const cJSON *row) {
    const char *signature = json_text(row, "signature");
    for (size_t i = first; *signature && i < campaign->finding_count; i++) {
        struct campaign_finding *finding = &campaign->findings[i];
        if (strcmp(finding->signature, signature) != 0)
            continue;
        uint64_t seen = time_of(json_text(row, "first_seen"));
        finding->count += json_number(row, "files");
        finding->found = seen ? seen : finding->found;
    }
}

void campaign_apply_triage(struct campaign *campaign, struct campaign_folder *folder,
                           size_t first) {
    char path[4096];
    const cJSON *row;
    struct fault fault = {0};
    snprintf(path, sizeof path, "%s/triage.json", folder->path);
    cJSON *json = read_json(path, READ_TRIAGE_MOST, &fault);
    cJSON_ArrayForEach(row, json_member(json, "divergences")) apply_row(campaign, first, row);
    folder->triaged = cJSON_DetachItemFromObjectCaseSensitive(json, "counts");
    folder->triage_is_partial = json_true(json, "partial");
    snprintf(folder->triage_fault, sizeof folder->triage_fault, "%s", fault.text);
    cJSON_Delete(json);
}
