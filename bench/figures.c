// SPDX-License-Identifier: Apache-2.0
//
// Series of numbers: medians, quartiles, ratios, JSON.
#include "figures.h"

#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct figure *figures_at(struct figures *figures, const char *unit, const char *format, ...) {
    char name[FIGURE_NAME];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < figures->count; i++)
        if (strcmp(figures->items[i].name, name) == 0)
            return &figures->items[i];
    if (figures->count == figures->room) {
        figures->room = figures->room ? 2 * figures->room : 32;
        figures->items = must_realloc(figures->items, figures->room * sizeof *figures->items);
    }
    struct figure *figure = &figures->items[figures->count++];
    *figure = (struct figure){.unit = unit};
    memcpy(figure->name, name, sizeof name);
    return figure;
}

void figure_add(struct figure *figure, double value) {
    if (figure->count == figure->room) {
        figure->room = figure->room ? 2 * figure->room : 64;
        figure->values = must_realloc(figure->values, figure->room * sizeof *figure->values);
    }
    figure->values[figure->count++] = value;
}

static int by_value(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

// Between two values where the share falls there.
static double quantile_of(const double *values, size_t count, double share) {
    if (!count)
        return 0;
    double *sorted = must_realloc(NULL, count * sizeof *sorted);
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    double at = share * (double)(count - 1);
    size_t below = (size_t)at, above = below + 1 < count ? below + 1 : below;
    double value = sorted[below] + (sorted[above] - sorted[below]) * (at - (double)below);
    free(sorted);
    return value;
}

double figure_quantile(const struct figure *figure, double share) {
    return quantile_of(figure->values, figure->count, share);
}

double figure_median(const struct figure *figure) {
    return figure_quantile(figure, 0.5);
}

double figure_ratio(const struct figure *figure, const struct figure *to) {
    if (!figure->count || figure->count != to->count)
        return 0;
    double *ratios = must_realloc(NULL, figure->count * sizeof *ratios);
    for (size_t i = 0; i < figure->count; i++)
        ratios[i] = figure->values[i] / to->values[i];
    double median = quantile_of(ratios, figure->count, 0.5);
    free(ratios);
    return median;
}

// Four significant digits are more than such figures have.
static void add_rounded(cJSON *json, const char *name, double value) {
    char text[32];
    snprintf(text, sizeof text, "%.4g", value);
    cJSON_AddNumberToObject(json, name, strtod(text, NULL));
}

cJSON *figures_json(const struct figures *figures) {
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->items[i];
        if (!figure->count)
            continue;
        cJSON *item = cJSON_AddObjectToObject(json, figure->name);
        cJSON_AddStringToObject(item, "unit", figure->unit);
        cJSON_AddNumberToObject(item, "count", (double)figure->count);
        add_rounded(item, "median", figure_median(figure));
        add_rounded(item, "low", figure_quantile(figure, 0.25));
        add_rounded(item, "high", figure_quantile(figure, 0.75));
        add_rounded(item, "least", figure_quantile(figure, 0));
        add_rounded(item, "most", figure_quantile(figure, 1));
    }
    return json;
}

void figures_free(struct figures *figures) {
    for (size_t i = 0; i < figures->count; i++)
        free(figures->items[i].values);
    free(figures->items);
    *figures = (struct figures){0};
}
