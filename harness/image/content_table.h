// SPDX-License-Identifier: Apache-2.0
//
// The first sectors of a disk that says something about itself: partition tables, and the
// beginnings of other image formats. Tools that look at content to learn a format must not take
// a guest's word for it; nothing else in a case makes them look.
#ifndef IMAGE_CONTENT_TABLE_H
#define IMAGE_CONTENT_TABLE_H

#include "image/content.h"

// The eight bytes of 64-bit word `word` of the disk (guest offset / 8) in this pattern; NULL where
// the pattern has no table, or behind its end.
const uint8_t *content_table_word(enum content_pattern pattern, uint64_t word);

#endif
