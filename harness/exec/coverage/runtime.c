// SPDX-License-Identifier: Apache-2.0
//
// The part of an instrumented tool that counts. A tool that was compiled with trace-pc-guard and
// linked with this object adds one to a counter of its own for each edge that it takes, in the file
// that COVERAGE_VARIABLE names; without that variable, or where the file cannot be mapped, it runs
// as any other build. Compiled without instrumentation and part of no program of ours. The mapping
// is shared, so it stays right in whatever the tool forks.
//
// It uses no stream and no allocation of the tool's, and closes its descriptor. Two threads that
// take one edge at one time may lose a count; a tool that is to guide has to run in one thread.
#include "exec/coverage_map.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);
EXPORTED void __sanitizer_cov_trace_pc_guard(uint32_t *guard);

static struct coverage_header *header;
static uint8_t *counters; // counters[n] of guard n + 1; a guard of 0 does not count
static uint32_t room, edges;

static void open_map(void) {
    static int asked;
    const char *path = getenv(COVERAGE_VARIABLE);
    struct stat status;
    if (asked++ || !path)
        return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    if (!fstat(fd, &status) && status.st_size > (off_t)sizeof *header) {
        void *map = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map != MAP_FAILED) {
            header = map;
            counters = (uint8_t *)(header + 1);
            size_t length = (size_t)status.st_size - sizeof *header;
            room = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
        }
    }
    close(fd);
}

// Once for each object file of the program or for each library, and perhaps again for the same one.
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop) {
    open_map();
    if (!header || start == stop || *start)
        return;
    uint32_t dropped = 0;
    for (uint32_t *guard = start; guard < stop; guard++)
        if (edges < room)
            *guard = ++edges;
        else
            dropped++;
    if (header->edges < edges)
        header->edges = edges;
    header->dropped += dropped;
    header->magic = COVERAGE_MAGIC;
}

void __sanitizer_cov_trace_pc_guard(uint32_t *guard) {
    if (!*guard)
        return;
    uint8_t *counter = &counters[*guard - 1];
    if (*counter != UINT8_MAX)
        ++*counter;
}
