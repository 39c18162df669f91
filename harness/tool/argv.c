// SPDX-License-Identifier: Apache-2.0
//
// Command lines as arrays of words (there is no shell between us and a tool), and as a person
// would type them.
#include "tool/adapter.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tool_argv_begin(struct tool_argv *argv) {
    argv->count = argv->used = 0;
    argv->items[0] = NULL;
}

// A half command line would be a different command: after an overflow nothing is left, and the
// full text keeps later words out too.
static void tool_argv_overflow(struct tool_argv *argv) {
    argv->used = sizeof argv->text;
    argv->count = 0;
    argv->items[0] = NULL;
}

void tool_argv_format(struct tool_argv *argv, const char *format, ...) {
    size_t room = sizeof argv->text - argv->used;
    char *to = argv->text + argv->used;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(to, room, format, args);
    va_end(args);
    size_t last = sizeof argv->items / sizeof *argv->items - 1;
    if (length < 0 || (size_t)length >= room || argv->count >= last) {
        tool_argv_overflow(argv);
        return;
    }
    argv->used += (size_t)length + 1;
    argv->items[argv->count++] = to;
    argv->items[argv->count] = NULL;
}

void tool_argv_add(struct tool_argv *argv, const char *item) {
    tool_argv_format(argv, "%s", item);
}

void tool_word_quoted(const char *word, struct buffer *words) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_@%+=:,./-";
    if (*word && !word[strspn(word, plain)]) {
        buffer_text(words, word);
        return;
    }
    buffer_text(words, "'");
    for (; *word; word++) {
        if (*word == '\'')
            buffer_text(words, "'\\''");
        else
            buffer_append(words, word, 1);
    }
    buffer_text(words, "'");
}

void tool_path_quoted(const char *path, struct buffer *words) {
    char absolute[PATH_MAX];
    tool_word_quoted(realpath(path, absolute) ? absolute : path, words);
}

void tool_argv_words(const struct tool_argv *argv, const char *program, struct buffer *words) {
    for (size_t i = 0; i < argv->count; i++) {
        if (i)
            buffer_text(words, " ");
        tool_word_quoted(i == 0 && program ? program : argv->items[i], words);
    }
}
