// SPDX-License-Identifier: Apache-2.0
//
// What the tests of damaged copies share: a sound image and its copy, both removed at the end.
#ifndef TESTS_IMAGE_DAMAGE_HELPER_H
#define TESTS_IMAGE_DAMAGE_HELPER_H

#include "tests/unit/image_disk_helper.h"

#include "image/damage.h"

#define SOUND   "sound"
#define UNSOUND "unsound"

// False: this image cannot have it.
static inline bool try_damage(enum image_format format, enum image_damage kind, uint64_t chosen) {
    struct fault fault = {{0}};
    unlink(UNSOUND);
    return image_damage(SOUND, UNSOUND, format, kind, chosen, 64 << 20, &fault) == 0;
}

static inline int leave_damaged(void **state) {
    unlink(SOUND);
    unlink(UNSOUND);
    return leave_directory(state);
}

#endif
