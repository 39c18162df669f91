// SPDX-License-Identifier: Apache-2.0
//
// Guidance by programs that count the edges of their own code. Two kinds: an instrumented qemu-img
// beside the pair (QEMU_IMG_COV), which does what the stock one was asked, right after it, and
// whose answers nobody judges; and a tool of the pair that happens to be built like that. What they
// count goes into the engine's region, in a campaign's first run alone, and only where an engine
// listens.
#ifndef HARNESS_COVERAGE_H
#define HARNESS_COVERAGE_H

#include "chain.h"

struct coverage {
    bool named; // by QEMU_IMG_COV; else there is no such program
    struct tool tool;
};

// Probes the program of the settings. -1: the reason; `unavailable` tells whether it was that the
// program cannot run here, or does not count.
int coverage_find(struct coverage *coverage, const struct settings *settings,
                  struct tool_room *room, bool *unavailable, struct fault *fault);
// A line for each program that guides; nothing without one.
void coverage_announce(const struct coverage *coverage, const struct tool tools[SIDES],
                       struct buffer *out);
void coverage_words(const struct coverage *coverage, struct buffer *out); // for doctor

// Before and after the command of a tool of the pair.
void coverage_begin(const struct chain *chain, const struct tool *tool);
void coverage_end(struct chain *chain, const struct tool *tool, enum outcome_class class, int side);
// Lets the instrumented program do what the qemu-img of the pair has done in this step. -1: it
// could not be run at all.
int coverage_follow(const struct step_record *step, struct chain *chain, size_t index,
                    struct fault *fault);

#endif
