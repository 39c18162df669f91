// SPDX-License-Identifier: Apache-2.0
//
// Counters of a run, in one mapped file per process (per fork server under AFL++), so that live
// numbers cost nothing and survive a killed process. `make fuzz`, `instar-fuzz status` and reports
// add the files of a campaign up.
#ifndef HARNESS_STATS_H
#define HARNESS_STATS_H

#include "base/buffer.h"
#include "base/fault.h"
#include "image/image.h"
#include "oracles/verdict.h"
#include "testcase/source_class.h"

#include <cjson/cJSON.h>
#include <stdint.h>

#define STATS_NAMES 192 // signatures and reasons that one process can count apart

struct stats_name {
    char name[120];
    uint64_t count;
};

struct stats_cell {
    uint64_t compared;     // an oracle compared answers
    uint64_t refused;      // both tools refused
    uint64_t skipped;      // unsupported
    uint64_t inconclusive; // a limit, a time-out, the budget
};

struct stats {
    char magic[16];                // STATS_MAGIC
    uint64_t started_s, updated_s; // seconds since the epoch
    uint64_t cases, operations, commands, confirmations;
    uint64_t both_ways; // commands that ran by a shortcut and by plain execution, and agreed
    uint64_t harness_errors;
    uint64_t verdicts[VERDICTS];
    // By source and target; + 1: none.
    struct stats_cell matrix[OPERATIONS][IMAGE_FORMATS + 1][IMAGE_FORMATS + 1];
    struct stats_cell cells[SOURCE_CLASSES][CALL_CLASSES]; // the same, finer; see cells.h
    uint8_t reachable[SOURCE_CLASSES][CALL_CLASSES];       // 1: this pair of tools can fill it
    struct stats_name oracles[32];                         // comparisons by oracle
    struct stats_name reasons[STATS_NAMES];    // inconclusive and unsupported, by reason
    struct stats_name signatures[STATS_NAMES]; // divergences, repeats included
    struct stats_name known[64];               // known divergences, by registry id
    // Of a sum: seconds in which somebody counted, pauses left out. 0 in a file, and files of
    // before this member was there are read, too.
    uint64_t running_s;
};
#define STATS_MAGIC "instar-fuzz-4"

// Maps <out>/stats/<pid>-<start>.bin; `out` NULL: private memory. The mapping lives as long as the
// process; forked children share it, and the lock on the file that says that somebody counts.
int stats_open(struct stats **stats, const char *out, struct fault *fault);
// Adds one to a name in a table of `room` names; when the table is full the last entry, renamed
// "(others)", takes the count.
void stats_count(struct stats_name *table, size_t room, const char *name);
void stats_touch(struct stats *stats); // updated_s = now
// Sums all files below <out>/stats; no count for more than STATS_PAUSE_S is a pause. -1: the folder
// cannot be read.
#define STATS_PAUSE_S 180
int stats_sum(const char *out, struct stats *sum, struct fault *fault);
// Adds the counters of `part`, be they one process's or a whole campaign's.
void stats_add(struct stats *sum, const struct stats *part);
// How many of these files somebody still counts in.
size_t stats_counting(const char *out);
// Seconds from the first start to the last count; 0 where the clock was set back meanwhile.
uint64_t stats_span_s(const struct stats *stats);
// Without the pauses between the sittings of a campaign; of one process the same.
uint64_t stats_running_s(const struct stats *stats);
// One line for a terminal; the whole summary for people, with `empty`, the command that names the
// cells that stayed empty; the same as JSON.
void stats_line(const struct stats *stats, struct buffer *line);
// The same in two lines, and below them cells, inconclusive by reason, known divergences by entry,
// and the newest signatures.
void stats_live(const struct stats *stats, struct buffer *out);
void stats_words(const struct stats *stats, const char *empty, struct buffer *words);
cJSON *stats_json(const struct stats *stats);
// The four counts of a cell, as members of `object`.
void stats_cell_json(const struct stats_cell *cell, cJSON *object);

#endif
