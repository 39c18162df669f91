// SPDX-License-Identifier: Apache-2.0
//
// Sound images made unsound in one place, by a fault that every checker of the format has to see.
#ifndef IMAGE_DAMAGE_H
#define IMAGE_DAMAGE_H

#include "image/image.h"

enum image_damage {
    DAMAGE_LEAK,     // a cluster more at the file's end, with a refcount of 1 and no reference
    DAMAGE_REFCOUNT, // a cluster that is referred to once has the refcount 0
    IMAGE_DAMAGES
};
// As names of files have them: "leak", "refcount".
extern const char *const image_damage_names[IMAGE_DAMAGES];

// Writes to `to` (must not exist) a copy of the qcow2 at `from`, whose refcounts must be sound,
// with that damage. `chosen` says which of the clusters that could have it gets it. Holes stay
// holes. -1, and nothing is left behind: it has no room for the damage, or holds more than `most`
// bytes.
int image_damage(const char *from, const char *to, enum image_damage damage, uint64_t chosen,
                 uint64_t most, struct fault *fault);

#endif
