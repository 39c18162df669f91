// SPDX-License-Identifier: Apache-2.0
//
// Chains of files: what a file leaves out is in the file below it. Here, once for all formats,
// because a driver knows no more of the file below than its recorded name.
#include "image/image.h"

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_CHAIN 16 // files

// Is the file that was opened last one of those above it?
static bool leads_back(const struct image *top, const struct image *last) {
    struct stat file, above;
    if (fstat(last->fd, &file))
        return false;
    for (const struct image *image = top; image != last; image = image->backing)
        if (fstat(image->fd, &above) == 0 && above.st_dev == file.st_dev &&
            above.st_ino == file.st_ino)
            return true;
    return false;
}

static int open_below(struct image *top, struct image *image, unsigned depth, struct fault *fault) {
    if (!image->has_backing)
        return 0;
    if (depth == MAX_CHAIN)
        return fault_set(fault, "more than %d files in a chain", MAX_CHAIN);
    struct image_info info;
    image->driver->info(image, &info);
    if (!info.backing_name[0] || strchr(info.backing_name, '/'))
        return fault_set(fault, "the backing file '%.100s' is not looked for outside the folder",
                         info.backing_name);
    char path[4096];
    const char *slash = strrchr(image->path, '/');
    int folder = slash ? (int)(slash - image->path) + 1 : 0;
    snprintf(path, sizeof path, "%.*s%s", folder, image->path, info.backing_name);
    const struct image_driver *driver =
        info.backing_format[0] ? image_driver_named(info.backing_format) : NULL;
    enum image_format format = driver ? driver->format : IMAGE_RAW;
    if (info.backing_format[0] && !driver)
        return fault_set(fault, "the backing format '%s' is unknown", info.backing_format);
    if (!driver && image_probe(path, &format, fault))
        return -1;
    if (image_open(&image->backing, path, format, fault))
        return -1;
    if (leads_back(top, image->backing))
        return fault_set(fault, "%s: the chain of files leads back to %s", image->path, path);
    if (image->driver->fits_backing && image->driver->fits_backing(image, fault))
        return fault_prefix(fault, "%s: ", image->path);
    return open_below(top, image->backing, depth + 1, fault);
}

int image_open_backing(struct image *image, struct fault *fault) {
    if (image->backing || open_below(image, image, 1, fault) == 0)
        return 0;
    // Half a chain would read as something that nobody wrote.
    image_close(image->backing);
    image->backing = NULL;
    return -1;
}

// The run of the file itself. Who reads a long run piece by piece asks for each piece, and a driver
// walks all of the run's table entries to find its end: what it said last is kept.
static int own_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                      struct fault *fault) {
    struct image_extent *last = &image->last_extent;
    if (offset < last->offset || offset - last->offset >= last->length) {
        last->length = 0;
        if (image->driver->extent(image, offset, extent, fault) < 0)
            return -1;
        *last = *extent;
    }
    uint64_t end = last->offset + last->length;
    *extent = (struct image_extent){offset, end - offset, last->state};
    return 0;
}

int image_extent_at(struct image *image, uint64_t offset, struct image_extent *extent,
                    struct fault *fault) {
    if (offset >= image->virtual_size)
        return fault_set(fault, "offset %llu is beyond the disk's end", (unsigned long long)offset);
    if (own_extent(image, offset, extent, fault) < 0)
        return -1;
    struct image *below = image->backing;
    if (extent->state != IMAGE_HOLE || !below || offset >= below->virtual_size)
        return 0;
    uint64_t length = extent->length;
    if (image_extent_at(below, offset, extent, fault) < 0)
        return -1;
    extent->length = min_u64(extent->length, length);
    return 0;
}

// Bytes of the file below, zeros behind its end.
static int read_below(struct image *below, uint64_t offset, uint8_t *buffer, size_t length,
                      struct fault *fault) {
    size_t inside =
        offset >= below->virtual_size ? 0 : (size_t)min_u64(length, below->virtual_size - offset);
    memset(buffer + inside, 0, length - inside);
    return image_read(below, offset, buffer, inside, fault);
}

static int read_chain(struct image *image, uint64_t offset, uint8_t *buffer, size_t length,
                      struct fault *fault) {
    while (length > 0) {
        struct image_extent own;
        if (own_extent(image, offset, &own, fault) < 0)
            return -1;
        size_t part = (size_t)min_u64(length, own.length);
        int failed = own.state == IMAGE_HOLE
                         ? read_below(image->backing, offset, buffer, part, fault)
                         : image->driver->read(image, offset, buffer, part, fault);
        if (failed)
            return -1;
        buffer += part;
        offset += part;
        length -= part;
    }
    return 0;
}

int image_read(struct image *image, uint64_t offset, void *buffer, size_t length,
               struct fault *fault) {
    if (length == 0)
        return 0;
    if (offset > image->virtual_size || length > image->virtual_size - offset)
        return fault_set(fault, "a read of %zu bytes at %llu goes beyond the disk's end", length,
                         (unsigned long long)offset);
    if (image->has_backing && !image->backing)
        return fault_set(fault, "the image has a backing file, which is not open");
    return image->backing ? read_chain(image, offset, buffer, length, fault)
                          : image->driver->read(image, offset, buffer, length, fault);
}

int image_choose_snapshot(struct image *image, const char *id_or_name, struct fault *fault) {
    if (!image->driver->snapshot)
        return fault_set(fault, "%s has no internal snapshots", image->driver->name);
    image->last_extent.length = 0;
    return image->driver->snapshot(image, id_or_name, fault);
}
