// SPDX-License-Identifier: Apache-2.0
//
// qcow2: the writer. One pass over the source; the file grows without gaps in the order header,
// then per L1 entry its L2 table followed by its clusters, then the L1 table; the same again for
// each snapshot, and the snapshot table; bitmaps; refcount table and refcount blocks. Every cluster
// of the finished file is in use.
#include "image/qcow2_writer.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/unit_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPEND_BYTES (256u << 10) // collected before they are written

static uint32_t option_cluster_bits(const struct image_options *options) {
    return options->cluster_bits ? options->cluster_bits : 16;
}

// Entries of the L1 table for a guest of `size` bytes (a multiple of 512).
static uint64_t l1_entries(uint64_t size, const struct image_options *options) {
    return div_up(size,
                  1ull << (2 * option_cluster_bits(options) - (options->extended_l2 ? 4 : 3)));
}

// Spec "Header", incompatible feature bit 2 and autoclear feature bit 1. QEMU takes no snapshots of
// an image with a data file, and calls one that has some corrupt.
static int check_data_file(const struct image_options *options, struct fault *fault) {
    if (options->data_file == QCOW2_DATA_INSIDE)
        return 0;
    if ((unsigned)options->data_file >= QCOW2_DATA_FILES || options->qcow2_version == 2)
        return fault_set(fault, "qcow2 version 2 has no data file, and no version this kind");
    if (options->snapshot_count > 0)
        return fault_set(fault, "a qcow2 with a data file has no snapshots");
    if (options->data_file == QCOW2_DATA_FILE_RAW && options->backing)
        return fault_set(fault, "a raw data file is the whole disk: nothing can be below it");
    return 0;
}

static int check_options(const struct image_options *options, struct fault *fault) {
    uint32_t bits = option_cluster_bits(options), width = options->refcount_bits;
    if (bits < QCOW2_MIN_CLUSTER_BITS || bits > QCOW2_MAX_CLUSTER_BITS)
        return fault_set(fault, "qcow2 has no clusters of 2^%u bytes", bits);
    if (options->qcow2_version != 0 && options->qcow2_version != 2 && options->qcow2_version != 3)
        return fault_set(fault, "there is no qcow2 version %u", options->qcow2_version);
    if (width > 64 || (width & (width - 1)) != 0)
        return fault_set(fault, "qcow2 has no refcounts of %u bits", width);
    // Incompatible features are bits of the header of version 3. Subclusters are sectors at least.
    if (options->qcow2_version == 2 && (options->extended_l2 || options->compression))
        return fault_set(fault, "qcow2 version 2 has neither extended L2 entries nor zstd");
    if (options->extended_l2 && bits < QCOW2_MIN_EXTENDED_BITS)
        return fault_set(fault, "extended L2 entries need clusters of at least %u bytes",
                         1u << QCOW2_MIN_EXTENDED_BITS);
    if ((unsigned)options->compression > QCOW2_ZSTD)
        return fault_set(fault, "qcow2 has no compression type %u", (unsigned)options->compression);
    return check_data_file(options, fault);
}

static int rounded_size(const struct image_options *options, uint64_t size, uint64_t *rounded,
                        struct fault *fault) {
    if (size > INT64_MAX - QCOW2_SECTOR)
        return fault_set(fault, "qcow2 cannot hold %llu bytes", (unsigned long long)size);
    *rounded = round_up(size, QCOW2_SECTOR);
    if (l1_entries(*rounded, options) > QCOW2_MAX_L1_BYTES / 8)
        return fault_set(fault, "the L1 table for %llu bytes would exceed 32 MiB",
                         (unsigned long long)size);
    return 0;
}

int qcow2_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                        struct fault *fault) {
    uint64_t rounded;
    *declared = 0;
    if (check_options(options, fault) < 0 || rounded_size(options, size, &rounded, fault) < 0 ||
        qcow2_check_bitmaps(options, rounded, fault) < 0)
        return -1;
    *declared = rounded;
    return 0;
}

int qcow2_writer_flush(struct qcow2_writer *writer, struct fault *fault) {
    size_t length = writer->append_length;
    writer->append_length = 0;
    return file_pwrite(writer->fd, writer->append, length, writer->append_at, fault);
}

int qcow2_writer_put(struct qcow2_writer *writer, uint64_t at, const uint8_t *bytes, size_t length,
                     struct fault *fault) {
    if ((at != writer->append_at + writer->append_length ||
         length > APPEND_BYTES - writer->append_length) &&
        qcow2_writer_flush(writer, fault) < 0)
        return -1;
    if (length > APPEND_BYTES)
        return file_pwrite(writer->fd, bytes, length, at, fault);
    if (writer->append_length == 0)
        writer->append_at = at;
    memcpy(writer->append + writer->append_length, bytes, length);
    writer->append_length += length;
    return 0;
}

uint64_t qcow2_writer_allocate(struct qcow2_writer *writer, uint64_t count) {
    uint64_t at = writer->clusters * writer->unit;
    size_t end = (size_t)(writer->clusters + count);
    if (end > writer->refcount_room) {
        writer->refcount_room = end * 2;
        writer->refcounts =
            must_realloc(writer->refcounts, writer->refcount_room * sizeof *writer->refcounts);
    }
    while (writer->clusters < end)
        writer->refcounts[writer->clusters++] = 1;
    return at;
}

static int finish_l2(struct qcow2_writer *writer, struct fault *fault) {
    uint64_t at = writer->l2_at, shared_at;
    if (at == 0)
        return 0;
    int shared = qcow2_share_table(writer, &shared_at, fault);
    writer->l2_at = 0;
    if (shared < 0)
        return -1;
    bool copied = !shared && writer->disk == &writer->active;
    put_be64(writer->disk->l1 + writer->l2_index * 8,
             (shared ? shared_at : at) | (copied ? QCOW2_COPIED : 0));
    return shared ? 0 : file_pwrite(writer->fd, writer->l2, (size_t)writer->unit, at, fault);
}

uint8_t *qcow2_writer_l2_entry(struct qcow2_writer *writer, uint64_t index, struct fault *fault) {
    uint64_t per_table = writer->unit / writer->entry_bytes;
    if (writer->l2_at == 0 || writer->l2_index != index / per_table) {
        if (finish_l2(writer, fault) < 0)
            return NULL;
        memset(writer->l2, 0, (size_t)writer->unit);
        writer->l2_at = qcow2_writer_allocate(writer, 1);
        writer->l2_index = index / per_table;
    }
    return writer->l2 + index % per_table * writer->entry_bytes;
}

int qcow2_disk_begin(struct qcow2_writer *writer, struct qcow2_disk *disk,
                     const struct image_source *source, struct fault *fault) {
    *disk = (struct qcow2_disk){.source = source};
    if (source->overlay != (writer->options->backing != NULL))
        return fault_set(fault, "a snapshot is an overlay exactly if the active disk is one");
    if (rounded_size(writer->options, source->size, &disk->size, fault) < 0)
        return -1;
    disk->l1_size = l1_entries(disk->size, writer->options);
    disk->l1 = calloc((size_t)disk->l1_size + 1, 8);
    return disk->l1 ? 0 : fault_set(fault, "out of memory");
}

static int store_clusters(struct qcow2_writer *writer, struct fault *fault) {
    struct unit_walk walk;
    unit_walk_begin(&walk, writer->disk->source, writer->unit / writer->parts);
    struct unit part;
    struct qcow2_cluster cluster = {0}; // nothing yet: nothing to store
    int more;
    while ((more = unit_walk_next(&walk, &part, fault)) > 0) {
        if (part.index / writer->parts != cluster.index) {
            if (qcow2_store_cluster(writer, &cluster, fault) < 0)
                return -1;
            cluster = (struct qcow2_cluster){.index = part.index / writer->parts};
        }
        qcow2_note_part(&cluster, part.index % writer->parts, part.state);
    }
    return more < 0 ? -1 : qcow2_store_cluster(writer, &cluster, fault);
}

int qcow2_disk_store(struct qcow2_writer *writer, struct qcow2_disk *disk, struct fault *fault) {
    writer->disk = disk;
    if (store_clusters(writer, fault) < 0 || finish_l2(writer, fault) < 0 ||
        qcow2_writer_flush(writer, fault) < 0)
        return -1;
    if (disk->l1_size > 0)
        disk->l1_offset = qcow2_writer_allocate(writer, div_up(disk->l1_size * 8, writer->unit));
    return 0;
}

int qcow2_disk_put_l1(struct qcow2_writer *writer, const struct qcow2_disk *disk,
                      struct fault *fault) {
    return file_pwrite(writer->fd, disk->l1, (size_t)disk->l1_size * 8, disk->l1_offset, fault);
}

// <stem>.data; it is as long as the disk.
static int open_data_file(struct qcow2_writer *writer, struct image_output *output,
                          struct fault *fault) {
    char stem[IMAGE_NAME_ROOM];
    if (writer->options->data_file == QCOW2_DATA_INSIDE)
        return 0;
    image_stem(output->path, stem);
    snprintf(writer->data_name, sizeof writer->data_name, "%s.data", stem);
    writer->data_fd = image_output_beside(output, writer->data_name, fault);
    if (writer->data_fd < 0)
        return -1;
    if (ftruncate(writer->data_fd, (off_t)writer->written->virtual_size) < 0)
        return fault_errno(fault, "cannot set the data file's length");
    return 0;
}

static int write_file(struct qcow2_writer *writer, struct image_output *output,
                      const struct image_source *source, struct fault *fault) {
    qcow2_writer_allocate(writer, 1); // the header's
    // The active L1 table comes last: what a snapshot shares loses its COPIED flag there.
    if (open_data_file(writer, output, fault) < 0 ||
        qcow2_disk_begin(writer, &writer->active, source, fault) < 0 ||
        qcow2_disk_store(writer, &writer->active, fault) < 0 ||
        qcow2_write_snapshots(writer, fault) < 0 ||
        qcow2_disk_put_l1(writer, &writer->active, fault) < 0 ||
        qcow2_write_bitmaps(writer, fault) < 0 || qcow2_writer_close(writer, fault) < 0)
        return -1;
    // Whole clusters, also where the last one was not written to its end.
    if (ftruncate(writer->fd, (off_t)(writer->clusters * writer->unit)) < 0)
        return fault_errno(fault, "cannot set the file's length");
    return 0;
}

int qcow2_write(struct image_output *output, const struct image_options *options,
                const struct image_source *source, struct image_written *written,
                struct fault *fault) {
    if (qcow2_declared_size(options, source->size, &written->virtual_size, fault) < 0)
        return -1;
    struct qcow2_writer writer = {
        .fd = output->fd,
        .data_fd = -1,
        .options = options,
        .written = written,
        .version = options->qcow2_version ? options->qcow2_version : 3,
        .cluster_bits = option_cluster_bits(options),
        .refcount_order = 4,
    };
    if (writer.version == 3 && options->refcount_bits)
        writer.refcount_order = (uint32_t)__builtin_ctz(options->refcount_bits);
    writer.most =
        writer.refcount_order < 5 ? (1u << (1u << writer.refcount_order)) - 1 : UINT32_MAX;
    writer.unit = 1ull << writer.cluster_bits;
    writer.parts = options->extended_l2 ? QCOW2_SUBCLUSTERS : 1;
    writer.entry_bytes = options->extended_l2 ? 16 : 8;
    writer.l2 = malloc((size_t)writer.unit);
    writer.data = malloc((size_t)writer.unit);
    writer.packed = malloc((size_t)writer.unit);
    writer.append = malloc(APPEND_BYTES);
    bool allocated = writer.l2 && writer.data && writer.packed && writer.append;
    int result =
        allocated ? write_file(&writer, output, source, fault) : fault_set(fault, "out of memory");
    if (writer.data_fd >= 0 && close(writer.data_fd) < 0 && result == 0)
        result = fault_errno(fault, "cannot close the data file");
    free(writer.active.l1);
    free(writer.refcounts);
    free(writer.l2);
    free(writer.data);
    free(writer.packed);
    free(writer.append);
    written->unit = (uint32_t)writer.unit;
    return result;
}
