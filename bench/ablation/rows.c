// SPDX-License-Identifier: Apache-2.0
//
// Reading the rows: columns are found by their names.
#include "rows.h"

#include "base/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const axis_names[AXES] = {"engine", "start", "guidance", "mutator"};
const char *const axis_values[AXES][AXIS_VALUES] = {
    [AXIS_ENGINE] = {[ENGINE_LIBFUZZER] = "libfuzzer", [ENGINE_AFL] = "afl"},
    [AXIS_START] = {[START_EMPTY] = "empty", [START_SEEDS] = "seeds"},
    [AXIS_GUIDANCE] = {[GUIDANCE_BLIND] = "blind",
                       [GUIDANCE_NONE] = "none",
                       [GUIDANCE_FEATURES] = "features",
                       [GUIDANCE_INSTRUMENTED] = "instrumented"},
    [AXIS_MUTATOR] = {[MUTATOR_BYTES] = "bytes", [MUTATOR_STRUCTURED] = "structured"},
};

bool rows_asked(const unsigned axes[AXES]) {
    // A blind engine keeps nothing, and the seeds alone find most lies.
    return axes[AXIS_GUIDANCE] != GUIDANCE_BLIND || axes[AXIS_START] == START_EMPTY;
}
const struct measure_words measure_table[MEASURES] = {
    [MEASURE_RATE] = {"rate", "cases a CPU second", false, 1},
    [MEASURE_CELLS] = {"cells", "cells compared", false, 0},
    [MEASURE_EDGES] = {"edges", "edges of qemu-img", false, 0},
    [MEASURE_CORPUS] = {"corpus", "files in the corpus", false, 0},
    [MEASURE_LIES] = {"lies", "lies found", false, 0},
    [MEASURE_LAST] = {"last", "CPU seconds to the last of them", true, 0},
    [MEASURE_TIME] = {"time", "CPU seconds to each lie, added up", true, 0},
    [MEASURE_WAIT] = {"wait", "wall seconds a CPU second", true, 2},
};

// --- tables of text ------------------------------------------------------------------------------

#define COLUMNS_MAX 32

struct table {
    FILE *file;
    const char *path;
    size_t line, columns;
    char names[2048], text[4096];
    char *heads[COLUMNS_MAX], *values[COLUMNS_MAX];
};

static size_t split(char *line, char *parts[COLUMNS_MAX]) {
    size_t count = 0;
    line[strcspn(line, "\n")] = 0;
    for (char *at = line; at && count < COLUMNS_MAX; at = at ? at + 1 : NULL) {
        parts[count++] = at;
        if ((at = strchr(at, '\t')))
            *at = 0;
    }
    return count;
}

static int table_open(struct table *table, const char *path, struct fault *fault) {
    table->path = path;
    table->line = 1;
    table->file = fopen(path, "re");
    if (!table->file)
        return fault_errno(fault, "%s", path);
    if (!fgets(table->names, sizeof table->names, table->file))
        return fault_set(fault, "%s is empty", path);
    table->columns = split(table->names, table->heads);
    return 0;
}

// 1: a row; 0: the end; -1: it has other columns than the head.
static int table_next(struct table *table, struct fault *fault) {
    if (!fgets(table->text, sizeof table->text, table->file))
        return 0;
    table->line++;
    return split(table->text, table->values) == table->columns
               ? 1
               : fault_set(fault, "%s:%zu: not %zu columns", table->path, table->line,
                           table->columns);
}

static const char *table_text(const struct table *table, const char *name) {
    for (size_t i = 0; i < table->columns; i++)
        if (strcmp(table->heads[i], name) == 0)
            return table->values[i];
    return "-";
}

static double table_number(const struct table *table, const char *name) {
    const char *text = table_text(table, name);
    return strcmp(text, "-") == 0 ? UNKNOWN : strtod(text, NULL);
}

// --- runs ----------------------------------------------------------------------------------------

static int read_key(const struct table *table, unsigned axes[AXES], unsigned *seed,
                    struct fault *fault) {
    for (int axis = 0; axis < AXES; axis++) {
        const char *text = table_text(table, axis_names[axis]);
        unsigned value = 0;
        while (value < AXIS_VALUES &&
               (!axis_values[axis][value] || strcmp(axis_values[axis][value], text) != 0))
            value++;
        if (value == AXIS_VALUES)
            return fault_set(fault, "%s:%zu: no %s is called '%s'", table->path, table->line,
                             axis_names[axis], text);
        axes[axis] = value;
    }
    double number = table_number(table, "seed");
    if (number < 1 || number > SEEDS_MAX)
        return fault_set(fault, "%s:%zu: the seed is not 1 to %d", table->path, table->line,
                         SEEDS_MAX);
    *seed = (unsigned)number;
    return 0;
}

static int read_run(struct rows *rows, const struct table *table, struct fault *fault) {
    struct run run = {.budget = table_number(table, "budget")};
    if (read_key(table, run.axes, &run.seed, fault))
        return -1;
    if (rows_find(rows, run.axes, run.seed))
        return fault_set(fault, "%s:%zu: this run is there twice", table->path, table->line);
    double cases = table_number(table, "cases"), cpu = table_number(table, "cpu");
    if (run.budget <= 0 || cases < 0 || cpu <= 0)
        return fault_set(fault, "%s:%zu: no budget, cases or cpu", table->path, table->line);
    if (rows->count && run.budget != rows->runs[0].budget)
        return fault_set(fault, "%s:%zu: a budget of %.0f, and of %.0f before", table->path,
                         table->line, run.budget, rows->runs[0].budget);
    double wall = table_number(table, "wall");
    run.measures[MEASURE_LAST] = UNKNOWN;
    run.measures[MEASURE_WAIT] = wall > 0 ? wall / cpu : UNKNOWN;
    double starts = table_number(table, "starts");
    run.starts = starts < 1 ? 1 : (unsigned)starts;
    run.measures[MEASURE_RATE] = cases / cpu;
    run.measures[MEASURE_CELLS] = table_number(table, "cells");
    run.measures[MEASURE_EDGES] = table_number(table, "edges");
    run.measures[MEASURE_CORPUS] = table_number(table, "corpus");
    snprintf(run.where, sizeof run.where, "%s; qemu-img %s; %s; commit %s",
             table_text(table, "machine"), table_text(table, "qemu_img"),
             table_text(table, "engine_version"), table_text(table, "commit"));
    rows->runs = must_realloc(rows->runs, (rows->count + 1) * sizeof *rows->runs);
    rows->runs[rows->count++] = run;
    return 0;
}

static int lie_index(struct rows *rows, const char *name) {
    for (size_t i = 0; i < rows->lie_count; i++)
        if (strcmp(rows->lies[i], name) == 0)
            return (int)i;
    if (rows->lie_count == LIES_MAX)
        return -1;
    snprintf(rows->lies[rows->lie_count], sizeof *rows->lies, "%s", name);
    return (int)rows->lie_count++;
}

// A run is finished by its row in runs.tsv: lies of a run that has none were left by one that was
// stopped.
static int read_lie(struct rows *rows, const struct table *table, struct fault *fault) {
    unsigned axes[AXES], seed;
    if (read_key(table, axes, &seed, fault))
        return -1;
    struct run *run = (struct run *)(uintptr_t)rows_find(rows, axes, seed);
    int lie = lie_index(rows, table_text(table, "lie"));
    if (!run)
        return 0;
    if (lie < 0)
        return fault_set(fault, "%s: more than %d lies", table->path, LIES_MAX);
    run->lies++;
    double detected = run->detected[lie] = table_number(table, "detected");
    run->measures[MEASURE_LIES] += detected != UNKNOWN;
    run->measures[MEASURE_TIME] += detected != UNKNOWN ? detected : run->budget;
    if (detected > run->measures[MEASURE_LAST])
        run->measures[MEASURE_LAST] = detected;
    return 0;
}

static int read_file(struct rows *rows, const char *folder, const char *name,
                     int (*take)(struct rows *, const struct table *, struct fault *),
                     struct fault *fault) {
    static struct table table;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int status = table_open(&table, path, fault) ? -1 : 1;
    while (status > 0 && (status = table_next(&table, fault)) > 0)
        status = take(rows, &table, fault) ? -1 : 1;
    if (table.file)
        fclose(table.file);
    return status;
}

static int check_lies(const struct rows *rows, const char *folder, struct fault *fault) {
    for (size_t i = 0; i < rows->count; i++)
        if (rows->runs[i].lies != rows->lie_count)
            return fault_set(fault, "%s: row %zu of runs.tsv has %zu lies and not %zu", folder,
                             i + 1, rows->runs[i].lies, rows->lie_count);
    return 0;
}

int rows_read(struct rows *rows, const char *folder, struct fault *fault) {
    *rows = (struct rows){0};
    if (read_file(rows, folder, "runs.tsv", read_run, fault) ||
        read_file(rows, folder, "lies.tsv", read_lie, fault) || check_lies(rows, folder, fault)) {
        rows_free(rows);
        return -1;
    }
    return 0;
}

void rows_free(struct rows *rows) {
    free(rows->runs);
    *rows = (struct rows){0};
}

const struct run *rows_find(const struct rows *rows, const unsigned axes[AXES], unsigned seed) {
    for (size_t i = 0; i < rows->count; i++)
        if (rows->runs[i].seed == seed &&
            memcmp(rows->runs[i].axes, axes, AXES * sizeof *axes) == 0)
            return &rows->runs[i];
    return NULL;
}

size_t rows_values(const struct rows *rows, const unsigned axes[AXES], enum measure measure,
                   double values[SEEDS_MAX]) {
    size_t count = 0;
    for (unsigned seed = 1; seed <= SEEDS_MAX; seed++) {
        const struct run *run = rows_find(rows, axes, seed);
        if (run && run->measures[measure] != UNKNOWN)
            values[count++] = run->measures[measure];
    }
    return count;
}

size_t rows_times(const struct rows *rows, const unsigned axes[AXES], size_t lie,
                  double values[SEEDS_MAX], size_t *found) {
    size_t count = *found = 0;
    for (unsigned seed = 1; seed <= SEEDS_MAX; seed++) {
        const struct run *run = rows_find(rows, axes, seed);
        if (!run)
            continue;
        *found += run->detected[lie] != UNKNOWN;
        values[count++] = run->detected[lie] != UNKNOWN ? run->detected[lie] : run->budget;
    }
    return count;
}
