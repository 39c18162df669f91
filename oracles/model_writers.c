// SPDX-License-Identifier: Apache-2.0
//
// The layouts of instar's writers as sums, in the order in which it writes the parts.
#include "oracles/model_writers.h"

#include "base/bytes.h"
#include "oracles/model.h"

typedef unsigned __int128 wide;

static const wide mib = 1u << 20;

static wide divided(wide value, wide unit) {
    return (value + unit - 1) / unit;
}

static wide rounded(wide value, wide unit) {
    return divided(value, unit) * unit;
}

static wide at_least(wide least, wide value) {
    return value < least ? least : value;
}

// What a formula may ask; everything is wide, so that nothing wraps before the end.
struct layout {
    wide size, units, tables, unit, per_table, sector;
    bool no_skip_zeros;
};

uint64_t writer_units_per_table(enum image_format target, const struct target_options *options) {
    if (target == IMAGE_QCOW2)
        return model_target_unit(target, options) / (options->extended_l2 ? 16 : 8);
    return target == IMAGE_VMDK ? 512 : 1;
}

// Cut to the disk's size, unless zeros are stored, too.
static wide raw(const struct layout *layout) {
    return layout->no_skip_zeros ? rounded(layout->size, layout->sector) : layout->size;
}

// Header, then each L2 table followed by its clusters, L1 table, refcount table, refcount blocks of
// 16-bit counts.
static wide qcow2(const struct layout *layout) {
    wide cluster = layout->unit, l1 = divided(layout->size, cluster * layout->per_table);
    wide used = 1 + layout->units + layout->tables + at_least(1, divided(8 * l1, cluster));
    wide table = 1, blocks = 1;
    for (int round = 0; round < 10; round++) {
        blocks = divided(used + table + blocks, cluster / 2);
        table = divided(8 * blocks, cluster);
    }
    return cluster * (used + table + blocks);
}

// Header and descriptor, each grain table before its first grain, the directory.
static wide vmdk(const struct layout *layout) {
    wide sector = layout->sector, directory = divided(divided(layout->size, layout->unit), 512);
    return rounded(10752, sector) + layout->tables * rounded(2048, sector) +
           layout->units * rounded(layout->unit, sector) +
           at_least(sector, rounded(4 * directory, sector));
}

// Footer copy, dynamic header, block allocation table, blocks each with its bitmap, footer.
static wide vpc(const struct layout *layout) {
    wide sector = layout->sector, bitmap = rounded(divided(layout->unit, 4096), 512);
    return rounded(512, sector) + rounded(1024, sector) +
           rounded(4 * divided(layout->size, layout->unit), sector) +
           layout->units * rounded(bitmap + layout->unit, sector) + rounded(512, sector);
}

// Headers, region tables and log take 2 MiB, the table what it needs, metadata 1 MiB; without a
// block the file ends inside the metadata.
static wide vhdx(const struct layout *layout) {
    wide blocks = divided(layout->size, layout->unit);
    wide chunk = ((wide)1 << 32) / layout->unit;
    wide table = at_least(mib, rounded(8 * (blocks + divided(blocks, chunk)), mib));
    return layout->units ? 3 * mib + table + layout->units * layout->unit
                         : 2 * mib + table + 131072;
}

static wide (*const layouts[IMAGE_FORMATS])(const struct layout *layout) = {
    [IMAGE_RAW] = raw,   [IMAGE_QCOW2] = qcow2, [IMAGE_VPC] = vpc,
    [IMAGE_VMDK] = vmdk, [IMAGE_VHDX] = vhdx,
};

static bool narrowed(wide value, uint64_t *bytes) {
    *bytes = (uint64_t)value;
    return value < (wide)1 << 63;
}

bool writer_size(enum image_format target, const struct target_options *options,
                 const struct writer_load *load, uint64_t sector, uint64_t *bytes) {
    if (options->vmdk_subformat == SUBFORMAT_FLAT || options->vmdk_subformat == SUBFORMAT_STREAM)
        return false;
    const struct layout layout = {
        .size = load->size,
        .units = load->units,
        .tables = load->tables,
        .unit = model_target_unit(target, options),
        .per_table = writer_units_per_table(target, options),
        .sector = sector,
        .no_skip_zeros = options->no_skip_zeros,
    };
    return narrowed(layouts[target](&layout), bytes);
}

bool writer_capacity(enum image_format target, uint64_t size, uint64_t sector, uint64_t *bytes) {
    wide disk = size;
    switch (target) {
    case IMAGE_RAW:
        return narrowed(rounded(disk, sector), bytes);
    case IMAGE_VPC:
        return narrowed(disk + divided(disk, 2 * mib) * 65536 + 10 * mib, bytes);
    case IMAGE_VHDX:
        return narrowed(rounded(disk, 32 * mib) + 10 * mib, bytes);
    default:
        return narrowed(disk + disk / 100 + 10 * mib, bytes);
    }
}
