// SPDX-License-Identifier: Apache-2.0
//
// qcow2: the writer of persistent bitmaps. The bits of one are cut into clusters, bit 0 of byte 0
// first, and a table names them; what is all clear or all set needs no cluster (spec "Bitmap
// table", "Bitmap data").
#include "image/qcow2_writer.h"

#include "base/bytes.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

static int check_bitmap(const struct image_options *options, const struct image_bitmap *bitmap,
                        uint64_t size, struct fault *fault) {
    uint32_t bits = bitmap->granularity_bits;
    uint32_t cluster_bits = options->cluster_bits ? options->cluster_bits : 16;
    if (bits < QCOW2_MIN_GRANULARITY_BITS || bits > QCOW2_MAX_GRANULARITY_BITS)
        return fault_set(fault, "no bitmap has a granularity of 2^%u bytes", bits);
    if (!bitmap->name[0] || size == 0)
        return fault_set(fault, "a bitmap needs a name and a disk that is not empty");
    if (qcow2_bitmap_entries(size, bits, cluster_bits) << cluster_bits > QCOW2_MAX_BITMAP_BYTES)
        return fault_set(fault, "a bitmap of more than 512 MiB");
    return 0;
}

int qcow2_check_bitmaps(const struct image_options *options, uint64_t size, struct fault *fault) {
    if (options->bitmap_count > 0 && options->qcow2_version == 2)
        return fault_set(fault, "qcow2 version 2 has no bitmaps");
    if (options->bitmap_count > QCOW2_MAX_BITMAPS)
        return fault_set(fault, "too many bitmaps");
    for (size_t i = 0; i < options->bitmap_count; i++)
        if (check_bitmap(options, &options->bitmaps[i], size, fault) < 0)
            return -1;
    return 0;
}

static void set_bits(uint8_t *bytes, uint64_t first, uint64_t end) {
    for (uint64_t bit = first; bit < end;) {
        if (bit % 8 == 0 && end - bit >= 8) {
            size_t whole = (size_t)(end - bit) / 8;
            memset(bytes + bit / 8, 0xff, whole);
            bit += whole * 8;
        } else {
            bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
            bit++;
        }
    }
}

// The bits [first, end) of a bitmap into writer->data. `*next` is the first dirty range that may
// reach into them.
static void fill_bits(const struct qcow2_writer *writer, const struct image_bitmap *bitmap,
                      uint64_t first, uint64_t end, size_t *next) {
    const struct image_map *dirty = bitmap->dirty;
    uint64_t size = writer->active.size;
    memset(writer->data, 0, (size_t)writer->unit);
    for (size_t i = *next; i < dirty->count && dirty->extents[i].offset < size; i++) {
        const struct image_extent *extent = &dirty->extents[i];
        uint64_t from = extent->offset >> bitmap->granularity_bits;
        uint64_t to = div_up(min_u64(extent->offset + extent->length, size),
                             1ull << bitmap->granularity_bits);
        if (from >= end)
            break;
        if (to <= first)
            *next = i + 1;
        else
            set_bits(writer->data, max_u64(from, first) - first, min_u64(to, end) - first);
    }
}

static bool all_set(const uint8_t *bytes, uint64_t bits) {
    for (uint64_t i = 0; i < bits / 8; i++)
        if (bytes[i] != 0xff)
            return false;
    return bits % 8 == 0 || bytes[bits / 8] == (1u << bits % 8) - 1;
}

static int write_bits(struct qcow2_writer *writer, const struct image_bitmap *bitmap,
                      uint8_t *table, uint64_t entries, struct fault *fault) {
    uint64_t all = div_up(writer->active.size, 1ull << bitmap->granularity_bits);
    uint64_t per_cluster = writer->unit * 8;
    size_t next = 0;
    for (uint64_t i = 0; i < entries && next < bitmap->dirty->count; i++) {
        uint64_t first = i * per_cluster, end = min_u64(all, first + per_cluster);
        fill_bits(writer, bitmap, first, end, &next);
        if (bytes_are_zero(writer->data, (size_t)writer->unit))
            continue;
        uint64_t entry = QCOW2_BITMAP_ALL_ONES;
        if (!all_set(writer->data, end - first)) {
            entry = qcow2_writer_allocate(writer, 1);
            if (qcow2_writer_put(writer, entry, writer->data, (size_t)writer->unit, fault) < 0)
                return -1;
        }
        put_be64(table + i * 8, entry);
    }
    return 0;
}

// Spec "Bitmap directory".
static void fill_entry(const struct image_bitmap *bitmap, uint64_t table_at, uint64_t entries,
                       uint8_t *entry) {
    size_t name = strlen(bitmap->name);
    put_be64(entry + QCOW2_BITMAP_TABLE_OFFSET, table_at);
    put_be32(entry + QCOW2_BITMAP_TABLE_SIZE, (uint32_t)entries);
    put_be32(entry + QCOW2_BITMAP_FLAGS, (bitmap->in_use ? QCOW2_BITMAP_IN_USE : 0) |
                                             (bitmap->automatic ? QCOW2_BITMAP_AUTO : 0));
    entry[QCOW2_BITMAP_TYPE] = QCOW2_BITMAP_DIRTY_TRACKING;
    entry[QCOW2_BITMAP_GRANULARITY_BITS] = (uint8_t)bitmap->granularity_bits;
    put_be16(entry + QCOW2_BITMAP_NAME_LENGTH, (uint16_t)name);
    memcpy(entry + QCOW2_BITMAP_FIXED, bitmap->name, name);
}

static int write_bitmap(struct qcow2_writer *writer, const struct image_bitmap *bitmap,
                        uint8_t *entry, struct fault *fault) {
    uint64_t entries =
        qcow2_bitmap_entries(writer->active.size, bitmap->granularity_bits, writer->cluster_bits);
    uint8_t *table = calloc((size_t)entries, 8);
    if (!table)
        return fault_set(fault, "out of memory");
    int result = write_bits(writer, bitmap, table, entries, fault);
    uint64_t at = qcow2_writer_allocate(writer, div_up(entries * 8, writer->unit));
    if (result == 0)
        result = file_pwrite(writer->fd, table, (size_t)entries * 8, at, fault);
    fill_entry(bitmap, at, entries, entry);
    free(table);
    return result;
}

static size_t entry_length(const struct image_bitmap *bitmap) {
    return (size_t)round_up(QCOW2_BITMAP_FIXED + strlen(bitmap->name), 8);
}

int qcow2_write_bitmaps(struct qcow2_writer *writer, struct fault *fault) {
    const struct image_options *options = writer->options;
    size_t length = 0, at = 0;
    if (options->bitmap_count == 0)
        return 0;
    for (size_t i = 0; i < options->bitmap_count; i++)
        length += entry_length(&options->bitmaps[i]);
    uint8_t *directory = calloc(1, length);
    if (!directory)
        return fault_set(fault, "out of memory");
    int result = 0;
    for (size_t i = 0; result == 0 && i < options->bitmap_count; i++) {
        result = write_bitmap(writer, &options->bitmaps[i], directory + at, fault);
        at += entry_length(&options->bitmaps[i]);
    }
    writer->directory_bytes = length;
    writer->directory_at = qcow2_writer_allocate(writer, div_up(length, writer->unit));
    if (result == 0)
        result = file_pwrite(writer->fd, directory, length, writer->directory_at, fault);
    free(directory);
    return result;
}
