// SPDX-License-Identifier: Apache-2.0
//
// What the report beside a finding's case says of it, for who runs that case again: which
// divergence it is kept for, and with which tools it was found.
#ifndef COMMAND_FOUND_H
#define COMMAND_FOUND_H

#include "harness.h"

#include <cjson/cJSON.h>

// What a report says of a tool that it was made with.
struct found_with {
    bool named, standin;
    char driven_as[24], version[96], lies[256];
};

// The report.json in the folder of this case; NULL: there is none, or (`damaged`) none that can be
// read. The caller deletes it.
cJSON *found_report(const char *path, bool *damaged);
// The divergence that the report is about; NULL: it names none.
const char *found_signature(const cJSON *report);
// The tools of a report; one without them, or NULL, names none.
void found_read(const cJSON *report, struct found_with found[SIDES]);
// Appends what is different about them today, nothing if they are compared as they were. true: a
// tool of that kind is not compared at all.
bool found_compare(const struct harness *harness, const struct found_with found[SIDES],
                   struct buffer *words);
// Of a case that does not show the divergence of its report: says so, what is different about the
// tools, and what to set to compare as it was then. Appends nothing without a report.
void found_gone(const struct harness *harness, const cJSON *report, struct buffer *words);

#endif
