// SPDX-License-Identifier: Apache-2.0
//
// Looking for words in what a tool printed. Output is bytes, not a string: a NUL in it must hide
// nothing that follows.
#include "tool/adapter.h"

#include <string.h>
#include <strings.h>

// The NUL-terminated piece at *at (the buffer has a NUL behind its end); moves *at behind it.
static const char *tool_next_piece(const struct buffer *output, size_t *at) {
    if (*at >= output->length)
        return NULL;
    const char *piece = output->data + *at;
    *at += strlen(piece) + 1;
    return piece;
}

bool tool_text_has(const struct buffer *output, const char *words) {
    size_t at = 0;
    for (const char *piece; (piece = tool_next_piece(output, &at));)
        if (strcasestr(piece, words))
            return true;
    return false;
}

bool tool_line_begins(const struct buffer *output, const char *prefix) {
    size_t length = strlen(prefix);
    const char *line = output->data;
    const char *end = output->length ? line + output->length : line;
    while (line && line < end) {
        if ((size_t)(end - line) >= length && memcmp(line, prefix, length) == 0)
            return true;
        line = memchr(line, '\n', (size_t)(end - line));
        line = line ? line + 1 : NULL;
    }
    return false;
}

char *tool_first_line(const struct buffer *output, char *to, size_t room) {
    size_t at = 0;
    for (; at < output->length && at + 1 < room && output->data[at] != '\n'; at++) {
        unsigned char byte = (unsigned char)output->data[at];
        to[at] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
    }
    to[at] = 0;
    return to;
}
