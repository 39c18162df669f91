// SPDX-License-Identifier: Apache-2.0
//
// Walks the grain directory and all grain tables of each sparse extent of a vmdk: every entry in
// the file, nothing used twice, every compressed grain where its marker says. Flat extents have
// nothing that could be wrong. qemu-img's check of vmdk sees less (it asks only whether grains lie
// in the file) and calls a flat disk clean too.
#include "base/bytes.h"
#include "base/file.h"
#include "image/file_claims.h"
#include "image/vmdk.h"

#include <stdio.h>

struct vmdk_walk {
    struct vmdk_sparse *sparse;
    struct image_check *check;
    struct file_claims claims;
    uint64_t grains;   // of the extent
    uint64_t expected; // file offset behind the last grain
};

static void vmdk_check_problem(struct vmdk_walk *walk, const char *problem, uint64_t index) {
    if (!walk->check->first_problem[0])
        snprintf(walk->check->first_problem, sizeof walk->check->first_problem, "%s %llu", problem,
                 (unsigned long long)index);
    walk->check->corruptions++;
}

// File bytes of the grain at `at`; 0 if it cannot be.
static uint64_t vmdk_check_length(struct vmdk_walk *walk, uint64_t index, uint64_t at) {
    const struct vmdk_sparse *sparse = walk->sparse;
    if (!walk->sparse->compressed) {
        // The last grain of a disk that is no multiple of a grain may be cut by the file's end.
        uint64_t needed = min_u64(sparse->grain, sparse->size - index * sparse->grain);
        return at + needed <= sparse->file_size ? needed : 0;
    }
    uint64_t sector;
    uint32_t length;
    if (vmdk_marker_read(walk->sparse, at, &sector, &length, NULL) ||
        sector != index * sparse->grain / VMDK_SECTOR)
        return 0;
    return round_up(VMDK_MARKER_DATA + (uint64_t)length, VMDK_SECTOR);
}

static void vmdk_check_grain(struct vmdk_walk *walk, uint64_t index, uint32_t entry) {
    struct image_check *check = walk->check;
    enum image_state state = vmdk_entry_state(walk->sparse, entry);
    if (!image_state_is_stored(state))
        return;
    uint64_t at = (uint64_t)entry * VMDK_SECTOR;
    uint64_t length = vmdk_check_length(walk, index, at);
    check->allocated_clusters++;
    check->compressed_clusters += state == IMAGE_COMPRESSED;
    if (length == 0) {
        vmdk_check_problem(walk, "outside the file or not what its marker says: grain", index);
        return;
    }
    check->fragmented_clusters += walk->expected && at != walk->expected;
    walk->expected = at + length;
    file_claims_add(&walk->claims, at, length);
}

static int vmdk_check_table(struct vmdk_walk *walk, uint64_t table, struct fault *fault) {
    struct vmdk_sparse *sparse = walk->sparse;
    if (vmdk_table_load(walk->sparse, table, NULL)) {
        vmdk_check_problem(walk, "outside the file: grain table", table);
        return 0;
    }
    if (sparse->table_missing)
        return 0;
    const uint8_t *at = table_in_at(&sparse->directory, table * 4, fault);
    if (!at)
        return -1;
    file_claims_add(&walk->claims, (uint64_t)get_le32(at) * VMDK_SECTOR,
                    (uint64_t)sparse->table_entries * 4);
    uint64_t first = table * sparse->table_entries;
    uint64_t count = min_u64(sparse->table_entries, walk->grains - first);
    for (uint64_t i = 0; i < count; i++)
        vmdk_check_grain(walk, first + i, get_le32(sparse->table + i * 4));
    return 0;
}

static int vmdk_check_tables(struct vmdk_walk *walk, struct fault *fault) {
    struct table_in *directory = &walk->sparse->directory;
    for (uint64_t table = 0; table < walk->sparse->directory_count;) {
        if (!table_in_at(directory, table * 4, fault))
            return -1;
        uint64_t missing = table_in_hole(directory, table * 4) / 4;
        if (missing == 0 && vmdk_check_table(walk, table, fault))
            return -1;
        table += max_u64(1, missing);
    }
    return 0;
}

// One grain table against its redundant copy, which the second directory places at `offset`.
static int vmdk_check_copy(struct vmdk_walk *walk, uint64_t table, uint64_t offset,
                           struct fault *fault) {
    struct vmdk_sparse *sparse = walk->sparse;
    uint8_t bytes[VMDK_TABLE_SIZE];
    size_t length = (size_t)sparse->table_entries * 4;
    if (vmdk_table_load(walk->sparse, table, NULL))
        return 0; // counted already
    bool same = sparse->table_missing == (offset == 0);
    if (offset)
        file_claims_add(&walk->claims, offset, length);
    if (offset && same) {
        if (file_pread(sparse->fd, bytes, length, offset, fault))
            return -1;
        same = memcmp(bytes, sparse->table, length) == 0;
    }
    if (!same)
        vmdk_check_problem(walk, "differs from its redundant copy: grain table", table);
    return 0;
}

// QEMU reads the second directory but never compares it.
static int vmdk_check_redundant(struct vmdk_walk *walk, struct fault *fault) {
    struct vmdk_sparse *sparse = walk->sparse;
    uint64_t tables = sparse->redundant_offset ? sparse->directory_count : 0;
    struct table_in copy;
    table_in_begin(&copy, sparse->fd, sparse->redundant_offset, tables * 4);
    int result = 0;
    for (uint64_t table = 0; table < tables && result == 0;) {
        const uint8_t *at = table_in_at(&copy, table * 4, fault);
        if (!at || !table_in_at(&sparse->directory, table * 4, fault)) {
            result = -1;
            break;
        }
        uint64_t missing =
            min_u64(table_in_hole(&copy, table * 4), table_in_hole(&sparse->directory, table * 4)) /
            4;
        if (missing == 0)
            result = vmdk_check_copy(walk, table, (uint64_t)get_le32(at) * VMDK_SECTOR, fault);
        table += max_u64(1, missing);
    }
    table_in_end(&copy);
    return result;
}

static int vmdk_check_all(struct vmdk_walk *walk, struct fault *fault) {
    struct vmdk_sparse *sparse = walk->sparse;
    struct image_check *check = walk->check;
    uint64_t directory = round_up(sparse->directory_count * 4, VMDK_SECTOR);
    file_claims_add(&walk->claims, 0, VMDK_SECTOR);
    uint64_t text = get_le64(sparse->header + VMDK_DESCRIPTOR_OFFSET);
    if (text) // else the descriptor is a file of its own
        file_claims_add(&walk->claims, text * VMDK_SECTOR,
                        get_le64(sparse->header + VMDK_DESCRIPTOR_LENGTH) * VMDK_SECTOR);
    file_claims_add(&walk->claims, sparse->directory_offset, directory);
    if (sparse->redundant_offset)
        file_claims_add(&walk->claims, sparse->redundant_offset, directory);
    if (vmdk_check_tables(walk, fault) || vmdk_check_redundant(walk, fault))
        return -1;
    // 64 KiB: what QEMU aligns to, and what a writer with a device of large sectors pads to.
    // Between compressed grains lie markers, and nothing has a fixed length.
    struct file_claims_sum sum = file_claims_judge(&walk->claims, 64 * 1024, sparse->grain);
    check->image_end_offset = max_u64(check->image_end_offset, sum.end);
    check->leaks += sparse->compressed ? 0 : sum.lost;
    if (sum.overlaps)
        vmdk_check_problem(walk, "tables or grains that overlap:", sum.overlaps);
    return 0;
}

int vmdk_check(struct image *image, struct image_check *check, struct fault *fault) {
    struct vmdk *vmdk = image->state;
    int result = 0;
    *check = (struct image_check){0};
    for (size_t i = 0; i < vmdk->count && result == 0; i++) {
        struct vmdk_extent *extent = &vmdk->extents[i];
        if (extent->kind != VMDK_KIND_SPARSE)
            continue;
        struct vmdk_walk walk = {.sparse = &extent->sparse, .check = check};
        walk.grains = div_up(extent->size, extent->sparse.grain);
        check->total_clusters += walk.grains;
        result = vmdk_check_all(&walk, fault);
        file_claims_free(&walk.claims);
    }
    return result;
}
