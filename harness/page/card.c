// SPDX-License-Identifier: Apache-2.0
//
// One finding as a person understands it in a minute: what happened, who is probably wrong, the
// picture, both answers, the commands, the files.
#include "page/page.h"
#include "page/picture.h"

#include "oracles/cause.h"
#include "testcase/testcase.h"

#include <stdio.h>
#include <string.h>

#define ROWS_MOST   120 // of one table of answers
#define JUDGEMENTS  32
#define SHORT_TABLE 14 // a table of answers with more rows shows first those that differ

struct card {
    const struct page *page;
    const struct campaign_finding *finding;
    const cJSON *report, *step;
    const char *names[2];
    struct html *html;
};

static const cJSON *side(const struct card *card, int index) {
    return json_member(card->step, index ? "b" : "a");
}

// --- what happened ------------------------------------------------------------------------------

static void tell_facts(const struct card *card) {
    struct html *html = card->html;
    const struct campaign_finding *finding = card->finding;
    html_open(html, "p", "facts");
    html_format(html, "First seen %s", html_time(finding->found));
    if (finding->count)
        html_format(html, " \u00b7 %s case%s showed it", html_number(finding->count),
                    finding->count == 1 ? "" : "s");
    bool hang = strncmp(finding->signature, "tool_hang-", 10) == 0;
    html_text(html, !finding->confirmed ? " \u00b7 not repeated on fresh files"
                    : hang              ? " \u00b7 repeated alone with ten times the deadline"
                                        : " \u00b7 repeated on fresh files");
    uint64_t steps = 0;
    const cJSON *each;
    cJSON_ArrayForEach(each, json_member(card->report, "steps")) steps++;
    html_format(html, " \u00b7 step %s of %s", html_number(json_number(card->report, "step")),
                html_number(steps));
    if (cause_is_signature(finding->signature)) {
        html_text(html, " \u00b7 ");
        html_open(html, "a", NULL);
        html_attribute_format(html, "href", "#%s", finding->signature);
        html_text(html, "link");
        html_close(html);
    }
    html_close(html);
}

static const char *by_words(const char *by) {
    static const struct {
        const char *by, *words;
    } table[] = {
        {"truth", "says what the image was built with"},
        {"model", "says the model"},
        {"third_reader", "says a third reader"},
        {"contract", "says the tool's own documentation or other answer"},
        {"tool", "shows its own behaviour"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].by, by))
            return table[i].words;
    return "";
}

static void tell_opinion(const struct card *card) {
    struct html *html = card->html;
    const cJSON *opinion = json_member(card->report, "opinion");
    if (!opinion)
        return;
    bool open = !strcmp(card->finding->wrong, "unknown");
    html_open(html, "p", open ? "opinion open" : "opinion");
    if (open) {
        html_element(html, "b", NULL, "Who is wrong is open.");
    } else {
        html_text(html, "Probably wrong: ");
        html_element(html, "b", NULL, page_wrong_words(card->finding));
        const char *words = by_words(card->finding->by);
        html_format(html, "%s%s.", *words ? ", " : "", words);
    }
    html_format(html, " %s", json_text(opinion, "reason"));
    html_close(html);
}

// --- answers ------------------------------------------------------------------------------------

static void answer_row(const struct card *card, const cJSON *row) {
    struct html *html = card->html;
    const char *mark = json_text(row, "mark");
    static const struct {
        const char *mark, *class, *title, *sign;
    } marks[] = {{"diverges", "diverges", "this diverges", "\u2260"},
                 {"known", "permitted", "a known divergence", "k"},
                 {"permitted", "permitted", "differs, which a rule permits", "~"}};
    size_t how = 0, count = sizeof marks / sizeof *marks;
    while (how < count && strcmp(mark, marks[how].mark) != 0)
        how++;
    html_open(html, "tr", how < count ? marks[how].class : NULL);
    html_open(html, "th", NULL);
    html_attribute(html, "scope", "row");
    html_text(html, json_text(row, "name"));
    html_close(html);
    html_open(html, "td", "mark");
    if (how < count) {
        html_open(html, "abbr", NULL);
        html_attribute(html, "title", marks[how].title);
        html_text(html, marks[how].sign);
        html_close(html);
    }
    html_close(html);
    for (int i = 0; i < 2; i++) {
        const cJSON *said = json_member(row, i ? "b" : "a");
        html_open(html, "td", "said");
        html_text_cut(html, cJSON_IsString(said) ? said->valuestring : "\u2013", 400);
        html_close(html);
    }
    html_close(html);
}

static void answer_table(const struct card *card, const cJSON *rows, bool marked_only) {
    struct html *html = card->html;
    const cJSON *row;
    size_t count = 0;
    html_open(html, "div", "scroll");
    html_attribute(html, "tabindex", "0");
    html_attribute(html, "role", "region");
    html_attribute(html, "aria-label", "both answers");
    html_open(html, "table", "answers");
    html_markup(html, "<thead><tr><th scope=\"col\">answer</th><td></td>");
    for (int i = 0; i < 2; i++) {
        html_open(html, "th", NULL);
        html_attribute(html, "scope", "col");
        html_text(html, card->names[i]);
        html_close(html);
    }
    html_markup(html, "</tr></thead><tbody>");
    cJSON_ArrayForEach(row, rows) {
        bool first = !strcmp(json_text(row, "name"), "ended");
        if (count < ROWS_MOST && (!marked_only || first || *json_text(row, "mark"))) {
            answer_row(card, row);
            count++;
        }
    }
    html_markup(html, "</tbody>");
    html_close(html);
    html_close(html);
}

// A report that has no table of answers has each tool's own words.
static void raw_answers(const struct card *card) {
    struct html *html = card->html;
    static const char *const members[] = {"ended", "stdout", "stderr", "not_run"};
    for (int i = 0; i < 2; i++)
        for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
            const char *said = json_text(side(card, i), members[m]);
            if (!*said)
                continue;
            html_element_format(html, "p", "label", "%s, %s:", card->names[i], members[m]);
            html_open(html, "pre", NULL);
            html_text_cut(html, said, 4096);
            html_close(html);
        }
}

static void tell_answers(const struct card *card) {
    struct html *html = card->html;
    const cJSON *rows = json_member(card->step, "answers");
    html_element(html, "h4", NULL, "Both answers");
    if (!rows) {
        raw_answers(card);
        return;
    }
    bool is_long = cJSON_GetArraySize(rows) > SHORT_TABLE;
    answer_table(card, rows, is_long);
    if (!is_long)
        return;
    html_open(html, "details", NULL);
    html_element_format(html, "summary", NULL, "All %d rows", cJSON_GetArraySize(rows));
    answer_table(card, rows, false);
    html_close(html);
}

static void tell_judgements(const struct card *card) {
    struct html *html = card->html;
    const cJSON *judgements = json_member(card->step, "judgements"), *item;
    int left = JUDGEMENTS;
    html_open(html, "details", NULL);
    html_element_format(html, "summary", NULL, "All judgements of the step (%d)",
                        cJSON_GetArraySize(judgements));
    html_open(html, "ul", "judgements");
    cJSON_ArrayForEach(item, judgements) {
        const char *verdict = json_text(item, "verdict"), *reason = json_text(item, "reason");
        if (left-- <= 0)
            break;
        html_open(html, "li", NULL);
        html_element(html, "b", !strcmp(verdict, "divergence") ? "bad" : NULL, verdict);
        html_format(html, ": %s", json_text(item, "oracle"));
        if (*reason)
            html_format(html, " (%s)", reason);
        if (*json_text(item, "known"))
            html_format(html, " [%s]", json_text(item, "known"));
        if (*json_text(item, "text"))
            html_format(html, ": %s", json_text(item, "text"));
        html_close(html);
    }
    html_close(html);
    html_close(html);
}

// --- files --------------------------------------------------------------------------------------

static void link_file(const struct card *card, const char *name, const char *words) {
    struct html *html = card->html;
    char path[4400], relative[4400];
    snprintf(path, sizeof path, "%s/%s", card->finding->path, name);
    if (!read_time(path))
        return;
    html_open(html, "li", NULL);
    if (card->page->folder && page_relative(card->page->folder, path, relative, sizeof relative)) {
        html_open(html, "a", NULL);
        html_attribute_path(html, "href", relative);
        html_text(html, name);
        html_close(html);
    } else {
        html_element(html, "code", NULL, name);
    }
    html_format(html, ": %s", words);
    html_close(html);
}

static void embed_case(const struct card *card) {
    struct html *html = card->html;
    struct buffer bytes = {0};
    struct fault fault;
    char path[4400];
    snprintf(path, sizeof path, "%s/case.bin", card->finding->path);
    if (read_file(path, CASE_MAX_BYTES, &bytes, &fault) == 0) {
        html_open(html, "li", NULL);
        html_open(html, "a", NULL);
        html_attribute_data(html, "href", "application/octet-stream", bytes.data, bytes.length);
        html_attribute_format(html, "download", "%s.bin", card->finding->signature);
        html_text(html, "the case, out of this page");
        html_close(html);
        html_format(html, ": %s bytes, for make replay", html_number(bytes.length));
        html_close(html);
    }
    buffer_free(&bytes);
}

static void tell_files(const struct card *card) {
    struct html *html = card->html;
    html_element(html, "h4", NULL, "Files");
    html_element_format(html, "p", "path", "%s/", card->finding->path);
    html_open(html, "ul", "files");
    link_file(card, "story.txt", "all of it as text");
    link_file(card, "reproduce.sh", "the two tools alone, nothing of this project");
    link_file(card, "images.tar.gz", "the source and what the tools wrote");
    link_file(card, "case.bin", "for replay and minimize");
    link_file(card, "case.json", "the same as text, with help");
    link_file(card, "original.bin", "as it was found, before it was minimized");
    link_file(card, "report.json", "for programs");
    embed_case(card);
    const char *images = json_text(card->report, "images");
    if (*images && strcmp(images, "images.tar.gz") != 0)
        html_element_format(html, "li", NULL, "no images: %s", images);
    html_close(html);
}

// --- all ----------------------------------------------------------------------------------------

void page_id(const struct campaign_finding *finding, struct html *html) {
    if (cause_is_signature(finding->signature))
        html_attribute(html, "id", finding->signature);
}

static void tell_signature(const struct campaign_finding *finding, size_t number,
                           struct html *html) {
    html_element_format(html, "span", "number", "%zu", number);
    html_text(html, " ");
    html_open(html, "code", NULL);
    page_id(finding, html);
    html_text(html, finding->signature);
    html_close(html);
    if (finding->is_recent)
        html_element(html, "span", "badge", "new today");
}

static void tell_unreadable(const struct card *card) {
    html_element_format(card->html, "p", "warning", "Its report cannot be read: %s.",
                        card->finding->fault);
    tell_files(card);
}

static void tell(const struct card *card) {
    struct html *html = card->html;
    html_element(html, "p", "what", card->finding->text);
    tell_facts(card);
    tell_opinion(card);
    page_case(card->finding->path, html);
    picture_maps(card->report, card->names, html);
    picture_numbers(card->report, card->names, html);
    tell_answers(card);
    page_commands(card->finding->path, card->report, html);
    tell_files(card);
    tell_judgements(card);
    page_case_text(card->finding->path, html);
}

// A tool's name, and its role too where both have one name.
static void name_tools(struct card *card, char names[2][96]) {
    const cJSON *tools = json_member(card->report, "tools");
    bool same = !strcmp(json_text(json_member(tools, "a"), "name"),
                        json_text(json_member(tools, "b"), "name"));
    for (int i = 0; i < 2; i++) {
        const cJSON *tool = json_member(tools, i ? "b" : "a");
        snprintf(names[i], 96, "%s", json_text(tool, same ? "role" : "name"));
        if (!*names[i])
            snprintf(names[i], 96, "tool %c", 'a' + i);
        card->names[i] = names[i];
    }
}

static void tell_finding(const struct page *page, const struct campaign_finding *finding,
                         struct html *html) {
    char path[4400], names[2][96];
    struct fault fault;
    snprintf(path, sizeof path, "%s/report.json", finding->path);
    cJSON *report = *finding->fault ? NULL : read_json(path, READ_JSON_MOST, &fault);
    struct card card = {.page = page, .finding = finding, .report = report, .html = html};
    card.step = json_at(json_member(report, "steps"), json_number(report, "step") - 1);
    name_tools(&card, names);
    if (report)
        tell(&card);
    else
        tell_unreadable(&card);
    cJSON_Delete(report);
}

// --- a group ------------------------------------------------------------------------------------

static void tell_group(const struct campaign_finding *finding, struct html *html) {
    html_open(html, "p", "group");
    html_element_format(html, "b", NULL, "%zu signatures, probably one cause.", finding->members);
    html_text(html, " They have the same type and detail, and the same tool is probably wrong; no "
                    "more than that is known. ");
    html_format(html, "This is the one with the smallest case, the other%s ",
                finding->members == 2 ? " is" : "s are");
    html_text(html, "below it.");
    html_close(html);
}

static void tell_other(const struct page *page, const struct campaign_finding *finding,
                       size_t number, struct html *html) {
    html_open(html, "details", "member");
    html_attribute_format(html, "id", "finding-%zu", number);
    html_open(html, "summary", NULL);
    tell_signature(finding, number, html);
    html_element(html, "span", "time", html_time(finding->found));
    html_close(html);
    tell_finding(page, finding, html);
    html_close(html);
}

size_t page_card(const struct page *page, size_t at, size_t count, struct html *html) {
    const struct campaign_finding *finding = &page->campaign->findings[at];
    size_t done = 1;
    html_open(html, "article", NULL);
    html_attribute_format(html, "id", "finding-%zu", at + 1);
    html_open(html, "h3", NULL);
    tell_signature(finding, at + 1, html);
    html_close(html);
    if (count > 1)
        tell_group(finding, html);
    tell_finding(page, finding, html);
    if (count > 1)
        html_element(html, "h4", NULL, "The others, probably of the same cause");
    for (; done < count && html->out->length < PAGE_CARD_BYTES; done++)
        tell_other(page, &finding[done], at + done + 1, html);
    html_open(html, "p", "up");
    html_markup(html, "<a href=\"#findings\">all findings</a>");
    html_close(html);
    html_close(html);
    return done;
}
