// SPDX-License-Identifier: Apache-2.0
//
// See file.h.
#include "base/file.h"

#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536

int file_pread(int fd, void *buffer, size_t length, uint64_t offset, struct fault *fault) {
    uint8_t *to = buffer;
    while (length > 0) {
        ssize_t got = TEMP_FAILURE_RETRY(pread(fd, to, length, (off_t)offset));
        if (got < 0)
            return fault_errno(fault, "cannot read %zu bytes at file offset %llu", length,
                               (unsigned long long)offset);
        if (got == 0) {
            memset(to, 0, length);
            return 0;
        }
        to += got;
        length -= (size_t)got;
        offset += (size_t)got;
    }
    return 0;
}

int file_pwrite(int fd, const void *buffer, size_t length, uint64_t offset, struct fault *fault) {
    const uint8_t *from = buffer;
    while (length > 0) {
        ssize_t put = TEMP_FAILURE_RETRY(pwrite(fd, from, length, (off_t)offset));
        if (put < 0)
            return fault_errno(fault, "cannot write %zu bytes at file offset %llu", length,
                               (unsigned long long)offset);
        from += put;
        length -= (size_t)put;
        offset += (size_t)put;
    }
    return 0;
}

static int copy_range(int from, int to, uint64_t at, uint64_t end, struct fault *fault) {
    uint8_t buffer[PIECE];
    while (at < end) {
        size_t length = (size_t)min_u64(end - at, sizeof buffer);
        if (file_pread(from, buffer, length, at, fault) ||
            file_pwrite(to, buffer, length, at, fault))
            return -1;
        at += length;
    }
    return 0;
}

int file_copy(int from, int to, uint64_t most, struct fault *fault) {
    off_t size = lseek(from, 0, SEEK_END), at = 0;
    if (size < 0 || ftruncate(to, size))
        return fault_errno(fault, "cannot size the copy");
    while (at < size) {
        off_t data = lseek(from, at, SEEK_DATA);
        if (data < 0)
            break; // only a hole is left
        off_t hole = lseek(from, data, SEEK_HOLE);
        at = hole < 0 ? size : hole;
        if ((uint64_t)(at - data) > most)
            return fault_set(fault, "too large to copy");
        most -= (uint64_t)(at - data);
        if (copy_range(from, to, (uint64_t)data, (uint64_t)at, fault))
            return -1;
    }
    return 0;
}

int file_read(int fd, size_t most, struct buffer *to) {
    ssize_t got = 1;
    while (got > 0 && to->length < most) {
        size_t room = (size_t)min_u64(PIECE, most - to->length);
        got = TEMP_FAILURE_RETRY(read(fd, buffer_reserve(to, room), room));
        if (got > 0)
            to->length += (size_t)got;
    }
    buffer_reserve(to, 1)[0] = '\0';
    return got < 0 ? -1 : 0;
}

int file_replace(const char *path, const void *data, size_t length, struct fault *fault) {
    char temporary[4200];
    snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return fault_errno(fault, "%s", temporary);
    int status =
        file_pwrite(fd, data, length, 0, fault) ? fault_prefix(fault, "%s: ", temporary) : 0;
    if (close(fd) && status == 0)
        status = fault_errno(fault, "%s", temporary);
    if (status == 0 && rename(temporary, path))
        status = fault_errno(fault, "%s", path);
    if (status)
        unlink(temporary);
    return status;
}
