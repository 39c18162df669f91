// SPDX-License-Identifier: Apache-2.0
//
// The table of formats, and what is the same for all of them: opening and creating files, probing,
// bounds of a request. A driver below this file may trust its arguments.
#include "image/image.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "image/drivers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

// Opens a regular file read-only and says how long it is; -1 with the reason.
static int open_regular(int folder, const char *path, uint64_t *size, struct fault *fault) {
    // O_NONBLOCK: a FIFO in the place of an image must not hang the harness.
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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
    opened.fd = open_regular(AT_FDCWD, path, &opened.file_size, fault);
    if (opened.fd < 0)
        return -1;
    size_t length = strlen(path) + 1;
    opened.path = memcpy(must_realloc(NULL, length), path, length);
    if (driver->open(&opened, fault) < 0) {
        fault_prefix(fault, "%s: ", path);
        free(opened.path);
        close(opened.fd);
        return -1;
    }
    *image = must_realloc(NULL, sizeof **image);
    **image = opened;
    return 0;
}

// The folder that holds the file of this path, to open its neighbours from. The caller closes.
static int open_folder_of(const char *path, struct fault *fault) {
    char folder[4096] = ".";
    const char *slash = strrchr(path, '/');
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? fault_errno(fault, "cannot open the folder of %s", path) : fd;
}

int image_open_beside(struct image *image, const char *name, uint64_t *size, struct fault *fault) {
    if (!*name || strchr(name, '/'))
        return fault_set(fault, "the file '%s' is not looked for outside the image's folder", name);
    int folder = open_folder_of(image->path, fault);
    if (folder < 0)
        return -1;
    int fd = open_regular(folder, name, size, fault);
    close(folder);
    if (fd < 0)
        return -1;
    // Whoever asks which files an image has must be told all of them, by their names.
    if (strlen(name) >= IMAGE_NAME_ROOM || image->file_count == IMAGE_MAX_FILES) {
        close(fd);
        return fault_set(fault, "the file '%.80s' has a name that is too long, or is one too many",
                         name);
    }
    snprintf(image->files[image->file_count++], IMAGE_NAME_ROOM, "%s", name);
    return fd;
}

void image_close(struct image *image) {
    if (!image)
        return;
    image_close(image->backing);
    image->driver->close(image);
    close(image->fd);
    free(image->path);
    free(image);
}

int image_probe(const char *path, enum image_format *format, struct fault *fault) {
    uint64_t size;
    int fd = open_regular(AT_FDCWD, path, &size, fault);
    if (fd < 0)
        return -1;
    uint8_t head[PROBE_BYTES], tail[PROBE_BYTES];
    size_t length = (size_t)min_u64(size, PROBE_BYTES);
    int failed = file_pread(fd, head, length, 0, fault) < 0 ||
                 file_pread(fd, tail, length, size - length, fault) < 0;
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

void image_stem(const char *path, char stem[IMAGE_NAME_ROOM]) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    snprintf(stem, IMAGE_NAME_ROOM, "%.*s", dot && dot > name ? (int)(dot - name) : 63, name);
}

int image_output_beside(struct image_output *output, const char *name, struct fault *fault) {
    struct image_written *written = output->written;
    if (written->file_count == IMAGE_MAX_FILES || strlen(name) >= IMAGE_NAME_ROOM)
        return fault_set(fault, "an image of more than %d files, or names too long to note",
                         IMAGE_MAX_FILES);
    int folder = open_folder_of(output->path, fault);
    if (folder < 0)
        return -1;
    int fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        fault_errno(fault, "cannot create %s", name);
    else
        snprintf(written->files[written->file_count++], IMAGE_NAME_ROOM, "%s", name);
    close(folder);
    return fd;
}

static void remove_written(const char *path, const struct image_written *written) {
    unlink(path);
    int folder = open_folder_of(path, NULL);
    for (size_t i = 0; folder >= 0 && i < written->file_count; i++)
        unlinkat(folder, written->files[i], 0);
    if (folder >= 0)
        close(folder);
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
    struct image_output output = {fd, path, written};
    int result = source->overlay != (options->backing != NULL)
                     ? fault_set(fault, "an overlay without a backing file, or the reverse")
                 : source->overlay && options->skip_zeros
                     ? fault_set(fault, "zeros that are left out would show the file below")
                     : driver->write(&output, options, source, written, fault);
    struct stat status;
    if (result == 0 && fstat(fd, &status) < 0)
        result = fault_errno(fault, "cannot examine the written file");
    if (close(fd) < 0 && result == 0)
        result = fault_errno(fault, "cannot close the written file");
    if (result < 0) {
        remove_written(path, written);
        return fault_prefix(fault, "%s: ", path);
    }
    written->file_size = (uint64_t)status.st_size;
    return 0;
}

void image_written_free(struct image_written *written) {
    image_map_free(&written->map);
    *written = (struct image_written){0};
}
