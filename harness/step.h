// SPDX-License-Identifier: Apache-2.0
//
// One step of a chain: one operation, both tools, one input file.
#ifndef HARNESS_STEP_H
#define HARNESS_STEP_H

#include "chain.h"

// Fills the step's description (operation, input, options) and forgets the last case's results.
void step_begin(struct step_record *step, const struct chain *chain,
                const struct testcase *testcase, const struct case_operation *operation,
                const struct material *input);
// Runs both tools and judges. -1 is a harness error: a command that could not be run, or a tool
// that calls our command line wrong.
int step_run(struct step_record *step, struct chain *chain, size_t index,
             const struct material *input, struct fault *fault);
// Counts what the judgements of a finished step amount to, or why it was skipped.
// `built` are the classes of the case's source (testcase/source_class.h).
void step_count(const struct step_record *step, uint64_t built, struct stats *stats);

#endif
