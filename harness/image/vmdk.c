// SPDX-License-Identifier: Apache-2.0
//
// VMware's disks: a sparse file that carries its descriptor (monolithicSparse, and streamOptimized
// with its deflated grains), or a descriptor in a text file whose extents are files beside it.
#include "image/vmdk.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/drivers.h"
#include "image/flat.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC_LENGTH (sizeof VMDK_TEXT_MAGIC - 1)

// What a descriptor in a file of its own may be: those kinds that QEMU reads, less the ones of
// servers.
static const enum vmdk_subformat text_types[] = {VMDK_FLAT, VMDK_SPLIT_SPARSE, VMDK_SPLIT_FLAT};

static bool vmdk_probe(const uint8_t *head, size_t head_length, const uint8_t *tail,
                       size_t tail_length) {
    (void)tail;
    (void)tail_length;
    return (head_length >= 4 && memcmp(head, "KDMV", 4) == 0) ||
           (head_length >= MAGIC_LENGTH && memcmp(head, VMDK_TEXT_MAGIC, MAGIC_LENGTH) == 0);
}

// --- opening -------------------------------------------------------------------------------------

static int read_text(struct image *image, uint64_t offset, size_t length, size_t *lines,
                     struct fault *fault) {
    struct vmdk *vmdk = image->state;
    char *text = must_realloc(NULL, length + 1);
    text[length] = 0;
    int result = file_pread(image->fd, text, length, offset, fault);
    if (result == 0)
        result = vmdk_descriptor_read(&vmdk->descriptor, text, lines, fault);
    if (result == 0 && !vmdk->embedded)
        result = vmdk_descriptor_lines(&vmdk->descriptor, text, fault);
    free(text);
    return result;
}

static int open_embedded_text(struct image *image, const struct vmdk_sparse *sparse,
                              struct fault *fault) {
    uint64_t offset = get_le64(sparse->header + VMDK_DESCRIPTOR_OFFSET);
    uint64_t length = get_le64(sparse->header + VMDK_DESCRIPTOR_LENGTH);
    uint64_t sectors = image->file_size / VMDK_SECTOR;
    struct vmdk *vmdk = image->state;
    size_t lines;
    vmdk->descriptor.parent_cid = VMDK_NO_PARENT;
    if (offset == 0)
        return 0; // an extent whose descriptor is elsewhere: nothing to learn
    if (offset >= sectors || length > sectors - offset)
        return fault_set(fault, "the embedded descriptor lies outside the file");
    if (read_text(image, offset * VMDK_SECTOR, (size_t)min_u64(length * VMDK_SECTOR, VMDK_MAX_TEXT),
                  &lines, fault))
        return -1;
    return lines > 1 ? fault_set(fault, "an extent that carries the descriptor of several") : 0;
}

// The file is the one extent.
static int open_monolithic(struct image *image, struct fault *fault) {
    struct vmdk *vmdk = image->state;
    struct vmdk_extent *extent = vmdk->extents = must_realloc(NULL, sizeof *extent);
    vmdk->count = 1;
    vmdk->embedded = true;
    *extent = (struct vmdk_extent){.kind = VMDK_KIND_SPARSE, .fd = -1};
    extent->sparse = (struct vmdk_sparse){.fd = image->fd, .file_size = image->file_size};
    if (vmdk_sparse_open(&extent->sparse, fault) ||
        open_embedded_text(image, &extent->sparse, fault))
        return -1;
    // The create type is told by the header, as QEMU does, not by the descriptor.
    snprintf(vmdk->descriptor.create_type, sizeof vmdk->descriptor.create_type, "%s",
             vmdk_create_types[extent->sparse.compressed ? VMDK_STREAM : VMDK_SPARSE]);
    extent->size = extent->sparse.size;
    image->virtual_size = extent->size;
    image->unit = extent->sparse.grain;
    return 0;
}

static bool same_file(int a, int b) {
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

// An extent of `size` guest bytes, whose file is open. QEMU takes the size of a sparse one from its
// header and reads zeros behind the end of a flat one; two opinions of the size are damage.
static int open_extent(struct image *image, struct vmdk_extent *extent,
                       const struct vmdk_line *line, uint64_t file_size, struct fault *fault) {
    if (same_file(extent->fd, image->fd))
        return fault_set(fault, "the descriptor names itself");
    if (extent->kind == VMDK_KIND_FLAT) {
        extent->offset = line->offset * VMDK_SECTOR;
        if (extent->offset > file_size || extent->size > file_size - extent->offset)
            return fault_set(fault, "the file is shorter than the extent");
        return 0;
    }
    extent->sparse = (struct vmdk_sparse){.fd = extent->fd, .file_size = file_size};
    if (vmdk_sparse_open(&extent->sparse, fault))
        return -1;
    if (extent->sparse.size != extent->size)
        return fault_set(fault, "the descriptor and the extent differ about its size");
    return 0;
}

static int open_line(struct image *image, const struct vmdk_line *line, struct fault *fault) {
    struct vmdk *vmdk = image->state;
    struct vmdk_extent *extent = &vmdk->extents[vmdk->count++];
    uint64_t file_size;
    *extent = (struct vmdk_extent){.kind = line->kind, .fd = -1};
    extent->start = image->virtual_size;
    extent->size = line->sectors * VMDK_SECTOR;
    if (extent->size > INT64_MAX - extent->start)
        return fault_set(fault, "the extents are larger than any disk");
    image->virtual_size += extent->size;
    if (line->kind == VMDK_KIND_ZERO)
        return 0;
    extent->fd = image_open_beside(image, line->name, &file_size, fault);
    if (extent->fd < 0)
        return -1;
    if (open_extent(image, extent, line, file_size, fault))
        return fault_prefix(fault, "extent %s: ", line->name);
    return 0;
}

static int open_lines(struct image *image, struct fault *fault) {
    struct vmdk *vmdk = image->state;
    const struct vmdk_descriptor *descriptor = &vmdk->descriptor;
    bool known = false;
    for (size_t i = 0; i < sizeof text_types / sizeof *text_types; i++)
        known |= strcmp(descriptor->create_type, vmdk_create_types[text_types[i]]) == 0;
    if (!known)
        return fault_set(fault, "a descriptor of the type '%s' is not supported",
                         descriptor->create_type);
    vmdk->extents = must_realloc(NULL, descriptor->count * sizeof *vmdk->extents);
    image->unit = 0;
    for (size_t i = 0; i < descriptor->count; i++) {
        if (open_line(image, &descriptor->lines[i], fault))
            return -1;
        if (image->unit == 0)
            image->unit = vmdk->extents[i].sparse.grain; // 0 if it is not sparse
    }
    if (image->unit == 0)
        image->unit = FLAT_UNIT;
    return 0;
}

static void vmdk_close(struct image *image) {
    struct vmdk *vmdk = image->state;
    for (size_t i = 0; i < vmdk->count; i++) {
        vmdk_sparse_close(&vmdk->extents[i].sparse);
        if (vmdk->extents[i].fd >= 0)
            close(vmdk->extents[i].fd);
    }
    free(vmdk->extents);
    free(vmdk);
    image->state = NULL;
}

static int vmdk_open(struct image *image, struct fault *fault) {
    struct vmdk *vmdk = must_realloc(NULL, sizeof *vmdk);
    memset(vmdk, 0, sizeof *vmdk);
    image->state = vmdk;
    uint8_t magic[MAGIC_LENGTH];
    size_t lines;
    int result = file_pread(image->fd, magic, sizeof magic, 0, fault);
    if (result == 0 && memcmp(magic, VMDK_TEXT_MAGIC, MAGIC_LENGTH) != 0)
        result = open_monolithic(image, fault);
    else if (result == 0 && image->file_size > VMDK_MAX_TEXT)
        result = fault_set(fault, "a descriptor of more than %u bytes", VMDK_MAX_TEXT);
    else if (result == 0)
        result =
            read_text(image, 0, (size_t)image->file_size, &lines, fault) || open_lines(image, fault)
                ? -1
                : 0;
    image->has_backing = vmdk->descriptor.parent_name[0] != 0;
    if (result < 0)
        vmdk_close(image);
    return result;
}

// QEMU opens a chain whose identifiers differ, shows, checks and measures it, and fails when it
// comes to read bytes of the parent through it (7.2: "Invalid argument"; holes and zeroed grains of
// the parent it does not read). Here nothing of it is believed.
static int vmdk_fits_backing(struct image *image, struct fault *fault) {
    const struct vmdk *vmdk = image->state, *below = image->backing->state;
    if (vmdk->descriptor.parent_cid == below->descriptor.cid)
        return 0;
    return fault_set(fault, "%.100s is not the parent: its CID is %08x, not %08x",
                     vmdk->descriptor.parent_name, below->descriptor.cid,
                     vmdk->descriptor.parent_cid);
}

// --- reading -------------------------------------------------------------------------------------

static struct vmdk_extent *extent_of(const struct vmdk *vmdk, uint64_t offset) {
    size_t i = 0;
    while (i + 1 < vmdk->count && offset >= vmdk->extents[i + 1].start)
        i++;
    return &vmdk->extents[i];
}

static int vmdk_extent(struct image *image, uint64_t offset, struct image_extent *run,
                       struct fault *fault) {
    struct vmdk_extent *extent = extent_of(image->state, offset);
    uint64_t inside = offset - extent->start;
    int result = 0;
    switch (extent->kind) {
    case VMDK_KIND_SPARSE:
        result = vmdk_sparse_extent(&extent->sparse, inside, run, fault);
        break;
    case VMDK_KIND_FLAT:
        result = flat_extent(extent->fd, extent->offset + extent->size, extent->offset + inside,
                             run, fault);
        // All of it is the extent's own: its holes do not show a parent.
        if (image->has_backing && run->state == IMAGE_HOLE)
            run->state = IMAGE_ZERO;
        break;
    case VMDK_KIND_ZERO:
    case VMDK_KINDS:
        *run = (struct image_extent){.length = extent->size - inside, .state = IMAGE_ZERO};
    }
    run->offset = offset;
    return result;
}

static int vmdk_read(struct image *image, uint64_t offset, void *buffer, size_t length,
                     struct fault *fault) {
    for (uint8_t *to = buffer; length;) {
        struct vmdk_extent *extent = extent_of(image->state, offset);
        uint64_t inside = offset - extent->start;
        size_t part = (size_t)min_u64(length, extent->size - inside);
        int result = 0;
        if (extent->kind == VMDK_KIND_SPARSE)
            result = vmdk_sparse_read(&extent->sparse, inside, to, part, fault);
        else if (extent->kind == VMDK_KIND_FLAT)
            result = file_pread(extent->fd, to, part, extent->offset + inside, fault);
        else
            memset(to, 0, part);
        if (result)
            return -1;
        to += part;
        offset += part;
        length -= part;
    }
    return 0;
}

static void info_extents(const struct vmdk *vmdk, struct image_info *info) {
    const struct vmdk_descriptor *descriptor = &vmdk->descriptor;
    bool alike = true;
    for (size_t i = 0; i < vmdk->count; i++) {
        const struct vmdk_extent *extent = &vmdk->extents[i];
        struct image_part *part = &info->vmdk_extents[info->vmdk_extent_count++];
        *part = (struct image_part){"", "", extent->size, extent->sparse.grain,
                                    extent->sparse.compressed};
        if (!vmdk->embedded) {
            snprintf(part->name, sizeof part->name, "%s", descriptor->lines[i].name);
            part->kind = vmdk_kind_name(extent->kind);
        }
        alike &= part->cluster_size == info->vmdk_extents[0].cluster_size;
    }
    info->cluster_size = alike ? info->vmdk_extents[0].cluster_size : 0;
}

static void vmdk_info(struct image *image, struct image_info *info) {
    const struct vmdk *vmdk = image->state;
    const struct vmdk_descriptor *descriptor = &vmdk->descriptor;
    memset(info, 0, sizeof *info);
    info->virtual_size = image->virtual_size;
    info->vmdk_footer = vmdk->embedded && vmdk->extents[0].sparse.footer;
    info->vmdk_cid = descriptor->cid;
    info->vmdk_parent_cid = descriptor->parent_cid;
    snprintf(info->vmdk_create_type, sizeof info->vmdk_create_type, "%s", descriptor->create_type);
    info_extents(vmdk, info);
    info->has_backing = image->has_backing;
    if (!info->has_backing)
        return;
    snprintf(info->backing_name, sizeof info->backing_name, "%s", descriptor->parent_name);
    // Not recorded: a parent is never anything else.
    snprintf(info->backing_format, sizeof info->backing_format, "vmdk");
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
    .fits_backing = vmdk_fits_backing,
};
