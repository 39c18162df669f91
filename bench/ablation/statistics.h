// SPDX-License-Identifier: Apache-2.0
//
// What a comparison of a handful of runs with a handful of others rests on.
#ifndef ABLATION_STATISTICS_H
#define ABLATION_STATISTICS_H

#include <stddef.h>

#define STATISTICS_MAX 20 // values of both samples together

// Of a copy; the mean of the two in the middle where there is none. 0 without values.
double statistics_median(const double *values, size_t count);

// Mann-Whitney: of all pairs of a value of `a` and one of `b`, those in which a's is larger; equal
// ones count one half (Mann & Whitney 1947).
double statistics_u(const double *a, size_t a_count, const double *b, size_t b_count);
// How often a U that is at least as far from its mean comes about when the same values are dealt
// out at random: two-sided and exact, ties included, by looking at every deal. 1 if a sample is
// empty or there are more than STATISTICS_MAX values.
double statistics_p(const double *a, size_t a_count, const double *b, size_t b_count);

#endif
