// SPDX-License-Identifier: Apache-2.0
//
// What an engine is told of a case beside the coverage of our own code. The tools are separate
// processes, so an engine is blind to what they do: cells of one region of memory stand for what
// was seen of it (delta-diversity: Petsios et al., "NEZHA: Efficient Domain-Independent
// Differential Testing", 2017), and an engine that reads the region keeps a case that sets a cell
// which no case set before. The region belongs to the engine; here it is only written. A case sets
// the same cells in every run.
#ifndef GUIDE_GUIDE_H
#define GUIDE_GUIDE_H

#include <stddef.h>
#include <stdint.h>

// The region is divided, so that what one tool does never hides what another does.
enum guide_part {
    GUIDE_SIDE_A,   // what tool A answered
    GUIDE_SIDE_B,   // what tool B answered
    GUIDE_PAIR,     // both together, and how they differ
    GUIDE_TRUTH,    // what was put before them
    GUIDE_COVERAGE, // counters of a program that was built with instrumentation
    GUIDE_PARTS
};
#define GUIDE_OUTPUT_CELLS   65536 // the first four parts, a quarter each
#define GUIDE_PART_CELLS     (GUIDE_OUTPUT_CELLS / GUIDE_COVERAGE)
#define GUIDE_COVERAGE_CELLS 65536
#define GUIDE_CELLS          (GUIDE_OUTPUT_CELLS + GUIDE_COVERAGE_CELLS)

// Cells that one step of a case may set in one part; later features are left out. A case that shows
// everything at once would be kept for everything and mutated for nothing.
#define GUIDE_STEP_FEATURES 48

struct guide {
    uint8_t *cells;             // GUIDE_CELLS of them, or NULL: nobody listens
    unsigned left[GUIDE_PARTS]; // features that the step may still set
};

void guide_begin_step(struct guide *guide);
// One thing that was seen, as a number that means it and nothing else of that part (guide_word).
// Its cell becomes 1.
void guide_feature(struct guide *guide, enum guide_part part, uint64_t feature);
// Puts `value` behind what `word` says already; a feature starts from 0.
uint64_t guide_word(uint64_t word, uint64_t value);
// Counters of an instrumented program, one a byte, added up over a case and saturating. More than
// GUIDE_COVERAGE_CELLS of them share cells.
void guide_coverage(struct guide *guide, const uint8_t *counters, size_t count);

#endif
