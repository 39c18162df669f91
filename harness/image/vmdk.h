// SPDX-License-Identifier: Apache-2.0
//
// What the files of the vmdk driver share: the places of the fields of a hosted sparse extent.
// Format facts are from VMware's "Virtual Disk Format 5.0" technical note; all integers are little
// endian, most places are in sectors of 512 bytes. What QEMU makes of a file was observed with
// qemu-img 7.2.
#ifndef IMAGE_VMDK_H
#define IMAGE_VMDK_H

#include "image/image.h"
#include "image/table_io.h"

#define VMDK_SECTOR             512u
#define VMDK_DESCRIPTOR_SECTORS 20u
#define VMDK_TABLE_ENTRIES      512u // grain table entries, always, when we write
#define VMDK_TABLE_SIZE         (VMDK_TABLE_ENTRIES * 4)
#define VMDK_MAX_DIRECTORY      (32u << 20) // entries; QEMU refuses more
#define VMDK_AT_END             UINT64_MAX  // directory offset: see the footer
#define VMDK_ZEROED             1u          // grain table entry of a zeroed grain
#define VMDK_MARKER_DATA        12u         // a grain marker's bytes in front of its data
#define VMDK_MAX_GRAIN          (2u << 20)  // bytes; larger ones are refused when read

// Offsets in the header ("Hosted Sparse Extent Header"), which the footer repeats.
enum vmdk_header_field {
    VMDK_MAGIC = 0,
    VMDK_VERSION = 4,
    VMDK_FLAGS = 8,
    VMDK_CAPACITY = 12,
    VMDK_GRAIN_SECTORS = 20,
    VMDK_DESCRIPTOR_OFFSET = 28,
    VMDK_DESCRIPTOR_LENGTH = 36,
    VMDK_GTES_PER_GT = 44,
    VMDK_REDUNDANT_OFFSET = 48,
    VMDK_DIRECTORY_OFFSET = 56,
    VMDK_OVERHEAD = 64,
    VMDK_UNCLEAN = 72,
    VMDK_NEWLINES = 73,
    VMDK_COMPRESSION = 77,
};

enum vmdk_flag {
    VMDK_FLAG_NEWLINES = 1u << 0,
    VMDK_FLAG_REDUNDANT = 1u << 1,
    VMDK_FLAG_ZEROED = 1u << 2,
    VMDK_FLAG_COMPRESSED = 1u << 16,
    VMDK_FLAG_MARKERS = 1u << 17,
};

// Marker types ("Stream-Optimized Compressed Sparse Extents"); a grain marker has no type.
enum vmdk_marker { VMDK_MARKER_EOS, VMDK_MARKER_GT, VMDK_MARKER_GD, VMDK_MARKER_FOOTER };

// The state of an open image.
struct vmdk {
    uint8_t header[VMDK_SECTOR]; // the footer's copy, where that one rules
    uint32_t version, flags;
    bool compressed, footer;
    uint32_t table_entries; // per grain table
    uint64_t directory_count;
    uint64_t directory_offset, redundant_offset; // file bytes; redundant: 0 if there is none
    uint32_t cid, parent_cid;
    struct table_in directory;
    uint64_t table_index; // of the grain table in `table`; UINT64_MAX: none
    uint8_t *table;       // table_entries * 4 bytes; owned
    bool table_missing;   // the directory has no entry for it
    uint64_t grain_index; // of the inflated grain; UINT64_MAX: none
    uint8_t *grain;       // unit bytes; owned, NULL until needed
    uint8_t *packed;      // the same deflated; owned, NULL until needed
};

// Loads the grain table of this number (through vmdk->table); -1 with a fault.
int vmdk_table_load(struct image *image, uint64_t index, struct fault *fault);
// The grain table entry of a grain; 0 where there is no table.
int vmdk_grain_entry(struct image *image, uint64_t index, uint32_t *entry, struct fault *fault);
// What a grain table entry says.
enum image_state vmdk_entry_state(const struct vmdk *vmdk, uint32_t entry);
// The grain marker at a file offset: its guest sector and the length of the data behind it.
int vmdk_marker_read(struct image *image, uint64_t at, uint64_t *sector, uint32_t *length,
                     struct fault *fault);

// The most a grain can grow when it is deflated: stored blocks of zlib and its header.
static inline size_t vmdk_packed_room(size_t grain) {
    return grain + grain / 1000 + 64;
}

// Fills the embedded descriptor, VMDK_DESCRIPTOR_SECTORS long.
void vmdk_descriptor_build(char *text, size_t room, const char *create_type, uint64_t sectors);
// Refuses what one sparse extent cannot hold: several extents, a parent.
int vmdk_descriptor_read(struct vmdk *vmdk, const char *text, struct fault *fault);

int vmdk_check(struct image *image, struct image_check *check, struct fault *fault);
int vmdk_write(struct image_output *output, const struct image_options *options,
               const struct image_source *source, struct image_written *written,
               struct fault *fault);
int vmdk_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                       struct fault *fault);

// The file being written, by either subformat.
struct vmdk_out {
    int fd;
    const struct image_options *options;
    struct image_written *written;
    struct unit_walk *walk;
    uint32_t align;           // tables and grains begin and end at multiples of it
    uint64_t grain;           // bytes
    uint64_t directory_count; // grain tables of a full disk
    uint64_t end;             // file bytes in use
    bool zeroed;              // some grain was written as zeroed
    bool redundant;           // a second directory with tables of its own
    uint64_t directory_offset, redundant_offset;
    uint8_t *table;       // the current grain table
    uint64_t table_index; // UINT64_MAX: none yet
};

// Builds a header (or footer) sector.
void vmdk_header_build(const struct vmdk_out *out, uint64_t directory_offset, uint8_t *header);
int vmdk_write_sparse(struct vmdk_out *out, struct fault *fault);
int vmdk_write_stream(struct vmdk_out *out, struct fault *fault);
// Sectors of a file offset, as tables have them; -1 if 32 bits do not hold them.
int vmdk_sector_of(uint64_t file_offset, uint32_t *sector, struct fault *fault);

#endif
