// SPDX-License-Identifier: Apache-2.0
//
// What a person wants to know before reading on: what was compared with what, whether it still
// runs, how much it did, and what must not be misread.
#include "page/page.h"

#include "cells.h"

#include <stdio.h>
#include <string.h>

static const cJSON *latest(const struct campaign *campaign) {
    return campaign->compared_count ? campaign->compared[campaign->compared_count - 1] : NULL;
}

// Of "qemu-img version 7.2.22 (Debian 1:7.2+dfsg)" what a title has room for: "7.2.22".
static void put_version(const char *version, struct buffer *words) {
    while (*version && !(*version >= '0' && *version <= '9'))
        version++;
    size_t length = strcspn(version, " (,");
    if (length)
        buffer_format(words, " %.*s", (int)(length > 40 ? 40 : length), version);
}

static void put_tool(const cJSON *tool, struct buffer *words) {
    buffer_format(words, "%.60s", json_text(tool, "name"));
    if (json_true(tool, "available"))
        put_version(json_text(tool, "version"), words);
    else
        buffer_text(words, " (not available)");
}

static void put_pair(const cJSON *compared, struct buffer *words) {
    put_tool(page_tool(compared, 0), words);
    buffer_text(words, " against ");
    put_tool(page_tool(compared, 1), words);
}

// The latest pair, and how many others there are.
void page_pair_words(const struct campaign *campaign, struct buffer *words) {
    struct buffer pairs[CAMPAIGN_COMPARED] = {{0}};
    size_t count = campaign->compared_count, others = 0;
    buffer_text(words, "");
    for (size_t i = count; i-- > 0;) {
        bool met = false;
        put_pair(campaign->compared[i], &pairs[i]);
        for (size_t k = i + 1; k < count; k++)
            met |= !strcmp(pairs[i].data, pairs[k].data);
        others += !met && i + 1 < count;
    }
    if (count)
        buffer_text(words, pairs[count - 1].data);
    if (others)
        buffer_format(words, ", and %zu other pair%s", others, others == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++)
        buffer_free(&pairs[i]);
}

// --- state and figures --------------------------------------------------------------------------

static void tell_state(const struct campaign *campaign, struct html *html) {
    const struct stats *sum = &campaign->sum;
    size_t counting = campaign_counting(campaign);
    html_open(html, "p", "state");
    if (!sum->started_s) {
        bool is_triage = false;
        for (size_t i = 0; i < campaign->folder_count; i++)
            is_triage |= campaign->folders[i].is_triage;
        html_text(html, is_triage ? "Made by triage; there are no counters of a campaign."
                                  : "No counters here: no campaign that counts wrote this folder.");
        html_close(html);
        return;
    }
    if (!sum->cases)
        html_element(html, "b", NULL, counting ? "Began just now." : "Nothing was run.");
    else
        html_element(html, "b", counting ? "running" : NULL, counting ? "Running." : "Ended.");
    html_format(html, " Begun %s, last counted %s", html_time(sum->started_s),
                html_time(sum->updated_s));
    html_format(html, " (%s)", html_span(stats_span_s(sum)));
    if (counting)
        html_format(html, "; %zu process%s", counting, counting == 1 ? "" : "es");
    html_text(html, ".");
    html_close(html);
}

static void figure(struct html *html, const char *name, const char *value) {
    html_open(html, "li", NULL);
    html_element(html, "span", NULL, name);
    html_text(html, " ");
    html_element(html, "b", NULL, value);
    html_close(html);
}

// Over the time in which somebody ran, where every folder says how long that was.
static double cases_a_second(const struct campaign *campaign) {
    uint64_t cases = 0, seconds = 0;
    bool all_say = campaign->folder_count > 0;
    for (size_t i = 0; i < campaign->folder_count; i++) {
        const struct timeline *timeline = &campaign->folders[i].timeline;
        uint64_t length = timeline_length(timeline);
        all_say &= length > 0;
        seconds += length;
        cases += length ? timeline->samples[timeline->count - 1].values[TIMELINE_CASES] : 0;
    }
    if (!all_say) {
        cases = campaign->sum.cases;
        seconds = stats_running_s(&campaign->sum);
    }
    return (double)cases / (double)(seconds ? seconds : 1);
}

static void tell_figures(const struct campaign *campaign, struct html *html) {
    const struct stats *sum = &campaign->sum;
    struct cells_sum cells = cells_sum(sum);
    char text[64];
    if (!sum->started_s)
        return;
    html_open(html, "ul", "figures");
    figure(html, "cases", html_number(sum->cases));
    snprintf(text, sizeof text, "%.1f", cases_a_second(campaign));
    figure(html, "cases a second", text);
    figure(html, "comparisons", html_number(campaign_comparisons(campaign)));
    figure(html, "commands", html_number(sum->commands));
    snprintf(text, sizeof text, "%zu of %zu", cells.compared, cells.reachable);
    figure(html, "cells compared", text);
    html_close(html);
}

static void verdict(struct html *html, uint64_t count, const char *words, const char *to,
                    const char *class) {
    html_open(html, "li", count ? class : "none");
    html_open(html, "a", NULL);
    html_attribute(html, "href", to);
    html_element(html, "b", NULL, html_number(count));
    html_format(html, " %s", words);
    html_close(html);
    html_close(html);
}

static void tell_verdicts(const struct campaign *campaign, struct html *html) {
    const struct stats *sum = &campaign->sum;
    uint64_t errors = 0;
    size_t known = campaign_names(sum->known, sizeof sum->known / sizeof *sum->known);
    for (size_t i = 0; i < campaign->folder_count; i++)
        errors += campaign->folders[i].harness_errors;
    errors = errors > sum->harness_errors ? errors : sum->harness_errors;
    html_open(html, "ul", "verdicts");
    char words[80] = "finding";
    if (campaign->group_count < campaign->finding_count)
        snprintf(words, sizeof words, "findings in %s group%s", html_number(campaign->group_count),
                 campaign->group_count == 1 ? "" : "s");
    else if (campaign->finding_count != 1)
        snprintf(words, sizeof words, "findings");
    verdict(html, campaign->finding_count, words, "#findings", "bad");
    verdict(html, known, known == 1 ? "known divergence fired" : "known divergences fired",
            "#known", "some");
    verdict(html, sum->verdicts[VERDICT_INCONCLUSIVE], "inconclusive", "#reasons", "some");
    verdict(html, errors, "harness errors", "#errors", "bad");
    html_close(html);
}

// One line; the section at the end has the sentences.
static void tell_way(const struct campaign *campaign, struct html *html) {
    const cJSON *compared = latest(campaign);
    if (!compared)
        return;
    html_open(html, "p", "way");
    html_format(html, "Executed: %s %s, %s %s. ", json_text(page_tool(compared, 0), "name"),
                json_text(page_tool(compared, 0), "backend"),
                json_text(page_tool(compared, 1), "name"),
                json_text(page_tool(compared, 1), "backend"));
    html_text(html, cJSON_IsFalse(json_member(compared, "fenced")) ? "No fence. " : "Fenced. ");
    if (json_member(compared, "guide"))
        html_format(html, "Guidance: %s. ", page_guide_words(compared));
    html_markup(html, "<a href=\"#compared\">More</a>");
    html_close(html);
}

// --- warnings -----------------------------------------------------------------------------------

static void warn(struct html *html, const char *words) {
    html_open(html, "p", "warning");
    html_attribute(html, "role", "note");
    html_prose(html, words);
    html_close(html);
}

static void warn_of_lies(const struct campaign *campaign, struct html *html) {
    const char *before = "";
    for (size_t i = 0; i < campaign->compared_count; i++)
        for (int side = 0; side < 2; side++) {
            const char *lies = json_text(page_tool(campaign->compared[i], side), "lies");
            if (!*lies)
                continue;
            if (!*before) {
                html_open(html, "p", "warning");
                html_text(html, "The stand-in was told to lie, so that its findings are planted: ");
            }
            html_text(html, before);
            html_element(html, "code", NULL, lies);
            before = "; ";
        }
    if (*before)
        html_close(html);
}

static void warn_of_tools(const struct campaign *campaign, struct html *html) {
    bool standin = false, unfenced = false;
    const char *no_instar = "";
    for (size_t i = 0; i < campaign->compared_count; i++) {
        const cJSON *compared = campaign->compared[i];
        standin |= json_true(page_tool(compared, 0), "is_standin") ||
                   json_true(page_tool(compared, 1), "is_standin");
        unfenced |= cJSON_IsFalse(json_member(compared, "fenced"));
        if (*json_text(compared, "no_instar"))
            no_instar = json_text(compared, "no_instar");
    }
    if (standin) {
        html_open(html, "p", "warning loud");
        html_attribute(html, "role", "note");
        html_element(html, "b", NULL, "Findings against the stand-in are not about instar.");
        html_text(html, " The stand-in has instar's command line and takes its place where instar "
                        "cannot run; what it does wrong says nothing about instar.");
        if (*no_instar)
            html_format(html, " No instar here: %s.", no_instar);
        html_close(html);
    }
    warn_of_lies(campaign, html);
    if (unfenced)
        warn(html, "The tools ran without the fence (`INSTAR_FUZZ_FENCE=off`).");
}

static void warn_of_folders(const struct campaign *campaign, struct html *html) {
    const struct stats *sum = &campaign->sum;
    for (size_t i = 0; i < campaign->folder_count; i++)
        if (campaign->folders[i].foreign_counters)
            html_element_format(html, "p", "warning",
                                "%s has counters of another version of this program; they are not "
                                "added up here.",
                                campaign->folders[i].path);
    if (sum->cases && !campaign_comparisons(campaign))
        warn(html, "Nothing was compared. Cases ran, but no rule could hold one answer against "
                   "another; the reasons are below.");
}

// "Triage of 2,000 files: divergences 1,990 in 12 rows; not reproduced 3; ..."
static void tell_triage(const struct campaign *campaign, struct html *html) {
    for (size_t i = 0; i < campaign->folder_count; i++) {
        const struct campaign_folder *folder = &campaign->folders[i];
        const cJSON *list;
        if (*folder->triage_fault)
            html_element_format(html, "p", "warning", "%s.", folder->triage_fault);
        if (!folder->triaged)
            continue;
        html_open(html, "p", NULL);
        html_format(html,
                    "Triage of %s files%s: ", html_number(json_number(folder->triaged, "files")),
                    folder->triage_is_partial ? ", interrupted" : "");
        const char *between = "";
        cJSON_ArrayForEach(list, folder->triaged) {
            uint64_t files = json_number(list, "files"), rows = json_number(list, "rows");
            if (!files)
                continue;
            html_format(html, "%s%s %s", between, list->string, html_number(files));
            if (rows > 1)
                html_format(html, " in %s rows", html_number(rows));
            between = "; ";
        }
        html_text(html, ".");
        html_close(html);
    }
}

void page_head(const struct page *page, struct html *html) {
    struct buffer pair = {0};
    page_pair_words(page->campaign, &pair);
    html_open(html, "header", NULL);
    html_element(html, "p", "program", "instar-fuzz");
    html_element(html, "h1", NULL, pair.length ? pair.data : "What was compared is not recorded");
    tell_state(page->campaign, html);
    tell_way(page->campaign, html);
    tell_verdicts(page->campaign, html);
    tell_figures(page->campaign, html);
    tell_triage(page->campaign, html);
    warn_of_tools(page->campaign, html);
    warn_of_folders(page->campaign, html);
    html_close(html);
    buffer_free(&pair);
}
