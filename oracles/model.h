// SPDX-License-Identifier: Apache-2.0
//
// The model: what `measure` must say, computed from what the harness knows of an image (virtual
// size, allocation, options), never from a tool. It shares no code with the stand-in. All
// arithmetic is checked; an overflow is an answer (false), not a wrapped number.
#ifndef ORACLES_MODEL_H
#define ORACLES_MODEL_H

#include "image/image.h"
#include "testcase/operation.h"

struct model_sizes {
    uint64_t required, fully; // bytes
};

// Bytes of `map` that are data (IMAGE_DATA and IMAGE_COMPRESSED), and target units of `unit` bytes
// that they touch.
uint64_t model_allocated(const struct image_map *map);
uint64_t model_units_touched(const struct image_map *map, uint64_t unit);

// Sizes of a target image of `size` guest bytes in which `units` target units hold data. The
// formulas are those of instar's documentation; for qcow2 and raw they equal qemu-img's.
bool model_measure(enum image_format target, const struct target_options *options, uint64_t size,
                   uint64_t units, struct model_sizes *sizes);
// The allocation unit that options give a target: cluster, grain or block in bytes.
uint64_t model_target_unit(enum image_format target, const struct target_options *options);

#endif
