// SPDX-License-Identifier: Apache-2.0
//
// Cases in which a lie cannot change an answer, by a look at the case alone: near the end of a walk
// only rare lies are looked for, and most cases need not run for them.
#ifndef ABLATION_NARROW_H
#define ABLATION_NARROW_H

#include "testcase/testcase.h"

#include <stdbool.h>

// False only where it is certain. A lie that the table does not know may change anything.
bool narrow_may_show(const char *lie, const struct testcase *testcase);

#endif
