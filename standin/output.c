// SPDX-License-Identifier: Apache-2.0
//
// The files that a conversion makes: the one that is named, and for monolithicFlat the extent
// beside it. Files of those names are replaced, unless they are what is being converted.
#include "standin/standin.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_file(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

// One file of the source, or one that it has beside it.
static bool is_part(const struct image *image, const struct stat *file) {
    struct stat status;
    char path[PATH_MAX];
    if (!fstat(image->fd, &status) && same_file(&status, file))
        return true;
    for (size_t i = 0; i < image->file_count; i++) {
        path_beside(image->path, image->files[i], path, sizeof path);
        if (!stat(path, &status) && same_file(&status, file))
            return true;
    }
    return false;
}

static bool is_source(const struct source *source, const struct stat *file) {
    for (const struct image *image = source->image; image; image = image->backing)
        if (is_part(image, file))
            return true;
    return false;
}

static int check_file(const struct source *source, const char *path) {
    struct stat status;
    if (stat(path, &status))
        return 0;
    if (!S_ISREG(status.st_mode))
        return refuse("%s is not a regular file", path);
    if (is_source(source, &status))
        return refuse("input and output are the same file");
    return 0;
}

static bool extent_path(const char *path, const struct image_options *options, char *to,
                        size_t room) {
    char stem[IMAGE_NAME_ROOM], name[2 * IMAGE_NAME_ROOM];
    if (options->vmdk_subformat != VMDK_FLAT)
        return false;
    image_stem(path, stem);
    snprintf(name, sizeof name, "%s-flat.vmdk", stem);
    path_beside(path, name, to, room);
    return true;
}

int output_check(const struct source *source, const char *path,
                 const struct image_options *options) {
    char extent[PATH_MAX];
    if (check_file(source, path))
        return 1;
    return extent_path(path, options, extent, sizeof extent) ? check_file(source, extent) : 0;
}

int output_clear(const char *path, const struct image_options *options) {
    char extent[PATH_MAX];
    if (unlink(path) && errno != ENOENT)
        return refuse_errno(errno);
    if (extent_path(path, options, extent, sizeof extent) && unlink(extent) && errno != ENOENT)
        return refuse_errno(errno);
    return 0;
}
