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

// Before and after the command of a tool of the pair, `class` being what became of it. Where its
// warm process was started for it the command runs again, with another output: a start that is
// counted in one run and not in the next would make a case another one. -1: that could not be run
// at all.
void coverage_begin(const struct chain *chain, const struct tool *tool);
int coverage_end(struct chain *chain, const struct tool *tool, const struct tool_call *call,
                 size_t index, enum outcome_class class, struct fault *fault);
// Lets the instrumented program do what the qemu-img of the pair has done in this step, on the same
// input. -1: it could not be run at all, or it changed the input.
int coverage_follow(const struct step_record *step, struct chain *chain, size_t index,
                    const struct material *input, struct fault *fault);

#endif
