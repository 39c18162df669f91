// SPDX-License-Identifier: Apache-2.0
//
// Cases of more than one state of a disk: the files below the source, internal snapshots, bitmaps.
// Which of them a case has follows from what its formats can have, so that every case can be built.

#include "base/bytes.h"
#include "testcase/caps.h"
#include "testcase/fields.h"

#include <stdio.h>
#include <string.h>

struct layer {
    enum image_format format;
    enum backing_size size;
};

// The layers below the source, as far as formats allow them. Their number.
static uint32_t layers_below(const struct testcase *testcase,
                             struct layer below[CASE_MAX_LAYERS - 1]) {
    const uint32_t kinds[] = {testcase->backing_1, testcase->backing_2, testcase->backing_3};
    const uint32_t sizes[] = {testcase->backing_1_size, testcase->backing_2_size,
                              testcase->backing_3_size};
    static const enum image_format formats[BACKINGS] = {
        [BACKING_RAW] = IMAGE_RAW,   [BACKING_QCOW2] = IMAGE_QCOW2, [BACKING_VPC] = IMAGE_VPC,
        [BACKING_VMDK] = IMAGE_VMDK, [BACKING_VHDX] = IMAGE_VHDX,
    };
    enum image_format above = (enum image_format)testcase->format;
    uint32_t count = 0;
    // Of the layouts only the sparse file that also has the descriptor names a parent.
    if (above == IMAGE_VMDK && (testcase->vmdk_subformat || testcase->vmdk_layout))
        return 0;
    for (; count < CASE_MAX_LAYERS - 1 && kinds[count] != BACKING_NONE; count++) {
        if (above != IMAGE_QCOW2 && above != IMAGE_VMDK)
            break;
        above = above == IMAGE_VMDK ? IMAGE_VMDK : formats[kinds[count]];
        below[count] = (struct layer){above, (enum backing_size)sizes[count]};
    }
    return count;
}

uint32_t case_layers(const struct testcase *testcase) {
    struct layer below[CASE_MAX_LAYERS - 1];
    // In a layer that stands in the place of the source, the source's format is lost, and with it
    // what may lie below: case_layer has kept the number, by which budgets are shared.
    return testcase->layer ? testcase->layers : 1 + layers_below(testcase, below);
}

static uint64_t layer_size(uint64_t source, enum backing_size size) {
    switch (size) {
    case BACKING_SECTOR_SHORTER:
        return source - min_u64(source, SECTOR);
    case BACKING_HALF:
        return source / 2;
    case BACKING_UNIT_LONGER:
        return source + 64 * KIB;
    case BACKING_DOUBLE:
        return min_u64(2 * source, CASE_MAX_SIZE);
    case BACKING_ODD_SHORTER:
        return source - min_u64(source, 1);
    case BACKING_ODD_LONGER:
        return source + SECTOR + 1;
    case BACKING_TINY:
        return SECTOR;
    case BACKING_SAME:
    case BACKING_SIZES:
        break;
    }
    return source;
}

void case_layer(const struct testcase *testcase, uint32_t layer, struct testcase *as_source) {
    struct layer below[CASE_MAX_LAYERS - 1];
    uint32_t count = layers_below(testcase, below);
    *as_source = *testcase;
    if (layer == 0)
        return;
    as_source->layer = layer;
    as_source->layers = 1 + count;
    as_source->format = below[layer - 1].format;
    as_source->layer_size = layer_size(case_virtual_size(testcase), below[layer - 1].size);
    if (testcase->backing_cluster_bits)
        as_source->cluster_bits = testcase->backing_cluster_bits;
    if (as_source->format == IMAGE_VMDK && layer < count) {
        as_source->vmdk_subformat = VMDK_SPARSE;
        as_source->vmdk_layout = LAYOUT_SINGLE;
    }
}

uint32_t case_write_layer(const struct testcase *testcase, const struct case_write *write) {
    return write->layer % case_layers(testcase);
}

size_t case_chain_extents(const struct testcase *testcase,
                          struct content_extent extents[CASE_MAX_WRITES]) {
    struct content_extent own[CASE_MAX_WRITES];
    struct testcase below;
    uint32_t layers = case_layers(testcase);

    case_write_extents(testcase, extents);
    for (uint32_t layer = 1; layer < layers; layer++) {
        case_layer(testcase, layer, &below);
        case_write_extents(&below, own);
        for (uint32_t i = 0; i < testcase->write_count; i++)
            if (case_write_layer(testcase, &testcase->writes[i]) == layer)
                extents[i] = own[i];
    }
    return testcase->write_count;
}

// --- qcow2 ---------------------------------------------------------------------------------------

static bool is_modern_source(const struct testcase *testcase) {
    return testcase->format == IMAGE_QCOW2 && testcase->qcow2_version == 3 && testcase->layer == 0;
}

enum qcow2_data_file case_data_file(const struct testcase *testcase) {
    if (!is_modern_source(testcase))
        return QCOW2_DATA_INSIDE;
    // A raw data file is the whole disk: there is no file below it.
    return testcase->data_file == QCOW2_DATA_FILE_RAW && case_layers(testcase) > 1
               ? QCOW2_DATA_FILE
               : (enum qcow2_data_file)testcase->data_file;
}

uint32_t case_snapshots(const struct testcase *testcase) {
    return testcase->format == IMAGE_QCOW2 && testcase->layer == 0 &&
                   case_data_file(testcase) == QCOW2_DATA_INSIDE
               ? testcase->snapshots
               : 0;
}

const char *case_snapshot_id(uint32_t index) {
    static const char *const ids[CASE_MAX_SNAPSHOTS] = {"1", "2", "3"};
    return ids[index];
}

const char *case_snapshot_name(uint32_t index) {
    static const char *const names[CASE_MAX_SNAPSHOTS] = {"first", "1", "the third one"};
    return names[index];
}

uint64_t case_snapshot_size(const struct testcase *testcase, uint32_t index) {
    uint64_t size = round_up(case_virtual_size(testcase), SECTOR);
    // Behind the end of a shorter snapshot qemu-img shows zeros, or, where there is one, the file
    // below: no size of its own then.
    if (index > 0 || testcase->qcow2_version != 3 || case_layers(testcase) > 1)
        return size;
    switch ((enum snapshot_size)testcase->snapshot_size) {
    case SNAPSHOT_SHORTER:
        return round_up(size / 2, SECTOR);
    case SNAPSHOT_LONGER:
        return size + 64 * KIB;
    case SNAPSHOT_SAME:
    case SNAPSHOT_SIZES:
        break;
    }
    return size;
}

void case_snapshot_writes(const struct testcase *testcase, uint32_t index,
                          struct content *content) {
    struct content_extent extents[CASE_MAX_WRITES];
    size_t count = case_write_extents(testcase, extents);
    // The writes in index + 1 parts of snapshots + 1.
    size_t taken = count * (index + 1) / (case_snapshots(testcase) + 1);

    for (size_t i = 0; i < taken; i++)
        if (extents[i].length > 0)
            content_write(content, &extents[i]);
}

uint32_t case_bitmaps(const struct testcase *testcase) {
    // A disk of size 0 has no bits: qemu-img says that it adds a bitmap, and loses it.
    return is_modern_source(testcase) && case_virtual_size(testcase) > 0 ? testcase->bitmaps : 0;
}

void case_bitmap(const struct testcase *testcase, uint32_t index, struct image_bitmap *bitmap,
                 struct image_map *dirty) {
    uint64_t size = case_virtual_size(testcase);
    bool last = index + 1 == case_bitmaps(testcase);
    *bitmap = (struct image_bitmap){
        .granularity_bits = testcase->bitmap_bits ? testcase->bitmap_bits : 16,
        .automatic = !last || testcase->bitmap_flags == BITMAP_AUTO,
        .in_use = last && testcase->bitmap_flags == BITMAP_IN_USE,
    };
    snprintf(bitmap->name, sizeof bitmap->name, "bitmap%u", index);
    while (bitmap->granularity_bits < 31 && size >> bitmap->granularity_bits > CAP_BITMAP_BITS)
        bitmap->granularity_bits++;
    // The writes as extents in order: as a backup program would have seen them.
    struct content_extent extents[CASE_MAX_WRITES];
    size_t count = case_write_extents(testcase, extents);
    struct content merged = {0};
    content_begin(&merged, size);
    for (size_t i = 0; i < count; i++)
        if (extents[i].length > 0 && i % case_bitmaps(testcase) == index)
            content_write(&merged, &extents[i]);
    image_map_clear(dirty);
    for (size_t i = 0; i < merged.count; i++)
        image_map_add(dirty, merged.extents[i].offset, merged.extents[i].length, IMAGE_DATA);
    content_free(&merged);
}
