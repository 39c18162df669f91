// SPDX-License-Identifier: Apache-2.0
//
// What a run wrote: every file of the case directory that was not built for it. It is moved out of
// the way, so that the next run finds the directory as this one did.
#ifndef TESTS_SOAK_KEPT_H
#define TESTS_SOAK_KEPT_H

#include "tests/soak/trial.h"

// Empties the folder `kept`, and moves there what was written into the case directory.
int kept_take(const struct trial *trial, const char *directory, const char *kept,
              struct fault *fault);
// Are there the same files in both, but for identities? If not, `where` has the first difference.
bool kept_same(const struct trial *trial, const char *one, const char *other, char *where,
               size_t room);

#endif
