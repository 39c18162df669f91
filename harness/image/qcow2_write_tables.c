// SPDX-License-Identifier: Apache-2.0
//
// qcow2: what closes a written file. Refcounts can be counted only when every cluster has its
// place, and the header names tables that come last.
#include "image/qcow2_writer.h"

#include "base/bytes.h"
#include "base/file.h"

#include <string.h>

// The refcount block that covers the clusters from `first` on, in writer->data.
static void fill_block(struct qcow2_writer *writer, uint64_t first, uint64_t count) {
    memset(writer->data, 0, (size_t)writer->unit);
    uint64_t used = min_u64(count, writer->clusters - first);
    for (uint64_t i = 0; i < used; i++)
        qcow2_set_refcount(writer->data, i, writer->refcount_order, writer->refcounts[first + i]);
}

static int write_blocks(struct qcow2_writer *writer, uint64_t blocks_at, uint64_t blocks,
                        struct fault *fault) {
    uint64_t per_block = (writer->unit * 8) >> writer->refcount_order;
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t at = blocks_at + i * writer->unit;
        uint8_t entry[8];
        put_be64(entry, at);
        fill_block(writer, i * per_block, per_block);
        if (qcow2_writer_put(writer, at, writer->data, (size_t)writer->unit, fault) < 0 ||
            file_pwrite(writer->fd, entry, sizeof entry, writer->reftable_at + i * 8, fault) < 0)
            return -1;
    }
    return qcow2_writer_flush(writer, fault);
}

// Refcount table and blocks count themselves, so their number is a fixed point. It grows from
// below and more clusters never need fewer blocks, so the first one found is the smallest.
static int write_refcounts(struct qcow2_writer *writer, struct fault *fault) {
    uint64_t per_block = (writer->unit * 8) >> writer->refcount_order;
    uint64_t table = 1, blocks = 1, need_table, need_blocks;
    for (;;) {
        need_blocks = div_up(writer->clusters + table + blocks, per_block);
        need_table = div_up(need_blocks * 8, writer->unit);
        if (need_blocks == blocks && need_table == table)
            break;
        blocks = need_blocks;
        table = need_table;
    }
    if (table * writer->unit > QCOW2_MAX_REFTABLE_BYTES)
        return fault_set(fault, "the refcount table would exceed 8 MiB");
    writer->reftable_clusters = table;
    writer->reftable_at = qcow2_writer_allocate(writer, table);
    uint64_t blocks_at = qcow2_writer_allocate(writer, blocks);
    return write_blocks(writer, blocks_at, blocks, fault);
}

// A header may end before the compression type, as those of QEMU before 5.1 do, where that is
// deflate; a reader must not look for it there. Both kinds are about: the cluster size says which.
static uint32_t header_length(const struct qcow2_writer *writer) {
    bool old = !writer->options->compression && writer->cluster_bits % 2;
    return old ? QCOW2_V3_HEADER : QCOW2_LONGEST_HEADER;
}

// Spec "Additional fields (version 3 and higher)" and "Header extensions".
static void fill_version_3(const struct qcow2_writer *writer, uint8_t *header) {
    const struct image_options *options = writer->options;
    uint64_t incompatible = 0, autoclear = 0;
    if (options->extended_l2)
        incompatible |= QCOW2_INCOMPAT_EXTENDED_L2;
    if (options->compression)
        incompatible |= QCOW2_INCOMPAT_COMPRESSION;
    if (options->data_file != QCOW2_DATA_INSIDE)
        incompatible |= QCOW2_INCOMPAT_DATA_FILE;
    if (options->data_file == QCOW2_DATA_FILE_RAW)
        autoclear |= QCOW2_AUTOCLEAR_DATA_RAW;
    if (options->bitmap_count > 0)
        autoclear |= QCOW2_AUTOCLEAR_BITMAPS;
    put_be64(header + QCOW2_AT_INCOMPATIBLE, incompatible);
    put_be64(header + QCOW2_AT_AUTOCLEAR, autoclear);
    put_be64(header + QCOW2_AT_COMPATIBLE, options->lazy_refcounts ? QCOW2_COMPAT_LAZY : 0);
    put_be32(header + QCOW2_AT_REFCOUNT_ORDER, writer->refcount_order);
    put_be32(header + QCOW2_AT_HEADER_LENGTH, header_length(writer));
    header[QCOW2_AT_COMPRESSION] = (uint8_t)options->compression;
}

// Spec "Header extensions": type, length, bytes padded to eight. The place behind it.
static size_t put_extension(uint8_t *header, size_t at, uint32_t type, const void *bytes,
                            size_t length) {
    put_be32(header + at, type);
    put_be32(header + at + 4, (uint32_t)length);
    memcpy(header + at + 8, bytes, length);
    return at + 8 + (length + 7) / 8 * 8;
}

static size_t put_bitmaps(const struct qcow2_writer *writer, uint8_t *header, size_t at) {
    uint8_t extension[QCOW2_BITMAPS_EXTENSION] = {0};
    put_be32(extension + QCOW2_BITMAPS_COUNT, (uint32_t)writer->options->bitmap_count);
    put_be64(extension + QCOW2_BITMAPS_DIRECTORY_SIZE, writer->directory_bytes);
    put_be64(extension + QCOW2_BITMAPS_DIRECTORY_OFFSET, writer->directory_at);
    return put_extension(header, at, QCOW2_EXTENSION_BITMAPS, extension, sizeof extension);
}

// Header extensions from `at` on, and behind their end mark (eight zero bytes) the backing file's
// name. Everything is in the first cluster, which has at least 512 bytes.
static void put_extensions(const struct qcow2_writer *writer, uint8_t *header, size_t at) {
    const struct image_options *options = writer->options;
    const struct image_backing *backing = options->backing;
    if (backing) {
        const char *format = image_driver(backing->format)->name;
        at = put_extension(header, at, QCOW2_EXTENSION_BACKING_FORMAT, format, strlen(format));
    }
    if (options->data_file != QCOW2_DATA_INSIDE)
        at = put_extension(header, at, QCOW2_EXTENSION_DATA_FILE, writer->data_name,
                           strlen(writer->data_name));
    if (options->bitmap_count > 0)
        at = put_bitmaps(writer, header, at);
    if (!backing)
        return;
    size_t length = strlen(backing->name);
    memcpy(header + at + 8, backing->name, length);
    put_be64(header + QCOW2_AT_BACKING_OFFSET, at + 8);
    put_be32(header + QCOW2_AT_BACKING_SIZE, (uint32_t)length);
}

static int write_header(struct qcow2_writer *writer, struct fault *fault) {
    uint8_t header[1 << QCOW2_MIN_CLUSTER_BITS] = {0};
    put_be32(header + QCOW2_AT_MAGIC, QCOW2_MAGIC);
    put_be32(header + QCOW2_AT_VERSION, writer->version);
    put_be32(header + QCOW2_AT_CLUSTER_BITS, writer->cluster_bits);
    put_be64(header + QCOW2_AT_SIZE, writer->written->virtual_size);
    put_be32(header + QCOW2_AT_L1_SIZE, (uint32_t)writer->active.l1_size);
    put_be64(header + QCOW2_AT_L1_OFFSET, writer->active.l1_offset);
    put_be64(header + QCOW2_AT_REFTABLE_OFFSET, writer->reftable_at);
    put_be32(header + QCOW2_AT_REFTABLE_CLUSTERS, (uint32_t)writer->reftable_clusters);
    put_be32(header + QCOW2_AT_SNAPSHOTS, (uint32_t)writer->options->snapshot_count);
    put_be64(header + QCOW2_AT_SNAPSHOTS_OFFSET, writer->snapshots_at);
    if (writer->version == 3)
        fill_version_3(writer, header);
    put_extensions(writer, header,
                   writer->version == 3 ? get_be32(header + QCOW2_AT_HEADER_LENGTH)
                                        : QCOW2_V2_HEADER);
    // What follows in the first cluster is zero: the end mark of the header extensions.
    return file_pwrite(writer->fd, header, sizeof header, 0, fault);
}

int qcow2_writer_close(struct qcow2_writer *writer, struct fault *fault) {
    return write_refcounts(writer, fault) < 0 ? -1 : write_header(writer, fault);
}
