// SPDX-License-Identifier: Apache-2.0
//
// The memory that makes "one abort per signature": a folder with one file per signature met,
// created exclusively, so that all processes of a campaign share it without a lock.
#ifndef HARNESS_SEEN_H
#define HARNESS_SEEN_H

#include "base/fault.h"

#include <stdbool.h>

// Makes the folder. NULL folder: nothing is remembered, everything is new.
int seen_open(const char *folder, struct fault *fault);
bool seen_contains(const char *folder, const char *signature);
// 1: this call is the first that met it; 0: somebody was before; -1: the folder cannot be written.
int seen_claim(const char *folder, const char *signature, struct fault *fault);

#endif
