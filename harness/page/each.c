// SPDX-License-Identifier: Apache-2.0
//
// Sections of which each campaign folder has a part of its own: the frame that they share. Of many
// folders none is drawn, because nobody would look at them all.
#include "page/page.h"

size_t page_each_count(const struct page *page, const struct page_each *each) {
    size_t count = 0;
    for (size_t i = 0; i < page->campaign->folder_count; i++)
        count += each->has(&page->campaign->folders[i]);
    return count;
}

void page_each_write(const struct page *page, const struct page_each *each, struct html *html) {
    const struct campaign *campaign = page->campaign;
    size_t count = page_each_count(page, each);
    html_open(html, "section", NULL);
    html_attribute(html, "id", each->id);
    html_element(html, "h2", NULL, each->title);
    if (count > PAGE_COURSES)
        html_element_format(html, "p", "empty",
                            "Left out: %zu of these campaigns have one, and a page shows at most "
                            "%d. A page of each has its own.",
                            count, PAGE_COURSES);
    for (size_t i = 0; i < campaign->folder_count && count <= PAGE_COURSES; i++) {
        if (!each->has(&campaign->folders[i]))
            continue;
        if (campaign->folder_count > 1)
            html_element(html, "h3", "path", campaign->folders[i].path);
        each->write(&campaign->folders[i], html);
    }
    html_close(html);
}
