// SPDX-License-Identifier: Apache-2.0
//
// Building the source file of a case, adopting a tool's output as an input, and noticing that
// somebody changed either.
#include "materialize.h"

#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void material_free(struct material *material) {
    content_free(&material->content);
    image_written_free(&material->written);
    image_map_free(&material->allocation);
    *material = (struct material){0};
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

// Hashes the bytes of one extent at their offsets; zero words leave no trace, so that a hole and
// stored zeros hash alike (a tool may legally punch nothing into a file it only reads, but the
// file system may report extents differently).
static int hash_extent(int fd, uint64_t from, uint64_t to, uint64_t *hash, struct fault *fault) {
    static _Thread_local uint8_t buffer[65536];
    while (from < to) {
        size_t length = (size_t)min_u64(to - from, sizeof buffer);
        if (image_pread(fd, buffer, length, from, fault))
            return -1;
        for (size_t i = 0; i < length; i += 8) {
            uint64_t word = 0;
            memcpy(&word, buffer + i, length - i < 8 ? length - i : 8);
            if (word)
                *hash = mix(mix(*hash, from + i), word);
        }
        from += length;
    }
    return 0;
}

int material_hash(const char *path, uint64_t *hash, struct fault *fault) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    off_t end = lseek(fd, 0, SEEK_END), at = 0;
    *hash = mix(0, (uint64_t)end);
    int status = 0;
    while (status == 0 && at < end) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0)
            break; // ENXIO: only holes are left
        off_t hole = lseek(fd, data, SEEK_HOLE);
        if (hole < 0)
            hole = end;
        // Whole words at fixed places, wherever the file system lets an extent begin.
        status = hash_extent(fd, round_down((uint64_t)data, 8), (uint64_t)hole, hash, fault);
        at = hole;
    }
    close(fd);
    return status;
}

static int remember(struct material *material, const char *directory, struct fault *fault) {
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", directory, material->name);
    if (stat(path, &info))
        return fault_errno(fault, "%s", path);
    material->mtime_ns = info.st_mtim.tv_sec * 1000000000ll + info.st_mtim.tv_nsec;
    material->ctime_ns = info.st_ctim.tv_sec * 1000000000ll + info.st_ctim.tv_nsec;
    material->truth.file_size = (uint64_t)info.st_size;
    material->usable = true;
    return material_hash(path, &material->hash, fault);
}

int material_build(struct material *material, const struct testcase *testcase,
                   const char *directory, struct fault *fault) {
    char path[4096];
    const struct image_driver *driver = image_driver((enum image_format)testcase->format);
    snprintf(material->name, sizeof material->name, "src.%s", driver->name);
    snprintf(path, sizeof path, "%s/%s", directory, material->name);
    case_content(testcase, &material->content);
    case_image_options(testcase, &material->options);
    struct image_source source;
    content_as_source(&material->content, &source);
    material->usable = false;
    image_map_clear(&material->written.map);
    if (image_write(path, driver->format, &material->options, &source, &material->written, fault) ||
        chmod(path, 0444))
        return fault_prefix(fault, "building %s: ", material->name);
    material->truth = (struct truth){
        .format = driver->format,
        .content = &material->content,
        .asked_size = material->content.size,
        .declared_size = material->written.virtual_size,
        .shown_size = round_up(material->written.virtual_size, 512),
        .unit = material->written.unit,
        .allocation = &material->written.map,
        .options = &material->options,
    };
    return remember(material, directory, fault);
}

int material_adopt(struct material *material, const char *directory, const char *name,
                   struct image *image, const struct content *content, uint64_t asked_size,
                   struct fault *fault) {
    snprintf(material->name, sizeof material->name, "%s", name);
    material->usable = false;
    image_map_clear(&material->allocation);
    if (image_map_of(image, &material->allocation, fault))
        return -1;
    material->truth = (struct truth){
        .format = image->driver->format,
        .content = content,
        .asked_size = asked_size,
        .declared_size = image->virtual_size,
        .shown_size = round_up(image->virtual_size, 512),
        .unit = image->unit,
        .allocation = &material->allocation,
    };
    return remember(material, directory, fault);
}

bool material_modified(const struct material *material, const char *directory) {
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", directory, material->name);
    if (stat(path, &info) || (uint64_t)info.st_size != material->truth.file_size)
        return true;
    if (info.st_mtim.tv_sec * 1000000000ll + info.st_mtim.tv_nsec != material->mtime_ns)
        return true;
    if (info.st_ctim.tv_sec * 1000000000ll + info.st_ctim.tv_nsec == material->ctime_ns)
        return false;
    uint64_t hash;
    return material_hash(path, &hash, NULL) || hash != material->hash;
}
