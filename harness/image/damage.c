// SPDX-License-Identifier: Apache-2.0
//
// The faults are wrong refcounts: nothing that a reader needs is touched, so that a checker cannot
// excuse itself with an image that does not open. Which cluster has one changes from case to case,
// for a checker that forgets a kind of cluster (a table, a snapshot's, a deflated one) overlooks
// only those.
#include "image/damage.h"

#include "base/bytes.h"
#include "base/file.h"
#include "image/qcow2.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

const char *const image_damage_names[IMAGE_DAMAGES] = {
    [DAMAGE_LEAK] = "leak",
    [DAMAGE_REFCOUNT] = "refcount",
};

struct refcounts {
    int fd;
    uint32_t order, cluster, blocks;
    uint64_t per_block, clusters; // of the file
    const uint8_t *table;         // as in the file
    uint8_t *block;               // the one in hand
    uint64_t block_at;            // its file offset; 0: none
};

// The block that has the refcount of a cluster in hand. 1: there is none, so the refcount is 0.
static int load_block(struct refcounts *counts, uint64_t cluster, struct fault *fault) {
    uint64_t index = cluster / counts->per_block;
    uint64_t at = index < counts->blocks ? get_be64(counts->table + index * 8) : 0;
    at &= QCOW2_REFTABLE_MASK;
    if (at == 0)
        return 1;
    if (at != counts->block_at && file_pread(counts->fd, counts->block, counts->cluster, at, fault))
        return -1;
    counts->block_at = at;
    return 0;
}

static int set(struct refcounts *counts, uint64_t cluster, uint64_t value, struct fault *fault) {
    qcow2_set_refcount(counts->block, cluster % counts->per_block, counts->order, value);
    return file_pwrite(counts->fd, counts->block, counts->cluster, counts->block_at, fault);
}

static int leak(struct refcounts *counts, struct fault *fault) {
    uint64_t added = counts->clusters;
    int status = load_block(counts, added, fault);
    if (status)
        return status < 0 ? -1 : fault_set(fault, "no refcount block for one cluster more");
    if (ftruncate(counts->fd, (off_t)((added + 1) * counts->cluster)))
        return fault_errno(fault, "one cluster more");
    return set(counts, added, 1, fault);
}

// Goes through the clusters of the file that are referred to once, to the one with this number, or
// only counts them (UINT64_MAX). Its block is then in hand.
static int find_single(struct refcounts *counts, uint64_t number, uint64_t *cluster,
                       uint64_t *singles, struct fault *fault) {
    *singles = 0;
    for (uint64_t i = 0; i < counts->clusters; i++) {
        int status = load_block(counts, i, fault);
        if (status < 0)
            return -1;
        if (status == 0 &&
            qcow2_get_refcount(counts->block, i % counts->per_block, counts->order) == 1 &&
            (*singles)++ == number) {
            *cluster = i;
            return 0;
        }
    }
    return 0;
}

static int forget_refcount(struct refcounts *counts, uint64_t chosen, struct fault *fault) {
    uint64_t cluster = 0, singles;
    if (find_single(counts, UINT64_MAX, &cluster, &singles, fault))
        return -1;
    if (singles == 0)
        return fault_set(fault, "no cluster is referred to once");
    if (find_single(counts, chosen % singles, &cluster, &singles, fault))
        return -1;
    return set(counts, cluster, 0, fault);
}

static int damage_open(int fd, struct image *image, enum image_damage damage, uint64_t chosen,
                       struct fault *fault) {
    const struct qcow2_state *state = image->state;
    size_t bytes = (size_t)state->reftable_clusters << state->cluster_bits; // bounded by open
    uint8_t *table = malloc(bytes), *block = malloc(image->unit);
    struct refcounts counts = {
        .fd = fd,
        .order = state->refcount_order,
        .cluster = image->unit,
        .blocks = (uint32_t)(bytes / 8),
        .per_block = (uint64_t)image->unit * 8 >> state->refcount_order,
        .clusters = div_up(image->file_size, image->unit),
        .table = table,
        .block = block,
    };
    int status = !table || !block ? fault_set(fault, "out of memory")
                                  : file_pread(fd, table, bytes, state->reftable_offset, fault);
    if (status == 0)
        status =
            damage == DAMAGE_LEAK ? leak(&counts, fault) : forget_refcount(&counts, chosen, fault);
    free(table);
    free(block);
    return status;
}

int image_damage(const char *from, const char *to, enum image_damage damage, uint64_t chosen,
                 uint64_t most, struct fault *fault) {
    struct image *image;
    if (image_open(&image, from, IMAGE_QCOW2, fault))
        return -1;
    int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    int status = fd < 0 ? fault_errno(fault, "%s", to) : file_copy(image->fd, fd, most, fault);
    if (status == 0)
        status = damage_open(fd, image, damage, chosen, fault);
    image_close(image);
    if (fd < 0)
        return -1;
    close(fd);
    if (status)
        unlink(to);
    return status;
}
