// SPDX-License-Identifier: Apache-2.0
//
// A VHDX file that is being written: what its writers share, and where they put things. Layout:
// header section, log, metadata, block allocation table, blocks.
#ifndef IMAGE_VHDX_WRITER_H
#define IMAGE_VHDX_WRITER_H

#include "image/sectors.h"
#include "image/unit_walk.h"
#include "image/vhdx.h"

#define VHDX_LOG_OFFSET      VHDX_MIB
#define VHDX_METADATA_OFFSET (2 * VHDX_MIB)
#define VHDX_BAT_OFFSET      (3 * VHDX_MIB)
#define VHDX_LOGICAL_SECTOR  512u

struct vhdx_writer {
    int fd;
    const struct image_options *options; // borrowed
    struct image_source source;          // of an overlay: exactly as long as the disk
    struct sectors_source padded;        // what `source` is made from then
    struct image_written *written;       // borrowed; virtual_size and unit are set
    uint64_t chunk_ratio;
    uint64_t table_length; // bytes of the table's region
    struct table_out table;
    struct unit_walk walk;
    uint64_t end; // file bytes: behind what is written
};

// Entries must come in ascending order; `index` is the table's, not the block's.
int vhdx_put_entry(struct vhdx_writer *writer, uint64_t index, uint64_t value, struct fault *fault);
// The blocks of an overlay, and their sector bitmaps.
int vhdx_write_differencing(struct vhdx_writer *writer, struct fault *fault);
// The parent locator's bytes; at most VHDX_LOCATOR_ROOM.
#define VHDX_LOCATOR_ROOM 1024u
uint32_t vhdx_build_locator(const struct image_backing *backing, uint8_t *item);
// Everything but the table and the blocks. written->identity is the file's DataWriteGuid.
int vhdx_write_tables(const struct vhdx_writer *writer, struct fault *fault);

#endif
