// SPDX-License-Identifier: Apache-2.0
//
// The judge that every test over generated images asks: does this image hold that content?
#ifndef TESTS_IMAGE_JUDGE_H
#define TESTS_IMAGE_JUDGE_H

#include "image/compare.h"
#include "image/content.h"

// 0, or -1 with the reason. `cut`: an image that is shorter than the content need only hold its
// part.
static inline int judge_content(const struct content *expected, struct image *image, bool cut,
                                struct fault *fault) {
    struct image_source truth, found;
    struct image_difference difference;
    content_as_source(expected, &truth);
    image_as_source(image, &found);
    if (image_compare(&truth, &found, UINT64_MAX, &difference, fault) < 0)
        return -1;
    bool tail_fits = difference.tail_zero || (cut && difference.b_size < difference.a_size);
    if (!difference.prefix_equal || !tail_fits)
        return fault_set(fault, "content differs at %llu: %02x expected, %02x found",
                         (unsigned long long)difference.first_offset, difference.a_byte,
                         difference.b_byte);
    return 0;
}

#endif
