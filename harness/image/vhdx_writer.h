// SPDX-License-Identifier: Apache-2.0
//
// A VHDX file that is being written: what its writers share, and where they put things. Layout:
// header section, log, metadata, block allocation table, blocks.
#ifndef IMAGE_VHDX_WRITER_H
#define IMAGE_VHDX_WRITER_H

#include "image/vhdx.h"

#define VHDX_LOG_OFFSET      VHDX_MIB
#define VHDX_METADATA_OFFSET (2 * VHDX_MIB)
#define VHDX_BAT_OFFSET      (3 * VHDX_MIB)
#define VHDX_LOGICAL_SECTOR  512u

struct vhdx_writer {
    int fd;
    const struct image_options *options; // borrowed
    struct image_written *written;       // borrowed; virtual_size and unit are set
    uint64_t table_length;               // bytes of the table's region
    uint64_t end;                        // file bytes: behind what is written
};

// Everything but the table and the blocks.
int vhdx_write_tables(const struct vhdx_writer *writer, struct fault *fault);

#endif
