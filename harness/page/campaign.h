// SPDX-License-Identifier: Apache-2.0
//
// One campaign folder, or several, as a page shows them: counters added up, findings of one
// signature brought together, what was compared. Everything is read; nothing in a folder changes.
#ifndef PAGE_CAMPAIGN_H
#define PAGE_CAMPAIGN_H

#include "page/read.h"
#include "page/timeline.h"
#include "stats.h"

#define CAMPAIGN_FINDINGS 20000 // signatures of all folders together
#define CAMPAIGN_COMPARED 16    // descriptions of what was compared

struct campaign_folder {
    const char *path; // as given
    bool is_triage, triage_is_partial;
    cJSON *triaged;         // triage.json's counts, by list; owned; NULL
    char triage_fault[256]; // why triage.json cannot be read, or ""
    size_t counting;        // processes that still count
    uint64_t cases, started_s, updated_s;
    uint64_t not_reproduced, harness_errors; // cases kept
    struct timeline timeline;                // empty where there is none
    bool has_timeline;                       // there is a timeline.tsv
    char timeline_fault[256];                // why it cannot be read, or ""
    cJSON *coverage;                         // coverage.json; owned; NULL
    bool has_coverage;                       // there is one
    char coverage_fault[256];                // why it cannot be read, or ""
    bool foreign_counters; // there are counters, but of another version of this program
};

struct campaign_finding {
    char *signature;
    char *path;     // its folder: <folder>/findings/<signature>
    uint64_t found; // seconds since the epoch; 0: unknown
    uint64_t count; // cases that showed it; 0: nobody counted
    bool is_recent; // found in the last day of a campaign that is older
    bool confirmed;
    // Of its report.json; "" where that says nothing.
    char text[400], wrong[16], who[64], by[24]; // who: by name
    char fault[256];                            // why report.json cannot be read, or ""
    uint64_t case_bytes;                        // of its case.bin; UINT64_MAX: there is none
    size_t members; // signatures of its group, itself included (oracles/cause.h)
    bool leads;     // it stands for its group, whose others follow it
};

struct campaign {
    struct campaign_folder *folders;
    size_t folder_count;
    struct stats sum;
    struct campaign_finding *findings; // newest first, groups by their newest
    size_t finding_count, group_count;
    cJSON *compared[CAMPAIGN_COMPARED];     // what was compared with what, oldest first
    uint64_t compared_s[CAMPAIGN_COMPARED]; // when each was written
    size_t compared_count;
};

// -1: one of them is no campaign folder. `folders` must outlive the campaign.
int campaign_read(struct campaign *campaign, char *const *folders, size_t count,
                  struct fault *fault);
// Takes in <folder>/triage.json; the folder's findings are those from `first` on.
void campaign_apply_triage(struct campaign *campaign, struct campaign_folder *folder, size_t first);
void campaign_free(struct campaign *campaign);
size_t campaign_counting(const struct campaign *campaign);
uint64_t campaign_comparisons(const struct campaign *campaign);
// Number of entries of a table of counters that are in use.
size_t campaign_names(const struct stats_name *table, size_t room);

#endif
