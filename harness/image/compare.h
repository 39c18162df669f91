// SPDX-License-Identifier: Apache-2.0
//
// Guest content of two sources, compared by their extents: what both call a hole or zero is never
// read. It only says what is so; whether a longer tail is allowed is for an oracle to judge.
#ifndef IMAGE_COMPARE_H
#define IMAGE_COMPARE_H

#include "image/image.h"

struct image_difference {
    uint64_t a_size, b_size; // guest bytes
    bool prefix_equal;       // bytes below min(a_size, b_size) are equal
    bool tail_zero;          // the rest of the longer one reads as zero (true if sizes are equal)
    bool cut_short;          // the byte budget ran out before everything was looked at
    uint64_t first_offset;   // of the first differing byte, if !prefix_equal; of the first non-zero
                             // byte of the tail, if prefix_equal && !tail_zero
    uint8_t a_byte, b_byte;  // the bytes there (0 beyond a size)
    uint64_t bytes_read;     // really read, for the caps and the statistics
};

// `budget` bounds the bytes really read from each side. -1 if a side could not be read; fault then
// names the side ("first: ..." or "second: ...").
int image_compare(const struct image_source *a, const struct image_source *b, uint64_t budget,
                  struct image_difference *difference, struct fault *fault);

#define IMAGE_ALL_SAME_MAX 3
// Do all of them hold the same bytes, a shorter one continued by zeros? Then each pair would
// compare as prefix_equal and tail_zero, nothing cut short. false says nothing but that this is for
// image_compare to find out: they may differ, one may be unreadable, the budget may be too small.
bool image_all_same(const struct image_source *const *sources, size_t count, uint64_t budget);

#endif
