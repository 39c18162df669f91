// SPDX-License-Identifier: Apache-2.0
//
// Everything that happened in one case, kept until the next one begins: what a report, a replay
// story or a reproducer is written from. Filled by the run loop (harness/chain.c); all buffers are
// reused from case to case.
#ifndef REPORT_RECORD_H
#define REPORT_RECORD_H

#include "image/damage.h"
#include "oracles/oracle.h"
#include "testcase/testcase.h"

enum { SIDE_A, SIDE_B, SIDES };

#define SIGNATURE_ROOM      240
#define RECORD_MAX_FINDINGS (CASE_MAX_OPERATIONS * 4)
#define RECORD_MAX_FILES    (CASE_MAX_LAYERS * 8 + IMAGE_MAX_FILES)

// One question beside the step: what was typed, and what came back.
struct cross_record {
    const struct tool *tool;
    struct tool_argv argv;
    struct exec_outcome outcome;
    struct tool_result result;
};

struct step_record {
    bool done;               // false: skipped, see why
    char why[48];            // "cost_cap", "budget", "filtered", "not_needed"
    bool fit_is_cheap;       // a measure: its convert may be run
    struct oracle_step step; // points into this record and into the materials of the run
    struct tool_call calls[SIDES];
    struct tool_argv argv[SIDES];
    const char *input_files[RECORD_MAX_FILES]; // all files of the input; borrowed as source_files
    size_t input_file_count;
    char outputs[SIDES][32]; // file names in the case directory
    char fits[SIDES][32];    // of the convert that belongs to a measure
    struct tool_argv fit_argv[SIDES];
    struct exec_outcome outcomes[SIDES], fit_outcomes[SIDES];
    struct tool_result results[SIDES];
    bool flattened[SIDES]; // the output was read through qemu-img instead of our own reader
    struct cross_record beside[SIDES][CROSS_CHECKS]; // where the side's `beside` has an answer
    char other[32];                  // file of an image in which one byte is another
    char damaged[IMAGE_DAMAGES][32]; // of copies of the input that are no longer sound
    char accepted[32];               // of what is written of a copy that must be refused
    unsigned damages_tried;          // bit set: there is such a copy, or there can be none
    struct judgements judgements;
};

struct finding {
    size_t step, judgement; // indices
    char signature[SIGNATURE_ROOM];
    struct opinion opinion; // who is probably wrong
};

struct record {
    const struct testcase *testcase;
    const struct tool *tools[SIDES];
    struct step_record steps[CASE_MAX_OPERATIONS];
    size_t step_count;
    char source_name[32];
    // All files of the source, it among them; borrowed from the run, valid until the next case.
    const char *source_files[RECORD_MAX_FILES];
    size_t source_file_count;
    struct truth source; // of the file that was built
    // Divergences: one a step; where a replay tells all, of each rule one.
    struct finding findings[RECORD_MAX_FINDINGS];
    size_t finding_count;
    uint64_t wall_us;
};

// Why a case that shows no divergence is no agreement either: the reason of the first step in which
// something could not be decided and no answers were compared; or of the first step, where the
// whole case compared none (an option that a tool lacks, a cap), or has no step. NULL: it is one.
const char *record_undecided(const struct record *record);

#endif
