// SPDX-License-Identifier: Apache-2.0
//
// A broken axis: of a disk of terabytes with three writes only the parts where something is are
// drawn, each wide enough to be seen, with a mark where the axis leaves something out. Positions
// are in percent of the width, so that a picture fits a telephone and a wall.
#ifndef PAGE_AXIS_H
#define PAGE_AXIS_H

#include "page/html.h"

#define AXIS_REGIONS 9   // that are drawn at most; nearer ones are joined first
#define AXIS_BREAK   2.2 // percent that a break takes

struct axis_part {
    uint64_t from, to; // [from, to)
};

struct axis_region {
    uint64_t from, to;
    double left, width; // percent
};

struct axis {
    struct axis_part *parts; // owned
    size_t part_count, capacity;
    struct axis_region regions[AXIS_REGIONS];
    size_t region_count;
};

// What must be seen. Nothing for an empty range.
void axis_add(struct axis *axis, uint64_t from, uint64_t to);
// Chooses the regions. Without parts there is one, of one byte.
void axis_make(struct axis *axis);
void axis_free(struct axis *axis);
// Where a value lies; inside a break: at its nearer side.
double axis_at(const struct axis *axis, uint64_t value);
// The line with its ticks, at `y` pixels; 26 high. `y` of the breaks: from 0 down to it.
void axis_draw(const struct axis *axis, unsigned y, bool sizes, struct html *html);

#endif
