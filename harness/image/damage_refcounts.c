// SPDX-License-Identifier: Apache-2.0
//
// Wrong refcounts of a qcow2. Nothing that a reader needs is touched, so that a checker cannot
// excuse itself with an image that does not open.
#include "image/damage_kinds.h"

#include "base/bytes.h"
#include "base/file.h"
#include "image/qcow2.h"

#include <stdlib.h>
#include <unistd.h>

struct refcounts {
    int fd;
    uint32_t order, cluster, blocks;
    uint64_t per_block, clusters; // of the file
    uint64_t most;                // that one can hold
    uint8_t *table;               // as in the file
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

static uint64_t get(const struct refcounts *counts, uint64_t cluster) {
    return qcow2_get_refcount(counts->block, cluster % counts->per_block, counts->order);
}

static int set(struct refcounts *counts, uint64_t cluster, uint64_t value, struct fault *fault) {
    qcow2_set_refcount(counts->block, cluster % counts->per_block, counts->order, value);
    return file_pwrite(counts->fd, counts->block, counts->cluster, counts->block_at, fault);
}

// Goes through the clusters of the file whose refcount is within these bounds, to the one with this
// number, or only counts them (UINT64_MAX). Its block is then in hand.
static int find(struct refcounts *counts, uint64_t least, uint64_t most, uint64_t number,
                uint64_t *cluster, uint64_t *found, struct fault *fault) {
    *found = 0;
    for (uint64_t i = 0; i < counts->clusters; i++) {
        int status = load_block(counts, i, fault);
        if (status < 0)
            return -1;
        uint64_t value = status ? 0 : get(counts, i);
        if (value >= least && value <= most && (*found)++ == number) {
            *cluster = i;
            return 0;
        }
    }
    return 0;
}

static int choose(struct refcounts *counts, uint64_t least, uint64_t most, uint64_t chosen,
                  uint64_t *cluster, struct fault *fault) {
    uint64_t found;
    if (find(counts, least, most, UINT64_MAX, cluster, &found, fault))
        return -1;
    if (found == 0)
        return fault_set(fault, "no cluster has such a refcount");
    return find(counts, least, most, chosen % found, cluster, &found, fault);
}

static void end(struct refcounts *counts) {
    free(counts->table);
    free(counts->block);
}

// To be ended, after a failure too.
static int begin(struct refcounts *counts, const struct damaged_copy *copy, struct fault *fault) {
    const struct image *image = copy->image;
    const struct qcow2_state *state = image->state;
    size_t bytes = (size_t)state->reftable_clusters << state->cluster_bits; // bounded by open
    *counts = (struct refcounts){
        .fd = copy->fd,
        .order = state->refcount_order,
        .cluster = image->unit,
        .blocks = (uint32_t)(bytes / 8),
        .per_block = (uint64_t)image->unit * 8 >> state->refcount_order,
        .clusters = div_up(image->file_size, image->unit),
        .most = UINT64_MAX >> (64 - (1u << state->refcount_order)),
        .table = malloc(bytes),
        .block = malloc(image->unit),
    };
    if (!counts->table || !counts->block)
        return fault_set(fault, "out of memory");
    return file_pread(copy->fd, counts->table, bytes, state->reftable_offset, fault);
}

static int add_cluster(struct refcounts *counts, struct fault *fault) {
    uint64_t added = counts->clusters;
    int status = load_block(counts, added, fault);
    if (status)
        return status < 0 ? -1 : fault_set(fault, "no refcount block for one cluster more");
    if (ftruncate(counts->fd, (off_t)((added + 1) * counts->cluster)))
        return fault_errno(fault, "one cluster more");
    return set(counts, added, 1, fault);
}

int damage_leak(const struct damaged_copy *copy, struct fault *fault) {
    struct refcounts counts;
    int status = begin(&counts, copy, fault);
    if (status == 0)
        status = add_cluster(&counts, fault);
    end(&counts);
    return status;
}

// Takes the one reference of a cluster away, or gives one more than there is.
static int change(const struct damaged_copy *copy, bool more, struct fault *fault) {
    struct refcounts counts;
    uint64_t cluster = 0;
    int status = begin(&counts, copy, fault);
    if (status == 0)
        status = choose(&counts, 1, more ? counts.most - 1 : 1, copy->chosen, &cluster, fault);
    if (status == 0)
        status = set(&counts, cluster, more ? get(&counts, cluster) + 1 : 0, fault);
    end(&counts);
    return status;
}

int damage_refcount(const struct damaged_copy *copy, struct fault *fault) {
    return change(copy, false, fault);
}

int damage_excess(const struct damaged_copy *copy, struct fault *fault) {
    return change(copy, true, fault);
}
