// SPDX-License-Identifier: Apache-2.0
//
// The cells as columns of text and as JSON.
#include "cells.h"

#include <inttypes.h>

static const char *target_name(const struct call_class *call) {
    return call->target == IMAGE_FORMATS ? "-" : image_driver(call->target)->name;
}

static bool was_met(const struct stats_cell *cell) {
    return cell->compared || cell->refused || cell->skipped || cell->inconclusive;
}

static bool is_empty(const struct stats *stats, size_t source, size_t call) {
    return stats->reachable[source][call] && !stats->cells[source][call].compared;
}

static void cell_words(const struct stats *stats, size_t source, size_t index,
                       struct buffer *words) {
    const struct call_class *call = &call_classes[index];
    const struct stats_cell *cell = &stats->cells[source][index];
    buffer_format(words,
                  "%-18s  %-27s  %-6s  %-26s  %8" PRIu64 "  %8" PRIu64 "  %11" PRIu64 "  %12" PRIu64
                  "%s\n",
                  operation_names[call->op], source_classes[source].name, target_name(call),
                  option_classes[call->option].name, cell->compared, cell->refused, cell->skipped,
                  cell->inconclusive, is_empty(stats, source, index) ? "  EMPTY" : "");
}

void cells_words(const struct stats *stats, bool only_empty, struct buffer *words) {
    buffer_format(words, "%-18s  %-27s  %-6s  %-26s  %8s  %8s  %11s  %12s\n", "operation", "source",
                  "target", "option", "compared", "refused", "unsupported", "inconclusive");
    for (size_t call = 0; call < CALL_CLASSES; call++)
        for (size_t source = 0; source < SOURCE_CLASSES; source++)
            if (is_empty(stats, source, call) ||
                (!only_empty &&
                 (stats->reachable[source][call] || was_met(&stats->cells[source][call]))))
                cell_words(stats, source, call, words);
    struct cells_sum sum = cells_sum(stats);
    buffer_format(words, "%zu of %zu cells that can be reached were compared, %zu are empty",
                  sum.compared, sum.reachable, sum.reachable - sum.compared);
}

cJSON *cells_json(const struct stats *stats) {
    cJSON *cells = cJSON_CreateArray();
    for (size_t i = 0; i < CALL_CLASSES; i++)
        for (size_t source = 0; source < SOURCE_CLASSES; source++) {
            const struct call_class *call = &call_classes[i];
            const struct stats_cell *from = &stats->cells[source][i];
            if (!stats->reachable[source][i] && !was_met(from))
                continue;
            cJSON *cell = cJSON_CreateObject();
            cJSON_AddStringToObject(cell, "operation", operation_names[call->op]);
            cJSON_AddStringToObject(cell, "source", source_classes[source].name);
            if (call->target < IMAGE_FORMATS)
                cJSON_AddStringToObject(cell, "target", target_name(call));
            cJSON_AddStringToObject(cell, "option", option_classes[call->option].name);
            cJSON_AddBoolToObject(cell, "reachable", stats->reachable[source][i]);
            stats_cell_json(from, cell);
            cJSON_AddItemToArray(cells, cell);
        }
    return cells;
}
