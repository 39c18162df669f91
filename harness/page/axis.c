// SPDX-License-Identifier: Apache-2.0
//
// See axis.h.
#include "page/axis.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_LETTER 1.75 // percent that a letter of a label may take on a narrow page
#define SPARSE       6    // an axis is broken where less than a sixth of it has something

void axis_add(struct axis *axis, uint64_t from, uint64_t to) {
    if (from >= to)
        return;
    axis->parts =
        array_room(axis->parts, &axis->capacity, axis->part_count + 1, sizeof *axis->parts);
    axis->parts[axis->part_count++] = (struct axis_part){from, to};
}

void axis_free(struct axis *axis) {
    free(axis->parts);
    memset(axis, 0, sizeof *axis);
}

static int by_start(const void *a, const void *b) {
    const struct axis_part *left = a, *right = b;
    return left->from < right->from ? -1 : left->from > right->from;
}

// Joins parts whose gap is at most `gap`.
static void join(struct axis *axis, uint64_t gap) {
    size_t kept = 0;
    for (size_t i = 0; i < axis->part_count; i++) {
        struct axis_part *last = kept ? &axis->parts[kept - 1] : NULL, part = axis->parts[i];
        if (last && (part.from <= last->to || part.from - last->to <= gap))
            last->to = max_u64(last->to, part.to);
        else
            axis->parts[kept++] = part;
    }
    axis->part_count = kept;
}

static uint64_t busy(const struct axis *axis) {
    uint64_t sum = 0;
    for (size_t i = 0; i < axis->part_count; i++)
        sum += axis->parts[i].to - axis->parts[i].from;
    return sum;
}

static uint64_t smallest_gap(const struct axis *axis) {
    uint64_t least = UINT64_MAX;
    for (size_t i = 1; i < axis->part_count; i++)
        least = min_u64(least, axis->parts[i].from - axis->parts[i - 1].to);
    return least;
}

// How wide a region is beside others: twice as long is one more, so that a sector beside a gigabyte
// can be seen, and the end of a disk takes no room.
static double weight(const struct axis_part *part) {
    double weight = 1;
    for (uint64_t sectors = (part->to - part->from) / 512; sectors; sectors /= 2)
        weight++;
    return weight;
}

static void lay_out(struct axis *axis) {
    double sum = 0, at = 0, room = 100 - AXIS_BREAK * (double)(axis->part_count - 1);
    for (size_t i = 0; i < axis->part_count; i++)
        sum += weight(&axis->parts[i]);
    axis->region_count = axis->part_count;
    for (size_t i = 0; i < axis->part_count; i++) {
        struct axis_region *region = &axis->regions[i];
        region->from = axis->parts[i].from;
        region->to = axis->parts[i].to;
        region->left = at;
        region->width = room * weight(&axis->parts[i]) / sum;
        at += region->width + AXIS_BREAK;
    }
}

void axis_make(struct axis *axis) {
    if (!axis->part_count)
        axis_add(axis, 0, 1);
    qsort(axis->parts, axis->part_count, sizeof *axis->parts, by_start);
    join(axis, 0);
    uint64_t some = busy(axis), end = axis->parts[axis->part_count - 1].to;
    uint64_t gap = some >= end / SPARSE ? end : some / SPARSE;
    if (axis->parts[0].from <= gap)
        axis->parts[0].from = 0;
    join(axis, gap);
    while (axis->part_count > AXIS_REGIONS)
        join(axis, smallest_gap(axis));
    lay_out(axis);
}

double axis_at(const struct axis *axis, uint64_t value) {
    const struct axis_region *region = axis->regions;
    for (size_t i = 0; i < axis->region_count; i++, region++) {
        if (value < region->from)
            return region->left - (i ? AXIS_BREAK / 2 : 0);
        if (value <= region->to)
            return region->left + region->width * ((double)(value - region->from) /
                                                   (double)(region->to - region->from));
    }
    return 100;
}

static void draw_text(struct html *html, double x, unsigned y, const char *anchor,
                      const char *text) {
    html_open(html, "text", "tick");
    html_attribute_format(html, "x", "%.2f%%", x);
    html_attribute_format(html, "y", "%u", y);
    html_attribute(html, "text-anchor", anchor);
    html_text(html, text);
    html_close(html);
}

static void draw_line(struct html *html, const char *class, double x, unsigned from, unsigned to) {
    html_open(html, "line", class);
    html_attribute_format(html, "x1", "%.2f%%", x);
    html_attribute_format(html, "x2", "%.2f%%", x);
    html_attribute_format(html, "y1", "%u", from);
    html_attribute_format(html, "y2", "%u", to);
    html_close(html);
}

static void draw_break(const struct axis *axis, size_t index, unsigned y, struct html *html) {
    const struct axis_region *before = &axis->regions[index - 1], *region = &axis->regions[index];
    html_open(html, "rect", "gap");
    html_attribute_format(html, "x", "%.2f%%", region->left - AXIS_BREAK);
    html_attribute(html, "y", "0");
    html_attribute_format(html, "width", "%.2f%%", AXIS_BREAK);
    html_attribute_format(html, "height", "%u", y + 4);
    html_element_format(html, "title", NULL, "left out: %s to %s", html_number(before->to),
                        html_number(region->from));
    html_close(html);
}

// Between the ends of an axis without breaks: at multiples of a power of two.
static void draw_inner(const struct axis *axis, unsigned y, bool sizes, double from, double to,
                       struct html *html) {
    const struct axis_region *region = axis->regions;
    uint64_t step = 1;
    while (step < (region->to - region->from) / 5 && step < UINT64_MAX / 2)
        step *= 2;
    for (uint64_t at = region->from / step * step + step; at < region->to; at += step) {
        double x = axis_at(axis, at);
        const char *words = sizes ? html_size(at) : html_number(at);
        double half = LABEL_LETTER * (double)strlen(words) / 2;
        draw_line(html, "tickline", x, y, y + 5);
        if (x - half >= from && x + half <= to) {
            draw_text(html, x, y + 17, "middle", words);
            from = x + half;
        }
        if (at > UINT64_MAX - step)
            break;
    }
}

void axis_draw(const struct axis *axis, unsigned y, bool sizes, struct html *html) {
    double taken = -1;
    const struct axis_region *last = &axis->regions[axis->region_count - 1];
    char end[40], words[40];
    snprintf(end, sizeof end, "%s", sizes ? html_size(last->to) : html_number(last->to));
    double end_from = 100 - LABEL_LETTER * (double)strlen(end);
    for (size_t i = 0; i < axis->region_count; i++) {
        const struct axis_region *region = &axis->regions[i];
        if (i)
            draw_break(axis, i, y, html);
        draw_line(html, "tickline", region->left + (i ? 0 : 0.05), y, y + 5);
        snprintf(words, sizeof words, "%s",
                 sizes ? html_size(region->from) : html_number(region->from));
        double width = LABEL_LETTER * (double)strlen(words);
        if (region->left < taken || (i && region->left + width > end_from))
            continue;
        draw_text(html, region->left, y + 17, "start", words);
        taken = region->left + width;
    }
    if (axis->region_count == 1)
        draw_inner(axis, y, sizes, taken, end_from, html);
    draw_line(html, "tickline", 99.95, y, y + 5);
    if (taken < end_from)
        draw_text(html, 100, y + 17, "end", end);
}
