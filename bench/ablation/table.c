// SPDX-License-Identifier: Apache-2.0
//
// The Markdown. Where runs are missing it says so and uses those that are there.
#include "table.h"

#include "statistics.h"

#include <stdio.h>
#include <string.h>

// What is held against what, of each engine and start: everything against nothing first, then what
// tells which part of it was worth it.
static const struct comparison {
    struct way {
        unsigned guidance, mutator;
    } a, b;
} comparisons[] = {
    {{GUIDANCE_FEATURES, MUTATOR_STRUCTURED}, {GUIDANCE_NONE, MUTATOR_BYTES}},
    {{GUIDANCE_FEATURES, MUTATOR_STRUCTURED}, {GUIDANCE_BLIND, MUTATOR_BYTES}},
    {{GUIDANCE_FEATURES, MUTATOR_STRUCTURED}, {GUIDANCE_BLIND, MUTATOR_STRUCTURED}},
    {{GUIDANCE_FEATURES, MUTATOR_STRUCTURED}, {GUIDANCE_NONE, MUTATOR_STRUCTURED}},
    {{GUIDANCE_NONE, MUTATOR_STRUCTURED}, {GUIDANCE_BLIND, MUTATOR_STRUCTURED}},
    {{GUIDANCE_NONE, MUTATOR_BYTES}, {GUIDANCE_BLIND, MUTATOR_BYTES}},
    {{GUIDANCE_FEATURES, MUTATOR_BYTES}, {GUIDANCE_NONE, MUTATOR_BYTES}},
    {{GUIDANCE_BLIND, MUTATOR_STRUCTURED}, {GUIDANCE_BLIND, MUTATOR_BYTES}},
    {{GUIDANCE_NONE, MUTATOR_STRUCTURED}, {GUIDANCE_NONE, MUTATOR_BYTES}},
    {{GUIDANCE_FEATURES, MUTATOR_STRUCTURED}, {GUIDANCE_FEATURES, MUTATOR_BYTES}},
    {{GUIDANCE_INSTRUMENTED, MUTATOR_STRUCTURED}, {GUIDANCE_FEATURES, MUTATOR_STRUCTURED}},
    {{GUIDANCE_INSTRUMENTED, MUTATOR_BYTES}, {GUIDANCE_FEATURES, MUTATOR_BYTES}},
    {{GUIDANCE_INSTRUMENTED, MUTATOR_STRUCTURED}, {GUIDANCE_NONE, MUTATOR_BYTES}},
    {{GUIDANCE_INSTRUMENTED, MUTATOR_STRUCTURED}, {GUIDANCE_INSTRUMENTED, MUTATOR_BYTES}},
};
static const enum measure compared[] = {MEASURE_LIES, MEASURE_TIME, MEASURE_CELLS, MEASURE_EDGES};
#define COMPARED (sizeof compared / sizeof *compared)

struct walk {
    const struct rows *rows;
    struct buffer *out;
    size_t lie, missing, runs;
};

void table_each(unsigned axes[AXES], int first,
                void (*visit)(void *context, const unsigned axes[AXES]), void *context) {
    if (first == AXES) {
        if (rows_asked(axes))
            visit(context, axes);
        return;
    }
    for (unsigned value = 0; value < AXIS_VALUES && axis_values[first][value]; value++) {
        axes[first] = value;
        table_each(axes, first + 1, visit, context);
    }
}

static void add_names(struct buffer *out, const unsigned axes[AXES], int first, int end,
                      const char *between) {
    for (int axis = first; axis < end; axis++)
        buffer_format(out, "%s%s", axis > first ? between : "", axis_values[axis][axes[axis]]);
}

// --- what there is -------------------------------------------------------------------------------

static void say_missing(void *context, const unsigned axes[AXES]) {
    struct walk *walk = context;
    size_t before = walk->missing;
    for (unsigned seed = 1; seed <= TABLE_SEEDS; seed++) {
        walk->runs++;
        if (rows_find(walk->rows, axes, seed))
            continue;
        if (walk->missing++ == before) {
            buffer_text(walk->out, before ? "; " : "Missing: ");
            add_names(walk->out, axes, 0, AXES, " ");
            buffer_text(walk->out, " seed");
        }
        buffer_format(walk->out, " %u", seed);
    }
}

static void say_where(const struct rows *rows, struct buffer *out) {
    for (size_t i = 0; i < rows->count; i++) {
        size_t same = 0;
        while (same < i && strcmp(rows->runs[same].where, rows->runs[i].where) != 0)
            same++;
        if (same == i)
            buffer_format(out, "* %s\n", rows->runs[i].where);
    }
}

// A stalled machine makes an engine's time-out fire; what it then pays for a second start is in its
// numbers.
static void say_restarts(const struct rows *rows, struct buffer *out) {
    size_t said = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct run *run = &rows->runs[i];
        if (run->starts == 1)
            continue;
        buffer_text(out, said++ ? "; " : "Ended early and started again: ");
        add_names(out, run->axes, 0, AXES, " ");
        buffer_format(out, " seed %u (%u starts)", run->seed, run->starts);
    }
    buffer_text(out, said ? ".\n\n" : "");
}

static void say_runs(const struct rows *rows, struct buffer *out) {
    struct buffer missing = {0};
    unsigned axes[AXES];
    struct walk walk = {.rows = rows, .out = &missing};
    table_each(axes, 0, say_missing, &walk);
    buffer_format(out, "%zu of %zu runs, %.0f CPU seconds each.\n\n", walk.runs - walk.missing,
                  walk.runs, rows->count ? rows->runs[0].budget : 0);
    if (walk.missing)
        buffer_format(out, "%s.\n\n", missing.data);
    say_restarts(rows, out);
    say_where(rows, out);
    buffer_free(&missing);
}

// --- all values ----------------------------------------------------------------------------------

static void add_values(struct buffer *out, const double *values, size_t count, int digits) {
    if (!count) {
        buffer_text(out, " - |");
        return;
    }
    buffer_format(out, " **%.*f**", digits, statistics_median(values, count));
    for (size_t i = 0; i < count; i++)
        buffer_format(out, "%s%.*f", i ? " " : " (", digits, values[i]);
    buffer_text(out, ") |");
}

static void add_row(void *context, const unsigned axes[AXES]) {
    struct walk *walk = context;
    double values[SEEDS_MAX];
    size_t count = rows_values(walk->rows, axes, MEASURE_LIES, values);
    if (!count)
        return;
    buffer_text(walk->out, "| ");
    add_names(walk->out, axes, 0, AXES, " | ");
    buffer_format(walk->out, " | %zu |", count);
    for (int measure = 0; measure < MEASURES; measure++) {
        count = rows_values(walk->rows, axes, (enum measure)measure, values);
        add_values(walk->out, values, count, measure_table[measure].digits);
    }
    buffer_text(walk->out, "\n");
}

static void add_all_values(struct walk *walk) {
    unsigned axes[AXES];
    buffer_text(walk->out, "\nMedian (each seed):\n\n| engine | start | guidance | mutator | n |");
    for (int measure = 0; measure < MEASURES; measure++)
        buffer_format(walk->out, " %s |", measure_table[measure].words);
    buffer_text(walk->out, "\n|");
    for (int column = 0; column < AXES + 1 + MEASURES; column++)
        buffer_text(walk->out, "---|");
    buffer_text(walk->out, "\n");
    table_each(axes, 0, add_row, walk);
}

// --- comparisons ---------------------------------------------------------------------------------

// Seed by seed: how many a wins, and how many it loses.
static void count_wins(const struct rows *rows, const unsigned a[AXES], const unsigned b[AXES],
                       enum measure measure, unsigned *wins, unsigned *losses) {
    *wins = *losses = 0;
    for (unsigned seed = 1; seed <= SEEDS_MAX; seed++) {
        const struct run *one = rows_find(rows, a, seed), *two = rows_find(rows, b, seed);
        if (!one || !two || one->measures[measure] == UNKNOWN || two->measures[measure] == UNKNOWN)
            continue;
        double better = one->measures[measure] - two->measures[measure];
        better = measure_table[measure].less_is_better ? -better : better;
        *wins += better > 0;
        *losses += better < 0;
    }
}

static void add_comparison_of(struct walk *walk, const unsigned a[AXES], const unsigned b[AXES],
                              enum measure measure) {
    double ours[SEEDS_MAX], theirs[SEEDS_MAX];
    unsigned wins, losses;
    size_t our_count = rows_values(walk->rows, a, measure, ours);
    size_t their_count = rows_values(walk->rows, b, measure, theirs);
    if (!our_count || !their_count) {
        buffer_text(walk->out, " - |");
        return;
    }
    count_wins(walk->rows, a, b, measure, &wins, &losses);
    buffer_format(walk->out, " %.0f : %.0f, p %.3f, %u-%u |", statistics_median(ours, our_count),
                  statistics_median(theirs, their_count),
                  statistics_p(ours, our_count, theirs, their_count), wins, losses);
}

static void add_comparison(struct walk *walk, const struct comparison *comparison,
                           const unsigned panel[AXES]) {
    unsigned a[AXES] = {panel[0], panel[1], comparison->a.guidance, comparison->a.mutator};
    unsigned b[AXES] = {panel[0], panel[1], comparison->b.guidance, comparison->b.mutator};
    double values[SEEDS_MAX];
    size_t ours = rows_values(walk->rows, a, MEASURE_LIES, values);
    size_t theirs = rows_values(walk->rows, b, MEASURE_LIES, values);
    if (!ours || !theirs)
        return;
    buffer_text(walk->out, "| ");
    add_names(walk->out, panel, 0, AXIS_GUIDANCE, ", ");
    buffer_text(walk->out, " | ");
    add_names(walk->out, a, AXIS_GUIDANCE, AXES, ", ");
    buffer_text(walk->out, " against ");
    add_names(walk->out, b, AXIS_GUIDANCE, AXES, ", ");
    buffer_format(walk->out, " | %zu, %zu |", ours, theirs);
    for (size_t i = 0; i < COMPARED; i++)
        add_comparison_of(walk, a, b, compared[i]);
    buffer_text(walk->out, "\n");
}

static void add_comparisons(struct walk *walk) {
    buffer_text(walk->out,
                "\nMedian : median, p of a two-sided exact Mann-Whitney test, seeds won - lost:\n\n"
                "| where | what against what | n |");
    for (size_t i = 0; i < COMPARED; i++)
        buffer_format(walk->out, " %s |", measure_table[compared[i]].words);
    buffer_text(walk->out, "\n|---|---|---|");
    for (size_t i = 0; i < COMPARED; i++)
        buffer_text(walk->out, "---|");
    buffer_text(walk->out, "\n");
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        for (unsigned engine = 0; engine < AXIS_VALUES && axis_values[AXIS_ENGINE][engine];
             engine++)
            for (unsigned start = 0; start < AXIS_VALUES && axis_values[AXIS_START][start]; start++)
                add_comparison(walk, &comparisons[i], (unsigned[AXES]){engine, start});
}

// --- the time to each lie ------------------------------------------------------------------------

static void add_time(void *context, const unsigned axes[AXES]) {
    struct walk *walk = context;
    double values[SEEDS_MAX];
    size_t found, count = rows_times(walk->rows, axes, walk->lie, values, &found);
    if (!count)
        buffer_text(walk->out, "  |");
    else if (2 * found <= count)
        buffer_format(walk->out, found ? " - (%zu of %zu) |" : " - |", found, count);
    else if (found < count)
        buffer_format(walk->out, " %.0f (%zu of %zu) |", statistics_median(values, count), found,
                      count);
    else
        buffer_format(walk->out, " %.0f |", statistics_median(values, count));
}

static void add_head(void *context, const unsigned axes[AXES]) {
    struct walk *walk = context;
    buffer_text(walk->out, " ");
    add_names(walk->out, axes, AXIS_GUIDANCE, AXES, ", ");
    buffer_text(walk->out, " |");
}

static void add_rule(void *context, const unsigned axes[AXES]) {
    (void)axes;
    buffer_text(((struct walk *)context)->out, "---|");
}

static void add_panel(struct walk *walk, unsigned engine, unsigned start) {
    unsigned axes[AXES] = {engine, start};
    size_t runs = 0;
    for (size_t i = 0; i < walk->rows->count; i++)
        runs += walk->rows->runs[i].axes[AXIS_ENGINE] == engine &&
                walk->rows->runs[i].axes[AXIS_START] == start;
    if (!runs)
        return;
    buffer_text(walk->out, "\nMedian CPU seconds to each lie (-: not in half of the runs), ");
    add_names(walk->out, axes, 0, AXIS_GUIDANCE, ", ");
    buffer_text(walk->out, ":\n\n| lie |");
    table_each(axes, AXIS_GUIDANCE, add_head, walk);
    buffer_text(walk->out, "\n|---|");
    table_each(axes, AXIS_GUIDANCE, add_rule, walk);
    buffer_text(walk->out, "\n");
    for (walk->lie = 0; walk->lie < walk->rows->lie_count; walk->lie++) {
        buffer_format(walk->out, "| %s |", walk->rows->lies[walk->lie]);
        table_each(axes, AXIS_GUIDANCE, add_time, walk);
        buffer_text(walk->out, "\n");
    }
}

void table_words(const struct rows *rows, struct buffer *out) {
    struct walk walk = {.rows = rows, .out = out};
    say_runs(rows, out);
    if (!rows->count)
        return;
    add_all_values(&walk);
    add_comparisons(&walk);
    for (unsigned engine = 0; engine < AXIS_VALUES && axis_values[AXIS_ENGINE][engine]; engine++)
        for (unsigned start = 0; start < AXIS_VALUES && axis_values[AXIS_START][start]; start++)
            add_panel(&walk, engine, start);
}
