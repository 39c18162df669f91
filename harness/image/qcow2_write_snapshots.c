// SPDX-License-Identifier: Apache-2.0
//
// qcow2: the writer of internal snapshots. Each gets an L1 table of its own; clusters that the
// active disk holds in the same form with the same bytes are referred to once more instead of
// stored again, and so are whole L2 tables, as in a file whose snapshots were taken by a tool. Only
// the active disk is looked at, and only at the same guest cluster. Sharing takes the COPIED flag
// from the active disk's entry (spec "L1 table entry", "Standard Cluster Descriptor").
#include "image/qcow2_writer.h"

#include "base/bytes.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

#define SNAPSHOT_DATE 0x60000000u // seconds since 1970; the same in every file

static int write_entry(struct qcow2_writer *writer, uint64_t at, uint64_t entry,
                       struct fault *fault) {
    uint8_t bytes[8];
    put_be64(bytes, entry);
    return file_pwrite(writer->fd, bytes, sizeof bytes, at, fault);
}

struct active_entry {
    uint64_t file_offset, value, bitmap; // file_offset 0: there is none
};

// The active disk's L2 entry of a guest cluster. All of that disk is in the file already.
static int find_entry(struct qcow2_writer *writer, uint64_t index, struct active_entry *entry,
                      struct fault *fault) {
    uint64_t per_table = writer->unit / writer->entry_bytes;
    uint8_t bytes[16] = {0};
    *entry = (struct active_entry){0};
    if (writer->disk == &writer->active || index / per_table >= writer->active.l1_size)
        return 0;
    uint64_t table = get_be64(writer->active.l1 + index / per_table * 8) & QCOW2_OFFSET_MASK;
    if (table == 0)
        return 0;
    entry->file_offset = table + index % per_table * writer->entry_bytes;
    if (file_pread(writer->fd, bytes, writer->entry_bytes, entry->file_offset, fault) < 0)
        return -1;
    entry->value = get_be64(bytes);
    entry->bitmap = get_be64(bytes + 8);
    return 0;
}

// One reference more to the host clusters of [at, at + length), if all of them can count it.
static bool refer_again(struct qcow2_writer *writer, uint64_t at, uint64_t length) {
    uint64_t first = at / writer->unit, last = (at + length - 1) / writer->unit;
    for (uint64_t i = first; i <= last; i++)
        if (writer->refcounts[i] >= writer->most)
            return false;
    for (uint64_t i = first; i <= last; i++)
        writer->refcounts[i]++;
    return true;
}

static bool same_parts(const struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                       const uint8_t *theirs) {
    size_t length = (size_t)writer->unit / writer->parts;
    for (uint32_t i = 0; i < writer->parts; i++)
        if (image_state_is_stored(cluster->parts[i]) &&
            memcmp(writer->data + i * length, theirs + i * length, length) != 0)
            return false;
    return true;
}

int qcow2_share_standard(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                         uint64_t flags, uint64_t bitmap, uint64_t *at, struct fault *fault) {
    struct active_entry entry;
    if (find_entry(writer, cluster->index, &entry, fault) < 0)
        return -1;
    *at = entry.value & QCOW2_OFFSET_MASK;
    if (entry.file_offset == 0 || *at == 0 || (entry.value & QCOW2_COMPRESSED) ||
        (entry.value & QCOW2_ZERO) != flags || (writer->parts > 1 && entry.bitmap != bitmap))
        return 0;
    if (file_pread(writer->fd, writer->packed, (size_t)writer->unit, *at, fault) < 0)
        return -1;
    if (!same_parts(writer, cluster, writer->packed) || !refer_again(writer, *at, writer->unit))
        return 0;
    return write_entry(writer, entry.file_offset, entry.value & ~QCOW2_COPIED, fault) < 0 ? -1 : 1;
}

int qcow2_share_packed(struct qcow2_writer *writer, const struct qcow2_cluster *cluster,
                       size_t length, uint64_t *at, struct fault *fault) {
    struct active_entry entry;
    uint64_t room;
    if (find_entry(writer, cluster->index, &entry, fault) < 0)
        return -1;
    if (!(entry.value & QCOW2_COMPRESSED))
        return 0;
    qcow2_compressed_place(entry.value, writer->cluster_bits, at, &room);
    if (qcow2_packed_entry(writer, *at, length) != entry.value)
        return 0;
    uint8_t *theirs = malloc(length);
    if (!theirs)
        return fault_set(fault, "out of memory");
    int result = file_pread(writer->fd, theirs, length, *at, fault);
    if (result == 0)
        result = memcmp(theirs, writer->packed, length) == 0 && refer_again(writer, *at, length);
    free(theirs);
    return result;
}

// The active disk's entries of a table without their COPIED flags, which a snapshot's never have.
static void clear_copied(const struct qcow2_writer *writer, uint8_t *table) {
    for (size_t i = 0; i < writer->unit; i += writer->entry_bytes)
        put_be64(table + i, get_be64(table + i) & ~QCOW2_COPIED);
}

int qcow2_share_table(struct qcow2_writer *writer, uint64_t *at, struct fault *fault) {
    // What was allocated behind the table belongs to an entry that the active disk has not.
    if (writer->disk == &writer->active || writer->l2_index >= writer->active.l1_size ||
        writer->l2_at / writer->unit + 1 != writer->clusters)
        return 0;
    uint8_t *entry = writer->active.l1 + writer->l2_index * 8;
    *at = get_be64(entry) & QCOW2_OFFSET_MASK;
    if (*at == 0)
        return 0;
    if (file_pread(writer->fd, writer->packed, (size_t)writer->unit, *at, fault) < 0)
        return -1;
    clear_copied(writer, writer->packed);
    if (memcmp(writer->packed, writer->l2, (size_t)writer->unit) != 0 ||
        !refer_again(writer, *at, writer->unit))
        return 0;
    put_be64(entry, *at);
    writer->clusters--; // the table that was begun
    return 1;
}

// --- the snapshot table --------------------------------------------------------------------------

static size_t entry_length(const struct image_snapshot *snapshot) {
    return QCOW2_SNAPSHOT_EXTRA_END + strlen(snapshot->id) + strlen(snapshot->name);
}

// Spec "Snapshots". The extra data are as qemu-img writes them, for either version: the size of the
// machine's state (none), of the disk, and an instruction count (0 where no machine ran).
static void fill_entry(const struct image_snapshot *snapshot, const struct qcow2_disk *disk,
                       uint8_t *entry) {
    size_t id = strlen(snapshot->id);
    put_be64(entry + QCOW2_SNAPSHOT_L1_OFFSET, disk->l1_offset);
    put_be32(entry + QCOW2_SNAPSHOT_L1_SIZE, (uint32_t)disk->l1_size);
    put_be16(entry + QCOW2_SNAPSHOT_ID_LENGTH, (uint16_t)id);
    put_be16(entry + QCOW2_SNAPSHOT_NAME_LENGTH, (uint16_t)strlen(snapshot->name));
    put_be32(entry + QCOW2_SNAPSHOT_DATE, SNAPSHOT_DATE);
    put_be32(entry + QCOW2_SNAPSHOT_EXTRA_LENGTH, QCOW2_SNAPSHOT_EXTRA_END - QCOW2_SNAPSHOT_FIXED);
    put_be64(entry + QCOW2_SNAPSHOT_DISK_SIZE, disk->size);
    memcpy(entry + QCOW2_SNAPSHOT_EXTRA_END, snapshot->id, id);
    memcpy(entry + QCOW2_SNAPSHOT_EXTRA_END + id, snapshot->name, strlen(snapshot->name));
}

static int write_snapshot(struct qcow2_writer *writer, const struct image_snapshot *snapshot,
                          uint8_t *entry, struct fault *fault) {
    struct qcow2_disk disk = {0};
    int result = qcow2_disk_begin(writer, &disk, &snapshot->source, fault);
    if (result == 0)
        result = qcow2_disk_store(writer, &disk, fault);
    if (result == 0)
        result = qcow2_disk_put_l1(writer, &disk, fault);
    fill_entry(snapshot, &disk, entry);
    free(disk.l1);
    return result;
}

int qcow2_write_snapshots(struct qcow2_writer *writer, struct fault *fault) {
    const struct image_options *options = writer->options;
    size_t length = 0, at = 0;
    if (options->snapshot_count == 0)
        return 0;
    for (size_t i = 0; i < options->snapshot_count; i++)
        length += round_up(entry_length(&options->snapshots[i]), 8);
    uint8_t *table = calloc(1, length);
    if (!table)
        return fault_set(fault, "out of memory");
    int result = 0;
    for (size_t i = 0; result == 0 && i < options->snapshot_count; i++) {
        result = write_snapshot(writer, &options->snapshots[i], table + at, fault);
        at += round_up(entry_length(&options->snapshots[i]), 8);
    }
    writer->disk = &writer->active;
    writer->snapshots_at = qcow2_writer_allocate(writer, div_up(length, writer->unit));
    if (result == 0)
        result = file_pwrite(writer->fd, table, length, writer->snapshots_at, fault);
    free(table);
    return result;
}
