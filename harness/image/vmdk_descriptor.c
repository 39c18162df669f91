// SPDX-License-Identifier: Apache-2.0
//
// The text that every vmdk has, in a file of its own or inside its one extent: which kind of disk,
// which extents, which parent. ("The Descriptor File".)
#include "base/bytes.h"
#include "image/vmdk.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const kinds[VMDK_KINDS] = {
    [VMDK_KIND_SPARSE] = "SPARSE",
    [VMDK_KIND_FLAT] = "FLAT",
    [VMDK_KIND_ZERO] = "ZERO",
};

const char *const vmdk_create_types[VMDK_SUBFORMATS] = {
    [VMDK_SPARSE] = "monolithicSparse",       [VMDK_STREAM] = "streamOptimized",
    [VMDK_FLAT] = "monolithicFlat",           [VMDK_SPLIT_SPARSE] = "twoGbMaxExtentSparse",
    [VMDK_SPLIT_FLAT] = "twoGbMaxExtentFlat",
};

const char *vmdk_kind_name(enum vmdk_kind kind) {
    return kinds[kind];
}

// --- building ------------------------------------------------------------------------------------

struct text {
    char *at;
    size_t length, room;
};

static void text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void text_add(struct text *text, const char *format, ...) {
    va_list list;
    va_start(list, format);
    size_t left = text->length < text->room ? text->room - text->length : 0;
    int length = vsnprintf(left ? text->at + text->length : NULL, left, format, list);
    text->length += length > 0 ? (size_t)length : 0;
    va_end(list);
}

// qemu-img's line scanner also reads an extent that an empty line announces, and then counts it
// twice: a comment stands before the first one.
static void text_add_lines(struct text *text, const struct vmdk_descriptor *descriptor) {
    text_add(text, "# Extent description\n");
    for (size_t i = 0; i < descriptor->count; i++) {
        const struct vmdk_line *line = &descriptor->lines[i];
        text_add(text, "RW %" PRIu64 " %s \"%s\"", line->sectors, kinds[line->kind], line->name);
        if (line->kind == VMDK_KIND_FLAT)
            text_add(text, " %" PRIu64, line->offset);
        text_add(text, "\n");
    }
}

size_t vmdk_descriptor_build(char *buffer, size_t room, const struct vmdk_descriptor *descriptor) {
    struct text text = {buffer, 0, room};
    uint64_t sectors = 0;
    for (size_t i = 0; i < descriptor->count; i++)
        sectors += descriptor->lines[i].sectors;
    memset(buffer, 0, room);
    text_add(&text, VMDK_TEXT_MAGIC "\nversion=1\nCID=%08x\nparentCID=%08x\ncreateType=\"%s\"\n",
             descriptor->cid, descriptor->parent_cid, descriptor->create_type);
    if (descriptor->parent_cid != VMDK_NO_PARENT)
        text_add(&text, "parentFileNameHint=\"%s\"\n", descriptor->parent_name);
    text_add(&text, "\n");
    text_add_lines(&text, descriptor);
    text_add(&text,
             "\n# The Disk Data Base\n#DDB\n\n"
             "ddb.virtualHWVersion = \"4\"\n"
             "ddb.geometry.cylinders = \"%" PRIu64 "\"\n"
             "ddb.geometry.heads = \"16\"\n"
             "ddb.geometry.sectors = \"63\"\n"
             "ddb.adapterType = \"ide\"\n",
             sectors / (16 * 63));
    return text.length < room ? text.length : 0;
}

// --- reading -------------------------------------------------------------------------------------

// The first line, or the one after `line`; NULL at the end.
static const char *next_line(const char *text, const char *line) {
    if (!line)
        return text;
    line = strchr(line, '\n');
    return line ? line + 1 : NULL;
}

const char *vmdk_descriptor_value(const char *text, const char *name) {
    size_t length = strlen(name);
    const char *line = NULL;
    while ((line = next_line(text, line)))
        if (strncmp(line, name, length) == 0 && line[length] == '=')
            return line + length + 1;
    return NULL;
}

// The text between quotes at `*at`, which moves behind them; -1 if there is none or it is too long.
static int quoted(const char **at, char *to, size_t room) {
    size_t length = **at == '"' ? strcspn(*at + 1, "\"\r\n") : 0;
    if (length == 0 || length >= room || (*at)[1 + length] != '"')
        return -1;
    memcpy(to, *at + 1, length);
    to[length] = 0;
    *at += length + 2;
    return 0;
}

// Reads which access a line of extents gives; 0 if it is none. Its length in `length`.
static bool is_extent_line(const char *line, bool *readable, size_t *length) {
    static const char *const access[] = {"RW ", "RDONLY ", "NOACCESS "};
    for (size_t i = 0; i < sizeof access / sizeof *access; i++) {
        *length = strlen(access[i]);
        *readable = i < 2;
        if (strncmp(line, access[i], *length) == 0)
            return true;
    }
    return false;
}

static int read_parent(struct vmdk_descriptor *descriptor, const char *text, struct fault *fault) {
    const char *cid = vmdk_descriptor_value(text, "parentCID");
    const char *name = vmdk_descriptor_value(text, "parentFileNameHint");
    descriptor->parent_cid = cid ? (uint32_t)strtoul(cid, NULL, 16) : VMDK_NO_PARENT;
    if (name && quoted(&name, descriptor->parent_name, sizeof descriptor->parent_name))
        return fault_set(fault, "the name of the parent cannot be read");
    // One without the other: QEMU takes the name's word that there is a parent, and then fails to
    // read what should be in it.
    if ((descriptor->parent_cid != VMDK_NO_PARENT) != (name != NULL))
        return fault_set(fault, name ? "a parent is named, but parentCID says that there is none"
                                     : "parentCID says that there is a parent, but none is named");
    return 0;
}

int vmdk_descriptor_read(struct vmdk_descriptor *descriptor, const char *text, size_t *lines,
                         struct fault *fault) {
    const char *cid = vmdk_descriptor_value(text, "CID");
    const char *type = vmdk_descriptor_value(text, "createType");
    const char *line = NULL;
    bool readable;
    size_t length;
    descriptor->cid = cid ? (uint32_t)strtoul(cid, NULL, 16) : 0;
    if (type && quoted(&type, descriptor->create_type, sizeof descriptor->create_type))
        descriptor->create_type[0] = 0;
    *lines = 0;
    while ((line = next_line(text, line)))
        *lines += is_extent_line(line, &readable, &length);
    return read_parent(descriptor, text, fault);
}

// A decimal number at `*at`, which moves behind it and the spaces that follow.
static int decimal(const char **at, uint64_t *value) {
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)**at))
        return -1;
    *value = strtoull(*at, &end, 10);
    *at = end + strspn(end, " \t");
    return errno || *value > INT64_MAX / VMDK_SECTOR ? -1 : 0;
}

// What follows the access: "size type "name" offset". A flat extent without an offset is what QEMU
// refuses too.
static int read_line(struct vmdk_line *line, const char *at) {
    size_t kind = 0, length = 0;
    if (decimal(&at, &line->sectors))
        return -1;
    for (; kind < VMDK_KINDS; kind++) {
        length = strlen(kinds[kind]);
        if (strncmp(at, kinds[kind], length) == 0 && strchr(" \t\r\n", at[length]))
            break;
    }
    if (kind == VMDK_KINDS || line->sectors == 0)
        return -1;
    line->kind = (enum vmdk_kind)kind;
    if (line->kind == VMDK_KIND_ZERO)
        return 0;
    at += length + strspn(at + length, " \t");
    if (quoted(&at, line->name, sizeof line->name))
        return -1;
    at += strspn(at, " \t");
    return line->kind == VMDK_KIND_FLAT ? decimal(&at, &line->offset) : 0;
}

int vmdk_descriptor_lines(struct vmdk_descriptor *descriptor, const char *text,
                          struct fault *fault) {
    const char *line = NULL;
    size_t length;
    bool readable;
    while ((line = next_line(text, line))) {
        if (!is_extent_line(line, &readable, &length))
            continue;
        int shown = (int)strcspn(line, "\r\n");
        if (descriptor->count == IMAGE_MAX_FILES)
            return fault_set(fault, "a disk of more than %d extents", IMAGE_MAX_FILES);
        struct vmdk_line *to = &descriptor->lines[descriptor->count++];
        if (!readable || read_line(to, line + length))
            return fault_set(fault, "an extent that cannot be read: %.*s",
                             shown < 100 ? shown : 100, line);
    }
    if (descriptor->count == 0)
        return fault_set(fault, "a descriptor without extents");
    return 0;
}
