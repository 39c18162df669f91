// SPDX-License-Identifier: Apache-2.0
//
// qcow2: the writer. One pass over the source; the file grows without gaps in the order header,
// then per L1 entry its L2 table followed by its clusters, then L1 table, refcount table and
// refcount blocks. Every cluster of the finished file is in use, so its refcount is 1, except for
// host clusters that several compressed clusters share: only those are remembered.
//
// With extended L2 entries a cluster is 32 parts (subclusters), each with a state of its own;
// without, it is one part.
#include "image/qcow2_writer.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "image/unit_walk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPEND_BYTES (256u << 10) // collected before they are written
#define STALE_BYTE   0xa5

static uint32_t option_cluster_bits(const struct image_options *options) {
    return options->cluster_bits ? options->cluster_bits : 16;
}

// Entries of the L1 table for a guest of `size` bytes (a multiple of 512).
static uint64_t l1_entries(uint64_t size, const struct image_options *options) {
    return div_up(size,
                  1ull << (2 * option_cluster_bits(options) - (options->extended_l2 ? 4 : 3)));
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
    return 0;
}

int qcow2_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                        struct fault *fault) {
    *declared = 0;
    if (check_options(options, fault) < 0)
        return -1;
    if (size > INT64_MAX - QCOW2_SECTOR)
        return fault_set(fault, "qcow2 cannot hold %llu bytes", (unsigned long long)size);
    uint64_t rounded = round_up(size, QCOW2_SECTOR);
    if (l1_entries(rounded, options) > QCOW2_MAX_L1_BYTES / 8)
        return fault_set(fault, "the L1 table for %llu bytes would exceed 32 MiB",
                         (unsigned long long)size);
    *declared = rounded;
    return 0;
}

int qcow2_writer_flush(struct qcow2_writer *writer, struct fault *fault) {
    size_t length = writer->append_length;
    writer->append_length = 0;
    return image_pwrite(writer->fd, writer->append, length, writer->append_at, fault);
}

int qcow2_writer_put(struct qcow2_writer *writer, uint64_t at, const uint8_t *bytes, size_t length,
                     struct fault *fault) {
    if ((at != writer->append_at + writer->append_length ||
         length > APPEND_BYTES - writer->append_length) &&
        qcow2_writer_flush(writer, fault) < 0)
        return -1;
    if (length > APPEND_BYTES)
        return image_pwrite(writer->fd, bytes, length, at, fault);
    if (writer->append_length == 0)
        writer->append_at = at;
    memcpy(writer->append + writer->append_length, bytes, length);
    writer->append_length += length;
    return 0;
}

uint64_t qcow2_writer_allocate(struct qcow2_writer *writer, uint64_t count) {
    uint64_t at = writer->clusters * writer->unit;
    writer->clusters += count;
    return at;
}

static int finish_l2(struct qcow2_writer *writer, struct fault *fault) {
    if (writer->l2_at == 0)
        return 0;
    uint64_t at = writer->l2_at;
    writer->l2_at = 0;
    return image_pwrite(writer->fd, writer->l2, (size_t)writer->unit, at, fault);
}

// The L2 entry of guest cluster `index`, in a table that is begun where needed.
static uint8_t *l2_entry(struct qcow2_writer *writer, uint64_t index, struct fault *fault) {
    uint64_t per_table = writer->unit / writer->entry_bytes;
    if (writer->l2_at == 0 || writer->l2_index != index / per_table) {
        if (finish_l2(writer, fault) < 0)
            return NULL;
        memset(writer->l2, 0, (size_t)writer->unit);
        writer->l2_at = qcow2_writer_allocate(writer, 1);
        writer->l2_index = index / per_table;
        put_be64(writer->l1 + writer->l2_index * 8, writer->l2_at | QCOW2_COPIED);
    }
    return writer->l2 + index % per_table * writer->entry_bytes;
}

static void remember_shared(struct qcow2_writer *writer, uint64_t cluster, uint64_t refcount) {
    if (refcount < 2)
        return;
    struct shared_cluster *last =
        writer->shared_count ? &writer->shared[writer->shared_count - 1] : NULL;
    if (last && last->cluster == cluster) {
        last->refcount = refcount;
        return;
    }
    if (writer->shared_count == writer->shared_capacity) {
        writer->shared_capacity = writer->shared_capacity ? writer->shared_capacity * 2 : 64;
        writer->shared =
            must_realloc(writer->shared, writer->shared_capacity * sizeof *writer->shared);
    }
    writer->shared[writer->shared_count++] =
        (struct shared_cluster){.cluster = cluster, .refcount = refcount};
}

// Finds room for `length` compressed bytes: behind the last ones if their host cluster can count
// one more reference and holds them, or if what follows it is still free; else a new cluster.
static uint64_t place_packed(struct qcow2_writer *writer, uint64_t length) {
    uint32_t width = 1u << writer->refcount_order;
    uint64_t most = width == 64 ? UINT64_MAX : (1ull << width) - 1;
    uint64_t inside = writer->packed_at % writer->unit;
    bool usable = writer->packed_at != 0 && inside != 0 && writer->packed_refs < most;
    bool fits = usable && length <= writer->unit - inside;
    bool at_end = usable && writer->packed_at / writer->unit + 1 == writer->clusters;
    uint64_t at;
    if (fits || at_end) {
        at = writer->packed_at;
        remember_shared(writer, at / writer->unit, ++writer->packed_refs);
        if (!fits) {
            qcow2_writer_allocate(writer, 1);
            writer->packed_refs = 1;
        }
    } else {
        at = qcow2_writer_allocate(writer, 1);
        writer->packed_refs = 1;
    }
    writer->packed_at = at + length;
    return at;
}

// Spec "Compressed Clusters Descriptor".
static uint64_t packed_entry(const struct qcow2_writer *writer, uint64_t at, uint64_t length) {
    uint64_t more = (at + length - 1) / QCOW2_SECTOR - at / QCOW2_SECTOR;
    return QCOW2_COMPRESSED | more << (62 - (writer->cluster_bits - 8)) | at;
}

// A guest cluster as the source wishes it, part by part.
struct cluster {
    uint64_t index;
    enum image_state parts[QCOW2_SUBCLUSTERS];
    enum image_state strongest; // of the parts
};

static bool is_bytes(enum image_state state) {
    return state == IMAGE_DATA || state == IMAGE_COMPRESSED;
}

static void note_part(struct cluster *cluster, uint64_t part, enum image_state state) {
    cluster->parts[part] = state;
    if (state > cluster->strongest)
        cluster->strongest = state;
}

// The cluster's bytes into writer->data, zeros behind the end of the disk.
static int load_cluster(struct qcow2_writer *writer, const struct cluster *cluster,
                        struct fault *fault) {
    const struct image_source *source = writer->source;
    uint64_t offset = cluster->index * writer->unit;
    size_t length = (size_t)min_u64(writer->unit, source->size - offset);
    memset(writer->data + length, 0, (size_t)writer->unit - length);
    return source->read(source->context, offset, writer->data, length, fault);
}

// Takes back the wishes that the format or the options do not grant: version 2 has no zero flag,
// and without a backing file a hole reads the same.
static void drop_zeros(const struct qcow2_writer *writer, struct cluster *cluster) {
    struct cluster left = {.index = cluster->index};
    size_t length = (size_t)writer->unit / writer->parts;
    bool skip = writer->options->skip_zeros;
    for (uint32_t i = 0; i < writer->parts; i++) {
        enum image_state state = cluster->parts[i];
        bool dropped = is_bytes(state) ? skip && bytes_are_zero(writer->data + i * length, length)
                                       : skip || writer->version < 3;
        note_part(&left, i, dropped ? IMAGE_HOLE : state);
    }
    *cluster = left;
}

// Guest bytes of [offset, offset + length) that the disk has become `state`.
static void note_written(struct qcow2_writer *writer, uint64_t offset, uint64_t length,
                         enum image_state state) {
    uint64_t size = writer->written->virtual_size;
    if (offset < size)
        image_map_add(&writer->written->map, offset, min_u64(length, size - offset), state);
}

// A compressed cluster is one piece, whatever its parts are, and its bitmap is zero (spec "Extended
// L2 Entries"). 1: done, 0: its bytes do not get smaller, -1: a fault.
static int store_packed(struct qcow2_writer *writer, const struct cluster *cluster, uint8_t *entry,
                        struct fault *fault) {
    size_t unit = (size_t)writer->unit;
    size_t length = writer->options->compression == QCOW2_ZSTD
                        ? image_zstd(writer->packed, unit - 1, writer->data, unit)
                        : image_deflate(writer->packed, unit - 1, writer->data, unit, true);
    if (length == 0)
        return 0;
    uint64_t at = place_packed(writer, length);
    put_be64(entry, packed_entry(writer, at, length));
    note_written(writer, cluster->index * writer->unit, writer->unit, IMAGE_COMPRESSED);
    return qcow2_writer_put(writer, at, writer->packed, length, fault) < 0 ? -1 : 1;
}

// What is not stored of a cluster that has a place is whatever the file held there before. Bytes
// that are not zero show who overlooks the bitmap.
static void fill_stale(const struct qcow2_writer *writer, const struct cluster *cluster) {
    size_t length = (size_t)writer->unit / writer->parts;
    for (uint32_t i = 0; i < writer->parts; i++)
        if (!is_bytes(cluster->parts[i]))
            memset(writer->data + i * length, STALE_BYTE, length);
}

static int put_parts(struct qcow2_writer *writer, const struct cluster *cluster, uint64_t at,
                     struct fault *fault) {
    size_t length = (size_t)writer->unit / writer->parts;
    if (writer->options->stale_subclusters) {
        fill_stale(writer, cluster);
        return qcow2_writer_put(writer, at, writer->data, (size_t)writer->unit, fault);
    }
    for (uint32_t i = 0; i < writer->parts; i++)
        if (is_bytes(cluster->parts[i]) &&
            qcow2_writer_put(writer, at + i * length, writer->data + i * length, length, fault) < 0)
            return -1;
    return 0;
}

// Spec "Standard Cluster Descriptor" and "Extended L2 Entries". One part with a place gives the
// whole cluster one, so a zero part beside a stored one keeps space whether it was asked to or not.
static int store_parts(struct qcow2_writer *writer, const struct cluster *cluster, uint8_t *entry,
                       struct fault *fault) {
    uint64_t offset = cluster->index * writer->unit, length = writer->unit / writer->parts;
    uint64_t at = 0, bitmap = 0;
    if (cluster->strongest >= IMAGE_ZERO_ALLOCATED)
        at = qcow2_writer_allocate(writer, 1);
    for (uint32_t i = 0; i < writer->parts; i++) {
        enum image_state state = cluster->parts[i];
        if (state == IMAGE_HOLE)
            continue;
        bool bytes = is_bytes(state);
        bitmap |= 1ull << (bytes ? i : QCOW2_SUBCLUSTERS + i);
        note_written(writer, offset + i * length, length,
                     bytes ? IMAGE_DATA
                     : at  ? IMAGE_ZERO_ALLOCATED
                           : IMAGE_ZERO);
    }
    bool zero = writer->parts == 1 && !is_bytes(cluster->strongest);
    put_be64(entry, at | (at ? QCOW2_COPIED : 0) | (zero ? QCOW2_ZERO : 0));
    if (writer->parts > 1)
        put_be64(entry + 8, bitmap);
    return is_bytes(cluster->strongest) ? put_parts(writer, cluster, at, fault) : 0;
}

// Version 2 has no zero flag, and in an overlay a hole says something else.
static void store_zeros(const struct qcow2_writer *writer, struct cluster *cluster) {
    if (writer->version >= 3 || !writer->source->overlay)
        return;
    for (uint32_t i = 0; i < writer->parts; i++)
        if (cluster->parts[i] != IMAGE_HOLE && !is_bytes(cluster->parts[i]))
            note_part(cluster, i, IMAGE_DATA);
}

static int store_cluster(struct qcow2_writer *writer, struct cluster *cluster,
                         struct fault *fault) {
    store_zeros(writer, cluster);
    if (is_bytes(cluster->strongest) && load_cluster(writer, cluster, fault) < 0)
        return -1;
    drop_zeros(writer, cluster);
    if (cluster->strongest == IMAGE_HOLE)
        return 0;
    uint8_t *entry = l2_entry(writer, cluster->index, fault);
    if (!entry)
        return -1;
    if (cluster->strongest == IMAGE_COMPRESSED ||
        (cluster->strongest == IMAGE_DATA && writer->options->compress)) {
        int packed = store_packed(writer, cluster, entry, fault);
        if (packed != 0)
            return packed < 0 ? -1 : 0;
    }
    return store_parts(writer, cluster, entry, fault);
}

static int store_all(struct qcow2_writer *writer, struct fault *fault) {
    struct unit_walk walk;
    unit_walk_begin(&walk, writer->source, writer->unit / writer->parts);
    struct unit part;
    struct cluster cluster = {0}; // nothing yet: nothing to store
    int more;
    while ((more = unit_walk_next(&walk, &part, fault)) > 0) {
        if (part.index / writer->parts != cluster.index) {
            if (store_cluster(writer, &cluster, fault) < 0)
                return -1;
            cluster = (struct cluster){.index = part.index / writer->parts};
        }
        note_part(&cluster, part.index % writer->parts, part.state);
    }
    if (more == 0 && store_cluster(writer, &cluster, fault) < 0)
        return -1;
    if (more < 0 || finish_l2(writer, fault) < 0 || qcow2_writer_flush(writer, fault) < 0)
        return -1;
    if (writer->l1_size == 0)
        return 0;
    writer->l1_offset = qcow2_writer_allocate(writer, div_up(writer->l1_size * 8, writer->unit));
    return image_pwrite(writer->fd, writer->l1, (size_t)writer->l1_size * 8, writer->l1_offset,
                        fault);
}

static int write_file(struct qcow2_writer *writer, struct fault *fault) {
    if (store_all(writer, fault) < 0 || qcow2_writer_close(writer, fault) < 0)
        return -1;
    // Whole clusters, also where the last one was not written to its end.
    if (ftruncate(writer->fd, (off_t)(writer->clusters * writer->unit)) < 0)
        return fault_errno(fault, "cannot set the file's length");
    return 0;
}

int qcow2_write(struct image_output *output, const struct image_options *options,
                const struct image_source *source, struct image_written *written,
                struct fault *fault) {
    int fd = output->fd;
    if (qcow2_declared_size(options, source->size, &written->virtual_size, fault) < 0)
        return -1;
    struct qcow2_writer writer = {
        .fd = fd,
        .options = options,
        .source = source,
        .written = written,
        .version = options->qcow2_version ? options->qcow2_version : 3,
        .cluster_bits = option_cluster_bits(options),
        .refcount_order = 4,
        .clusters = 1, // the header's
    };
    if (writer.version == 3 && options->refcount_bits)
        writer.refcount_order = (uint32_t)__builtin_ctz(options->refcount_bits);
    writer.unit = 1ull << writer.cluster_bits;
    writer.parts = options->extended_l2 ? QCOW2_SUBCLUSTERS : 1;
    writer.entry_bytes = options->extended_l2 ? 16 : 8;
    writer.l1_size = l1_entries(written->virtual_size, options);
    writer.l1 = calloc((size_t)writer.l1_size + 1, 8);
    writer.l2 = malloc((size_t)writer.unit);
    writer.data = malloc((size_t)writer.unit);
    writer.packed = malloc((size_t)writer.unit);
    writer.append = malloc(APPEND_BYTES);
    bool allocated = writer.l1 && writer.l2 && writer.data && writer.packed && writer.append;
    int result = allocated ? write_file(&writer, fault) : fault_set(fault, "out of memory");
    free(writer.l1);
    free(writer.l2);
    free(writer.data);
    free(writer.packed);
    free(writer.append);
    free(writer.shared);
    written->unit = (uint32_t)writer.unit;
    return result;
}
