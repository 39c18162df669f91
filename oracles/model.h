// SPDX-License-Identifier: Apache-2.0
//
// The model: what `measure` must say, computed from what the harness knows of an image (virtual
// size, allocation, options), never from a tool. It shares no code with the stand-in. All
// arithmetic is checked; an overflow is an answer (false), not a wrapped number.
#ifndef ORACLES_MODEL_H
#define ORACLES_MODEL_H

#include "image/content.h"
#include "image/image.h"
#include "testcase/operation.h"

struct model_sizes {
    uint64_t required, fully; // bytes
};

// Bytes of `map` that are data (IMAGE_DATA and IMAGE_COMPRESSED), and target units of `unit` bytes
// that they touch.
uint64_t model_allocated(const struct image_map *map);
uint64_t model_units_touched(const struct image_map *map, uint64_t unit);

// The same for any set of states (bit set: 1u << enum image_state).
uint64_t model_units_in_states(const struct image_map *map, uint64_t unit, unsigned states);
// Units of `unit` bytes with at least one byte that is not zero, and in *tables how many tables of
// `units_per_table` consecutive units hold one of them. `tables` may be NULL.
uint64_t model_nonzero_units(const struct content *content, uint64_t unit, uint64_t units_per_table,
                             uint64_t *tables);

// Sizes of a target image of `size` guest bytes in which `units` target units hold data. The
// formulas are those of instar's documentation; for qcow2 and raw they equal qemu-img's, and so
// does what is refused: false for options that no target can have together, and if a size, or the
// sum of both, does not fit 64 bits, or the target cannot be that large.
bool model_measure(enum image_format target, const struct target_options *options, uint64_t size,
                   uint64_t units, struct model_sizes *sizes);
// measure's "bitmaps" for a qcow2 file of `size` guest bytes that was built with these options, and
// a qcow2 target with clusters of that many bytes.
uint64_t model_bitmaps(const struct image_options *built, uint64_t target_cluster, uint64_t size);
// The allocation unit that options give a target: cluster, grain or block in bytes.
uint64_t model_target_unit(enum image_format target, const struct target_options *options);

#endif
