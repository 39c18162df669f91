// SPDX-License-Identifier: Apache-2.0
//
// A qcow2 disk with snapshots, as it grows: written to and snapped in turns, then built as a file.
#ifndef TESTS_IMAGE_QCOW2_HISTORY_H
#define TESTS_IMAGE_QCOW2_HISTORY_H

#include "image_qcow2_helper.h"

#define MAX_SNAPSHOTS 4
#define BASE          "base.raw"

// A disk with a past: each snapshot has what was written up to it.
static struct {
    struct image_options options;
    struct content own, merged, base; // of the active disk; own is what its file says
    struct content snapshot_own[MAX_SNAPSHOTS], snapshot_merged[MAX_SNAPSHOTS];
    struct content_layer pair, pairs[MAX_SNAPSHOTS];
    struct image_snapshot snapshots[MAX_SNAPSHOTS];
    struct image_backing backing;
    bool overlay;
} history;

static const char *const ids[MAX_SNAPSHOTS] = {"1", "2", "17", "4"};
static const char *const names[MAX_SNAPSHOTS] = {"first", "1", "the third one", ""};

static inline void begin(uint64_t size, const struct image_options *options) {
    history.options = *options;
    history.options.snapshots = history.snapshots;
    history.options.snapshot_count = 0;
    history.overlay = false;
    content_begin(&history.own, size);
    content_begin(&history.merged, size);
}

static inline void write_both(const struct content_extent *write) {
    content_write(&history.own, write);
    content_write(&history.merged, write);
}

static inline void put_both(uint64_t offset, uint64_t length, enum content_pattern pattern,
                            enum content_form form) {
    write_both(&(struct content_extent){offset, length, pattern, form, 9});
}

static inline void as_source(const struct content_layer *pair, struct image_source *source) {
    if (history.overlay)
        content_as_overlay(pair, source);
    else
        content_as_source(pair->own, source);
}

static inline void snap(uint64_t size) {
    size_t i = history.options.snapshot_count++;
    content_copy(&history.snapshot_own[i], &history.own);
    content_resize(&history.snapshot_own[i], size);
    content_copy(&history.snapshot_merged[i], &history.merged);
    content_resize(&history.snapshot_merged[i], size);
    history.pairs[i] =
        (struct content_layer){&history.snapshot_own[i], &history.snapshot_merged[i]};
    history.snapshots[i] = (struct image_snapshot){.id = ids[i], .name = names[i]};
    as_source(&history.pairs[i], &history.snapshots[i].source);
}

static inline int write_history(struct fault *fault) {
    struct image_source source;
    history.pair = (struct content_layer){&history.own, &history.merged};
    as_source(&history.pair, &source);
    history.options.backing = history.overlay ? &history.backing : NULL;
    unlink(FILE_NAME);
    return image_write(FILE_NAME, IMAGE_QCOW2, &history.options, &source, &written, fault);
}

// A disk that does not change while its snapshots are taken.
static inline void begin_unchanged(const struct image_options *options, size_t snapshots) {
    begin(1u << 20, options);
    put_both(0, 300000, PATTERN_NOISE, FORM_NORMAL);
    put_both(400000, 100000, PATTERN_COUNTER, FORM_COMPRESSED);
    put_both(600000, 100000, PATTERN_ZERO, FORM_ZERO);
    put_both(800000, 100000, PATTERN_ZERO, FORM_ZERO_ALLOCATED);
    for (size_t i = 0; i < snapshots; i++)
        snap(1u << 20);
}

static int release_history(void **state) {
    content_free(&history.own);
    content_free(&history.merged);
    content_free(&history.base);
    for (size_t i = 0; i < MAX_SNAPSHOTS; i++) {
        content_free(&history.snapshot_own[i]);
        content_free(&history.snapshot_merged[i]);
    }
    unlink(BASE);
    return release(state);
}

#endif
