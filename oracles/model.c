// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of `measure`, written once more and on its own, so that two tools that agree on a
// wrong number can still be contradicted, and so that a documented deviation can be predicted to
// the byte. Wide integers throughout: a size is compared with 2^64 once, at the end.
#include "oracles/model.h"

#include "base/bytes.h"

#include <string.h>

typedef unsigned __int128 wide;

static const uint64_t default_units[IMAGE_FORMATS] = {
    [IMAGE_RAW] = 512,    [IMAGE_QCOW2] = 65536,    [IMAGE_VPC] = 2u << 20,
    [IMAGE_VMDK] = 65536, [IMAGE_VHDX] = 32u << 20,
};

uint64_t model_target_unit(enum image_format target, const struct target_options *options) {
    const uint32_t bits[IMAGE_FORMATS] = {
        [IMAGE_QCOW2] = options->cluster_bits,
        [IMAGE_VPC] = options->block_bits,
        [IMAGE_VMDK] = options->grain_bits,
        [IMAGE_VHDX] = options->block_bits,
    };
    return bits[target] ? UINT64_C(1) << bits[target] : default_units[target];
}

#define STATES_OF_DATA (1u << IMAGE_DATA | 1u << IMAGE_COMPRESSED)

uint64_t model_allocated(const struct image_map *map) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < map->count; i++)
        if (STATES_OF_DATA & 1u << map->extents[i].state)
            bytes += map->extents[i].length;
    return bytes;
}

uint64_t model_units_in_states(const struct image_map *map, uint64_t unit, unsigned states) {
    uint64_t count = 0, next = 0; // `next`: first unit that is not counted yet
    for (size_t i = 0; i < map->count; i++) {
        const struct image_extent *extent = &map->extents[i];
        if (!(states & 1u << extent->state) || !extent->length)
            continue;
        uint64_t first = max_u64(extent->offset / unit, next);
        uint64_t end = (extent->offset + extent->length - 1) / unit + 1;
        if (end > first) {
            count += end - first;
            next = end;
        }
    }
    return count;
}

uint64_t model_units_touched(const struct image_map *map, uint64_t unit) {
    return model_units_in_states(map, unit, STATES_OF_DATA);
}

uint64_t model_nonzero_units(const struct content *content, uint64_t unit, uint64_t units_per_table,
                             uint64_t *tables) {
    uint64_t count = 0, next = 0, used_tables = 0, next_table = 0;
    for (size_t i = 0; i < content->count; i++) {
        const struct content_extent *extent = &content->extents[i];
        // Only skips work: a range without any other pattern is never looked at.
        if (extent->pattern == PATTERN_ZERO || !extent->length)
            continue;
        uint64_t end = (extent->offset + extent->length - 1) / unit + 1;
        for (uint64_t at = max_u64(extent->offset / unit, next); at < end; at++) {
            next = at + 1;
            if (content_is_zero(content, at * unit, min_u64(unit, content->size - at * unit)))
                continue;
            count++;
            if (at / units_per_table >= next_table) {
                used_tables++;
                next_table = at / units_per_table + 1;
            }
        }
    }
    if (tables)
        *tables = used_tables;
    return count;
}

static wide wide_div_up(wide value, wide unit) {
    return (value + unit - 1) / unit;
}

static wide wide_round_up(wide value, wide unit) {
    return wide_div_up(value, unit) * unit;
}

struct wide_sizes {
    wide required, fully;
};

static bool measure_raw(const struct target_options *options, uint64_t size, uint64_t units,
                        struct wide_sizes *sizes) {
    (void)units;
    sizes->required = sizes->fully = options->size_only ? wide_round_up(size, 512) : size;
    return true;
}

// What a header of that kind cannot say. Extended entries and zstd need compat 1.1 as well; measure
// does not ask (tried with 7.2 and 10.0), nor does it of a disk in a file that is too large.
static bool qcow2_allows(const struct target_options *options, wide cluster, wide l1_bytes) {
    bool version_2 = options->compat == 1;
    if (version_2 && options->refcount_bits && options->refcount_bits != 16)
        return false;
    // A subcluster, a 32nd of a cluster, is a sector at least.
    if (options->extended_l2 && cluster < 32 * 512)
        return false;
    return !options->size_only || l1_bytes <= 32u << 20;
}

// Refcount table and blocks also count themselves, hence the fixed point. L2 tables of the whole
// disk and refcounts of the fully allocated image are part of `required` too: qemu's choice.
static bool measure_qcow2(const struct target_options *options, uint64_t size, uint64_t units,
                          struct wide_sizes *sizes) {
    wide cluster = model_target_unit(IMAGE_QCOW2, options), entry = options->extended_l2 ? 16 : 8;
    wide l2_tables = wide_div_up(size, cluster * (cluster / entry));
    if (size > UINT64_C(1) << 63 || !qcow2_allows(options, cluster, 8 * l2_tables))
        return false;
    wide refcount_bits = options->refcount_bits ? options->refcount_bits : 16;
    bool all_reserved = options->preallocation == PREALLOCATION_FALLOC ||
                        options->preallocation == PREALLOCATION_FULL;
    wide l1_clusters = wide_div_up(8 * l2_tables, cluster);
    wide all = wide_div_up(size, cluster);
    wide tables = 1 + l1_clusters + l2_tables; // 1: the header
    wide table_clusters = 1, blocks = 1;
    for (int round = 0; round < 16; round++) {
        wide next_blocks =
            wide_div_up(tables + all + table_clusters + blocks, 8 * cluster / refcount_bits);
        wide next_table = wide_div_up(8 * next_blocks, cluster);
        if (next_blocks == blocks && next_table == table_clusters)
            break;
        blocks = next_blocks;
        table_clusters = next_table;
    }
    sizes->required = cluster * (tables + (all_reserved ? all : units) + table_clusters + blocks);
    sizes->fully = cluster * (tables + all + table_clusters + blocks);
    return true;
}

// One size of a vmdk with `grains` stored grains; all grain tables are counted, also empty ones.
static wide vmdk_size(bool stream, wide grain, wide tables, wide grains) {
    wide header = 512 + 20 * 512; // header and the room for the descriptor
    wide directory = wide_round_up(4 * tables, 512);
    if (directory < 512)
        directory = 512;
    if (!stream)
        return header + grains * grain + 2048 * tables + directory;
    // Each grain has a 12-byte marker in a sector of its own, each table and the directory a marker
    // sector; footer marker, footer and end-of-stream close the file.
    wide size = header + grains * (grain + 512) + tables * 2560 + 512 + directory + 1536;
    return wide_round_up(size, 65536);
}

static bool measure_vmdk(const struct target_options *options, uint64_t size, uint64_t units,
                         struct wide_sizes *sizes) {
    wide grain = model_target_unit(IMAGE_VMDK, options);
    wide grains = wide_div_up(wide_div_up(size, 512), grain / 512);
    wide tables = wide_div_up(grains, 512);
    bool stream = options->vmdk_subformat == SUBFORMAT_STREAM;
    // A descriptor, and a file of the disk's length.
    if (options->vmdk_subformat == SUBFORMAT_FLAT) {
        sizes->required = sizes->fully = (wide)size + 512;
        return true;
    }
    sizes->required = vmdk_size(stream, grain, tables, units);
    sizes->fully = vmdk_size(stream, grain, tables, grains);
    return true;
}

// Footer copy, dynamic header, block allocation table, blocks each behind its bitmap, footer.
static bool measure_vpc(const struct target_options *options, uint64_t size, uint64_t units,
                        struct wide_sizes *sizes) {
    wide block = model_target_unit(IMAGE_VPC, options);
    wide blocks = wide_div_up(size, block);
    wide bitmap = wide_round_up(wide_div_up(block / 512, 8), 512);
    wide fixed = 512 + 1024 + wide_round_up(4 * blocks, 512) + 512;
    sizes->required = fixed + units * (bitmap + block);
    sizes->fully = fixed + blocks * (bitmap + block);
    return true;
}

// Identifier, headers, region tables and the log take 2 MiB, metadata 1 MiB; the block allocation
// table has a bitmap entry after each chunk of payload entries.
static bool measure_vhdx(const struct target_options *options, uint64_t size, uint64_t units,
                         struct wide_sizes *sizes) {
    const wide mib = 1u << 20;
    wide block = model_target_unit(IMAGE_VHDX, options);
    wide blocks = wide_div_up(size, block);
    wide chunk = ((wide)512 << 23) / block;
    wide entries = blocks + wide_div_up(blocks, chunk);
    wide start = 2 * mib + wide_round_up(8 * entries, mib) + mib;
    sizes->required = start + units * wide_round_up(block, mib);
    sizes->fully = start + blocks * wide_round_up(block, mib);
    return true;
}

// Space for every bit of every bitmap, an eight-byte table entry for each cluster of bits, and a
// directory of entries of 24 bytes, each with its name and padded to eight (qcow2.txt, "Bitmaps
// extension"). Measured with qemu-img 7.2: nothing is left out because it is clear, or because the
// bitmap is in use.
uint64_t model_bitmaps(const struct image_options *built, uint64_t target_cluster, uint64_t size) {
    const wide eighth = 8;
    wide cluster = target_cluster, clusters = 0, names = 0;
    for (size_t i = 0; i < built->bitmap_count; i++) {
        const struct image_bitmap *bitmap = &built->bitmaps[i];
        // One bit for so many guest bytes, so one cluster of bits for that times eight times
        // cluster.
        wide covered = ((wide)1 << bitmap->granularity_bits) * eighth * cluster;
        wide data = wide_div_up(size, covered);
        clusters += data + wide_div_up(eighth * data, cluster);
        names += wide_round_up(24 + strlen(bitmap->name), eighth);
    }
    return (uint64_t)(clusters * cluster + wide_round_up(names, cluster));
}

static bool (*const formulas[IMAGE_FORMATS])(const struct target_options *options, uint64_t size,
                                             uint64_t units, struct wide_sizes *sizes) = {
    [IMAGE_RAW] = measure_raw,   [IMAGE_QCOW2] = measure_qcow2, [IMAGE_VPC] = measure_vpc,
    [IMAGE_VMDK] = measure_vmdk, [IMAGE_VHDX] = measure_vhdx,
};

bool model_measure(enum image_format target, const struct target_options *options, uint64_t size,
                   uint64_t units, struct model_sizes *sizes) {
    struct wide_sizes found;
    if (!formulas[target](options, size, units, &found))
        return false;
    if (found.required + found.fully > UINT64_MAX)
        return false;
    sizes->required = (uint64_t)found.required;
    sizes->fully = (uint64_t)found.fully;
    return true;
}
