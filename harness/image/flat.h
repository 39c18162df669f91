// SPDX-License-Identifier: Apache-2.0
//
// Guest bytes stored as they are, from the start of a file on: raw images, fixed vpc disks, flat
// vmdk extents. What is allocated there is the file system's knowledge, so readers and writers ask
// it (SEEK_DATA, SEEK_HOLE) instead of deriving it: qemu-img measures by the same calls, and a file
// system may store more than was written.
#ifndef IMAGE_FLAT_H
#define IMAGE_FLAT_H

#include "image/image.h"

#define FLAT_UNIT 4096u // the page size that file systems allocate in

// The run at a file offset (< end), cut at `end`. Offsets are file bytes.
int flat_extent(int fd, uint64_t end, uint64_t offset, struct image_extent *extent,
                struct fault *fault);
// Writes what the source stores, each byte at its guest offset. A zero form is a hole.
int flat_write(int fd, const struct image_source *source, bool skip_zeros, struct fault *fault);
// Adds what the file system stores of the file's first `size` bytes, which are the guest's from
// `guest` on.
int flat_map(int fd, uint64_t size, uint64_t guest, struct image_map *map, struct fault *fault);

#endif
