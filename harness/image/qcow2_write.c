// SPDX-License-Identifier: Apache-2.0
//
// qcow2: the writer. One pass over the source; the file grows without gaps in the order header,
// then per L1 entry its L2 table followed by its clusters, then L1 table, refcount table and
// refcount blocks. Every cluster of the finished file is in use, so its refcount is 1, except for
// host clusters that several compressed clusters share: only those are remembered.
#include "image/qcow2.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "image/unit_walk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPEND_BYTES (256u << 10) // collected before they are written

struct shared_cluster {
    uint64_t cluster, refcount; // refcount > 1
};

struct writer {
    int fd;
    const struct image_options *options;
    const struct image_source *source;
    struct image_written *written;
    uint32_t version, cluster_bits, refcount_order;
    uint64_t unit;
    uint64_t clusters; // of the file so far

    uint8_t *l1; // as in the file
    uint64_t l1_size, l1_offset;
    uint64_t reftable_at, reftable_clusters;
    uint8_t *l2;       // the table being filled
    uint64_t l2_index; // its L1 entry
    uint64_t l2_at;    // its file offset; 0: none

    uint8_t *data, *packed; // one cluster each

    // Where the next compressed cluster may begin: inside the host cluster that the last one ended
    // in. 0: nowhere. `packed_refs` is that host cluster's refcount.
    uint64_t packed_at, packed_refs;
    struct shared_cluster *shared; // ascending
    size_t shared_count, shared_capacity;

    uint8_t *append; // APPEND_BYTES not yet written, that belong at append_at
    uint64_t append_at;
    size_t append_length;
};

static uint32_t option_cluster_bits(const struct image_options *options) {
    return options->cluster_bits ? options->cluster_bits : 16;
}

// Entries of the L1 table for a guest of `size` bytes (a multiple of 512).
static uint64_t l1_entries(uint64_t size, uint32_t cluster_bits) {
    return div_up(size, 1ull << (2 * cluster_bits - 3));
}

static int check_options(const struct image_options *options, struct fault *fault) {
    uint32_t bits = option_cluster_bits(options), width = options->refcount_bits;
    if (bits < QCOW2_MIN_CLUSTER_BITS || bits > QCOW2_MAX_CLUSTER_BITS)
        return fault_set(fault, "qcow2 has no clusters of 2^%u bytes", bits);
    if (options->qcow2_version != 0 && options->qcow2_version != 2 && options->qcow2_version != 3)
        return fault_set(fault, "there is no qcow2 version %u", options->qcow2_version);
    if (width > 64 || (width & (width - 1)) != 0)
        return fault_set(fault, "qcow2 has no refcounts of %u bits", width);
    if (options->extended_l2)
        return fault_set(fault, "extended L2 entries cannot be written yet");
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
    if (l1_entries(rounded, option_cluster_bits(options)) > QCOW2_MAX_L1_BYTES / 8)
        return fault_set(fault, "the L1 table for %llu bytes would exceed 32 MiB",
                         (unsigned long long)size);
    *declared = rounded;
    return 0;
}

static int flush(struct writer *writer, struct fault *fault) {
    size_t length = writer->append_length;
    writer->append_length = 0;
    return image_pwrite(writer->fd, writer->append, length, writer->append_at, fault);
}

static int put(struct writer *writer, uint64_t at, const uint8_t *bytes, size_t length,
               struct fault *fault) {
    if ((at != writer->append_at + writer->append_length ||
         length > APPEND_BYTES - writer->append_length) &&
        flush(writer, fault) < 0)
        return -1;
    if (length > APPEND_BYTES)
        return image_pwrite(writer->fd, bytes, length, at, fault);
    if (writer->append_length == 0)
        writer->append_at = at;
    memcpy(writer->append + writer->append_length, bytes, length);
    writer->append_length += length;
    return 0;
}

// File offset of `count` new clusters at the end.
static uint64_t allocate(struct writer *writer, uint64_t count) {
    uint64_t at = writer->clusters * writer->unit;
    writer->clusters += count;
    return at;
}

static int finish_l2(struct writer *writer, struct fault *fault) {
    if (writer->l2_at == 0)
        return 0;
    uint64_t at = writer->l2_at;
    writer->l2_at = 0;
    return image_pwrite(writer->fd, writer->l2, (size_t)writer->unit, at, fault);
}

// The L2 entry of guest cluster `index`, in a table that is begun where needed.
static uint8_t *l2_entry(struct writer *writer, uint64_t index, struct fault *fault) {
    uint64_t per_table = writer->unit / 8;
    if (writer->l2_at == 0 || writer->l2_index != index / per_table) {
        if (finish_l2(writer, fault) < 0)
            return NULL;
        memset(writer->l2, 0, (size_t)writer->unit);
        writer->l2_at = allocate(writer, 1);
        writer->l2_index = index / per_table;
        put_be64(writer->l1 + writer->l2_index * 8, writer->l2_at | QCOW2_COPIED);
    }
    return writer->l2 + index % per_table * 8;
}

static void remember_shared(struct writer *writer, uint64_t cluster, uint64_t refcount) {
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
static uint64_t place_packed(struct writer *writer, uint64_t length) {
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
            allocate(writer, 1);
            writer->packed_refs = 1;
        }
    } else {
        at = allocate(writer, 1);
        writer->packed_refs = 1;
    }
    writer->packed_at = at + length;
    return at;
}

// Spec "Compressed Clusters Descriptor".
static uint64_t packed_entry(const struct writer *writer, uint64_t at, uint64_t length) {
    uint64_t more = (at + length - 1) / QCOW2_SECTOR - at / QCOW2_SECTOR;
    return QCOW2_COMPRESSED | more << (62 - (writer->cluster_bits - 8)) | at;
}

// Stores writer->data in the wished form; *state becomes what was done.
static int store_bytes(struct writer *writer, uint8_t *entry, enum image_state *state,
                       struct fault *fault) {
    if (writer->options->compress || *state == IMAGE_COMPRESSED) {
        size_t length = image_deflate(writer->packed, (size_t)writer->unit - 1, writer->data,
                                      (size_t)writer->unit, true);
        if (length > 0) {
            uint64_t at = place_packed(writer, length);
            put_be64(entry, packed_entry(writer, at, length));
            *state = IMAGE_COMPRESSED;
            return put(writer, at, writer->packed, length, fault);
        }
    }
    uint64_t at = allocate(writer, 1);
    put_be64(entry, at | QCOW2_COPIED);
    *state = IMAGE_DATA;
    return put(writer, at, writer->data, (size_t)writer->unit, fault);
}

static int store_unit(struct writer *writer, const struct unit_walk *walk, const struct unit *unit,
                      struct fault *fault) {
    enum image_state state = unit->state;
    bool bytes = unit_wants_bytes(unit);
    // Version 2 has no zero flag, and without a backing file a hole reads the same.
    if (!bytes && (writer->version < 3 || writer->options->skip_zeros))
        return 0;
    if (bytes && unit_walk_load(walk, unit, writer->data, fault) < 0)
        return -1;
    if (bytes && writer->options->skip_zeros && bytes_are_zero(writer->data, (size_t)writer->unit))
        return 0;
    uint8_t *entry = l2_entry(writer, unit->index, fault);
    if (!entry)
        return -1;
    if (bytes) {
        if (store_bytes(writer, entry, &state, fault) < 0)
            return -1;
    } else if (state == IMAGE_ZERO_ALLOCATED) {
        put_be64(entry, allocate(writer, 1) | QCOW2_COPIED | QCOW2_ZERO);
    } else {
        put_be64(entry, QCOW2_ZERO);
    }
    image_map_add(&writer->written->map, unit->offset,
                  min_u64(writer->unit, writer->written->virtual_size - unit->offset), state);
    return 0;
}

static int store_all(struct writer *writer, struct fault *fault) {
    struct unit_walk walk;
    unit_walk_begin(&walk, writer->source, writer->unit);
    struct unit unit;
    int more;
    while ((more = unit_walk_next(&walk, &unit, fault)) > 0)
        if (store_unit(writer, &walk, &unit, fault) < 0)
            return -1;
    if (more < 0 || finish_l2(writer, fault) < 0 || flush(writer, fault) < 0)
        return -1;
    if (writer->l1_size == 0)
        return 0;
    writer->l1_offset = allocate(writer, div_up(writer->l1_size * 8, writer->unit));
    return image_pwrite(writer->fd, writer->l1, (size_t)writer->l1_size * 8, writer->l1_offset,
                        fault);
}

// The refcount block that covers the clusters from `first` on, in writer->data.
static void fill_block(struct writer *writer, uint64_t first, uint64_t count, size_t *shared) {
    memset(writer->data, 0, (size_t)writer->unit);
    uint64_t used = min_u64(count, writer->clusters - first);
    for (uint64_t i = 0; i < used; i++) {
        uint64_t refcount = 1;
        if (*shared < writer->shared_count && writer->shared[*shared].cluster == first + i)
            refcount = writer->shared[(*shared)++].refcount;
        qcow2_set_refcount(writer->data, i, writer->refcount_order, refcount);
    }
}

static int write_blocks(struct writer *writer, uint64_t blocks_at, uint64_t blocks,
                        struct fault *fault) {
    uint64_t per_block = (writer->unit * 8) >> writer->refcount_order;
    size_t shared = 0;
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t at = blocks_at + i * writer->unit;
        uint8_t entry[8];
        put_be64(entry, at);
        fill_block(writer, i * per_block, per_block, &shared);
        if (put(writer, at, writer->data, (size_t)writer->unit, fault) < 0 ||
            image_pwrite(writer->fd, entry, sizeof entry, writer->reftable_at + i * 8, fault) < 0)
            return -1;
    }
    return flush(writer, fault);
}

// Refcount table and blocks count themselves, so their number is a fixed point. It grows from
// below and more clusters never need fewer blocks, so the first one found is the smallest.
static int write_refcounts(struct writer *writer, struct fault *fault) {
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
    writer->reftable_at = allocate(writer, table);
    uint64_t blocks_at = allocate(writer, blocks);
    return write_blocks(writer, blocks_at, blocks, fault);
}

static int write_header(struct writer *writer, struct fault *fault) {
    uint8_t header[QCOW2_V3_HEADER] = {0};
    put_be32(header + QCOW2_AT_MAGIC, QCOW2_MAGIC);
    put_be32(header + QCOW2_AT_VERSION, writer->version);
    put_be32(header + QCOW2_AT_CLUSTER_BITS, writer->cluster_bits);
    put_be64(header + QCOW2_AT_SIZE, writer->written->virtual_size);
    put_be32(header + QCOW2_AT_L1_SIZE, (uint32_t)writer->l1_size);
    put_be64(header + QCOW2_AT_L1_OFFSET, writer->l1_offset);
    put_be64(header + QCOW2_AT_REFTABLE_OFFSET, writer->reftable_at);
    put_be32(header + QCOW2_AT_REFTABLE_CLUSTERS, (uint32_t)writer->reftable_clusters);
    if (writer->version == 3) {
        put_be64(header + QCOW2_AT_COMPATIBLE,
                 writer->options->lazy_refcounts ? QCOW2_COMPAT_LAZY : 0);
        put_be32(header + QCOW2_AT_REFCOUNT_ORDER, writer->refcount_order);
        put_be32(header + QCOW2_AT_HEADER_LENGTH, QCOW2_V3_HEADER);
    }
    // What follows in the first cluster is zero: the end mark of the header extensions.
    return image_pwrite(writer->fd, header, sizeof header, 0, fault);
}

static int write_file(struct writer *writer, struct fault *fault) {
    if (store_all(writer, fault) < 0 || write_refcounts(writer, fault) < 0 ||
        write_header(writer, fault) < 0)
        return -1;
    // Whole clusters, also where the last one was not written to its end.
    if (ftruncate(writer->fd, (off_t)(writer->clusters * writer->unit)) < 0)
        return fault_errno(fault, "cannot set the file's length");
    return 0;
}

int qcow2_write(int fd, const struct image_options *options, const struct image_source *source,
                struct image_written *written, struct fault *fault) {
    if (qcow2_declared_size(options, source->size, &written->virtual_size, fault) < 0)
        return -1;
    struct writer writer = {
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
    writer.l1_size = l1_entries(written->virtual_size, writer.cluster_bits);
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
