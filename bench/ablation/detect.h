// SPDX-License-Identifier: Apache-2.0
//
// Does the harness itself find a lie in a case, confirmed, under the type that the lie declares?
// Asked only of cases in which the lie changes an answer (trigger.h), so it may take its time: a
// child process for each lie, with a harness of its own and plain execution.
#ifndef ABLATION_DETECT_H
#define ABLATION_DETECT_H

#include "journal.h"
#include "subject.h"

#include <stdbool.h>
#include <sys/types.h>

struct detector {
    pid_t pid; // 0: not started
    int to, from;
};

// Starts the child at the first question. `*found` tells whether the type was among the findings.
int detect_ask(struct detector *detector, const struct subject_lie *lie,
               const struct journal_entry *entry, bool *found, struct fault *fault);
void detect_end(struct detector *detector); // and its child

#endif
