// SPDX-License-Identifier: Apache-2.0
//
// The guest content of a test case, as extents and pattern functions: what the harness knows
// because it decided it. A 2 TiB disk with three writes is three extents; no byte of it is stored.
// A pattern is a function of the absolute guest offset, so cutting an extent does not change the
// bytes that remain. Offsets and lengths are guest bytes, with byte granularity.
#ifndef IMAGE_CONTENT_H
#define IMAGE_CONTENT_H

#include "image/image.h"

enum content_pattern {
    PATTERN_ZERO,     // zero bytes, but written: a format stores them as data
    PATTERN_CONSTANT, // every byte is the seed (seed 0 is read as 0xff, so it is never zero)
    PATTERN_COUNTER,  // little-endian 64-bit words offset/8, plus the seed in the top byte
    PATTERN_NOISE,    // a 64-bit mixer of offset/8 and seed: does not compress
    // Two partition tables, and what makes readers that trust the first bytes take a disk for an
    // image. Behind their few sectors they are PATTERN_COUNTER.
    PATTERN_MBR,
    PATTERN_GPT,
    PATTERN_QCOW2_HEADER,
    PATTERN_VPC_FOOTER,
    CONTENT_PATTERNS
};
#define CONTENT_PLAIN_PATTERNS (PATTERN_NOISE + 1)

// How the writer of the image is asked to store it.
enum content_form {
    FORM_NORMAL,
    FORM_COMPRESSED,     // where the format can
    FORM_ZERO,           // explicit zero units; the pattern does not matter, bytes read as zero
    FORM_ZERO_ALLOCATED, // the same with space kept
    CONTENT_FORMS
};

struct content_extent {
    uint64_t offset, length;
    enum content_pattern pattern;
    enum content_form form;
    uint8_t seed;
};

struct content {
    uint64_t size;                  // guest bytes
    struct content_extent *extents; // sorted, disjoint; owned, reused from case to case
    size_t count, capacity;
};

void content_begin(struct content *content, uint64_t size); // empties it, keeps the memory
void content_free(struct content *content);
void content_copy(struct content *content, const struct content *from);
// Another size: what lies behind it is forgotten, what is new is zero.
void content_resize(struct content *content, uint64_t size);
// Lays a write over everything written before it. Cut at the disk's end; length 0 does nothing.
void content_write(struct content *content, const struct content_extent *write);
// Bytes at [offset, offset + length); zeros wherever nothing was written or beyond the size.
void content_read(const struct content *content, uint64_t offset, void *buffer, size_t length);
// Are all bytes of the range known to be zero?
bool content_is_zero(const struct content *content, uint64_t offset, uint64_t length);
// As a source for a writer (states: HOLE where nothing was written). Borrows the content.
void content_as_source(const struct content *content, struct image_source *source);
// The same for a file of a chain: states are those of `own`, bytes those of `merged`, which is what
// lies below with `own` over it, of the same size. Both are borrowed through `pair`.
struct content_layer {
    const struct content *own, *merged;
};
void content_as_overlay(const struct content_layer *pair, struct image_source *source);

#endif
