// SPDX-License-Identifier: Apache-2.0
//
// What the pictures of a finding are drawn from: where the input and both outputs of its step hold
// what, and where their contents part. docs/report.md has every member.
#ifndef REPORT_MAPS_H
#define REPORT_MAPS_H

#include "report/report.h"

#define MAPS_EXTENTS 512 // of one row; with more it is coarsened, and says so
#define MAPS_RANGES  64  // where contents differ

// The member "maps". All files of the step must still be in report->directory; they are read by our
// own readers, also where a confirmation was judged through qemu-img.
cJSON *report_maps(const struct report *report);
// A number as report.json has it: exact, as a string from 2^53 on.
void report_add_size(cJSON *object, const char *name, uint64_t value);

#endif
