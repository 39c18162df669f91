// SPDX-License-Identifier: Apache-2.0
//
// Asking cross-checks (oracles/cross.h): map, compare, measure and check beside the command of a
// step, and that command of copies that are to be refused. Each costs a command or two, so that
// they are asked in some cases only: one in so many, chosen by what a case means, and always in
// replays and confirmations.
#ifndef HARNESS_CROSS_H
#define HARNESS_CROSS_H

#include "chain.h"

#define CROSS_ALL ((1u << CROSS_CHECKS) - 1)
// Those whose turn this case is.
unsigned cross_turns(const uint8_t *data, size_t size);

// Asks what belongs to the step of a side whose command succeeded; `input` is what it read. -1 is a
// harness error.
int cross_ask(struct step_record *step, struct chain *chain, int side, size_t index,
              const struct material *input, struct fault *fault);
void cross_judged(struct step_record *step);           // closes what the oracles had to look at
void cross_forget(struct step_record *step, int side); // the last case's answers
void cross_free(struct step_record *step, int side);

#endif
