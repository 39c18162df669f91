// SPDX-License-Identifier: Apache-2.0
//
// The order of the page, and addresses of files beside it.
#include "page/page.h"
#include "page/picture.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARENTS 2 // how many folders above the page a link may begin

bool page_relative(const char *from, const char *path, char *relative, size_t room) {
    char resolved[PATH_MAX];
    if (!realpath(path, resolved))
        return false;
    size_t common = 0, up = 0;
    for (size_t i = 0;; i++) {
        bool from_ends = !from[i] || from[i] == '/', path_ends = !resolved[i] || resolved[i] == '/';
        if (from_ends && path_ends)
            common = i;
        if (!from[i] || from[i] != resolved[i])
            break;
    }
    for (const char *c = from + common; *c; c++)
        up += *c == '/' && c[1];
    if (up > PARENTS || (!common && up))
        return false;
    size_t used = 0;
    relative[0] = 0;
    for (size_t i = 0; i < up && used < room; i++)
        used += (size_t)snprintf(relative + used, room - used, "../");
    const char *rest = resolved + common;
    while (*rest == '/')
        rest++;
    return used < room && (size_t)snprintf(relative + used, room - used, "%s", rest) < room - used;
}

bool page_not_counted(const struct page *page, struct html *html) {
    if (page->campaign->sum.started_s)
        return false;
    html_element(html, "p", "empty", "Not counted in this folder.");
    return true;
}

static void title(const struct campaign *campaign, struct buffer *words) {
    buffer_format(words, "instar-fuzz: %zu finding%s, ", campaign->finding_count,
                  campaign->finding_count == 1 ? "" : "s");
    page_pair_words(campaign, words);
    if (!campaign->compared_count)
        buffer_text(words, "campaign");
}

static void link_to(struct html *html, bool is_there, const char *section, const char *words) {
    if (!is_there)
        return;
    html_open(html, "a", NULL);
    html_attribute_format(html, "href", "#%s", section);
    html_text(html, words);
    html_close(html);
    html_text(html, " ");
}

static void navigation(const struct page *page, struct html *html) {
    html_open(html, "nav", NULL);
    html_attribute(html, "aria-label", "sections");
    link_to(html, true, "findings", "Findings");
    link_to(html, true, "known", "Known");
    link_to(html, page_each_count(page, &page_course) > 0, "course", "Course");
    link_to(html, true, "matrix", "What was compared");
    link_to(html, page_each_count(page, &page_coverage) > 0, "coverage", "Coverage");
    link_to(html, true, "reasons", "Not decided");
    link_to(html, true, "errors", "Errors");
    link_to(html, true, "compared", "How");
    html_close(html);
}

void page_write(const struct page *page, struct buffer *out) {
    struct html html = {.out = out};
    struct buffer words = {0};
    title(page->campaign, &words);
    page_style(words.data, &html);
    html_open(&html, "body", NULL);
    picture_patterns(&html);
    page_head(page, &html);
    navigation(page, &html);
    html_open(&html, "main", NULL);
    page_findings(page, &html);
    page_known(page, &html);
    if (page_each_count(page, &page_course) > 0)
        page_each_write(page, &page_course, &html);
    page_matrix(page, &html);
    if (page_each_count(page, &page_coverage) > 0)
        page_each_write(page, &page_coverage, &html);
    page_reasons(page, &html);
    page_errors(page, &html);
    page_compared(page, &html);
    html_close(&html);
    page_script(&html);
    html_close(&html);
    html_markup(&html, "\n</html>\n");
    buffer_free(&words);
}
