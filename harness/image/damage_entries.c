// SPDX-License-Identifier: Apache-2.0
//
// Wrong entries of the tables that say where a guest unit lies (clusters, grains, blocks). Only one
// entry changes, so a reader still opens most of these files, and finds other bytes.
#include "image/damage_kinds.h"

#include "base/bytes.h"
#include "base/file.h"
#include "image/qcow2.h"
#include "image/vhdx.h"
#include "image/vmdk.h"
#include "image/vpc.h"

#define BEHIND (1ull << 30) // bytes behind the file's end: more than any tool pads a file with

// The entry of a guest unit.
struct entry {
    uint64_t at;   // file offset of the entry
    uint64_t copy; // and of the one that repeats it; 0: none does
    size_t width;
    bool big_endian;
    uint64_t value, mask; // the bits that hold the unit's place, which is then ...
    unsigned shift;       // ... shifted to bytes
};

// --- by format -----------------------------------------------------------------------------------

static int qcow2_entry(struct image *image, uint64_t offset, struct entry *entry,
                       struct fault *fault) {
    struct qcow2_state *state = image->state;
    uint64_t cluster = offset >> state->cluster_bits;
    uint32_t width = qcow2_entry_bytes(state);
    uint64_t table = state->l1[cluster >> state->l2_bits] & QCOW2_OFFSET_MASK;
    uint64_t within = (cluster & ((1ull << state->l2_bits) - 1)) * width;
    const uint8_t *l2 = qcow2_load_l2(image, table, fault);
    if (!l2)
        return -1;
    *entry = (struct entry){.at = table + within,
                            .width = 8,
                            .big_endian = true,
                            .value = get_be64(l2 + within),
                            .mask = QCOW2_OFFSET_MASK};
    return 0;
}

static int vmdk_entry(struct image *image, uint64_t offset, struct entry *entry,
                      struct fault *fault) {
    struct vmdk *vmdk = image->state;
    struct vmdk_sparse *sparse = &vmdk->extents[0].sparse;
    uint64_t grain = offset / sparse->grain, table = grain / sparse->table_entries;
    uint64_t within = grain % sparse->table_entries * 4;
    uint8_t first[4], second[4] = {0};
    uint32_t value;
    if (vmdk_grain_entry(sparse, grain, &value, fault) ||
        file_pread(sparse->fd, first, 4, sparse->directory_offset + table * 4, fault) ||
        (sparse->redundant_offset &&
         file_pread(sparse->fd, second, 4, sparse->redundant_offset + table * 4, fault)))
        return -1;
    uint64_t copy = (uint64_t)get_le32(second) * VMDK_SECTOR;
    *entry = (struct entry){.at = (uint64_t)get_le32(first) * VMDK_SECTOR + within,
                            .copy = copy ? copy + within : 0,
                            .width = 4,
                            .value = value,
                            .mask = UINT32_MAX,
                            .shift = 9};
    return 0;
}

static int vpc_block_entry(struct image *image, uint64_t offset, struct entry *entry,
                           struct fault *fault) {
    struct vpc *vpc = image->state;
    uint64_t block = offset / vpc->block_size;
    uint32_t value;
    if (vpc_entry(vpc, block, &value, fault))
        return -1;
    *entry = (struct entry){.at = vpc->table_offset + block * 4,
                            .width = 4,
                            .big_endian = true,
                            .value = value,
                            .mask = UINT32_MAX,
                            .shift = 9};
    return 0;
}

static int vhdx_block_entry(struct image *image, uint64_t offset, struct entry *entry,
                            struct fault *fault) {
    struct vhdx *vhdx = image->state;
    uint64_t block = offset / vhdx->block_size, value, run;
    if (vhdx_entry(vhdx, block, &value, &run, fault))
        return -1;
    uint64_t at = vhdx->bat.offset + vhdx_entry_index(block, vhdx->chunk_ratio) * 8;
    *entry = (struct entry){.at = at, .width = 8, .value = value, .mask = VHDX_OFFSET_MASK};
    return 0;
}

bool damage_has_entries(const struct image *image) {
    const struct vmdk *vmdk = image->state;
    const struct vpc *vpc = image->state;
    switch (image->driver->format) {
    case IMAGE_QCOW2:
        return !qcow2_has_data_file(image->state);
    case IMAGE_VMDK:
        return vmdk->embedded;
    case IMAGE_VPC:
        return !vpc->fixed;
    case IMAGE_VHDX:
        return true;
    default:
        return false;
    }
}

bool damage_has_subclusters(const struct image *image) {
    return damage_has_entries(image) && qcow2_is_extended(image->state);
}

static int entry_of(struct image *image, uint64_t offset, struct entry *entry,
                    struct fault *fault) {
    static int (*const by_format[IMAGE_FORMATS])(struct image *, uint64_t, struct entry *,
                                                 struct fault *) = {
        [IMAGE_QCOW2] = qcow2_entry,
        [IMAGE_VMDK] = vmdk_entry,
        [IMAGE_VPC] = vpc_block_entry,
        [IMAGE_VHDX] = vhdx_block_entry,
    };
    if (by_format[image->driver->format](image, offset, entry, fault))
        return -1;
    return entry->value & entry->mask ? 0 : fault_set(fault, "a unit without a place");
}

// --- for all of them -----------------------------------------------------------------------------

static int put_entry(const struct damaged_copy *copy, const struct entry *entry, uint64_t value,
                     struct fault *fault) {
    uint8_t bytes[8];
    if (entry->width == 4 && entry->big_endian)
        put_be32(bytes, (uint32_t)value);
    else if (entry->width == 4)
        put_le32(bytes, (uint32_t)value);
    else if (entry->big_endian)
        put_be64(bytes, value);
    else
        put_le64(bytes, value);
    if (entry->copy && file_pwrite(copy->fd, bytes, entry->width, entry->copy, fault))
        return -1;
    return file_pwrite(copy->fd, bytes, entry->width, entry->at, fault);
}

static int put_place(const struct damaged_copy *copy, const struct entry *entry, uint64_t place,
                     struct fault *fault) {
    uint64_t bits = place >> entry->shift;
    if (bits & ~entry->mask)
        return fault_set(fault, "an entry cannot name that place");
    return put_entry(copy, entry, (entry->value & ~entry->mask) | bits, fault);
}

// Of a qcow2 what is deflated may share its cluster, and has an entry of another kind.
static bool has_place(const struct image *image, enum image_state state) {
    return state == IMAGE_DATA || state == IMAGE_ZERO_ALLOCATED ||
           (state == IMAGE_COMPRESSED && image->driver->format != IMAGE_QCOW2);
}

// The guest offset of the unit with this number among those that have a place, or only how many
// there are (UINT64_MAX).
static int find_unit(struct image *image, uint64_t number, uint64_t *offset, uint64_t *units,
                     struct fault *fault) {
    uint64_t next = 0; // the first unit that is not counted yet
    struct image_extent extent;
    *units = 0;
    for (uint64_t at = 0; at < image->virtual_size; at = extent.offset + extent.length) {
        if (image->driver->extent(image, at, &extent, fault))
            return -1;
        uint64_t first = max_u64(extent.offset / image->unit, next);
        uint64_t end = div_up(extent.offset + extent.length, image->unit);
        if (!has_place(image, extent.state) || end <= first)
            continue;
        if (number < *units + end - first) {
            *offset = (first + number - *units) * image->unit;
            return 0;
        }
        *units += end - first;
        next = end;
    }
    return 0;
}

static int count_units(const struct damaged_copy *copy, uint64_t least, uint64_t *units,
                       struct fault *fault) {
    uint64_t ignored;
    if (find_unit(copy->image, UINT64_MAX, &ignored, units, fault))
        return -1;
    return *units < least ? fault_set(fault, "too few units are stored") : 0;
}

// The entry of the unit with this number.
static int choose(const struct damaged_copy *copy, uint64_t number, struct entry *entry,
                  struct fault *fault) {
    uint64_t offset = 0, ignored;
    if (find_unit(copy->image, number, &offset, &ignored, fault))
        return -1;
    return entry_of(copy->image, offset, entry, fault);
}

// The chosen unit's entry, and what of the choice is left for other questions.
static int choose_one(const struct damaged_copy *copy, struct entry *entry, uint64_t *rest,
                      struct fault *fault) {
    uint64_t units;
    if (count_units(copy, 1, &units, fault))
        return -1;
    *rest = copy->chosen / units;
    return choose(copy, copy->chosen % units, entry, fault);
}

int damage_overlap(const struct damaged_copy *copy, struct fault *fault) {
    struct entry entry, other;
    uint64_t units;
    if (count_units(copy, 2, &units, fault) || choose(copy, copy->chosen % units, &entry, fault) ||
        choose(copy, (copy->chosen % units + 1) % units, &other, fault))
        return -1;
    return put_place(copy, &entry, (other.value & other.mask) << other.shift, fault);
}

int damage_beyond(const struct damaged_copy *copy, struct fault *fault) {
    struct entry entry;
    uint64_t unit = max_u64(copy->image->unit, VHDX_MIB), rest;
    if (choose_one(copy, &entry, &rest, fault))
        return -1;
    return put_place(copy, &entry, round_up(copy->image->file_size, unit) + BEHIND, fault);
}

// --- of qcow2 alone ------------------------------------------------------------------------------

// Of the entry itself or, once in eight, of that of its table.
int damage_copied(const struct damaged_copy *copy, struct fault *fault) {
    const struct qcow2_state *state = copy->image->state;
    struct entry entry;
    uint64_t rest;
    if (choose_one(copy, &entry, &rest, fault))
        return -1;
    if (rest % 8 == 0) {
        uint64_t table = round_down(entry.at, copy->image->unit), index = 0;
        while ((state->l1[index] & QCOW2_OFFSET_MASK) != table)
            index++; // it was found through it
        entry.at = state->l1_offset + index * 8;
        entry.value = state->l1[index];
    }
    return put_entry(copy, &entry, entry.value ^ QCOW2_COPIED, fault);
}

int damage_subclusters(const struct damaged_copy *copy, struct fault *fault) {
    struct entry entry;
    uint8_t bytes[8];
    uint64_t rest;
    if (choose_one(copy, &entry, &rest, fault) ||
        file_pread(copy->fd, bytes, sizeof bytes, entry.at + 8, fault))
        return -1;
    uint64_t both = 1ull | 1ull << QCOW2_SUBCLUSTERS;
    put_be64(bytes, get_be64(bytes) | both << rest % QCOW2_SUBCLUSTERS);
    return file_pwrite(copy->fd, bytes, sizeof bytes, entry.at + 8, fault);
}
