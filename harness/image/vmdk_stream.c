// SPDX-License-Identifier: Apache-2.0
//
// Writes streamOptimized, the form that can be sent while it is made: nothing that was written is
// ever changed, so each grain table follows its grains, the directory follows the tables, and the
// place of the directory is told by a footer. ("Stream-Optimized Compressed Sparse Extents".)
// qemu-img writes no footer but goes back to the header; it and libvmdk read both.
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/unit_walk.h"
#include "image/vmdk.h"

#include <stdlib.h>

// Grain tables that were written; far fewer than the directory has entries.
struct vmdk_stream_table {
    uint64_t index;
    uint32_t sector;
};

struct vmdk_stream {
    struct vmdk_out *out;
    uint8_t *bytes, *packed; // a grain, and a marker with the same deflated
    struct vmdk_stream_table *tables;
    size_t count, capacity;
};

static int vmdk_stream_append(struct vmdk_out *out, const void *bytes, size_t length,
                              struct fault *fault) {
    if (file_pwrite(out->fd, bytes, length, out->end, fault))
        return -1;
    out->end += round_up(length, VMDK_SECTOR);
    return 0;
}

// A metadata marker: how many sectors of what follow.
static int vmdk_stream_marker(struct vmdk_out *out, enum vmdk_marker type, uint64_t sectors,
                              struct fault *fault) {
    uint8_t marker[VMDK_SECTOR] = {0};
    put_le64(marker, sectors);
    put_le32(marker + 12, type);
    return vmdk_stream_append(out, marker, sizeof marker, fault);
}

static int vmdk_stream_flush_table(struct vmdk_stream *stream, struct fault *fault) {
    struct vmdk_out *out = stream->out;
    if (out->table_index == UINT64_MAX)
        return 0;
    if (vmdk_stream_marker(out, VMDK_MARKER_GT, VMDK_TABLE_SIZE / VMDK_SECTOR, fault))
        return -1;
    if (stream->count == stream->capacity) {
        stream->capacity = stream->capacity ? stream->capacity * 2 : 16;
        stream->tables = must_realloc(stream->tables, stream->capacity * sizeof *stream->tables);
    }
    struct vmdk_stream_table *table = &stream->tables[stream->count++];
    table->index = out->table_index;
    if (vmdk_sector_of(out->end, &table->sector, fault))
        return -1;
    return vmdk_stream_append(out, out->table, VMDK_TABLE_SIZE, fault);
}

static int vmdk_stream_grain(struct vmdk_stream *stream, const struct unit *unit,
                             struct fault *fault) {
    struct vmdk_out *out = stream->out;
    uint64_t table = unit->index / VMDK_TABLE_ENTRIES;
    if (unit_walk_load(out->walk, unit, stream->bytes, fault))
        return -1;
    if (out->options->skip_zeros && bytes_are_zero(stream->bytes, out->grain))
        return 0;
    if (out->table_index != table) {
        if (vmdk_stream_flush_table(stream, fault))
            return -1;
        memset(out->table, 0, VMDK_TABLE_SIZE);
        out->table_index = table;
    }
    size_t length = image_deflate(stream->packed + VMDK_MARKER_DATA, vmdk_packed_room(out->grain),
                                  stream->bytes, out->grain, false);
    uint32_t sector = 0;
    if (length == 0)
        return fault_set(fault, "a grain cannot be deflated");
    if (vmdk_sector_of(out->end, &sector, fault))
        return -1;
    put_le64(stream->packed, unit->offset / VMDK_SECTOR);
    put_le32(stream->packed + 8, (uint32_t)length);
    put_le32(out->table + unit->index % VMDK_TABLE_ENTRIES * 4, sector);
    vmdk_written_add(out, unit->offset, IMAGE_COMPRESSED);
    return vmdk_stream_append(out, stream->packed, VMDK_MARKER_DATA + length, fault);
}

static int vmdk_stream_grains(struct vmdk_stream *stream, struct fault *fault) {
    struct unit unit;
    int more;
    while ((more = unit_walk_next(stream->out->walk, &unit, fault)) > 0)
        if (unit_wants_bytes(&unit) && vmdk_stream_grain(stream, &unit, fault))
            return -1;
    return more < 0 ? -1 : vmdk_stream_flush_table(stream, fault);
}

static int vmdk_stream_directory(struct vmdk_stream *stream, struct fault *fault) {
    struct vmdk_out *out = stream->out;
    uint64_t length = out->directory_count * 4;
    struct table_out directory;
    if (vmdk_stream_marker(out, VMDK_MARKER_GD, div_up(length, VMDK_SECTOR), fault))
        return -1;
    out->directory_offset = out->end;
    out->end += round_up(length, VMDK_SECTOR);
    table_out_begin(&directory, out->fd, out->directory_offset, length, 0);
    bool failed = false;
    for (size_t i = 0; i < stream->count && !failed; i++) {
        uint8_t *entry = table_out_at(&directory, stream->tables[i].index * 4, fault);
        failed = entry == NULL;
        if (entry)
            put_le32(entry, stream->tables[i].sector);
    }
    return table_out_end(&directory, failed, fault);
}

// Footer marker, footer, end-of-stream marker: the file's last three sectors. With a larger output
// sector the file's length becomes a multiple of that, and zeros come first.
static int vmdk_stream_footer(struct vmdk_out *out, struct fault *fault) {
    uint8_t header[VMDK_SECTOR];
    out->end = round_up(out->end + 3 * VMDK_SECTOR, out->align) - 3 * VMDK_SECTOR;
    if (vmdk_stream_marker(out, VMDK_MARKER_FOOTER, 1, fault))
        return -1;
    vmdk_header_build(out, out->directory_offset, header);
    if (vmdk_stream_append(out, header, sizeof header, fault) ||
        vmdk_stream_marker(out, VMDK_MARKER_EOS, 0, fault))
        return -1;
    vmdk_header_build(out, VMDK_AT_END, header);
    return file_pwrite(out->fd, header, sizeof header, 0, fault);
}

int vmdk_write_stream(struct vmdk_out *out, struct fault *fault) {
    struct vmdk_stream stream = {.out = out};
    out->end = VMDK_SECTOR * (1 + VMDK_DESCRIPTOR_SECTORS);
    stream.bytes = must_realloc(NULL, out->grain);
    stream.packed = must_realloc(NULL, VMDK_MARKER_DATA + vmdk_packed_room(out->grain));
    int result = vmdk_stream_grains(&stream, fault);
    if (result == 0)
        result = vmdk_stream_directory(&stream, fault);
    if (result == 0)
        result = vmdk_stream_footer(out, fault);
    free(stream.bytes);
    free(stream.packed);
    free(stream.tables);
    return result;
}
