// SPDX-License-Identifier: Apache-2.0
//
// Reading a pipe without ever waiting in it.
#include "exec/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

// The most that a pipe can hold without privileges: what is read after the end of a command.
#define STREAM_PIPE_MAX ((size_t)1024 * 1024)

int stream_open(struct stream *stream, struct fault *fault) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return fault_errno(fault, "cannot make a pipe");
    // Only our end: to the tool its stdout must look as it does everywhere.
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK)) {
        fault_errno(fault, "cannot set up a pipe");
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    *stream = (struct stream){.read_end = ends[0], .write_end = ends[1]};
    return 0;
}

void stream_aim(struct stream *stream, struct buffer *kept, size_t limit, bool *cut) {
    stream->kept = kept;
    stream->limit = limit;
    stream->cut = cut;
}

void stream_close_end(int *end) {
    if (*end >= 0)
        close(*end);
    *end = -1;
}

void stream_close(struct stream *stream) {
    stream_close_end(&stream->read_end);
    stream_close_end(&stream->write_end);
}

size_t stream_read(struct stream *stream) {
    static char discarded[64 * 1024];
    struct buffer *kept = stream->kept;
    size_t wanted = stream->limit - kept->length, room = sizeof discarded;
    char *to = discarded;
    if (wanted) {
        room = wanted < room ? wanted : room;
        to = buffer_reserve(kept, room);
    }
    ssize_t length = TEMP_FAILURE_RETRY(read(stream->read_end, to, room));
    if (length < 0 && errno == EAGAIN)
        return 0;
    if (length <= 0) {
        stream_close_end(&stream->read_end);
        return 0;
    }
    if (wanted) {
        kept->length += (size_t)length;
        kept->data[kept->length] = 0;
    } else {
        *stream->cut = true;
    }
    return (size_t)length;
}

void stream_drain(struct stream *stream) {
    size_t total = 0;
    while (stream->read_end >= 0 && total < STREAM_PIPE_MAX) {
        size_t length = stream_read(stream);
        if (!length)
            return;
        total += length;
    }
}
