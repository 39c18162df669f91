// SPDX-License-Identifier: Apache-2.0
//
// The table of formats, and what is the same for all of them: opening and creating files, probing,
// bounds of a request. A driver below this file may trust its arguments.
#include "image/image.h"

#include "base/bytes.h"
#include "image/drivers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Probed in this order; raw accepts everything and is last.
static const struct image_driver *const drivers[] = {
    &qcow2_driver, &vhdx_driver, &vmdk_driver, &vpc_driver, &raw_driver,
};

// A map longer than this comes from a damaged or hostile file: no case writes that much.
#define MAP_MAX_EXTENTS (1u << 22)

#define PROBE_BYTES 512

static const struct {
    const char *alias, *name;
} aliases[] = {
    {"vhd", "vpc"},
    {"virtualpc", "vpc"},
};

const struct image_driver *image_driver(enum image_format format) {
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (drivers[i]->format == format)
            return drivers[i];
    return NULL;
}

const struct image_driver *image_driver_named(const char *name) {
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(name, aliases[i].alias) == 0)
            name = aliases[i].name;
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (strcmp(name, drivers[i]->name) == 0)
            return drivers[i];
    return NULL;
}

int image_pread(int fd, void *buffer, size_t length, uint64_t file_offset, struct fault *fault) {
    uint8_t *to = buffer;
    while (length > 0) {
        ssize_t got = pread(fd, to, length, (off_t)file_offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fault_errno(fault, "cannot read %zu bytes at file offset %llu", length,
                               (unsigned long long)file_offset);
        if (got == 0) {
            memset(to, 0, length);
            return 0;
        }
        to += got;
        length -= (size_t)got;
        file_offset += (size_t)got;
    }
    return 0;
}

int image_pwrite(int fd, const void *buffer, size_t length, uint64_t file_offset,
                 struct fault *fault) {
    const uint8_t *from = buffer;
    while (length > 0) {
        ssize_t put = pwrite(fd, from, length, (off_t)file_offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fault_errno(fault, "cannot write %zu bytes at file offset %llu", length,
                               (unsigned long long)file_offset);
        from += put;
        length -= (size_t)put;
        file_offset += (size_t)put;
    }
    return 0;
}

// Opens a regular file read-only and says how long it is; -1 with the reason.
static int open_regular(const char *path, uint64_t *size, struct fault *fault) {
    // O_NONBLOCK: a FIFO in the place of an image must not hang the harness.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fault_errno(fault, "cannot open %s", path);
    struct stat status;
    if (fstat(fd, &status) < 0) {
        fault_errno(fault, "cannot examine %s", path);
    } else if (!S_ISREG(status.st_mode)) {
        fault_set(fault, "%s is not a regular file", path);
    } else {
        *size = (uint64_t)status.st_size;
        return fd;
    }
    close(fd);
    return -1;
}

int image_open(struct image **image, const char *path, enum image_format format,
               struct fault *fault) {
    *image = NULL;
    const struct image_driver *driver = image_driver(format);
    if (!driver)
        return fault_set(fault, "no driver for format %d", (int)format);
    struct image opened = {.driver = driver, .fd = -1};
    opened.fd = open_regular(path, &opened.file_size, fault);
    if (opened.fd < 0)
        return -1;
    if (driver->open(&opened, fault) < 0) {
        fault_prefix(fault, "%s: ", path);
        close(opened.fd);
        return -1;
    }
    *image = malloc(sizeof **image);
    if (!*image) {
        driver->close(&opened);
        close(opened.fd);
        return fault_set(fault, "out of memory");
    }
    **image = opened;
    return 0;
}

void image_close(struct image *image) {
    if (!image)
        return;
    image->driver->close(image);
    close(image->fd);
    free(image);
}

int image_probe(const char *path, enum image_format *format, struct fault *fault) {
    uint64_t size;
    int fd = open_regular(path, &size, fault);
    if (fd < 0)
        return -1;
    uint8_t head[PROBE_BYTES], tail[PROBE_BYTES];
    size_t length = (size_t)min_u64(size, PROBE_BYTES);
    int failed = image_pread(fd, head, length, 0, fault) < 0 ||
                 image_pread(fd, tail, length, size - length, fault) < 0;
    close(fd);
    if (failed)
        return fault_prefix(fault, "%s: ", path);
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        if (drivers[i]->probe(head, length, tail, length)) {
            *format = drivers[i]->format;
            return 0;
        }
    }
    *format = IMAGE_RAW;
    return 0;
}

int image_extent_at(struct image *image, uint64_t offset, struct image_extent *extent,
                    struct fault *fault) {
    if (offset >= image->virtual_size)
        return fault_set(fault, "offset %llu is beyond the disk's end", (unsigned long long)offset);
    return image->driver->extent(image, offset, extent, fault);
}

int image_read(struct image *image, uint64_t offset, void *buffer, size_t length,
               struct fault *fault) {
    if (length == 0)
        return 0;
    if (offset > image->virtual_size || length > image->virtual_size - offset)
        return fault_set(fault, "a read of %zu bytes at %llu goes beyond the disk's end", length,
                         (unsigned long long)offset);
    return image->driver->read(image, offset, buffer, length, fault);
}

int image_map_of(struct image *image, struct image_map *map, struct fault *fault) {
    image_map_clear(map);
    for (uint64_t offset = 0; offset < image->virtual_size;) {
        struct image_extent extent;
        if (image_extent_at(image, offset, &extent, fault) < 0)
            return -1;
        image_map_add(map, extent.offset, extent.length, extent.state);
        if (map->count > MAP_MAX_EXTENTS)
            return fault_set(fault, "more than %u extents", MAP_MAX_EXTENTS);
        offset = extent.offset + extent.length;
    }
    return 0;
}

static int source_extent(void *context, uint64_t offset, struct image_extent *extent,
                         struct fault *fault) {
    return image_extent_at(context, offset, extent, fault);
}

static int source_read(void *context, uint64_t offset, void *buffer, size_t length,
                       struct fault *fault) {
    return image_read(context, offset, buffer, length, fault);
}

void image_as_source(struct image *image, struct image_source *source) {
    *source = (struct image_source){
        .size = image->virtual_size,
        .extent = source_extent,
        .read = source_read,
        .context = image,
    };
}

static void written_reset(struct image_written *written) {
    struct image_map kept = written->map;
    image_map_clear(&kept);
    *written = (struct image_written){.map = kept};
}

int image_write(const char *path, enum image_format format, const struct image_options *options,
                const struct image_source *source, struct image_written *written,
                struct fault *fault) {
    written_reset(written);
    const struct image_driver *driver = image_driver(format);
    if (!driver)
        return fault_set(fault, "no driver for format %d", (int)format);
    // Readable too: the raw writer asks the file system what it stored.
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fault_errno(fault, "cannot create %s", path);
    int result = driver->write(fd, options, source, written, fault);
    struct stat status;
    if (result == 0 && fstat(fd, &status) < 0)
        result = fault_errno(fault, "cannot examine the written file");
    if (close(fd) < 0 && result == 0)
        result = fault_errno(fault, "cannot close the written file");
    if (result < 0) {
        unlink(path);
        return fault_prefix(fault, "%s: ", path);
    }
    written->file_size = (uint64_t)status.st_size;
    return 0;
}

void image_written_free(struct image_written *written) {
    image_map_free(&written->map);
    *written = (struct image_written){0};
}
