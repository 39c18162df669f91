// SPDX-License-Identifier: Apache-2.0
//
// What of a source counts as data, by qemu-img's block status:
//   raw, fixed vpc  the host's SEEK_DATA and SEEK_HOLE
//   qcow2           data and compressed clusters, not zero ones; holes of the file under a data
//                   cluster when qemu-img asks for them (measure_holes.c)
//   vmdk            grains in use, not zeroed ones
//   vpc             whole blocks in the block allocation table, whatever their bitmap says
//   vhdx            everything, because qemu's driver has no block status; but for the targets that
//                   qemu-img cannot measure, where a conversion's size is the only judge, the
//                   blocks that are present
// A run of data counts for every target unit that it touches, once.
#include "base/bytes.h"
#include "standin/lies.h"
#include "standin/measure.h"

struct scan {
    struct source *source;
    bool as_qemu; // does qemu-img measure this target?
    struct measure_holes holes;
};

static int host_status(const struct scan *scan, uint64_t offset, uint64_t *length, bool *data) {
    const struct source *source = scan->source;
    *data = true;
    if (source->format == IMAGE_RAW && lie(LIE_RAW_WITHOUT_SEEK_HOLE))
        return 0;
    if (offset >= source->image->file_size) // the last sector of an odd raw file
        *data = false;
    else
        measure_host_run(source->image->fd, offset, length, data);
    return 0;
}

static int table_status(const struct scan *scan, uint64_t offset, uint64_t *length, bool *data,
                        struct fault *fault) {
    struct source *source = scan->source;
    struct image_extent extent;
    if (image_extent_at(source->image, offset, &extent, fault))
        return -1;
    *length = min_u64(*length, extent.length);
    bool zero = extent.state == IMAGE_ZERO || extent.state == IMAGE_ZERO_ALLOCATED;
    *data = extent.state == IMAGE_DATA || extent.state == IMAGE_COMPRESSED ||
            (zero && source->format == IMAGE_QCOW2 && lie(LIE_QCOW2_ZERO_CLUSTERS_ALLOCATED));
    if (source->format == IMAGE_QCOW2 && extent.state == IMAGE_DATA)
        return measure_holes_next(&scan->holes, offset, length, data, fault);
    return 0;
}

static int status_at(const struct scan *scan, uint64_t offset, uint64_t *length, bool *data,
                     struct fault *fault) {
    switch (scan->source->format) {
    case IMAGE_RAW:
        return host_status(scan, offset, length, data);
    case IMAGE_VPC:
        if (scan->source->info.vpc_fixed)
            return host_status(scan, offset, length, data);
        break;
    case IMAGE_VHDX:
        if (!scan->as_qemu)
            break;
        *data = true;
        return 0;
    case IMAGE_QCOW2:
    case IMAGE_VMDK:
    case IMAGE_FORMATS:
        break;
    }
    return table_status(scan, offset, length, data, fault);
}

int measure_scan(struct source *source, const struct measure_options *options, uint64_t *units,
                 struct fault *fault) {
    struct scan scan = {.source = source};
    uint64_t unit = measure_unit(options);
    uint64_t length, counted_to = 0; // the units below this offset are done
    bool data;
    *units = 0;
    scan.as_qemu = options->target == IMAGE_RAW || options->target == IMAGE_QCOW2;
    if (source->format == IMAGE_QCOW2 && measure_holes_begin(&scan.holes, source, fault))
        return -1;
    for (uint64_t offset = 0; offset < source->size; offset += length) {
        length = source->size - offset;
        if (status_at(&scan, offset, &length, &data, fault))
            return -1;
        if (!data)
            continue;
        uint64_t first = max_u64(round_down(offset, unit), counted_to);
        uint64_t end = round_up(offset + length, unit);
        if (end > first) {
            *units += (end - first) / unit;
            counted_to = end;
        }
    }
    return 0;
}
