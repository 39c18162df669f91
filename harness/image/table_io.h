// SPDX-License-Identifier: Apache-2.0
//
// Big flat tables of a format (block allocation tables, grain directories) through a small window:
// a 64 TiB disk has half a gigabyte of them, nearly all of it a hole in the file, and neither a
// reader nor a writer may hold or touch that much.
#ifndef IMAGE_TABLE_IO_H
#define IMAGE_TABLE_IO_H

#include "image/image.h"

// A table that is read. All of it lies inside the file; whoever begins it has checked that.
struct table_in {
    int fd;
    uint64_t start;         // file offset of the table
    uint64_t length;        // file bytes
    uint64_t window_offset; // of the window, in table bytes
    size_t window_length;   // 0: nothing loaded
    uint64_t hole_end;      // table bytes from the window's start to here are a hole of the file
    uint8_t *window;        // owned
};

void table_in_begin(struct table_in *table, int fd, uint64_t start, uint64_t length);
void table_in_end(struct table_in *table);
// The entry at a table offset (a multiple of its width, which divides 4096); NULL with a fault.
// Valid until the next call.
const uint8_t *table_in_at(struct table_in *table, uint64_t offset, struct fault *fault);
// How many bytes from `offset`, which table_in_at was just asked for, are known to be a hole of the
// file and thus zero; 0 if nothing is known.
uint64_t table_in_hole(const struct table_in *table, uint64_t offset);

// A table that is written, its entries in ascending order. With a fill of zero, what is not put
// stays a hole.
struct table_out {
    int fd;
    uint64_t start, length; // file bytes
    uint8_t fill;           // every byte of an entry that is not put
    uint64_t next;          // table offset of the first window that is not written
    bool dirty;             // the window at `next` holds entries
    uint8_t *window;        // owned
};

void table_out_begin(struct table_out *table, int fd, uint64_t start, uint64_t length,
                     uint8_t fill);
// Where to put the entry of this table offset (not below any earlier one); NULL with a fault.
uint8_t *table_out_at(struct table_out *table, uint64_t offset, struct fault *fault);
// Writes what is left and frees the window; with failed = true only the latter.
int table_out_end(struct table_out *table, bool failed, struct fault *fault);

#endif
