// SPDX-License-Identifier: Apache-2.0
//
// See chart.h. A line is drawn in a picture of its own inside the picture, which is stretched to
// the page's width; text and marks lie outside of that and keep their shape.
#include "page/chart.h"

#include <stdio.h>
#include <string.h>

#define PITCH       78 // pixels from one panel to the next
#define PLOT_TOP    20 // below a panel's own top
#define PLOT_HEIGHT 50
#define STRETCHED   1000 // width of the inner picture in units of its own
#define AXIS_HEIGHT 22
#define STEPS_MOST  5 // ticks of the axis behind zero

struct unit {
    uint64_t seconds;
    const char *one, *many;
};
static const struct unit units[] = {{1, "second", "seconds"},
                                    {60, "minute", "minutes"},
                                    {3600, "hour", "hours"},
                                    {86400, "day", "days"}};
// Seconds between two ticks.
static const uint64_t steps[] = {1,     2,     5,      10,     20,     60,      120,
                                 300,   600,   1200,   3600,   7200,   10800,   21600,
                                 43200, 86400, 172800, 432000, 864000, 2592000, 8640000};

static double share(const struct chart *chart, double x) {
    uint64_t length = timeline_length(chart->timeline);
    return length ? x / (double)length : 0;
}

const char *chart_value(const struct chart_panel *panel, double value) {
    static char words[4][40];
    static size_t next;
    if (!panel->is_rate || value >= 1000)
        return html_number((uint64_t)(value + 0.5));
    char *to = words[next++ % 4];
    snprintf(to, sizeof words[0], "%.1f", value);
    return to;
}

static void open_line(struct html *html, const char *class, double percent, unsigned from,
                      unsigned to) {
    html_open(html, "line", class);
    html_attribute_format(html, "x1", "%.2f%%", percent);
    html_attribute_format(html, "x2", "%.2f%%", percent);
    html_attribute_format(html, "y1", "%u", from);
    html_attribute_format(html, "y2", "%u", to);
}

static void text(struct html *html, const char *class, double percent, unsigned y,
                 const char *anchor, const char *words) {
    html_open(html, "text", class);
    html_attribute_format(html, "x", "%.2f%%", percent);
    html_attribute_format(html, "y", "%u", y);
    html_attribute(html, "text-anchor", anchor);
    html_text(html, words);
    html_close(html);
}

// --- one panel ----------------------------------------------------------------------------------

static double height_of(const struct curve *curve, double y) {
    return PLOT_HEIGHT * (1 - (curve->most > 0 ? y / curve->most : 0));
}

// `count` points that are one line; the area below it, or the line itself.
static void draw_path(const struct chart *chart, const struct curve *curve, size_t first,
                      size_t count, bool is_area, struct html *html) {
    const struct curve_point *points = &curve->points[first];
    struct buffer path = {0};
    double from = STRETCHED * share(chart, points[0].x);
    double to = STRETCHED * share(chart, points[count - 1].x);
    if (is_area)
        buffer_format(&path, "M%.1f,%d", from, PLOT_HEIGHT);
    for (size_t i = 0; i < count; i++)
        buffer_format(&path, "%s%.1f,%.1f", path.length ? "L" : "M",
                      STRETCHED * share(chart, points[i].x), height_of(curve, points[i].y));
    if (is_area)
        buffer_format(&path, "L%.1f,%dZ", to, PLOT_HEIGHT);
    html_open(html, "path", is_area ? "c-area" : "c-line");
    html_attribute(html, "d", path.data);
    html_close(html);
    buffer_free(&path);
}

static void draw_curve(const struct chart *chart, const struct curve *curve, unsigned top,
                       struct html *html) {
    html_open(html, "svg", "plot");
    html_attribute(html, "x", "0");
    html_attribute_format(html, "y", "%u", top + PLOT_TOP);
    html_attribute(html, "width", "100%");
    html_attribute_format(html, "height", "%d", PLOT_HEIGHT);
    html_attribute_format(html, "viewBox", "0 0 %d %d", STRETCHED, PLOT_HEIGHT);
    html_attribute(html, "preserveAspectRatio", "none");
    for (size_t first = 0, count; first < curve->count; first += count) {
        for (count = 1; first + count < curve->count && !curve->points[first + count].begins;)
            count++;
        draw_path(chart, curve, first, count, true, html);
        draw_path(chart, curve, first, count, false, html);
    }
    html_close(html);
}

static void draw_ticks(const struct chart *chart, const struct curve *curve, unsigned top,
                       struct html *html) {
    for (size_t i = 0; i < curve->count; i++) {
        const struct curve_point *point = &curve->points[i];
        open_line(html, "c-tick", 100 * share(chart, point->x), top + PLOT_TOP + 14,
                  top + PLOT_TOP + PLOT_HEIGHT);
        html_element_format(html, "title", NULL, "%s more, after %s",
                            html_number((uint64_t)point->y), html_span((uint64_t)point->x));
        html_close(html);
    }
}

static void draw_panel(const struct chart *chart, size_t index, struct html *html) {
    const struct chart_panel *panel = &chart->panels[index];
    unsigned top = (unsigned)index * PITCH, bottom = top + PLOT_TOP + PLOT_HEIGHT;
    if (panel->is_ticks)
        draw_ticks(chart, &panel->curve, top, html);
    else
        draw_curve(chart, &panel->curve, top, html);
    html_open(html, "line", "c-base");
    html_attribute(html, "x1", "0");
    html_attribute(html, "x2", "100%");
    html_attribute_format(html, "y1", "%u", bottom);
    html_attribute_format(html, "y2", "%u", bottom);
    html_close(html);
}

static void draw_words(const struct chart *chart, size_t index, struct html *html) {
    const struct chart_panel *panel = &chart->panels[index];
    unsigned y = (unsigned)index * PITCH + PLOT_TOP - 6;
    char words[160];
    if (panel->is_ticks)
        snprintf(words, sizeof words, "%s", panel->name);
    else
        snprintf(words, sizeof words, "%s, 0 to %s", panel->name,
                 chart_value(panel, panel->curve.most));
    text(html, "label", 0, y, "start", words);
    text(html, "last", 100, y, "end", chart_value(panel, panel->curve.last));
}

// --- what all panels share ----------------------------------------------------------------------

// Where time is cut out. The title belongs to a strip that a pointer can hit.
static void draw_pauses(const struct chart *chart, unsigned height, struct html *html) {
    const struct timeline *timeline = chart->timeline;
    if (timeline->stretch_count > CHART_PAUSES + 1)
        return;
    for (size_t i = 1; i < timeline->stretch_count; i++) {
        const struct timeline_stretch *stretch = &timeline->stretches[i];
        double percent = 100 * share(chart, (double)timeline->samples[stretch->first].running);
        open_line(html, "c-pause", percent, 0, height);
        html_close(html);
        html_open(html, "rect", "c-hit");
        html_attribute_format(html, "x", "%.2f%%", percent);
        html_attribute(html, "y", "0");
        html_attribute(html, "width", "9");
        html_attribute_format(html, "height", "%u", height);
        html_attribute(html, "transform", "translate(-4.5 0)");
        html_element_format(html, "title", NULL, "%s in which nothing ran, until %s",
                            html_span(stretch->pause),
                            html_time(timeline->samples[stretch->first].values[TIMELINE_TIME]));
        html_close(html);
    }
}

// The largest unit that every tick is a multiple of.
static const struct unit *unit_of(uint64_t step) {
    const struct unit *unit = units;
    while (unit + 1 < units + sizeof units / sizeof *units && step >= unit[1].seconds)
        unit++;
    return unit;
}

static void draw_axis(const struct chart *chart, unsigned y, struct html *html) {
    uint64_t length = timeline_length(chart->timeline);
    size_t step = 0;
    char words[60];
    while (step + 1 < sizeof steps / sizeof *steps && length / steps[step] > STEPS_MOST)
        step++;
    const struct unit *unit = unit_of(steps[step]);
    for (uint64_t at = 0; at <= length; at += steps[step]) {
        double percent = 100 * share(chart, (double)at);
        uint64_t count = at / unit->seconds;
        snprintf(words, sizeof words, "%s %s", html_number(count),
                 count == 1 ? unit->one : unit->many);
        open_line(html, "tickline", percent, y, y + 5);
        html_close(html);
        text(html, "tick", percent, y + 17,
             !at            ? "start"
             : percent > 92 ? "end"
                            : "middle",
             at ? words : "0");
    }
}

static void describe(const struct chart *chart, struct html *html) {
    struct buffer words = {0};
    buffer_format(&words, "Over %s of running time", html_span(timeline_length(chart->timeline)));
    for (size_t i = 0; i < chart->count; i++) {
        const struct chart_panel *panel = &chart->panels[i];
        buffer_format(&words, "; %s: %s", panel->name, chart_value(panel, panel->curve.last));
        if (!panel->is_ticks)
            buffer_format(&words, ", at most %s", chart_value(panel, panel->curve.most));
    }
    html_attribute(html, "aria-label", words.data);
    buffer_free(&words);
}

void chart_draw(const struct chart *chart, struct html *html) {
    unsigned bottom = (unsigned)(chart->count - 1) * PITCH + PLOT_TOP + PLOT_HEIGHT;
    html_open(html, "svg", "maps course");
    html_attribute(html, "role", "img");
    describe(chart, html);
    html_attribute(html, "width", "100%");
    html_attribute_format(html, "height", "%u", bottom + AXIS_HEIGHT);
    for (size_t i = 0; i < chart->count; i++)
        draw_panel(chart, i, html);
    draw_pauses(chart, bottom, html);
    for (size_t i = 0; i < chart->count; i++)
        draw_words(chart, i, html);
    draw_axis(chart, bottom, html);
    html_close(html);
}

void chart_free(struct chart *chart) {
    for (size_t i = 0; i < chart->count; i++)
        curve_free(&chart->panels[i].curve);
    memset(chart, 0, sizeof *chart);
}
