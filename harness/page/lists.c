// SPDX-License-Identifier: Apache-2.0
//
// What is no finding: known divergences with their reasons, why else nothing was decided, and what
// went wrong with this project itself.
#include "page/page.h"

#include "oracles/reason.h"
#include "oracles/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS_SHOWN 20
#define KEPT_SHOWN   40

static int by_count(const void *a, const void *b) {
    const struct stats_name *left = a, *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return strcmp(left->name, right->name);
}

static void begin(struct html *html, const char *id, const char *title) {
    html_open(html, "section", NULL);
    html_attribute(html, "id", id);
    html_element(html, "h2", NULL, title);
}

static void row_head(struct html *html, const char *text) {
    html_open(html, "th", NULL);
    html_attribute(html, "scope", "row");
    html_text(html, text);
    html_close(html);
}

// --- known --------------------------------------------------------------------------------------

static bool find_entry(const struct registry *registry, const char *id,
                       struct registry_words *words) {
    for (size_t i = 0; registry && i < registry_count(registry); i++) {
        registry_words_at(registry, i, words);
        if (!strcmp(words->id, id))
            return true;
    }
    return false;
}

static void known_row(const struct page *page, const struct stats_name *name, struct html *html) {
    struct registry_words words;
    bool found = find_entry(page->registry, name->name, &words);
    html_open(html, "tr", NULL);
    html_element(html, "td", "count", html_number(name->count));
    row_head(html, name->name);
    html_open(html, "td", NULL);
    if (!found) {
        html_text(html, "not in this program's registry: the campaign had another one");
    } else {
        html_prose(html, words.reason);
        if (words.says)
            html_format(html, " Predicted: %s.", words.says);
        html_format(html, " Since %s.", words.date);
        if (!strncmp(words.link, "https://", 8)) {
            html_text(html, " ");
            html_open(html, "a", NULL);
            html_attribute(html, "href", words.link);
            html_text(html, "more");
            html_close(html);
        }
    }
    html_close(html);
    html_close(html);
}

// They never make anything known, so no counter has them; but somebody should explain them.
static void tell_unexplained(const struct page *page, struct html *html) {
    struct registry_words words;
    bool any = false;
    for (size_t i = 0; page->registry && i < registry_count(page->registry); i++) {
        registry_words_at(page->registry, i, &words);
        if (words.says)
            continue;
        if (!any) {
            html_element(html, "h3", NULL, "Unexplained entries");
            html_element(html, "p", NULL,
                         "The registry lists them without a cause. They make nothing known: what "
                         "they describe is a finding.");
            html_open(html, "ul", NULL);
        }
        any = true;
        html_open(html, "li", NULL);
        html_element(html, "code", NULL, words.id);
        html_format(html, ": %s", words.reason);
        html_close(html);
    }
    if (any)
        html_close(html);
}

void page_known(const struct page *page, struct html *html) {
    struct stats_name sorted[64];
    size_t room = sizeof sorted / sizeof *sorted;
    memcpy(sorted, page->campaign->sum.known, sizeof sorted);
    size_t count = campaign_names(sorted, room);
    qsort(sorted, count, sizeof *sorted, by_count);
    begin(html, "known", "Known divergences that fired");
    if (!count && !page_not_counted(page, html)) {
        html_element(html, "p", "empty", "None.");
    } else if (count) {
        html_element(html, "p", NULL,
                     "The registry explains these, the value included; anything else in the same "
                     "place is a finding.");
        html_open(html, "div", "scroll");
        html_open(html, "table", "list");
        html_markup(html, "<thead><tr><th scope=\"col\" class=\"count\">fired</th>"
                          "<th scope=\"col\">entry</th><th scope=\"col\">why</th></tr></thead>");
        html_open(html, "tbody", NULL);
        for (size_t i = 0; i < count; i++)
            known_row(page, &sorted[i], html);
        html_close(html);
        html_close(html);
        html_close(html);
    }
    tell_unexplained(page, html);
    html_close(html);
}

// --- reasons ------------------------------------------------------------------------------------

static void reason_row(const struct stats_name *name, const char *behind, struct html *html) {
    const char *meaning = reason_meaning(behind);
    html_open(html, "tr", NULL);
    html_element(html, "td", "count", html_number(name->count));
    row_head(html, behind);
    html_open(html, "td", NULL);
    html_prose(html, meaning ? meaning : "no row of docs/oracles.md explains it");
    html_close(html);
    html_close(html);
}

static void reason_table(const struct stats_name *sorted, size_t count, const char *prefix,
                         const char *title, const char *words, struct html *html) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(sorted[i].name, prefix, strlen(prefix)) != 0)
            continue;
        if (!any) {
            html_element(html, "h3", NULL, title);
            html_element(html, "p", NULL, words);
            html_open(html, "div", "scroll");
            html_open(html, "table", "list");
            html_markup(html, "<thead><tr><th scope=\"col\" class=\"count\">times</th>"
                              "<th scope=\"col\">reason</th><th scope=\"col\">meaning</th></tr>"
                              "</thead>");
            html_open(html, "tbody", NULL);
        }
        any = true;
        reason_row(&sorted[i], sorted[i].name + strlen(prefix), html);
    }
    if (!any)
        return;
    html_close(html);
    html_close(html);
    html_close(html);
}

void page_reasons(const struct page *page, struct html *html) {
    static const struct {
        const char *prefix, *title, *words;
    } kinds[] = {
        {"inconclusive: ", "Inconclusive", "A limit, a budget, or nobody who could decide it."},
        {"unsupported: ", "Unsupported", "A tool has no opinion; nothing was compared."},
        {"unavailable: ", "Unavailable", "A tool cannot run here."},
        {"left out: ", "Left out", "By the campaign's own settings."},
        {"(others)", "Others", "More names than one process counts apart."},
    };
    static struct stats_name sorted[STATS_NAMES];
    memcpy(sorted, page->campaign->sum.reasons, sizeof sorted);
    size_t count = campaign_names(sorted, STATS_NAMES);
    qsort(sorted, count, sizeof *sorted, by_count);
    begin(html, "reasons", "Not decided");
    if (!count && !page_not_counted(page, html))
        html_element(html, "p", "empty",
                     campaign_comparisons(page->campaign)
                         ? "Nothing: every comparison had an answer."
                         : "Nothing yet.");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        reason_table(sorted, count, kinds[i].prefix, kinds[i].title, kinds[i].words, html);
    html_close(html);
}

// --- errors -------------------------------------------------------------------------------------

static void error_item(const char *folder, const char *name, struct html *html) {
    char path[4400];
    struct buffer text = {0};
    struct fault fault;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    html_open(html, "li", NULL);
    if (read_file(path, 65536, &text, &fault) == 0)
        html_text_cut(html, text.data, 400);
    else
        html_text(html, fault.text);
    html_open(html, "p", "path");
    html_format(html, "%.*s.bin", (int)(strlen(path) - 4), path);
    html_close(html);
    html_close(html);
    buffer_free(&text);
}

// Files of a folder whose names end so, each by `show`; how many there are.
static size_t each_file(const struct campaign *campaign, const char *inner, const char *ending,
                        size_t most, void show(const char *, const char *, struct html *),
                        struct html *html) {
    size_t shown = 0;
    for (size_t i = 0; i < campaign->folder_count; i++) {
        char folder[4200], **names;
        snprintf(folder, sizeof folder, "%s/%s", campaign->folders[i].path, inner);
        size_t count = read_names(folder, 100000, &names);
        for (size_t k = 0; k < count; k++) {
            size_t length = strlen(names[k]), end = strlen(ending);
            if (length <= end || strcmp(names[k] + length - end, ending) != 0)
                continue;
            if (show && shown < most)
                show(folder, names[k], html);
            shown++;
        }
        read_names_free(names, count);
    }
    return shown;
}

static void kept_item(const char *folder, const char *name, struct html *html) {
    html_open(html, "li", NULL);
    html_open(html, "p", "path");
    html_format(html, "%s/%s", folder, name);
    html_close(html);
    html_close(html);
}

static void tell_harness(const struct campaign *campaign, struct html *html) {
    html_element(html, "h3", NULL, "Errors of the harness");
    size_t count = each_file(campaign, "harness-errors", ".txt", 0, NULL, NULL);
    if (!count) {
        html_element(html, "p", "empty", "None.");
        return;
    }
    html_element(
        html, "p", NULL,
        "Nobody's divergence: this project failed, or a tool did not understand its command "
        "line. The run stopped there.");
    html_open(html, "ul", NULL);
    each_file(campaign, "harness-errors", ".txt", ERRORS_SHOWN, error_item, html);
    html_close(html);
    if (count > ERRORS_SHOWN)
        html_element_format(html, "p", NULL, "And %zu more.", count - ERRORS_SHOWN);
}

static void tell_crashes(const struct campaign *campaign, struct html *html) {
    bool any = false;
    html_element(html, "h3", NULL, "Crashes of the tools");
    for (size_t i = 0; i < campaign->finding_count; i++) {
        const struct campaign_finding *finding = &campaign->findings[i];
        if (strncmp(finding->signature, "tool_crash-", 11) != 0)
            continue;
        if (!any)
            html_open(html, "ul", NULL);
        any = true;
        html_open(html, "li", NULL);
        html_open(html, "a", NULL);
        html_attribute_format(html, "href", "#finding-%zu", i + 1);
        html_text(html, finding->signature);
        html_close(html);
        html_close(html);
    }
    if (any)
        html_close(html);
    else
        html_element(html, "p", "empty", "None.");
}

static void tell_not_reproduced(const struct campaign *campaign, struct html *html) {
    size_t count = each_file(campaign, "not-reproduced", ".bin", 0, NULL, NULL);
    html_element(html, "h3", NULL, "Divergences that did not repeat");
    if (!count) {
        html_element(html, "p", "empty", "None.");
        return;
    }
    html_element(
        html, "p", NULL,
        "Seen once and not again on fresh files; they count as inconclusive and are kept.");
    html_open(html, "details", NULL);
    html_element_format(html, "summary", NULL, "%zu cases", count);
    html_open(html, "ul", NULL);
    each_file(campaign, "not-reproduced", ".bin", KEPT_SHOWN, kept_item, html);
    html_close(html);
    html_close(html);
}

void page_errors(const struct page *page, struct html *html) {
    begin(html, "errors", "Errors and crashes");
    tell_harness(page->campaign, html);
    tell_crashes(page->campaign, html);
    tell_not_reproduced(page->campaign, html);
    html_close(html);
}
