// SPDX-License-Identifier: Apache-2.0
//
// The counters of an instrumented tool: a file that the harness makes beside the case directory,
// and that the tool maps at its start (coverage/runtime.c, which shares nothing with us but the
// layout below). The harness reads and writes the file and maps nothing, because a tool that cuts
// the file short must not take the harness with it. A tool without the runtime never looks at it.
#ifndef EXEC_COVERAGE_MAP_H
#define EXEC_COVERAGE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The variable of a tool's environment that names the file.
#define COVERAGE_VARIABLE "INSTAR_FUZZ_COVERAGE_MAP"

#define COVERAGE_MAGIC    UINT64_C(0x31766f6366736e69) // "insfcov1"
#define COVERAGE_COUNTERS (128u << 10)

// Behind it one saturating 8-bit counter for each edge of the program, in the order of its guards:
// the same place for the same program, whatever the run.
struct coverage_header {
    uint64_t magic;   // set by the runtime: the tool is instrumented
    uint32_t edges;   // counters in use; of several programs that map the file, the most
    uint32_t dropped; // edges that found no room, and are not counted
    uint8_t unused[48];
};

// The harness's side. All of it leaves the file as large as it is, and none of it can fail in a way
// that matters: what cannot be read was not counted.

// An empty file with room for all counters, open for reading and writing (CLOEXEC); -1 with errno.
int coverage_map_make(const char *path);
// The first counters become 0, and it is forgotten that anybody has mapped the file.
void coverage_map_begin(int fd, size_t edges);
// Has anybody mapped it since? Then what the header says, with no more edges than there is room
// for.
bool coverage_map_seen(int fd, struct coverage_header *header);
void coverage_map_read(int fd, uint8_t *counters, size_t edges);

#endif
