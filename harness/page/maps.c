// SPDX-License-Identifier: Apache-2.0
//
// Allocation maps side by side. States differ in colour and in pattern, so that neither paper nor
// eyes need to tell colours apart; what a picture shows is also said in words below it.
#include "page/maps.h"
#include "page/picture.h"

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

#define ROW_HEIGHT 45
#define BAR_TOP    18 // below a row's own top
#define BAR_HEIGHT 14
#define TITLES     48 // rows with more rectangles have no tooltips
#define WORDS_MOST 12 // extents that are told in words

static void draw_rect(struct html *html, const char *class, double from, double to, unsigned y,
                      unsigned height) {
    double least = !strcmp(class, "differs") ? 0.7 : 0.25, width = to - from;
    if (width < least) {
        width = least;
        from = from + width > 100 ? 100 - width : from;
    }
    html_open(html, "rect", class);
    html_attribute_format(html, "x", "%.2f%%", from);
    html_attribute_format(html, "y", "%u", y);
    html_attribute_format(html, "width", "%.2f%%", width);
    html_attribute_format(html, "height", "%u", height);
}

// The part of a range in every region of the axis, so that nothing is drawn over a break.
static void draw_range(struct html *html, const struct axis *axis, const char *class, uint64_t from,
                       uint64_t to, unsigned y, unsigned height, const char *title) {
    for (size_t i = 0; i < axis->region_count; i++) {
        uint64_t start = max_u64(from, axis->regions[i].from);
        uint64_t end = min_u64(to, axis->regions[i].to);
        if (start >= end)
            continue;
        draw_rect(html, class, axis_at(axis, start), axis_at(axis, end), y, height);
        if (title)
            html_element_format(html, "title", NULL, "%s: %s to %s", title, html_number(from),
                                html_number(to));
        html_close(html);
    }
}

// Neighbours that a pixel cannot tell apart are one rectangle.
static void draw_extents(struct html *html, const struct axis *axis, const struct maps_row *row,
                         unsigned y) {
    for (size_t i = 0; i < row->count;) {
        struct maps_extent run = row->extents[i++];
        while (i < row->count && row->extents[i].state == run.state &&
               axis_at(axis, row->extents[i].from) - axis_at(axis, run.to) < 0.08)
            run.to = row->extents[i++].to;
        draw_range(html, axis, run.state->class, run.from, run.to, y, BAR_HEIGHT,
                   row->count <= TITLES ? run.state->words : NULL);
    }
}

static void draw_row(struct html *html, const struct maps_picture *picture, size_t index) {
    const struct maps_row *row = &picture->rows[index];
    const struct axis *axis = &picture->axis;
    unsigned top = (unsigned)index * ROW_HEIGHT;
    const cJSON *item;
    html_open(html, "text", "label");
    html_attribute(html, "x", "0");
    html_attribute_format(html, "y", "%u", top + BAR_TOP - 5);
    html_text(html, row->label);
    if (row->size)
        html_format(html, " (%s)", html_size(row->size));
    if (row->fault[0])
        html_format(html, ": %s", row->fault);
    html_close(html);
    draw_range(html, axis, "track", 0, row->size, top + BAR_TOP, BAR_HEIGHT, NULL);
    draw_extents(html, axis, row, top + BAR_TOP);
    cJSON_ArrayForEach(item, row->ranges) {
        uint64_t from, to;
        if (maps_range(item, &from, &to))
            draw_range(html, axis, "differs", from, to, top + BAR_TOP + BAR_HEIGHT, 6,
                       picture->differs);
    }
}

static void draw_marker(struct html *html, const struct maps_picture *picture) {
    double x = axis_at(&picture->axis, picture->offset);
    html_open(html, "line", "marker");
    html_attribute_format(html, "x1", "%.2f%%", x);
    html_attribute_format(html, "x2", "%.2f%%", x);
    html_attribute(html, "y1", "0");
    html_attribute_format(html, "y2", "%zu", picture->count * ROW_HEIGHT);
    html_close(html);
    html_open(html, "text", "marked");
    html_attribute_format(html, "x", "%.2f%%", x);
    html_attribute_format(html, "y", "%zu", picture->count * ROW_HEIGHT + 32);
    html_attribute(html, "text-anchor", x < 30 ? "start" : x > 70 ? "end" : "middle");
    html_format(html, "first difference: %s", html_number(picture->offset));
    html_close(html);
}

static void draw(struct html *html, const struct maps_picture *picture) {
    unsigned height = (unsigned)picture->count * ROW_HEIGHT + (picture->has_offset ? 38 : 24);
    html_open(html, "svg", "maps");
    html_attribute(html, "role", "img");
    html_attribute(html, "aria-label",
                   "Where the source and the outputs hold data; in words below the picture");
    html_attribute(html, "width", "100%");
    html_attribute_format(html, "height", "%u", height);
    // Breaks first: the rows' labels lie over them.
    axis_draw(&picture->axis, (unsigned)picture->count * ROW_HEIGHT, true, html);
    for (size_t i = 0; i < picture->count; i++)
        draw_row(html, picture, i);
    if (picture->has_offset)
        draw_marker(html, picture);
    html_close(html);
}

// --- words --------------------------------------------------------------------------------------

static bool has_state(const struct maps_picture *picture, const struct maps_state *state) {
    for (size_t i = 0; i < picture->count; i++)
        for (size_t k = 0; k < picture->rows[i].count; k++)
            if (picture->rows[i].extents[k].state == state)
                return true;
    return false;
}

static void tell_key(struct html *html, const char *class, const char *words) {
    html_open(html, "span", "key");
    html_open(html, "svg", NULL);
    html_attribute(html, "width", "16");
    html_attribute(html, "height", "12");
    html_attribute(html, "aria-hidden", "true");
    html_open(html, "rect", class);
    html_attribute(html, "width", "16");
    html_attribute(html, "height", "12");
    html_close(html);
    html_close(html);
    html_format(html, " %s ", words);
    html_close(html);
}

static void tell_keys(struct html *html, const struct maps_picture *picture) {
    bool differs = false;
    for (size_t i = 0; i < picture->count; i++)
        differs |= picture->rows[i].ranges != NULL;
    for (size_t i = 0; i < MAPS_STATES; i++)
        if (has_state(picture, &maps_states[i]))
            tell_key(html, maps_states[i].class, maps_states[i].words);
    tell_key(html, "track", "hole: nothing stored, reads as zeros");
    if (differs)
        tell_key(html, "differs", picture->differs);
    if (picture->axis.region_count > 1) {
        tell_key(html, "gap", "left out: nothing is there");
        html_text(html, "Parts between breaks are not to one scale.");
    }
}

static void tell_row(struct html *html, const struct maps_row *row) {
    html_open(html, "li", NULL);
    html_format(html, "%s, %s: ", row->label, html_size(row->size));
    if (row->fault[0])
        html_format(html, "%s", row->fault);
    else if (!row->count)
        html_text(html, "nothing stored");
    for (size_t i = 0; i < row->count && i < WORDS_MOST; i++)
        html_format(html, "%s%s %s to %s", i ? "; " : "", row->extents[i].state->words,
                    html_size(row->extents[i].from), html_size(row->extents[i].to));
    if (row->count > WORDS_MOST)
        html_format(html, "; and %zu more", row->count - WORDS_MOST);
    if (row->coarse)
        html_format(html, " (coarsened to units of %s)", html_size(row->coarse));
    if (row->cut)
        html_format(html, " (looked at up to %s)", html_size(row->cut));
    html_close(html);
}

static void tell_rows(struct html *html, const struct maps_picture *picture) {
    html_open(html, "details", NULL);
    html_element(html, "summary", NULL, "The picture in words");
    html_open(html, "ul", NULL);
    for (size_t i = 0; i < picture->count; i++)
        tell_row(html, &picture->rows[i]);
    html_close(html);
    html_close(html);
}

static void tell_byte(struct html *html, const cJSON *json, const char *member, const char *who) {
    uint64_t byte;
    if (json_u64(json_member(json, member), &byte))
        html_format(html, "%s 0x%02llx", who, (unsigned long long)(byte & 0xff));
}

// Where the outputs part is what the finding says already; here is which of them leaves the source.
static void tell_difference(struct html *html, const cJSON *maps, const char *const names[2]) {
    const cJSON *output;
    cJSON_ArrayForEach(output, json_member(maps, "outputs")) {
        const cJSON *wrong = json_member(output, "differs_from_source");
        if (!wrong)
            continue;
        html_open(html, "p", NULL);
        html_format(html, "%s (%s) first differs from the source at %s: it holds",
                    json_text(output, "name"), names[!strcmp(json_text(output, "side"), "b")],
                    html_number(json_number(wrong, "offset")));
        tell_byte(html, wrong, "byte", "");
        tell_byte(html, wrong, "source", ", the source");
        html_text(html, ".");
        html_close(html);
    }
}

void picture_maps(const cJSON *report, const char *const names[2], struct html *html) {
    static struct maps_picture picture;
    const cJSON *maps = json_member(report, "maps");
    memset(&picture, 0, sizeof picture);
    maps_read(&picture, maps, names);
    if (!picture.count) {
        axis_free(&picture.axis);
        return;
    }
    html_open(html, "figure", NULL);
    html_element(html, "h4", NULL, "Where the disk holds what, by guest offset");
    tell_difference(html, maps, names);
    draw(html, &picture);
    html_open(html, "figcaption", NULL);
    tell_keys(html, &picture);
    html_close(html);
    tell_rows(html, &picture);
    html_close(html);
    axis_free(&picture.axis);
}
