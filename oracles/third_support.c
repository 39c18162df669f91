// SPDX-License-Identifier: Apache-2.0
//
// What the third reader can be asked about. Every row was measured with the libraries of Debian 12,
// libqcow 20201213, libvmdk 20200926 and libvhdi 20210425, on some 5,900 images of our writers, up
// to 64 MiB with writes of every form, and on what qemu-img 7.2 writes in each of its subformats,
// up to 2 TiB. Outside these rows all of them were read rightly: qcow2 of version 2 and 3, of any
// cluster size, refcount width and byte count, deflated clusters, lazy refcounts, the dirty flag,
// snapshots and bitmaps, preallocated metadata; vmdk as one sparse or flat file, in parts, and as a
// stream, deflated or not, padded to any sector; vpc, dynamic and fixed, of every creator; vhdx,
// dynamic and fixed. tests/unit/run_third.c and tests/shell/third.sh hold that rows are still
// needed, all but third_geometry.
#include "base/file.h"
#include "image/vpc.h"
#include "oracles/third.h"

#include <stdio.h>
#include <string.h>

#define STATE(state) (1u << (state))

struct subject {
    struct image *image;
    struct image_info info;
    unsigned states; // of its extents, a bit each
};

static bool is_empty(const struct subject *subject) {
    return subject->info.virtual_size == 0;
}
static bool has_backing(const struct subject *subject) {
    return subject->info.has_backing || subject->image->has_backing;
}
static bool has_extended_l2(const struct subject *subject) {
    return subject->info.extended_l2;
}
static bool has_zstd(const struct subject *subject) {
    return subject->info.compression_type != QCOW2_ZLIB;
}
static bool has_data_file(const struct subject *subject) {
    return subject->info.data_file[0];
}
static bool is_marked_corrupt(const struct subject *subject) {
    return subject->info.corrupt;
}
static bool has_zero_units(const struct subject *subject) {
    return subject->states & (STATE(IMAGE_ZERO) | STATE(IMAGE_ZERO_ALLOCATED));
}
static bool has_small_grains(const struct subject *subject) {
    const char *type = subject->info.vmdk_create_type;
    return !strstr(type, "Flat") && subject->image->unit < 8192;
}
static bool is_beyond_4_gib(const struct subject *subject) {
    return subject->image->file_size > UINT64_C(4) << 30;
}
// The creators whose size is their geometry, but for qemu-img's own, which rounds both alike.
static bool is_sized_by_geometry(const struct subject *subject) {
    enum vpc_creator creator = vpc_creator_of(subject->info.vpc_creator);
    return creator != VPC_CREATORS && creator != VPC_CREATOR_QEMU &&
           vpc_creators[creator].rule != VPC_BY_SIZE;
}

// The last footer lies elsewhere than in the file's last sector. instar's documentation has it
// where the last 64 KiB begin; qemu-img reads the copy at the front.
static bool ends_without_footer(const struct subject *subject) {
    uint8_t cookie[8];
    uint64_t size = subject->image->file_size;
    return size >= 512 &&
           file_pread(subject->image->fd, cookie, sizeof cookie, size - 512, NULL) == 0 &&
           memcmp(cookie, "conectix", sizeof cookie) != 0;
}

#define QCOW2 STATE(IMAGE_QCOW2)
#define VMDK  STATE(IMAGE_VMDK)
#define VPC   STATE(IMAGE_VPC)
#define VHDX  STATE(IMAGE_VHDX)

static const struct limit {
    unsigned formats;
    const char *reason;
    bool (*applies)(const struct subject *subject);
    const char *words; // what was seen
} limits[] = {
    {QCOW2 | VPC | VHDX, "third_empty", is_empty, "a disk of size 0 is refused"},
    {QCOW2 | VMDK | VPC | VHDX, "third_backing", has_backing,
     "a file with a parent is refused or cannot be read: the program opens one file"},
    {QCOW2, "third_extended_l2", has_extended_l2, "refused: an unknown incompatible feature"},
    {QCOW2, "third_zstd", has_zstd, "refused: an unknown incompatible feature"},
    {QCOW2, "third_data_file", has_data_file, "refused: an unknown incompatible feature"},
    {QCOW2, "third_corrupt", is_marked_corrupt, "refused: an unknown incompatible feature"},
    {QCOW2, "third_zero_clusters", has_zero_units,
     "the zero flag is taken for a part of the offset: the file's header is read as guest data, or "
     "what the cluster held before"},
    {VMDK, "third_zero_grains", has_zero_units,
     "the entry 1 of a zeroed grain is read as the grain at sector 1, the descriptor"},
    {VMDK, "third_small_grains", has_small_grains, "grains of 4 KiB are refused"},
    {VPC, "third_geometry", is_sized_by_geometry,
     "the footer's original size counts, whatever the creator"},
    {VPC, "third_footer_not_last", ends_without_footer,
     "refused where the file's last sector is not the footer"},
    {VHDX, "third_beyond_4_gib", is_beyond_4_gib,
     "blocks at 4 GiB of the file and behind it are read from elsewhere (fixed disks of 8 GiB)"},
};

const char *third_unsupported(struct image *image, const char **words) {
    struct subject subject = {.image = image};
    struct image_map map = {0};
    struct fault fault = {0};
    image->driver->info(image, &subject.info);
    if (image_map_of(image, &map, &fault))
        map.count = 0; // what our reader cannot walk is reported elsewhere
    for (size_t i = 0; i < map.count; i++)
        subject.states |= STATE(map.extents[i].state);
    image_map_free(&map);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (!(limits[i].formats & STATE(image->driver->format)) || !limits[i].applies(&subject))
            continue;
        if (words)
            *words = limits[i].words;
        return limits[i].reason;
    }
    return NULL;
}
