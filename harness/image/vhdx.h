// SPDX-License-Identifier: Apache-2.0
//
// What the files of the vhdx driver share: the fixed places of a VHDX file and the arithmetic of
// its block allocation table. Format facts are from Microsoft's [MS-VHDX], sections 2.2 (header),
// 2.5 (BAT) and 2.6 (metadata); all integers are little endian. What QEMU makes of a file was
// observed with qemu-img 7.2.
#ifndef IMAGE_VHDX_H
#define IMAGE_VHDX_H

#include "image/image.h"
#include "image/table_io.h"

#define VHDX_MIB               ((uint64_t)1 << 20)
#define VHDX_IDENTIFIER_OFFSET 0u            // [MS-VHDX] 2.2.1
#define VHDX_HEADER_1_OFFSET   (64u * 1024)  // 2.2.2
#define VHDX_HEADER_2_OFFSET   (128u * 1024) // 2.2.2
#define VHDX_REGIONS_1_OFFSET  (192u * 1024) // 2.2.3
#define VHDX_REGIONS_2_OFFSET  (256u * 1024) // 2.2.3
#define VHDX_HEADER_SIZE       4096u
#define VHDX_REGIONS_SIZE      (64u * 1024)
#define VHDX_CHECKSUM_OFFSET   4u // in headers and region tables
#define VHDX_MAX_REGIONS       2047u
#define VHDX_METADATA_TABLE    (64u * 1024) // items follow it; 2.6.1
#define VHDX_MAX_METADATA      2047u
#define VHDX_MAX_SIZE          ((uint64_t)64 << 40)
// Flags of the file parameters (2.6.2.1). The first is what makes a disk a fixed one.
#define VHDX_LEAVE_ALLOCATED 1u
#define VHDX_HAS_PARENT      2u

// Offsets in a header (2.2.2).
enum vhdx_header_field {
    VHDX_HEADER_SEQUENCE = 8,
    VHDX_HEADER_FILE_WRITE = 16,
    VHDX_HEADER_DATA_WRITE = 32,
    VHDX_HEADER_LOG_GUID = 48,
    VHDX_HEADER_LOG_VERSION = 64,
    VHDX_HEADER_VERSION = 66,
    VHDX_HEADER_LOG_LENGTH = 68,
    VHDX_HEADER_LOG_OFFSET = 72,
};

// Payload block states (2.5.1.1), the low three bits of an entry.
enum vhdx_state {
    VHDX_NOT_PRESENT = 0,
    VHDX_UNDEFINED = 1,
    VHDX_ZERO = 2,
    VHDX_UNMAPPED = 3,
    VHDX_UNMAPPED_DRAFT = 5, // of the draft 0.95, as QEMU reads it
    VHDX_FULLY_PRESENT = 6,
    VHDX_PARTIALLY_PRESENT = 7,
};
// Of a sector bitmap block (2.5.1.2) there is only: there or not.
#define VHDX_BITMAP_PRESENT 6u
#define VHDX_STATE_MASK     7u
#define VHDX_OFFSET_MASK    (~(VHDX_MIB - 1)) // the offset is in whole MiB, in the upper 44 bits

// The metadata items that every file has (2.6.2), in this order, and the one of those that have a
// parent (2.6.2.6).
enum vhdx_item {
    VHDX_ITEM_PARAMETERS,
    VHDX_ITEM_SIZE,
    VHDX_ITEM_IDENTITY,
    VHDX_ITEM_LOGICAL_SECTOR,
    VHDX_ITEM_PHYSICAL_SECTOR,
    VHDX_ITEM_PARENT,
    VHDX_ITEMS
};
#define VHDX_COMMON_ITEMS VHDX_ITEM_PARENT
struct vhdx_item_kind {
    uint8_t guid[16]; // as stored
    uint32_t length;  // of the parent locator: its header's
    uint32_t flags;   // 2: of the virtual disk, 4: required
};
extern const struct vhdx_item_kind vhdx_items[VHDX_ITEMS];
extern const uint8_t vhdx_bat_region[16], vhdx_metadata_region[16];

// The parent locator (2.6.2.6): a header of 20 bytes, entries of 12, and the UTF-16 strings that
// they point to from the start of the item.
#define VHDX_LOCATOR_HEADER 20u
#define VHDX_LOCATOR_ENTRY  12u
extern const uint8_t vhdx_locator_type[16]; // of VHDX parents, the only type there is

struct vhdx_region {
    uint64_t offset, length; // file bytes
};

// The state of an open image.
struct vhdx {
    struct vhdx_region log, bat, metadata;
    uint64_t sequence;
    bool header_valid[2], regions_valid[2];
    uint32_t block_size;
    uint32_t logical_sector;
    uint64_t chunk_ratio; // payload blocks for each sector bitmap block
    uint64_t blocks;      // payload blocks of the disk
    struct table_in table;
    // Only of disks with a parent.
    bool differencing;
    struct table_in file; // the whole file, for sector bitmaps
    char parent[1024];    // name, without a leading "./"
};

uint32_t vhdx_crc32c(const void *bytes, size_t length); // Castagnoli's polynomial
// The checksum of a structure that has it at VHDX_CHECKSUM_OFFSET, taken as zero.
uint32_t vhdx_checksum(const uint8_t *bytes, size_t length);
// 2.5: blocks of 2^23 logical sectors share a sector bitmap block, whose entry follows theirs.
uint64_t vhdx_chunk_ratio(uint32_t logical_sector, uint32_t block_size);
// Index of a payload block's entry.
uint64_t vhdx_entry_index(uint64_t block, uint64_t chunk_ratio);

// How many entries a table has; that of a disk with a parent ends with a sector bitmap's.
uint64_t vhdx_entries(uint64_t blocks, uint64_t chunk_ratio, bool differencing);

// Payload entry of a block, and with `run` for how many blocks from it on the entry is known to be
// the same zero without a look (at least 1).
int vhdx_entry(struct vhdx *vhdx, uint64_t block, uint64_t *entry, uint64_t *run,
               struct fault *fault);
// Is this entry of a payload block one that the disk may have? NULL, or what is wrong with it.
const char *vhdx_entry_problem(const struct image *image, uint64_t entry);
// The place of the sector bitmap block of a chunk in the file.
int vhdx_bitmap_offset(struct image *image, uint64_t chunk, uint64_t *offset, struct fault *fault);
// The run of one kind inside a block that is partially present.
int vhdx_partial_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                        struct fault *fault);
// From the parent locator at this file offset.
int vhdx_open_parent(struct image *image, struct vhdx *vhdx, uint64_t offset, uint64_t length,
                     struct fault *fault);

// Opening, step by step: current header, region table, metadata.
int vhdx_open_header(struct image *image, struct vhdx *vhdx, struct fault *fault);
int vhdx_open_regions(struct image *image, struct vhdx *vhdx, struct fault *fault);
int vhdx_open_metadata(struct image *image, struct vhdx *vhdx, struct fault *fault);
// The items of the metadata table of open regions, from zeroed ones: file bytes; offset 0 where
// there is none.
int vhdx_find_items(struct image *image, const struct vhdx *vhdx,
                    struct vhdx_region items[VHDX_ITEMS], struct fault *fault);

int vhdx_check(struct image *image, struct image_check *check, struct fault *fault);
int vhdx_write(struct image_output *output, const struct image_options *options,
               const struct image_source *source, struct image_written *written,
               struct fault *fault);
int vhdx_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                       struct fault *fault);

#endif
