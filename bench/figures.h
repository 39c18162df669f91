// SPDX-License-Identifier: Apache-2.0
//
// What the benchmark's parts measure: named series of numbers, one number a round. Contenders take
// turns within a round, so that a change of the machine's load hits all of them, and a ratio is the
// median of the rounds' own ratios.
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <cjson/cJSON.h>
#include <stddef.h>

#define FIGURE_NAME 128

struct figure {
    char name[FIGURE_NAME];
    const char *unit; // "us", "/s", "ms"
    double *values;
    size_t count, room;
};

struct figures {
    struct figure *items;
    size_t count, room;
};

// The figure of that name, made if there is none. The pointer is good until the next one is made.
struct figure *figures_at(struct figures *figures, const char *unit, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void figure_add(struct figure *figure, double value);
// 0.5 is the median; 0 if there are no values.
double figure_quantile(const struct figure *figure, double share);
double figure_median(const struct figure *figure);
// Median of value by value; both must have been measured in the same rounds. 0 if not.
double figure_ratio(const struct figure *figure, const struct figure *to);
// {name: {unit, count, median, low (quartile), high (quartile), least, most}}; none without values.
cJSON *figures_json(const struct figures *figures);
void figures_free(struct figures *figures);

#endif
