// SPDX-License-Identifier: Apache-2.0
//
// Which edges of qemu-img belong to which of its source files, and these to which driver. The table
// of the first is made where the program is linked (ci/instrumented-qemu-img); the second is here.
#include "command/edges.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MOST (1u << 20) // bytes of the file

enum {
    DRIVER_QCOW2,
    DRIVER_VMDK,
    DRIVER_VHDX,
    DRIVER_VPC,
    DRIVER_RAW,
    DRIVER_FILE,
    DRIVER_OTHER,
    DRIVER_LAYER,
    DRIVER_PROGRAM,
};
const char *const edges_drivers[EDGES_DRIVERS] = {
    [DRIVER_QCOW2] = "qcow2",
    [DRIVER_VMDK] = "vmdk",
    [DRIVER_VHDX] = "vhdx",
    [DRIVER_VPC] = "vpc",
    [DRIVER_RAW] = "raw",
    [DRIVER_FILE] = "file",
    [DRIVER_OTHER] = "other drivers",
    [DRIVER_LAYER] = "block layer",
    [DRIVER_PROGRAM] = "qemu-img",
};

// The first pattern that fits says it. "Other drivers" are formats, protocols and filters that no
// case names; they are there because an image may, and because formats are probed.
static const struct {
    const char *pattern;
    size_t driver;
} sources[] = {
    {"block/qcow2*.c", DRIVER_QCOW2},
    {"block/vmdk*.c", DRIVER_VMDK},
    {"block/vhdx*.c", DRIVER_VHDX},
    {"block/vpc*.c", DRIVER_VPC},
    {"block/raw-format.c", DRIVER_RAW},
    {"block/file-posix.c", DRIVER_FILE},
    {"qemu-img.c", DRIVER_PROGRAM},
    {"block/qcow.c", DRIVER_OTHER},
    {"block/qed*.c", DRIVER_OTHER},
    {"block/vdi.c", DRIVER_OTHER},
    {"block/vvfat.c", DRIVER_OTHER},
    {"block/dmg*.c", DRIVER_OTHER},
    {"block/bochs.c", DRIVER_OTHER},
    {"block/cloop.c", DRIVER_OTHER},
    {"block/parallels*.c", DRIVER_OTHER},
    {"*crypto*.c", DRIVER_OTHER}, // luks
    {"block/nbd.c", DRIVER_OTHER},
    {"block/nvme.c", DRIVER_OTHER},
    {"block/null.c", DRIVER_OTHER},
    {"block/blk*.c", DRIVER_OTHER}, // blkdebug, blklogwrites, blkverify
    {"block/quorum.c", DRIVER_OTHER},
    {"block/throttle*.c", DRIVER_OTHER},
    {"block/copy-*.c", DRIVER_OTHER}, // copy-before-write, copy-on-read
    {"block/preallocate.c", DRIVER_OTHER},
    {"block/filter-compress.c", DRIVER_OTHER},
    {"block/snapshot-access.c", DRIVER_OTHER},
    {"*", DRIVER_LAYER},
};

static size_t driver_of(const char *source) {
    size_t i = 0;
    while (fnmatch(sources[i].pattern, source, 0) != 0)
        i++;
    return sources[i].driver;
}

static bool read_number(char **at, uint32_t *value) {
    char *end;
    errno = 0;
    unsigned long number = strtoul(*at, &end, 10);
    if (**at < '0' || **at > '9' || *end != '\t' || errno || number > UINT32_MAX)
        return false;
    *at = end + 1;
    *value = (uint32_t)number;
    return true;
}

// The files follow one another: a gap would be an edge that belongs to nobody.
static bool add_line(struct edges *edges, char *line, uint64_t *end) {
    struct edges_file file = {0};
    if (!read_number(&line, &file.first) || !read_number(&line, &file.count) || !*line ||
        strchr(line, '\t') || file.first != *end || !file.count)
        return false;
    *end += file.count;
    file.name = must_strdup(line);
    file.driver = driver_of(line);
    edges->files =
        array_room(edges->files, &edges->capacity, edges->count + 1, sizeof *edges->files);
    edges->files[edges->count++] = file;
    return true;
}

static int read_lines(struct edges *edges, const char *path, char *text, uint32_t total,
                      struct fault *fault) {
    uint64_t end = 0;
    size_t number = 0;
    for (char *line; (line = strsep(&text, "\n")) && (*line || text);) {
        number++;
        if (!add_line(edges, line, &end))
            return fault_set(fault,
                             "%s: line %zu is not \"first, count, source file\" with a tab "
                             "between and no edge left out",
                             path, number);
    }
    if (end != total)
        return fault_set(fault,
                         "%s is about a program of %llu edges, and this one has %u "
                         "(`make instrumented-qemu-img` makes both)",
                         path, (unsigned long long)end, total);
    return 0;
}

int edges_read(struct edges *edges, const char *path, uint32_t total, struct fault *fault) {
    struct buffer text = {0};
    int status = command_read_file(path, TABLE_MOST, &text, fault);
    if (status)
        fault_prefix(fault, "which edges belong to which source file is not known "
                            "(`make instrumented-qemu-img` writes it down): ");
    else
        status = read_lines(edges, path, text.data, total, fault);
    buffer_free(&text);
    return status;
}

void edges_count(struct edges *edges, const uint8_t *reached) {
    for (size_t i = 0; i < edges->count; i++) {
        struct edges_file *file = &edges->files[i];
        file->reached = 0;
        for (uint32_t edge = file->first; edge < file->first + file->count; edge++)
            file->reached += reached[edge] != 0;
    }
}

void edges_free(struct edges *edges) {
    for (size_t i = 0; i < edges->count; i++)
        free(edges->files[i].name);
    free(edges->files);
    memset(edges, 0, sizeof *edges);
}
