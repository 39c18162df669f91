// SPDX-License-Identifier: Apache-2.0
//
// The stand-in as a function: its program is linked in, and each call runs in a fork of the caller,
// with one lie or none. Without start and linking a command takes a fraction of a millisecond, so
// that each can be asked for every lie.
#ifndef ABLATION_SUBJECT_H
#define ABLATION_SUBJECT_H

#include "base/buffer.h"
#include "base/fault.h"

#include <stdint.h>

#define SUBJECT_LIES_MAX 32
#define SUBJECT_HONEST   (-1)

// The table of standin/lies.c, as `instar lies` prints it.
struct subject_lie {
    char name[64], finding[64];
};
struct subject_lies {
    struct subject_lie items[SUBJECT_LIES_MAX];
    int count;
};
int subject_lies(struct subject_lies *lies, struct fault *fault);

struct subject_answer {
    int status; // of its exit; SUBJECT_HUNG: it went to sleep for ever, as one lie does
    struct buffer out, err;
    // A bit for each lie that the program asked about. Of another lie it would be the same answer:
    // asking is the only way in which a lie gets into it.
    uint32_t asked;
};
#define SUBJECT_HUNG 99

// Runs it in `directory`. -1: there is no answer (it died of a signal, a fork failed).
int subject_run(const char *const *argv, const char *directory, int lie,
                struct subject_answer *answer, struct fault *fault);
void subject_answer_free(struct subject_answer *answer);

#endif
