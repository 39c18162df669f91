// SPDX-License-Identifier: Apache-2.0
//
// What the families of features share. Not for other rooms; they include features.h.
#ifndef GUIDE_FAMILY_H
#define GUIDE_FAMILY_H

#include "guide/features.h"

// A family that is telling: its features are told apart from those of all others by `word`.
struct guide_telling {
    struct guide *guide;
    uint64_t word;
};

struct guide_family {
    const char *name;
    const char *parts; // of the region, for the documentation
    const char *words; // what a feature of it is made of
    void (*tell)(const struct guide_telling *telling, const struct guide_view *view);
};

void guide_tell(const struct guide_telling *telling, enum guide_part part, const uint64_t *values,
                size_t count);
// One feature: these values together.
#define GUIDE_TELL(telling, part, ...)                                                             \
    guide_tell(telling, part, (const uint64_t[]){__VA_ARGS__},                                     \
               sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

// 0, 1, 2, 3-4, 5-8, 9-16 ...: how many bits the number takes, small ones exactly.
unsigned guide_magnitude(uint64_t value);
// Zero bits at the end; 64 for 0.
unsigned guide_zeros(uint64_t value);

static inline enum guide_part guide_part_of(int side) {
    return side ? GUIDE_SIDE_B : GUIDE_SIDE_A;
}

extern const struct guide_family guide_outcomes, guide_messages, guide_numbers, guide_members,
    guide_verdicts, guide_cells, guide_sizes, guide_input_shape, guide_output_shape;

#endif
