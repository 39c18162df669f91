// SPDX-License-Identifier: Apache-2.0
//
// What a step does with the files that tools write: open them for the oracles, let qemu-img check
// them, convert what a measure promised, make them inputs of later steps.
#ifndef HARNESS_OUTPUT_H
#define HARNESS_OUTPUT_H

#include "chain.h"

struct oracle_side *step_side(struct step_record *step, int side);

// Runs a call and gives its class; a usage error is ours and ends the run (-1).
int step_call(struct chain *chain, const struct tool *tool, const struct tool_call *call,
              struct exec_outcome *outcome, enum outcome_class *class, struct fault *fault);

// instar learns the format from the content; only to measure can it be told another one. What it
// says of a raw file that begins like something else is no opinion on a raw file.
bool step_cannot_tell_format(const struct tool *tool, enum operation op,
                             const struct material *input);

// Removes all files of what a call wrote.
void output_remove(const struct chain *chain, const struct tool_call *call);
// qemu-img, if it is in the pair; NULL.
const struct tool *output_checker(const struct chain *chain);
// Opens what a side wrote: our reader, and qemu-img where that fails or in a confirmation.
int output_open(struct step_record *step, struct chain *chain, int side, struct fault *fault);
// qemu-img's check of it, where it has one.
int output_check(struct step_record *step, struct chain *chain, int side, struct fault *fault);
// Measures of these targets have no second opinion: each is held against that tool's own convert;
// those of others only where cross-checks are asked for.
bool output_is_fitted(enum image_format target);
// Runs that convert, where the tool can do it with the same options.
int output_fit(struct step_record *step, struct chain *chain, int side, size_t index,
               struct fault *fault);
// Closes the reader of an output that was judged; where later steps have it as their input, it
// becomes one first (tainted if the step diverged).
void output_end(struct step_record *step, struct chain *chain, size_t index, int side,
                bool is_input);

#endif
