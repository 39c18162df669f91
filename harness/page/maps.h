// SPDX-License-Identifier: Apache-2.0
//
// A report's maps as rows of a picture: for maps_read.c, which makes them of JSON that nobody
// vouches for, and maps.c, which draws them.
#ifndef PAGE_MAPS_H
#define PAGE_MAPS_H

#include "page/axis.h"
#include "page/read.h"

#define MAPS_ROWS    16
#define MAPS_EXTENTS 1024 // of a row; what a report has more is not drawn
#define MAPS_STATES  4

struct maps_state {
    const char *name; // in report.json
    const char *class, *words;
};
extern const struct maps_state maps_states[MAPS_STATES];

struct maps_extent {
    uint64_t from, to; // sorted, none empty, within the row's size
    const struct maps_state *state;
};

struct maps_row {
    char label[200], fault[200];
    uint64_t size, coarse, cut;
    struct maps_extent extents[MAPS_EXTENTS];
    size_t count;
    bool is_output;
    const cJSON *ranges; // where an output differs; NULL
};

struct maps_picture {
    struct axis axis;
    struct maps_row rows[MAPS_ROWS];
    size_t count;
    bool has_offset;
    uint64_t offset;     // of the first difference
    const char *differs; // what the strips below outputs mean
};

// Fills an empty picture, its axis included.
void maps_read(struct maps_picture *picture, const cJSON *maps, const char *const names[2]);
// A pair [offset, length] as a range; false: it is none.
bool maps_range(const cJSON *item, uint64_t *from, uint64_t *to);

#endif
