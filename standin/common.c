// SPDX-License-Identifier: Apache-2.0
//
// Refusals, numbers and text: how the stand-in speaks on the command line.
#include "standin/standin.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void print_quoted(FILE *to, const char *text) {
    putc('"', to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(to, "\\%c", *text);
        else if (*text == '\n')
            fputs("\\n", to);
        else if ((unsigned char)*text < ' ')
            fprintf(to, "\\u%04x", *text);
        else
            putc(*text, to);
    }
    putc('"', to);
}

void print_json_text(const char *text) {
    print_quoted(stdout, text);
}

int refuse(const char *format, ...) {
    char text[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    fputs("Error: ", stderr);
    print_quoted(stderr, text);
    putc('\n', stderr);
    return 1;
}

int refuse_errno(int number) {
    const char *kind = number == ENOENT   ? "NotFound"
                       : number == EACCES ? "PermissionDenied"
                       : number == EISDIR ? "IsADirectory"
                                          : "Uncategorized";
    fprintf(stderr, "Error: Os { code: %d, kind: %s, message: ", number, kind);
    print_quoted(stderr, strerror(number));
    fputs(" }\n", stderr);
    return 1;
}

// The digits at `*text`; moves behind them.
static bool parse_digits(const char **text, uint64_t *value) {
    const char *at = *text + (**text == '+');
    if (*at < '0' || *at > '9')
        return false;
    for (*value = 0; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*at - '0'), value))
            return false;
    *text = at;
    return true;
}

bool parse_u32(const char *text, uint64_t *value) {
    return parse_digits(&text, value) && !*text && *value <= UINT32_MAX;
}

bool parse_size(const char *text, uint64_t *value) {
    static const char letters[] = "kmgt";
    if (!parse_digits(&text, value))
        return false;
    if (!*text)
        return true;
    const char *letter = strchr(letters, *text | 0x20);
    if (!letter || !*letter || text[1])
        return false;
    return !__builtin_mul_overflow(*value, 1ull << 10 * (letter - letters + 1), value);
}

int parse_version(const char *text, unsigned *version) {
    unsigned major = 10, minor = 0, micro = 0;
    int end = 0;
    if (text) {
        char extra;
        int fields = sscanf(text, "%3u.%3u.%3u%c", &major, &minor, &micro, &extra);
        sscanf(text, "%*[0-9.]%n", &end);
        if (fields < 1 || fields > 3 || text[end] || text[end - 1] == '.')
            return refuse("invalid qemu version '%s' (expected format: X.Y)", text);
    }
    *version = major * 10000 + minor * 100 + micro;
    return 0;
}

bool power_of_two(uint64_t value) {
    return value && !(value & (value - 1));
}

unsigned bits_of(uint64_t power) {
    return (unsigned)__builtin_ctzll(power);
}

int check_sector_size(const struct arguments *arguments) {
    uint64_t size = arguments->number[OPT_SECTOR_SIZE];
    if (!arguments->text[OPT_SECTOR_SIZE])
        return 0;
    if (!power_of_two(size) || size < 512 || size > 65536)
        return refuse("sector size must be a power of 2, 512 to 65536 (got %llu)",
                      (unsigned long long)size);
    return 0;
}

void absolute_path(const char *path, char *to, size_t room) {
    char resolved[PATH_MAX];
    snprintf(to, room, "%s", realpath(path, resolved) ? resolved : path);
}

void path_beside(const char *path, const char *name, char *to, size_t room) {
    const char *slash = strrchr(path, '/');
    snprintf(to, room, "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, name);
}
