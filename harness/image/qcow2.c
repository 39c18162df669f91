// SPDX-License-Identifier: Apache-2.0
//
// qcow2: the header. Opening believes nothing: every field is held against the format's limits and
// the file's size before memory is spent on it.
#include "image/qcow2.h"

#include "base/bytes.h"
#include "base/file.h"
#include "image/drivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool qcow2_probe(const uint8_t *head, size_t head_length, const uint8_t *tail,
                        size_t tail_length) {
    (void)tail, (void)tail_length;
    return head_length >= 4 && get_be32(head) == QCOW2_MAGIC;
}

static int parse_version_3(struct qcow2_state *state, const uint8_t *header, struct fault *fault) {
    state->incompatible = get_be64(header + QCOW2_AT_INCOMPATIBLE);
    state->compatible = get_be64(header + QCOW2_AT_COMPATIBLE);
    state->autoclear = get_be64(header + QCOW2_AT_AUTOCLEAR);
    state->refcount_order = get_be32(header + QCOW2_AT_REFCOUNT_ORDER);
    state->header_length = get_be32(header + QCOW2_AT_HEADER_LENGTH);
    if (state->header_length < QCOW2_V3_HEADER || state->header_length % 8 != 0 ||
        state->header_length > 1u << state->cluster_bits)
        return fault_set(fault, "the header length %u is invalid", state->header_length);
    if (state->refcount_order > 6)
        return fault_set(fault, "refcounts of 2^%u bits", state->refcount_order);
    if (state->incompatible & ~(uint64_t)QCOW2_INCOMPAT_KNOWN)
        return fault_set(
            fault, "unknown incompatible features %#llx",
            (unsigned long long)(state->incompatible & ~(uint64_t)QCOW2_INCOMPAT_KNOWN));
    if (state->header_length > QCOW2_AT_COMPRESSION)
        state->compression_type = header[QCOW2_AT_COMPRESSION];
    bool flagged = state->incompatible & QCOW2_INCOMPAT_COMPRESSION;
    if (flagged != (state->compression_type != 0))
        return fault_set(fault, "compression type %u contradicts its feature bit",
                         state->compression_type);
    if (state->compression_type > QCOW2_ZSTD)
        return fault_set(fault, "compression type %u is unknown", state->compression_type);
    if (qcow2_is_extended(state) && state->cluster_bits < QCOW2_MIN_EXTENDED_BITS)
        return fault_set(fault, "extended L2 entries with clusters of %u bytes",
                         1u << state->cluster_bits);
    return 0;
}

static int parse_header(struct image *image, const uint8_t *header, struct fault *fault) {
    struct qcow2_state *state = image->state;
    if (image->file_size < QCOW2_V2_HEADER || get_be32(header) != QCOW2_MAGIC)
        return fault_set(fault, "not a qcow2 image");
    state->version = get_be32(header + QCOW2_AT_VERSION);
    if (state->version != 2 && state->version != 3)
        return fault_set(fault, "qcow2 version %u", state->version);
    state->cluster_bits = get_be32(header + QCOW2_AT_CLUSTER_BITS);
    if (state->cluster_bits < QCOW2_MIN_CLUSTER_BITS ||
        state->cluster_bits > QCOW2_MAX_CLUSTER_BITS)
        return fault_set(fault, "clusters of 2^%u bytes", state->cluster_bits);
    image->virtual_size = get_be64(header + QCOW2_AT_SIZE);
    image->unit = 1u << state->cluster_bits;
    image->has_backing = get_be64(header + QCOW2_AT_BACKING_OFFSET) != 0 &&
                         get_be32(header + QCOW2_AT_BACKING_SIZE) != 0;
    state->crypt_method = get_be32(header + QCOW2_AT_CRYPT_METHOD);
    state->l1_size = get_be32(header + QCOW2_AT_L1_SIZE);
    state->l1_offset = get_be64(header + QCOW2_AT_L1_OFFSET);
    state->reftable_offset = get_be64(header + QCOW2_AT_REFTABLE_OFFSET);
    state->reftable_clusters = get_be32(header + QCOW2_AT_REFTABLE_CLUSTERS);
    state->disk_size = image->virtual_size;
    state->snapshots = get_be32(header + QCOW2_AT_SNAPSHOTS);
    state->snapshots_offset = get_be64(header + QCOW2_AT_SNAPSHOTS_OFFSET);
    state->refcount_order = 4; // version 2 has no choice
    state->header_length = QCOW2_V2_HEADER;
    if (state->version == 3 && parse_version_3(state, header, fault) < 0)
        return -1;
    state->l2_bits = state->cluster_bits - (qcow2_is_extended(state) ? 4 : 3);
    return 0;
}

static int read_backing_name(struct image *image, const uint8_t *header, struct fault *fault) {
    struct qcow2_state *state = image->state;
    uint64_t at = get_be64(header + QCOW2_AT_BACKING_OFFSET);
    uint32_t length = get_be32(header + QCOW2_AT_BACKING_SIZE);
    if (!image->has_backing)
        return 0;
    if (length >= sizeof state->backing_name || at > image->unit || length > image->unit - at)
        return fault_set(fault, "the backing file's name is misplaced");
    return file_pread(image->fd, state->backing_name, length, at, fault);
}

// A text of a header extension; one that does not fit is left empty.
static int read_text(const struct image *image, uint64_t at, uint32_t length, char *text,
                     size_t room, struct fault *fault) {
    return length < room ? file_pread(image->fd, text, length, at, fault) : 0;
}

static int read_extension(struct image *image, uint32_t type, uint64_t at, uint32_t length,
                          struct fault *fault) {
    struct qcow2_state *state = image->state;
    uint8_t bitmaps[QCOW2_BITMAPS_EXTENSION];
    switch (type) {
    case QCOW2_EXTENSION_BACKING_FORMAT:
        return read_text(image, at, length, state->backing_format, sizeof state->backing_format,
                         fault);
    case QCOW2_EXTENSION_DATA_FILE:
        return read_text(image, at, length, state->data_file, sizeof state->data_file, fault);
    case QCOW2_EXTENSION_BITMAPS:
        return file_pread(image->fd, bitmaps, sizeof bitmaps, at, fault) < 0
                   ? -1
                   : qcow2_parse_bitmaps(image, bitmaps, length, fault);
    default:
        return 0; // passed over, as the specification has it
    }
}

// Spec "Header extensions": behind the header, up to an end mark or the first cluster's end.
static int read_extensions(struct image *image, struct fault *fault) {
    struct qcow2_state *state = image->state;
    uint8_t head[8];
    uint64_t at = state->header_length, length;
    for (; at + sizeof head <= image->unit; at += sizeof head + round_up(length, 8)) {
        if (file_pread(image->fd, head, sizeof head, at, fault) < 0)
            return -1;
        uint32_t type = get_be32(head);
        length = get_be32(head + 4);
        if (type == 0)
            return 0;
        if (length > image->unit - at - sizeof head)
            return fault_set(fault, "a header extension is longer than the first cluster");
        if (read_extension(image, type, at + sizeof head, (uint32_t)length, fault) < 0)
            return -1;
    }
    return 0;
}

// Spec "Header", incompatible feature bit 2, and the extension that names the file.
static int open_data_file(struct image *image, struct fault *fault) {
    struct qcow2_state *state = image->state;
    uint64_t size;
    if (!qcow2_has_data_file(state)) {
        state->data_file[0] = 0; // the name of no file that counts
        return 0;
    }
    if (!state->data_file[0])
        return fault_set(fault, "the data file has no name");
    int fd = image_open_beside(image, state->data_file, &size, fault);
    if (fd < 0)
        return -1;
    state->data_fd = fd;
    return 0;
}

bool qcow2_within(const struct image *image, uint64_t offset, uint64_t length) {
    uint64_t end, there = round_up(image->file_size, QCOW2_SECTOR);
    return !__builtin_add_overflow(offset, length, &end) &&
           (end <= there || end - there < image->unit);
}

bool qcow2_table_fits(const struct image *image, uint64_t offset, uint64_t length) {
    return offset % image->unit == 0 && qcow2_within(image, offset, length);
}

static int check_tables(struct image *image, struct fault *fault) {
    struct qcow2_state *state = image->state;
    uint64_t l1_bytes = (uint64_t)state->l1_size * 8;
    uint32_t l1_shift = state->cluster_bits + state->l2_bits; // at most 39
    if (image->virtual_size > INT64_MAX)
        return fault_set(fault, "the virtual size is too large");
    if (l1_bytes > QCOW2_MAX_L1_BYTES)
        return fault_set(fault, "the L1 table is too large (%u entries)", state->l1_size);
    if (div_up(image->virtual_size, 1ull << l1_shift) > state->l1_size)
        return fault_set(fault, "the L1 table (%u entries) is too small for the virtual size",
                         state->l1_size);
    if (state->l1_size > 0 && !qcow2_table_fits(image, state->l1_offset, l1_bytes))
        return fault_set(fault, "the L1 table is misaligned or not in the file");
    uint64_t reftable_bytes = (uint64_t)state->reftable_clusters << state->cluster_bits;
    if (reftable_bytes == 0 || reftable_bytes > QCOW2_MAX_REFTABLE_BYTES ||
        !qcow2_table_fits(image, state->reftable_offset, reftable_bytes))
        return fault_set(fault, "the refcount table is misplaced or has an invalid size");
    return 0;
}

// Features that are recognised but not followed: the header may be shown, the rest is refused.
static void note_unreadable(struct qcow2_state *state) {
    if (state->crypt_method != 0)
        state->unreadable = state->uncheckable = "the image is encrypted";
    else if (state->compression_type > 1)
        state->unreadable = "the compression type is unknown";
}

int qcow2_load_table(struct image *image, uint64_t offset, uint32_t entries, uint64_t **table,
                     struct fault *fault) {
    *table = malloc((size_t)entries * 8 + 1);
    if (!*table)
        return fault_set(fault, "out of memory");
    if (file_pread(image->fd, *table, (size_t)entries * 8, offset, fault) < 0)
        return -1;
    for (uint32_t i = 0; i < entries; i++)
        (*table)[i] = get_be64(&(*table)[i]);
    return 0;
}

static void qcow2_close(struct image *image) {
    struct qcow2_state *state = image->state;
    if (state->data_fd != image->fd)
        close(state->data_fd);
    free(state->l1);
    free(state->l2);
    free(state->plain);
    free(state->packed);
    free(state);
    image->state = NULL;
}

static int qcow2_open(struct image *image, struct fault *fault) {
    uint8_t header[QCOW2_LONGEST_HEADER];
    if (file_pread(image->fd, header, sizeof header, 0, fault) < 0)
        return -1;
    struct qcow2_state *state = calloc(1, sizeof *state);
    if (!state)
        return fault_set(fault, "out of memory");
    image->state = state;
    state->data_fd = image->fd;
    if (parse_header(image, header, fault) < 0 || read_backing_name(image, header, fault) < 0 ||
        read_extensions(image, fault) < 0 || check_tables(image, fault) < 0 ||
        open_data_file(image, fault) < 0 || qcow2_open_snapshots(image, fault) < 0 ||
        qcow2_open_bitmaps(image, fault) < 0 ||
        qcow2_load_table(image, state->l1_offset, state->l1_size, &state->l1, fault) < 0) {
        qcow2_close(image);
        return -1;
    }
    note_unreadable(state);
    return 0;
}

static void qcow2_info(struct image *image, struct image_info *info) {
    const struct qcow2_state *state = image->state;
    *info = (struct image_info){
        .virtual_size = image->virtual_size,
        .cluster_size = image->unit,
        .qcow2_version = state->version,
        .qcow2_header_length = state->header_length,
        .refcount_bits = 1u << state->refcount_order,
        .lazy_refcounts = state->compatible & QCOW2_COMPAT_LAZY,
        .corrupt = state->incompatible & QCOW2_INCOMPAT_CORRUPT,
        .dirty = state->incompatible & QCOW2_INCOMPAT_DIRTY,
        .extended_l2 = qcow2_is_extended(state),
        .compression_type = state->compression_type,
        .has_backing = image->has_backing,
        .data_file_raw =
            qcow2_has_data_file(state) && (state->autoclear & QCOW2_AUTOCLEAR_DATA_RAW),
        .snapshots = state->snapshots,
        .bitmaps = state->bitmaps,
    };
    snprintf(info->data_file, sizeof info->data_file, "%s", state->data_file);
    snprintf(info->backing_name, sizeof info->backing_name, "%s", state->backing_name);
    snprintf(info->backing_format, sizeof info->backing_format, "%s", state->backing_format);
}

const struct image_driver qcow2_driver = {
    .format = IMAGE_QCOW2,
    .name = "qcow2",
    .probe = qcow2_probe,
    .open = qcow2_open,
    .close = qcow2_close,
    .extent = qcow2_extent,
    .read = qcow2_read,
    .check = qcow2_check,
    .info = qcow2_info,
    .write = qcow2_write,
    .declared_size = qcow2_declared_size,
    .snapshot = qcow2_choose_snapshot,
    .bitmap = qcow2_bitmap_at,
};
