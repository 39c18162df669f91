// SPDX-License-Identifier: Apache-2.0
//
// Blocks of which only some sectors are a file's own: differencing VHD and VHDX files say with a
// bit for each sector of 512 bytes whether it is stored here or shown from the parent. The formats
// differ in where the bits are and in their order, not in what they mean.
#ifndef IMAGE_SECTORS_H
#define IMAGE_SECTORS_H

#include "image/image.h"
#include "image/table_io.h"

#define SECTOR_BYTES 512u

enum sector_bits {
    SECTOR_BITS_HIGH_FIRST, // VHD: the first sector is bit 7 of the first byte
    SECTOR_BITS_LOW_FIRST,  // VHDX ([MS-VHDX] 2.4): the first sector is bit 0 of the first byte
};

// How many of the bits from `first` on, below `limit`, are as the first one; *own says which. The
// bitmap starts at `start` in `file`, a table that is the whole file.
int sectors_run(struct table_in *file, uint64_t start, enum sector_bits order, uint64_t first,
                uint64_t limit, bool *own, uint64_t *length, struct fault *fault);

// An overlay of exactly `size` bytes: cut there, or continued by explicit zeros, since what lies
// behind an overlay's end must not show a longer parent.
struct sectors_source {
    const struct image_source *of; // borrowed
    uint64_t size;
};
void sectors_source_begin(struct sectors_source *sectors, struct image_source *source);

// Stores a block that starts at guest `offset` and of which `length` bytes, whole sectors, belong
// to the disk: sets the bits of all sectors that the source does not call a hole, of which it may
// have a part, and writes their bytes to `file_offset`, but for zeros. Adds what is the file's own
// to `map`. *own is the number of bits that were set.
struct sectors_block {
    uint64_t offset, length;
    int fd;
    uint64_t file_offset;
    enum sector_bits order;
    uint8_t *bitmap; // zeros; a bit for each sector
};
int sectors_store(const struct sectors_block *block, const struct image_source *source,
                  struct image_map *map, uint64_t *own, struct fault *fault);

// The name in a parent locator, as a file name in UTF-8: "\" becomes "/", and a leading "./" goes.
void sectors_parent_name(const uint8_t *utf16, size_t bytes, bool big_endian, char *name,
                         size_t room);
// The reverse for ASCII names, behind ".\" if `relative`; returns the bytes, at most `room`, no
// terminator.
size_t sectors_locator(const char *name, bool relative, bool big_endian, uint8_t *utf16,
                       size_t room);

#endif
