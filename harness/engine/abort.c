// SPDX-License-Identifier: Apache-2.0
//
// See abort.h. The part that touches AFL++'s map is in afl.c, which must be compiled without
// instrumentation.
#include "engine/abort.h"

#include "engine/afl.h"

#include <stdio.h>
#include <stdlib.h>

void engine_abort(const char *signature) {
    fflush(NULL);
    fprintf(stderr, "Assertion failure: %s\n", signature);
    fflush(stderr);
#ifdef __AFL_COMPILER
    engine_afl_mark(signature);
#endif
    abort();
}
