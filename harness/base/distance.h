// SPDX-License-Identifier: Apache-2.0
//
// How far a word is from another, so that a message about a misspelt name can offer the right one.
#ifndef BASE_DISTANCE_H
#define BASE_DISTANCE_H

#include <stdbool.h>
#include <stddef.h>

#define DISTANCE_MOST 64 // bytes of a word that are looked at

// Letters that have to be put in, left out, changed or swapped with their neighbour.
size_t distance_of(const char *word, const char *other);
// Is `distance` so small that `word` may be meant by it? Then it is less than half of the word.
bool distance_is_near(size_t distance, const char *word);

#endif
