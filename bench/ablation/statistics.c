// SPDX-License-Identifier: Apache-2.0
//
// Five values against five can be dealt out in 252 ways, so nothing is approximated.
#include "statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double statistics_median(const double *values, size_t count) {
    double *sorted = count ? malloc(count * sizeof *sorted) : NULL;
    if (!sorted)
        return 0;
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    free(sorted);
    return median;
}

double statistics_u(const double *a, size_t a_count, const double *b, size_t b_count) {
    double u = 0;
    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++)
            u += a[i] > b[j] ? 1 : a[i] == b[j] ? 0.5 : 0;
    return u;
}

struct deal {
    double values[STATISTICS_MAX], a[STATISTICS_MAX], b[STATISTICS_MAX];
    size_t count, a_count;
    double mean, distance; // of U, and how far the U in question is from it
    unsigned long deals, extreme;
};

// Gives value `at` and those behind it to the two samples, in every way.
static void deal_on(struct deal *deal, size_t at, size_t a_count) {
    size_t b_count = at - a_count;
    if (at == deal->count) {
        deal->deals++;
        deal->extreme +=
            fabs(statistics_u(deal->a, a_count, deal->b, b_count) - deal->mean) >= deal->distance;
        return;
    }
    if (a_count < deal->a_count) {
        deal->a[a_count] = deal->values[at];
        deal_on(deal, at + 1, a_count + 1);
    }
    if (b_count < deal->count - deal->a_count) {
        deal->b[b_count] = deal->values[at];
        deal_on(deal, at + 1, a_count);
    }
}

double statistics_p(const double *a, size_t a_count, const double *b, size_t b_count) {
    if (!a_count || !b_count || a_count + b_count > STATISTICS_MAX)
        return 1;
    struct deal deal = {.count = a_count + b_count, .a_count = a_count};
    memcpy(deal.values, a, a_count * sizeof *a);
    memcpy(deal.values + a_count, b, b_count * sizeof *b);
    // Both are multiples of a half, so that equal distances are equal in floating point, too.
    deal.mean = (double)(a_count * b_count) / 2;
    deal.distance = fabs(statistics_u(a, a_count, b, b_count) - deal.mean);
    deal_on(&deal, 0, 0);
    return (double)deal.extreme / (double)deal.deals;
}
