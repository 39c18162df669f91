// SPDX-License-Identifier: Apache-2.0
//
// What AFL++ needs beside the target: what the harness tells goes into its map, a crash is named by
// it, a case that it repeats is answered from memory, a target ends with its afl-fuzz.
#ifndef ENGINE_AFL_H
#define ENGINE_AFL_H

// Clears the map of this execution and sets two cells of a small reserved range, chosen by the
// signature's hash: one would let some of a hundred signatures collide.
void engine_afl_mark(const char *signature);

// afl-fuzz puts its target into a session of its own, where what ends afl-fuzz and its group (an
// out-of-memory killer, a service manager) does not reach it, and a target that waits for afl-fuzz
// waits for ever. So it ends with its parent; each forked child has to ask for that itself.
void engine_afl_follow_parent(void);

#endif
