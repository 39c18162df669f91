// SPDX-License-Identifier: Apache-2.0
//
// See distance.h. The table of the usual algorithm, of which three rows are enough.
#include "base/distance.h"

#include <string.h>

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t distance_of(const char *word, const char *other) {
    size_t rows[3][DISTANCE_MOST + 1], *before = rows[0], *above = rows[1], *row = rows[2];
    size_t height = strnlen(word, DISTANCE_MOST), width = strnlen(other, DISTANCE_MOST);
    for (size_t j = 0; j <= width; j++)
        above[j] = j;
    for (size_t i = 1; i <= height; i++) {
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1,
                           above[j - 1] + (word[i - 1] != other[j - 1]));
            if (i > 1 && j > 1 && word[i - 1] == other[j - 2] && word[i - 2] == other[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[width];
}

bool distance_is_near(size_t distance, const char *word) {
    return distance <= 3 && 2 * distance < strlen(word);
}
