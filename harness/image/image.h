// SPDX-License-Identifier: Apache-2.0
//
// Disk images as this project sees them: one driver a format, each with a reader (what a file says)
// and a writer (bytes of our own making). The harness builds its sources and reads the tools'
// outputs with it; the stand-in for instar converts with it. Nothing here knows of tools,
// processes or verdicts.
//
// Units: every offset, length and size is in bytes of the guest disk unless its name says file.
// Errors: 0 or -1 with the reason in `struct fault`.
// A reader is safe on any bytes: a damaged file gives an error, never a crash, an endless loop or
// an allocation larger than the file justifies.
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum image_format { IMAGE_RAW, IMAGE_QCOW2, IMAGE_VPC, IMAGE_VMDK, IMAGE_VHDX, IMAGE_FORMATS };

// What a run of guest bytes is in an image.
enum image_state {
    IMAGE_HOLE, // not allocated: no entry in any table; reads as zero
    IMAGE_ZERO, // explicitly zero, without space of its own (qcow2 zero flag, vmdk entry 1)
    IMAGE_ZERO_ALLOCATED, // explicitly zero, with space kept (qcow2 zero flag over an offset)
    IMAGE_DATA,           // stored as it is
    IMAGE_COMPRESSED,     // stored deflated, or by zstd
};

static inline bool image_state_is_stored(enum image_state state) {
    return state == IMAGE_DATA || state == IMAGE_COMPRESSED;
}

struct image_extent {
    uint64_t offset, length;
    enum image_state state;
};

// A list of extents: sorted, not overlapping, neighbours of one state merged, holes left out.
struct image_map {
    struct image_extent *extents; // owned
    size_t count, capacity;
};

void image_map_clear(struct image_map *map); // keeps the memory
void image_map_free(struct image_map *map);
// What the chain of a file below (`map`, cut at `below_size`) and the file above it say together:
// the result is in `map`. Scratch memory is `spare`, whose content is lost.
void image_map_overlay(struct image_map *map, uint64_t below_size, const struct image_map *above,
                       struct image_map *spare);
// `offset` must not lie before the end of the last extent. Holes are dropped, neighbours merged.
void image_map_add(struct image_map *map, uint64_t offset, uint64_t length, enum image_state state);

// Where a writer gets guest content from. Both functions may be called with any range below
// `size`; what lies at or above `size` is zero and never asked for.
struct image_source {
    uint64_t size; // guest bytes
    // The run that starts at `offset` (length > 0, cut at `size`) and its state. A writer takes the
    // state as a wish: HOLE = leave unallocated; ZERO, ZERO_ALLOCATED and COMPRESSED = use that
    // form where the format has it, else store the bytes (a zero form that has no equal in the
    // format is left unallocated).
    int (*extent)(void *context, uint64_t offset, struct image_extent *extent, struct fault *fault);
    int (*read)(void *context, uint64_t offset, void *buffer, size_t length, struct fault *fault);
    void *context;
    // The extents are those of one file of a chain: what is a hole shows the file below. `read`
    // gives the guest's bytes there too, so a unit of which only a part is the file's own can be
    // completed; a zero form says more than a hole, and is stored as zeros where the format has
    // none. Set together with image_options.backing.
    bool overlay;
};

// Creator application of a vpc footer. By the geometry: the disk's size is what cylinders * heads *
// sectors give, unless that is the largest there is. By size: the footer's current size, exact to
// the sector. By version: by the geometry for qemu-img before 10.0, by size from there on; the
// writer makes both equal, so that it does not matter. Which is which was found with qemu-img
// 7.2.22 and 10.0.2; the table is vpc_creators.
//
// Unless its line says otherwise, the writer rounds a disk that is not by size up to whole
// geometry, as qemu-img does without force_size, and the current size with it.
enum vpc_creator {
    VPC_CREATOR_QEMU, // by the geometry
    VPC_CREATOR_QEM2, // by size
    VPC_CREATOR_VPC,  // by the geometry, which Microsoft Virtual PC rounds down: the current size
                      // is what was asked for, and the disk that readers see is smaller. Only a
                      // disk of less than one cylinder is rounded up, because nothing is below it
    VPC_CREATOR_VS,   // "vs  ", by version
    VPC_CREATOR_VSIM, // "vsim", by version
    VPC_CREATOR_WA,   // "wa\0\0", by version
    VPC_CREATOR_IMGO, // "imgo", by version
    VPC_CREATOR_WIN,  // "win ", by size
    VPC_CREATOR_D2V,  // "d2v ", by size
    VPC_CREATOR_TAP,  // "tap\0", by size
    VPC_CREATOR_CTXS, // "CTXS", by size
    VPC_CREATORS
};

enum qcow2_compression { QCOW2_ZLIB, QCOW2_ZSTD }; // the numbers of the header's field

enum vmdk_subformat {
    VMDK_SPARSE,       // monolithicSparse
    VMDK_STREAM,       // streamOptimized
    VMDK_FLAT,         // monolithicFlat: a descriptor and <stem>-flat.vmdk
    VMDK_SPLIT_SPARSE, // twoGbMaxExtentSparse: a descriptor and <stem>-s001.vmdk, -s002, ...
    VMDK_SPLIT_FLAT,   // twoGbMaxExtentFlat: a descriptor and <stem>-f001.vmdk, -f002, ...
    VMDK_SUBFORMATS
};
// As createType ("The Descriptor File") and the tools' option `subformat` call them.
extern const char *const vmdk_create_types[VMDK_SUBFORMATS];

#define IMAGE_NAME_ROOM 64 // bytes of a file name without directory
#define IMAGE_MAX_FILES 40 // files of one image beside the one that is opened

// The file below a file that holds differences only.
struct image_backing {
    char name[IMAGE_NAME_ROOM]; // as it is recorded: in the same directory
    enum image_format format;   // recorded where the format has room for it
    uint8_t identity[16];       // of that file; see struct image_written
};

// qcow2: an internal snapshot. Clusters that hold the same bytes as in the active disk may be
// shared with it.
struct image_snapshot {
    const char *id, *name;
    struct image_source source; // its guest content and size; never an overlay of other backing
};

// qcow2 v3: a persistent dirty bitmap.
struct image_bitmap {
    char name[IMAGE_NAME_ROOM];
    uint32_t granularity_bits;     // log2 of guest bytes for each bit, 9..31
    bool automatic;                // flag "auto": enabled when the image is opened
    bool in_use;                   // flag "in_use": was not saved properly, so its content is void
    const struct image_map *dirty; // ranges whose bits are set; borrowed
};

// qcow2 v3: guest clusters lie in a file of their own, at their guest offset. (The specification
// would let them lie anywhere in it; QEMU calls that a corrupt image.)
enum qcow2_data_file {
    QCOW2_DATA_INSIDE,
    QCOW2_DATA_FILE,     // what the tables call zero may have any bytes there, and has some
    QCOW2_DATA_FILE_RAW, // it is a raw image of the disk too; no backing file then
    QCOW2_DATA_FILES
};

// What a writer may choose. Zero means the format's default everywhere, so {0} is a plain image.
struct image_options {
    uint32_t cluster_bits;  // qcow2: 9..21, 0 = 16
    uint32_t qcow2_version; // 2 or 3, 0 = 3
    uint32_t refcount_bits; // qcow2: 1,2,4,...,64, 0 = 16 (version 2: always 16)
    bool lazy_refcounts;    // qcow2 v3: compatible feature bit; refcounts are still written
    bool extended_l2;       // qcow2 v3, cluster_bits >= 14: 16-byte entries with subclusters
    bool stale_subclusters; // with extended_l2: what a stored cluster does not use is filled with
                            // bytes that are not zero, as a file that was written to has them
    enum qcow2_compression compression;     // qcow2; QCOW2_ZSTD needs v3
    enum qcow2_data_file data_file;         // qcow2 v3: <stem>.data; nothing is compressed then
    const struct image_snapshot *snapshots; // qcow2; borrowed
    size_t snapshot_count;
    const struct image_bitmap *bitmaps; // qcow2 v3; borrowed
    size_t bitmap_count;
    const struct image_backing *backing; // qcow2, monolithicSparse over another vmdk, vpc dynamic,
                                         // vhdx dynamic: the source is an overlay; borrowed.
                                         // skip_zeros is refused with it. Of vpc and vhdx the file
                                         // below has the same format, and single sectors are the
                                         // file's own
    bool vpc_fixed; // vpc: a fixed disk (data, then footer) instead of a dynamic one
    enum vpc_creator vpc_creator;
    enum vmdk_subformat vmdk_subformat;
    uint64_t vmdk_extent;   // split layouts: guest bytes of an extent, a multiple of the grain
                            // (flat: of 512); 0 = 2 GiB
    uint32_t grain_bits;    // vmdk: 12..16, 0 = 16
    bool vhdx_fixed;        // vhdx: every block is present, also where the source has holes (which
                            // then are holes of the file); skip_zeros does not matter
    uint32_t block_bits;    // vpc dynamic: 19..28, 0 = 21; vhdx: 20..28, 0 = 25
    uint32_t output_sector; // vmdk sparse, vpc dynamic: every table, and every grain or block with
                            // its bitmap, is padded to this many bytes (a device of large
                            // sectors), and what has to be at a vpc file's end lies behind its
                            // padding; 0 = 512
    bool compress;   // store every data unit compressed where the format can (qcow2, and vmdk
                     // when its subformat is VMDK_STREAM)
    bool skip_zeros; // leave a unit out when all its bytes are zero
};

// What a writer made; filled by image_write.
struct image_written {
    uint64_t virtual_size;  // as readers must see it, after the format's rounding. Less than was
                            // asked for only with VPC_CREATOR_VPC: what lies behind it is cut off
    uint64_t recorded_size; // vpc: the footer's current size, which may be more than readers see
    uint64_t file_size;     // bytes of the file
    uint32_t unit;          // allocation unit: cluster, grain or block in bytes (raw: 4096)
    struct image_map map;   // allocation in the format's units (qcow2 with extended L2 entries:
                            // in subclusters, 1/32 of a unit), cut at virtual_size
    // Files that were written beside the one that was asked for: extents, a data file.
    char files[IMAGE_MAX_FILES][IMAGE_NAME_ROOM];
    size_t file_count;
    uint8_t identity[16]; // what a file above records to recognise this one: vmdk CID (4 bytes, as
                          // stored), UUID of a vpc footer, DataWriteGuid of a vhdx; zeros
                          // elsewhere
};
void image_written_free(struct image_written *written);

// An extent of a vmdk disk.
struct image_part {
    char name[IMAGE_NAME_ROOM]; // of its file; "" if that is the image's own
    const char *kind;           // "SPARSE", "FLAT", "ZERO"; "" likewise
    uint64_t virtual_size;      // guest bytes
    uint64_t cluster_size;      // 0: it has no grains
    bool compressed;
};

// What `info` may say of an open image. Fields that a format does not have are 0.
struct image_info {
    uint64_t virtual_size;
    uint64_t cluster_size;  // 0: the format has none to show (raw, fixed vpc)
    uint32_t qcow2_version; // 2 or 3
    uint32_t qcow2_header_length; // bytes
    uint32_t refcount_bits; // qcow2
    bool lazy_refcounts, corrupt, dirty, extended_l2; // qcow2 v3
    uint8_t compression_type;                         // qcow2: 0 zlib, 1 zstd
    char vmdk_create_type[32];                        // "monolithicSparse", "streamOptimized", ...
    bool vmdk_footer; // the place of the grain directory stands in a footer
    uint32_t vmdk_cid, vmdk_parent_cid;
    struct image_part vmdk_extents[IMAGE_MAX_FILES];
    size_t vmdk_extent_count;
    bool vpc_fixed;
    char vpc_creator[5];       // NUL-terminated creator application
    uint64_t vpc_current_size; // the footer's; may be more than the virtual size
    bool has_backing;          // names a parent of any kind
    char backing_name[1024];   // as recorded
    char backing_format[16];   // as recorded; "" if none is
    char data_file[1024];      // qcow2: as recorded; "" if it has none
    bool data_file_raw;
    uint32_t snapshots, bitmaps; // qcow2
};

// A persistent bitmap as the file names it.
struct image_bitmap_info {
    char name[1024];
    uint32_t granularity_bits; // log2 of guest bytes for each bit
    bool automatic, in_use;    // see struct image_bitmap
};

// The result of walking all tables. Counts are qemu-img's: clusters, not bytes.
struct image_check {
    uint64_t corruptions, leaks;
    uint64_t total_clusters, allocated_clusters, fragmented_clusters, compressed_clusters;
    uint64_t image_end_offset; // file bytes: end of the last cluster in use
    char first_problem[128];   // in words, for people; "" when clean
};

struct image; // an open file; see image_open

// A file that is being written, for writers.
struct image_output {
    int fd;           // of the file asked for; empty
    const char *path; // of it
    struct image_written *written;
};
// Creates an empty file of that name in the same directory, readable and writable, and notes it in
// written->files; returns its descriptor, which the writer closes, or -1. After a failure of the
// writer image_write removes it.
int image_output_beside(struct image_output *output, const char *name, struct fault *fault);
// The name of the file without directory and without what follows its last dot.
void image_stem(const char *path, char stem[IMAGE_NAME_ROOM]);

// One per format, in its own file; registered by one line in image.c.
struct image_driver {
    enum image_format format;
    const char *name; // qemu-img's and ours: "raw", "qcow2", "vpc", "vmdk", "vhdx"
    // Does a file that starts with these bytes (and ends with `tail`, its last 512) have this
    // format? Raw answers yes to everything and is asked last.
    bool (*probe)(const uint8_t *head, size_t head_length, const uint8_t *tail, size_t tail_length);
    int (*open)(struct image *image, struct fault *fault); // fills virtual_size, unit, state
    void (*close)(struct image *image);                    // frees state
    // The run of one state at `offset` (< virtual_size), length > 0, cut at virtual_size. Runs of
    // holes must be found without visiting each unit where a whole table is missing.
    int (*extent)(struct image *image, uint64_t offset, struct image_extent *extent,
                  struct fault *fault);
    int (*read)(struct image *image, uint64_t offset, void *buffer, size_t length,
                struct fault *fault);
    int (*check)(struct image *image, struct image_check *check, struct fault *fault); // or NULL
    void (*info)(struct image *image, struct image_info *info);
    // Writes a whole image to the empty file `fd`. Cost must follow what the source does not call
    // a hole, not its size. Unwritten parts of the file stay holes.
    int (*write)(struct image_output *output, const struct image_options *options,
                 const struct image_source *source, struct image_written *written,
                 struct fault *fault);
    // The guest size that readers would see of a disk of `size` bytes (the format's rounding, which
    // may also shorten: see VPC_CREATOR_VPC); 0 with a fault if it cannot hold that size.
    int (*declared_size)(const struct image_options *options, uint64_t size, uint64_t *declared,
                         struct fault *fault);
    // Makes an internal snapshot what extent and read speak of; virtual_size becomes its own. NULL
    // if the format has none. An ID is looked for first, then a name.
    int (*snapshot)(struct image *image, const char *id_or_name, struct fault *fault);
    // Is image->backing, just opened, the file that this one was made over? NULL if the format
    // records no more of it than its name.
    int (*fits_backing)(struct image *image, struct fault *fault);
    // Persistent bitmap `index`, which is below image_info.bitmaps. NULL if the format has none.
    int (*bitmap)(struct image *image, uint32_t index, struct image_bitmap_info *bitmap,
                  struct fault *fault);
};

struct image {
    const struct image_driver *driver;
    char *path; // as given; owned
    int fd;
    uint64_t file_size;    // bytes
    uint64_t virtual_size; // guest bytes
    uint32_t unit;         // allocation unit in bytes
    bool has_backing;      // set by the driver: what is a hole shows another file
    struct image *backing; // that file, after image_open_backing; owned
    // Names of the files that were opened beside it: extents, a data file.
    char files[IMAGE_MAX_FILES][IMAGE_NAME_ROOM];
    size_t file_count;
    struct image_extent last_extent; // what the driver said last of the file itself; length 0: none
    void *state;                     // the driver's own
};

const struct image_driver *image_driver(enum image_format format);
// NULL if no driver has that name. "vhd" and "virtualpc" are understood as vpc.
const struct image_driver *image_driver_named(const char *name);

// Opens a file read-only as the given format. The caller closes. *image is NULL after a failure.
int image_open(struct image **image, const char *path, enum image_format format,
               struct fault *fault);
// Opens the files below an image, as deep as they go: names are looked for in the directory of the
// file that has them and nowhere else; the recorded format counts, and without one the content.
// Does nothing for an image that has none. Until then only extents are known of an image with
// backing (holes are then its own), its bytes are not.
int image_open_backing(struct image *image, struct fault *fault);
void image_close(struct image *image); // NULL is fine; closes what is below it too
// For drivers: opens a regular file of that name in the directory of `image`, read-only, and notes
// it in image->files. A name with a directory in it is refused: an image is no way to reach the
// rest of the machine. Returns the descriptor.
int image_open_beside(struct image *image, const char *name, uint64_t *size, struct fault *fault);
// See image_driver.snapshot. -1 for formats without.
int image_choose_snapshot(struct image *image, const char *id_or_name, struct fault *fault);
// Which format do the file's own bytes name? IMAGE_RAW if none. -1 only if it cannot be read.
int image_probe(const char *path, enum image_format *format, struct fault *fault);

int image_extent_at(struct image *image, uint64_t offset, struct image_extent *extent,
                    struct fault *fault);
int image_read(struct image *image, uint64_t offset, void *buffer, size_t length,
               struct fault *fault);
int image_map_of(struct image *image, struct image_map *map, struct fault *fault);
void image_as_source(struct image *image, struct image_source *source);

// Creates `path` (must not exist, mode 0644) and writes the image. Nothing is left behind after a
// failure.
int image_write(const char *path, enum image_format format, const struct image_options *options,
                const struct image_source *source, struct image_written *written,
                struct fault *fault);

// Deflate and inflate without a zlib header (window 12 bits, as qcow2 asks for; raw = true) or with
// one (vmdk grains; raw = false). Return bytes produced, or 0 if it does not fit or is damaged.
size_t image_deflate(void *to, size_t room, const void *from, size_t length, bool raw);
size_t image_inflate(void *to, size_t room, const void *from, size_t length, bool raw);
// The same as one frame of zstd. Unpacking stops when `room` is full, and a frame whose window is
// larger than a qcow2 cluster can need is damaged.
size_t image_zstd(void *to, size_t room, const void *from, size_t length);
size_t image_unzstd(void *to, size_t room, const void *from, size_t length);

#endif
