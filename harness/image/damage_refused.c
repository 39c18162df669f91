// SPDX-License-Identifier: Apache-2.0
//
// Copies that no reader may open: each asks for something that nobody knows, or breaks what a
// reader has to know it by. A reader that goes on shows a disk which is another one, or was so by
// luck.
#include "image/damage_kinds.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/qcow2.h"
#include "image/vhdx.h"
#include "image/vmdk.h"
#include "image/vpc.h"

#include <stdlib.h>
#include <unistd.h>

// --- qcow2: QEMU, docs/interop/qcow2, "Header" ---------------------------------------------------

bool damage_has_features(const struct image *image) {
    const struct qcow2_state *state = image->state;
    return state->version >= 3;
}

static bool has_compressed(struct image *image) {
    struct image_extent extent;
    for (uint64_t at = 0; at < image->virtual_size; at = extent.offset + extent.length) {
        if (image->driver->extent(image, at, &extent, NULL))
            return false;
        if (extent.state == IMAGE_COMPRESSED)
            return true;
    }
    return false;
}

bool damage_has_compression(const struct image *image) {
    const struct qcow2_state *state = image->state;
    return damage_has_features(image) && state->header_length > QCOW2_AT_COMPRESSION;
}

static int put_incompatible(const struct damaged_copy *copy, uint64_t more, struct fault *fault) {
    const struct qcow2_state *state = copy->image->state;
    uint8_t bytes[8];
    put_be64(bytes, state->incompatible | more);
    return file_pwrite(copy->fd, bytes, sizeof bytes, QCOW2_AT_INCOMPATIBLE, fault);
}

// "An implementation must fail to open an image if an unknown bit is set." The lower bits are those
// that may have got a meaning since.
int damage_feature(const struct damaged_copy *copy, struct fault *fault) {
    return put_incompatible(copy, 1ull << (32 + copy->chosen % 32), fault);
}

// Bit 3, and a type that is not one of the two; of something that is compressed.
int damage_compression(const struct damaged_copy *copy, struct fault *fault) {
    uint8_t type = (uint8_t)(0x80 | copy->chosen);
    if (!has_compressed(copy->image))
        return fault_set(fault, "nothing is compressed");
    if (file_pwrite(copy->fd, &type, 1, QCOW2_AT_COMPRESSION, fault))
        return -1;
    return put_incompatible(copy, QCOW2_INCOMPAT_COMPRESSION, fault);
}

// --- vmdk: VMware, Virtual Disk Format 5.0, "Hosted Sparse Extent Header" ------------------------

// Of a version that was never given out; in the footer, too, where that is the header that counts.
int damage_version(const struct damaged_copy *copy, struct fault *fault) {
    const struct vmdk *vmdk = copy->image->state;
    const struct vmdk_sparse *sparse = &vmdk->extents[0].sparse;
    uint8_t front[VMDK_SECTOR], version[4];
    put_le32(version, 0x100 + (uint32_t)(copy->chosen % 256));
    if (file_pread(copy->fd, front, sizeof front, 0, fault) ||
        file_pwrite(copy->fd, version, sizeof version, VMDK_VERSION, fault))
        return -1;
    if (get_le64(front + VMDK_DIRECTORY_OFFSET) != VMDK_AT_END)
        return 0;
    return file_pwrite(copy->fd, version, sizeof version,
                       sparse->file_size - 2 * VMDK_SECTOR + VMDK_VERSION, fault);
}

// --- vpc -----------------------------------------------------------------------------------------

// Microsoft, Virtual Hard Disk Image Format Specification, "Dynamic Disk Header Format": "This
// field holds the value 'cxsparse'."
int damage_cookie(const struct damaged_copy *copy, struct fault *fault) {
    const struct vpc *vpc = copy->image->state;
    uint64_t at = get_be64(vpc->footer + VPC_FOOTER_DATA_OFFSET) + VPC_HEADER_COOKIE;
    uint8_t cookie[8];
    if (file_pread(copy->fd, cookie, sizeof cookie, at, fault))
        return -1;
    cookie[copy->chosen % sizeof cookie] ^= 0x20; // the other case
    return file_pwrite(copy->fd, cookie, sizeof cookie, at, fault);
}

// --- vhdx: [MS-VHDX] -----------------------------------------------------------------------------

static const uint8_t nobodys_guid[16] = {0x6e, 0x6f, 0x62, 0x6f, 0x64, 0x79, 0x4b, 0x6e,
                                         0x8f, 0x77, 0x73, 0x54, 0x68, 0x69, 0x73, 0x21};

// Where a file that is longer by one region would end.
static uint64_t longer_end(const struct damaged_copy *copy) {
    return round_up(copy->image->file_size, VHDX_MIB) + VHDX_MIB;
}

static int put_checked(const struct damaged_copy *copy, uint8_t *bytes, size_t length, uint64_t at,
                       struct fault *fault) {
    put_le32(bytes + VHDX_CHECKSUM_OFFSET, vhdx_checksum(bytes, length));
    return file_pwrite(copy->fd, bytes, length, at, fault);
}

// Changes both region tables, each read from the copy.
static int change_regions(const struct damaged_copy *copy,
                          int (*change)(const struct damaged_copy *copy, uint8_t *table,
                                        struct fault *fault),
                          struct fault *fault) {
    static const uint64_t places[] = {VHDX_REGIONS_1_OFFSET, VHDX_REGIONS_2_OFFSET};
    uint8_t *table = must_realloc(NULL, VHDX_REGIONS_SIZE);
    int status = 0;
    for (int i = 0; i < 2 && status == 0; i++) {
        status = file_pread(copy->fd, table, VHDX_REGIONS_SIZE, places[i], fault);
        if (status == 0)
            status = change(copy, table, fault);
        if (status == 0)
            status = file_pwrite(copy->fd, table, VHDX_REGIONS_SIZE, places[i], fault);
    }
    free(table);
    return status;
}

// 2.2.3.1: neither table is the one that was written, and there is no third one.
static int break_checksum(const struct damaged_copy *copy, uint8_t *table, struct fault *fault) {
    (void)fault;
    table[VHDX_CHECKSUM_OFFSET + copy->chosen % 4] ^= (uint8_t)(1u << copy->chosen / 4 % 8);
    return 0;
}

int damage_checksum(const struct damaged_copy *copy, struct fault *fault) {
    return change_regions(copy, break_checksum, fault);
}

// 2.2.3.2, Required: "If this field is set to 1 and the implementation does not recognize this
// region type, the implementation MUST refuse to load this VHDX file." It is a sound one at the
// end.
static int add_region(const struct damaged_copy *copy, uint8_t *table, struct fault *fault) {
    uint32_t count = get_le32(table + 8);
    uint8_t *entry = table + 16 + count * 32;
    if (count >= VHDX_MAX_REGIONS)
        return fault_set(fault, "no room for a region");
    memcpy(entry, nobodys_guid, sizeof nobodys_guid);
    put_le64(entry + 16, longer_end(copy) - VHDX_MIB);
    put_le32(entry + 24, VHDX_MIB);
    put_le32(entry + 28, 1);
    put_le32(table + 8, count + 1);
    put_le32(table + VHDX_CHECKSUM_OFFSET, vhdx_checksum(table, VHDX_REGIONS_SIZE));
    return 0;
}

int damage_region(const struct damaged_copy *copy, struct fault *fault) {
    if (ftruncate(copy->fd, (off_t)longer_end(copy)) < 0)
        return fault_errno(fault, "no room for a region");
    return change_regions(copy, add_region, fault);
}

// 2.6.1.2, IsRequired: the same of a metadata item, which is there and empty.
int damage_item(const struct damaged_copy *copy, struct fault *fault) {
    const struct vhdx *vhdx = copy->image->state;
    uint8_t head[32], entry[32] = {0};
    if (file_pread(copy->fd, head, sizeof head, vhdx->metadata.offset, fault))
        return -1;
    uint32_t count = get_le16(head + 10);
    if (count >= VHDX_MAX_METADATA)
        return fault_set(fault, "no room for an item");
    memcpy(entry, nobodys_guid, sizeof nobodys_guid);
    put_le32(entry + 24, 4);
    put_le16(head + 10, (uint16_t)(count + 1));
    if (file_pwrite(copy->fd, entry, sizeof entry,
                    vhdx->metadata.offset + sizeof head + count * sizeof entry, fault))
        return -1;
    return file_pwrite(copy->fd, head, sizeof head, vhdx->metadata.offset, fault);
}

#define ENTRY_SIZE    4096u // of the log; a header of 64 bytes, and what it describes
#define ENTRY_HEADER  64u
#define ENTRY_WRITTEN 4096u // file bytes that the entry is about

// 2.3.1.1 and 2.3.1.2: the log's one entry, which would make the beginning of the block table zero.
static void build_entry(const struct damaged_copy *copy, uint8_t *entry) {
    const struct vhdx *vhdx = copy->image->state;
    uint8_t *descriptor = entry + ENTRY_HEADER;
    memset(entry, 0, ENTRY_SIZE);
    memcpy(entry, "loge", 4);
    put_le32(entry + 8, ENTRY_SIZE);
    put_le64(entry + 16, 1); // sequence number; the tail before it is this very entry
    put_le32(entry + 24, 1); // descriptors
    memcpy(entry + 32, nobodys_guid, sizeof nobodys_guid);
    put_le64(entry + 48, longer_end(copy)); // flushed
    put_le64(entry + 56, longer_end(copy)); // last
    memcpy(descriptor, "zero", 4);
    put_le64(descriptor + 8, ENTRY_WRITTEN);
    put_le64(descriptor + 16, vhdx->bat.offset);
    put_le64(descriptor + 24, 1);
}

// 2.3.3: a log that is not empty must be replayed before anything else is read, by who cannot the
// file must not be opened; and by nobody if it is shorter than it was when the entry was written
// (FlushedFileOffset), as this one is. The log's GUID stands in both headers.
int damage_log(const struct damaged_copy *copy, struct fault *fault) {
    static const uint64_t places[] = {VHDX_HEADER_1_OFFSET, VHDX_HEADER_2_OFFSET};
    const struct vhdx *vhdx = copy->image->state;
    uint8_t bytes[VHDX_HEADER_SIZE];
    for (int i = 0; i < 2; i++) {
        if (!vhdx->header_valid[i])
            continue;
        if (file_pread(copy->fd, bytes, sizeof bytes, places[i], fault))
            return -1;
        memcpy(bytes + VHDX_HEADER_LOG_GUID, nobodys_guid, sizeof nobodys_guid);
        if (put_checked(copy, bytes, sizeof bytes, places[i], fault))
            return -1;
    }
    build_entry(copy, bytes);
    return put_checked(copy, bytes, ENTRY_SIZE, vhdx->log.offset, fault);
}
