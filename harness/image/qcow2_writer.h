// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the qcow2 writer share: the file that grows, and what must be remembered about
// it until its tables can be written.
//   qcow2_write.c            options, and the walk over a disk: L1 and L2 tables
//   qcow2_write_cluster.c    one guest cluster: its form, its place, its entry
//   qcow2_write_snapshots.c  internal snapshots, and what they share with the active disk
//   qcow2_write_bitmaps.c    persistent bitmaps
//   qcow2_write_tables.c     refcounts and the header, which close the file
#ifndef IMAGE_QCOW2_WRITER_H
#define IMAGE_QCOW2_WRITER_H

#include "image/qcow2.h"

// A disk of the file: the active one or a snapshot.
struct qcow2_disk {
    const struct image_source *source;
    uint64_t size; // guest bytes, a multiple of 512
    uint8_t *l1;   // as in the file; owned
    uint64_t l1_size, l1_offset;
};

struct qcow2_writer {
    int fd;
    int data_fd; // of the data file; -1: guest clusters are in `fd`
    char data_name[IMAGE_NAME_ROOM + 8];
    const struct image_options *options;
    struct image_written *written;
    uint32_t version, cluster_bits, refcount_order;
    uint64_t unit;
    uint32_t parts, entry_bytes; // 32 subclusters a cluster and 16 bytes, or 1 and 8

    uint64_t clusters;   // of the file so far
    uint32_t *refcounts; // of each of them; owned
    size_t refcount_room;
    uint32_t most; // what a refcount can hold, as far as we count

    struct qcow2_disk active;
    struct qcow2_disk *disk; // the one that is being stored
    uint8_t *l2;             // its table that is being filled
    uint64_t l2_index;       // that table's L1 entry
    uint64_t l2_at;          // that table's file offset; 0: none

    uint8_t *data, *packed; // one cluster each
    uint64_t packed_at;     // where the next compressed cluster may begin: inside the host cluster
                            // that the last one ended in. 0: nowhere

    uint64_t snapshots_at; // the snapshot table
    uint64_t directory_at; // the bitmap directory
    uint64_t directory_bytes;
    uint64_t reftable_at, reftable_clusters;

    uint8_t *append; // APPEND_BYTES not yet written, that belong at append_at
    uint64_t append_at;
    size_t append_length;
};

// A guest cluster as the source wishes it, part by part.
struct qcow2_cluster {
    uint64_t index;
    enum image_state parts[QCOW2_SUBCLUSTERS];
    enum image_state strongest; // of the parts
};

// --- the file ------------------------------------------------------------------------------------
// File offset of `count` new clusters at the end, each with a refcount of 1.
uint64_t qcow2_writer_allocate(struct qcow2_writer *writer, uint64_t count);
// Bytes for a place in the file; what follows on the last ones is collected first.
int qcow2_writer_put(struct qcow2_writer *writer, uint64_t at, const uint8_t *bytes, size_t length,
                     struct fault *fault);
int qcow2_writer_flush(struct qcow2_writer *writer, struct fault *fault);

// --- a disk --------------------------------------------------------------------------------------
int qcow2_disk_begin(struct qcow2_writer *writer, struct qcow2_disk *disk,
                     const struct image_source *source, struct fault *fault);
// Everything but the L1 table, which gets its place.
int qcow2_disk_store(struct qcow2_writer *writer, struct qcow2_disk *disk, struct fault *fault);
int qcow2_disk_put_l1(struct qcow2_writer *writer, const struct qcow2_disk *disk,
                      struct fault *fault);
// The L2 entry of guest cluster `index`, in a table that is begun where needed.
uint8_t *qcow2_writer_l2_entry(struct qcow2_writer *writer, uint64_t index, struct fault *fault);
void qcow2_note_part(struct qcow2_cluster *cluster, uint64_t part, enum image_state state);
int qcow2_store_cluster(struct qcow2_writer *writer, struct qcow2_cluster *cluster,
                        struct fault *fault);

// --- sharing with the active disk ----------------------------------------------------------------
// 1: the active disk has the same there, and it is now referred to once more; *at is its place.
// 0: it has not, or its refcount is full, or this is the active disk. -1: a fault.
// A standard cluster, whose bytes are in writer->data: its L2 entry without place and COPIED.
int qcow2_share_standard(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                         uint64_t flags, uint64_t bitmap, uint64_t *at, struct fault *fault);
// A compressed one, whose `length` bytes are in writer->packed.
int qcow2_share_packed(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                       size_t length, uint64_t *at, struct fault *fault);
// The L2 table in writer->l2, if nothing was allocated since it was begun.
int qcow2_share_table(struct qcow2_writer *writer, uint64_t *at, struct fault *fault);
uint64_t qcow2_packed_entry(const struct qcow2_writer *writer, uint64_t at, uint64_t length);

// --- what follows the active disk ----------------------------------------------------------------
int qcow2_write_snapshots(struct qcow2_writer *writer, struct fault *fault);
int qcow2_check_bitmaps(const struct image_options *options, uint64_t size, struct fault *fault);
int qcow2_write_bitmaps(struct qcow2_writer *writer, struct fault *fault);
// Refcount table, refcount blocks and header: when nothing else will be allocated.
int qcow2_writer_close(struct qcow2_writer *writer, struct fault *fault);

#endif
