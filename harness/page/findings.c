// SPDX-License-Identifier: Apache-2.0
//
// The findings: a table of contents, the first few hundred in full, all others as rows.
#include "page/page.h"

#include "oracles/cause.h"

#include <stdio.h>
#include <string.h>

const char *page_wrong_words(const struct campaign_finding *finding) {
    static const struct {
        const char *wrong, *words;
    } table[] = {{"both", "both tools"}, {"nobody", "nobody: the rule"}, {"unknown", "open"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].wrong, finding->wrong))
            return table[i].words;
    return *finding->who ? finding->who : "\u2013";
}

static void head_row(struct html *html) {
    html_markup(html, "<thead><tr><th scope=\"col\">#</th><th scope=\"col\">signature</th>"
                      "<th scope=\"col\">first seen</th><th scope=\"col\" class=\"count\">seen</th>"
                      "<th scope=\"col\">probably wrong</th></tr></thead>");
}

// The others of a group, for whoever looks for one of them.
static void fold_others(const struct campaign_finding *finding, size_t count, size_t number,
                        struct html *html) {
    html_open(html, "details", NULL);
    html_element_format(html, "summary", NULL, "and %zu more, probably of the same cause",
                        count - 1);
    html_open(html, "ul", NULL);
    for (size_t i = 1; i < count; i++) {
        html_open(html, "li", NULL);
        html_open(html, "a", NULL);
        html_attribute_format(html, "href", "#finding-%zu", number + i);
        html_text(html, finding[i].signature);
        html_close(html);
        if (finding[i].is_recent)
            html_element(html, "span", "badge", "new today");
        html_close(html);
    }
    html_close(html);
    html_close(html);
}

// `count`: how many of its group its card has; 0: it has no card.
static void row(const struct campaign_finding *finding, size_t count, size_t number,
                struct html *html) {
    html_open(html, "tr", NULL);
    if (!count)
        html_attribute_format(html, "id", "finding-%zu", number);
    html_element_format(html, "td", "count", "%zu", number);
    html_open(html, "th", NULL);
    html_attribute(html, "scope", "row");
    if (count) {
        html_open(html, "a", NULL);
        html_attribute_format(html, "href", "#finding-%zu", number);
    } else {
        page_id(finding, html);
    }
    html_text(html, finding->signature);
    if (count)
        html_close(html);
    if (finding->is_recent)
        html_element(html, "span", "badge", "new today");
    if (count > 1)
        fold_others(finding, count, number, html);
    html_close(html);
    html_element(html, "td", "time", html_time(finding->found));
    html_element(html, "td", finding->count ? "count times" : "count",
                 finding->count ? html_number(finding->count) : "\u2013");
    html_element(html, "td", NULL, page_wrong_words(finding));
    html_close(html);
}

// How many of the finding's group stand before `end`: 1 for what follows the one that leads.
static size_t members_before(const struct campaign *campaign, size_t at, size_t end) {
    const struct campaign_finding *finding = &campaign->findings[at];
    size_t members = finding->leads ? finding->members : 1;
    return members < end - at ? members : end - at;
}

static void table(const struct campaign *campaign, size_t from, size_t to, bool is_cards,
                  struct html *html) {
    html_open(html, "div", "scroll");
    html_open(html, "table", "contents");
    head_row(html);
    html_open(html, "tbody", NULL);
    for (size_t i = from, count; i < to; i += is_cards ? count : 1) {
        count = members_before(campaign, i, to);
        row(&campaign->findings[i], is_cards ? count : 0, i + 1, html);
    }
    html_close(html);
    html_close(html);
    html_close(html);
}

// How many findings are shown in full: cards are written until there are too many, or too much. Of
// a large group the card may have only the first.
static size_t write_cards(const struct page *page, struct html *cards) {
    const struct campaign *campaign = page->campaign;
    size_t most = campaign->finding_count < PAGE_CARDS ? campaign->finding_count : PAGE_CARDS;
    size_t done = 0;
    while (done < most && cards->out->length < PAGE_CARD_BYTES)
        done += page_card(page, done, members_before(campaign, done, most), cards);
    return done;
}

static void tell_none(const struct campaign *campaign, struct html *html) {
    const struct stats *sum = &campaign->sum;
    html_open(html, "p", "empty");
    if (!sum->started_s)
        html_text(html, "There are none in this folder.");
    else if (!sum->cases)
        html_text(html, "None yet: no case has run to its end. Make this page again in a minute.");
    else if (!campaign_comparisons(campaign))
        html_text(html, "None, but nothing was compared either.");
    else
        html_format(html,
                    "None%s: %s comparisons, and the tools agree wherever nothing below says "
                    "otherwise.",
                    campaign_counting(campaign) ? " yet" : "",
                    html_number(campaign_comparisons(campaign)));
    html_close(html);
}

static void tell_groups(const struct campaign *campaign, struct html *html) {
    struct buffer words = {0};
    cause_count_words(campaign->finding_count, campaign->group_count, &words);
    html_open(html, "p", NULL);
    html_format(html,
                "%s: those that have the same type and detail and accuse the same tool are told "
                "together, because they probably have one cause.",
                words.data);
    html_close(html);
    buffer_free(&words);
}

static void tell_next(struct html *html) {
    html_markup(html,
                "<p class=\"next\">For each: read what happened and who is probably wrong, run "
                "<code>reproduce.sh</code>, then report it to the tool's project, explain it in "
                "<code>oracles/known-divergences.json</code>, or relax the rule.</p>");
}

void page_findings(const struct page *page, struct html *html) {
    const struct campaign *campaign = page->campaign;
    struct buffer written = {0};
    struct html cards = {.out = &written};
    html_open(html, "section", NULL);
    html_attribute(html, "id", "findings");
    html_element(html, "h2", NULL, "Findings");
    if (!campaign->finding_count) {
        tell_none(campaign, html);
        html_close(html);
        return;
    }
    size_t full = write_cards(page, &cards);
    if (stats_span_s(&campaign->sum) > 86400)
        html_element(html, "p", NULL,
                     "Newest first; \"new today\" are those of the campaign's last 24 hours.");
    if (campaign->group_count < campaign->finding_count)
        tell_groups(campaign, html);
    table(campaign, 0, full, true, html);
    tell_next(html);
    html_join(html, &cards);
    if (full < campaign->finding_count) {
        html_element_format(html, "h3", NULL, "%zu more, as rows", campaign->finding_count - full);
        html_element(html, "p", NULL,
                     "A page holds a few hundred in full. `instar-fuzz replay` tells any of them.");
        table(campaign, full, campaign->finding_count, false, html);
    }
    html_close(html);
    buffer_free(&written);
}
