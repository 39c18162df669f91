// SPDX-License-Identifier: Apache-2.0
//
// A growing byte buffer that is reused from case to case: text for reports, captured output,
// cluster scratch. Allocation failure ends the process (a harness without memory can judge
// nothing), so callers never check for it.
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>

struct buffer {
    char *data;      // NUL-terminated once anything was added or reserved; owned
    size_t length;   // bytes in use, without the NUL
    size_t capacity; // bytes allocated
};

void buffer_clear(struct buffer *buffer); // length 0, memory kept
void buffer_free(struct buffer *buffer);
// Makes room for `more` bytes behind the used ones and returns where they go (not yet counted).
char *buffer_reserve(struct buffer *buffer, size_t more);
void buffer_append(struct buffer *buffer, const void *data, size_t length);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void *must_realloc(void *memory, size_t size); // realloc that ends the process when memory is out
// Room for `wanted` items of `size` bytes each, twice as many where it has to grow; `items` and
// *capacity (in items) belong together. Rooms whose code guides an engine call it for every item: a
// branch of theirs would be an edge, and what was kept of earlier cases is no property of a case.
void *array_room(void *items, size_t *capacity, size_t wanted, size_t size);
char *must_strdup(const char *text);

#endif
