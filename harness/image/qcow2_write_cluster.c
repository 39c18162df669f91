// SPDX-License-Identifier: Apache-2.0
//
// qcow2: one guest cluster on its way into a file. What its parts are to be, as the source wishes
// and the format grants it; then a place for it, and its L2 entry. With extended L2 entries a
// cluster is 32 parts (subclusters), each with a state of its own; without, it is one part.
#include "image/qcow2_writer.h"

#include "base/bytes.h"
#include "base/file.h"

#include <string.h>

#define STALE_BYTE 0xa5

// Finds room for `length` compressed bytes: behind the last ones if their host cluster can count
// one more reference and holds them, or if what follows it is still free; else a new cluster.
static uint64_t place_packed(struct qcow2_writer *writer, uint64_t length) {
    uint64_t host = writer->packed_at / writer->unit, inside = writer->packed_at % writer->unit;
    bool usable = writer->packed_at != 0 && inside != 0 && writer->refcounts[host] < writer->most;
    bool fits = usable && length <= writer->unit - inside;
    bool at_end = usable && host + 1 == writer->clusters;
    uint64_t at = writer->packed_at;
    if (fits || at_end) {
        writer->refcounts[host]++;
        if (!fits)
            qcow2_writer_allocate(writer, 1);
    } else {
        at = qcow2_writer_allocate(writer, 1);
    }
    writer->packed_at = at + length;
    return at;
}

// Spec "Compressed Clusters Descriptor".
uint64_t qcow2_packed_entry(const struct qcow2_writer *writer, uint64_t at, uint64_t length) {
    uint64_t more = (at + length - 1) / QCOW2_SECTOR - at / QCOW2_SECTOR;
    return QCOW2_COMPRESSED | more << (62 - (writer->cluster_bits - 8)) | at;
}

void qcow2_note_part(struct qcow2_cluster *cluster, uint64_t part, enum image_state state) {
    cluster->parts[part] = state;
    if (state > cluster->strongest)
        cluster->strongest = state;
}

// The cluster's bytes into writer->data, zeros behind the end of the disk.
static int load_cluster(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                        struct fault *fault) {
    const struct image_source *source = writer->disk->source;
    uint64_t offset = cluster->index * writer->unit;
    size_t length = (size_t)min_u64(writer->unit, source->size - offset);
    memset(writer->data + length, 0, (size_t)writer->unit - length);
    return source->read(source->context, offset, writer->data, length, fault);
}

// Takes back the wishes that the format or the options do not grant: version 2 has no zero flag,
// and without a backing file a hole reads the same.
static void drop_zeros(const struct qcow2_writer *writer, struct qcow2_cluster *cluster) {
    struct qcow2_cluster left = {.index = cluster->index};
    size_t length = (size_t)writer->unit / writer->parts;
    bool skip = writer->options->skip_zeros;
    for (uint32_t i = 0; i < writer->parts; i++) {
        enum image_state state = cluster->parts[i];
        bool dropped = image_state_is_stored(state)
                           ? skip && bytes_are_zero(writer->data + i * length, length)
                           : skip || writer->version < 3;
        qcow2_note_part(&left, i, dropped ? IMAGE_HOLE : state);
    }
    *cluster = left;
}

// Guest bytes of [offset, offset + length) that the active disk has become `state`.
static void note_written(struct qcow2_writer *writer, uint64_t offset, uint64_t length,
                         enum image_state state) {
    uint64_t size = writer->written->virtual_size;
    if (writer->disk == &writer->active && offset < size)
        image_map_add(&writer->written->map, offset, min_u64(length, size - offset), state);
}

// A compressed cluster is one piece, whatever its parts are, and its bitmap is zero (spec "Extended
// L2 Entries"). 1: done, 0: its bytes do not get smaller, -1: a fault.
static int store_packed(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                        uint8_t *entry, struct fault *fault) {
    size_t unit = (size_t)writer->unit;
    size_t length = writer->options->compression == QCOW2_ZSTD
                        ? image_zstd(writer->packed, unit - 1, writer->data, unit)
                        : image_deflate(writer->packed, unit - 1, writer->data, unit, true);
    if (length == 0)
        return 0;
    uint64_t at;
    int shared = qcow2_share_packed(writer, cluster, length, &at, fault);
    if (shared < 0)
        return -1;
    if (!shared) {
        at = place_packed(writer, length);
        if (qcow2_writer_put(writer, at, writer->packed, length, fault) < 0)
            return -1;
    }
    put_be64(entry, qcow2_packed_entry(writer, at, length));
    note_written(writer, cluster->index * writer->unit, writer->unit, IMAGE_COMPRESSED);
    return 1;
}

// What is not stored of a cluster that has a place is whatever the file held there before. Bytes
// that are not zero show who overlooks the bitmap.
static void fill_stale(const struct qcow2_writer *writer, const struct qcow2_cluster *cluster) {
    size_t length = (size_t)writer->unit / writer->parts;
    for (uint32_t i = 0; i < writer->parts; i++)
        if (!image_state_is_stored(cluster->parts[i]))
            memset(writer->data + i * length, STALE_BYTE, length);
}

static int put_parts(struct qcow2_writer *writer, const struct qcow2_cluster *cluster, uint64_t at,
                     struct fault *fault) {
    size_t length = (size_t)writer->unit / writer->parts;
    if (writer->options->stale_subclusters) {
        fill_stale(writer, cluster);
        return qcow2_writer_put(writer, at, writer->data, (size_t)writer->unit, fault);
    }
    for (uint32_t i = 0; i < writer->parts; i++)
        if (image_state_is_stored(cluster->parts[i]) &&
            qcow2_writer_put(writer, at + i * length, writer->data + i * length, length, fault) < 0)
            return -1;
    return 0;
}

// A cluster of zeros that keeps its place in a data file. One sector of bytes that mean nothing is
// enough to show who reads it; whole clusters of them would cost as much as the zeros are long.
static int put_stale_sector(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                            struct fault *fault) {
    uint8_t stale[QCOW2_SECTOR];
    uint32_t first = 0;
    while (first + 1 < writer->parts && cluster->parts[first] == IMAGE_HOLE)
        first++;
    uint64_t at = cluster->index * writer->unit + first * (writer->unit / writer->parts);
    if (at >= writer->disk->size)
        return 0;
    memset(stale, STALE_BYTE, sizeof stale);
    return file_pwrite(writer->data_fd, stale, sizeof stale, at, fault);
}

// Into the data file, which ends with the disk. A raw one must read as the disk does, so what the
// tables call zero or nothing stays a hole of it; in the other kind such bytes mean nothing (spec
// "Header", autoclear bit 1), and show who reads them.
static int put_outside(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                       struct fault *fault) {
    uint64_t length = writer->unit / writer->parts, at = cluster->index * writer->unit;
    bool raw = writer->options->data_file == QCOW2_DATA_FILE_RAW;
    if (!image_state_is_stored(cluster->strongest))
        return raw ? 0 : put_stale_sector(writer, cluster, fault);
    fill_stale(writer, cluster);
    for (uint32_t i = 0; i < writer->parts; i++, at += length) {
        if (at >= writer->disk->size || (raw && !image_state_is_stored(cluster->parts[i])))
            continue;
        size_t inside = (size_t)min_u64(length, writer->disk->size - at);
        if (file_pwrite(writer->data_fd, writer->data + i * length, inside, at, fault) < 0)
            return -1;
    }
    return 0;
}

// Spec "Extended L2 Entries": one bit a part for stored, one for zero.
static uint64_t bitmap_of(const struct qcow2_writer *writer, const struct qcow2_cluster *cluster) {
    uint64_t bitmap = 0;
    for (uint32_t i = 0; i < writer->parts; i++)
        if (cluster->parts[i] != IMAGE_HOLE)
            bitmap |=
                1ull << (image_state_is_stored(cluster->parts[i]) ? i : QCOW2_SUBCLUSTERS + i);
    return bitmap;
}

static void note_parts(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                       bool placed) {
    uint64_t length = writer->unit / writer->parts;
    for (uint32_t i = 0; i < writer->parts; i++) {
        enum image_state state = cluster->parts[i];
        if (!image_state_is_stored(state) && state != IMAGE_HOLE)
            state = placed ? IMAGE_ZERO_ALLOCATED : IMAGE_ZERO;
        note_written(writer, cluster->index * writer->unit + i * length, length,
                     image_state_is_stored(state) ? IMAGE_DATA : state);
    }
}

// A place inside the file, shared or new, with the bytes in it. 0 and *at.
static int place_inside(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                        uint64_t flags, uint64_t bitmap, uint64_t *at, struct fault *fault) {
    int shared = qcow2_share_standard(writer, cluster, flags, bitmap, at, fault);
    if (shared != 0)
        return shared < 0 ? -1 : 0;
    *at = qcow2_writer_allocate(writer, 1);
    return image_state_is_stored(cluster->strongest) ? put_parts(writer, cluster, *at, fault) : 0;
}

// Spec "Standard Cluster Descriptor" and "Extended L2 Entries". One part with a place gives the
// whole cluster one, so a zero part beside a stored one keeps space whether it was asked to or not.
static int store_parts(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                       uint8_t *entry, struct fault *fault) {
    bool standard = writer->parts == 1, outside = writer->data_fd >= 0;
    bool zero = standard && !image_state_is_stored(cluster->strongest);
    bool placed = cluster->strongest >= IMAGE_ZERO_ALLOCATED;
    uint64_t at = 0, flags = zero ? QCOW2_ZERO : 0, bitmap = bitmap_of(writer, cluster);
    // Place 0 with the zero flag is no place, even in a data file.
    if (outside && zero && cluster->index == 0)
        placed = false;
    if (placed && outside) {
        at = cluster->index * writer->unit;
        if (put_outside(writer, cluster, fault) < 0)
            return -1;
    } else if (placed && place_inside(writer, cluster, flags, bitmap, &at, fault) < 0) {
        return -1;
    }
    note_parts(writer, cluster, placed);
    // COPIED is for the active disk; a cluster that it comes to share loses it again.
    bool copied = placed && writer->disk == &writer->active;
    put_be64(entry, at | flags | (copied ? QCOW2_COPIED : 0));
    if (!standard)
        put_be64(entry + 8, bitmap);
    return 0;
}

// Version 2 has no zero flag, and in an overlay a hole says something else.
static void store_zeros(const struct qcow2_writer *writer, struct qcow2_cluster *cluster) {
    if (writer->version >= 3 || !writer->disk->source->overlay)
        return;
    for (uint32_t i = 0; i < writer->parts; i++)
        if (cluster->parts[i] != IMAGE_HOLE && !image_state_is_stored(cluster->parts[i]))
            qcow2_note_part(cluster, i, IMAGE_DATA);
}

static bool wants_packing(const struct qcow2_writer *writer, const struct qcow2_cluster *cluster) {
    return writer->data_fd < 0 && (cluster->strongest == IMAGE_COMPRESSED ||
                                   (cluster->strongest == IMAGE_DATA && writer->options->compress));
}

int qcow2_store_cluster(struct qcow2_writer *writer, struct qcow2_cluster *cluster,
                        struct fault *fault) {
    store_zeros(writer, cluster);
    if (image_state_is_stored(cluster->strongest) && load_cluster(writer, cluster, fault) < 0)
        return -1;
    drop_zeros(writer, cluster);
    if (cluster->strongest == IMAGE_HOLE)
        return 0;
    uint8_t *entry = qcow2_writer_l2_entry(writer, cluster->index, fault);
    if (!entry)
        return -1;
    if (wants_packing(writer, cluster)) {
        int packed = store_packed(writer, cluster, entry, fault);
        if (packed != 0)
            return packed < 0 ? -1 : 0;
    }
    return store_parts(writer, cluster, entry, fault);
}
