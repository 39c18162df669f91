// SPDX-License-Identifier: Apache-2.0
//
// The one file that names __afl_area_ptr. It is compiled by plain clang for the AFL++ target only:
// in an instrumented file that name breaks the link.
#include "engine/afl_map.h"

#include <stdint.h>
#include <string.h>

// Provided by AFL++'s runtime.
extern uint8_t *__afl_area_ptr;
extern uint32_t __afl_map_size;
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);

#define CELLS 1024

// Edge numbers of our own, so that a signature's cell is never that of a real edge. Numbered before
// the map is attached.
static uint32_t cells[CELLS];

__attribute__((constructor(2))) static void engine_afl_map_reserve(void) {
    __sanitizer_cov_trace_pc_guard_init(cells, cells + CELLS);
}

void engine_afl_map_mark(const char *signature) {
    uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
    for (const char *c = signature; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 0x100000001b3u;
    hash ^= hash >> 29; // FNV's low bits follow the last letters alone
    memset(__afl_area_ptr, 0, __afl_map_size);
    __afl_area_ptr[cells[hash % CELLS]] = 1;
    __afl_area_ptr[cells[(hash >> 32) % CELLS]] = 1;
}
