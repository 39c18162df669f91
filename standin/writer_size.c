// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of instar's writers, for the one lie that needs it: an output goes to a device
// whose capacity is fixed before anything is known of cluster, grain or block size, in sectors of
// 64 KiB. By instar's source, as the model in oracles/ has it too; the two share nothing, so that
// they can disagree.
#include "base/bytes.h"
#include "standin/standin.h"

#include <stdlib.h>

#define MIB (UINT64_C(1) << 20)

struct needs {
    uint64_t size, unit, per_table; // bytes, bytes, units
    uint64_t units, tables;         // that are stored
};

static uint64_t sectors(uint64_t bytes) {
    return round_up(bytes, TRANSPORT_SECTOR);
}

static uint64_t device_of(enum image_format target, uint64_t size) {
    if (target == IMAGE_VPC)
        return size + div_up(size, 2 * MIB) * TRANSPORT_SECTOR + 10 * MIB;
    return (target == IMAGE_VHDX ? round_up(size, 32 * MIB) : size + size / 100) + 10 * MIB;
}

static uint64_t qcow2_file(const struct needs *needs) {
    uint64_t pointers = 8 * div_up(needs->size, needs->unit * needs->per_table);
    uint64_t before = 1 + max_u64(1, div_up(pointers, needs->unit)) + needs->tables + needs->units;
    uint64_t all = before + 2;
    for (int round = 0; round < 10; round++) {
        uint64_t counts = div_up(2 * all, needs->unit);
        all = before + counts + div_up(8 * counts, needs->unit);
    }
    return all * needs->unit;
}

static uint64_t vmdk_file(const struct needs *needs) {
    uint64_t directory = 4 * div_up(div_up(needs->size, needs->unit), needs->per_table);
    return sectors(21 * 512) + needs->tables * sectors(4 * needs->per_table) +
           needs->units * sectors(needs->unit) + max_u64(TRANSPORT_SECTOR, sectors(directory));
}

static uint64_t vpc_file(const struct needs *needs) {
    uint64_t bitmap = round_up(div_up(needs->unit / 512, 8), 512);
    return 3 * TRANSPORT_SECTOR + sectors(4 * div_up(needs->size, needs->unit)) +
           needs->units * sectors(bitmap + needs->unit);
}

static uint64_t vhdx_file(const struct needs *needs) {
    uint64_t blocks = div_up(needs->size, needs->unit);
    uint64_t entries = blocks + div_up(blocks, (UINT64_C(1) << 32) / needs->unit);
    uint64_t table = max_u64(MIB, round_up(8 * entries, MIB));
    return needs->units ? 3 * MIB + table + needs->units * needs->unit : 2 * MIB + table + 131072;
}

static uint64_t file_of(enum image_format target, const struct needs *needs) {
    return target == IMAGE_QCOW2  ? qcow2_file(needs)
           : target == IMAGE_VMDK ? vmdk_file(needs)
           : target == IMAGE_VPC  ? vpc_file(needs)
                                  : vhdx_file(needs);
}

// Is any byte of the unit not zero? 1, 0 or -1. Holes are not read.
static int holds_data(const struct image_source *content, uint64_t offset, uint64_t end,
                      char *piece, struct fault *fault) {
    struct image_extent extent;
    for (; offset < end; offset += extent.length) {
        if (content->extent(content->context, offset, &extent, fault))
            return -1;
        extent.length = min_u64(extent.length, min_u64(end - offset, TRANSPORT_SECTOR));
        if (extent.state != IMAGE_DATA)
            continue;
        if (content->read(content->context, offset, piece, (size_t)extent.length, fault))
            return -1;
        if (!bytes_are_zero(piece, (size_t)extent.length))
            return 1;
    }
    return 0;
}

// The units that are stored, and the tables that name one. Where nothing is stored the scan leaps.
static int count_units(const struct image_source *content, struct needs *needs, char *piece,
                       struct fault *fault) {
    uint64_t last_table = UINT64_MAX;
    for (uint64_t offset = 0; offset < content->size;) {
        struct image_extent extent;
        if (content->extent(content->context, offset, &extent, fault))
            return -1;
        uint64_t unit = round_down(offset, needs->unit), next = unit + needs->unit;
        if (extent.state == IMAGE_HOLE && offset + extent.length >= next) {
            offset += extent.length;
            continue;
        }
        int holds = holds_data(content, unit, min_u64(next, content->size), piece, fault);
        if (holds < 0)
            return -1;
        uint64_t table = unit / needs->unit / needs->per_table;
        needs->units += (uint64_t)holds;
        needs->tables += holds && table != last_table;
        last_table = holds ? table : last_table;
        offset = next;
    }
    return 0;
}

bool output_exceeds_device(const struct image_source *content, enum image_format target,
                           const struct image_options *options, struct fault *fault) {
    static const unsigned usual[IMAGE_FORMATS] = {
        [IMAGE_QCOW2] = 16, [IMAGE_VMDK] = 16, [IMAGE_VPC] = 21, [IMAGE_VHDX] = 25};
    unsigned bits = target == IMAGE_QCOW2  ? options->cluster_bits
                    : target == IMAGE_VMDK ? options->grain_bits
                                           : options->block_bits;
    // Compressed outputs and the flat vmdk have other layouts, raw has no tables.
    if (target == IMAGE_RAW || options->compress || options->vmdk_subformat == VMDK_FLAT)
        return false;
    struct needs needs = {.size = content->size,
                          .unit = UINT64_C(1) << (bits ? bits : usual[target])};
    needs.per_table = target == IMAGE_QCOW2  ? needs.unit / (options->extended_l2 ? 16 : 8)
                      : target == IMAGE_VMDK ? 512
                                             : 1;
    uint64_t device = device_of(target, content->size);
    struct needs most = needs;
    most.units = div_up(needs.size, needs.unit);
    most.tables = div_up(most.units, needs.per_table);
    if (file_of(target, &most) <= device || !options->skip_zeros)
        return file_of(target, &most) > device;
    char *piece = malloc(TRANSPORT_SECTOR);
    bool failed = !piece || count_units(content, &needs, piece, fault);
    free(piece);
    return failed || file_of(target, &needs) > device;
}
