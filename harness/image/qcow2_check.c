// SPDX-License-Identifier: Apache-2.0
//
// qcow2: the consistency check, counting as `qemu-img check` counts (block/qcow2-refcount.c), so
// that its numbers can be held against the tools'. All references are counted anew and compared
// with the stored refcounts: too low is a corruption, too high a leak.
#include "image/qcow2.h"

#include "base/bytes.h"
#include "base/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// Bounds of what one check may cost. An image of this project's making is far below both.
#define MAX_FILE_CLUSTERS (1ull << 26)
#define MAX_ENTRIES       (1ull << 27) // entries looked at: tables can be shared endlessly

struct walk {
    struct image *image;
    struct qcow2_state *state;
    struct image_check *check;
    uint64_t clusters;  // of the file, and one more where something is said to lie there
    uint32_t *counted;  // references found, a cluster each
    uint32_t most;      // what a refcount of the image can hold, as far as we count
    uint64_t entries;   // visited, of all tables
    bool active;        // the disk in hand is the active one, not a snapshot
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
    uint64_t unit = walk->image->unit;
    if (length == 0)
        return;
    if (!qcow2_within(walk->image, offset, length)) {
        corrupt(walk, "%s at %#llx is behind the file's end", what, (unsigned long long)offset);
        return;
    }
    uint64_t last = div_up(offset + length, unit);
    if (last > walk->clusters)
        walk->clusters = last;
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
        if (file_pread(walk->image->fd, walk->block, walk->image->unit, at, NULL) < 0)
            return 0;
        walk->block_at = at;
    }
    return qcow2_get_refcount(walk->block, cluster % per_block, order);
}

// Spec "Cluster mapping": bit 63 of L1 and standard L2 entries is set exactly if the refcount is 1.
static void check_copied(struct walk *walk, uint64_t entry, bool is_single, const char *what) {
    bool copied = entry & QCOW2_COPIED;
    if (is_single != copied)
        corrupt(walk, "%s entry %#llx: the COPIED flag contradicts the refcount", what,
                (unsigned long long)entry);
}

// The first cluster of a data file is a place too: COPIED says so, and the zero flag of a standard
// entry takes it back.
static bool placed_at_zero(const struct walk *walk, uint64_t entry) {
    return qcow2_has_data_file(walk->state) && (entry & QCOW2_COPIED) && !(entry & QCOW2_ZERO);
}

static void visit_standard(struct walk *walk, uint64_t entry, uint64_t *expected) {
    uint64_t at = entry & QCOW2_OFFSET_MASK, unit = walk->image->unit;
    struct image_check *check = walk->check;
    if (entry & QCOW2_L2_RESERVED)
        corrupt(walk, "L2 entry %#llx: reserved bits", (unsigned long long)entry);
    if (at == 0 && !placed_at_zero(walk, entry))
        return;
    if (at % unit != 0)
        corrupt(walk, "L2 entry %#llx: misaligned cluster", (unsigned long long)entry);
    // QEMU's statistics are of the active disk.
    if (walk->active) {
        check->allocated_clusters++;
        check->fragmented_clusters += *expected != 0 && at != *expected;
        *expected = at + unit;
    }
    if (!qcow2_has_data_file(walk->state)) // nobody counts there
        refer(walk, at, unit, "a data cluster");
}

static void visit_compressed(struct walk *walk, uint64_t entry) {
    struct image_check *check = walk->check;
    uint64_t offset, length;
    if (qcow2_has_data_file(walk->state)) {
        corrupt(walk, "L2 entry %#llx: compressed, with a data file", (unsigned long long)entry);
        return;
    }
    if (entry & QCOW2_COPIED)
        corrupt(walk, "L2 entry %#llx: compressed, but COPIED", (unsigned long long)entry);
    qcow2_compressed_place(entry, walk->state->cluster_bits, &offset, &length);
    if (walk->active) {
        check->allocated_clusters++;
        check->compressed_clusters++;
        check->fragmented_clusters++; // as QEMU: "fragmented by nature"
    }
    refer(walk, offset, length, "a compressed cluster");
}

// Spec "Extended L2 Entries": a subcluster is stored or zero, not both; none is stored without a
// place; and a compressed cluster has no bitmap. False: QEMU goes on without counting the cluster.
static bool check_bitmap(struct walk *walk, uint64_t entry, uint64_t bitmap) {
    uint64_t stored_parts = bitmap & UINT32_MAX, zero_parts = bitmap >> QCOW2_SUBCLUSTERS;
    bool compressed = entry & QCOW2_COMPRESSED;
    uint64_t wrong = compressed ? bitmap
                     : (entry & QCOW2_OFFSET_MASK) || placed_at_zero(walk, entry)
                         ? stored_parts & zero_parts
                         : stored_parts;
    if (wrong)
        corrupt(walk, "L2 entry %#llx: the bitmap %#llx contradicts it or itself",
                (unsigned long long)entry, (unsigned long long)bitmap);
    return !(compressed && wrong);
}

// The first pass counts references; the second, with all of them known, looks at COPIED flags.
enum pass { PASS_COUNT, PASS_COPIED };

static int spend(struct walk *walk, uint64_t entries, struct fault *fault) {
    walk->entries += entries;
    return walk->entries > MAX_ENTRIES ? fault_set(fault, "too many table entries to check") : 0;
}

// In a data file every cluster is the only one.
static bool is_single(struct walk *walk, uint64_t entry) {
    return qcow2_has_data_file(walk->state) ||
           stored(walk, (entry & QCOW2_OFFSET_MASK) / walk->image->unit) == 1;
}

static int visit_table(struct walk *walk, uint64_t at, enum pass pass, struct fault *fault) {
    const uint8_t *table = qcow2_load_l2(walk->image, at, NULL);
    if (!table)
        return 0; // misplaced: already counted as a corruption
    uint32_t width = qcow2_entry_bytes(walk->state);
    uint64_t count = walk->image->unit / width, expected = 0;
    if (spend(walk, count, fault) < 0)
        return -1;
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
            check_copied(walk, entry, is_single(walk, entry), "L2");
    }
    return 0;
}

static int visit_tables(struct walk *walk, const uint64_t *l1, uint32_t l1_size, enum pass pass,
                        struct fault *fault) {
    for (uint32_t i = 0; i < l1_size; i++) {
        uint64_t entry = l1[i], at = entry & QCOW2_OFFSET_MASK;
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
            check_copied(walk, entry, stored(walk, at / walk->image->unit) == 1, "L1");
        }
        if (visit_table(walk, at, pass, fault) < 0)
            return -1;
    }
    return 0;
}

// One disk of the file, by its L1 table.
static int visit_disk(struct walk *walk, uint64_t offset, uint32_t entries, enum pass pass,
                      struct fault *fault) {
    uint64_t *l1 = NULL, bytes = (uint64_t)entries * 8;
    if (bytes > QCOW2_MAX_L1_BYTES || offset % walk->image->unit != 0) {
        corrupt(walk, "an L1 table of %u entries at %#llx is misaligned or too large", entries,
                (unsigned long long)offset);
        return 0;
    }
    if (pass == PASS_COUNT)
        refer(walk, offset, bytes, "an L1 table");
    if (!qcow2_table_fits(walk->image, offset, bytes))
        return 0; // already counted as a corruption
    int result = spend(walk, entries, fault);
    if (result == 0)
        result = qcow2_load_table(walk->image, offset, entries, &l1, fault);
    if (result == 0)
        result = visit_tables(walk, l1, entries, pass, fault);
    free(l1);
    return result;
}

static int visit_snapshots(struct walk *walk, struct fault *fault) {
    const struct qcow2_state *state = walk->state;
    struct qcow2_snapshot snapshot;
    uint64_t at = state->snapshots_offset;
    if (state->snapshots > 0 && qcow2_has_data_file(state)) {
        corrupt(walk, "%u snapshots, with a data file", state->snapshots);
        return 0;
    }
    refer(walk, at, state->snapshots_bytes, "the snapshot table");
    walk->active = false;
    for (uint32_t i = 0; i < state->snapshots; i++) {
        if (qcow2_next_snapshot(walk->image, &at, &snapshot, fault) < 0)
            return -1;
        if (snapshot.incomplete)
            corrupt(walk, "snapshot %u has no size", i);
        if (visit_disk(walk, snapshot.l1_offset, snapshot.l1_size, PASS_COUNT, fault) < 0)
            return -1;
    }
    walk->active = true;
    return 0;
}

// Spec "Bitmap table".
static void visit_bitmap_entry(struct walk *walk, uint64_t entry) {
    uint64_t at = entry & QCOW2_OFFSET_MASK;
    if ((entry & QCOW2_BITMAP_RESERVED) || (at && (entry & QCOW2_BITMAP_ALL_ONES)) ||
        at % walk->image->unit != 0)
        corrupt(walk, "bitmap table entry %#llx: misaligned or reserved bits",
                (unsigned long long)entry);
    else if (at != 0)
        refer(walk, at, walk->image->unit, "a bitmap's cluster");
}

static int visit_bitmap(struct walk *walk, const struct qcow2_bitmap *bitmap, struct fault *fault) {
    uint64_t *table = NULL, bytes = (uint64_t)bitmap->table_entries * 8;
    refer(walk, bitmap->table_offset, bytes, "a bitmap table");
    if (!qcow2_table_fits(walk->image, bitmap->table_offset, bytes))
        return 0; // already counted as a corruption
    int result = spend(walk, bitmap->table_entries, fault);
    if (result == 0)
        result = qcow2_load_table(walk->image, bitmap->table_offset, bitmap->table_entries, &table,
                                  fault);
    for (uint32_t i = 0; result == 0 && i < bitmap->table_entries; i++)
        visit_bitmap_entry(walk, table[i]);
    free(table);
    return result;
}

static int visit_bitmaps(struct walk *walk, struct fault *fault) {
    const struct qcow2_state *state = walk->state;
    struct qcow2_bitmap bitmap;
    uint64_t at = state->directory_offset;
    if (state->bitmaps == 0)
        return 0;
    refer(walk, at, state->directory_bytes, "the bitmap directory");
    for (uint32_t i = 0; i < state->bitmaps; i++) {
        if (qcow2_next_bitmap(walk->image, &at, &bitmap, fault) < 0 ||
            visit_bitmap(walk, &bitmap, fault) < 0)
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
    if (file_pread(walk->image->fd, walk->reftable, bytes, state->reftable_offset, fault) < 0)
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
    if (visit_disk(walk, state->l1_offset, state->l1_size, PASS_COUNT, fault) < 0 ||
        visit_snapshots(walk, fault) < 0 || visit_bitmaps(walk, fault) < 0 ||
        load_reftable(walk, fault) < 0)
        return -1;
    compare_refcounts(walk);
    // Spec "L1 table entry": COPIED says something in the active disk's tables only.
    return visit_disk(walk, state->l1_offset, state->l1_size, PASS_COPIED, fault);
}

int qcow2_check(struct image *image, struct image_check *check, struct fault *fault) {
    struct qcow2_state *state = image->state;
    struct walk walk = {.image = image, .state = state, .check = check, .active = true};
    *check = (struct image_check){.total_clusters = div_up(state->disk_size, image->unit)};
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
