// SPDX-License-Identifier: Apache-2.0
//
// Deflate for qcow2 clusters and vmdk grains: packing is base/pack.h's, unpacking is here. Setting
// up a stream is more work than the data of a small cluster, so the two are kept and reset (and set
// up before the first case, harness.c, so that an engine sees no difference).
#include "image/image.h"

#include "base/pack.h"

#include <stdlib.h>
#include <zlib.h>

struct kept_stream {
    z_stream stream;
    bool ready;
};

static _Thread_local struct kept_stream inflaters[2];

size_t image_deflate(void *to, size_t room, const void *from, size_t length, bool raw) {
    return pack_bytes(raw ? PACK_DEFLATE : PACK_ZLIB, to, room, from, length);
}

size_t image_inflate(void *to, size_t room, const void *from, size_t length, bool raw) {
    struct kept_stream *kept = &inflaters[raw];
    z_stream *stream = &kept->stream;
    if (room > UINT32_MAX || length > UINT32_MAX)
        return 0;
    if (!kept->ready) {
        if (inflateInit2(stream, raw ? PACK_RAW_WINDOW_BITS : PACK_ZLIB_WINDOW_BITS) != Z_OK)
            return 0;
        kept->ready = true;
    } else if (inflateReset(stream) != Z_OK) {
        return 0;
    }
    stream->next_in = (Bytef *)(uintptr_t)from;
    stream->avail_in = (uInt)length;
    stream->next_out = to;
    stream->avail_out = (uInt)room;
    int status = inflate(stream, Z_FINISH);
    if (status == Z_STREAM_END)
        return room - stream->avail_out;
    // A qcow2 reader takes one cluster and does not care whether the stream has ended by then.
    if (raw && status == Z_BUF_ERROR && stream->avail_out == 0)
        return room;
    return 0;
}
