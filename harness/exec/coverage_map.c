// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing a file that somebody else has mapped: on every file system of Linux both see
// the same pages.
#include "exec/coverage_map.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int coverage_map_make(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    // A hole: what no tool maps costs nothing.
    if (fd >= 0 && ftruncate(fd, sizeof(struct coverage_header) + COVERAGE_COUNTERS)) {
        close(fd);
        return -1;
    }
    return fd;
}

void coverage_map_begin(int fd, size_t edges) {
    static const uint8_t nothing[sizeof(struct coverage_header) + COVERAGE_COUNTERS];
    (void)!pwrite(fd, nothing, sizeof(struct coverage_header) + edges, 0);
}

bool coverage_map_seen(int fd, struct coverage_header *header) {
    if (pread(fd, header, sizeof *header, 0) != sizeof *header || header->magic != COVERAGE_MAGIC)
        return false;
    if (header->edges > COVERAGE_COUNTERS)
        header->edges = COVERAGE_COUNTERS;
    return true;
}

void coverage_map_read(int fd, uint8_t *counters, size_t edges) {
    ssize_t got = pread(fd, counters, edges, sizeof(struct coverage_header));
    size_t have = got < 0 ? 0 : (size_t)got;
    memset(counters + have, 0, edges - have);
}
