// SPDX-License-Identifier: Apache-2.0
//
// The third reader: libyal's libraries, which share no code with QEMU or with this project. The
// harness runs them (harness/third.c); what they can be asked about and what their reading means is
// decided here, because a limit of theirs must never accuse a tool.
#ifndef ORACLES_THIRD_H
#define ORACLES_THIRD_H

#include "image/image.h"

enum third_state {
    THIRD_NOT_ASKED,   // no such output, not this case's turn, or no third reader here
    THIRD_UNSUPPORTED, // it cannot read such images, or not rightly: reason
    THIRD_UNDECIDED,   // it gave no reading that could be compared: reason
    THIRD_SAME,        // it reads the input's content, and the size that our reader finds
    THIRD_OTHER,       // it does not: reason says what
};

// What it made of one file.
struct third_reading {
    enum third_state state;
    char reason[40]; // stable and short; THIRD_OTHER: "content", "size" or "unreadable"
    char words[240]; // for people; "" if it was not asked
};

// How a tool's output should be read.
struct third_expected {
    const struct image_source *content; // what the input holds
    uint64_t size;                      // guest bytes that our reader finds in the output
    uint64_t budget;                    // bytes that may be compared
};

// Why libyal has no say on this image, as a stable short reason, or NULL: it can be asked. `words`
// (or NULL) gets the reason for people. The image is one that our reader opened.
const char *third_unsupported(struct image *image, const char **words);
// Compares what was read, a sparse raw file in which everything that was not asked for is a hole.
// What was left out must be zero in the content, too.
void third_compare(struct third_reading *reading, struct image *raw,
                   const struct third_expected *expected);
void third_say(struct third_reading *reading, enum third_state state, const char *reason,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
