// SPDX-License-Identifier: Apache-2.0
//
// What the files of the vpc driver share: the places of the fields in a Virtual Hard Disk file and
// the geometry arithmetic. Format facts are from Microsoft's "Virtual Hard Disk Image Format
// Specification" 1.0; all integers are big endian. What QEMU makes of a file was observed with
// qemu-img 7.2.22 and 10.0.2.
#ifndef IMAGE_VPC_H
#define IMAGE_VPC_H

#include "image/image.h"
#include "image/table_io.h"

#define VPC_SECTOR      512u
#define VPC_FOOTER_SIZE 512u        // spec: "Hard Disk Footer Format"
#define VPC_HEADER_SIZE 1024u       // spec: "Dynamic Disk Header Format"
#define VPC_UNUSED      0xffffffffu // spec: "Block Allocation Table and Data Blocks"

// Offsets in the footer.
enum vpc_footer_field {
    VPC_FOOTER_COOKIE = 0,
    VPC_FOOTER_FEATURES = 8,
    VPC_FOOTER_VERSION = 12,
    VPC_FOOTER_DATA_OFFSET = 16,
    VPC_FOOTER_TIME = 24,
    VPC_FOOTER_CREATOR = 28,
    VPC_FOOTER_CREATOR_VERSION = 32,
    VPC_FOOTER_HOST = 36,
    VPC_FOOTER_ORIGINAL_SIZE = 40,
    VPC_FOOTER_CURRENT_SIZE = 48,
    VPC_FOOTER_CYLINDERS = 56,
    VPC_FOOTER_HEADS = 58,
    VPC_FOOTER_SECTORS = 59,
    VPC_FOOTER_TYPE = 60,
    VPC_FOOTER_CHECKSUM = 64,
    VPC_FOOTER_UUID = 68,
};

// Offsets in the dynamic disk header.
enum vpc_header_field {
    VPC_HEADER_COOKIE = 0,
    VPC_HEADER_DATA_OFFSET = 8,
    VPC_HEADER_TABLE_OFFSET = 16,
    VPC_HEADER_VERSION = 24,
    VPC_HEADER_ENTRIES = 28,
    VPC_HEADER_BLOCK_SIZE = 32,
    VPC_HEADER_CHECKSUM = 36,
    VPC_HEADER_PARENT_UUID = 40,
    VPC_HEADER_PARENT_TIME = 56,
    VPC_HEADER_PARENT_NAME = 64, // UTF-16, big endian
    VPC_HEADER_LOCATORS = 576,
};
#define VPC_PARENT_NAME_SIZE 512u

// Parent locators of the dynamic disk header: eight entries of 24 bytes. Their data are file names,
// in UTF-16, little endian: "W2ku" an absolute one, "W2ru" one relative to the file.
#define VPC_LOCATORS     8u
#define VPC_LOCATOR_SIZE 24u
enum vpc_locator_field {
    VPC_LOCATOR_CODE = 0,
    VPC_LOCATOR_SPACE = 4, // spec: sectors; Microsoft's own writers: bytes
    VPC_LOCATOR_LENGTH = 8,
    VPC_LOCATOR_OFFSET = 16,
};

enum vpc_type { VPC_FIXED = 2, VPC_DYNAMIC = 3, VPC_DIFFERENCING = 4 };

struct vpc_geometry {
    uint32_t cylinders, heads, sectors;
};

// What makes a disk's size, unless its geometry is the largest there is: then always the current
// size. VPC_BY_VERSION is what qemu-img read by the geometry up to 9.x and reads by size
// since 10.0, as it does every name that is not in the table; our reader takes the geometry.
enum vpc_rule { VPC_BY_GEOMETRY, VPC_BY_SIZE, VPC_BY_VERSION };
struct vpc_creator_kind {
    char application[4]; // spec, "Hard Disk Footer Format": Creator Application
    enum vpc_rule rule;
    bool rounds_down; // the geometry, and with it the disk, may be smaller than the current size
};
extern const struct vpc_creator_kind vpc_creators[VPC_CREATORS];
// Whose these four bytes are; VPC_CREATORS if nobody's in the table.
enum vpc_creator vpc_creator_of(const void *application);

// What a writer records for a disk, in sectors.
struct vpc_sizes {
    struct vpc_geometry geometry;
    uint64_t current; // Current Size and Original Size of the footer
    uint64_t shown;   // the disk that readers see; at most `current`
};

#define VPC_MAX_GEOMETRY (65535ull * 16 * 255) // sectors
#define VPC_MAX_SECTORS  0xff000000ull         // 2040 GiB, where QEMU stops

// The state of an open image.
struct vpc {
    uint8_t footer[VPC_FOOTER_SIZE];
    bool fixed;
    // The rest only of dynamic disks.
    uint8_t header[VPC_HEADER_SIZE];
    uint64_t table_offset; // file bytes
    uint32_t entries;
    uint32_t block_size;  // bytes
    uint32_t bitmap_size; // bytes, padded to a sector; lies in front of each block
    struct table_in table;
    // Only of differencing disks.
    bool differencing;
    struct table_in file; // the whole file, for sector bitmaps
    char parent[1024];    // name, without a leading "./"
};

// One's complement of the sum of all bytes, the checksum field itself taken as zero.
uint32_t vpc_checksum(const uint8_t *bytes, size_t length, size_t field);
// Bytes of the sector bitmap of a block.
uint32_t vpc_bitmap_size(uint32_t block_size);
// Spec, appendix "CHS Calculation": may cover fewer sectors than asked for.
struct vpc_geometry vpc_geometry_of(uint64_t sectors);
uint64_t vpc_geometry_sectors(const struct vpc_geometry *geometry);
// What a writer records for a disk of `sectors`.
int vpc_sizes_of(enum vpc_creator creator, uint64_t sectors, struct vpc_sizes *sizes,
                 struct fault *fault);
// Sectors of the disk that this footer describes.
uint64_t vpc_footer_sectors(const uint8_t *footer);

// The BAT entry of a block; -1 with a fault.
int vpc_entry(struct vpc *vpc, uint64_t index, uint32_t *entry, struct fault *fault);

// Of a differencing disk: the parent's name, and the run of one kind inside a block.
int vpc_open_parent(struct image *image, struct vpc *vpc, struct fault *fault);
int vpc_differencing_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                            struct fault *fault);

int vpc_check(struct image *image, struct image_check *check, struct fault *fault);
int vpc_write(struct image_output *output, const struct image_options *options,
              const struct image_source *source, struct image_written *written,
              struct fault *fault);
int vpc_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                      struct fault *fault);

#endif
