// SPDX-License-Identifier: Apache-2.0
//
// The raw data of the ablation, bench/ablation/runs.tsv and lies.tsv: a row a run, and a row a lie
// of each run. The first line names the columns; what is not known is "-".
#ifndef ABLATION_ROWS_H
#define ABLATION_ROWS_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>

// What is varied: the values of each, in the order in which they are shown.
enum axis { AXIS_ENGINE, AXIS_START, AXIS_GUIDANCE, AXIS_MUTATOR, AXES };
enum { ENGINE_LIBFUZZER, ENGINE_AFL };
enum { START_EMPTY, START_SEEDS };
enum { GUIDANCE_BLIND, GUIDANCE_NONE, GUIDANCE_FEATURES, GUIDANCE_INSTRUMENTED };
enum { MUTATOR_BYTES, MUTATOR_STRUCTURED };
#define AXIS_VALUES 4
extern const char *const axis_names[AXES];
extern const char *const axis_values[AXES][AXIS_VALUES]; // NULL where there are fewer

#define LIES_MAX  32
#define SEEDS_MAX 9 // seeds are 1 to 9
#define UNKNOWN   (-1.0)

// What a run is compared by.
enum measure {
    MEASURE_RATE,   // cases per processor second
    MEASURE_CELLS,  // of the matrix of comparisons
    MEASURE_EDGES,  // of qemu-img, over the final corpus
    MEASURE_CORPUS, // files
    MEASURE_LIES,   // detected within the budget
    MEASURE_LAST,   // processor seconds to the last of them
    MEASURE_TIME,   // processor seconds to each lie, added up; one that was not found: the budget
    MEASURE_WAIT,   // seconds on the wall for one of the processor: was the machine busy?
    MEASURES
};
struct measure_words {
    const char *name, *words;
    bool less_is_better;
    int digits;
};
extern const struct measure_words measure_table[MEASURES];

struct run {
    unsigned axes[AXES], seed;
    unsigned starts; // of the engine: more than 1 where it ended before its budget
    double budget, measures[MEASURES]; // UNKNOWN: not measured
    double detected[LIES_MAX];         // UNKNOWN: not within the budget
    size_t lies;                       // that were looked for
    char where[256];                   // machine and versions
};

struct rows {
    struct run *runs;
    size_t count;
    char lies[LIES_MAX][64];
    size_t lie_count;
};

// Reads both files of the folder. A run without all of its lies is an error, and so is one of
// another budget than the first.
int rows_read(struct rows *rows, const char *folder, struct fault *fault);
void rows_free(struct rows *rows);
// Is this configuration one of the matrix?
bool rows_asked(const unsigned axes[AXES]);
// The run of that configuration and seed, or NULL.
const struct run *rows_find(const struct rows *rows, const unsigned axes[AXES], unsigned seed);
// The known values of a measure over the seeds of a configuration. Returns how many.
size_t rows_values(const struct rows *rows, const unsigned axes[AXES], enum measure measure,
                   double values[SEEDS_MAX]);
// The same of the times to one lie, the budget where it was not found; `*found` tells how often it
// was.
size_t rows_times(const struct rows *rows, const unsigned axes[AXES], size_t lie,
                  double values[SEEDS_MAX], size_t *found);

#endif
