// SPDX-License-Identifier: Apache-2.0
//
// The packers, and the memory of what they made.
#include "base/pack.h"

#include "base/buffer.h"
#include "base/bytes.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

// --- packing -------------------------------------------------------------------------------------

#define MEMORY_LEVEL 9 // zlib's largest: as QEMU, so that sizes are comparable
#define ZSTD_LEVEL   3 // zstd's default, which QEMU uses too

// An encoder is set up once: its tables cost 256 KiB of fresh memory.
struct kept_stream {
    z_stream stream;
    bool ready;
};

static size_t pack_deflate(struct kept_stream *kept, int window_bits, void *to, size_t room,
                           const void *from, size_t length) {
    z_stream *stream = &kept->stream;
    if (room > UINT32_MAX || length > UINT32_MAX)
        return 0;
    if (!kept->ready) {
        if (deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, MEMORY_LEVEL,
                         Z_DEFAULT_STRATEGY) != Z_OK)
            return 0;
        kept->ready = true;
    } else if (deflateReset(stream) != Z_OK) {
        return 0;
    }
    stream->next_in = (Bytef *)(uintptr_t)from;
    stream->avail_in = (uInt)length;
    stream->next_out = to;
    stream->avail_out = (uInt)room;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return 0;
    return room - stream->avail_out;
}

static size_t pack_zstd(void *to, size_t room, const void *from, size_t length) {
    static _Thread_local ZSTD_CCtx *encoder;
    if (!encoder && !(encoder = ZSTD_createCCtx()))
        return 0;
    size_t made = ZSTD_compressCCtx(encoder, to, room, from, length, ZSTD_LEVEL);
    return ZSTD_isError(made) ? 0 : made;
}

static size_t pack_anew(enum pack_method method, void *to, size_t room, const void *from,
                        size_t length) {
    static _Thread_local struct kept_stream raw, zlib;
    if (method == PACK_ZSTD)
        return pack_zstd(to, room, from, length);
    return method == PACK_DEFLATE
               ? pack_deflate(&raw, PACK_RAW_WINDOW_BITS, to, room, from, length)
               : pack_deflate(&zlib, PACK_ZLIB_WINDOW_BITS, to, room, from, length);
}

// --- the memory ----------------------------------------------------------------------------------

#define SLOTS     512u
#define KEPT_MOST (32u << 20) // bytes; when it is full all is forgotten
#define HASHED    256u        // bytes at either end, to choose a slot by

// The whole question is kept, so that no hash decides what is the same.
struct slot {
    enum pack_method method;
    size_t room, length, made;
    uint8_t *bytes; // owned: `length` of the question, `made` of the answer; NULL: free
};

static _Thread_local struct slot slots[SLOTS];
static _Thread_local size_t kept;

static struct slot *slot_of(enum pack_method method, const uint8_t *from, size_t length) {
    uint64_t hash = method;
    size_t end = length & ~(size_t)7;
    for (size_t i = 0; i < end; i += 8) {
        if (i == HASHED && end > 2 * HASHED)
            i = end - HASHED;
        hash = (hash ^ get_le64(from + i)) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return &slots[hash % SLOTS];
}

static void slot_forget(struct slot *slot) {
    if (slot->bytes)
        kept -= slot->length + slot->made;
    free(slot->bytes);
    *slot = (struct slot){0};
}

static void slot_keep(struct slot *slot, enum pack_method method, const void *to, size_t room,
                      const void *from, size_t length, size_t made) {
    slot_forget(slot);
    if (length + made > KEPT_MOST / 8)
        return;
    if (kept + length + made > KEPT_MOST)
        for (size_t i = 0; i < SLOTS; i++)
            slot_forget(&slots[i]);
    *slot = (struct slot){method, room, length, made, must_realloc(NULL, length + made)};
    memcpy(slot->bytes, from, length);
    memcpy(slot->bytes + length, to, made);
    kept += length + made;
}

size_t pack_bytes(enum pack_method method, void *to, size_t room, const void *from, size_t length) {
    if (length == 0)
        return pack_anew(method, to, room, from, length);
    struct slot *slot = slot_of(method, from, length);
    if (slot->bytes && slot->method == method && slot->room == room && slot->length == length &&
        memcmp(slot->bytes, from, length) == 0) {
        memcpy(to, slot->bytes + length, slot->made);
        return slot->made;
    }
    size_t made = pack_anew(method, to, room, from, length);
    slot_keep(slot, method, to, room, from, length, made);
    return made;
}
