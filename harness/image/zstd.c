// SPDX-License-Identifier: Apache-2.0
//
// zstd for qcow2 clusters (spec "Additional fields", compression type 1). Contexts are kept for the
// same reason as zlib's streams in deflate.c: making one costs more than a small cluster.
#include "image/image.h"

#include "base/pack.h"

#include <zstd.h>

// A cluster holds at most 2 MiB, so an honest frame needs no larger window; a damaged one must not
// make the decoder allocate one.
#define WINDOW_LOG 23

size_t image_zstd(void *to, size_t room, const void *from, size_t length) {
    return pack_bytes(PACK_ZSTD, to, room, from, length);
}

size_t image_unzstd(void *to, size_t room, const void *from, size_t length) {
    static _Thread_local ZSTD_DCtx *decoder;
    if (!decoder && !(decoder = ZSTD_createDCtx()))
        return 0;
    ZSTD_DCtx_reset(decoder, ZSTD_reset_session_only);
    ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax, WINDOW_LOG);
    ZSTD_inBuffer in = {.src = from, .size = length};
    ZSTD_outBuffer out = {.dst = to, .size = room};
    while (out.pos < out.size) {
        size_t in_before = in.pos, out_before = out.pos;
        if (ZSTD_isError(ZSTD_decompressStream(decoder, &out, &in)))
            return 0;
        if (in.pos == in_before && out.pos == out_before)
            return 0;
    }
    return out.pos;
}
