// SPDX-License-Identifier: Apache-2.0
//
// Compressing a unit of an image. Units of generated disks repeat, within a case and from case to
// case, and to compress one costs up to 5 ms for 64 KiB, more than all else that is done with it:
// what was made of the latest ones is kept. The answer is the same either way. It is in this room,
// which no engine is guided by, because the way to the answer is not.
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stddef.h>

enum pack_method {
    PACK_ZLIB,    // deflate with a zlib header
    PACK_DEFLATE, // without one, window 12 bits
    PACK_ZSTD,    // one frame
    PACK_METHODS
};

// Of zlib's streams. qcow2: "raw deflate", and QEMU both writes and reads with a window of 12 bits
// (docs/interop/qcow2, "Compressed Clusters Descriptor"; block/qcow2-threads.c).
#define PACK_RAW_WINDOW_BITS  (-12)
#define PACK_ZLIB_WINDOW_BITS 15

// Bytes produced, or 0 if they do not fit into `room`.
size_t pack_bytes(enum pack_method method, void *to, size_t room, const void *from, size_t length);

#endif
