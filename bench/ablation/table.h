// SPDX-License-Identifier: Apache-2.0
//
// The raw data as people read them.
#ifndef ABLATION_TABLE_H
#define ABLATION_TABLE_H

#include "base/buffer.h"
#include "rows.h"

#define TABLE_SEEDS 5 // a configuration is to have the seeds 1 to 5

// Markdown: what is missing, a table of medians and all values, the comparisons, the time to each
// lie.
void table_words(const struct rows *rows, struct buffer *out);
// SVG: lies found over processor seconds, a line for each configuration, a panel for each engine
// and start; at each moment the median over the seeds.
void plot_svg(const struct rows *rows, struct buffer *out);

// Calls `visit` for every configuration of the matrix (rows_asked) with the values that `axes` has
// before `first`, in order.
void table_each(unsigned axes[AXES], int first,
                void (*visit)(void *context, const unsigned axes[AXES]), void *context);

#endif
