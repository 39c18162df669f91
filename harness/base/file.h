// SPDX-License-Identifier: Apache-2.0
//
// Whole reads and writes of files that are open, and small files that are replaced as a whole:
// signals and short counts are dealt with here. Not instrumented for engines, since how often a
// file is read may hang on the time of day (whether its times tell that it was changed, say).
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buffer.h"
#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

// Offsets and lengths in bytes. Reading past the end of the file gives zeros.
int file_pread(int fd, void *buffer, size_t length, uint64_t offset, struct fault *fault);
int file_pwrite(int fd, const void *buffer, size_t length, uint64_t offset, struct fault *fault);

// Makes `to`, which is empty, as long as `from`, with its bytes; holes stay holes. -1 also where
// `from` holds more than `most` bytes beside them.
int file_copy(int from, int to, uint64_t most, struct fault *fault);

// Appends what follows in the file until it ends or `to` holds `most` bytes; a NUL stands behind
// them. -1: errno says why, and what was read until then is there.
int file_read(int fd, size_t most, struct buffer *to);

// The file at `path` has these bytes, or what it was before: whoever reads it meanwhile sees one or
// the other. Made if it is not there; its folder must be.
int file_replace(const char *path, const void *data, size_t length, struct fault *fault);

#endif
