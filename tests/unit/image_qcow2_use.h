// SPDX-License-Identifier: Apache-2.0
//
// Everything that can be asked of a qcow2 file, asked: what a damaged one must survive.
#ifndef TESTS_IMAGE_QCOW2_USE_H
#define TESTS_IMAGE_QCOW2_USE_H

#include "image_qcow2_helper.h"

static inline void use_disk(struct image *image) {
    struct image_map map = {0};
    struct fault fault;
    static uint8_t bytes[8192];
    (void)image_map_of(image, &map, &fault);
    uint64_t size = image->virtual_size;
    for (size_t i = 0; i < map.count && i < 64; i++) {
        uint64_t at = map.extents[i].offset;
        (void)image_read(image, at, bytes, (size_t)min_u64(sizeof bytes, size - at), &fault);
    }
    (void)image_read(image, 0, bytes, (size_t)min_u64(sizeof bytes, size), &fault);
    image_map_free(&map);
}

static inline void use_everything(const char *path) {
    struct image *image;
    struct image_check check;
    struct fault fault;
    if (image_open(&image, path, IMAGE_QCOW2, &fault) < 0)
        return;
    struct image_info info;
    image->driver->info(image, &info);
    struct image_bitmap_info bitmap;
    for (uint32_t i = 0; i < info.bitmaps && i < 64; i++)
        (void)image->driver->bitmap(image, i, &bitmap, &fault);
    (void)image->driver->check(image, &check, &fault);
    use_disk(image);
    if (image_choose_snapshot(image, "1", &fault) == 0)
        use_disk(image);
    image_close(image);
}

#endif
