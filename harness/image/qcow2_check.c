// SPDX-License-Identifier: Apache-2.0
//
// qcow2: the consistency check, counting as `qemu-img check` counts (block/qcow2-refcount.c), so
// that its numbers can be held against the tools'. All references are counted anew and compared
// with the stored refcounts: too low is a corruption, too high a leak.
#include "image/qcow2.h"

#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// Bounds of what one check may cost. An image of this project's making is far below both.
#define MAX_FILE_CLUSTERS (1ull << 26)
#define MAX_ENTRIES       (1ull << 27) // L2 entries looked at: tables can be shared endlessly

struct walk {
    struct image *image;
    struct qcow2_state *state;
    struct image_check *check;
    uint64_t clusters;  // of the file
    uint32_t *counted;  // references found, a cluster each
    uint32_t most;      // what a refcount of the image can hold, as far as we count
    uint64_t entries;   // L2 entries visited
    uint8_t *block;     // the refcount block in hand
    uint64_t block_at;  // its file offset; 0: none
    uint64_t *reftable; // host byte order
    uint64_t reftable_entries;
};

__attribute__((format(printf, 2, 3))) static void corrupt(struct walk *walk, const char *format,
                                                          ...) {
    walk->check->corruptions++;
    if (walk->check->first_problem[0])
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(walk->check->first_problem, sizeof walk->check->first_problem, format, args);
    va_end(args);
}

// Counts a reference to each cluster that [offset, offset + length) touches.
static void refer(struct walk *walk, uint64_t offset, uint64_t length, const char *what) {
    uint64_t unit = walk->image->unit, end;
    if (length == 0)
        return;
    // The last cluster of a file may be cut, but must begin in it.
    if (__builtin_add_overflow(offset, length, &end) ||
        (end > walk->image->file_size && end - walk->image->file_size >= unit)) {
        corrupt(walk, "%s at %#llx is behind the file's end", what, (unsigned long long)offset);
        return;
    }
    uint64_t last = min_u64(div_up(end, unit), walk->clusters);
    for (uint64_t i = offset / unit; i < last; i++) {
        if (walk->counted[i] < walk->most)
            walk->counted[i]++;
        else
            corrupt(walk, "cluster %llu: more references than a refcount can hold",
                    (unsigned long long)i);
    }
}

// The stored refcount of a cluster; 0 where there is no readable block.
static uint64_t stored(struct walk *walk, uint64_t cluster) {
    uint32_t order = walk->state->refcount_order;
    uint64_t per_block = ((uint64_t)walk->image->unit * 8) >> order;
    uint64_t index = cluster / per_block;
    uint64_t at = index < walk->reftable_entries ? walk->reftable[index] : 0;
    if (at == 0 || at % walk->image->unit != 0 || at >= walk->image->file_size)
        return 0;
    if (walk->block_at != at) {
        walk->block_at = 0;
        if (image_pread(walk->image->fd, walk->block, walk->image->unit, at, NULL) < 0)
            return 0;
        walk->block_at = at;
    }
    return qcow2_get_refcount(walk->block, cluster % per_block, order);
}

// Spec "Cluster mapping": bit 63 of L1 and standard L2 entries is set exactly if the refcount is 1.
static void check_copied(struct walk *walk, uint64_t entry, const char *what) {
    uint64_t at = entry & QCOW2_OFFSET_MASK;
    bool copied = entry & QCOW2_COPIED;
    if ((stored(walk, at / walk->image->unit) == 1) != copied)
        corrupt(walk, "%s entry %#llx: the COPIED flag contradicts the refcount", what,
                (unsigned long long)entry);
}

static void visit_standard(struct walk *walk, uint64_t entry, uint64_t *expected) {
    uint64_t at = entry & QCOW2_OFFSET_MASK, unit = walk->image->unit;
    struct image_check *check = walk->check;
    if (entry & QCOW2_L2_RESERVED)
        corrupt(walk, "L2 entry %#llx: reserved bits", (unsigned long long)entry);
    if (at == 0)
        return;
    if (at % unit != 0)
        corrupt(walk, "L2 entry %#llx: misaligned cluster", (unsigned long long)entry);
    check->allocated_clusters++;
    if (*expected != 0 && at != *expected)
        check->fragmented_clusters++;
    *expected = at + unit;
    refer(walk, at, unit, "a data cluster");
}

static void visit_compressed(struct walk *walk, uint64_t entry) {
    struct image_check *check = walk->check;
    uint64_t offset, length;
    if (entry & QCOW2_COPIED)
        corrupt(walk, "L2 entry %#llx: compressed, but COPIED", (unsigned long long)entry);
    qcow2_compressed_place(entry, walk->state->cluster_bits, &offset, &length);
    check->allocated_clusters++;
    check->compressed_clusters++;
    check->fragmented_clusters++; // as QEMU: "fragmented by nature"
    refer(walk, offset, length, "a compressed cluster");
}

// Spec "Extended L2 Entries": a subcluster is stored or zero, not both; none is stored without a
// place; and a compressed cluster has no bitmap. False: QEMU goes on without counting the cluster.
static bool check_bitmap(struct walk *walk, uint64_t entry, uint64_t bitmap) {
    uint64_t stored_parts = bitmap & UINT32_MAX, zero_parts = bitmap >> QCOW2_SUBCLUSTERS;
    bool compressed = entry & QCOW2_COMPRESSED;
    uint64_t wrong = compressed                    ? bitmap
                     : (entry & QCOW2_OFFSET_MASK) ? stored_parts & zero_parts
                                                   : stored_parts;
    if (wrong)
        corrupt(walk, "L2 entry %#llx: the bitmap %#llx contradicts it or itself",
                (unsigned long long)entry, (unsigned long long)bitmap);
    return !(compressed && wrong);
}

// The first pass counts references; the second, with all of them known, looks at COPIED flags.
enum pass { PASS_COUNT, PASS_COPIED };

static int visit_table(struct walk *walk, uint64_t at, enum pass pass, struct fault *fault) {
    const uint8_t *table = qcow2_load_l2(walk->image, at, NULL);
    if (!table)
        return 0; // misplaced: already counted as a corruption
    uint32_t width = qcow2_entry_bytes(walk->state);
    uint64_t count = walk->image->unit / width, expected = 0;
    walk->entries += count;
    if (walk->entries > MAX_ENTRIES)
        return fault_set(fault, "too many L2 entries to check");
    for (uint64_t i = 0; i < count; i++) {
        uint64_t entry = get_be64(table + i * width);
        bool compressed = entry & QCOW2_COMPRESSED;
        if (pass == PASS_COUNT && width == 16 &&
            !check_bitmap(walk, entry, get_be64(table + i * width + 8)))
            continue;
        if (pass == PASS_COUNT && compressed)
            visit_compressed(walk, entry);
        else if (pass == PASS_COUNT)
            visit_standard(walk, entry, &expected);
        else if (!compressed && (entry & QCOW2_OFFSET_MASK) != 0)
            check_copied(walk, entry, "L2");
    }
    return 0;
}

static int visit_tables(struct walk *walk, enum pass pass, struct fault *fault) {
    for (uint32_t i = 0; i < walk->state->l1_size; i++) {
        uint64_t entry = walk->state->l1[i], at = entry & QCOW2_OFFSET_MASK;
        // QEMU counts what any non-zero entry points to, even if that is the header.
        if (entry == 0 || (pass == PASS_COPIED && at == 0))
            continue;
        if (pass == PASS_COUNT) {
            if (entry & QCOW2_L1_RESERVED)
                corrupt(walk, "L1 entry %#llx: reserved bits", (unsigned long long)entry);
            if (at % walk->image->unit != 0)
                corrupt(walk, "L1 entry %#llx: misaligned table", (unsigned long long)entry);
            refer(walk, at, walk->image->unit, "an L2 table");
        } else {
            check_copied(walk, entry, "L1");
        }
        if (visit_table(walk, at, pass, fault) < 0)
            return -1;
    }
    return 0;
}

// One entry of the refcount table; its block must be nobody else's.
static void visit_block(struct walk *walk, uint64_t entry) {
    uint64_t at = entry & QCOW2_REFTABLE_MASK, cluster = at / walk->image->unit;
    if (entry == 0)
        return;
    if (entry != at || at % walk->image->unit != 0) {
        corrupt(walk, "refcount table entry %#llx: misaligned or reserved bits",
                (unsigned long long)entry);
        return;
    }
    refer(walk, at, walk->image->unit, "a refcount block");
    if (cluster < walk->clusters && walk->counted[cluster] != 1)
        corrupt(walk, "the refcount block at %#llx is in use elsewhere too",
                (unsigned long long)at);
}

static int load_reftable(struct walk *walk, struct fault *fault) {
    const struct qcow2_state *state = walk->state;
    size_t bytes = (size_t)state->reftable_clusters << state->cluster_bits; // bounded by open
    walk->reftable = malloc(bytes);
    if (!walk->reftable)
        return fault_set(fault, "out of memory");
    if (image_pread(walk->image->fd, walk->reftable, bytes, state->reftable_offset, fault) < 0)
        return -1;
    walk->reftable_entries = bytes / 8;
    refer(walk, state->reftable_offset, bytes, "the refcount table");
    for (uint64_t i = 0; i < walk->reftable_entries; i++) {
        uint64_t entry = get_be64(&walk->reftable[i]);
        visit_block(walk, entry);
        walk->reftable[i] = entry & QCOW2_REFTABLE_MASK;
    }
    return 0;
}

static void compare_refcounts(struct walk *walk) {
    uint64_t highest = 0;
    for (uint64_t i = 0; i < walk->clusters; i++) {
        uint64_t said = stored(walk, i), found = walk->counted[i];
        if (said == 0 && found == 0)
            continue;
        highest = i;
        if (said < found) {
            corrupt(walk, "cluster %llu: refcount %llu, references %llu", (unsigned long long)i,
                    (unsigned long long)said, (unsigned long long)found);
        } else if (said > found) {
            walk->check->leaks++;
            if (!walk->check->first_problem[0])
                snprintf(walk->check->first_problem, sizeof walk->check->first_problem,
                         "cluster %llu is leaked (refcount %llu, references %llu)",
                         (unsigned long long)i, (unsigned long long)said,
                         (unsigned long long)found);
        }
    }
    walk->check->image_end_offset = (highest + 1) * walk->image->unit;
}

static int check_all(struct walk *walk, struct fault *fault) {
    struct qcow2_state *state = walk->state;
    walk->counted = calloc((size_t)walk->clusters + 1, sizeof *walk->counted);
    walk->block = malloc(walk->image->unit);
    if (!walk->counted || !walk->block)
        return fault_set(fault, "out of memory");
    refer(walk, 0, walk->image->unit, "the header");
    refer(walk, state->l1_offset, (uint64_t)state->l1_size * 8, "the L1 table");
    if (visit_tables(walk, PASS_COUNT, fault) < 0 || load_reftable(walk, fault) < 0)
        return -1;
    compare_refcounts(walk);
    return visit_tables(walk, PASS_COPIED, fault);
}

int qcow2_check(struct image *image, struct image_check *check, struct fault *fault) {
    struct qcow2_state *state = image->state;
    struct walk walk = {.image = image, .state = state, .check = check};
    *check = (struct image_check){.total_clusters = div_up(image->virtual_size, image->unit)};
    if (state->uncheckable)
        return fault_set(fault, "%s", state->uncheckable);
    walk.clusters = div_up(image->file_size, image->unit);
    walk.most = state->refcount_order < 5 ? (1u << (1u << state->refcount_order)) - 1 : UINT32_MAX;
    if (walk.clusters > MAX_FILE_CLUSTERS)
        return fault_set(fault, "the file is too large to check (%llu clusters)",
                         (unsigned long long)walk.clusters);
    int result = check_all(&walk, fault);
    free(walk.counted);
    free(walk.block);
    free(walk.reftable);
    return result;
}
