// SPDX-License-Identifier: Apache-2.0
//
// Cylinders, heads and sectors: the size of a VHD of most creators is their product, so a writer
// that wants to keep every byte of the guest must look for a product that is large enough.
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

int vpc_geometry_declared(enum vpc_creator creator, uint64_t sectors, struct vpc_geometry *geometry,
                          uint64_t *declared, struct fault *fault) {
    *declared = 0;
    if (sectors > VPC_MAX_SECTORS)
        return fault_set(fault, "a vpc disk holds at most %llu sectors, not %llu",
                         (unsigned long long)VPC_MAX_SECTORS, (unsigned long long)sectors);
    // As qemu-img create: ask for more and more until the product covers the disk. An empty disk
    // has no geometry at all. Above the largest geometry, and only there, the current size rules;
    // and always for a creator who says so, whose geometry then covers the disk all the same.
    *geometry = (struct vpc_geometry){0};
    uint64_t wanted = min_u64(sectors, VPC_MAX_GEOMETRY);
    for (uint64_t more = 0; vpc_geometry_sectors(geometry) < wanted; more++)
        *geometry = vpc_geometry_of(wanted + more);
    uint64_t covered = vpc_geometry_sectors(geometry);
    bool by_size = creator == VPC_CREATOR_QEM2 || covered == VPC_MAX_GEOMETRY;
    *declared = by_size ? sectors : covered;
    return 0;
}

int vpc_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                      struct fault *fault) {
    struct vpc_geometry geometry;
    *declared = 0;
    // The footer of an empty fixed disk is at offset 0, where every reader (qemu-img too, which
    // then cannot open what it has created) takes it for the front copy of a dynamic one.
    if (options->vpc_fixed && size == 0)
        return fault_set(fault, "a fixed vpc disk of size 0 cannot be told from a dynamic one");
    if (vpc_geometry_declared(options->vpc_creator, div_up(size, VPC_SECTOR), &geometry, declared,
                              fault))
        return -1;
    *declared *= VPC_SECTOR;
    return 0;
}
