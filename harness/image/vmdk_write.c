// SPDX-License-Identifier: Apache-2.0
//
// What both kinds of written vmdk have in common (sizes, header, descriptor), and the plain one:
// monolithicSparse. A grain table exists only if it has an entry, and lies just before its first
// grain, so that a file is never larger than what it stores plus its directory.
#include "image/vmdk.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "image/unit_walk.h"

#include <stdlib.h>
#include <unistd.h>

#define VMDK_DEFAULT_GRAIN_BITS 16u
#define VMDK_MAX_ALIGN          (1u << 20)
// The second set of tables is written only while it costs no more than this. QEMU always writes
// it; but for large disks it would take the file over the size that instar's measure promises.
#define VMDK_REDUNDANT_BUDGET (60u * 1024)

int vmdk_sector_of(uint64_t file_offset, uint32_t *sector, struct fault *fault) {
    if (file_offset / VMDK_SECTOR > UINT32_MAX)
        return fault_set(fault, "a vmdk file cannot be larger than 2 TiB");
    *sector = (uint32_t)(file_offset / VMDK_SECTOR);
    return 0;
}

static int vmdk_grain_bits(const struct image_options *options, uint32_t *bits,
                           struct fault *fault) {
    *bits = options->grain_bits ? options->grain_bits : VMDK_DEFAULT_GRAIN_BITS;
    if (*bits < 12 || *bits > 16)
        return fault_set(fault, "a vmdk grain has 2^12 to 2^16 bytes, not 2^%u", *bits);
    return 0;
}

int vmdk_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                       struct fault *fault) {
    uint32_t bits;
    *declared = 0;
    if (vmdk_grain_bits(options, &bits, fault))
        return -1;
    // qemu-img creates such a file and then cannot open it ("Unsupported image type
    // 'monolithicSparse'"): a capacity of 0 sends it to the descriptor for extents.
    if (size == 0)
        return fault_set(fault, "a sparse vmdk cannot have a size of 0");
    uint64_t tables = div_up(size, (uint64_t)VMDK_TABLE_ENTRIES << bits);
    if (tables > VMDK_MAX_DIRECTORY)
        return fault_set(fault, "the disk needs %llu grain tables, more than readers accept",
                         (unsigned long long)tables);
    *declared = round_up(size, VMDK_SECTOR);
    return 0;
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
    put_le64(header + VMDK_CAPACITY, out->written->virtual_size / VMDK_SECTOR);
    put_le64(header + VMDK_GRAIN_SECTORS, out->grain / VMDK_SECTOR);
    put_le64(header + VMDK_DESCRIPTOR_OFFSET, 1);
    put_le64(header + VMDK_DESCRIPTOR_LENGTH, VMDK_DESCRIPTOR_SECTORS);
    put_le32(header + VMDK_GTES_PER_GT, VMDK_TABLE_ENTRIES);
    put_le64(header + VMDK_REDUNDANT_OFFSET, out->redundant_offset / VMDK_SECTOR);
    put_le64(header + VMDK_DIRECTORY_OFFSET,
             directory_offset == VMDK_AT_END ? VMDK_AT_END : directory_offset / VMDK_SECTOR);
    uint64_t metadata = VMDK_SECTOR * (1 + VMDK_DESCRIPTOR_SECTORS);
    if (!stream)
        metadata =
            out->directory_offset + div_up(out->directory_count * 4, out->align) * out->align;
    put_le64(header + VMDK_OVERHEAD, metadata / VMDK_SECTOR);
    memcpy(header + VMDK_NEWLINES, "\n \r\n", 4); // shows a transfer that changed line ends
    put_le16(header + VMDK_COMPRESSION, stream);
}

static int vmdk_write_descriptor(struct vmdk_out *out, struct fault *fault) {
    char text[VMDK_DESCRIPTOR_SECTORS * VMDK_SECTOR];
    bool stream = out->options->vmdk_subformat == VMDK_STREAM;
    vmdk_descriptor_build(text, sizeof text, stream ? "streamOptimized" : "monolithicSparse",
                          out->written->virtual_size / VMDK_SECTOR);
    return image_pwrite(out->fd, text, sizeof text, VMDK_SECTOR, fault);
}

// Takes `length` file bytes at the end.
static uint64_t vmdk_take(struct vmdk_out *out, uint64_t length) {
    uint64_t at = out->end;
    out->end += round_up(length, out->align);
    return at;
}

// The directories of a sparse file and the grain table that is being filled.
struct vmdk_tables {
    struct table_out directory, redundant;
    uint64_t table_offset, copy_offset; // file bytes; of the current table
};

static int vmdk_flush_table(struct vmdk_out *out, const struct vmdk_tables *tables,
                            struct fault *fault) {
    if (out->table_index == UINT64_MAX)
        return 0;
    if (out->redundant &&
        image_pwrite(out->fd, out->table, VMDK_TABLE_SIZE, tables->copy_offset, fault))
        return -1;
    return image_pwrite(out->fd, out->table, VMDK_TABLE_SIZE, tables->table_offset, fault);
}

static int vmdk_put_directory(struct table_out *directory, uint64_t index, uint64_t offset,
                              struct fault *fault) {
    uint32_t sector = 0;
    uint8_t *entry = table_out_at(directory, index * 4, fault);
    if (!entry || vmdk_sector_of(offset, &sector, fault))
        return -1;
    put_le32(entry, sector);
    return 0;
}

// Makes the table of this number the current one.
static int vmdk_begin_table(struct vmdk_out *out, struct vmdk_tables *tables, uint64_t index,
                            struct fault *fault) {
    if (out->table_index == index)
        return 0;
    if (vmdk_flush_table(out, tables, fault))
        return -1;
    memset(out->table, 0, VMDK_TABLE_SIZE);
    out->table_index = index;
    if (out->redundant) {
        tables->copy_offset = vmdk_take(out, VMDK_TABLE_SIZE);
        if (vmdk_put_directory(&tables->redundant, index, tables->copy_offset, fault))
            return -1;
    }
    tables->table_offset = vmdk_take(out, VMDK_TABLE_SIZE);
    return vmdk_put_directory(&tables->directory, index, tables->table_offset, fault);
}

// One grain of a sparse file: its bytes, or the entry that says it is zero.
static int vmdk_put_grain(struct vmdk_out *out, struct vmdk_tables *tables, const struct unit *unit,
                          uint8_t *bytes, struct fault *fault) {
    bool zeroed = !unit_wants_bytes(unit);
    uint32_t entry = VMDK_ZEROED;
    if (!zeroed) {
        if (unit_walk_load(out->walk, unit, bytes, fault))
            return -1;
        if (out->options->skip_zeros && bytes_are_zero(bytes, out->grain))
            return 0;
    }
    if (vmdk_begin_table(out, tables, unit->index / VMDK_TABLE_ENTRIES, fault))
        return -1;
    if (zeroed) {
        out->zeroed = true;
    } else {
        uint64_t at = vmdk_take(out, out->grain);
        if (vmdk_sector_of(at, &entry, fault) ||
            image_pwrite(out->fd, bytes, out->grain, at, fault))
            return -1;
    }
    put_le32(out->table + unit->index % VMDK_TABLE_ENTRIES * 4, entry);
    image_map_add(&out->written->map, unit->offset,
                  min_u64(out->grain, out->written->virtual_size - unit->offset),
                  zeroed ? IMAGE_ZERO : IMAGE_DATA);
    return 0;
}

static int vmdk_put_grains(struct vmdk_out *out, struct vmdk_tables *tables, struct fault *fault) {
    uint8_t *bytes = must_realloc(NULL, out->grain);
    struct unit unit;
    int more;
    while ((more = unit_walk_next(out->walk, &unit, fault)) > 0) {
        more = vmdk_put_grain(out, tables, &unit, bytes, fault);
        if (more < 0)
            break;
    }
    free(bytes);
    return more < 0 ? -1 : vmdk_flush_table(out, tables, fault);
}

int vmdk_write_sparse(struct vmdk_out *out, struct fault *fault) {
    uint64_t directory = out->directory_count * 4;
    uint64_t tables_size = out->directory_count * VMDK_TABLE_SIZE;
    out->redundant = out->align == VMDK_SECTOR && tables_size <= VMDK_REDUNDANT_BUDGET;
    if (out->redundant)
        out->redundant_offset = vmdk_take(out, directory);
    out->directory_offset = vmdk_take(out, directory);
    struct vmdk_tables tables = {0};
    table_out_begin(&tables.directory, out->fd, out->directory_offset, directory, 0);
    table_out_begin(&tables.redundant, out->fd, out->redundant_offset, directory, 0);
    bool failed = vmdk_put_grains(out, &tables, fault) != 0;
    failed |= table_out_end(&tables.directory, failed, fault) != 0;
    failed |= table_out_end(&tables.redundant, failed, fault) != 0;
    if (failed)
        return -1;
    uint8_t header[VMDK_SECTOR];
    vmdk_header_build(out, out->directory_offset, header);
    return image_pwrite(out->fd, header, sizeof header, 0, fault);
}

static int vmdk_write_file(struct vmdk_out *out, struct fault *fault) {
    out->end = round_up(VMDK_SECTOR * (1 + VMDK_DESCRIPTOR_SECTORS), out->align);
    bool stream = out->options->vmdk_subformat == VMDK_STREAM;
    if (vmdk_write_descriptor(out, fault) ||
        (stream ? vmdk_write_stream(out, fault) : vmdk_write_sparse(out, fault)))
        return -1;
    if (ftruncate(out->fd, (off_t)out->end) < 0)
        return fault_errno(fault, "cannot set the length of the vmdk file");
    out->written->file_size = out->end;
    return 0;
}

int vmdk_write(struct image_output *output, const struct image_options *options,
               const struct image_source *source, struct image_written *written,
               struct fault *fault) {
    int fd = output->fd;
    struct unit_walk walk;
    struct vmdk_out out = {.fd = fd, .options = options, .written = written, .walk = &walk};
    uint32_t bits;
    if (vmdk_declared_size(options, source->size, &written->virtual_size, fault) ||
        vmdk_grain_bits(options, &bits, fault))
        return -1;
    out.align = options->output_sector ? options->output_sector : VMDK_SECTOR;
    if (out.align < VMDK_SECTOR || out.align > VMDK_MAX_ALIGN || (out.align & (out.align - 1)))
        return fault_set(fault, "an output sector of %u bytes is not possible", out.align);
    out.grain = 1u << bits;
    written->unit = 1u << bits;
    out.directory_count = div_up(written->virtual_size, out.grain * VMDK_TABLE_ENTRIES);
    out.table = must_realloc(NULL, VMDK_TABLE_SIZE);
    out.table_index = UINT64_MAX;
    unit_walk_begin(&walk, source, out.grain);
    int result = vmdk_write_file(&out, fault);
    unit_walk_end(&walk);
    free(out.table);
    return result;
}
