// SPDX-License-Identifier: Apache-2.0
//
// How large a file instar's convert writes, by its documentation and source (0.3.0): every write is
// a multiple of the output device's sector, nothing is cut off afterwards, and the device has a
// capacity that is computed before anything is known of units. Hypotheses about one program, and
// about no other: qemu-img and the stand-in lay files out in their own ways.
#ifndef ORACLES_MODEL_WRITERS_H
#define ORACLES_MODEL_WRITERS_H

#include "image/image.h"
#include "testcase/operation.h"

// What goes into a file.
struct writer_load {
    uint64_t size;   // guest bytes that the writer sees
    uint64_t units;  // target units that it stores
    uint64_t tables; // second-level tables (qcow2 L2, vmdk grain tables) with a stored unit
};

// Target units covered by one second-level table; 1 where a format has none.
uint64_t writer_units_per_table(enum image_format target, const struct target_options *options);

// Bytes of the file that convert writes without compression. `sector`: bytes, instar's
// --sector-size (65536 unless given). False where no formula is known (streamOptimized,
// monolithicFlat) or the size does not fit 63 bits.
bool writer_size(enum image_format target, const struct target_options *options,
                 const struct writer_load *load, uint64_t sector, uint64_t *bytes);

// What the output device holds: a longer file is refused, whatever the unit. False if it does not
// fit 63 bits.
bool writer_capacity(enum image_format target, uint64_t size, uint64_t sector, uint64_t *bytes);

#endif
