// SPDX-License-Identifier: Apache-2.0
//
// What copying a source's persistent bitmaps costs, as `qemu-img measure` counts it (found with 7.2
// and 10.0; qemu: block/qcow2-bitmap.c): every bitmap of the source at its own granularity, all of
// its clusters in use, its table, and one directory; each of these in whole target clusters. A
// bitmap that is in use counts too, though `convert --bitmaps` does not copy it.
#include "base/bytes.h"
#include "standin/measure.h"

#include <string.h>

#define DIRECTORY_ENTRY 24 // bytes before the name

int measure_bitmaps(const struct source *source, uint64_t cluster, uint64_t *bytes,
                    struct fault *fault) {
    uint64_t directory = 0;
    *bytes = 0;
    for (uint32_t i = 0; i < source->info.bitmaps; i++) {
        struct image_bitmap_info bitmap;
        if (source->image->driver->bitmap(source->image, i, &bitmap, fault))
            return -1;
        uint64_t bits = div_up(source->size, 1ull << bitmap.granularity_bits);
        uint64_t clusters = div_up(div_up(bits, 8), cluster);
        *bytes += clusters * cluster + round_up(8 * clusters, cluster);
        directory += round_up(DIRECTORY_ENTRY + strlen(bitmap.name), 8);
    }
    *bytes += round_up(directory, cluster);
    return 0;
}
