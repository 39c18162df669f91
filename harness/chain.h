// SPDX-License-Identifier: Apache-2.0
//
// One case from its decoded form to judged steps: build the source, run each operation with both
// tools on the same input file, let the oracles judge. It knows nothing of engines, of memory of
// earlier cases or of reports; policy.c decides what a divergence leads to.
#ifndef HARNESS_CHAIN_H
#define HARNESS_CHAIN_H

#include "guide/guide.h"
#include "materialize.h"
#include "oracles/registry.h"
#include "report/record.h"
#include "settings.h"
#include "stats.h"

struct coverage;
struct third;

struct chain {
    const struct settings *settings;
    struct tool *tools; // SIDES of them
    struct tool_room room;
    const struct registry *registry;
    struct stats *stats; // commands and times are counted here
    // Which signatures are of interest. Asked of what a judged step holds: true ends the case
    // there. Asked of a hang, too, before a command gets its long run.
    bool (*stop_at)(void *context, const char *signature);
    void *stop_context;
    bool goes_on; // stop_at says what is of interest, but ends nothing
    // A replay, which asks at once what a campaign asks by turns: judgements.past_turns. Each rule
    // may then have a finding in a step.
    bool tells_all;
    // A repetition to confirm this finding, or NULL. Every output is then read through qemu-img's
    // own conversion to raw instead of our reader, so that the confirmation does not rest on code
    // of this project, and steps that the finding does not need are left out.
    const struct finding *confirming;
    const char *sought; // signature that this run is to show, behind the deadline if need be; NULL
    const struct third *third; // NULL: there is none
    bool third_turn;           // it is asked in this case
    unsigned cross_turn;       // cross-checks that are asked in this case, a bit each (cross.h)
    bool both_ways; // commands that take a shortcut run by plain execution, too (tool/both.h)
    bool counting;  // operations, verdicts and the matrix; a repetition counts commands alone
    uint64_t source_classes;         // of the case, where `counting` (testcase/source_class.h)
    uint64_t deadline_us;            // of the case: its budget is used up
    struct guide guide;              // told of every step, where `counting`
    const struct coverage *coverage; // of the instrumented program (coverage.h)
    // Hears of its counters, edge by edge, after each of its commands; NULL: nobody asks.
    void (*counted)(void *context, const uint8_t *counters, size_t edges);
    void *counted_context;
    // The source and what each tool wrote in each step.
    struct material source;
    struct material outputs[CASE_MAX_OPERATIONS][SIDES];
};

// Runs the case once on fresh files. -1 is a harness error with its reason; the record then holds
// what was done up to there.
int chain_run(struct chain *chain, const struct testcase *testcase, struct record *record,
              struct fault *fault);
void chain_free(struct chain *chain);

#endif
