// SPDX-License-Identifier: Apache-2.0
//
// The section "Coverage of qemu-img": what `instar-fuzz coverage` left as coverage.json. A folder
// without it has no such section. Edges of several campaigns cannot be added up (both may have
// reached the same), so each has a table of its own.
#include "page/page.h"

#include <stdio.h>
#include <string.h>

static double percent_of(const cJSON *item) {
    uint64_t edges = json_number(item, "edges"), reached = json_number(item, "reached");
    return !edges ? 0 : reached >= edges ? 100 : 100 * (double)reached / (double)edges;
}

static void draw_bar(double percent, struct html *html) {
    html_open(html, "td", "bar");
    html_open(html, "svg", NULL);
    html_attribute(html, "aria-hidden", "true");
    html_attribute(html, "width", "100%");
    html_attribute(html, "height", "10");
    html_open(html, "rect", "track");
    html_attribute(html, "width", "100%");
    html_attribute(html, "height", "10");
    html_close(html);
    html_open(html, "rect", "n-a");
    html_attribute_format(html, "width", "%.1f%%", percent);
    html_attribute(html, "height", "10");
    html_close(html);
    html_close(html);
    html_close(html);
}

static void row(const cJSON *item, const char *name, bool with_bar, struct html *html) {
    double percent = percent_of(item);
    html_open(html, "tr", NULL);
    html_open(html, "th", NULL);
    html_attribute(html, "scope", "row");
    html_text(html, name);
    html_close(html);
    if (with_bar)
        draw_bar(percent, html);
    html_element(html, "td", "count", html_number(json_number(item, "reached")));
    html_element(html, "td", "count", html_number(json_number(item, "edges")));
    html_element_format(html, "td", "count", "%.1f %%", percent);
    html_close(html);
}

static void drivers(const cJSON *coverage, struct html *html) {
    const cJSON *driver;
    html_open(html, "table", "edges");
    html_markup(html, "\n<thead><tr><th scope=\"col\">driver</th><td></td>"
                      "<th scope=\"col\" class=\"count\">reached</th>"
                      "<th scope=\"col\" class=\"count\">of edges</th><td></td></tr></thead>");
    html_open(html, "tbody", NULL);
    cJSON_ArrayForEach(driver, json_member(coverage, "drivers"))
        row(driver, json_text(driver, "driver"), true, html);
    row(coverage, "all", true, html);
    html_close(html);
    html_close(html);
}

static void files(const cJSON *coverage, struct html *html) {
    const cJSON *driver, *file;
    html_open(html, "details", NULL);
    html_element(html, "summary", NULL, "By source file");
    html_open(html, "table", "edges list");
    html_markup(html, "\n<thead><tr><th scope=\"col\">file</th>"
                      "<th scope=\"col\" class=\"count\">reached</th>"
                      "<th scope=\"col\" class=\"count\">of edges</th><td></td></tr></thead>");
    html_open(html, "tbody", NULL);
    cJSON_ArrayForEach(driver, json_member(coverage, "drivers"))
        cJSON_ArrayForEach(file, json_member(driver, "files"))
            row(file, json_text(file, "file"), false, html);
    html_close(html);
    html_close(html);
    html_close(html);
}

// When, of what, and how much of it.
static void origin(const cJSON *coverage, struct html *html) {
    uint64_t cases = json_number(coverage, "cases"), run = json_number(coverage, "run");
    uint64_t failed = json_number(coverage, "failed"), lost = json_number(coverage, "unreadable");
    html_open(html, "p", "facts");
    html_format(html, "Counted %s: ", html_time(json_number(coverage, "made")));
    if (run == cases)
        html_format(html, "%s case%s", html_number(cases), cases == 1 ? "" : "s");
    else
        html_format(html, "%s of %s cases, a sample%s", html_number(run), html_number(cases),
                    !strcmp(json_text(coverage, "ended"), "time") ? " for want of time"
                                                                  : ", interrupted");
    html_format(html, " of %s file%s that engines kept",
                html_number(json_number(coverage, "files")),
                json_number(coverage, "files") == 1 ? "" : "s");
    if (failed)
        html_format(html, ", %s of them not to the end", html_number(failed));
    if (lost)
        html_format(html, "; %s file%s could not be read", html_number(lost), lost == 1 ? "" : "s");
    html_format(html, ". %s.", json_text(coverage, "program_version"));
    html_close(html);
}

static void one(const struct campaign_folder *folder, struct html *html) {
    if (*folder->coverage_fault) {
        html_element_format(html, "p", "warning", "%s.", folder->coverage_fault);
        return;
    }
    origin(folder->coverage, html);
    drivers(folder->coverage, html);
    files(folder->coverage, html);
}

static bool has(const struct campaign_folder *folder) {
    return folder->has_coverage;
}

const struct page_each page_coverage = {"coverage", "Coverage of qemu-img", has, one};
