// SPDX-License-Identifier: Apache-2.0
//
// AFL++'s coverage map: what the harness tells goes into it, and it is a way to name a crash.
#ifndef ENGINE_AFL_MAP_H
#define ENGINE_AFL_MAP_H

#include <stdint.h>

// Clears the map of this execution and sets two cells of a small reserved range, chosen by the
// signature's hash: one would let some of a hundred signatures collide.
void engine_afl_map_mark(const char *signature);

// Adds the harness's region (guide/guide.h) to the map of this execution, in a reserved range.
void engine_afl_map_guide(const uint8_t *cells);

#endif
