// SPDX-License-Identifier: Apache-2.0
//
// How it was compared: both tools, how their commands ran, what kept them in, what guided the
// engine.
#include "page/page.h"

#include <string.h>

const cJSON *page_tool(const cJSON *compared, int side) {
    return json_member(json_member(compared, "tools"), side ? "b" : "a");
}

const char *page_guide_words(const cJSON *compared) {
    const char *guide = json_text(compared, "guide");
    if (!strcmp(guide, "all") && *json_text(compared, "instrumented"))
        return "answers, outputs and instrumented tools";
    return !strcmp(guide, "all") || !strcmp(guide, "outputs") ? "answers and outputs"
                                                              : "nothing but the engine's own";
}

static void tell_tool(const cJSON *tool, struct html *html) {
    html_open(html, "tr", NULL);
    html_open(html, "th", NULL);
    html_attribute(html, "scope", "row");
    html_text(html, json_text(tool, "role"));
    html_close(html);
    html_element(html, "td", NULL, json_text(tool, "name"));
    html_element(html, "td", NULL,
                 json_true(tool, "available") ? json_text(tool, "version")
                                              : json_text(tool, "why_not"));
    html_element(html, "td", "path", json_text(tool, "path"));
    html_open(html, "td", NULL);
    html_format(html, "%s%s%s", json_text(tool, "backend"),
                *json_text(tool, "backend_why") ? ": " : "", json_text(tool, "backend_why"));
    html_close(html);
    html_close(html);
}

static void tell_compared(const cJSON *compared, struct html *html) {
    html_open(html, "div", "scroll");
    html_open(html, "table", "tools");
    html_markup(html, "<thead><tr><th scope=\"col\">role</th><th scope=\"col\">tool</th>"
                      "<th scope=\"col\">version</th><th scope=\"col\">program</th>"
                      "<th scope=\"col\">executed</th></tr></thead><tbody>");
    tell_tool(page_tool(compared, 0), html);
    tell_tool(page_tool(compared, 1), html);
    html_markup(html, "</tbody>");
    html_close(html);
    html_close(html);
    html_open(html, "ul", NULL);
    if (*json_text(compared, "harness"))
        html_element_format(html, "li", NULL, "Judged by instar-fuzz %s.",
                            json_text(compared, "harness"));
    html_element_format(html, "li", NULL, "Fence: %s.", json_text(compared, "fence"));
    html_element_format(html, "li", NULL, "Guidance: %s. %s", page_guide_words(compared),
                        json_text(compared, "instrumented"));
    html_element_format(
        html, "li", NULL,
        "A case may take %s ms; a divergence counts after %s repetition(s) on fresh "
        "files.",
        html_number(json_number(compared, "case_ms")),
        html_number(json_number(compared, "confirm")));
    html_close(html);
}

static void tell_folders(const struct campaign *campaign, struct html *html) {
    html_open(html, "ul", NULL);
    for (size_t i = 0; i < campaign->folder_count; i++) {
        const struct campaign_folder *folder = &campaign->folders[i];
        html_open(html, "li", NULL);
        html_element(html, "code", NULL, folder->path);
        if (folder->is_triage)
            html_text(html, ", made by triage");
        if (folder->started_s) {
            html_format(html, ": %s cases, begun %s", html_number(folder->cases),
                        html_time(folder->started_s));
            html_format(html, ", last counted %s", html_time(folder->updated_s));
        }
        html_close(html);
    }
    html_close(html);
}

void page_compared(const struct page *page, struct html *html) {
    const struct campaign *campaign = page->campaign;
    html_open(html, "section", NULL);
    html_attribute(html, "id", "compared");
    html_element(html, "h2", NULL, "How it was compared");
    if (!campaign->compared_count)
        html_element(
            html, "p", NULL,
            "This folder does not say it: it is older than this page, or nothing was run.");
    for (size_t i = 0; i < campaign->compared_count; i++)
        tell_compared(campaign->compared[i], html);
    tell_folders(campaign, html);
    html_close(html);
}
