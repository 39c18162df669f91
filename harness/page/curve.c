// SPDX-License-Identifier: Apache-2.0
//
// See curve.h. Bins are made for each stretch, all of one length within it, and end at samples.
#include "page/curve.h"

#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_PART 1000 // a line that is shorter than such a part of the axis cannot be seen

static void add(struct curve *curve, double x, double y, bool begins) {
    curve->points =
        array_room(curve->points, &curve->capacity, curve->count + 1, sizeof *curve->points);
    curve->points[curve->count++] = (struct curve_point){x, y, begins};
    curve->most = y > curve->most ? y : curve->most;
    curve->last = y;
}

// Goes from bin to bin of a stretch; `from` and `to` are the samples at a bin's ends.
struct bins {
    const struct timeline *timeline;
    size_t last, from, to;
    uint64_t start, length; // of the stretch, in seconds
    uint64_t number, count; // of the bin that ends at `to`, from 1
};

// False: there is nothing of the stretch that could be drawn.
static bool bins_begin(struct bins *bins, const struct timeline *timeline, size_t stretch) {
    const struct timeline_stretch *of = &timeline->stretches[stretch];
    uint64_t whole = timeline_length(timeline);
    *bins = (struct bins){.timeline = timeline, .from = of->first, .to = of->first};
    bins->last = of->first + of->count - 1;
    bins->start = timeline->samples[of->first].running;
    bins->length = timeline->samples[bins->last].running - bins->start;
    bins->count = whole ? (bins->length * CURVE_BINS + whole / 2) / whole : 0;
    bins->count += bins->count == 0;
    return bins->length && bins->length >= whole / SEEN_PART;
}

static uint64_t passed(const struct bins *bins, size_t sample) {
    return bins->timeline->samples[sample].running - bins->start;
}

static bool bins_next(struct bins *bins) {
    if (bins->to == bins->last)
        return false;
    bins->from = bins->to;
    do
        bins->to++;
    while (bins->to < bins->last &&
           passed(bins, bins->to) * bins->count < (bins->number + 1) * bins->length);
    bins->number = passed(bins, bins->to) * bins->count / bins->length;
    return true;
}

static double x_of(const struct bins *bins, size_t sample) {
    return (double)bins->timeline->samples[sample].running;
}

static uint64_t value_of(const struct bins *bins, size_t sample, enum timeline_column column) {
    return bins->timeline->samples[sample].values[column];
}

// False: the total went back all the time.
static bool rate_of(const struct bins *bins, enum timeline_column column, double *rate) {
    double gained = 0, seconds = 0;
    for (size_t i = bins->from + 1; i <= bins->to; i++) {
        uint64_t before = value_of(bins, i - 1, column), now = value_of(bins, i, column);
        if (now < before)
            continue;
        gained += (double)(now - before);
        seconds += x_of(bins, i) - x_of(bins, i - 1);
    }
    *rate = seconds > 0 ? gained / seconds : 0;
    return seconds > 0;
}

void curve_of_rate(const struct timeline *timeline, enum timeline_column column,
                   struct curve *curve) {
    struct bins bins;
    for (size_t i = 0; i < timeline->stretch_count; i++) {
        bool begins = true;
        for (bool is_drawn = bins_begin(&bins, timeline, i); is_drawn && bins_next(&bins);) {
            double rate;
            bool known = rate_of(&bins, column, &rate);
            if (known) {
                add(curve, x_of(&bins, bins.from), rate, begins);
                add(curve, x_of(&bins, bins.to), rate, false);
            }
            begins = !known;
        }
    }
}

void curve_of_total(const struct timeline *timeline, enum timeline_column column,
                    struct curve *curve) {
    struct bins bins;
    for (size_t i = 0; i < timeline->stretch_count; i++) {
        if (!bins_begin(&bins, timeline, i))
            continue;
        add(curve, x_of(&bins, bins.to), (double)value_of(&bins, bins.to, column), true);
        while (bins_next(&bins))
            add(curve, x_of(&bins, bins.to), (double)value_of(&bins, bins.to, column), false);
    }
    if (timeline->count)
        curve->last = (double)timeline->samples[timeline->count - 1].values[column];
}

void curve_of_events(const struct timeline *timeline, enum timeline_column column,
                     struct curve *curve) {
    double bin = (double)timeline_length(timeline) / CURVE_BINS;
    uint64_t most = 0;
    for (size_t i = 0; i < timeline->count; i++) {
        uint64_t value = timeline->samples[i].values[column];
        double x = (double)timeline->samples[i].running, grown = (double)(value - most);
        if (value <= most)
            continue;
        most = value;
        struct curve_point *before = curve->count ? &curve->points[curve->count - 1] : NULL;
        if (before && x - before->x < bin)
            before->y += grown;
        else
            add(curve, x, grown, true);
    }
    curve->most = curve->last = (double)most;
}

void curve_free(struct curve *curve) {
    free(curve->points);
    memset(curve, 0, sizeof *curve);
}
