// SPDX-License-Identifier: Apache-2.0
//
// See campaign.h. Of each report only what a list shows is kept, so that ten thousand findings cost
// no more than their lines.
#include "page/campaign.h"

#include "oracles/cause.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define A_DAY 86400

static bool is_folder(const char *path, const char *name) {
    char inner[4096];
    struct stat info;
    snprintf(inner, sizeof inner, "%s/%s", path, name);
    return stat(inner, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_file(const char *path, const char *name) {
    char inner[4096];
    struct stat info;
    snprintf(inner, sizeof inner, "%s/%s", path, name);
    return stat(inner, &info) == 0 && S_ISREG(info.st_mode);
}

static uint64_t count_cases(const char *path, const char *name) {
    char inner[4096], **names;
    snprintf(inner, sizeof inner, "%s/%s", path, name);
    uint64_t cases = 0;
    size_t count = read_names(inner, 100000, &names);
    for (size_t i = 0; i < count; i++) {
        const char *dot = strrchr(names[i], '.');
        cases += dot && !strcmp(dot, ".bin");
    }
    read_names_free(names, count);
    return cases;
}

// --- counters -----------------------------------------------------------------------------------

static void read_counters(struct campaign *campaign, struct campaign_folder *folder) {
    static struct stats stats;
    struct fault fault;
    if (!is_folder(folder->path, "stats") || stats_sum(folder->path, &stats, &fault))
        return;
    char path[4096], **names;
    snprintf(path, sizeof path, "%s/stats", folder->path);
    size_t files = read_names(path, 1, &names);
    read_names_free(names, files);
    folder->foreign_counters = files && !stats.started_s;
    folder->cases = stats.cases;
    folder->started_s = stats.started_s;
    folder->updated_s = stats.updated_s;
    folder->counting = stats_counting(folder->path);
    stats_add(&campaign->sum, &stats);
}

// At its place by time; what is there already is not taken in twice.
static void add_compared(struct campaign *campaign, cJSON *json, uint64_t seconds) {
    size_t at = campaign->compared_count;
    bool is_there = false;
    for (size_t i = 0; i < campaign->compared_count; i++)
        is_there |= cJSON_Compare(campaign->compared[i], json, true);
    if (is_there || at == CAMPAIGN_COMPARED) {
        cJSON_Delete(json);
        return;
    }
    for (; at && campaign->compared_s[at - 1] > seconds; at--) {
        campaign->compared[at] = campaign->compared[at - 1];
        campaign->compared_s[at] = campaign->compared_s[at - 1];
    }
    campaign->compared[at] = json;
    campaign->compared_s[at] = seconds;
    campaign->compared_count++;
}

static void read_compared(struct campaign *campaign, const char *folder) {
    char path[4096], inner[4400], **names;
    struct fault fault;
    snprintf(path, sizeof path, "%s/compared", folder);
    size_t count = read_names(path, 1000, &names);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        if (length < 5 || strcmp(names[i] + length - 5, ".json") != 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, names[i]);
        cJSON *json = read_json(inner, READ_JSON_MOST, &fault);
        if (json)
            add_compared(campaign, json, read_time(inner));
    }
    read_names_free(names, count);
}

// --- findings -----------------------------------------------------------------------------------

static void copy(char *to, size_t room, const char *from) {
    snprintf(to, room, "%s", from);
}

// The judgement that made the finding; older reports do not say which, but its step has one that
// diverges.
static const cJSON *judgement_of(const cJSON *report) {
    uint64_t step = json_number(report, "step"), chosen = json_number(report, "judgement");
    const cJSON *list = json_member(json_at(json_member(report, "steps"), step - 1), "judgements"),
                *item;
    if (chosen && json_at(list, chosen - 1))
        return json_at(list, chosen - 1);
    cJSON_ArrayForEach(item,
                       list) if (!strcmp(json_text(item, "verdict"), "divergence")) return item;
    return NULL;
}

// A tool's name, or its role where both have one name.
static const char *tool_name(const cJSON *report, bool is_b) {
    const cJSON *tools = json_member(report, "tools");
    const cJSON *a = json_member(tools, "a"), *b = json_member(tools, "b");
    bool same = !strcmp(json_text(a, "name"), json_text(b, "name"));
    return json_text(is_b ? b : a, same ? "role" : "name");
}

static uint64_t case_bytes(const struct campaign_finding *finding) {
    char path[4400];
    struct stat info;
    snprintf(path, sizeof path, "%s/case.bin", finding->path);
    return stat(path, &info) == 0 ? (uint64_t)info.st_size : UINT64_MAX;
}

static void read_finding(struct campaign_finding *finding) {
    char path[4400];
    struct fault fault = {0};
    finding->case_bytes = case_bytes(finding);
    snprintf(path, sizeof path, "%s/report.json", finding->path);
    finding->found = read_time(path);
    cJSON *report = read_json(path, READ_JSON_MOST, &fault);
    if (!report) {
        copy(finding->fault, sizeof finding->fault, fault.text);
        return;
    }
    const cJSON *opinion = json_member(report, "opinion");
    uint64_t found = json_number(report, "found");
    finding->found = found ? found : finding->found;
    finding->confirmed = json_true(report, "confirmed");
    copy(finding->text, sizeof finding->text, json_text(judgement_of(report), "text"));
    copy(finding->wrong, sizeof finding->wrong, json_text(opinion, "wrong"));
    bool is_b = !strcmp(finding->wrong, "b");
    if (is_b || !strcmp(finding->wrong, "a"))
        copy(finding->who, sizeof finding->who, tool_name(report, is_b));
    copy(finding->by, sizeof finding->by, json_text(opinion, "by"));
    cJSON_Delete(report);
}

static void read_findings(struct campaign *campaign, const char *folder, size_t *capacity) {
    char path[4096], inner[4400], **names;
    snprintf(path, sizeof path, "%s/findings", folder);
    size_t count = read_names(path, CAMPAIGN_FINDINGS, &names);
    for (size_t i = 0; i < count && campaign->finding_count < CAMPAIGN_FINDINGS; i++) {
        if (!is_folder(path, names[i]))
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, names[i]);
        campaign->findings = array_room(campaign->findings, capacity, campaign->finding_count + 1,
                                        sizeof *campaign->findings);
        struct campaign_finding *finding = &campaign->findings[campaign->finding_count++];
        memset(finding, 0, sizeof *finding);
        finding->signature = must_strdup(names[i]);
        finding->path = must_strdup(inner);
        read_finding(finding);
    }
    read_names_free(names, count);
}

static int by_signature(const void *a, const void *b) {
    const struct campaign_finding *left = a, *right = b;
    int order = strcmp(left->signature, right->signature);
    if (order)
        return order;
    return left->found < right->found ? -1 : left->found > right->found;
}

static int newest_first(const void *a, const void *b) {
    const struct campaign_finding *left = a, *right = b;
    if (left->found != right->found)
        return left->found < right->found ? 1 : -1;
    return strcmp(left->signature, right->signature);
}

// One signature in several folders is one finding: the one that was met first is shown.
static void bring_together(struct campaign *campaign) {
    size_t kept = 0;
    struct campaign_finding *all = campaign->findings;
    if (campaign->finding_count)
        qsort(all, campaign->finding_count, sizeof *all, by_signature);
    for (size_t i = 0; i < campaign->finding_count; i++) {
        if (kept && !strcmp(all[kept - 1].signature, all[i].signature)) {
            all[kept - 1].count += all[i].count;
            free(all[i].signature);
            free(all[i].path);
            continue;
        }
        all[kept++] = all[i];
    }
    campaign->finding_count = kept;
    if (kept)
        qsort(all, kept, sizeof *all, newest_first);
}

// Those that probably have one cause together.
static void group_findings(struct campaign *campaign) {
    size_t count = campaign->finding_count;
    struct cause *list = must_realloc(NULL, (count + 1) * sizeof *list);
    struct campaign_finding *before = must_realloc(NULL, (count + 1) * sizeof *before);
    for (size_t i = 0; i < count; i++) {
        before[i] = campaign->findings[i];
        list[i] = (struct cause){.signature = before[i].signature,
                                 .accused = *before[i].who ? before[i].who : before[i].wrong,
                                 .bytes = before[i].case_bytes,
                                 .item = i};
    }
    // The texts that are compared are those of `before`, which stay where they are.
    campaign->group_count = cause_group(list, count);
    for (size_t i = 0; i < count; i++) {
        campaign->findings[i] = before[list[i].item];
        campaign->findings[i].members = list[i].members;
        campaign->findings[i].leads = list[i].leads;
    }
    free(before);
    free(list);
}

static void count_findings(struct campaign *campaign) {
    const struct stats *sum = &campaign->sum;
    bool is_old = stats_span_s(sum) > A_DAY;
    for (size_t i = 0; i < campaign->finding_count; i++) {
        struct campaign_finding *finding = &campaign->findings[i];
        finding->is_recent = is_old && finding->found + A_DAY > sum->updated_s;
        for (size_t k = 0; k < STATS_NAMES && sum->signatures[k].name[0]; k++)
            if (!strncmp(sum->signatures[k].name, finding->signature,
                         sizeof sum->signatures[k].name - 1))
                finding->count += sum->signatures[k].count;
    }
}

// A folder without a description of its own has its findings' reports.
static void describe_by_report(struct campaign *campaign) {
    char path[4400];
    struct fault fault;
    for (size_t i = 0; i < campaign->finding_count && !campaign->compared_count; i++) {
        snprintf(path, sizeof path, "%s/report.json", campaign->findings[i].path);
        cJSON *report =
            *campaign->findings[i].fault ? NULL : read_json(path, READ_JSON_MOST, &fault);
        cJSON *tools = cJSON_DetachItemFromObjectCaseSensitive(report, "tools");
        cJSON *environment = cJSON_DetachItemFromObjectCaseSensitive(report, "environment");
        if (tools) {
            cJSON *compared = cJSON_IsObject(environment) ? environment : cJSON_CreateObject();
            environment = compared == environment ? NULL : environment;
            cJSON_AddItemToObject(compared, "tools", tools);
            add_compared(campaign, compared, campaign->findings[i].found);
        }
        cJSON_Delete(environment);
        cJSON_Delete(report);
    }
}

static void read_timeline(struct campaign_folder *folder) {
    char path[4400];
    struct fault fault = {0};
    folder->has_timeline = is_file(folder->path, "timeline.tsv");
    if (!folder->has_timeline)
        return;
    snprintf(path, sizeof path, "%s/timeline.tsv", folder->path);
    if (timeline_read(&folder->timeline, path, &fault))
        copy(folder->timeline_fault, sizeof folder->timeline_fault, fault.text);
}

static void read_coverage(struct campaign_folder *folder) {
    char path[4400];
    struct fault fault = {0};
    folder->has_coverage = is_file(folder->path, "coverage.json");
    if (!folder->has_coverage)
        return;
    snprintf(path, sizeof path, "%s/coverage.json", folder->path);
    folder->coverage = read_json(path, READ_JSON_MOST, &fault);
    copy(folder->coverage_fault, sizeof folder->coverage_fault, fault.text);
}

// --- all ----------------------------------------------------------------------------------------

static int read_folder(struct campaign *campaign, struct campaign_folder *folder, size_t *capacity,
                       struct fault *fault) {
    struct stat info;
    if (stat(folder->path, &info))
        return fault_errno(fault, "%s", folder->path);
    folder->is_triage = is_file(folder->path, "triage.json");
    if (!folder->is_triage && !is_folder(folder->path, "stats") &&
        !is_folder(folder->path, "findings"))
        return fault_set(fault,
                         "%s: no campaign folder: it holds neither stats nor findings nor "
                         "triage.json",
                         folder->path);
    read_counters(campaign, folder);
    read_compared(campaign, folder->path);
    read_timeline(folder);
    read_coverage(folder);
    folder->not_reproduced = count_cases(folder->path, "not-reproduced");
    folder->harness_errors = count_cases(folder->path, "harness-errors");
    size_t first = campaign->finding_count;
    read_findings(campaign, folder->path, capacity);
    if (folder->is_triage)
        campaign_apply_triage(campaign, folder, first);
    return 0;
}

int campaign_read(struct campaign *campaign, char *const *folders, size_t count,
                  struct fault *fault) {
    size_t capacity = 0;
    memset(campaign, 0, sizeof *campaign);
    campaign->folders = must_realloc(NULL, (count ? count : 1) * sizeof *campaign->folders);
    for (size_t i = 0; i < count; i++) {
        campaign->folders[i] = (struct campaign_folder){.path = folders[i]};
        campaign->folder_count++;
        if (read_folder(campaign, &campaign->folders[i], &capacity, fault)) {
            campaign_free(campaign);
            return -1;
        }
    }
    bring_together(campaign);
    group_findings(campaign);
    count_findings(campaign);
    if (!campaign->compared_count)
        describe_by_report(campaign);
    return 0;
}

void campaign_free(struct campaign *campaign) {
    for (size_t i = 0; i < campaign->finding_count; i++) {
        free(campaign->findings[i].signature);
        free(campaign->findings[i].path);
    }
    for (size_t i = 0; i < campaign->compared_count; i++)
        cJSON_Delete(campaign->compared[i]);
    for (size_t i = 0; i < campaign->folder_count; i++) {
        cJSON_Delete(campaign->folders[i].triaged);
        cJSON_Delete(campaign->folders[i].coverage);
        timeline_free(&campaign->folders[i].timeline);
    }
    free(campaign->findings);
    free(campaign->folders);
    memset(campaign, 0, sizeof *campaign);
}

size_t campaign_counting(const struct campaign *campaign) {
    size_t counting = 0;
    for (size_t i = 0; i < campaign->folder_count; i++)
        counting += campaign->folders[i].counting;
    return counting;
}

uint64_t campaign_comparisons(const struct campaign *campaign) {
    const struct stats *sum = &campaign->sum;
    uint64_t count = 0;
    for (size_t i = 0; i < sizeof sum->oracles / sizeof *sum->oracles; i++)
        count += sum->oracles[i].count;
    return count;
}

size_t campaign_names(const struct stats_name *table, size_t room) {
    size_t used = 0;
    while (used < room && table[used].name[0])
        used++;
    return used;
}
