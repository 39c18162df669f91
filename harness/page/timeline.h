// SPDX-License-Identifier: Apache-2.0
//
// <campaign>/timeline.tsv: a row of counters every so often, written by who runs the campaign. The
// first line names the columns; a column that is not known here is passed over, one that is missing
// is zero. A line that is not whole (the last one of a campaign that was killed, or what a resumed
// one wrote behind it) is left out.
#ifndef PAGE_TIMELINE_H
#define PAGE_TIMELINE_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMELINE_MOST  (256u << 20) // bytes of the file
#define TIMELINE_PAUSE 3600         // seconds between two samples from which on nobody ran

enum timeline_column {
    TIMELINE_TIME,    // seconds since the epoch
    TIMELINE_SITTING, // from 1; a resumed campaign begins a new one
    TIMELINE_JOBS,    // engines alive
    TIMELINE_CASES,   // this and all below: totals so far, over all sittings
    TIMELINE_COMPARISONS,
    TIMELINE_DIVERGENCES,
    TIMELINE_FINDINGS, // signatures
    TIMELINE_INCONCLUSIVE,
    TIMELINE_CORPUS,   // files that engines kept
    TIMELINE_FEATURES, // as the engine counts them
    TIMELINE_DISK_KIB,
    TIMELINE_COLUMNS
};

extern const char *const timeline_names[TIMELINE_COLUMNS]; // as in the first line

struct timeline_sample {
    uint64_t running; // seconds of running time before it
    uint64_t values[TIMELINE_COLUMNS];
};

// Samples with no pause between them: a sitting, or a part of one where the machine slept.
struct timeline_stretch {
    size_t first, count;
    uint64_t pause; // seconds in front of it that are cut out of the running time
};

struct timeline {
    struct timeline_sample *samples; // owned; in order of running time
    size_t count, capacity;
    struct timeline_stretch *stretches; // owned
    size_t stretch_count, stretch_capacity;
    bool has[TIMELINE_COLUMNS];
    size_t damaged; // lines that were left out, the last one aside
};

// -1: there is no such file or it is no timeline.
int timeline_read(struct timeline *timeline, const char *path, struct fault *fault);
void timeline_free(struct timeline *timeline);
uint64_t timeline_length(const struct timeline *timeline); // seconds of running time
// The index of the first sample at which the campaign had run for `running` seconds.
size_t timeline_at(const struct timeline *timeline, uint64_t running);

#endif
