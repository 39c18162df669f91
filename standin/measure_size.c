// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of measure. qcow2 as the format's tables cost it when every cluster is allocated
// (header, L1, L2, refcount table and blocks; qemu: docs/interop/qcow2.txt), minus the data that is
// not there: the tables of the whole disk are always counted. vmdk, vpc and vhdx by instar's
// documented formulas (reference section 2): qemu-img cannot measure these.
//
// Everything is done in 128 bits, where no product of two 63-bit sizes and a small constant wraps.
#include "base/bytes.h"
#include "standin/lies.h"
#include "standin/measure.h"

typedef unsigned __int128 wide;

static wide wide_div_up(wide value, wide unit) {
    return value / unit + (value % unit != 0);
}

static wide wide_round_up(wide value, wide unit) {
    return wide_div_up(value, unit) * unit;
}

// Clusters that the refcount table and its blocks need to count `clusters` others and themselves.
static wide refcount_clusters(wide clusters, wide cluster_size, wide refcount_bits) {
    wide table = 0, blocks = 0, before, now = 0;
    do {
        before = now;
        blocks = wide_div_up(clusters + table + blocks, cluster_size * 8 / refcount_bits);
        table = wide_div_up(blocks * 8, cluster_size);
        now = clusters + table + blocks;
    } while (now != before);
    return table + blocks;
}

static bool deliver(struct measure_size *result, wide required, wide fully) {
    if (required > INT64_MAX || fully > INT64_MAX)
        return false;
    result->required = (uint64_t)required;
    result->fully = (uint64_t)fully;
    return true;
}

static bool qcow2_size(const struct measure_options *options, uint64_t size, uint64_t units,
                       struct measure_size *result) {
    wide cluster = options->cluster_size, entry = options->extended_l2 ? 16 : 8;
    wide data = wide_div_up(size, cluster);
    wide l2_tables = wide_div_up(data * entry, cluster);
    wide l1 = wide_div_up(l2_tables * 8, cluster);
    wide used = 1 + l1 + l2_tables + data;
    wide fully = (used + refcount_clusters(used, cluster, options->refcount_bits)) * cluster;
    bool preallocated =
        options->preallocation == PREALLOC_FALLOC || options->preallocation == PREALLOC_FULL;
    wide counted = preallocated ? data : units;
    if (options->extended_l2 && options->preallocation == PREALLOC_METADATA &&
        options->refcount_bits == 64 && lie(LIE_METADATA_OF_SUBCLUSTERS))
        fully -= cluster;
    return deliver(result, fully - data * cluster + counted * cluster, fully);
}

static wide vmdk_file(const struct measure_options *options, wide size, wide grains) {
    wide grain = options->grain_size;
    wide tables = wide_div_up(wide_div_up(size, grain), 512);
    wide directory = wide_round_up(4 * tables, 512);
    if (directory < 512)
        directory = 512;
    wide before = 512 + 20 * 512;          // header, descriptor
    if (options->subformat == VMDK_STREAM) // a marker before each part; footer, end of stream
        return wide_round_up(
            before + grains * (grain + 512) + tables * 2560 + 512 + directory + 1536, 65536);
    return before + grains * grain + tables * 2048 + directory;
}

static wide vpc_file(wide size, wide block, wide blocks) {
    wide bitmap = wide_round_up(wide_div_up(block / 512, 8), 512);
    wide table = wide_round_up(4 * wide_div_up(size, block), 512);
    return 512 + 1024 + table + blocks * (bitmap + block) + 512; // footer copy, header, ..., footer
}

static wide vhdx_file(wide size, wide block, wide blocks) {
    const wide mib = 1 << 20;
    wide payload = wide_div_up(size, block);
    wide chunk_ratio = ((wide)1 << 23) * 512 / block;
    wide entries = payload + wide_div_up(payload, chunk_ratio);
    // qemu asks an empty disk for the table that 0 - 1 blocks, in 32 bits, would need; a file that
    // it shall open has one.
    if (!size)
        entries = UINT32_MAX / chunk_ratio;
    return 2 * mib + wide_round_up(8 * entries, mib) + mib + blocks * wide_round_up(block, mib);
}

uint64_t measure_unit(const struct measure_options *options) {
    switch (options->target) {
    case IMAGE_QCOW2:
        return options->cluster_size;
    case IMAGE_VMDK:
        return options->subformat == VMDK_FLAT ? 512 : options->grain_size;
    case IMAGE_VPC:
        return options->vpc_fixed ? 512 : options->block_size ? options->block_size : 2u << 20;
    case IMAGE_VHDX:
        return options->block_size ? options->block_size : 32u << 20;
    case IMAGE_RAW:
    case IMAGE_FORMATS:
        break;
    }
    return 512;
}

bool measure_size(const struct measure_options *options, uint64_t size, uint64_t units,
                  struct measure_size *result) {
    uint64_t unit = measure_unit(options);
    uint64_t all = div_up(size, unit);
    switch (options->target) {
    case IMAGE_QCOW2:
        return qcow2_size(options, size, units, result);
    case IMAGE_VMDK:
        if (options->subformat == VMDK_FLAT)
            return deliver(result, (wide)size + 512, (wide)size + 512);
        return deliver(result, vmdk_file(options, size, units), vmdk_file(options, size, all));
    case IMAGE_VPC:
        if (options->vpc_fixed)
            return deliver(result, wide_round_up(size, 512) + 512, wide_round_up(size, 512) + 512);
        return deliver(result, vpc_file(size, unit, units), vpc_file(size, unit, all));
    case IMAGE_VHDX:
        if (!size && !options->block_size) // as convert writes it, with qemu-img's block size
            unit = 8u << 20;
        return deliver(result, vhdx_file(size, unit, units), vhdx_file(size, unit, all));
    case IMAGE_RAW:
    case IMAGE_FORMATS:
        break;
    }
    return deliver(result, size, size);
}
