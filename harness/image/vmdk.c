// SPDX-License-Identifier: Apache-2.0
//
// VMware's sparse extents in one file: monolithicSparse, and streamOptimized with its deflated
// grains and its footer. Disks of several files need names that a single image does not have and
// are refused.
#include "image/vmdk.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "image/drivers.h"

#include <stdio.h>
#include <stdlib.h>

static bool vmdk_probe(const uint8_t *head, size_t head_length, const uint8_t *tail,
                       size_t tail_length) {
    (void)tail;
    (void)tail_length;
    return head_length >= 4 && memcmp(head, "KDMV", 4) == 0;
}

// "The footer takes precedence over the header"; it is followed by the end-of-stream marker and
// preceded by its own marker, 1536 bytes in all.
static int vmdk_open_footer(struct image *image, struct vmdk *vmdk, struct fault *fault) {
    uint8_t tail[3 * VMDK_SECTOR];
    uint64_t end = round_down(image->file_size, VMDK_SECTOR);
    if (end < VMDK_SECTOR + sizeof tail)
        return fault_set(fault, "the file is too short for a footer");
    if (image_pread(image->fd, tail, sizeof tail, end - sizeof tail, fault))
        return -1;
    const uint8_t *eos = tail + 2 * VMDK_SECTOR;
    if (memcmp(tail + VMDK_SECTOR, "KDMV", 4) != 0 || get_le32(tail + 8) != 0 ||
        get_le32(tail + 12) != VMDK_MARKER_FOOTER || !bytes_are_zero(eos, 16))
        return fault_set(fault, "the directory is said to be in a footer, but there is none");
    memcpy(vmdk->header, tail + VMDK_SECTOR, VMDK_SECTOR);
    vmdk->footer = true;
    return 0;
}

static int vmdk_open_header(struct image *image, struct vmdk *vmdk, struct fault *fault) {
    if (image_pread(image->fd, vmdk->header, VMDK_SECTOR, 0, fault))
        return -1;
    if (memcmp(vmdk->header, "# Disk DescriptorFile", 21) == 0)
        return fault_set(fault,
                         "vmdk descriptor files are not supported, only single sparse files");
    if (memcmp(vmdk->header, "COWD", 4) == 0)
        return fault_set(fault, "vmdk version 3 (COWD) extents are not supported");
    if (memcmp(vmdk->header, "KDMV", 4) != 0)
        return fault_set(fault, "not a sparse vmdk file");
    if (get_le64(vmdk->header + VMDK_CAPACITY) == 0)
        return fault_set(fault, "the vmdk header has a capacity of 0");
    if (get_le64(vmdk->header + VMDK_DIRECTORY_OFFSET) == VMDK_AT_END)
        return vmdk_open_footer(image, vmdk, fault);
    return 0;
}

static int vmdk_open_descriptor(struct image *image, struct vmdk *vmdk, struct fault *fault) {
    uint64_t offset = get_le64(vmdk->header + VMDK_DESCRIPTOR_OFFSET);
    uint64_t length = get_le64(vmdk->header + VMDK_DESCRIPTOR_LENGTH);
    uint64_t sectors = image->file_size / VMDK_SECTOR;
    vmdk->parent_cid = UINT32_MAX;
    if (offset == 0)
        return 0; // an extent whose descriptor is elsewhere: nothing to learn
    if (offset >= sectors || length > sectors - offset)
        return fault_set(fault, "the embedded descriptor lies outside the file");
    // What people write into it is text of a few hundred bytes; 64 KiB is what ESX may use.
    size_t room = (size_t)min_u64(length * VMDK_SECTOR, 64 * 1024);
    char *text = must_realloc(NULL, room + 1);
    text[room] = 0;
    int result = image_pread(image->fd, text, room, offset * VMDK_SECTOR, fault);
    if (result == 0)
        result = vmdk_descriptor_read(vmdk, text, fault);
    free(text);
    return result;
}

// The file offset of a directory, which must lie in the file.
static int vmdk_open_directory(struct image *image, struct vmdk *vmdk, uint64_t sector,
                               uint64_t *offset, struct fault *fault) {
    uint64_t sectors = image->file_size / VMDK_SECTOR;
    if (sector == 0 || sector >= sectors ||
        div_up(vmdk->directory_count * 4, VMDK_SECTOR) > sectors - sector)
        return fault_set(fault, "a grain directory lies outside the file");
    *offset = sector * VMDK_SECTOR;
    return 0;
}

static int vmdk_open_fields(struct image *image, struct vmdk *vmdk, struct fault *fault) {
    const uint8_t *header = vmdk->header;
    uint64_t capacity = get_le64(header + VMDK_CAPACITY);
    uint64_t grain = get_le64(header + VMDK_GRAIN_SECTORS);
    vmdk->version = get_le32(header + VMDK_VERSION);
    vmdk->flags = get_le32(header + VMDK_FLAGS);
    vmdk->compressed = get_le16(header + VMDK_COMPRESSION) == 1;
    vmdk->table_entries = get_le32(header + VMDK_GTES_PER_GT);
    if (vmdk->version < 1 || vmdk->version > 3)
        return fault_set(fault, "vmdk version %u is not supported", vmdk->version);
    if (get_le16(header + VMDK_COMPRESSION) > 1)
        return fault_set(fault, "unknown vmdk compression %u", get_le16(header + VMDK_COMPRESSION));
    if (vmdk->compressed && !(vmdk->flags & VMDK_FLAG_MARKERS))
        return fault_set(fault, "compressed grains without markers are not supported");
    if (vmdk->table_entries == 0 || vmdk->table_entries > VMDK_TABLE_ENTRIES)
        return fault_set(fault, "%u entries in a grain table are not possible",
                         vmdk->table_entries);
    if (grain == 0 || grain > VMDK_MAX_GRAIN / VMDK_SECTOR || (grain & (grain - 1)))
        return fault_set(fault, "a grain of %llu sectors is not supported",
                         (unsigned long long)grain);
    if (capacity == 0 || capacity > INT64_MAX / VMDK_SECTOR)
        return fault_set(fault, "a capacity of %llu sectors is not possible",
                         (unsigned long long)capacity);
    image->virtual_size = capacity * VMDK_SECTOR;
    image->unit = (uint32_t)grain * VMDK_SECTOR;
    vmdk->directory_count = div_up(capacity, grain * vmdk->table_entries);
    if (vmdk->directory_count > VMDK_MAX_DIRECTORY)
        return fault_set(fault, "the grain directory is too large");
    return 0;
}

static int vmdk_open_tables(struct image *image, struct vmdk *vmdk, struct fault *fault) {
    const uint8_t *header = vmdk->header;
    if (vmdk_open_directory(image, vmdk, get_le64(header + VMDK_DIRECTORY_OFFSET),
                            &vmdk->directory_offset, fault))
        return -1;
    if ((vmdk->flags & VMDK_FLAG_REDUNDANT) &&
        vmdk_open_directory(image, vmdk, get_le64(header + VMDK_REDUNDANT_OFFSET),
                            &vmdk->redundant_offset, fault))
        return -1;
    table_in_begin(&vmdk->directory, image->fd, vmdk->directory_offset, vmdk->directory_count * 4);
    vmdk->table = must_realloc(NULL, vmdk->table_entries * 4);
    vmdk->table_index = vmdk->grain_index = UINT64_MAX;
    return 0;
}

static void vmdk_close(struct image *image) {
    struct vmdk *vmdk = image->state;
    if (vmdk) {
        table_in_end(&vmdk->directory);
        free(vmdk->table);
        free(vmdk->grain);
        free(vmdk->packed);
    }
    free(vmdk);
    image->state = NULL;
}

static int vmdk_open(struct image *image, struct fault *fault) {
    struct vmdk *vmdk = must_realloc(NULL, sizeof *vmdk);
    *vmdk = (struct vmdk){0};
    image->state = vmdk;
    if (vmdk_open_header(image, vmdk, fault) == 0 && vmdk_open_fields(image, vmdk, fault) == 0 &&
        vmdk_open_descriptor(image, vmdk, fault) == 0 && vmdk_open_tables(image, vmdk, fault) == 0)
        return 0;
    vmdk_close(image);
    return -1;
}

int vmdk_table_load(struct image *image, uint64_t index, struct fault *fault) {
    struct vmdk *vmdk = image->state;
    if (vmdk->table_index == index)
        return 0;
    vmdk->table_index = UINT64_MAX;
    const uint8_t *at = table_in_at(&vmdk->directory, index * 4, fault);
    if (!at)
        return -1;
    uint64_t offset = (uint64_t)get_le32(at) * VMDK_SECTOR;
    size_t length = (size_t)vmdk->table_entries * 4;
    vmdk->table_missing = offset == 0;
    if (offset + length > image->file_size)
        return fault_set(fault, "grain table %llu lies outside the file",
                         (unsigned long long)index);
    if (offset && image_pread(image->fd, vmdk->table, length, offset, fault))
        return -1;
    vmdk->table_index = index;
    return 0;
}

int vmdk_grain_entry(struct image *image, uint64_t index, uint32_t *entry, struct fault *fault) {
    struct vmdk *vmdk = image->state;
    if (vmdk_table_load(image, index / vmdk->table_entries, fault))
        return -1;
    *entry = vmdk->table_missing ? 0 : get_le32(vmdk->table + index % vmdk->table_entries * 4);
    return 0;
}

// Entry 1 means a zeroed grain only where the header says so; elsewhere it is an offset.
enum image_state vmdk_entry_state(const struct vmdk *vmdk, uint32_t entry) {
    if (entry == 0)
        return IMAGE_HOLE;
    if (entry == VMDK_ZEROED && (vmdk->flags & VMDK_FLAG_ZEROED))
        return IMAGE_ZERO;
    return vmdk->compressed ? IMAGE_COMPRESSED : IMAGE_DATA;
}

// How many grains from `index` on are known to be missing without looking at each: the rest of a
// table that is not there, and all tables whose directory entries are a hole of the file.
static int vmdk_missing_grains(struct image *image, uint64_t index, uint64_t *count,
                               struct fault *fault) {
    struct vmdk *vmdk = image->state;
    *count = 1;
    if (!vmdk->table_missing)
        return 0;
    uint64_t table = index / vmdk->table_entries;
    if (!table_in_at(&vmdk->directory, table * 4, fault))
        return -1;
    uint64_t tables = max_u64(1, table_in_hole(&vmdk->directory, table * 4) / 4);
    *count = tables * vmdk->table_entries - index % vmdk->table_entries;
    return 0;
}

static int vmdk_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                       struct fault *fault) {
    struct vmdk *vmdk = image->state;
    uint64_t count = div_up(image->virtual_size, image->unit), index = offset / image->unit;
    uint32_t entry;
    if (vmdk_grain_entry(image, index, &entry, fault))
        return -1;
    enum image_state state = vmdk_entry_state(vmdk, entry);
    while (index < count) {
        uint64_t step = 1;
        if (vmdk_grain_entry(image, index, &entry, fault))
            return -1;
        if (vmdk_entry_state(vmdk, entry) != state)
            break;
        if (state == IMAGE_HOLE && vmdk_missing_grains(image, index, &step, fault))
            return -1;
        index += step;
    }
    uint64_t end = image->virtual_size;
    if (index < count)
        end = index * image->unit;
    *extent = (struct image_extent){offset, end - offset, state};
    return 0;
}

int vmdk_marker_read(struct image *image, uint64_t at, uint64_t *sector, uint32_t *length,
                     struct fault *fault) {
    uint8_t marker[VMDK_MARKER_DATA];
    if (at + sizeof marker > image->file_size)
        return fault_set(fault, "a grain lies outside the file");
    if (image_pread(image->fd, marker, sizeof marker, at, fault))
        return -1;
    *sector = get_le64(marker);
    *length = get_le32(marker + 8);
    if (*length == 0 || *length > vmdk_packed_room(image->unit) ||
        *length > image->file_size - at - sizeof marker)
        return fault_set(fault, "a compressed grain of %u bytes is not possible", *length);
    return 0;
}

// Inflates the grain at a file offset into vmdk->grain.
static int vmdk_grain_load(struct image *image, uint64_t index, uint64_t at, struct fault *fault) {
    struct vmdk *vmdk = image->state;
    if (vmdk->grain_index == index)
        return 0;
    if (!vmdk->grain) {
        vmdk->grain = must_realloc(NULL, image->unit);
        vmdk->packed = must_realloc(NULL, vmdk_packed_room(image->unit));
    }
    vmdk->grain_index = UINT64_MAX;
    uint64_t sector;
    uint32_t length;
    if (vmdk_marker_read(image, at, &sector, &length, fault) ||
        image_pread(image->fd, vmdk->packed, length, at + VMDK_MARKER_DATA, fault))
        return -1;
    size_t made = image_inflate(vmdk->grain, image->unit, vmdk->packed, length, false);
    uint64_t needed = min_u64(image->unit, image->virtual_size - index * image->unit);
    if (made < needed)
        return fault_set(fault, "the compressed grain at file offset %llu is damaged",
                         (unsigned long long)at);
    vmdk->grain_index = index;
    return 0;
}

// Part of one grain.
static int vmdk_read_grain(struct image *image, uint64_t offset, uint8_t *to, size_t length,
                           struct fault *fault) {
    struct vmdk *vmdk = image->state;
    uint64_t index = offset / image->unit, inside = offset % image->unit;
    uint32_t entry;
    if (vmdk_grain_entry(image, index, &entry, fault))
        return -1;
    enum image_state state = vmdk_entry_state(vmdk, entry);
    uint64_t at = (uint64_t)entry * VMDK_SECTOR;
    if (state == IMAGE_HOLE || state == IMAGE_ZERO) {
        memset(to, 0, length);
        return 0;
    }
    if (state == IMAGE_COMPRESSED) {
        if (vmdk_grain_load(image, index, at, fault))
            return -1;
        memcpy(to, vmdk->grain + inside, length);
        return 0;
    }
    if (at + inside + length > image->file_size)
        return fault_set(fault, "grain %llu lies outside the file", (unsigned long long)index);
    return image_pread(image->fd, to, length, at + inside, fault);
}

static int vmdk_read(struct image *image, uint64_t offset, void *buffer, size_t length,
                     struct fault *fault) {
    for (uint8_t *to = buffer; length;) {
        size_t part = (size_t)min_u64(length, image->unit - offset % image->unit);
        if (vmdk_read_grain(image, offset, to, part, fault))
            return -1;
        to += part;
        offset += part;
        length -= part;
    }
    return 0;
}

// The create type is told by the header, as QEMU does, not by the descriptor.
static void vmdk_info(struct image *image, struct image_info *info) {
    const struct vmdk *vmdk = image->state;
    info->virtual_size = image->virtual_size;
    info->cluster_size = image->unit;
    snprintf(info->vmdk_create_type, sizeof info->vmdk_create_type, "%s",
             vmdk->compressed ? "streamOptimized" : "monolithicSparse");
    info->vmdk_cid = vmdk->cid;
    info->vmdk_parent_cid = vmdk->parent_cid;
}

const struct image_driver vmdk_driver = {
    .format = IMAGE_VMDK,
    .name = "vmdk",
    .probe = vmdk_probe,
    .open = vmdk_open,
    .close = vmdk_close,
    .extent = vmdk_extent,
    .read = vmdk_read,
    .check = vmdk_check,
    .info = vmdk_info,
    .write = vmdk_write,
    .declared_size = vmdk_declared_size,
    .max_unit_bits = 16,
};
