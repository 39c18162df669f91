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
};

enum vpc_creator {
    VPC_CREATOR_QEMU, // "qemu": the size is what cylinders * heads * sectors give; the writer
                      // rounds up to whole geometry, as qemu-img does without force_size
    VPC_CREATOR_QEM2, // "qem2": the size is the footer's current size, exact to the sector
};

enum qcow2_compression { QCOW2_ZLIB, QCOW2_ZSTD }; // the numbers of the header's field

enum vmdk_subformat { VMDK_SPARSE, VMDK_STREAM }; // monolithicSparse, streamOptimized

// What a writer may choose. Zero means the format's default everywhere, so {0} is a plain image.
struct image_options {
    uint32_t cluster_bits;  // qcow2: 9..21, 0 = 16
    uint32_t qcow2_version; // 2 or 3, 0 = 3
    uint32_t refcount_bits; // qcow2: 1,2,4,...,64, 0 = 16 (version 2: always 16)
    bool lazy_refcounts;    // qcow2 v3: compatible feature bit; refcounts are still written
    bool extended_l2;       // qcow2 v3, cluster_bits >= 14: 16-byte entries with subclusters
    bool stale_subclusters; // with extended_l2: what a stored cluster does not use is filled with
                            // bytes that are not zero, as a file that was written to has them
    enum qcow2_compression compression; // qcow2; QCOW2_ZSTD needs v3
    bool vpc_fixed; // vpc: a fixed disk (data, then footer) instead of a dynamic one
    enum vpc_creator vpc_creator;
    enum vmdk_subformat vmdk_subformat;
    uint32_t grain_bits;    // vmdk: 12..16, 0 = 16
    uint32_t block_bits;    // vpc dynamic: 19..28, 0 = 21; vhdx: 20..28, 0 = 25
    uint32_t output_sector; // vmdk sparse: every table and grain is padded to this many bytes
                            // (a device of large sectors); 0 = 512
    bool compress;   // store every data unit compressed where the format can (qcow2, and vmdk
                     // when its subformat is VMDK_STREAM)
    bool skip_zeros; // leave a unit out when all its bytes are zero
};

// What a writer made; filled by image_write.
struct image_written {
    uint64_t virtual_size; // as the file declares it, after the format's rounding
    uint64_t file_size;    // bytes of the file
    uint32_t unit;         // allocation unit: cluster, grain or block in bytes (raw: 4096)
    struct image_map map;  // allocation in the format's units (qcow2 with extended L2 entries:
                           // in subclusters, 1/32 of a unit), cut at virtual_size
};
void image_written_free(struct image_written *written);

// What `info` may say of an open image. Fields that a format does not have are 0.
struct image_info {
    uint64_t virtual_size;
    uint64_t cluster_size;  // 0: the format has none to show (raw, fixed vpc)
    uint32_t qcow2_version; // 2 or 3
    uint32_t refcount_bits; // qcow2
    bool lazy_refcounts, corrupt, dirty, extended_l2; // qcow2 v3
    uint8_t compression_type;                         // qcow2: 0 zlib, 1 zstd
    char vmdk_create_type[32];                        // "monolithicSparse", "streamOptimized"
    uint32_t vmdk_cid, vmdk_parent_cid;
    bool vpc_fixed;
    char vpc_creator[5]; // NUL-terminated creator application
    bool has_backing;    // names a parent of any kind
};

// The result of walking all tables. Counts are qemu-img's: clusters, not bytes.
struct image_check {
    uint64_t corruptions, leaks;
    uint64_t total_clusters, allocated_clusters, fragmented_clusters, compressed_clusters;
    uint64_t image_end_offset; // file bytes: end of the last cluster in use
    char first_problem[128];   // in words, for people; "" when clean
};

struct image; // an open file; see image_open

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
    int (*write)(int fd, const struct image_options *options, const struct image_source *source,
                 struct image_written *written, struct fault *fault);
    // The guest size that this format would declare for `size` (its rounding); 0 with a fault if
    // it cannot hold that size.
    int (*declared_size)(const struct image_options *options, uint64_t size, uint64_t *declared,
                         struct fault *fault);
    uint32_t max_unit_bits; // largest unit that options may ask for (for buffers)
};

struct image {
    const struct image_driver *driver;
    int fd;
    uint64_t file_size;    // bytes
    uint64_t virtual_size; // guest bytes
    uint32_t unit;         // allocation unit in bytes
    void *state;           // the driver's own
};

const struct image_driver *image_driver(enum image_format format);
// NULL if no driver has that name. "vhd" and "virtualpc" are understood as vpc.
const struct image_driver *image_driver_named(const char *name);

// Opens a file read-only as the given format. The caller closes. *image is NULL after a failure.
int image_open(struct image **image, const char *path, enum image_format format,
               struct fault *fault);
void image_close(struct image *image); // NULL is fine
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

// pread/pwrite of everything, EINTR-safe. Reading past the end of the file gives zeros.
int image_pread(int fd, void *buffer, size_t length, uint64_t file_offset, struct fault *fault);
int image_pwrite(int fd, const void *buffer, size_t length, uint64_t file_offset,
                 struct fault *fault);

#endif
