// SPDX-License-Identifier: Apache-2.0
//
// Planted bugs of readers that need several things at once (losses.h): where in an image each has
// its place. A finder looks for the first range that its lie would spoil;
// whether to lie is asked where there is one, so the honest program looks for them, too, and what
// it cannot read is for the conversion itself to complain of.
#include "standin/losses.h"

#include "base/bytes.h"
#include "standin/lies.h"

#include <string.h>

// What one file of a chain has itself at `offset`; behind its end nothing, for ever.
static int own_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                      struct fault *fault) {
    if (offset < image->virtual_size)
        return image->driver->extent(image, offset, extent, fault);
    *extent = (struct image_extent){offset, UINT64_MAX - offset, IMAGE_HOLE};
    return 0;
}

static bool is_qcow2(const struct image *image) {
    return image && image->driver->format == IMAGE_QCOW2;
}

static bool is_zero(enum image_state state) {
    return state == IMAGE_ZERO || state == IMAGE_ZERO_ALLOCATED;
}

static uint64_t end_of(const struct image_extent *extent) {
    return extent->offset + extent->length;
}

// A walk over the disk in runs that are of one state in every file: `layers` of the chain at most.
enum { LAYERS_MAX = 3 };
typedef bool fits_run(const struct image_extent run[LAYERS_MAX]);

static int find_run(struct source *source, unsigned layers, fits_run *fits, struct fault *fault) {
    uint64_t size = min_u64(source->size, source->image->virtual_size);
    for (uint64_t offset = 0, end; offset < size; offset = end) {
        struct image_extent run[LAYERS_MAX];
        struct image *image = source->image;
        end = size;
        for (unsigned i = 0; i < layers; i++, image = image->backing) {
            if (own_extent(image, offset, &run[i], fault))
                return -1;
            end = min_u64(end, end_of(&run[i]));
        }
        if (fits(run)) {
            source->loss = (struct loss){.begin = offset, .end = end};
            return 0;
        }
    }
    return 0;
}

// --- qcow2 ---------------------------------------------------------------------------------------

// LIE_SUBCLUSTERS_PAST_BACKING: of the cluster in which the file below ends.
static int past_backing(struct source *source, struct fault *fault) {
    struct image *image = source->image;
    if (!is_qcow2(image) || !source->info.extended_l2 || !image->backing)
        return 0;
    uint64_t end = image->backing->virtual_size, begin = round_down(end, image->unit);
    if (begin == end || begin + image->unit > source->size)
        return 0;
    bool stored = false;
    struct image_extent extent, left_out = {0};
    for (uint64_t at = begin; at < begin + image->unit; at = end_of(&extent)) {
        if (own_extent(image, at, &extent, fault))
            return -1;
        stored |= extent.state == IMAGE_DATA;
        if (extent.state == IMAGE_HOLE && at < end && !left_out.length)
            left_out = extent;
    }
    if (stored && left_out.length)
        source->loss =
            (struct loss){.begin = left_out.offset, .end = min_u64(end_of(&left_out), end)};
    return 0;
}

static bool zeros_hide_data(const struct image_extent run[LAYERS_MAX]) {
    return run[0].state == IMAGE_HOLE && is_zero(run[1].state) &&
           image_state_is_stored(run[2].state);
}

// LIE_MIDDLE_ZEROS_FORGOTTEN
static int middle_zeros(struct source *source, struct fault *fault) {
    struct image *image = source->image;
    if (!is_qcow2(image) || !is_qcow2(image->backing) || !image->backing->backing)
        return 0;
    if (find_run(source, 3, zeros_hide_data, fault))
        return -1;
    source->loss.shown = image->backing->backing;
    return 0;
}

static bool is_compressed_below(const struct image_extent run[LAYERS_MAX]) {
    return run[0].state == IMAGE_HOLE && run[1].state == IMAGE_COMPRESSED;
}

// LIE_ZSTD_BELOW_OTHER_CLUSTERS
static int zstd_below(struct source *source, struct fault *fault) {
    struct image *image = source->image;
    struct image_info below;
    if (!is_qcow2(image) || !is_qcow2(image->backing))
        return 0;
    image->backing->driver->info(image->backing, &below);
    if (below.compression_type != QCOW2_ZSTD || below.cluster_size == source->info.cluster_size)
        return 0;
    return find_run(source, 2, is_compressed_below, fault);
}

static bool is_compressed(const struct image_extent run[LAYERS_MAX]) {
    return run[0].state == IMAGE_COMPRESSED;
}

// LIE_SHORT_SNAPSHOT_COMPRESSED
static int short_snapshot(struct source *source, struct fault *fault) {
    bool is_short = source->image->virtual_size < source->size;
    return is_short ? find_run(source, 1, is_compressed, fault) : 0;
}

#define SHORT_HEADER 104u // bytes: one that ends before the compression type

// LIE_TYPE_BEHIND_SHORT_HEADER
static int type_misread(struct source *source, struct fault *fault) {
    const struct image_info *info = &source->info;
    bool has_extension = info->has_backing || info->bitmaps;
    bool misread = is_qcow2(source->image) && info->qcow2_version == 3 &&
                   info->qcow2_header_length == SHORT_HEADER && has_extension;
    return misread ? find_run(source, 1, is_compressed, fault) : 0;
}

// --- vmdk ----------------------------------------------------------------------------------------

// The unit at `edge`, if it and the one before are stored. `behind` is the run that begins there.
static int lose_behind(struct source *source, uint64_t edge, uint64_t unit,
                       struct image_extent *behind, struct fault *fault) {
    struct image_extent before;
    *behind = (struct image_extent){edge, 0, IMAGE_HOLE};
    if (edge == 0 || edge >= source->size)
        return 0;
    if (own_extent(source->image, edge, behind, fault))
        return -1;
    if (!image_state_is_stored(behind->state))
        return 0;
    if (own_extent(source->image, edge - 1, &before, fault))
        return -1;
    if (image_state_is_stored(before.state))
        source->loss = (struct loss){.begin = edge, .end = min_u64(end_of(behind), edge + unit)};
    return 0;
}

// LIE_GRAIN_TABLES_STRADDLED: a table has 512 entries.
static int tables_straddled(struct source *source, struct fault *fault) {
    uint64_t grain = source->info.cluster_size, covered = 512 * grain;
    if (strcmp(source->info.vmdk_create_type, vmdk_create_types[VMDK_STREAM]) != 0)
        return 0;
    // A hole is left behind in one step: a large disk has many tables.
    for (uint64_t edge = covered; grain && edge < source->size && !source->loss.end;) {
        struct image_extent behind;
        if (lose_behind(source, edge, grain, &behind, fault))
            return -1;
        edge =
            max_u64(edge + covered,
                    image_state_is_stored(behind.state) ? 0 : round_up(end_of(&behind), covered));
    }
    return 0;
}

// LIE_EXTENTS_STRADDLED
static int extents_straddled(struct source *source, struct fault *fault) {
    const struct image_info *info = &source->info;
    uint64_t edge = 0;
    for (size_t i = 0; i < info->vmdk_extent_count && !source->loss.end; i++) {
        const struct image_part *extent = &info->vmdk_extents[i];
        struct image_extent behind;
        if (extent->cluster_size && lose_behind(source, edge, extent->cluster_size, &behind, fault))
            return -1;
        edge += extent->virtual_size;
    }
    return 0;
}

#define CHUNK 65536

// LIE_EXTENTS_IN_CHUNKS
static int extents_in_chunks(struct source *source, struct fault *fault) {
    const struct image_info *info = &source->info;
    uint64_t edge = 0;
    for (size_t i = 0; i < info->vmdk_extent_count && !source->loss.end; i++) {
        const struct image_part *extent = &info->vmdk_extents[i];
        struct image_extent behind;
        if (edge % CHUNK && edge < source->size && !extent->cluster_size) {
            if (own_extent(source->image, edge, &behind, fault))
                return -1;
            if (image_state_is_stored(behind.state))
                source->loss = (struct loss){
                    .begin = edge, .end = min_u64(end_of(&behind), round_up(edge, CHUNK))};
        }
        edge += extent->virtual_size;
    }
    return 0;
}

void losses_plant(struct source *source, bool of_snapshot) {
    static const struct {
        enum lie lie;
        bool of_snapshot; // of an internal snapshot alone; of the others never
        int (*find)(struct source *source, struct fault *fault);
    } losses[] = {
        {LIE_SUBCLUSTERS_PAST_BACKING, false, past_backing},
        {LIE_MIDDLE_ZEROS_FORGOTTEN, false, middle_zeros},
        {LIE_ZSTD_BELOW_OTHER_CLUSTERS, false, zstd_below},
        {LIE_SHORT_SNAPSHOT_COMPRESSED, true, short_snapshot},
        {LIE_GRAIN_TABLES_STRADDLED, false, tables_straddled},
        {LIE_EXTENTS_STRADDLED, false, extents_straddled},
        {LIE_EXTENTS_IN_CHUNKS, false, extents_in_chunks},
        {LIE_TYPE_BEHIND_SHORT_HEADER, false, type_misread},
    };
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct fault unread = {""};
        if (losses[i].of_snapshot != of_snapshot)
            continue;
        if (losses[i].find(source, &unread) == 0 && source->loss.end && lie(losses[i].lie))
            return;
        source->loss = (struct loss){0};
    }
}
