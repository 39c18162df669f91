// SPDX-License-Identifier: Apache-2.0
//
// The growing buffer, and the two allocation helpers that never return NULL.
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *must_realloc(void *memory, size_t size) {
    void *grown = realloc(memory, size ? size : 1);
    if (!grown) {
        fprintf(stderr, "instar-fuzz: out of memory (%zu bytes)\n", size);
        fflush(NULL);
        _exit(2); // not exit(): libFuzzer would call that a crash of the target
    }
    return grown;
}

void *array_room(void *items, size_t *capacity, size_t wanted, size_t size) {
    if (wanted <= *capacity)
        return items;
    *capacity = wanted * 2;
    return must_realloc(items, *capacity * size);
}

char *must_strdup(const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(must_realloc(NULL, size), text, size);
}

void buffer_clear(struct buffer *buffer) {
    buffer->length = 0;
    if (buffer->data)
        buffer->data[0] = 0;
}

void buffer_free(struct buffer *buffer) {
    free(buffer->data);
    *buffer = (struct buffer){0};
}

char *buffer_reserve(struct buffer *buffer, size_t more) {
    size_t need = buffer->length + more + 1;
    if (need > buffer->capacity) {
        buffer->capacity = need < 256 ? 256 : need + need / 2;
        buffer->data = must_realloc(buffer->data, buffer->capacity);
    }
    buffer->data[buffer->length] = 0;
    return buffer->data + buffer->length;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length) {
    char *to = buffer_reserve(buffer, length);
    if (length)
        memcpy(to, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = 0;
}

void buffer_text(struct buffer *buffer, const char *text) {
    buffer_append(buffer, text, strlen(text));
}

void buffer_format(struct buffer *buffer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (need > 0) {
        vsnprintf(buffer_reserve(buffer, (size_t)need), (size_t)need + 1, format, again);
        buffer->length += (size_t)need;
    }
    va_end(again);
}
