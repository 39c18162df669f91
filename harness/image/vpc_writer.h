// SPDX-License-Identifier: Apache-2.0
//
// A VHD file that is being written: what the writers of fixed and of dynamic disks share.
#ifndef IMAGE_VPC_WRITER_H
#define IMAGE_VPC_WRITER_H

#include "image/vpc.h"

struct vpc_writer {
    int fd;
    const struct image_options *options; // borrowed
    struct image_source source;          // cut at the size that readers see
    struct image_written *written;       // borrowed
    uint8_t footer[VPC_FOOTER_SIZE];
    uint64_t current; // the footer's current size in bytes; at least written->virtual_size
    // Dynamic disks, in bytes of the file.
    uint32_t sector; // every structure is padded to whole ones
    uint64_t header_offset, table_offset;
    uint64_t end; // behind what is written
};

int vpc_write_fixed(struct vpc_writer *writer, struct fault *fault);

#endif
