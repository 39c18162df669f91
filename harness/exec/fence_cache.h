// SPDX-License-Identifier: Apache-2.0
//
// Rulesets that the launcher keeps: a run asks for the same few fences over and over, and a ruleset
// takes longer to build than a small program to run.
#ifndef EXEC_FENCE_CACHE_H
#define EXEC_FENCE_CACHE_H

// As fence_build, but a list that was asked for before gets the same descriptor, which belongs to
// the cache. Rules hold on to directories, not to their names, so `directory`, the one that may
// have been made anew under its old name, must still be the same.
int fence_cached(int landlock, char *const *list, const char *directory);

#endif
