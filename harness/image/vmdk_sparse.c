// SPDX-License-Identifier: Apache-2.0
//
// Reads one hosted sparse extent: grain directory, grain tables, grains, and with streamOptimized
// their deflated form and the footer. It is a disk of its own, or a part of one.
#include "image/vmdk.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"

#include <stdlib.h>

// "The footer takes precedence over the header"; it is followed by the end-of-stream marker and
// preceded by its own marker, 1536 bytes in all.
static int vmdk_open_footer(struct vmdk_sparse *sparse, struct fault *fault) {
    uint8_t tail[3 * VMDK_SECTOR];
    uint64_t end = round_down(sparse->file_size, VMDK_SECTOR);
    if (end < VMDK_SECTOR + sizeof tail)
        return fault_set(fault, "the file is too short for a footer");
    if (file_pread(sparse->fd, tail, sizeof tail, end - sizeof tail, fault))
        return -1;
    const uint8_t *eos = tail + 2 * VMDK_SECTOR;
    if (memcmp(tail + VMDK_SECTOR, "KDMV", 4) != 0 || get_le32(tail + 8) != 0 ||
        get_le32(tail + 12) != VMDK_MARKER_FOOTER || !bytes_are_zero(eos, 16))
        return fault_set(fault, "the directory is said to be in a footer, but there is none");
    memcpy(sparse->header, tail + VMDK_SECTOR, VMDK_SECTOR);
    sparse->footer = true;
    return 0;
}

static int vmdk_open_header(struct vmdk_sparse *sparse, struct fault *fault) {
    if (file_pread(sparse->fd, sparse->header, VMDK_SECTOR, 0, fault))
        return -1;
    if (memcmp(sparse->header, "COWD", 4) == 0)
        return fault_set(fault, "vmdk version 3 (COWD) extents are not supported");
    if (memcmp(sparse->header, "KDMV", 4) != 0)
        return fault_set(fault, "not a sparse vmdk file");
    if (get_le64(sparse->header + VMDK_CAPACITY) == 0)
        return fault_set(fault, "the vmdk header has a capacity of 0");
    if (get_le64(sparse->header + VMDK_DIRECTORY_OFFSET) == VMDK_AT_END)
        return vmdk_open_footer(sparse, fault);
    return 0;
}

// The file offset of a directory, which must lie in the file.
static int vmdk_open_directory(struct vmdk_sparse *sparse, uint64_t sector, uint64_t *offset,
                               struct fault *fault) {
    uint64_t sectors = sparse->file_size / VMDK_SECTOR;
    if (sector == 0 || sector >= sectors ||
        div_up(sparse->directory_count * 4, VMDK_SECTOR) > sectors - sector)
        return fault_set(fault, "a grain directory lies outside the file");
    *offset = sector * VMDK_SECTOR;
    return 0;
}

static int vmdk_open_fields(struct vmdk_sparse *sparse, struct fault *fault) {
    const uint8_t *header = sparse->header;
    uint64_t capacity = get_le64(header + VMDK_CAPACITY);
    uint64_t grain = get_le64(header + VMDK_GRAIN_SECTORS);
    sparse->version = get_le32(header + VMDK_VERSION);
    sparse->flags = get_le32(header + VMDK_FLAGS);
    sparse->compressed = get_le16(header + VMDK_COMPRESSION) == 1;
    sparse->table_entries = get_le32(header + VMDK_GTES_PER_GT);
    if (sparse->version < 1 || sparse->version > 3)
        return fault_set(fault, "vmdk version %u is not supported", sparse->version);
    if (get_le16(header + VMDK_COMPRESSION) > 1)
        return fault_set(fault, "unknown vmdk compression %u", get_le16(header + VMDK_COMPRESSION));
    if (sparse->compressed && !(sparse->flags & VMDK_FLAG_MARKERS))
        return fault_set(fault, "compressed grains without markers are not supported");
    if (sparse->table_entries == 0 || sparse->table_entries > VMDK_TABLE_ENTRIES)
        return fault_set(fault, "%u entries in a grain table are not possible",
                         sparse->table_entries);
    if (grain == 0 || grain > VMDK_MAX_GRAIN / VMDK_SECTOR || (grain & (grain - 1)))
        return fault_set(fault, "a grain of %llu sectors is not supported",
                         (unsigned long long)grain);
    if (capacity == 0 || capacity > INT64_MAX / VMDK_SECTOR)
        return fault_set(fault, "a capacity of %llu sectors is not possible",
                         (unsigned long long)capacity);
    sparse->size = capacity * VMDK_SECTOR;
    sparse->grain = (uint32_t)grain * VMDK_SECTOR;
    sparse->directory_count = div_up(capacity, grain * sparse->table_entries);
    if (sparse->directory_count > VMDK_MAX_DIRECTORY)
        return fault_set(fault, "the grain directory is too large");
    return 0;
}

static int vmdk_open_tables(struct vmdk_sparse *sparse, struct fault *fault) {
    const uint8_t *header = sparse->header;
    if (vmdk_open_directory(sparse, get_le64(header + VMDK_DIRECTORY_OFFSET),
                            &sparse->directory_offset, fault))
        return -1;
    // Some writers set the flag and have none; QEMU asks for neither.
    if ((sparse->flags & VMDK_FLAG_REDUNDANT) && get_le64(header + VMDK_REDUNDANT_OFFSET) &&
        vmdk_open_directory(sparse, get_le64(header + VMDK_REDUNDANT_OFFSET),
                            &sparse->redundant_offset, fault))
        return -1;
    table_in_begin(&sparse->directory, sparse->fd, sparse->directory_offset,
                   sparse->directory_count * 4);
    sparse->table = must_realloc(NULL, sparse->table_entries * 4);
    sparse->table_index = sparse->inflated_index = UINT64_MAX;
    return 0;
}

int vmdk_sparse_open(struct vmdk_sparse *sparse, struct fault *fault) {
    if (vmdk_open_header(sparse, fault) || vmdk_open_fields(sparse, fault))
        return -1;
    return vmdk_open_tables(sparse, fault);
}

void vmdk_sparse_close(struct vmdk_sparse *sparse) {
    table_in_end(&sparse->directory);
    free(sparse->table);
    free(sparse->inflated);
    free(sparse->packed);
}

int vmdk_table_load(struct vmdk_sparse *sparse, uint64_t index, struct fault *fault) {
    if (sparse->table_index == index)
        return 0;
    sparse->table_index = UINT64_MAX;
    const uint8_t *at = table_in_at(&sparse->directory, index * 4, fault);
    if (!at)
        return -1;
    uint64_t offset = (uint64_t)get_le32(at) * VMDK_SECTOR;
    size_t length = (size_t)sparse->table_entries * 4;
    sparse->table_missing = offset == 0;
    if (offset && offset + length > sparse->file_size)
        return fault_set(fault, "grain table %llu lies outside the file",
                         (unsigned long long)index);
    if (offset && file_pread(sparse->fd, sparse->table, length, offset, fault))
        return -1;
    sparse->table_index = index;
    return 0;
}

int vmdk_grain_entry(struct vmdk_sparse *sparse, uint64_t index, uint32_t *entry,
                     struct fault *fault) {
    if (vmdk_table_load(sparse, index / sparse->table_entries, fault))
        return -1;
    *entry =
        sparse->table_missing ? 0 : get_le32(sparse->table + index % sparse->table_entries * 4);
    return 0;
}

// Entry 1 means a zeroed grain only where the header says so; elsewhere it is an offset.
enum image_state vmdk_entry_state(const struct vmdk_sparse *sparse, uint32_t entry) {
    if (entry == 0)
        return IMAGE_HOLE;
    if (entry == VMDK_ZEROED && (sparse->flags & VMDK_FLAG_ZEROED))
        return IMAGE_ZERO;
    return sparse->compressed ? IMAGE_COMPRESSED : IMAGE_DATA;
}

// How many grains from `index` on are known to be missing without looking at each: the rest of a
// table that is not there, and all tables whose directory entries are a hole of the file.
static int vmdk_missing_grains(struct vmdk_sparse *sparse, uint64_t index, uint64_t *count,
                               struct fault *fault) {
    *count = 1;
    if (!sparse->table_missing)
        return 0;
    uint64_t table = index / sparse->table_entries;
    if (!table_in_at(&sparse->directory, table * 4, fault))
        return -1;
    uint64_t tables = max_u64(1, table_in_hole(&sparse->directory, table * 4) / 4);
    *count = tables * sparse->table_entries - index % sparse->table_entries;
    return 0;
}

int vmdk_sparse_extent(struct vmdk_sparse *sparse, uint64_t offset, struct image_extent *extent,
                       struct fault *fault) {
    uint64_t count = div_up(sparse->size, sparse->grain), index = offset / sparse->grain;
    uint32_t entry;
    if (vmdk_grain_entry(sparse, index, &entry, fault))
        return -1;
    enum image_state state = vmdk_entry_state(sparse, entry);
    while (index < count) {
        uint64_t step = 1;
        if (vmdk_grain_entry(sparse, index, &entry, fault))
            return -1;
        if (vmdk_entry_state(sparse, entry) != state)
            break;
        if (state == IMAGE_HOLE && vmdk_missing_grains(sparse, index, &step, fault))
            return -1;
        index += step;
    }
    uint64_t end = sparse->size;
    if (index < count)
        end = index * sparse->grain;
    *extent = (struct image_extent){offset, end - offset, state};
    return 0;
}

int vmdk_marker_read(struct vmdk_sparse *sparse, uint64_t at, uint64_t *sector, uint32_t *length,
                     struct fault *fault) {
    uint8_t marker[VMDK_MARKER_DATA];
    if (at + sizeof marker > sparse->file_size)
        return fault_set(fault, "a grain lies outside the file");
    if (file_pread(sparse->fd, marker, sizeof marker, at, fault))
        return -1;
    *sector = get_le64(marker);
    *length = get_le32(marker + 8);
    if (*length == 0 || *length > vmdk_packed_room(sparse->grain) ||
        *length > sparse->file_size - at - sizeof marker)
        return fault_set(fault, "a compressed grain of %u bytes is not possible", *length);
    return 0;
}

// Inflates the grain at a file offset into sparse->inflated.
static int vmdk_grain_load(struct vmdk_sparse *sparse, uint64_t index, uint64_t at,
                           struct fault *fault) {
    if (sparse->inflated_index == index)
        return 0;
    if (!sparse->inflated) {
        sparse->inflated = must_realloc(NULL, sparse->grain);
        sparse->packed = must_realloc(NULL, vmdk_packed_room(sparse->grain));
    }
    sparse->inflated_index = UINT64_MAX;
    uint64_t sector;
    uint32_t length;
    if (vmdk_marker_read(sparse, at, &sector, &length, fault) ||
        file_pread(sparse->fd, sparse->packed, length, at + VMDK_MARKER_DATA, fault))
        return -1;
    size_t made = image_inflate(sparse->inflated, sparse->grain, sparse->packed, length, false);
    uint64_t needed = min_u64(sparse->grain, sparse->size - index * sparse->grain);
    if (made < needed)
        return fault_set(fault, "the compressed grain at file offset %llu is damaged",
                         (unsigned long long)at);
    sparse->inflated_index = index;
    return 0;
}

// Part of one grain.
static int vmdk_read_grain(struct vmdk_sparse *sparse, uint64_t offset, uint8_t *to, size_t length,
                           struct fault *fault) {
    uint64_t index = offset / sparse->grain, inside = offset % sparse->grain;
    uint32_t entry;
    if (vmdk_grain_entry(sparse, index, &entry, fault))
        return -1;
    enum image_state state = vmdk_entry_state(sparse, entry);
    uint64_t at = (uint64_t)entry * VMDK_SECTOR;
    if (state == IMAGE_HOLE || state == IMAGE_ZERO) {
        memset(to, 0, length);
        return 0;
    }
    if (state == IMAGE_COMPRESSED) {
        if (vmdk_grain_load(sparse, index, at, fault))
            return -1;
        memcpy(to, sparse->inflated + inside, length);
        return 0;
    }
    if (at + inside + length > sparse->file_size)
        return fault_set(fault, "grain %llu lies outside the file", (unsigned long long)index);
    return file_pread(sparse->fd, to, length, at + inside, fault);
}

int vmdk_sparse_read(struct vmdk_sparse *sparse, uint64_t offset, void *buffer, size_t length,
                     struct fault *fault) {
    for (uint8_t *to = buffer; length;) {
        size_t part = (size_t)min_u64(length, sparse->grain - offset % sparse->grain);
        if (vmdk_read_grain(sparse, offset, to, part, fault))
            return -1;
        to += part;
        offset += part;
        length -= part;
    }
    return 0;
}
