// SPDX-License-Identifier: Apache-2.0
//
// qcow2: from a guest offset to what is there. Everything goes through find_piece(), which follows
// L1 and L2 once and holds what it finds against the file's size.
#include "image/qcow2.h"

#include "base/bytes.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

// The run of guest bytes that one table entry (or a series of missing tables) describes.
struct piece {
    uint64_t length; // from the offset asked for
    enum image_state state;
    uint64_t entry; // the L2 entry
    uint64_t host;  // DATA: file offset of the first byte
};

void qcow2_compressed_place(uint64_t entry, uint32_t cluster_bits, uint64_t *offset,
                            uint64_t *length) {
    // Spec "Compressed Clusters Descriptor": x = 62 - (cluster_bits - 8); bits 0 to x-1 are the
    // host offset, x to 61 the number of additional 512-byte sectors.
    uint32_t x = 62 - (cluster_bits - 8);
    *offset = entry & ((1ull << x) - 1);
    uint64_t more = (entry & (QCOW2_COMPRESSED - 1)) >> x;
    *length = (more + 1) * QCOW2_SECTOR - *offset % QCOW2_SECTOR;
}

const uint8_t *qcow2_load_l2(struct image *image, uint64_t file_offset, struct fault *fault) {
    struct qcow2_state *state = image->state;
    if (state->l2_at == file_offset && file_offset != 0)
        return state->l2;
    if (file_offset % image->unit != 0 || file_offset >= image->file_size) {
        fault_set(fault, "an L2 table at %#llx is misaligned or behind the file's end",
                  (unsigned long long)file_offset);
        return NULL;
    }
    if (!state->l2 && !(state->l2 = malloc(image->unit))) {
        fault_set(fault, "out of memory");
        return NULL;
    }
    state->l2_at = 0;
    if (file_pread(image->fd, state->l2, image->unit, file_offset, fault) < 0)
        return NULL;
    state->l2_at = file_offset;
    return state->l2;
}

// Without a table: all bytes up to the next table, or to the disk's end.
static void find_missing(const struct image *image, uint64_t offset, struct piece *piece) {
    const struct qcow2_state *state = image->state;
    uint32_t l1_shift = state->cluster_bits + state->l2_bits;
    uint64_t i = offset >> l1_shift;
    uint64_t end = div_up(image->virtual_size, 1ull << l1_shift);
    do {
        i++;
    } while (i < end && (state->l1[i] & QCOW2_OFFSET_MASK) == 0);
    piece->state = IMAGE_HOLE;
    piece->length = (i == end ? image->virtual_size : i << l1_shift) - offset;
}

static int bad_entry(const struct piece *piece, const char *what, struct fault *fault) {
    return fault_set(fault, "L2 entry %#llx: %s", (unsigned long long)piece->entry, what);
}

// Spec "Standard Cluster Descriptor" and "Extended L2 Entries". `bitmap` is the second half of an
// extended entry, `subcluster` the one asked about.
static int classify(const struct image *image, struct piece *piece, uint64_t bitmap,
                    uint32_t subcluster, struct fault *fault) {
    const struct qcow2_state *state = image->state;
    bool extended = qcow2_is_extended(state);
    if (piece->entry & QCOW2_COMPRESSED) {
        piece->state = IMAGE_COMPRESSED;
        if (qcow2_has_data_file(state))
            return bad_entry(piece, "compressed, with a data file", fault);
        return extended && bitmap ? bad_entry(piece, "compressed with a bitmap", fault) : 0;
    }
    uint64_t host = piece->entry & QCOW2_OFFSET_MASK;
    bool zero = extended ? bitmap >> (QCOW2_SUBCLUSTERS + subcluster) & 1
                         : (piece->entry & QCOW2_ZERO) != 0;
    // Offset 0 is a place in a data file; COPIED, which is always set there, tells it from none.
    bool placed = host != 0 || (qcow2_has_data_file(state) && (piece->entry & QCOW2_COPIED) &&
                                !(piece->entry & QCOW2_ZERO));
    bool stored = extended ? bitmap >> subcluster & 1 : placed;
    if (host % image->unit != 0)
        return bad_entry(piece, "misaligned cluster", fault);
    if ((piece->entry & QCOW2_ZERO) && (extended || state->version < 3))
        return bad_entry(piece, "a zero flag where there is none", fault);
    if (extended && ((zero && stored) || (stored && !placed)))
        return bad_entry(piece, "contradictory subcluster", fault);
    piece->host = host;
    if (zero)
        piece->state = placed ? IMAGE_ZERO_ALLOCATED : IMAGE_ZERO;
    else
        piece->state = stored ? IMAGE_DATA : IMAGE_HOLE;
    // A data file may be short: what it has not got reads as zero.
    if (piece->state == IMAGE_DATA && !qcow2_has_data_file(state) && host >= image->file_size)
        return bad_entry(piece, "a cluster behind the file's end", fault);
    return 0;
}

static int find_piece(struct image *image, uint64_t offset, struct piece *piece,
                      struct fault *fault) {
    struct qcow2_state *state = image->state;
    *piece = (struct piece){0};
    uint64_t at = state->l1[offset >> (state->cluster_bits + state->l2_bits)] & QCOW2_OFFSET_MASK;
    if (at == 0) {
        find_missing(image, offset, piece);
        return 0;
    }
    const uint8_t *table = qcow2_load_l2(image, at, fault);
    if (!table)
        return -1;
    uint64_t index = (offset >> state->cluster_bits) & ((1ull << state->l2_bits) - 1);
    const uint8_t *entry = table + index * qcow2_entry_bytes(state);
    piece->entry = get_be64(entry);
    uint32_t part = image->unit; // what one state covers
    uint64_t bitmap = 0;
    if (qcow2_is_extended(state)) {
        bitmap = get_be64(entry + 8);
        part /= QCOW2_SUBCLUSTERS;
    }
    uint64_t inside = offset % image->unit;
    if (classify(image, piece, bitmap, (uint32_t)(inside / part), fault) < 0)
        return -1;
    // Spec "Header", incompatible bit 2: guest offset and offset in the data file are the same.
    if (qcow2_has_data_file(state) && piece->state == IMAGE_DATA && piece->host != offset - inside)
        return bad_entry(piece, "a cluster of the data file away from its guest offset", fault);
    piece->host += inside;
    piece->length = min_u64(part - inside % part, image->virtual_size - offset);
    return 0;
}

int qcow2_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                 struct fault *fault) {
    const struct qcow2_state *state = image->state;
    if (state->unreadable)
        return fault_set(fault, "%s", state->unreadable);
    struct piece piece;
    if (find_piece(image, offset, &piece, fault) < 0)
        return -1;
    *extent = (struct image_extent){.offset = offset, .state = piece.state};
    do {
        extent->length += piece.length;
        if (offset + extent->length >= image->virtual_size)
            return 0;
        // A damaged entry ends the run here; whoever goes on to it is told.
    } while (find_piece(image, offset + extent->length, &piece, NULL) == 0 &&
             piece.state == extent->state);
    return 0;
}

static bool inflate_cluster(struct image *image, size_t length) {
    struct qcow2_state *state = image->state;
    if (state->compression_type == QCOW2_ZSTD)
        return image_unzstd(state->plain, image->unit, state->packed, length) == image->unit;
    return image_inflate(state->plain, image->unit, state->packed, length, true) == image->unit;
}

// Decompresses the cluster of an L2 entry into state->plain, unless it is there already.
static int load_compressed(struct image *image, uint64_t entry, struct fault *fault) {
    struct qcow2_state *state = image->state;
    if (state->plain_of == entry)
        return 0;
    if (!state->plain) {
        state->plain = malloc(image->unit);
        state->packed = malloc((size_t)image->unit * 2);
        if (!state->plain || !state->packed)
            return fault_set(fault, "out of memory");
    }
    uint64_t offset, length;
    qcow2_compressed_place(entry, state->cluster_bits, &offset, &length);
    if (offset >= image->file_size)
        return fault_set(fault, "a compressed cluster at %#llx is behind the file's end",
                         (unsigned long long)offset);
    state->plain_of = 0;
    if (file_pread(image->fd, state->packed, (size_t)length, offset, fault) < 0)
        return -1;
    if (!inflate_cluster(image, (size_t)length))
        return fault_set(fault, "the compressed cluster at %#llx is damaged",
                         (unsigned long long)offset);
    state->plain_of = entry;
    return 0;
}

// One request for clusters that follow each other in the file too.
static uint64_t contiguous(struct image *image, uint64_t offset, const struct piece *first,
                           uint64_t length) {
    uint64_t run = first->length;
    struct piece next;
    while (run < length && find_piece(image, offset + run, &next, NULL) == 0 &&
           next.state == IMAGE_DATA && next.host == first->host + run)
        run += next.length;
    return min_u64(run, length);
}

int qcow2_read(struct image *image, uint64_t offset, void *buffer, size_t length,
               struct fault *fault) {
    struct qcow2_state *state = image->state;
    if (state->unreadable)
        return fault_set(fault, "%s", state->unreadable);
    uint8_t *to = buffer;
    while (length > 0) {
        struct piece piece;
        if (find_piece(image, offset, &piece, fault) < 0)
            return -1;
        size_t take = (size_t)min_u64(piece.length, length);
        if (piece.state == IMAGE_DATA) {
            take = (size_t)contiguous(image, offset, &piece, length);
            if (file_pread(state->data_fd, to, take, piece.host, fault) < 0)
                return -1;
        } else if (piece.state == IMAGE_COMPRESSED) {
            if (load_compressed(image, piece.entry, fault) < 0)
                return -1;
            memcpy(to, state->plain + offset % image->unit, take);
        } else {
            memset(to, 0, take);
        }
        to += take;
        offset += take;
        length -= take;
    }
    return 0;
}
