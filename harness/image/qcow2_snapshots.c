// SPDX-License-Identifier: Apache-2.0
//
// qcow2: internal snapshots, for reading. A snapshot is an L1 table of its own; who chooses one
// reads through that table instead of the active one.
#include "image/qcow2.h"

#include "base/bytes.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// QEMU's limits (block/qcow2.h): of all entries, and of one entry's extra data.
#define MAX_TABLE_BYTES (64u << 20)
#define MAX_EXTRA_BYTES 1024u

// Spec "Snapshots": ID and name are not terminated.
static int read_text(struct image *image, uint64_t at, uint16_t length, char *text, size_t room,
                     struct fault *fault) {
    memset(text, 0, room);
    return file_pread(image->fd, text, min_u64(length, room - 1), at, fault);
}

int qcow2_next_snapshot(struct image *image, uint64_t *at, struct qcow2_snapshot *snapshot,
                        struct fault *fault) {
    const struct qcow2_state *state = image->state;
    uint8_t entry[QCOW2_SNAPSHOT_DISK_SIZE_END] = {0};
    uint64_t start = round_up(*at, 8);
    if (file_pread(image->fd, entry, sizeof entry, start, fault) < 0)
        return -1;
    uint32_t extra = get_be32(entry + QCOW2_SNAPSHOT_EXTRA_LENGTH);
    bool has_size = extra >= QCOW2_SNAPSHOT_DISK_SIZE_END - QCOW2_SNAPSHOT_FIXED;
    if (extra > MAX_EXTRA_BYTES)
        return fault_set(fault, "a snapshot with %u bytes of extra data", extra);
    *snapshot = (struct qcow2_snapshot){
        .l1_offset = get_be64(entry + QCOW2_SNAPSHOT_L1_OFFSET),
        .l1_size = get_be32(entry + QCOW2_SNAPSHOT_L1_SIZE),
        .incomplete = state->version >= 3 && !has_size,
        .disk_size = has_size ? get_be64(entry + QCOW2_SNAPSHOT_DISK_SIZE) : state->disk_size,
        .id_length = get_be16(entry + QCOW2_SNAPSHOT_ID_LENGTH),
        .name_length = get_be16(entry + QCOW2_SNAPSHOT_NAME_LENGTH),
    };
    uint64_t id = start + QCOW2_SNAPSHOT_FIXED + extra, name = id + snapshot->id_length;
    *at = name + snapshot->name_length;
    if (!qcow2_within(image, start, *at - start) || *at - state->snapshots_offset > MAX_TABLE_BYTES)
        return fault_set(fault, "the snapshot table is not in the file, or too large");
    if (read_text(image, id, snapshot->id_length, snapshot->id, sizeof snapshot->id, fault) < 0)
        return -1;
    return read_text(image, name, snapshot->name_length, snapshot->name, sizeof snapshot->name,
                     fault);
}

int qcow2_open_snapshots(struct image *image, struct fault *fault) {
    struct qcow2_state *state = image->state;
    struct qcow2_snapshot snapshot;
    uint64_t at = state->snapshots_offset;
    if (state->snapshots == 0)
        return 0;
    if (state->snapshots > QCOW2_MAX_SNAPSHOTS ||
        !qcow2_table_fits(image, at, (uint64_t)state->snapshots * QCOW2_SNAPSHOT_FIXED))
        return fault_set(fault, "the snapshot table (%u entries) is misplaced or too large",
                         state->snapshots);
    for (uint32_t i = 0; i < state->snapshots; i++)
        if (qcow2_next_snapshot(image, &at, &snapshot, fault) < 0)
            return -1;
    state->snapshots_bytes = at - state->snapshots_offset;
    return 0;
}

static bool has_id(const struct qcow2_snapshot *snapshot, const char *text) {
    return strlen(text) == snapshot->id_length && strcmp(snapshot->id, text) == 0;
}

static bool has_name(const struct qcow2_snapshot *snapshot, const char *text) {
    return strlen(text) == snapshot->name_length && strcmp(snapshot->name, text) == 0;
}

static bool find(struct image *image, const char *text,
                 bool (*matches)(const struct qcow2_snapshot *snapshot, const char *text),
                 struct qcow2_snapshot *snapshot) {
    const struct qcow2_state *state = image->state;
    uint64_t at = state->snapshots_offset;
    for (uint32_t i = 0; i < state->snapshots; i++)
        if (qcow2_next_snapshot(image, &at, snapshot, NULL) == 0 && matches(snapshot, text))
            return true;
    return false;
}

int qcow2_choose_snapshot(struct image *image, const char *id_or_name, struct fault *fault) {
    struct qcow2_state *state = image->state;
    struct qcow2_snapshot snapshot;
    uint64_t *l1;
    if (!find(image, id_or_name, has_id, &snapshot) &&
        !find(image, id_or_name, has_name, &snapshot))
        return fault_set(fault, "there is no snapshot '%.100s'", id_or_name);
    uint64_t l1_bytes = (uint64_t)snapshot.l1_size * 8;
    if (l1_bytes > QCOW2_MAX_L1_BYTES || !qcow2_table_fits(image, snapshot.l1_offset, l1_bytes))
        return fault_set(fault, "the snapshot's L1 table is misplaced or too large");
    if (snapshot.disk_size > INT64_MAX ||
        div_up(snapshot.disk_size, 1ull << (state->cluster_bits + state->l2_bits)) >
            snapshot.l1_size)
        return fault_set(fault, "the snapshot's L1 table is too small for its disk");
    if (qcow2_load_table(image, snapshot.l1_offset, snapshot.l1_size, &l1, fault) < 0) {
        free(l1);
        return -1;
    }
    free(state->l1);
    state->l1 = l1;
    image->virtual_size = snapshot.disk_size;
    return 0;
}
