// SPDX-License-Identifier: Apache-2.0
//
// The drivers that image.c registers, and nothing else: a new format is one file with one of these
// tables, and one line in image.c.
#ifndef IMAGE_DRIVERS_H
#define IMAGE_DRIVERS_H

#include "image/image.h"

extern const struct image_driver raw_driver;
extern const struct image_driver qcow2_driver;
extern const struct image_driver vpc_driver;
extern const struct image_driver vmdk_driver;
extern const struct image_driver vhdx_driver;

#endif
