// SPDX-License-Identifier: Apache-2.0
//
// The source of every command: opened by what its bytes say (instar has no -f that counts), shown
// in whole sectors as qemu-img shows it, and read through one place, where lies about content
// have their home.
#include "base/bytes.h"
#include "standin/lies.h"
#include "standin/standin.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512

static int content_extent(void *context, uint64_t offset, struct image_extent *extent,
                          struct fault *fault) {
    struct source *source = context;
    if (offset >= source->image->virtual_size) {
        *extent = (struct image_extent){offset, source->size - offset, IMAGE_HOLE};
        return 0;
    }
    if (image_extent_at(source->image, offset, extent, fault))
        return -1;
    // Only the content counts: how the source stored it is no wish for the output.
    switch (extent->state) {
    case IMAGE_HOLE:
    case IMAGE_ZERO:
    case IMAGE_ZERO_ALLOCATED:
        extent->state = IMAGE_HOLE;
        break;
    case IMAGE_DATA:
    case IMAGE_COMPRESSED:
        extent->state = IMAGE_DATA;
        break;
    }
    extent->length = min_u64(extent->length, source->size - offset);
    const struct loss *loss = &source->loss;
    if (offset < loss->begin)
        extent->length = min_u64(extent->length, loss->begin - offset);
    else if (offset < loss->end)
        *extent =
            (struct image_extent){offset, min_u64(extent->length, loss->end - offset), IMAGE_DATA};
    return 0;
}

static int spoil(const struct loss *loss, uint64_t offset, uint8_t *buffer, size_t length,
                 struct fault *fault) {
    uint64_t begin = max_u64(offset, loss->begin), end = min_u64(offset + length, loss->end);
    if (begin >= end)
        return 0;
    uint8_t *at = buffer + (begin - offset);
    memset(at, 0, (size_t)(end - begin));
    return loss->shown ? image_read(loss->shown, begin, at, (size_t)(end - begin), fault) : 0;
}

static int read_disk(struct source *source, uint64_t offset, void *buffer, size_t length,
                     struct fault *fault) {
    if (source->below_ignored)
        return source->image->driver->read(source->image, offset, buffer, length, fault);
    return image_read(source->image, offset, buffer, length, fault);
}

static int content_read(void *context, uint64_t offset, void *buffer, size_t length,
                        struct fault *fault) {
    struct source *source = context;
    uint64_t size = source->image->virtual_size;
    size_t inside = offset >= size ? 0 : (size_t)min_u64(length, size - offset);
    if (inside && read_disk(source, offset, buffer, inside, fault))
        return -1;
    memset((char *)buffer + inside, 0, length - inside);
    if (spoil(&source->loss, offset, buffer, length, fault))
        return -1;
    if (source->cut && source->cut < length && !bytes_are_zero(buffer, (size_t)source->cut))
        memset((char *)buffer + source->cut, 0, length - (size_t)source->cut);
    if (source->flip && source->flip - 1 >= offset && source->flip - 1 - offset < length)
        ((uint8_t *)buffer)[source->flip - 1 - offset] ^= 1;
    return 0;
}

int source_open(struct source *source, const char *path, const char *format, bool lenient) {
    memset(source, 0, sizeof *source);
    struct fault fault = {""};
    struct stat status;
    if (stat(path, &status) || access(path, R_OK))
        return refuse_errno(errno);
    if (S_ISDIR(status.st_mode))
        return refuse_errno(EISDIR);
    const struct image_driver *driver = format ? image_driver_named(format) : NULL;
    if (driver)
        source->format = driver->format;
    else if (format)
        return refuse("unknown format '%s'", format);
    else if (image_probe(path, &source->format, &fault))
        return refuse("%s", fault.text);
    if (image_open(&source->image, path, source->format, &fault)) {
        if (!lenient)
            return refuse("%s", fault.text);
        source->format = IMAGE_RAW;
        if (image_open(&source->image, path, IMAGE_RAW, &fault))
            return refuse("%s", fault.text);
    }
    source->image->driver->info(source->image, &source->info);
    uint64_t size = source->image->virtual_size;
    source->size = source->format == IMAGE_RAW ? round_up(size, SECTOR) : round_down(size, SECTOR);
    source->content = (struct image_source){
        .size = source->size, .extent = content_extent, .read = content_read, .context = source};
    return 0;
}

int source_open_below(struct source *source, bool follow) {
    struct fault fault = {""};
    source->below_ignored = !follow;
    if (follow && image_open_backing(source->image, &fault))
        return refuse("%s", fault.text);
    return 0;
}

bool source_footer_unseen(const struct source *source) {
    return source->format == IMAGE_VPC && source->info.vpc_fixed &&
           (source->image->file_size - SECTOR) % TRANSPORT_SECTOR != 0;
}

bool source_is_split_sparse(const struct source *source) {
    return source->format == IMAGE_VMDK &&
           !strcmp(source->info.vmdk_create_type, vmdk_create_types[VMDK_SPLIT_SPARSE]);
}

void source_close(struct source *source) {
    image_close(source->image);
}

int source_plant_wrong_byte(struct source *source, struct fault *fault) {
    const uint64_t near_end = 65536;
    struct image_extent extent;
    uint64_t offset = source->size > near_end ? source->size - near_end : 0;
    for (; offset < source->size; offset += extent.length) {
        if (content_extent(source, offset, &extent, fault))
            return -1;
        if (extent.state == IMAGE_DATA)
            source->flip = offset + extent.length; // its last byte, + 1
    }
    return 0;
}

void hang_if_asked(const struct source *source) {
    if (lie(LIE_HANG_ON_CLUSTER_SIZE) && source->format == IMAGE_QCOW2 &&
        source->info.cluster_size == 4096)
        for (;;)
            pause();
}
