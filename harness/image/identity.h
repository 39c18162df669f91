// SPDX-License-Identifier: Apache-2.0
//
// Two files that the same writer made twice, in the same way, should be the same but for what a
// writer chooses at random or takes from the clock: the bytes by which a format tells one file from
// another. Only those are passed over; how a file is laid out is compared, too, not only what a
// guest would read.
#ifndef IMAGE_IDENTITY_H
#define IMAGE_IDENTITY_H

#include "image/image.h"

// 1: same size, and the same bytes but for identities; holes read as zeros. 0: not, and `where`
// says the first difference, what `a` has instead of what `b` has ("byte 4096: 0x5a instead of
// 0x00", "4096 bytes instead of 8192"). -1: one of them cannot be read.
// A file beside an image is one of its own: a flat extent or a data file is IMAGE_RAW, a sparse
// extent IMAGE_VMDK. The cost follows what the files store, not their size.
int image_files_same(const char *a, const char *b, enum image_format format, char *where,
                     size_t room, struct fault *fault);

#endif
