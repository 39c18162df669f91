// SPDX-License-Identifier: Apache-2.0
//
// The part of the target that all engines share (target.c); who calls it is libFuzzer, or what
// speaks its interface, or AFL++ by way of afl.c.
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "guide/guide.h"

#include <stddef.h>
#include <stdint.h>

// What the harness tells of a case; cleared before each by whoever reads it.
extern uint8_t engine_guide[GUIDE_CELLS];

// Runs a case. Does not come back where it found something new, nor where the harness cannot go on.
void engine_run(const uint8_t *data, size_t size);

#endif
