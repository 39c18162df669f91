// SPDX-License-Identifier: Apache-2.0
//
// Writes the plain form of a sparse extent. A grain table exists only if it has an entry, and lies
// just before its first grain, so that a file is never larger than what it stores plus its
// directory.
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/unit_walk.h"
#include "image/vmdk.h"

#include <stdlib.h>

// The second set of tables is written only while it costs no more than this. QEMU always writes
// it; but for large disks it would take the file over the size that instar's measure promises.
#define VMDK_REDUNDANT_BUDGET (60u * 1024)

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
        file_pwrite(out->fd, out->table, VMDK_TABLE_SIZE, tables->copy_offset, fault))
        return -1;
    return file_pwrite(out->fd, out->table, VMDK_TABLE_SIZE, tables->table_offset, fault);
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
        if (vmdk_sector_of(at, &entry, fault) || file_pwrite(out->fd, bytes, out->grain, at, fault))
            return -1;
    }
    put_le32(out->table + unit->index % VMDK_TABLE_ENTRIES * 4, entry);
    vmdk_written_add(out, unit->offset, zeroed ? IMAGE_ZERO : IMAGE_DATA);
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
    return file_pwrite(out->fd, header, sizeof header, 0, fault);
}
