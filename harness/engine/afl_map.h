// SPDX-License-Identifier: Apache-2.0
//
// AFL++'s coverage map as a way to name a crash.
#ifndef ENGINE_AFL_MAP_H
#define ENGINE_AFL_MAP_H

// Clears the map of this execution and sets two cells of a small reserved range, chosen by the
// signature's hash: one would let some of a hundred signatures collide.
void engine_afl_map_mark(const char *signature);

#endif
