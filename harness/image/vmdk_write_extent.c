// SPDX-License-Identifier: Apache-2.0
//
// What both kinds of written sparse extents have in common: the header, and where things begin.
#include "base/buffer.h"
#include "base/bytes.h"
#include "image/unit_walk.h"
#include "image/vmdk.h"

#include <stdlib.h>
#include <unistd.h>

#define VMDK_MAX_ALIGN (1u << 20)

int vmdk_sector_of(uint64_t file_offset, uint32_t *sector, struct fault *fault) {
    if (file_offset / VMDK_SECTOR > UINT32_MAX)
        return fault_set(fault, "a vmdk file cannot be larger than 2 TiB");
    *sector = (uint32_t)(file_offset / VMDK_SECTOR);
    return 0;
}

void vmdk_written_add(const struct vmdk_out *out, uint64_t offset, enum image_state state) {
    image_map_add(&out->written->map, out->start + offset, min_u64(out->grain, out->size - offset),
                  state);
}

// Header and, where it is embedded, the descriptor, in file bytes.
static uint64_t front_size(const struct vmdk_out *out) {
    return VMDK_SECTOR * (1 + (out->embedded ? VMDK_DESCRIPTOR_SECTORS : 0));
}

void vmdk_header_build(const struct vmdk_out *out, uint64_t directory_offset, uint8_t *header) {
    bool stream = out->options->vmdk_subformat == VMDK_STREAM;
    uint32_t flags = VMDK_FLAG_NEWLINES;
    flags |= stream ? VMDK_FLAG_COMPRESSED | VMDK_FLAG_MARKERS : 0;
    flags |= out->redundant ? VMDK_FLAG_REDUNDANT : 0;
    flags |= out->zeroed ? VMDK_FLAG_ZEROED : 0;
    memset(header, 0, VMDK_SECTOR);
    memcpy(header + VMDK_MAGIC, "KDMV", 4);
    // 2 came with zeroed grains, 3 is what readers expect of compressed ones.
    put_le32(header + VMDK_VERSION, stream ? 3 : out->zeroed ? 2 : 1);
    put_le32(header + VMDK_FLAGS, flags);
    put_le64(header + VMDK_CAPACITY, out->size / VMDK_SECTOR);
    put_le64(header + VMDK_GRAIN_SECTORS, out->grain / VMDK_SECTOR);
    put_le64(header + VMDK_DESCRIPTOR_OFFSET, out->embedded ? 1 : 0);
    put_le64(header + VMDK_DESCRIPTOR_LENGTH, out->embedded ? VMDK_DESCRIPTOR_SECTORS : 0);
    put_le32(header + VMDK_GTES_PER_GT, VMDK_TABLE_ENTRIES);
    put_le64(header + VMDK_REDUNDANT_OFFSET, out->redundant_offset / VMDK_SECTOR);
    put_le64(header + VMDK_DIRECTORY_OFFSET,
             directory_offset == VMDK_AT_END ? VMDK_AT_END : directory_offset / VMDK_SECTOR);
    uint64_t metadata = front_size(out);
    if (!stream)
        metadata =
            out->directory_offset + div_up(out->directory_count * 4, out->align) * out->align;
    put_le64(header + VMDK_OVERHEAD, metadata / VMDK_SECTOR);
    memcpy(header + VMDK_NEWLINES, "\n \r\n", 4); // shows a transfer that changed line ends
    put_le16(header + VMDK_COMPRESSION, stream);
}

static int write_file(struct vmdk_out *out, struct fault *fault) {
    bool stream = out->options->vmdk_subformat == VMDK_STREAM;
    out->end = round_up(front_size(out), out->align);
    if (stream ? vmdk_write_stream(out, fault) : vmdk_write_sparse(out, fault))
        return -1;
    if (ftruncate(out->fd, (off_t)out->end) < 0)
        return fault_errno(fault, "cannot set the length of the vmdk file");
    return 0;
}

int vmdk_write_extent(int fd, const struct image_options *options, struct vmdk_slice *slice,
                      bool embedded, struct image_written *written, struct fault *fault) {
    struct unit_walk walk;
    struct vmdk_out out = {
        .fd = fd,
        .options = options,
        .written = written,
        .walk = &walk,
        .start = slice->start,
        .size = slice->size,
        .embedded = embedded,
        .table_index = UINT64_MAX,
    };
    uint32_t bits;
    if (vmdk_grain_bits(options, &bits, fault))
        return -1;
    out.align = options->output_sector ? options->output_sector : VMDK_SECTOR;
    if (out.align < VMDK_SECTOR || out.align > VMDK_MAX_ALIGN || (out.align & (out.align - 1)))
        return fault_set(fault, "an output sector of %u bytes is not possible", out.align);
    out.grain = written->unit = 1u << bits;
    out.directory_count = div_up(out.size, out.grain * VMDK_TABLE_ENTRIES);
    out.table = must_realloc(NULL, VMDK_TABLE_SIZE);
    unit_walk_begin(&walk, &slice->source, out.grain);
    int result = write_file(&out, fault);
    unit_walk_end(&walk);
    free(out.table);
    return result;
}
