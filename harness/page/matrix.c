// SPDX-License-Identifier: Apache-2.0
//
// What was compared, as a heat map: kinds of source by kinds of call, a table for each operation.
// A cell that the tools could fill and the campaign never did is the thing to look for.
#include "page/page.h"

#include "cells.h"

#include <stdio.h>
#include <string.h>

#define HEATS       6  // classes h1..h6, a factor of five or so each
#define EMPTY_WORDS 40 // empty cells that are named

static size_t heat(uint64_t count) {
    size_t heat = 1;
    for (uint64_t bound = 4; count >= bound && heat < HEATS; bound *= 6)
        heat++;
    return heat;
}

// A number in four letters: 950, 9.5k, 95k, 1.2M.
static void short_number(uint64_t value, char out[16]) {
    static const char *const units[] = {"", "k", "M", "G", "T"};
    double shown = (double)value;
    size_t unit = 0;
    while (shown >= 1000 && unit + 1 < sizeof units / sizeof *units) {
        shown /= 1000;
        unit++;
    }
    snprintf(out, 16, unit && shown < 9.95 ? "%.1f%s" : "%.0f%s", shown, units[unit]);
}

static bool was_met(const struct stats_cell *cell) {
    return cell->compared || cell->refused || cell->skipped || cell->inconclusive;
}

// The title holds the sum where a cell's letter cannot.
static void cell(const struct stats *stats, size_t source, size_t call, struct html *html) {
    const struct stats_cell *of = &stats->cells[source][call];
    char text[16], class[8] = "off";
    if (of->compared) {
        snprintf(class, sizeof class, "h%zu", heat(of->compared));
        short_number(of->compared, text);
    } else if (stats->reachable[source][call]) {
        snprintf(class, sizeof class, "empty");
        snprintf(text, sizeof text, "0");
    } else {
        snprintf(text, sizeof text, "%s", was_met(of) ? "\u00b7" : "");
    }
    html_open(html, "td", class);
    if (was_met(of))
        html_attribute_format(html, "title",
                              "%s compared, %s refused by both, %s unsupported, %s inconclusive",
                              html_number(of->compared), html_number(of->refused),
                              html_number(of->skipped), html_number(of->inconclusive));
    html_text(html, text);
    html_close(html);
}

// A table: the operations of a bit set, by target; a column that no source can fill is left out.
struct heat_table {
    const struct stats *stats;
    unsigned ops;
    size_t calls[CALL_CLASSES]; // the columns
    size_t count;
    bool has_targets;
};

static bool is_reached(const struct stats *stats, size_t call) {
    for (size_t source = 0; source < SOURCE_CLASSES; source++)
        if (stats->reachable[source][call])
            return true;
    return false;
}

static void choose_columns(struct heat_table *table, const struct stats *stats, unsigned ops) {
    *table = (struct heat_table){.stats = stats, .ops = ops};
    for (int target = 0; target <= IMAGE_FORMATS; target++)
        for (size_t i = 0; i < CALL_CLASSES; i++)
            if (ops & 1u << call_classes[i].op && (int)call_classes[i].target == target &&
                is_reached(stats, i)) {
                table->calls[table->count++] = i;
                table->has_targets |= target < IMAGE_FORMATS;
            }
}

static void target_heads(const struct heat_table *table, struct html *html) {
    html_markup(html, "<tr><td></td>");
    for (size_t i = 0, span; i < table->count; i += span) {
        enum image_format target = call_classes[table->calls[i]].target;
        for (span = 1;
             i + span < table->count && call_classes[table->calls[i + span]].target == target;)
            span++;
        html_open(html, "th", "target");
        html_attribute(html, "scope", "colgroup");
        html_attribute_format(html, "colspan", "%zu", span);
        html_text(html, image_driver(target)->name);
        html_close(html);
    }
    html_markup(html, "</tr>");
}

static void column_heads(const struct heat_table *table, struct html *html) {
    html_markup(html, "<tr><th scope=\"col\">source</th>");
    for (size_t i = 0; i < table->count; i++) {
        const struct call_class *call = &call_classes[table->calls[i]];
        html_open(html, "th", "option");
        html_attribute(html, "scope", "col");
        html_element(html, "span", NULL,
                     table->has_targets ? option_classes[call->option].name
                                        : operation_names[call->op]);
        html_close(html);
    }
    html_markup(html, "</tr>");
}

static bool row_is_shown(const struct heat_table *table, size_t source) {
    for (size_t i = 0; i < table->count; i++)
        if (table->stats->reachable[source][table->calls[i]] ||
            was_met(&table->stats->cells[source][table->calls[i]]))
            return true;
    return false;
}

static void rows(const struct heat_table *table, struct html *html) {
    html_open(html, "tbody", NULL);
    for (size_t source = 0; source < SOURCE_CLASSES; source++) {
        if (!row_is_shown(table, source))
            continue;
        html_open(html, "tr", NULL);
        html_open(html, "th", NULL);
        html_attribute(html, "scope", "row");
        html_text(html, source_classes[source].name);
        html_close(html);
        for (size_t i = 0; i < table->count; i++)
            cell(table->stats, source, table->calls[i], html);
        html_close(html);
    }
    html_close(html);
}

static void heat_table(const struct stats *stats, unsigned ops, const char *title,
                       struct html *html) {
    struct heat_table table;
    choose_columns(&table, stats, ops);
    if (!table.count)
        return;
    html_open(html, "div", "scroll");
    html_attribute(html, "tabindex", "0");
    html_attribute(html, "role", "region");
    html_attribute_format(html, "aria-label", "comparisons of %s", title);
    html_open(html, "table", "heat");
    html_element(html, "caption", NULL, title);
    html_open(html, "thead", NULL);
    if (table.has_targets)
        target_heads(&table, html);
    column_heads(&table, html);
    html_close(html);
    rows(&table, html);
    html_close(html);
    html_close(html);
}

static void tell_empty(const struct stats *stats, struct html *html) {
    struct cells_sum sum = cells_sum(stats);
    size_t left = EMPTY_WORDS, empty = sum.reachable - sum.compared;
    if (!empty)
        return;
    html_open(html, "details", NULL);
    html_element_format(html, "summary", NULL, "The %zu empty cells by name", empty);
    html_open(html, "ul", "columns");
    for (size_t i = 0; i < CALL_CLASSES; i++)
        for (size_t source = 0; source < SOURCE_CLASSES && left; source++) {
            const struct call_class *call = &call_classes[i];
            if (!stats->reachable[source][i] || stats->cells[source][i].compared)
                continue;
            left--;
            html_open(html, "li", NULL);
            html_format(html, "%s of %s", operation_names[call->op], source_classes[source].name);
            if (call->target < IMAGE_FORMATS)
                html_format(html, " to %s, %s", image_driver(call->target)->name,
                            option_classes[call->option].name);
            html_close(html);
        }
    html_close(html);
    if (empty > EMPTY_WORDS) {
        html_open(html, "p", NULL);
        html_prose(html, "`instar-fuzz status --empty` names all of them.");
        html_close(html);
    }
    html_close(html);
}

void page_matrix(const struct page *page, struct html *html) {
    const struct stats *stats = &page->campaign->sum;
    struct cells_sum sum = cells_sum(stats);
    html_open(html, "section", NULL);
    html_attribute(html, "id", "matrix");
    html_element(html, "h2", NULL, "What was compared");
    if (!sum.reachable) {
        if (!page_not_counted(page, html))
            html_element(html, "p", "empty", "Nothing yet.");
        html_close(html);
        return;
    }
    if (!sum.compared) {
        html_element_format(
            html, "p", "empty",
            "Nothing yet. This pair of tools can reach %zu cells (operation, kind of "
            "source, target, option).",
            sum.reachable);
        html_close(html);
        return;
    }
    html_open(html, "p", NULL);
    html_format(html, "%zu of %zu cells that this pair of tools can reach were compared. ",
                sum.compared, sum.reachable);
    html_markup(html, "Numbers are comparisons; <span class=\"cell empty\">0</span> can be reached "
                      "and was never compared, <span class=\"cell off\">\u00b7</span> was met and "
                      "could not be compared, blank cannot be reached.");
    html_close(html);
    tell_empty(stats, html);
    unsigned without_target = 0;
    for (int op = 0; op < OPERATIONS; op++)
        without_target |= operation_has_target((enum operation)op) ? 0 : 1u << op;
    for (int op = 0; op < OPERATIONS; op++)
        if (operation_has_target((enum operation)op))
            heat_table(stats, 1u << op, operation_names[op], html);
    heat_table(stats, without_target, "without a target", html);
    html_close(html);
}
