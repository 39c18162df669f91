// SPDX-License-Identifier: Apache-2.0
//
// Writes a disk in any of its layouts: the extents, one after the other, then the descriptor, for
// only then the identifier of the content is known.
#include "image/vmdk.h"

#include "base/bytes.h"
#include "base/file.h"
#include "image/flat.h"

#include <stdio.h>
#include <unistd.h>

#define VMDK_DEFAULT_GRAIN_BITS 16u
#define VMDK_DEFAULT_EXTENT     (2ull << 30)
// Readers of an embedded descriptor take the file that they found it in and ignore the name, which
// a rename makes wrong anyway; so does qemu-img.
#define VMDK_EXTENT_NAME "disk.vmdk"

static const struct vmdk_layout {
    enum vmdk_kind kind;
    bool embedded;      // one extent, in the file that was asked for
    bool split;         // in extents of image_options.vmdk_extent
    const char *suffix; // of the extents' names
} layouts[VMDK_SUBFORMATS] = {
    [VMDK_SPARSE] = {VMDK_KIND_SPARSE, true, false, NULL},
    [VMDK_STREAM] = {VMDK_KIND_SPARSE, true, false, NULL},
    [VMDK_FLAT] = {VMDK_KIND_FLAT, false, false, "-flat"},
    [VMDK_SPLIT_SPARSE] = {VMDK_KIND_SPARSE, false, true, "-s"},
    [VMDK_SPLIT_FLAT] = {VMDK_KIND_FLAT, false, true, "-f"},
};

// --- sizes ---------------------------------------------------------------------------------------

int vmdk_grain_bits(const struct image_options *options, uint32_t *bits, struct fault *fault) {
    *bits = options->grain_bits ? options->grain_bits : VMDK_DEFAULT_GRAIN_BITS;
    if (*bits < 12 || *bits > 16)
        return fault_set(fault, "a vmdk grain has 2^12 to 2^16 bytes, not 2^%u", *bits);
    return 0;
}

// Guest bytes of an extent of a disk of `size`; the last one may be shorter.
static int extent_size(const struct image_options *options, uint64_t size, uint64_t *extent,
                       struct fault *fault) {
    const struct vmdk_layout *layout = &layouts[options->vmdk_subformat];
    uint32_t bits;
    if (vmdk_grain_bits(options, &bits, fault))
        return -1;
    uint64_t unit = layout->kind == VMDK_KIND_FLAT ? VMDK_SECTOR : 1u << bits;
    *extent = layout->split ? options->vmdk_extent : size;
    if (*extent == 0)
        *extent = VMDK_DEFAULT_EXTENT;
    if (layout->split && *extent % unit)
        return fault_set(fault, "extents of %llu bytes are not whole units of %llu",
                         (unsigned long long)*extent, (unsigned long long)unit);
    if (div_up(size, *extent) > IMAGE_MAX_FILES)
        return fault_set(fault, "the disk needs more than %d extents", IMAGE_MAX_FILES);
    uint64_t tables = div_up(min_u64(size, *extent), (uint64_t)VMDK_TABLE_ENTRIES << bits);
    if (layout->kind == VMDK_KIND_SPARSE && tables > VMDK_MAX_DIRECTORY)
        return fault_set(fault, "the disk needs %llu grain tables, more than readers accept",
                         (unsigned long long)tables);
    return 0;
}

int vmdk_declared_size(const struct image_options *options, uint64_t size, uint64_t *declared,
                       struct fault *fault) {
    uint64_t extent;
    *declared = 0;
    // qemu-img creates such a file and then cannot open it ("Unsupported image type
    // 'monolithicSparse'"): a capacity of 0 sends it to the descriptor for extents. Of a flat one
    // it ignores the line, and stops at an assertion that there is one.
    if (size == 0)
        return fault_set(fault, "a vmdk cannot have a size of 0");
    if (size > INT64_MAX - VMDK_SECTOR)
        return fault_set(fault, "a vmdk cannot have %llu bytes", (unsigned long long)size);
    if (extent_size(options, size, &extent, fault))
        return -1;
    *declared = round_up(size, VMDK_SECTOR);
    return 0;
}

// --- the descriptor ------------------------------------------------------------------------------

static int begin_descriptor(struct vmdk_descriptor *descriptor, const struct image_options *options,
                            uint64_t size, struct fault *fault) {
    const struct image_backing *backing = options->backing;
    *descriptor = (struct vmdk_descriptor){.parent_cid = VMDK_NO_PARENT};
    snprintf(descriptor->create_type, sizeof descriptor->create_type, "%s",
             vmdk_create_types[options->vmdk_subformat]);
    if (backing) {
        if (options->vmdk_subformat != VMDK_SPARSE || backing->format != IMAGE_VMDK)
            return fault_set(fault, "only monolithicSparse has a parent, and only a vmdk");
        if (!backing->name[0] || strpbrk(backing->name, "\"\r\n"))
            return fault_set(fault, "a descriptor cannot hold the parent's name");
        descriptor->parent_cid = get_le32(backing->identity);
        snprintf(descriptor->parent_name, sizeof descriptor->parent_name, "%s", backing->name);
    }
    descriptor->cid = vmdk_sum_begin(size, descriptor->parent_cid);
    return 0;
}

static int write_descriptor(struct image_output *output, struct vmdk_descriptor *descriptor,
                            bool embedded, struct fault *fault) {
    char text[VMDK_DESCRIPTOR_SECTORS * VMDK_SECTOR];
    if (descriptor->cid == VMDK_NO_PARENT) // a file above could not name it
        descriptor->cid--;
    put_le32(output->written->identity, descriptor->cid);
    size_t length = vmdk_descriptor_build(text, sizeof text, descriptor);
    if (length == 0)
        return fault_set(fault, "the descriptor is too long");
    return file_pwrite(output->fd, text, embedded ? sizeof text : length,
                       embedded ? VMDK_SECTOR : 0, fault);
}

// --- extents -------------------------------------------------------------------------------------

static int write_flat(int fd, const struct image_options *options, const struct vmdk_slice *slice,
                      struct image_written *written, struct fault *fault) {
    if (ftruncate(fd, (off_t)slice->size) < 0)
        return fault_errno(fault, "cannot make the extent %llu bytes long",
                           (unsigned long long)slice->size);
    if (flat_write(fd, &slice->source, options->skip_zeros, fault))
        return -1;
    written->unit = FLAT_UNIT;
    return flat_map(fd, slice->size, slice->start, &written->map, fault);
}

// Creates the file of the extent with this number (from 1) and names it in `line`.
static int create_extent(struct image_output *output, const struct vmdk_layout *layout,
                         unsigned number, struct vmdk_line *line, struct fault *fault) {
    char stem[IMAGE_NAME_ROOM], name[2 * IMAGE_NAME_ROOM];
    image_stem(output->path, stem);
    if (layout->split)
        snprintf(name, sizeof name, "%s%s%03u.vmdk", stem, layout->suffix, number);
    else
        snprintf(name, sizeof name, "%s%s.vmdk", stem, layout->suffix);
    if (strpbrk(name, "\"\r\n"))
        return fault_set(fault, "a descriptor cannot hold the name %s", name);
    int fd = image_output_beside(output, name, fault);
    if (fd >= 0)
        snprintf(line->name, sizeof line->name, "%s", name);
    return fd;
}

static int write_extent(struct image_output *output, const struct image_options *options,
                        struct vmdk_slice *slice, struct vmdk_line *line, unsigned number,
                        struct fault *fault) {
    const struct vmdk_layout *layout = &layouts[options->vmdk_subformat];
    *line = (struct vmdk_line){layout->kind, slice->size / VMDK_SECTOR, VMDK_EXTENT_NAME, 0};
    if (layout->embedded)
        return vmdk_write_extent(output->fd, options, slice, true, output->written, fault);
    int fd = create_extent(output, layout, number, line, fault);
    if (fd < 0)
        return -1;
    int result = layout->kind == VMDK_KIND_FLAT
                     ? write_flat(fd, options, slice, output->written, fault)
                     : vmdk_write_extent(fd, options, slice, false, output->written, fault);
    if (close(fd) < 0 && result == 0)
        result = fault_errno(fault, "cannot close %s", line->name);
    return result;
}

int vmdk_write(struct image_output *output, const struct image_options *options,
               const struct image_source *source, struct image_written *written,
               struct fault *fault) {
    struct vmdk_descriptor descriptor;
    uint64_t declared, extent;
    if (vmdk_declared_size(options, source->size, &declared, fault) ||
        extent_size(options, declared, &extent, fault) ||
        begin_descriptor(&descriptor, options, declared, fault))
        return -1;
    written->virtual_size = declared;
    for (uint64_t start = 0; start < declared; start += extent) {
        struct vmdk_slice slice;
        struct vmdk_line *line = &descriptor.lines[descriptor.count++];
        vmdk_slice_begin(&slice, source, start, min_u64(extent, declared - start), &descriptor.cid);
        if (write_extent(output, options, &slice, line, (unsigned)descriptor.count, fault))
            return -1;
    }
    return write_descriptor(output, &descriptor, layouts[options->vmdk_subformat].embedded, fault);
}
