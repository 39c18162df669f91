// SPDX-License-Identifier: Apache-2.0
//
// The one file that names __afl_area_ptr. It is compiled by plain clang for the AFL++ target only:
// in an instrumented file that name breaks the link.
#include "engine/afl_map.h"

#include "base/hash.h"
#include "guide/guide.h"

#include <stdint.h>
#include <string.h>

// Provided by AFL++'s runtime.
extern uint8_t *__afl_area_ptr;
extern uint32_t __afl_map_size;
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);

#define SIGNATURE_CELLS 1024
// The region, folded: afl-showmap and afl-tmin refuse a target whose map has more than 64 Ki
// entries unless AFL_MAP_SIZE is set, and our own code has some thousands.
#define OUTPUT_CELLS   32768
#define COVERAGE_CELLS 20480

// Edge numbers of our own, so that neither a signature's cell nor one of the harness's region is
// that of a real edge. Numbered before the map is attached.
static uint32_t signature_cells[SIGNATURE_CELLS], guide_cells[OUTPUT_CELLS + COVERAGE_CELLS];

__attribute__((constructor(2))) static void engine_afl_map_reserve(void) {
    __sanitizer_cov_trace_pc_guard_init(signature_cells, signature_cells + SIGNATURE_CELLS);
    __sanitizer_cov_trace_pc_guard_init(guide_cells, guide_cells + OUTPUT_CELLS + COVERAGE_CELLS);
}

// Output parts are folded each onto itself, so that they stay apart.
static uint32_t guide_cell(size_t at) {
    if (at >= GUIDE_OUTPUT_CELLS)
        return guide_cells[OUTPUT_CELLS + (at - GUIDE_OUTPUT_CELLS) % COVERAGE_CELLS];
    size_t part = at / GUIDE_PART_CELLS, room = OUTPUT_CELLS / GUIDE_COVERAGE;
    return guide_cells[part * room + at % room];
}

void engine_afl_map_guide(const uint8_t *cells) {
    for (size_t at = 0; at < GUIDE_CELLS; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, cells + at, sizeof word);
        for (size_t i = at; word; i++, word >>= 8)
            if (cells[i] > __afl_area_ptr[guide_cell(i)])
                __afl_area_ptr[guide_cell(i)] = cells[i];
    }
}

void engine_afl_map_mark(const char *signature) {
    uint64_t hash = hash_text(signature);
    hash ^= hash >> 29; // both halves are used
    memset(__afl_area_ptr, 0, __afl_map_size);
    __afl_area_ptr[signature_cells[hash % SIGNATURE_CELLS]] = 1;
    __afl_area_ptr[signature_cells[(hash >> 32) % SIGNATURE_CELLS]] = 1;
}
