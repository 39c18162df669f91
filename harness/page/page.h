// SPDX-License-Identifier: Apache-2.0
//
// The page about a campaign: one file of HTML that needs nothing beside it. The command is
// harness/command/report.c; the parts of the page are a file each.
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include "page/campaign.h"
#include "page/html.h"

struct registry;

#define PAGE_CARDS      300         // findings that are shown in full; the others are rows
#define PAGE_CARD_BYTES (16u << 20) // of all cards together
#define PAGE_COURSES    4           // campaigns with a course or coverage; of more none is shown

struct page {
    const struct campaign *campaign;
    const struct registry *registry; // reasons of known divergences
    // Absolute folder in which the page will lie, for relative links; NULL: it is not known.
    const char *folder;
};

void page_write(const struct page *page, struct buffer *out);

// --- the parts ----------------------------------------------------------------------------------

// The beginning of the document: everything in front of the body.
void page_style(const char *title, struct html *html);
void page_script(struct html *html);
// "stand-in for instar 0.1 against qemu-img ...", of the latest description.
void page_pair_words(const struct campaign *campaign, struct buffer *words);
void page_head(const struct page *page, struct html *html);     // title, state, figures, warnings
void page_compared(const struct page *page, struct html *html); // tools, how they ran, fence
// The profile of tool a or b in a description of what was compared; and its guidance in words.
const cJSON *page_tool(const cJSON *compared, int side);
const char *page_guide_words(const cJSON *compared);
void page_findings(const struct page *page, struct html *html); // table of contents, cards, rows
// A group in full: the finding at that place of the list, which stands for it, and the others of
// its first `count` members folded, as long as all cards are not too much. Returns how many it has.
size_t page_card(const struct page *page, size_t at, size_t count, struct html *html);
// The signature as the id of the element that is open: an address that stays. Nothing where it is
// no signature.
void page_id(const struct campaign_finding *finding, struct html *html);
void page_case(const char *folder, struct html *html);      // the case in words
void page_case_text(const char *folder, struct html *html); // its text form, folded
void page_commands(const char *folder, const cJSON *report, struct html *html); // ready to paste
// What a campaign compared, a replay must compare too: "NAME=value " for each variable, quoted.
void page_variables(const cJSON *report, struct buffer *out);
void page_known(const struct page *page, struct html *html);
// A section in which each folder that has something has a part of its own, because it cannot be
// added up; of more than PAGE_COURSES none is drawn.
struct page_each {
    const char *id, *title;
    bool (*has)(const struct campaign_folder *folder);
    void (*write)(const struct campaign_folder *folder, struct html *html);
};
extern const struct page_each page_course;   // charts over running time
extern const struct page_each page_coverage; // of qemu-img, by driver
size_t page_each_count(const struct page *page, const struct page_each *each); // 0: no section
void page_each_write(const struct page *page, const struct page_each *each, struct html *html);
void page_matrix(const struct page *page, struct html *html);
void page_reasons(const struct page *page, struct html *html); // inconclusive, unsupported
void page_errors(const struct page *page, struct html *html);  // our own failures, tools' crashes

// The relative address of a file for a page in `from`, or false: they have no folder in common that
// is near enough.
bool page_relative(const char *from, const char *path, char *relative, size_t room);
// Says where a section has nothing because nobody counted; false: somebody did.
bool page_not_counted(const struct page *page, struct html *html);
// "stand-in for instar", "both tools", "nobody", "open": who is wrong, in words for a cell.
const char *page_wrong_words(const struct campaign_finding *finding);

#endif
