// SPDX-License-Identifier: Apache-2.0
//
// The tiny images that the probe asks about, one a format.
#include "tool/adapter.h"

#include <stdio.h>

#define SAMPLE_DATA 4096 // bytes at the start that are not zero

static int sample_extent(void *context, uint64_t offset, struct image_extent *extent,
                         struct fault *fault) {
    (void)context, (void)fault;
    *extent = offset < SAMPLE_DATA
                  ? (struct image_extent){offset, SAMPLE_DATA - offset, IMAGE_DATA}
                  : (struct image_extent){offset, TOOL_SAMPLE_SIZE - offset, IMAGE_HOLE};
    return 0;
}

static int sample_content(void *context, uint64_t offset, void *buffer, size_t length,
                          struct fault *fault) {
    (void)context, (void)fault;
    for (size_t i = 0; i < length; i++)
        ((unsigned char *)buffer)[i] = offset + i < SAMPLE_DATA ? 0x5a : 0;
    return 0;
}

void tool_sample_name(enum image_format format, char *name, size_t room) {
    snprintf(name, room, "probe.%s", tool_format_name(format));
}

int tool_samples(const char *directory, struct fault *fault) {
    const struct image_source source = {
        .size = TOOL_SAMPLE_SIZE, .extent = sample_extent, .read = sample_content};
    const struct image_options options = {0};
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        char name[32], path[320];
        struct image_written written = {0};
        tool_sample_name(format, name, sizeof name);
        snprintf(path, sizeof path, "%s/%s", directory, name);
        int failed = image_write(path, format, &options, &source, &written, fault);
        image_written_free(&written);
        if (failed && format == IMAGE_RAW)
            return fault_prefix(fault, "cannot make the images for the probe: ");
    }
    return 0;
}
