// SPDX-License-Identifier: Apache-2.0
//
// Sound images made unsound in one place: by a fault that a checker of the format has to see, or by
// one for which every reader has to refuse the file.
#ifndef IMAGE_DAMAGE_H
#define IMAGE_DAMAGE_H

#include "image/image.h"

enum image_damage {
    // qcow2
    DAMAGE_LEAK,        // a cluster more at the file's end, with a refcount of 1 and no reference
    DAMAGE_REFCOUNT,    // a cluster that is referred to once has the refcount 0
    DAMAGE_EXCESS,      // a cluster in use has a refcount that is one too high
    DAMAGE_COPIED,      // the COPIED flag of an L1 or L2 entry contradicts the refcount
    DAMAGE_SUBCLUSTERS, // extended L2 entries: a subcluster is stored and zero at once
    // qcow2 (of what is not deflated), and vmdk, vpc and vhdx with tables in one file
    DAMAGE_OVERLAP,                // two guest units lie at one place of the file
    DAMAGE_BEYOND,                 // a guest unit lies behind the file's end
    IMAGE_FAULTS,                  // those above are for checkers, those below for every reader
    DAMAGE_FEATURE = IMAGE_FAULTS, // qcow2: an incompatible feature that nobody knows
    DAMAGE_COMPRESSION,            // qcow2: units compressed in a way that nobody knows
    DAMAGE_VERSION,                // vmdk in one file: of a version that there is not
    DAMAGE_COOKIE,                 // vpc, dynamic: the second header is none
    DAMAGE_LOG,                    // vhdx: a log to replay, and the file is shorter than it says
    DAMAGE_CHECKSUM,               // vhdx: of both region tables, wrong
    DAMAGE_REGION,                 // vhdx: a required region that nobody knows
    DAMAGE_ITEM,                   // vhdx: a required metadata item that nobody knows
    IMAGE_DAMAGES
};
// As names of files have them: "leak", "refcount", ...
extern const char *const image_damage_names[IMAGE_DAMAGES];

// Writes to `to` (must not exist) a copy of the sound image at `from`, with that damage. `chosen`
// says which of the places that could have it gets it. Holes stay holes. -1, and nothing is left
// behind: the image cannot have the damage, or holds more than `most` bytes.
int image_damage(const char *from, const char *to, enum image_format format,
                 enum image_damage damage, uint64_t chosen, uint64_t most, struct fault *fault);

#endif
