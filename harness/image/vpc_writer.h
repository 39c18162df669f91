// SPDX-License-Identifier: Apache-2.0
//
// A VHD file that is being written: what the writers of fixed and of dynamic disks share.
#ifndef IMAGE_VPC_WRITER_H
#define IMAGE_VPC_WRITER_H

#include "image/sectors.h"
#include "image/unit_walk.h"
#include "image/vpc.h"

#define VPC_TIME             0x20000000u // seconds since 2000; of every file, so also of a parent
#define VPC_WRITTEN_LOCATORS 2u

struct vpc_writer {
    int fd;
    const struct image_options *options; // borrowed
    struct image_source source;          // cut at the size that readers see; of an overlay also
                                         // continued up to it
    struct sectors_source padded;        // what `source` is made from then
    struct image_written *written;       // borrowed
    uint8_t footer[VPC_FOOTER_SIZE];
    uint64_t current; // the footer's current size in bytes; at least written->virtual_size
    // Dynamic disks, in bytes of the file.
    uint32_t sector; // every structure is padded to whole ones
    uint64_t header_offset, table_offset;
    uint64_t locators_offset; // with a parent
    uint64_t end;             // behind what is written
};

// Of a differencing disk: the parent's part of the dynamic disk header, and the names that it
// points to; a block at writer->end, without its bitmap, which is returned.
int vpc_write_parent(struct vpc_writer *writer, uint8_t *header, struct fault *fault);
int vpc_store_block(struct vpc_writer *writer, const struct unit *unit, uint8_t *bitmap,
                    struct fault *fault);

int vpc_write_fixed(struct vpc_writer *writer, struct fault *fault);

#endif
