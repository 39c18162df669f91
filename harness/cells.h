// SPDX-License-Identifier: Apache-2.0
//
// The matrix of comparisons, cell by cell: class of the source (testcase/source_class.h) by class
// of the call (testcase/call_class.h). A campaign that never compared anything in a cell has not
// tested it, so cells that this pair of tools could fill and did not are told by name.
#ifndef HARNESS_CELLS_H
#define HARNESS_CELLS_H

#include "report/record.h"
#include "settings.h"
#include "stats.h"

// Which cells a campaign of these tools and settings can fill: a case can ask for the call, and the
// answer of at least one tool can be held against something. Filled once, before the first case.
void cells_reach(struct stats *stats, const struct tool tools[SIDES],
                 const struct settings *settings);
// The classes of what a step reads, as a bit set; `built` are those of the case's source.
uint64_t cells_source(const struct oracle_step *step, uint64_t built);
// Adds one to the same member (0 compared ... as in struct stats_cell) of every cell of the step.
enum cell_count { CELL_COMPARED, CELL_REFUSED, CELL_SKIPPED, CELL_INCONCLUSIVE };
void cells_count(struct stats *stats, const struct oracle_step *step, uint64_t built,
                 enum cell_count what);

struct cells_sum {
    size_t reachable, compared; // of the reachable ones
};
struct cells_sum cells_sum(const struct stats *stats);
// A line for each cell that can be reached or was met; with `only_empty` for those alone that can
// be reached and were never compared. The last line is the sum.
void cells_words(const struct stats *stats, bool only_empty, struct buffer *words);
cJSON *cells_json(const struct stats *stats);

#endif
