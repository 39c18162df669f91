// SPDX-License-Identifier: Apache-2.0
//
// The size of a VHD: two numbers of its footer compete for it, and who made the file decides. The
// table of creators is the reader's and the writer's. Where the product of cylinders, heads and
// sectors counts, a writer that wants to keep every byte of the guest must look for a product that
// is large enough.
#include "base/bytes.h"
#include "image/vpc.h"

uint32_t vpc_checksum(const uint8_t *bytes, size_t length, size_t field) {
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i++)
        if (i < field || i >= field + 4)
            sum += bytes[i];
    return ~sum;
}

uint32_t vpc_bitmap_size(uint32_t block_size) {
    return (uint32_t)round_up(div_up(block_size / VPC_SECTOR, 8), VPC_SECTOR);
}

struct vpc_geometry vpc_geometry_of(uint64_t sectors) {
    sectors = min_u64(sectors, VPC_MAX_GEOMETRY);
    struct vpc_geometry geometry = {.heads = 16, .sectors = 255};
    if (sectors < 65535ull * 16 * 63) {
        uint64_t tracks = sectors / 17;
        uint64_t heads = max_u64(4, div_up(tracks, 1024));
        geometry = (struct vpc_geometry){.heads = (uint32_t)heads, .sectors = 17};
        if (tracks >= heads * 1024 || heads > 16) {
            geometry = (struct vpc_geometry){.heads = 16, .sectors = 31};
            tracks = sectors / 31;
        }
        if (tracks >= geometry.heads * 1024ull)
            geometry = (struct vpc_geometry){.heads = 16, .sectors = 63};
    }
    geometry.cylinders = (uint32_t)(sectors / geometry.sectors / geometry.heads);
    return geometry;
}

uint64_t vpc_geometry_sectors(const struct vpc_geometry *geometry) {
    return (uint64_t)geometry->cylinders * geometry->heads * geometry->sectors;
}

const struct vpc_creator_kind vpc_creators[VPC_CREATORS] = {
    [VPC_CREATOR_QEMU] = {{'q', 'e', 'm', 'u'}, VPC_BY_GEOMETRY, false},
    [VPC_CREATOR_QEM2] = {{'q', 'e', 'm', '2'}, VPC_BY_SIZE, false},
    [VPC_CREATOR_VPC] = {{'v', 'p', 'c', ' '}, VPC_BY_GEOMETRY, true},
    [VPC_CREATOR_VS] = {{'v', 's', ' ', ' '}, VPC_BY_VERSION, false},
    [VPC_CREATOR_VSIM] = {{'v', 's', 'i', 'm'}, VPC_BY_VERSION, false},
    [VPC_CREATOR_WA] = {{'w', 'a', 0, 0}, VPC_BY_VERSION, false},
    [VPC_CREATOR_IMGO] = {{'i', 'm', 'g', 'o'}, VPC_BY_VERSION, false},
    [VPC_CREATOR_WIN] = {{'w', 'i', 'n', ' '}, VPC_BY_SIZE, false},
    [VPC_CREATOR_D2V] = {{'d', '2', 'v', ' '}, VPC_BY_SIZE, false},
    [VPC_CREATOR_TAP] = {{'t', 'a', 'p', 0}, VPC_BY_SIZE, false},
    [VPC_CREATOR_CTXS] = {{'C', 'T', 'X', 'S'}, VPC_BY_SIZE, false},
};

enum vpc_creator vpc_creator_of(const void *application) {
    int at = 0;
    while (at < VPC_CREATORS && memcmp(vpc_creators[at].application, application, 4) != 0)
        at++;
    return (enum vpc_creator)at;
}

uint64_t vpc_footer_sectors(const uint8_t *footer) {
    const struct vpc_geometry geometry = {
        .cylinders = get_be16(footer + VPC_FOOTER_CYLINDERS),
        .heads = footer[VPC_FOOTER_HEADS],
        .sectors = footer[VPC_FOOTER_SECTORS],
    };
    uint64_t product = vpc_geometry_sectors(&geometry);
    enum vpc_creator creator = vpc_creator_of(footer + VPC_FOOTER_CREATOR);
    bool by_size = product == VPC_MAX_GEOMETRY ||
                   (creator != VPC_CREATORS && vpc_creators[creator].rule == VPC_BY_SIZE);
    return by_size ? get_be64(footer + VPC_FOOTER_CURRENT_SIZE) / VPC_SECTOR : product;
}

// As qemu-img create: ask for more and more until the product covers the disk. An empty disk has no
// geometry at all.
static struct vpc_geometry vpc_geometry_covering(uint64_t sectors) {
    struct vpc_geometry geometry = {0};
    uint64_t wanted = min_u64(sectors, VPC_MAX_GEOMETRY);
    for (uint64_t more = 0; vpc_geometry_sectors(&geometry) < wanted; more++)
        geometry = vpc_geometry_of(wanted + more);
    return geometry;
}

int vpc_sizes_of(enum vpc_creator creator, uint64_t sectors, struct vpc_sizes *sizes,
                 struct fault *fault) {
    const struct vpc_creator_kind *kind = &vpc_creators[creator];
    *sizes = (struct vpc_sizes){0};
    if (sectors > VPC_MAX_SECTORS)
        return fault_set(fault, "a vpc disk holds at most %llu sectors, not %llu",
                         (unsigned long long)VPC_MAX_SECTORS, (unsigned long long)sectors);
    if (kind->rounds_down && sectors)
        sizes->geometry = vpc_geometry_of(sectors);
    if (vpc_geometry_sectors(&sizes->geometry) == 0)
        sizes->geometry = vpc_geometry_covering(sectors);
    uint64_t product = vpc_geometry_sectors(&sizes->geometry);
    // The geometry of a disk by size covers it all the same.
    bool exact = kind->rule == VPC_BY_SIZE || product == VPC_MAX_GEOMETRY;
    sizes->shown = exact ? sectors : product;
    sizes->current = max_u64(sectors, sizes->shown);
    return 0;
}

int vpc_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                      struct fault *fault) {
    struct vpc_sizes sizes;
    *declared = 0;
    // The footer of an empty fixed disk is at offset 0, where every reader (qemu-img too, which
    // then cannot open what it has created) takes it for the front copy of a dynamic one.
    if (options->vpc_fixed && size == 0)
        return fault_set(fault, "a fixed vpc disk of size 0 cannot be told from a dynamic one");
    if (vpc_sizes_of(options->vpc_creator, div_up(size, VPC_SECTOR), &sizes, fault))
        return -1;
    *declared = sizes.shown * VPC_SECTOR;
    return 0;
}
