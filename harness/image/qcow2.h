// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the qcow2 driver share: the numbers of the format and the state of an open
// file. "Spec" in these files is QEMU's docs/interop/qcow2.
#ifndef IMAGE_QCOW2_H
#define IMAGE_QCOW2_H

#include "image/image.h"

#define QCOW2_MAGIC 0x514649fbu // "QFI\xfb", spec "Header"

// Byte offsets in the header; spec "Header" and "Additional fields (version 3 and higher)".
enum qcow2_header {
    QCOW2_AT_MAGIC = 0,
    QCOW2_AT_VERSION = 4,
    QCOW2_AT_BACKING_OFFSET = 8,
    QCOW2_AT_BACKING_SIZE = 16,
    QCOW2_AT_CLUSTER_BITS = 20,
    QCOW2_AT_SIZE = 24,
    QCOW2_AT_CRYPT_METHOD = 32,
    QCOW2_AT_L1_SIZE = 36,
    QCOW2_AT_L1_OFFSET = 40,
    QCOW2_AT_REFTABLE_OFFSET = 48,
    QCOW2_AT_REFTABLE_CLUSTERS = 56,
    QCOW2_AT_SNAPSHOTS = 60,
    QCOW2_AT_SNAPSHOTS_OFFSET = 64,
    QCOW2_V2_HEADER = 72,
    QCOW2_AT_INCOMPATIBLE = 72,
    QCOW2_AT_COMPATIBLE = 80,
    QCOW2_AT_AUTOCLEAR = 88,
    QCOW2_AT_REFCOUNT_ORDER = 96,
    QCOW2_AT_HEADER_LENGTH = 100,
    QCOW2_V3_HEADER = 104,
    QCOW2_AT_COMPRESSION = 104,
    QCOW2_LONGEST_HEADER = 112,
};

// Spec "Header extensions".
#define QCOW2_EXTENSION_BACKING_FORMAT 0xe2792acau
#define QCOW2_EXTENSION_BITMAPS        0x23852875u // spec "Bitmaps extension"
#define QCOW2_EXTENSION_DATA_FILE      0x44415441u

#define QCOW2_INCOMPAT_DIRTY       (1u << 0)
#define QCOW2_INCOMPAT_CORRUPT     (1u << 1)
#define QCOW2_INCOMPAT_DATA_FILE   (1u << 2)
#define QCOW2_INCOMPAT_COMPRESSION (1u << 3)
#define QCOW2_INCOMPAT_EXTENDED_L2 (1u << 4)
#define QCOW2_INCOMPAT_KNOWN       0x1fu
#define QCOW2_COMPAT_LAZY          (1u << 0)
#define QCOW2_AUTOCLEAR_BITMAPS    (1u << 0)
#define QCOW2_AUTOCLEAR_DATA_RAW   (1u << 1)

// Table entries; spec "Cluster mapping". The same offset mask serves L1 and L2 tables.
#define QCOW2_COPIED      (1ull << 63)
#define QCOW2_COMPRESSED  (1ull << 62)
#define QCOW2_ZERO        (1ull << 0)
#define QCOW2_OFFSET_MASK 0x00fffffffffffe00ull
// Bits that must be zero, by the same tables; check counts an entry that has one as corrupt.
#define QCOW2_L1_RESERVED 0x7f000000000001ffull
#define QCOW2_L2_RESERVED 0x3f000000000001feull
// Refcount table entries; spec "Host cluster management".
#define QCOW2_REFTABLE_MASK 0xfffffffffffffe00ull

// Byte offsets in an entry of the snapshot table; spec "Snapshots". Behind the fixed part come
// extra data, ID and name, padded to eight.
enum qcow2_snapshot_entry {
    QCOW2_SNAPSHOT_L1_OFFSET = 0,
    QCOW2_SNAPSHOT_L1_SIZE = 8,
    QCOW2_SNAPSHOT_ID_LENGTH = 12,
    QCOW2_SNAPSHOT_NAME_LENGTH = 14,
    QCOW2_SNAPSHOT_DATE = 16,
    QCOW2_SNAPSHOT_EXTRA_LENGTH = 36,
    QCOW2_SNAPSHOT_FIXED = 40,
    QCOW2_SNAPSHOT_DISK_SIZE = 48, // of the extra data; version 3 must have it
    QCOW2_SNAPSHOT_DISK_SIZE_END = 56,
    QCOW2_SNAPSHOT_EXTRA_END = 64, // of what QEMU writes, in both versions
};

// Byte offsets in the bitmaps extension and in an entry of the bitmap directory; spec "Bitmaps
// extension", "Bitmap directory".
enum qcow2_bitmaps {
    QCOW2_BITMAPS_COUNT = 0,
    QCOW2_BITMAPS_DIRECTORY_SIZE = 8,
    QCOW2_BITMAPS_DIRECTORY_OFFSET = 16,
    QCOW2_BITMAPS_EXTENSION = 24,
    QCOW2_BITMAP_TABLE_OFFSET = 0,
    QCOW2_BITMAP_TABLE_SIZE = 8,
    QCOW2_BITMAP_FLAGS = 12,
    QCOW2_BITMAP_TYPE = 16,
    QCOW2_BITMAP_GRANULARITY_BITS = 17,
    QCOW2_BITMAP_NAME_LENGTH = 18,
    QCOW2_BITMAP_EXTRA_LENGTH = 20,
    QCOW2_BITMAP_FIXED = 24,
};
#define QCOW2_BITMAP_IN_USE         (1u << 0)
#define QCOW2_BITMAP_AUTO           (1u << 1)
#define QCOW2_BITMAP_DIRTY_TRACKING 1 // the only type
#define QCOW2_BITMAP_ALL_ONES       1 // a bitmap table entry without a cluster; spec "Bitmap table"
#define QCOW2_BITMAP_RESERVED       0xff000000000001feull

#define QCOW2_MIN_CLUSTER_BITS 9
#define QCOW2_MAX_CLUSTER_BITS 21
// With extended L2 entries: a subcluster is no smaller than a sector.
#define QCOW2_MIN_EXTENDED_BITS 14
// QEMU's own limits (block/qcow2.h): beyond them it refuses the image.
#define QCOW2_MAX_L1_BYTES       (32u << 20)
#define QCOW2_MAX_REFTABLE_BYTES (8u << 20)
#define QCOW2_MAX_SNAPSHOTS      65536u
#define QCOW2_MAX_BITMAPS        65535u
// QEMU's limits of a bitmap (block/qcow2-bitmap.c).
#define QCOW2_MIN_GRANULARITY_BITS 9u
#define QCOW2_MAX_GRANULARITY_BITS 31u
#define QCOW2_MAX_BITMAP_BYTES     (512u << 20)
#define QCOW2_MAX_BITMAP_NAME      1023u
#define QCOW2_SECTOR               512u
#define QCOW2_SUBCLUSTERS          32u // per cluster with extended L2 entries

struct qcow2_state {
    uint32_t version, cluster_bits, refcount_order, header_length;
    uint64_t incompatible, compatible, autoclear;
    uint8_t compression_type;
    char backing_name[1024]; // spec: at most 1023 bytes
    char backing_format[16]; // "" if the header has none
    uint32_t crypt_method;
    const char *unreadable;  // why guest bytes cannot be had; NULL: they can
    const char *uncheckable; // why refcounts cannot be judged; NULL: they can

    uint64_t disk_size; // guest bytes of the active disk
    uint32_t l1_size;   // entries of its L1 table
    uint64_t l1_offset, reftable_offset;
    uint32_t reftable_clusters;
    uint64_t *l1; // of the disk that is read; host byte order, owned

    uint32_t snapshots;
    uint64_t snapshots_offset, snapshots_bytes; // the snapshot table
    uint32_t bitmaps;
    uint64_t directory_offset, directory_bytes; // the bitmap directory
    char data_file[1024];                       // "": guest clusters are in this file
    int data_fd; // of the file that has them; the image's own or owned

    uint32_t l2_bits; // log2 of the entries in an L2 table
    uint8_t *l2;      // the table in hand, as in the file; owned
    uint64_t l2_at;   // its file offset; 0: none

    uint8_t *plain;    // a decompressed cluster, owned
    uint64_t plain_of; // the L2 entry it was made from; 0: none
    uint8_t *packed;   // compressed bytes, two clusters' worth, owned
};

// Where a compressed cluster lies; spec "Compressed Clusters Descriptor". `length` reaches to the
// end of the last sector, which is more than the stream.
void qcow2_compressed_place(uint64_t entry, uint32_t cluster_bits, uint64_t *offset,
                            uint64_t *length);

// The L2 table at a file offset, through the cache; NULL with a fault if it is misplaced.
const uint8_t *qcow2_load_l2(struct image *image, uint64_t file_offset, struct fault *fault);

// Reads a table of 8-byte entries, which must fit, into *table, in host byte order. The
// caller frees it, after a failure too.
int qcow2_load_table(struct image *image, uint64_t offset, uint32_t entries, uint64_t **table,
                     struct fault *fault);
// Does [offset, offset + length) lie inside the file? Its last cluster may be cut, and what is not
// there reads as zeros; qemu-img's check draws the line one cluster behind the file's last sector
// (block/qcow2-refcount.c, qcow2_inc_refcounts_imrt).
bool qcow2_within(const struct image *image, uint64_t offset, uint64_t length);
// The same of a table, which begins at a cluster.
bool qcow2_table_fits(const struct image *image, uint64_t offset, uint64_t length);

struct qcow2_snapshot {
    uint64_t l1_offset, disk_size;
    uint32_t l1_size;
    uint16_t id_length, name_length;
    bool incomplete;         // version 3, and the disk's size is not recorded
    char id[128], name[256]; // cut
};

// The entry of the snapshot table at file offset *at, which then is behind it; the next one begins
// at the next multiple of eight.
int qcow2_next_snapshot(struct image *image, uint64_t *at, struct qcow2_snapshot *snapshot,
                        struct fault *fault);
// Walks the snapshot table once, so that everything later can trust it.
int qcow2_open_snapshots(struct image *image, struct fault *fault);

struct qcow2_bitmap {
    uint64_t table_offset;
    uint32_t table_entries;
    struct image_bitmap_info info;
};

// The entry of the bitmap directory at file offset *at, which then is the next one's.
int qcow2_next_bitmap(struct image *image, uint64_t *at, struct qcow2_bitmap *bitmap,
                      struct fault *fault);
// The header extension's content; and, once the header is known, a walk through the directory.
int qcow2_parse_bitmaps(struct image *image, const uint8_t *extension, uint32_t length,
                        struct fault *fault);
int qcow2_open_bitmaps(struct image *image, struct fault *fault);
// Entries of the bitmap table for a disk of `size` bytes.
uint64_t qcow2_bitmap_entries(uint64_t size, uint32_t granularity_bits, uint32_t cluster_bits);

static inline bool qcow2_has_data_file(const struct qcow2_state *state) {
    return state->incompatible & QCOW2_INCOMPAT_DATA_FILE;
}
static inline bool qcow2_is_extended(const struct qcow2_state *state) {
    return state->incompatible & QCOW2_INCOMPAT_EXTENDED_L2;
}
static inline uint32_t qcow2_entry_bytes(const struct qcow2_state *state) {
    return qcow2_is_extended(state) ? 16 : 8;
}

// Refcount `index` of a block with entries of 2^order bits; spec "Host cluster management".
uint64_t qcow2_get_refcount(const uint8_t *block, uint64_t index, uint32_t order);
void qcow2_set_refcount(uint8_t *block, uint64_t index, uint32_t order, uint64_t value);

// Members of the driver table.
int qcow2_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                 struct fault *fault);
int qcow2_read(struct image *image, uint64_t offset, void *buffer, size_t length,
               struct fault *fault);
int qcow2_choose_snapshot(struct image *image, const char *id_or_name, struct fault *fault);
int qcow2_bitmap_at(struct image *image, uint32_t index, struct image_bitmap_info *bitmap,
                    struct fault *fault);
int qcow2_check(struct image *image, struct image_check *check, struct fault *fault);
int qcow2_write(struct image_output *output, const struct image_options *options,
                const struct image_source *source, struct image_written *written,
                struct fault *fault);
int qcow2_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                        struct fault *fault);

#endif
