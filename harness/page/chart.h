// SPDX-License-Identifier: Apache-2.0
//
// Small charts one under the other on one axis of running time, each as high as a line of text and
// a bit, as one picture. Positions along the axis are in percent or stretched, so that it fits a
// telephone and a wall.
#ifndef PAGE_CHART_H
#define PAGE_CHART_H

#include "page/curve.h"
#include "page/html.h"

#define CHART_PANELS 8
#define CHART_PAUSES 40 // marked at most

struct chart_panel {
    const char *name;   // "cases a second"
    struct curve curve; // owned
    bool is_ticks;      // its points are events
    bool is_rate;       // shown with a digit behind the point
};

struct chart {
    const struct timeline *timeline;
    struct chart_panel panels[CHART_PANELS];
    size_t count;
};

// "41.2" or "1,234": the value as the panel shows it. Lives as long as html_number's.
const char *chart_value(const struct chart_panel *panel, double value);
void chart_draw(const struct chart *chart, struct html *html);
void chart_free(struct chart *chart);

#endif
