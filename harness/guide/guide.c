// SPDX-License-Identifier: Apache-2.0
//
// The one place that writes to the engine's region.
#include "guide/guide.h"

#include <string.h>

void guide_begin_step(struct guide *guide) {
    for (int part = 0; part < GUIDE_PARTS; part++)
        guide->left[part] = GUIDE_STEP_FEATURES;
}

uint64_t guide_word(uint64_t word, uint64_t value) { // splitmix64, chained
    uint64_t z = word + value + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void guide_feature(struct guide *guide, enum guide_part part, uint64_t feature) {
    if (!guide->cells || !guide->left[part])
        return;
    uint8_t *cell = &guide->cells[(size_t)part * GUIDE_PART_CELLS + feature % GUIDE_PART_CELLS];
    if (*cell)
        return;
    *cell = 1;
    guide->left[part]--;
}

static void add_counter(uint8_t *cell, uint8_t count) {
    *cell = *cell + count > UINT8_MAX ? UINT8_MAX : (uint8_t)(*cell + count);
}

void guide_coverage(struct guide *guide, const uint8_t *counters, size_t count) {
    if (!guide->cells)
        return;
    uint8_t *cells = guide->cells + GUIDE_OUTPUT_CELLS;
    for (size_t at = 0; at < count; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        size_t length = count - at < sizeof word ? count - at : sizeof word;
        memcpy(&word, counters + at, length);
        for (size_t i = 0; word && i < length; i++)
            if (counters[at + i])
                add_counter(&cells[(at + i) % GUIDE_COVERAGE_CELLS], counters[at + i]);
    }
}
