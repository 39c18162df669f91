// SPDX-License-Identifier: Apache-2.0
//
// qemu-img's second look at a qcow2 source. When the file's clusters in use outnumber the blocks
// that the host has given it (metadata preallocation, a sparse copy, or simply 2 MiB clusters with
// one page written), qemu's block status asks the host file about each data cluster, and what is a
// hole there is zero and not counted by measure; of an external data file it is that one's holes
// that count then. The file's refcounts decide, so this walks them and, for the host offsets, the
// L1 and L2 tables (qcow2.txt, "Refcounts" and "Cluster mapping"). The tables were checked by the
// reader that opened the image.
#include "base/bytes.h"
#include "base/file.h"
#include "standin/measure.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define OFFSET_MASK 0x00fffffffffffe00ull

void measure_host_run(int fd, uint64_t offset, uint64_t *length, bool *data) {
    off_t start = lseek(fd, (off_t)offset, SEEK_DATA);
    if (start < 0) {
        *data = errno != ENXIO; // ENXIO: nothing but a hole from here on; else: no such knowledge
        return;
    }
    *data = (uint64_t)start == offset;
    off_t end = *data ? lseek(fd, (off_t)offset, SEEK_HOLE) : start;
    if (end > (off_t)offset)
        *length = min_u64(*length, (uint64_t)end - offset);
}

static int read_entry(const struct measure_holes *holes, uint64_t file_offset, uint64_t *entry,
                      struct fault *fault) {
    uint8_t bytes[8];
    if (file_pread(holes->fd, bytes, sizeof bytes, file_offset, fault))
        return -1;
    *entry = get_be64(bytes);
    return 0;
}

// Refcounts that are not 0 in one refcount block, for at most `clusters` clusters.
static int count_block(const struct measure_holes *holes, uint64_t block_offset, uint64_t clusters,
                       uint64_t *used, struct fault *fault) {
    uint8_t piece[4096];
    unsigned bits = 1u << holes->refcount_order;
    uint64_t per_piece = sizeof piece * 8 / bits;
    for (uint64_t done = 0; done < clusters; done += per_piece) {
        uint64_t now = min_u64(per_piece, clusters - done);
        size_t bytes = (size_t)div_up(now * bits, 8);
        if (file_pread(holes->fd, piece, bytes, block_offset + done * bits / 8, fault))
            return -1;
        for (uint64_t i = 0; i < now; i++)
            *used += bits >= 8 ? !bytes_are_zero(piece + i * bits / 8, bits / 8)
                               : (piece[i * bits / 8] >> i * bits % 8 & ((1u << bits) - 1)) != 0;
    }
    return 0;
}

// Does the file use clearly more clusters than the host has blocks for?
static int clusters_exceed_blocks(struct measure_holes *holes, uint64_t blocks, bool *exceed,
                                  struct fault *fault) {
    uint64_t real = blocks * 512 >> holes->cluster_bits;
    uint64_t threshold = max_u64(real * 10 / 9, real + 2);
    uint64_t end = div_up(holes->file_size, 1ull << holes->cluster_bits);
    uint64_t per_block = (8ull << holes->cluster_bits) >> holes->refcount_order;
    uint64_t used = 0;
    for (uint64_t i = 0; i * per_block < end && i < holes->table_entries && used < threshold; i++) {
        uint64_t block;
        if (read_entry(holes, holes->table_offset + 8 * i, &block, fault))
            return -1;
        block &= ~0x1ffull;
        if (block &&
            count_block(holes, block, min_u64(per_block, end - i * per_block), &used, fault))
            return -1;
    }
    *exceed = used >= threshold;
    return 0;
}

int measure_holes_begin(struct measure_holes *holes, struct image *image, struct fault *fault) {
    uint8_t header[104];
    struct stat status;
    uint64_t data_size;
    *holes = (struct measure_holes){.fd = image->fd, .data_fd = image->fd};
    struct image_info info;
    image->driver->info(image, &info);
    if (info.data_file[0]) {
        holes->data_fd = image_open_beside(image, info.data_file, &data_size, fault);
        if (holes->data_fd < 0)
            return -1;
    }
    if (file_pread(holes->fd, header, sizeof header, 0, fault))
        return -1;
    if (fstat(holes->fd, &status))
        return fault_errno(fault, "fstat");
    holes->file_size = (uint64_t)status.st_size;
    holes->cluster_bits = get_be32(header + 20);
    holes->l1_entries = get_be32(header + 36);
    holes->l1_offset = get_be64(header + 40);
    holes->table_offset = get_be64(header + 48);
    holes->table_entries = ((uint64_t)get_be32(header + 56) << holes->cluster_bits) / 8;
    bool version3 = get_be32(header + 4) >= 3;
    holes->refcount_order = version3 ? get_be32(header + 96) : 4;
    holes->extended_l2 = version3 && get_be64(header + 72) & 1 << 4;
    if (holes->cluster_bits < 9 || holes->cluster_bits > 21 || holes->refcount_order > 6)
        return fault_set(fault, "the qcow2 header changed while it was read");
    return clusters_exceed_blocks(holes, (uint64_t)status.st_blocks, &holes->ask_host, fault);
}

void measure_holes_end(struct measure_holes *holes) {
    if (holes->data_fd >= 0 && holes->data_fd != holes->fd)
        close(holes->data_fd);
}

int measure_holes_next(const struct measure_holes *holes, uint64_t offset, uint64_t *length,
                       bool *data, struct fault *fault) {
    *data = true;
    if (!holes->ask_host)
        return 0;
    uint64_t cluster = 1ull << holes->cluster_bits;
    unsigned entry_bytes = holes->extended_l2 ? 16 : 8;
    uint64_t per_table = cluster / entry_bytes, index = offset / cluster, table, entry;
    uint64_t inside = offset % cluster;
    *length = min_u64(*length, cluster - inside);
    if (index / per_table >= holes->l1_entries)
        return fault_set(fault, "the L1 table ends before the disk");
    if (read_entry(holes, holes->l1_offset + 8 * (index / per_table), &table, fault))
        return -1;
    uint64_t at = (table & OFFSET_MASK) + index % per_table * entry_bytes;
    if (read_entry(holes, at, &entry, fault))
        return -1;
    if (entry >> 62 & 1) // compressed: nobody asks the host
        return 0;
    measure_host_run(holes->data_fd, (entry & OFFSET_MASK) + inside, length, data);
    return 0;
}
