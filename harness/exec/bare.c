// SPDX-License-Identifier: Apache-2.0
//
// The few helpers that a C library would give, if it were allowed to allocate.
#include "exec/bare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

char *bare_text(char *to, const char *text) {
    size_t length = strlen(text);
    memcpy(to, text, length + 1);
    return to + length;
}

char *bare_number(char *to, uint64_t number) {
    char digits[BARE_NUMBER_ROOM], *at = digits + sizeof digits;
    *--at = 0;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    return bare_text(to, at);
}

uint64_t bare_parse(const char **at) {
    uint64_t value = 0;
    while (**at == ' ')
        ++*at;
    while (**at >= '0' && **at <= '9')
        value = value * 10 + (uint64_t)(*(*at)++ - '0');
    return value;
}

ssize_t bare_read(const char *path, char *text, size_t room) {
    *text = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t length = TEMP_FAILURE_RETRY(read(fd, text, room - 1));
    close(fd);
    text[length > 0 ? length : 0] = 0;
    return length;
}

// As the kernel lays it out, on every architecture.
struct bare_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

void bare_each(int directory, bool (*take)(const char *name, void *context), void *context) {
    _Alignas(struct bare_entry) char entries[2048];
    for (long length; (length = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0;)
        for (long at = 0; at < length;) {
            const struct bare_entry *entry = (const void *)(entries + at);
            at += entry->length;
            bool dots = !strcmp(entry->name, ".") || !strcmp(entry->name, "..");
            if (!dots && !take(entry->name, context))
                return;
        }
}
