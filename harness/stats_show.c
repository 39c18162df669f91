// SPDX-License-Identifier: Apache-2.0
//
// Counters as a person or a program reads them: one live line, the summary with the matrix of
// comparisons really made, and JSON.
#include "cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t stats_span_s(const struct stats *stats) {
    return stats->updated_s > stats->started_s ? stats->updated_s - stats->started_s : 0;
}

uint64_t stats_running_s(const struct stats *stats) {
    return stats->running_s ? stats->running_s : stats_span_s(stats);
}

static double seconds(const struct stats *stats) {
    uint64_t span = stats_running_s(stats);
    return span ? (double)span : 1.0;
}

static size_t names_used(const struct stats_name *table, size_t room) {
    size_t used = 0;
    while (used < room && table[used].name[0])
        used++;
    return used;
}

// With `between` after the numbers that tell how it goes, before those that tell of work.
static void counters(const struct stats *stats, const char *between, struct buffer *line) {
    uint64_t compared = 0;
    for (size_t i = 0; i < sizeof stats->oracles / sizeof *stats->oracles; i++)
        compared += stats->oracles[i].count;
    buffer_format(line,
                  "%6llus  %llu cases (%.1f/s)  %zu signatures  %llu inconclusive%s"
                  "%llu comparisons  %llu commands  %llu operations",
                  (unsigned long long)stats_running_s(stats), (unsigned long long)stats->cases,
                  (double)stats->cases / seconds(stats), names_used(stats->signatures, STATS_NAMES),
                  (unsigned long long)stats->verdicts[VERDICT_INCONCLUSIVE], between,
                  (unsigned long long)compared, (unsigned long long)stats->commands,
                  (unsigned long long)stats->operations);
    if (stats->harness_errors)
        buffer_format(line, "  %llu HARNESS ERRORS", (unsigned long long)stats->harness_errors);
}

void stats_line(const struct stats *stats, struct buffer *line) {
    counters(stats, "  ", line);
}

// "title: name 12, other 3", of those that begin with `begin`, without it; nothing if there is
// none.
static void live_names(struct buffer *out, const char *title, const struct stats_name *table,
                       size_t room, const char *begin) {
    bool any = false;
    for (size_t i = 0; i < room && table[i].name[0]; i++) {
        if (strncmp(table[i].name, begin, strlen(begin)) != 0)
            continue;
        if (any)
            buffer_text(out, ", ");
        else
            buffer_format(out, "\n        %s: ", title);
        buffer_format(out, "%s %llu", table[i].name + strlen(begin),
                      (unsigned long long)table[i].count);
        any = true;
    }
}

// A signature is long, and what people look for: one a line, the newest first, and no more than a
// small terminal holds.
static void live_signatures(const struct stats *stats, struct buffer *out) {
    enum { SHOWN = 12 };
    size_t met = names_used(stats->signatures, STATS_NAMES);
    for (size_t i = met; i > 0 && met - i < SHOWN; i--)
        buffer_format(out, "\n        diverges: %s %llu", stats->signatures[i - 1].name,
                      (unsigned long long)stats->signatures[i - 1].count);
    if (met > SHOWN)
        buffer_format(out, "\n        and %zu signatures more", met - SHOWN);
}

void stats_live(const struct stats *stats, struct buffer *out) {
    counters(stats, "\n        ", out);
    struct cells_sum cells = cells_sum(stats);
    buffer_format(out, "\n        cells: %zu of %zu that can be reached were compared",
                  cells.compared, cells.reachable);
    live_names(out, "inconclusive", stats->reasons, STATS_NAMES, "inconclusive: ");
    live_names(out, "known", stats->known, sizeof stats->known / sizeof *stats->known, "");
    live_signatures(stats, out);
}

static int by_count(const void *a, const void *b) {
    const struct stats_name *left = a, *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return strcmp(left->name, right->name);
}

static void show_names(struct buffer *words, const char *title, const struct stats_name *table,
                       size_t room) {
    struct stats_name sorted[STATS_NAMES];
    size_t used = names_used(table, room);
    memcpy(sorted, table, used * sizeof *table);
    qsort(sorted, used, sizeof *sorted, by_count);
    buffer_format(words, "%s\n", title);
    if (!used)
        buffer_text(words, "  none\n");
    for (size_t i = 0; i < used; i++)
        buffer_format(words, "  %10llu  %s\n", (unsigned long long)sorted[i].count, sorted[i].name);
}

// A rule is named after its failure; where it found none, that would read as an alarm.
static void show_oracles(struct buffer *words, const struct stats *stats) {
    struct stats_name short_names[sizeof stats->oracles / sizeof *stats->oracles];
    size_t room = sizeof short_names / sizeof *short_names;
    memcpy(short_names, stats->oracles, sizeof short_names);
    for (size_t i = 0; i < room; i++) {
        char *cut = strstr(short_names[i].name, "_divergence");
        if (cut)
            *cut = 0;
    }
    show_names(words, "Comparisons made, by rule", short_names, room);
}

static const char *format_name(int format) {
    return format == IMAGE_FORMATS ? "-" : image_driver((enum image_format)format)->name;
}

// Only a measure can do without a source.
static int source_count(int op) {
    return op == OP_MEASURE ? IMAGE_FORMATS + 1 : IMAGE_FORMATS;
}

static void show_matrix(const struct stats *stats, struct buffer *words) {
    buffer_text(words, "Comparisons by operation, source (rows) and target (columns); "
                       "r = both refused, u = unsupported, i = inconclusive\n");
    for (int op = 0; op < OPERATIONS; op++) {
        bool has_target = operation_has_target((enum operation)op);
        int first = has_target ? 0 : IMAGE_FORMATS, last = has_target ? IMAGE_FORMATS - 1 : first;
        buffer_format(words, "  %-18s", operation_names[op]);
        for (int target = first; target <= last; target++)
            buffer_format(words, " %16s", has_target ? format_name(target) : "");
        buffer_text(words, "\n");
        for (int source = 0; source < source_count(op); source++) {
            buffer_format(words, "    %-16s", format_name(source));
            for (int target = first; target <= last; target++) {
                const struct stats_cell *cell = &stats->matrix[op][source][target];
                char text[48];
                int used = snprintf(text, sizeof text, "%llu", (unsigned long long)cell->compared);
                if (cell->refused)
                    used += snprintf(text + used, sizeof text - (size_t)used, " r%llu",
                                     (unsigned long long)cell->refused);
                if (cell->skipped)
                    used += snprintf(text + used, sizeof text - (size_t)used, " u%llu",
                                     (unsigned long long)cell->skipped);
                if (cell->inconclusive)
                    snprintf(text + used, sizeof text - (size_t)used, " i%llu",
                             (unsigned long long)cell->inconclusive);
                buffer_format(words, " %16s", text);
            }
            buffer_text(words, "\n");
        }
    }
}

void stats_words(const struct stats *stats, const char *empty, struct buffer *words) {
    stats_line(stats, words);
    buffer_text(words, "\n\nVerdicts\n");
    for (int i = 0; i < VERDICTS; i++)
        buffer_format(words, "  %10llu  %s\n", (unsigned long long)stats->verdicts[i],
                      verdict_names[i]);
    if (stats->harness_errors)
        buffer_format(words, "  %10llu  harness errors (see the engine's log)\n",
                      (unsigned long long)stats->harness_errors);
    if (stats->both_ways)
        buffer_format(words,
                      "  %10llu  commands ran by plain execution as well, and were the same\n",
                      (unsigned long long)stats->both_ways);
    buffer_text(words, "\n");
    show_matrix(stats, words);
    struct cells_sum cells = cells_sum(stats);
    buffer_format(
        words,
        "\nCells (operation, source with its features, target, option): %zu of %zu that can "
        "be reached were compared; this names the others:\n    %s\n\n",
        cells.compared, cells.reachable, empty);
    show_oracles(words, stats);
    show_names(words, "\nInconclusive and unsupported, by reason", stats->reasons, STATS_NAMES);
    show_names(words, "\nKnown divergences (explained by the registry, value included)",
               stats->known, sizeof stats->known / sizeof *stats->known);
    show_names(words, "\nDivergences by signature (repeats included)", stats->signatures,
               STATS_NAMES);
}

static cJSON *names_json(const struct stats_name *table, size_t room) {
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < room && table[i].name[0]; i++)
        cJSON_AddNumberToObject(object, table[i].name, (double)table[i].count);
    return object;
}

void stats_cell_json(const struct stats_cell *cell, cJSON *object) {
    cJSON_AddNumberToObject(object, "compared", (double)cell->compared);
    cJSON_AddNumberToObject(object, "refused", (double)cell->refused);
    cJSON_AddNumberToObject(object, "unsupported", (double)cell->skipped);
    cJSON_AddNumberToObject(object, "inconclusive", (double)cell->inconclusive);
}

static cJSON *matrix_json(const struct stats *stats) {
    cJSON *cells = cJSON_CreateArray();
    for (int op = 0; op < OPERATIONS; op++)
        for (int source = 0; source < source_count(op); source++)
            for (int target = 0; target <= IMAGE_FORMATS; target++) {
                if (operation_has_target((enum operation)op) == (target == IMAGE_FORMATS))
                    continue;
                cJSON *cell = cJSON_CreateObject();
                cJSON_AddStringToObject(cell, "operation", operation_names[op]);
                if (source < IMAGE_FORMATS)
                    cJSON_AddStringToObject(cell, "source", format_name(source));
                if (target < IMAGE_FORMATS)
                    cJSON_AddStringToObject(cell, "target", format_name(target));
                stats_cell_json(&stats->matrix[op][source][target], cell);
                cJSON_AddItemToArray(cells, cell);
            }
    return cells;
}

cJSON *stats_json(const struct stats *stats) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "started", (double)stats->started_s);
    cJSON_AddNumberToObject(json, "updated", (double)stats->updated_s);
    cJSON_AddNumberToObject(json, "running", (double)stats_running_s(stats));
    cJSON_AddNumberToObject(json, "cases", (double)stats->cases);
    cJSON_AddNumberToObject(json, "operations", (double)stats->operations);
    cJSON_AddNumberToObject(json, "commands", (double)stats->commands);
    cJSON_AddNumberToObject(json, "confirmations", (double)stats->confirmations);
    cJSON_AddNumberToObject(json, "both_ways", (double)stats->both_ways);
    cJSON_AddNumberToObject(json, "harness_errors", (double)stats->harness_errors);
    cJSON *verdicts = cJSON_AddObjectToObject(json, "verdicts");
    for (int i = 0; i < VERDICTS; i++)
        cJSON_AddNumberToObject(verdicts, verdict_names[i], (double)stats->verdicts[i]);
    cJSON_AddItemToObject(json, "matrix", matrix_json(stats));
    struct cells_sum cells = cells_sum(stats);
    cJSON_AddNumberToObject(json, "cells_reachable", (double)cells.reachable);
    cJSON_AddNumberToObject(json, "cells_compared", (double)cells.compared);
    cJSON_AddItemToObject(json, "cells", cells_json(stats));
    cJSON_AddItemToObject(
        json, "comparisons",
        names_json(stats->oracles, sizeof stats->oracles / sizeof *stats->oracles));
    cJSON_AddItemToObject(json, "reasons", names_json(stats->reasons, STATS_NAMES));
    cJSON_AddItemToObject(json, "known",
                          names_json(stats->known, sizeof stats->known / sizeof *stats->known));
    cJSON_AddItemToObject(json, "signatures", names_json(stats->signatures, STATS_NAMES));
    return json;
}
