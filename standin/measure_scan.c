// SPDX-License-Identifier: Apache-2.0
//
// What of a source counts as data, by qemu-img's block status:
//   raw, fixed vpc  the host's SEEK_DATA and SEEK_HOLE
//   qcow2           data and compressed clusters, not zero ones; holes of the file under a data
//                   cluster when qemu-img asks for them (measure_holes.c)
//   vmdk            grains in use, not zeroed ones; of a flat extent the host's SEEK_DATA and
//                   SEEK_HOLE
//   vpc             whole blocks in the block allocation table, whatever their bitmap says
//   vhdx            everything, because qemu's driver has no block status; but for the targets that
//                   qemu-img cannot measure, where a conversion's size is the only judge, the
//                   blocks that are present
// What a file leaves out is asked of the file below it, as deep as the chain goes; behind the end
// of a file there are zeros. A run of data counts for every target unit that it touches, once.
#include "base/bytes.h"
#include "standin/lies.h"
#include "standin/measure.h"

#define MAX_LAYERS 16 // image_open_backing opens no more

enum status { STATUS_DATA, STATUS_ZERO, STATUS_BELOW }; // BELOW: ask the file below

struct layer {
    struct image *image;
    enum image_format format;
    bool by_host;        // the host's holes say what is stored
    bool blind;          // LIE_RAW_WITHOUT_SEEK_HOLE, LIE_FIXED_VPC_COUNTED: they are not seen
    bool subclusters;    // LIE_SUBCLUSTERS_NOT_PLACED: what its tables call stored is counted
    uint64_t behind_end; // bytes of its last unit behind the end of the disk, if that is stored
    struct measure_holes holes;
};

struct scan {
    struct layer layers[MAX_LAYERS];
    size_t count;
    bool as_qemu; // does qemu-img measure this target?
};

static enum status host_status(const struct layer *layer, uint64_t offset, uint64_t *length) {
    bool data = true;
    measure_host_run(layer->image->fd, offset, length, &data);
    return data ? STATUS_DATA : STATUS_ZERO;
}

// Who counts whole units counts the last one as a whole. Of a compressed cluster the size is known.
static void note_end(struct layer *layer, const struct image_extent *extent, bool counted) {
    uint64_t end = extent->offset + extent->length;
    uint64_t unit = layer->subclusters ? layer->image->unit / 32 : layer->image->unit;
    if (counted && end == layer->image->virtual_size && extent->state != IMAGE_COMPRESSED)
        layer->behind_end = round_up(end, unit) - end;
}

static int table_status(struct layer *layer, uint64_t offset, uint64_t *length, enum status *status,
                        struct fault *fault) {
    struct image_extent extent;
    // The file's own tables: not image_extent_at, which follows the chain.
    if (layer->image->driver->extent(layer->image, offset, &extent, fault))
        return -1;
    *length = min_u64(*length, extent.length);
    bool data;
    switch (extent.state) {
    case IMAGE_HOLE:
        *status = STATUS_BELOW;
        return 0;
    case IMAGE_ZERO:
    case IMAGE_ZERO_ALLOCATED:
        data = (layer->format == IMAGE_QCOW2 && !layer->subclusters &&
                lie(LIE_QCOW2_ZERO_CLUSTERS_ALLOCATED)) ||
               (layer->format == IMAGE_VMDK && lie(LIE_ZEROED_GRAINS_COUNTED));
        note_end(layer, &extent, data);
        break;
    case IMAGE_DATA:
    case IMAGE_COMPRESSED:
    default:
        data = true;
        note_end(layer, &extent, true);
        if (layer->format == IMAGE_QCOW2 && extent.state == IMAGE_DATA && !layer->subclusters &&
            measure_holes_next(&layer->holes, offset, length, &data, fault))
            return -1;
        break;
    }
    *status = data ? STATUS_DATA : STATUS_ZERO;
    return 0;
}

static int layer_status(const struct scan *scan, struct layer *layer, uint64_t offset,
                        uint64_t *length, enum status *status, struct fault *fault) {
    uint64_t size = layer->image->virtual_size;
    if (layer->blind) { // all of the device, however long the file is
        *status = STATUS_DATA;
        return 0;
    }
    if (offset >= size) { // also the last sector of an odd raw file
        *status = STATUS_ZERO;
        return 0;
    }
    *length = min_u64(*length, size - offset);
    if (layer->by_host)
        *status = host_status(layer, offset, length);
    else if (layer->format == IMAGE_VHDX && scan->as_qemu && !lie(LIE_VHDX_BLOCKS_COUNTED))
        *status = STATUS_DATA;
    else
        return table_status(layer, offset, length, status, fault);
    return 0;
}

static int status_at(struct scan *scan, uint64_t offset, uint64_t *length, bool *data,
                     struct fault *fault) {
    enum status status = STATUS_BELOW;
    for (size_t i = 0; i < scan->count && status == STATUS_BELOW; i++)
        if (layer_status(scan, &scan->layers[i], offset, length, &status, fault))
            return -1;
    *data = status == STATUS_DATA;
    return 0;
}

// The lies of a scan that sees no holes of the host.
static bool is_blind(const struct scan *scan, const struct source *source,
                     const struct layer *layer) {
    if (!layer->by_host || layer->format == IMAGE_RAW)
        return layer->by_host && lie(LIE_RAW_WITHOUT_SEEK_HOLE);
    bool as_raw = source_footer_unseen(source) && lie(LIE_FIXED_VPC_MEASURED_AS_RAW);
    return lie(LIE_FIXED_VPC_COUNTED) || (as_raw && scan->as_qemu);
}

static int add_layers(struct scan *scan, const struct source *source, struct fault *fault) {
    for (struct image *image = source->image; image && scan->count < MAX_LAYERS;
         image = image->backing) {
        struct layer *layer = &scan->layers[scan->count++];
        struct image_info info;
        image->driver->info(image, &info);
        *layer = (struct layer){.image = image, .format = image->driver->format};
        layer->by_host =
            layer->format == IMAGE_RAW || (layer->format == IMAGE_VPC && info.vpc_fixed);
        // Of a raw file below another, convert would write less than what is counted.
        layer->blind = image == source->image && is_blind(scan, source, layer);
        layer->subclusters = info.extended_l2 && lie(LIE_SUBCLUSTERS_NOT_PLACED);
        if (layer->format == IMAGE_QCOW2 && measure_holes_begin(&layer->holes, image, fault))
            return -1;
        if (lie(LIE_BACKING_IGNORED_BY_MEASURE))
            break;
    }
    return 0;
}

// The lies of a scan that keeps a number of bytes and no places.
static bool forgets_places(const struct source *source) {
    bool blocks = source->format == IMAGE_VMDK ||
                  (source->format == IMAGE_VPC && !source->info.vpc_fixed) ||
                  (source->format == IMAGE_VHDX && lie(LIE_VHDX_BLOCKS_COUNTED));
    return (blocks && lie(LIE_UNITS_NOT_COUNTED)) ||
           (source->info.extended_l2 && lie(LIE_SUBCLUSTERS_NOT_PLACED));
}

// Bytes behind the end of the disk that are counted with its last unit.
static uint64_t counted_behind(const struct scan *scan) {
    const struct layer *top = &scan->layers[0];
    bool units = top->format != IMAGE_QCOW2 && lie(LIE_LAST_UNIT_COUNTED_WHOLE);
    return units || top->subclusters ? top->behind_end : 0;
}

static int scan_units(struct scan *scan, const struct source *source, uint64_t unit,
                      uint64_t *units, struct fault *fault) {
    uint64_t length, bytes = 0, counted_to = 0; // the units below this offset are done
    bool data;
    for (uint64_t offset = 0; offset < source->size; offset += length) {
        length = source->size - offset;
        if (status_at(scan, offset, &length, &data, fault))
            return -1;
        if (!data)
            continue;
        bytes += length;
        uint64_t first = max_u64(round_down(offset, unit), counted_to);
        uint64_t end = round_up(offset + length, unit);
        if (end > first) {
            *units += (end - first) / unit;
            counted_to = end;
        }
    }
    if (forgets_places(source))
        *units = div_up(min_u64(bytes + counted_behind(scan), source->size), unit);
    else if (!scan->as_qemu)
        *units = min_u64(*units + counted_behind(scan) / unit, div_up(source->size, unit));
    // Only for a target that a second tool measures: of others a conversion would write less.
    if (source->format == IMAGE_RAW && scan->as_qemu && lie(LIE_RAW_SCAN_OFF_BY_ONE))
        *units += 1;
    return 0;
}

int measure_scan(struct source *source, const struct measure_options *options, uint64_t *units,
                 struct fault *fault) {
    struct scan scan = {0};
    *units = 0;
    scan.as_qemu = options->target == IMAGE_RAW || options->target == IMAGE_QCOW2;
    int result = add_layers(&scan, source, fault);
    if (result == 0)
        result = scan_units(&scan, source, measure_unit(options), units, fault);
    for (size_t i = 0; i < scan.count; i++)
        if (scan.layers[i].format == IMAGE_QCOW2)
            measure_holes_end(&scan.layers[i].holes);
    return result;
}
