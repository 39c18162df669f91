// SPDX-License-Identifier: Apache-2.0
//
// Columns of a timeline as lines over running time, of so few points that a page stays small
// however long a campaign is. No line goes from one sitting to the next.
#ifndef PAGE_CURVE_H
#define PAGE_CURVE_H

#include "page/timeline.h"

#define CURVE_BINS 300 // of the whole axis; a sitting has at least one

struct curve_point {
    double x, y; // seconds of running time, the value
    bool begins; // a line of its own begins here
};

struct curve {
    struct curve_point *points; // owned
    size_t count, capacity;
    double most, last;
};

// How much the column grew in a second, bin by bin. Where a total went back (counters were lost)
// nothing is known of that moment: it counts for no bin.
void curve_of_rate(const struct timeline *timeline, enum timeline_column column,
                   struct curve *curve);
// The column itself, at the end of each bin.
void curve_of_total(const struct timeline *timeline, enum timeline_column column,
                    struct curve *curve);
// A point where the column passed its most so far; y: by how much. What falls into one bin is one.
void curve_of_events(const struct timeline *timeline, enum timeline_column column,
                     struct curve *curve);
void curve_free(struct curve *curve);

#endif
