// SPDX-License-Identifier: Apache-2.0
//
// Asking the third reader (third/reader.c, a program of its own beside this one) about what tools
// wrote. It is no tool under test: it may be missing, and whatever it does, crash, hang or refuse,
// is at most an inconclusive step.
#ifndef HARNESS_THIRD_H
#define HARNESS_THIRD_H

#include "base/buffer.h"
#include "chain.h"

#define THIRD_PROGRAM "third-reader"

struct third {
    bool available;
    char path[4096];   // of the program, or where it was looked for
    char version[160]; // "libyal: libqcow 20201213, ..."
    char why_not[600]; // if not available: one clear sentence
    enum exec_backend backend;
};

// Looks for the program and runs it once. That it is not there is no failure; -1 is a harness
// error.
int third_find(struct third *third, struct tool_room *room, struct fault *fault);
// "found at PATH (...)", or "not found, skipping: why".
void third_words(const struct third *third, struct buffer *out);

#define THIRD_SHARE 8 // one case in so many is its turn

// What it reads in the output of a side that succeeded: fills `third` of the side, and where that
// is another disk than the input's, `third_control`. -1 is a harness error.
int third_ask(struct step_record *step, struct chain *chain, int side, size_t index,
              struct fault *fault);

#endif
