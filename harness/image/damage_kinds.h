// SPDX-License-Identifier: Apache-2.0
//
// What the files of damage.h share: the copy in hand, and the damages themselves.
#ifndef IMAGE_DAMAGE_KINDS_H
#define IMAGE_DAMAGE_KINDS_H

#include "image/damage.h"

struct damaged_copy {
    int fd;              // of the copy, which is still as sound as the image
    struct image *image; // that was copied
    uint64_t chosen;     // see image_damage
};

// Does one of its own tables say where guest units lie in the file? With subclusters?
bool damage_has_entries(const struct image *image);
bool damage_has_subclusters(const struct image *image);

// qcow2: has its header room for features, for a compression type?
bool damage_has_features(const struct image *image);
bool damage_has_compression(const struct image *image);

int damage_leak(const struct damaged_copy *copy, struct fault *fault);
int damage_refcount(const struct damaged_copy *copy, struct fault *fault);
int damage_excess(const struct damaged_copy *copy, struct fault *fault);
int damage_copied(const struct damaged_copy *copy, struct fault *fault);
int damage_subclusters(const struct damaged_copy *copy, struct fault *fault);
int damage_overlap(const struct damaged_copy *copy, struct fault *fault);
int damage_beyond(const struct damaged_copy *copy, struct fault *fault);
int damage_feature(const struct damaged_copy *copy, struct fault *fault);
int damage_compression(const struct damaged_copy *copy, struct fault *fault);
int damage_version(const struct damaged_copy *copy, struct fault *fault);
int damage_cookie(const struct damaged_copy *copy, struct fault *fault);
int damage_log(const struct damaged_copy *copy, struct fault *fault);
int damage_checksum(const struct damaged_copy *copy, struct fault *fault);
int damage_region(const struct damaged_copy *copy, struct fault *fault);
int damage_item(const struct damaged_copy *copy, struct fault *fault);

#endif
