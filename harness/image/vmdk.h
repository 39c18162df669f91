// SPDX-License-Identifier: Apache-2.0
//
// What the files of the vmdk driver share: a disk is what a descriptor says, and its bytes lie in
// one or several extents, which are flat or have the tables of a hosted sparse extent. Format facts
// are from VMware's "Virtual Disk Format 5.0" technical note; all integers are little endian, most
// places are in sectors of 512 bytes. What QEMU makes of a file was observed with qemu-img 7.2.
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
#define VMDK_MAX_TEXT           (64u << 10) // bytes of a descriptor; what ESX may use
#define VMDK_NO_PARENT          UINT32_MAX  // parentCID

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

// A hosted sparse extent that is read; see vmdk_sparse_open.
struct vmdk_sparse {
    int fd;                      // borrowed
    uint64_t file_size;          // bytes
    uint64_t size;               // guest bytes, as the header has them
    uint32_t grain;              // bytes
    uint8_t header[VMDK_SECTOR]; // the footer's copy, where that one rules
    bool footer;                 // it does
    uint32_t version, flags;
    bool compressed;
    uint32_t table_entries; // per grain table
    uint64_t directory_count;
    uint64_t directory_offset, redundant_offset; // file bytes; redundant: 0 if there is none
    struct table_in directory;
    uint64_t table_index;    // of the grain table in `table`; UINT64_MAX: none
    uint8_t *table;          // table_entries * 4 bytes; owned
    bool table_missing;      // the directory has no entry for it
    uint64_t inflated_index; // of the grain in `inflated`; UINT64_MAX: none
    uint8_t *inflated;       // grain bytes; owned, NULL until needed
    uint8_t *packed;         // the same deflated; owned, NULL until needed
};

// From fd and file_size, everything else 0. After a failure too it must be closed.
int vmdk_sparse_open(struct vmdk_sparse *sparse, struct fault *fault);
void vmdk_sparse_close(struct vmdk_sparse *sparse);
int vmdk_sparse_extent(struct vmdk_sparse *sparse, uint64_t offset, struct image_extent *extent,
                       struct fault *fault);
int vmdk_sparse_read(struct vmdk_sparse *sparse, uint64_t offset, void *buffer, size_t length,
                     struct fault *fault);
// Loads the grain table of this number (through sparse->table); -1 with a fault.
int vmdk_table_load(struct vmdk_sparse *sparse, uint64_t index, struct fault *fault);
// The grain table entry of a grain; 0 where there is no table.
int vmdk_grain_entry(struct vmdk_sparse *sparse, uint64_t index, uint32_t *entry,
                     struct fault *fault);
// What a grain table entry says.
enum image_state vmdk_entry_state(const struct vmdk_sparse *sparse, uint32_t entry);
// The grain marker at a file offset: its guest sector and the length of the data behind it.
int vmdk_marker_read(struct vmdk_sparse *sparse, uint64_t at, uint64_t *sector, uint32_t *length,
                     struct fault *fault);

// --- the descriptor ------------------------------------------------------------------------------
enum vmdk_kind { VMDK_KIND_SPARSE, VMDK_KIND_FLAT, VMDK_KIND_ZERO, VMDK_KINDS };

// A line of "Extent description".
struct vmdk_line {
    enum vmdk_kind kind;
    uint64_t sectors;
    char name[IMAGE_NAME_ROOM]; // "" for VMDK_KIND_ZERO
    uint64_t offset;            // VMDK_KIND_FLAT: where in the file it begins, in sectors
};

struct vmdk_descriptor {
    uint32_t cid, parent_cid; // parent_cid: VMDK_NO_PARENT without one
    char create_type[32];
    char parent_name[1024]; // parentFileNameHint; "" without a parent
    struct vmdk_line lines[IMAGE_MAX_FILES];
    size_t count; // of lines
};

const char *vmdk_kind_name(enum vmdk_kind kind);
// Fills `text` (zeros behind its end) and returns its length; 0 if it does not fit.
size_t vmdk_descriptor_build(char *text, size_t room, const struct vmdk_descriptor *descriptor);
// What stands behind "name=" at the start of a line, up to the end of the text; or NULL.
const char *vmdk_descriptor_value(const char *text, const char *name);
// Everything but the lines, of which it says how many there are.
int vmdk_descriptor_read(struct vmdk_descriptor *descriptor, const char *text, size_t *lines,
                         struct fault *fault);
// The lines. They are not read of a descriptor that a sparse extent carries in itself: that extent
// is the disk, whatever name it had when it was written.
int vmdk_descriptor_lines(struct vmdk_descriptor *descriptor, const char *text,
                          struct fault *fault);

// --- an open image -------------------------------------------------------------------------------
struct vmdk_extent {
    enum vmdk_kind kind;
    uint64_t start, size; // guest bytes
    int fd;               // owned; -1: none, or the image's own file
    uint64_t offset;      // flat: where it begins in the file, in bytes
    struct vmdk_sparse sparse;
};

struct vmdk {
    struct vmdk_descriptor descriptor; // with a sparse extent that carries it, without lines
    bool embedded;                     // such a one
    struct vmdk_extent *extents;       // in guest order, without gaps; owned
    size_t count;
};

#define VMDK_TEXT_MAGIC "# Disk DescriptorFile"

// The most a grain can grow when it is deflated: stored blocks of zlib and its header.
static inline size_t vmdk_packed_room(size_t grain) {
    return grain + grain / 1000 + 64;
}

int vmdk_check(struct image *image, struct image_check *check, struct fault *fault);

// --- writing -------------------------------------------------------------------------------------
int vmdk_write(struct image_output *output, const struct image_options *options,
               const struct image_source *source, struct image_written *written,
               struct fault *fault);
int vmdk_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                       struct fault *fault);

// The part of a disk that goes into one extent, as a source of its own. Behind the disk's end it is
// zero: of an overlay by an explicit zero form, for there a hole would show the file below.
// Everything that is read through it is summed up, which gives the disk its content identifier.
struct vmdk_slice {
    const struct image_source *disk; // borrowed
    uint64_t start, size;            // guest bytes
    uint32_t *sum;                   // borrowed
    struct image_source source;      // what a writer is given; borrows this struct
};
void vmdk_slice_begin(struct vmdk_slice *slice, const struct image_source *disk, uint64_t start,
                      uint64_t size, uint32_t *sum);
// The start of a sum: disks of other sizes and other parents have other identifiers.
uint32_t vmdk_sum_begin(uint64_t size, uint32_t parent_cid);

// A sparse extent that is being written, by either subformat.
struct vmdk_out {
    int fd;
    const struct image_options *options;
    struct image_written *written;
    struct unit_walk *walk;
    uint64_t start, size;     // guest bytes of the disk in front of it; and of it, in whole sectors
    bool embedded;            // it carries the descriptor
    uint32_t align;           // tables and grains begin and end at multiples of it
    uint64_t grain;           // bytes
    uint64_t directory_count; // grain tables of a full extent
    uint64_t end;             // file bytes in use
    bool zeroed;              // some grain was written as zeroed
    bool redundant;           // a second directory with tables of its own
    uint64_t directory_offset, redundant_offset;
    uint8_t *table;       // the current grain table
    uint64_t table_index; // UINT64_MAX: none yet
};

// Writes the extent from what `slice` has; room for the descriptor is left where it is embedded.
int vmdk_write_extent(int fd, const struct image_options *options, struct vmdk_slice *slice,
                      bool embedded, struct image_written *written, struct fault *fault);
// Notes a stored grain or a zeroed one.
void vmdk_written_add(const struct vmdk_out *out, uint64_t offset, enum image_state state);
// Builds a header (or footer) sector.
void vmdk_header_build(const struct vmdk_out *out, uint64_t directory_offset, uint8_t *header);
int vmdk_write_sparse(struct vmdk_out *out, struct fault *fault);
int vmdk_write_stream(struct vmdk_out *out, struct fault *fault);
// Sectors of a file offset, as tables have them; -1 if 32 bits do not hold them.
int vmdk_sector_of(uint64_t file_offset, uint32_t *sector, struct fault *fault);
// log2 of the grain that the options ask for.
int vmdk_grain_bits(const struct image_options *options, uint32_t *bits, struct fault *fault);

#endif
