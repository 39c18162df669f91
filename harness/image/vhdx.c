// SPDX-License-Identifier: Apache-2.0
//
// Hyper-V's VHDX: fixed, dynamic and differencing disks with an empty log. A log would have to be
// replayed before anything else may be believed.
#include "image/vhdx.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/drivers.h"

#include <stdio.h>
#include <stdlib.h>

static bool vhdx_probe(const uint8_t *head, size_t head_length, const uint8_t *tail,
                       size_t tail_length) {
    (void)tail;
    (void)tail_length;
    return head_length >= 8 && memcmp(head, "vhdxfile", 8) == 0;
}

int vhdx_entry(struct vhdx *vhdx, uint64_t block, uint64_t *entry, uint64_t *run,
               struct fault *fault) {
    uint64_t at = vhdx_entry_index(block, vhdx->chunk_ratio) * 8;
    const uint8_t *bytes = table_in_at(&vhdx->table, at, fault);
    if (!bytes)
        return -1;
    *entry = get_le64(bytes);
    if (run) {
        // A hole of the file holds zeros, thus blocks that are not present. Bitmap entries lie
        // between, so that fewer blocks than entries are known; less than one per chunk.
        uint64_t entries = table_in_hole(&vhdx->table, at) / 8;
        *run = entries ? max_u64(1, entries - div_up(entries, vhdx->chunk_ratio + 1)) : 1;
    }
    return 0;
}

const char *vhdx_entry_problem(const struct image *image, uint64_t entry) {
    const struct vhdx *vhdx = image->state;
    uint64_t offset = entry & VHDX_OFFSET_MASK;
    switch ((enum vhdx_state)(entry & VHDX_STATE_MASK)) {
    case VHDX_NOT_PRESENT:
    case VHDX_UNDEFINED:
    case VHDX_ZERO:
    case VHDX_UNMAPPED:
    case VHDX_UNMAPPED_DRAFT:
        return NULL;
    case VHDX_FULLY_PRESENT:
        break;
    case VHDX_PARTIALLY_PRESENT:
        if (vhdx->differencing)
            break;
        return "partially present, but the disk has no parent:";
    default:
        return "in a state that does not exist:";
    }
    if (offset < VHDX_MIB)
        return "in the header section:";
    if (offset > image->file_size || image->file_size - offset < vhdx->block_size)
        return "beyond the file's end:";
    const struct vhdx_region *const regions[] = {&vhdx->log, &vhdx->bat, &vhdx->metadata};
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
        if (offset < regions[i]->offset + regions[i]->length &&
            regions[i]->offset < offset + vhdx->block_size)
            return "inside a table:";
    return NULL;
}

static bool vhdx_is_stored(const struct vhdx *vhdx, uint64_t entry) {
    uint64_t state = entry & VHDX_STATE_MASK;
    return state == VHDX_FULLY_PRESENT || (state == VHDX_PARTIALLY_PRESENT && vhdx->differencing);
}

// Finds at once what a reader would otherwise find late. QEMU does the same for blocks that are
// present, and meets a state that it cannot read only when it reads.
static int vhdx_open_table(struct image *image, struct vhdx *vhdx, struct fault *fault) {
    vhdx->chunk_ratio = vhdx_chunk_ratio(vhdx->logical_sector, vhdx->block_size);
    vhdx->blocks = div_up(image->virtual_size, vhdx->block_size);
    uint64_t entries = vhdx_entries(vhdx->blocks, vhdx->chunk_ratio, vhdx->differencing);
    if (entries > min_u64(vhdx->bat.length, image->file_size - vhdx->bat.offset) / 8)
        return fault_set(fault, "the vhdx table is too small for the disk");
    table_in_begin(&vhdx->table, image->fd, vhdx->bat.offset, entries * 8);
    uint64_t entry, run;
    for (uint64_t block = 0; block < vhdx->blocks; block += run) {
        if (vhdx_entry(vhdx, block, &entry, &run, fault))
            return -1;
        const char *problem = vhdx_entry_problem(image, entry);
        if (problem && vhdx_is_stored(image->state, entry))
            return fault_set(fault, "%s vhdx block %llu", problem, (unsigned long long)block);
    }
    return 0;
}

static void vhdx_close(struct image *image) {
    struct vhdx *vhdx = image->state;
    if (vhdx) {
        table_in_end(&vhdx->table);
        table_in_end(&vhdx->file);
    }
    free(vhdx);
    image->state = NULL;
}

static int vhdx_open(struct image *image, struct fault *fault) {
    uint8_t signature[8];
    if (file_pread(image->fd, signature, sizeof signature, VHDX_IDENTIFIER_OFFSET, fault))
        return -1;
    if (memcmp(signature, "vhdxfile", sizeof signature) != 0)
        return fault_set(fault, "not a vhdx file");
    struct vhdx *vhdx = must_realloc(NULL, sizeof *vhdx);
    *vhdx = (struct vhdx){0};
    image->state = vhdx;
    if (vhdx_open_header(image, vhdx, fault) == 0 && vhdx_open_regions(image, vhdx, fault) == 0 &&
        vhdx_open_metadata(image, vhdx, fault) == 0 && vhdx_open_table(image, vhdx, fault) == 0) {
        image->unit = vhdx->block_size;
        return 0;
    }
    vhdx_close(image);
    return -1;
}

// Undefined and unmapped blocks have no content; they read as zero, here as in QEMU, and do not
// show a parent.
static int vhdx_state_of(const struct vhdx *vhdx, uint64_t block, uint64_t entry,
                         enum image_state *state, struct fault *fault) {
    switch ((enum vhdx_state)(entry & VHDX_STATE_MASK)) {
    case VHDX_NOT_PRESENT:
        *state = IMAGE_HOLE;
        return 0;
    case VHDX_UNDEFINED:
    case VHDX_UNMAPPED:
    case VHDX_UNMAPPED_DRAFT:
        *state = vhdx->differencing ? IMAGE_ZERO : IMAGE_HOLE;
        return 0;
    case VHDX_ZERO:
        *state = IMAGE_ZERO;
        return 0;
    case VHDX_FULLY_PRESENT:
        *state = IMAGE_DATA;
        return 0;
    default:
        return fault_set(fault, "vhdx block %llu is in state %u, which cannot be read",
                         (unsigned long long)block, (unsigned)(entry & VHDX_STATE_MASK));
    }
}

static int vhdx_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                       struct fault *fault) {
    struct vhdx *vhdx = image->state;
    uint64_t block = offset / vhdx->block_size, entry, run;
    enum image_state state = IMAGE_HOLE, next = IMAGE_HOLE;
    if (vhdx_entry(vhdx, block, &entry, &run, fault))
        return -1;
    if (vhdx->differencing && (entry & VHDX_STATE_MASK) == VHDX_PARTIALLY_PRESENT)
        return vhdx_partial_extent(image, offset, extent, fault);
    if (vhdx_state_of(vhdx, block, entry, &state, fault))
        return -1;
    for (block += run; block < vhdx->blocks; block += run) {
        if (vhdx_entry(vhdx, block, &entry, &run, fault))
            return -1;
        // A block that cannot be read ends the run, as one of several states does; whoever asks for
        // it is told.
        if (vhdx_state_of(vhdx, block, entry, &next, NULL) || next != state)
            break;
    }
    uint64_t end = image->virtual_size;
    if (block < vhdx->blocks)
        end = block * vhdx->block_size;
    *extent = (struct image_extent){offset, end - offset, state};
    return 0;
}

static int vhdx_read(struct image *image, uint64_t offset, void *buffer, size_t length,
                     struct fault *fault) {
    struct vhdx *vhdx = image->state;
    for (uint8_t *to = buffer; length;) {
        uint64_t block = offset / vhdx->block_size, inside = offset % vhdx->block_size, entry;
        size_t part = (size_t)min_u64(length, vhdx->block_size - inside);
        enum image_state state = IMAGE_DATA;
        if (vhdx_entry(vhdx, block, &entry, NULL, fault) ||
            (!vhdx_is_stored(vhdx, entry) && vhdx_state_of(vhdx, block, entry, &state, fault)))
            return -1;
        if (state != IMAGE_DATA)
            memset(to, 0, part);
        else if (file_pread(image->fd, to, part, (entry & VHDX_OFFSET_MASK) + inside, fault))
            return -1;
        to += part;
        offset += part;
        length -= part;
    }
    return 0;
}

static void vhdx_info(struct image *image, struct image_info *info) {
    const struct vhdx *vhdx = image->state;
    *info = (struct image_info){
        .virtual_size = image->virtual_size,
        .cluster_size = image->unit,
        .has_backing = vhdx->differencing,
    };
    if (vhdx->differencing) {
        snprintf(info->backing_name, sizeof info->backing_name, "%s", vhdx->parent);
        strcpy(info->backing_format, "vhdx");
    }
}

const struct image_driver vhdx_driver = {
    .format = IMAGE_VHDX,
    .name = "vhdx",
    .probe = vhdx_probe,
    .open = vhdx_open,
    .close = vhdx_close,
    .extent = vhdx_extent,
    .read = vhdx_read,
    .check = vhdx_check,
    .info = vhdx_info,
    .write = vhdx_write,
    .declared_size = vhdx_declared_size,
};
