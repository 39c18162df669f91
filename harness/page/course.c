// SPDX-License-Identifier: Apache-2.0
//
// The section "Course": how a campaign went, from the timeline that it left. A folder without one
// has no such section.
#include "page/chart.h"
#include "page/page.h"

#include <stdio.h>

#define TABLE_ROWS 24

static void add_panel(struct chart *chart, struct chart_panel panel) {
    if (panel.curve.most > 0 || panel.is_ticks || panel.is_rate)
        chart->panels[chart->count++] = panel;
    else
        curve_free(&panel.curve);
}

// What an engine does not count is left out.
static void make_chart(const struct timeline *timeline, struct chart *chart) {
    struct chart_panel rate = {.name = "cases a second", .is_rate = true},
                       corpus = {.name = "files that engines kept"},
                       features = {.name = "features that engines count"},
                       findings = {.name = "findings", .is_ticks = true};
    chart->timeline = timeline;
    curve_of_rate(timeline, TIMELINE_CASES, &rate.curve);
    curve_of_total(timeline, TIMELINE_CORPUS, &corpus.curve);
    curve_of_total(timeline, TIMELINE_FEATURES, &features.curve);
    curve_of_events(timeline, TIMELINE_FINDINGS, &findings.curve);
    add_panel(chart, rate);
    add_panel(chart, corpus);
    add_panel(chart, features);
    add_panel(chart, findings);
}

// --- in numbers ---------------------------------------------------------------------------------

static void table_heads(const struct timeline *timeline, struct html *html) {
    static const char *const words[TIMELINE_COLUMNS] = {
        "until",    "sitting",      "engines", "cases",    "comparisons", "divergences",
        "findings", "inconclusive", "corpus",  "features", "disk"};
    html_markup(html, "\n<thead><tr><th scope=\"col\">run for</th>");
    for (size_t i = 0; i < TIMELINE_COLUMNS; i++) {
        if (!timeline->has[i])
            continue;
        html_open(html, "th", NULL);
        html_attribute(html, "scope", "col");
        html_text(html, words[i]);
        html_close(html);
    }
    html_markup(html, "</tr></thead>");
}

static void table_row(const struct timeline *timeline, const struct timeline_sample *sample,
                      struct html *html) {
    html_open(html, "tr", NULL);
    html_open(html, "th", NULL);
    html_attribute(html, "scope", "row");
    html_text(html, html_span(sample->running));
    html_close(html);
    for (size_t i = 0; i < TIMELINE_COLUMNS; i++) {
        uint64_t value = sample->values[i];
        if (!timeline->has[i])
            continue;
        if (i == TIMELINE_DISK_KIB && value >= 10240)
            html_element_format(html, "td", NULL, "%s MiB", html_number(value / 1024));
        else if (i == TIMELINE_DISK_KIB)
            html_element_format(html, "td", NULL, "%s KiB", html_number(value));
        else
            html_element(html, "td", NULL,
                         i == TIMELINE_TIME ? html_time(value) : html_number(value));
    }
    html_close(html);
}

static void table(const struct timeline *timeline, struct html *html) {
    uint64_t length = timeline_length(timeline);
    size_t before = timeline->count;
    html_open(html, "details", NULL);
    html_element(html, "summary", NULL, "In numbers");
    html_open(html, "div", "scroll");
    html_attribute(html, "tabindex", "0");
    html_attribute(html, "role", "region");
    html_attribute(html, "aria-label", "the course in numbers");
    html_open(html, "table", "course");
    table_heads(timeline, html);
    html_open(html, "tbody", NULL);
    for (uint64_t i = 1; i <= TABLE_ROWS; i++) {
        size_t at =
            timeline_at(timeline, length / TABLE_ROWS * i + length % TABLE_ROWS * i / TABLE_ROWS);
        if (i == TABLE_ROWS)
            at = timeline->count - 1;
        if (at != before)
            table_row(timeline, &timeline->samples[at], html);
        before = at;
    }
    html_close(html);
    html_close(html);
    html_close(html);
    html_close(html);
}

// --- one campaign -------------------------------------------------------------------------------

static void caption(const struct timeline *timeline, struct html *html) {
    size_t pauses = timeline->stretch_count - 1;
    html_open(html, "figcaption", NULL);
    html_format(html, "%s of running time, from %s to %s.", html_span(timeline_length(timeline)),
                html_time(timeline->samples[0].values[TIMELINE_TIME]),
                html_time(timeline->samples[timeline->count - 1].values[TIMELINE_TIME]));
    if (pauses)
        html_format(html, " %zu pause%s cut out", pauses, pauses == 1 ? " is" : "s are");
    if (pauses && pauses <= CHART_PAUSES)
        html_format(html, "; %s, with %s length in %s title",
                    pauses == 1 ? "a dashed line marks it" : "dashed lines mark them",
                    pauses == 1 ? "its" : "their", pauses == 1 ? "its" : "their");
    html_text(html, pauses ? "." : "");
    if (timeline->damaged)
        html_format(html, " %zu line%s of timeline.tsv could not be read.", timeline->damaged,
                    timeline->damaged == 1 ? "" : "s");
    html_close(html);
}

static void course(const struct campaign_folder *folder, struct html *html) {
    const struct timeline *timeline = &folder->timeline;
    struct chart chart = {0};
    if (*folder->timeline_fault) {
        html_element_format(html, "p", "warning", "%s.", folder->timeline_fault);
        return;
    }
    if (!timeline_length(timeline)) {
        html_element(html, "p", "empty", "Just begun: there is nothing to draw yet.");
        return;
    }
    make_chart(timeline, &chart);
    html_open(html, "figure", NULL);
    chart_draw(&chart, html);
    caption(timeline, html);
    html_close(html);
    table(timeline, html);
    chart_free(&chart);
}

static bool has(const struct campaign_folder *folder) {
    return folder->has_timeline;
}

const struct page_each page_course = {"course", "Course", has, course};
