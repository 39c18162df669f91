// SPDX-License-Identifier: Apache-2.0
//
// Where the identities of each format are, and the comparison of all the rest. The places are those
// of the first file: what leads to them (a signature, an offset) is compared like any other byte,
// so the other file has them at the same ones or is another file.
#include "image/identity.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/vhdx.h"
#include "image/vmdk.h"
#include "image/vpc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK      (64u << 10) // bytes compared at once
#define MAX_PLACES 16

struct side {
    int fd;
    uint64_t size; // bytes
};

struct place {
    uint64_t offset, length; // file bytes
};

struct comparison {
    struct side a, b;
    struct place places[MAX_PLACES];
    size_t count;
    char *where;
    size_t room;
};

static void add_place(struct comparison *files, uint64_t offset, uint64_t length) {
    if (files->count < MAX_PLACES)
        files->places[files->count++] = (struct place){offset, length};
}

static void add_fields(struct comparison *files, uint64_t at, const struct place *fields,
                       size_t count) {
    for (size_t i = 0; i < count; i++)
        add_place(files, at + fields[i].offset, fields[i].length);
}

// --- vpc -----------------------------------------------------------------------------------------

// "Virtual Hard Disk Image Format Specification" 1.0, "Hard Disk Footer Format".
static const struct place vpc_fields[] = {
    {VPC_FOOTER_TIME, 4},     // Time Stamp: when it was created
    {VPC_FOOTER_CHECKSUM, 4}, // Checksum: of the whole footer
    {VPC_FOOTER_UUID, 16},    // Unique Id
};

// The type of disk by the footer at this place, which is noted; 0 if there is none.
static uint32_t vpc_add_footer(struct comparison *files, uint64_t at) {
    uint8_t footer[VPC_FOOTER_SIZE];
    if (file_pread(files->a.fd, footer, sizeof footer, at, NULL) ||
        memcmp(footer, "conectix", 8) != 0)
        return 0;
    add_fields(files, at, vpc_fields, sizeof vpc_fields / sizeof *vpc_fields);
    return get_be32(footer + VPC_FOOTER_TYPE);
}

// A fixed disk begins with the guest's bytes, whatever they look like. A file that is written in
// sectors of 64 KiB has its last footer at the beginning of one.
static int vpc_places(struct comparison *files, struct fault *fault) {
    static const uint64_t tails[] = {VPC_FOOTER_SIZE, 65536};
    uint32_t type = 0;
    (void)fault;
    for (size_t i = 0; i < sizeof tails / sizeof *tails && !type; i++)
        if (files->a.size >= tails[i])
            type = vpc_add_footer(files, files->a.size - tails[i]);
    if (type != VPC_FIXED)
        vpc_add_footer(files, 0);
    return 1;
}

// --- vhdx ----------------------------------------------------------------------------------------

// [MS-VHDX] 2.2.2. Which of the two headers counts is a matter of how they compare, not of their
// numbers, so that a writer may begin with any.
static const struct place vhdx_fields[] = {
    {VHDX_CHECKSUM_OFFSET, 4},    // Checksum: of the whole header
    {VHDX_HEADER_SEQUENCE, 8},    // SequenceNumber
    {VHDX_HEADER_FILE_WRITE, 16}, // FileWriteGuid
    {VHDX_HEADER_DATA_WRITE, 16}, // DataWriteGuid
    {VHDX_HEADER_LOG_GUID, 16},   // LogGuid
};

// The log (2.3) is a region of its own; its entries repeat LogGuid, number and checksum.
static void vhdx_add_header(struct comparison *files, uint64_t at) {
    uint8_t header[VHDX_HEADER_SIZE];
    if (file_pread(files->a.fd, header, sizeof header, at, NULL) || memcmp(header, "head", 4) != 0)
        return;
    add_fields(files, at, vhdx_fields, sizeof vhdx_fields / sizeof *vhdx_fields);
    uint64_t log = get_le64(header + VHDX_HEADER_LOG_OFFSET);
    if (log >= VHDX_MIB && log < files->a.size)
        add_place(files, log, get_le32(header + VHDX_HEADER_LOG_LENGTH));
}

static int vhdx_places(struct comparison *files, struct fault *fault) {
    (void)fault;
    struct image image = {.fd = files->a.fd, .file_size = files->a.size};
    struct vhdx vhdx = {0};
    struct vhdx_region items[VHDX_ITEMS] = {0};
    vhdx_add_header(files, VHDX_HEADER_1_OFFSET);
    vhdx_add_header(files, VHDX_HEADER_2_OFFSET);
    // 2.6.2.3, "Virtual Disk ID": of the SCSI inquiry page 0x83.
    if (vhdx_open_regions(&image, &vhdx, NULL) == 0 &&
        vhdx_find_items(&image, &vhdx, items, NULL) == 0)
        add_place(files, items[VHDX_ITEM_IDENTITY].offset, vhdx_items[VHDX_ITEM_IDENTITY].length);
    return 1;
}

// --- vmdk ----------------------------------------------------------------------------------------

// "Virtual Disk Format 5.0", "The Header": the content identifier, and the parent's. qemu-img
// writes them without leading zeros, so that the rest of the text has no fixed place: texts are
// compared with all digits filled in. What a longer text has left behind a shorter one lies where a
// filled text would.
static const char *const vmdk_keys[] = {"CID", "parentCID"};
#define VMDK_DIGITS 8u

struct text {
    uint64_t offset; // in the file
    size_t length;   // filled
    char *bytes;     // owned; NULL: there is none
};

static int vmdk_text_place(const struct side *side, struct place *place, struct fault *fault) {
    uint8_t header[VMDK_SECTOR];
    *place = (struct place){0};
    if (file_pread(side->fd, header, sizeof header, 0, fault))
        return -1;
    if (memcmp(header, VMDK_TEXT_MAGIC, sizeof VMDK_TEXT_MAGIC - 1) == 0)
        // A larger one is no descriptor, as for the reader.
        place->length = side->size <= VMDK_MAX_TEXT ? side->size : 0;
    else if (memcmp(header, "KDMV", 4) == 0) {
        uint64_t sector = get_le64(header + VMDK_DESCRIPTOR_OFFSET);
        uint64_t sectors = get_le64(header + VMDK_DESCRIPTOR_LENGTH);
        if (sector == 0 || sector >= side->size / VMDK_SECTOR)
            return 0;
        place->offset = sector * VMDK_SECTOR;
        place->length = min_u64(sectors, VMDK_MAX_TEXT / VMDK_SECTOR) * VMDK_SECTOR;
    }
    return 0;
}

static void vmdk_fill_digits(struct text *text, const char *key) {
    char *value = (char *)vmdk_descriptor_value(text->bytes, key);
    size_t digits = value ? strspn(value, "0123456789abcdefABCDEF") : 0;
    if (digits == 0 || digits > VMDK_DIGITS)
        return;
    memmove(value + VMDK_DIGITS, value + digits, strlen(value + digits) + 1);
    memset(value, '0', VMDK_DIGITS);
    text->length += VMDK_DIGITS - digits;
}

static int vmdk_text(const struct side *side, struct text *text, struct fault *fault) {
    struct place place;
    *text = (struct text){0};
    if (vmdk_text_place(side, &place, fault))
        return -1;
    if (place.length == 0)
        return 0;
    size_t keys = sizeof vmdk_keys / sizeof *vmdk_keys;
    text->offset = place.offset;
    text->bytes = must_realloc(NULL, (size_t)place.length + keys * VMDK_DIGITS + 1);
    if (file_pread(side->fd, text->bytes, (size_t)place.length, place.offset, fault))
        return -1;
    text->bytes[place.length] = 0;
    text->length = strlen(text->bytes);
    for (size_t i = 0; i < keys; i++)
        vmdk_fill_digits(text, vmdk_keys[i]);
    return 0;
}

static int vmdk_compare_texts(struct comparison *files, const struct text *a,
                              const struct text *b) {
    if (!a->bytes || !b->bytes || a->offset != b->offset)
        return 1; // the files differ before any text begins, or there is none
    size_t at = 0;
    while (at < a->length && a->bytes[at] == b->bytes[at])
        at++;
    if (at < a->length || at < b->length) {
        snprintf(files->where, files->room, "byte %zu of the descriptor: 0x%02x instead of 0x%02x",
                 at, (uint8_t)a->bytes[at], (uint8_t)b->bytes[at]);
        return 0;
    }
    add_place(files, a->offset, a->length);
    // A text in a file of its own may end with the file.
    files->a.size = max_u64(files->a.size, a->offset + a->length);
    files->b.size = max_u64(files->b.size, b->offset + b->length);
    return 1;
}

static int vmdk_places(struct comparison *files, struct fault *fault) {
    struct text a, b = {0};
    int result = vmdk_text(&files->a, &a, fault) || vmdk_text(&files->b, &b, fault)
                     ? -1
                     : vmdk_compare_texts(files, &a, &b);
    free(a.bytes);
    free(b.bytes);
    return result;
}

// --- comparison ----------------------------------------------------------------------------------

// Notes the places that are not compared; 0 and -1 as image_files_same, else 1. NULL: a format
// without identities. (qcow2, "docs/interop/qcow2.txt" of QEMU, has neither clock nor number.)
static int (*const finders[IMAGE_FORMATS])(struct comparison *files, struct fault *fault) = {
    [IMAGE_VPC] = vpc_places,
    [IMAGE_VMDK] = vmdk_places,
    [IMAGE_VHDX] = vhdx_places,
};

// The next stored byte at or behind `at`; UINT64_MAX if only a hole is left.
static uint64_t next_data(const struct side *side, uint64_t at) {
    off_t data = lseek(side->fd, (off_t)at, SEEK_DATA);
    if (data >= 0)
        return (uint64_t)data;
    return errno == ENXIO ? UINT64_MAX : at;
}

struct chunk {
    uint8_t a[CHUNK], b[CHUNK];
};

static void clear_places(const struct comparison *files, struct chunk *chunk, uint64_t at,
                         size_t length) {
    for (size_t i = 0; i < files->count; i++) {
        const struct place *place = &files->places[i];
        uint64_t from = max_u64(place->offset, at);
        uint64_t to = min_u64(place->offset + place->length, at + length);
        if (from >= to)
            continue;
        memset(chunk->a + (from - at), 0, (size_t)(to - from));
        memset(chunk->b + (from - at), 0, (size_t)(to - from));
    }
}

static int compare_chunk(struct comparison *files, struct chunk *chunk, uint64_t at, size_t length,
                         struct fault *fault) {
    size_t i = 0;
    if (file_pread(files->a.fd, chunk->a, length, at, fault) ||
        file_pread(files->b.fd, chunk->b, length, at, fault))
        return -1;
    if (memcmp(chunk->a, chunk->b, length) == 0)
        return 1;
    clear_places(files, chunk, at, length);
    while (i < length && chunk->a[i] == chunk->b[i])
        i++;
    if (i == length)
        return 1;
    snprintf(files->where, files->room, "byte %llu: 0x%02x instead of 0x%02x",
             (unsigned long long)(at + i), chunk->a[i], chunk->b[i]);
    return 0;
}

static int compare_bytes(struct comparison *files, struct fault *fault) {
    uint64_t size = min_u64(files->a.size, files->b.size);
    struct chunk chunk;
    int result = 1;
    for (uint64_t at = 0; result == 1;) {
        at = min_u64(next_data(&files->a, at), next_data(&files->b, at));
        if (at >= size)
            break;
        size_t length = (size_t)min_u64(CHUNK, size - at);
        result = compare_chunk(files, &chunk, at, length, fault);
        at += length;
    }
    return result;
}

static int compare_files(struct comparison *files, enum image_format format, struct fault *fault) {
    uint64_t a = files->a.size, b = files->b.size;
    int result = finders[format] ? finders[format](files, fault) : 1;
    if (result == 1 && files->a.size != files->b.size) {
        snprintf(files->where, files->room, "%llu bytes instead of %llu", (unsigned long long)a,
                 (unsigned long long)b);
        return 0;
    }
    return result == 1 ? compare_bytes(files, fault) : result;
}

static int open_side(struct side *side, const char *path, struct fault *fault) {
    struct stat info;
    // O_NONBLOCK: a FIFO in the place of an image must not hang the harness.
    side->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (side->fd < 0 || fstat(side->fd, &info))
        return fault_errno(fault, "%s", path);
    if (!S_ISREG(info.st_mode))
        return fault_set(fault, "%s: not a regular file", path);
    side->size = (uint64_t)info.st_size;
    return 0;
}

int image_files_same(const char *a, const char *b, enum image_format format, char *where,
                     size_t room, struct fault *fault) {
    struct comparison files = {.a.fd = -1, .b.fd = -1, .where = where, .room = room};
    snprintf(where, room, "%s", "");
    int result = open_side(&files.a, a, fault) || open_side(&files.b, b, fault)
                     ? -1
                     : compare_files(&files, format, fault);
    if (files.a.fd >= 0)
        close(files.a.fd);
    if (files.b.fd >= 0)
        close(files.b.fd);
    return result;
}
