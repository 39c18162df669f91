// SPDX-License-Identifier: Apache-2.0
//
// What a person is told of text that is no JSON.
#ifndef TESTCASE_JSON_PLACE_H
#define TESTCASE_JSON_PLACE_H

#include "base/fault.h"

// `where` is the place in `text` at which cJSON gave up. Says line, column and what is expected
// there as far as that is told by what stands in front of it; returns -1.
int json_place(const char *text, const char *where, struct fault *fault);

#endif
