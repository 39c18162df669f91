// SPDX-License-Identifier: Apache-2.0
//
// The numbers of a measure as bars from zero. Where two differ by less than a bar can show, the
// axis is broken between the groups that they form.
#include "page/axis.h"
#include "page/picture.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BARS       16
#define BAR_PITCH  32
#define BAR_TOP    17
#define BAR_HEIGHT 10
#define SHOWN_PART 60 // a difference of a 60th of the axis can be seen

struct bar {
    char label[120];
    const char *class;
    uint64_t value, model;
    bool has_model;
};

struct chart {
    struct bar bars[BARS];
    size_t count;
};

static void add_bar(struct chart *chart, const char *field, const char *who, const char *class,
                    uint64_t value, const cJSON *model) {
    if (chart->count == BARS)
        return;
    struct bar *bar = &chart->bars[chart->count++];
    *bar = (struct bar){.class = class, .value = value};
    bar->has_model = json_u64(json_member(model, field), &bar->model);
    snprintf(bar->label, sizeof bar->label, "%.30s, %.60s", field, who);
}

static const cJSON *answer_named(const cJSON *step, const char *name) {
    const cJSON *row;
    cJSON_ArrayForEach(
        row, json_member(step, "answers")) if (!strcmp(json_text(row, "name"), name)) return row;
    return NULL;
}

// Each field: what both said, then the model.
static void add_field(struct chart *chart, const cJSON *step, const char *field, const cJSON *model,
                      const char *const names[2]) {
    const cJSON *row = answer_named(step, field);
    uint64_t value;
    if (json_u64(json_member(row, "a"), &value))
        add_bar(chart, field, names[0], "n-a", value, model);
    if (json_u64(json_member(row, "b"), &value))
        add_bar(chart, field, names[1], "n-b", value, model);
    if (json_u64(json_member(model, field), &value))
        add_bar(chart, field, "the model", "n-model", value, NULL);
}

static int by_value(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

// One scale from zero where all differences can be seen on it, else a region for each group.
static void choose_axis(const struct chart *chart, struct axis *axis) {
    uint64_t values[BARS], least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < chart->count; i++)
        values[i] = chart->bars[i].value;
    qsort(values, chart->count, sizeof *values, by_value);
    for (size_t i = 0; i < chart->count; i++) {
        most = max_u64(most, values[i]);
        if (i && values[i] != values[i - 1])
            least = min_u64(least, values[i] - values[i - 1]);
    }
    if (least == UINT64_MAX || least >= most / SHOWN_PART) {
        axis_add(axis, 0, most);
    } else {
        axis_add(axis, 0, least);
        for (size_t i = 0; i < chart->count; i++)
            axis_add(axis, values[i] - min_u64(values[i], least), values[i]);
    }
    axis_make(axis);
}

static void draw_bar(struct html *html, const struct axis *axis, const struct bar *bar,
                     unsigned top) {
    html_open(html, "text", "label");
    html_attribute(html, "x", "0");
    html_attribute_format(html, "y", "%u", top + BAR_TOP - 4);
    html_format(html, "%s: %s", bar->label, html_number(bar->value));
    if (bar->has_model && bar->model != bar->value)
        html_format(html, " (%s%s against the model)", bar->value > bar->model ? "+" : "-",
                    html_number(bar->value > bar->model ? bar->value - bar->model
                                                        : bar->model - bar->value));
    html_close(html);
    for (size_t i = 0; i < axis->region_count; i++) {
        const struct axis_region *region = &axis->regions[i];
        uint64_t end = min_u64(bar->value, region->to);
        if (end <= region->from && !(i == 0 && bar->value == 0))
            continue;
        html_open(html, "rect", bar->class);
        html_attribute_format(html, "x", "%.2f%%", region->left);
        html_attribute_format(html, "y", "%u", top + BAR_TOP);
        html_attribute_format(html, "width", "%.2f%%",
                              bar->value ? axis_at(axis, end) - region->left : 0.2);
        html_attribute_format(html, "height", "%u", BAR_HEIGHT);
        html_close(html);
    }
}

static void draw(const struct chart *chart, struct html *html) {
    struct axis axis = {0};
    unsigned height = (unsigned)chart->count * BAR_PITCH;
    choose_axis(chart, &axis);
    html_open(html, "svg", "maps");
    html_attribute(html, "role", "img");
    html_attribute(html, "aria-label", "The numbers of this measure as bars, each with its value");
    html_attribute(html, "width", "100%");
    html_attribute_format(html, "height", "%u", height + 26);
    axis_draw(&axis, height + 2, false, html);
    for (size_t i = 0; i < chart->count; i++)
        draw_bar(html, &axis, &chart->bars[i], (unsigned)i * BAR_PITCH);
    html_close(html);
    if (axis.region_count > 1)
        html_element(
            html, "figcaption", NULL,
            "Bytes. The axis leaves out what lies between groups of numbers; its parts are "
            "not to one scale.");
    axis_free(&axis);
}

void picture_numbers(const cJSON *report, const char *const names[2], struct html *html) {
    static const char *const fields[] = {"required", "fully-allocated", "bitmaps",
                                         "converted file"};
    struct chart chart = {0};
    const cJSON *step = json_at(json_member(report, "steps"), json_number(report, "step") - 1);
    if (strcmp(json_text(step, "operation"), "measure") != 0)
        return;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        add_field(&chart, step, fields[i], json_member(report, "model"), names);
    if (!chart.count)
        return;
    html_open(html, "figure", NULL);
    html_element(html, "h4", NULL, "The numbers");
    draw(&chart, html);
    html_close(html);
}
