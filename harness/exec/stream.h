// SPDX-License-Identifier: Apache-2.0
//
// One of a command's two output streams, as the harness reads it: a pipe of which so much is kept,
// and the rest read and thrown away, so that a tool that floods it meets its deadline and not a
// dead end.
#ifndef EXEC_STREAM_H
#define EXEC_STREAM_H

#include "base/buffer.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>

struct stream {
    int read_end, write_end; // CLOEXEC; -1: closed
    struct buffer *kept;     // where the bytes go
    size_t limit;            // how many of them
    bool *cut;               // there were more
};

#define STREAM_CLOSED                                                                              \
    (struct stream) {                                                                              \
        .read_end = -1, .write_end = -1                                                            \
    }

int stream_open(struct stream *stream, struct fault *fault);
// Where the next command's bytes go. `kept` should be empty.
void stream_aim(struct stream *stream, struct buffer *kept, size_t limit, bool *cut);
// Reads once. Returns how much, 0 if there is nothing now or nothing more (then the end is closed).
size_t stream_read(struct stream *stream);
// Takes what is in the pipe, without waiting for an end that a surviving process may hold open.
void stream_drain(struct stream *stream);
void stream_close_end(int *end);
void stream_close(struct stream *stream);

#endif
