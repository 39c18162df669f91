// SPDX-License-Identifier: Apache-2.0
//
// What a campaign compared with what, for whoever opens its folder later: a campaign that found
// nothing has no report that would say it.
#ifndef HARNESS_COMPARED_H
#define HARNESS_COMPARED_H

#include "harness.h"

// Writes <out>/compared/<hash>.json: both tools' profiles, how their commands run, fence, guidance,
// time limits. Every process of a campaign finds the same and writes it once; another tool or
// setting in the same folder makes a second file. Does nothing without INSTAR_FUZZ_OUT.
int compared_write(const struct harness *harness, struct fault *fault);

#endif
