// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the qcow2 writer share: the file that grows, and what must be remembered about
// it until its tables can be written. qcow2_write.c stores the guest's bytes, qcow2_write_tables.c
// closes the file.
#ifndef IMAGE_QCOW2_WRITER_H
#define IMAGE_QCOW2_WRITER_H

#include "image/qcow2.h"

struct shared_cluster {
    uint64_t cluster, refcount; // refcount > 1
};

struct qcow2_writer {
    int fd;
    const struct image_options *options;
    const struct image_source *source;
    struct image_written *written;
    uint32_t version, cluster_bits, refcount_order;
    uint64_t unit;
    uint32_t parts, entry_bytes; // 32 subclusters a cluster and 16 bytes, or 1 and 8
    uint64_t clusters;           // of the file so far

    uint8_t *l1; // as in the file
    uint64_t l1_size, l1_offset;
    uint64_t reftable_at, reftable_clusters;
    uint8_t *l2;       // the table being filled
    uint64_t l2_index; // its L1 entry
    uint64_t l2_at;    // its file offset; 0: none

    uint8_t *data, *packed; // one cluster each

    // Where the next compressed cluster may begin: inside the host cluster that the last one ended
    // in. 0: nowhere. `packed_refs` is that host cluster's refcount.
    uint64_t packed_at, packed_refs;
    struct shared_cluster *shared; // ascending
    size_t shared_count, shared_capacity;

    uint8_t *append; // APPEND_BYTES not yet written, that belong at append_at
    uint64_t append_at;
    size_t append_length;
};

// File offset of `count` new clusters at the end.
uint64_t qcow2_writer_allocate(struct qcow2_writer *writer, uint64_t count);
// Bytes for a place in the file; what follows on the last ones is collected first.
int qcow2_writer_put(struct qcow2_writer *writer, uint64_t at, const uint8_t *bytes, size_t length,
                     struct fault *fault);
int qcow2_writer_flush(struct qcow2_writer *writer, struct fault *fault);
// Refcount table, refcount blocks and header: when nothing else will be allocated.
int qcow2_writer_close(struct qcow2_writer *writer, struct fault *fault);

#endif
