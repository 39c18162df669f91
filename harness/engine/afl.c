// SPDX-License-Identifier: Apache-2.0
//
// The one file that names __afl_area_ptr. It is compiled by plain clang for the AFL++ target only:
// in an instrumented file that name breaks the link. AFL++'s driver calls it for each case, so that
// nothing instrumented runs behind the map's last change.
#include "engine/afl.h"

#include "base/hash.h"
#include "engine/engine.h"
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

// Provided by AFL++'s runtime.
extern uint8_t *__afl_area_ptr;
extern uint32_t __afl_map_size;
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONTROL_PIPE 198 // FORKSRV_FD of AFL++'s config.h

#define SIGNATURE_CELLS 1024
// The region, folded: afl-showmap and afl-tmin refuse a target whose map has more than 64 Ki
// entries unless AFL_MAP_SIZE is set, and our own code has some thousands.
#define OUTPUT_CELLS   32768
#define COVERAGE_CELLS 20480

// Edge numbers of our own, so that neither a signature's cell nor one of the harness's region is
// that of a real edge. Numbered before the map is attached.
static uint32_t signature_cells[SIGNATURE_CELLS], guide_cells[OUTPUT_CELLS + COVERAGE_CELLS];

__attribute__((constructor(2))) static void reserve(void) {
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

static void tell(const uint8_t *cells) {
    for (size_t at = 0; at < GUIDE_CELLS; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, cells + at, sizeof word);
        for (size_t i = at; word; i++, word >>= 8)
            if (cells[i] > __afl_area_ptr[guide_cell(i)])
                __afl_area_ptr[guide_cell(i)] = cells[i];
    }
}

void engine_afl_mark(const char *signature) {
    uint64_t hash = hash_text(signature);
    hash ^= hash >> 29; // both halves are used
    memset(__afl_area_ptr, 0, __afl_map_size);
    __afl_area_ptr[signature_cells[hash % SIGNATURE_CELLS]] = 1;
    __afl_area_ptr[signature_cells[(hash >> 32) % SIGNATURE_CELLS]] = 1;
}

void engine_afl_follow_parent(void) {
    static pid_t asked;
    if (asked == getpid())
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It may have died before that. Of the fork server, its pipe tells (there is none where a
    // person starts the target); of a child, that its parent is not the fork server any more.
    struct pollfd pipe = {.fd = CONTROL_PIPE, .events = POLLIN};
    bool orphan = asked ? getppid() != asked
                        : poll(&pipe, 1, 0) == 1 && !(pipe.revents & (POLLNVAL | POLLIN)) &&
                              (pipe.revents & POLLHUP);
    if (orphan)
        _exit(EXIT_NONE);
    asked = getpid();
}

// --- repetitions ---------------------------------------------------------------------------------

// AFL++ runs a case that it keeps three times more, to see whether it does the same each time; from
// one case alone that is half of all it runs in the first minute, and the dear half. Two runs show
// that as well as four: where the second one left the same map, those behind it are given that map.
// The second one is always real: AFL++ takes an entry's price from these runs.
static struct {
    uint8_t data[CASE_MAX_BYTES];
    size_t size;
    enum { RAN_NOT, RAN_ONCE, RAN_THE_SAME, RAN_OTHERWISE } runs; // of it, one after the other
    uint8_t *map;
} last;

static bool is_last(const uint8_t *data, size_t size) {
    return last.runs != RAN_NOT && size == last.size &&
           (size == 0 || memcmp(data, last.data, size) == 0);
}

static void remember(const uint8_t *data, size_t size) {
    if (!last.map)
        last.map = must_realloc(NULL, __afl_map_size);
    if (is_last(data, size)) {
        bool same = memcmp(last.map, __afl_area_ptr, __afl_map_size) == 0;
        last.runs = same && last.runs == RAN_ONCE ? RAN_THE_SAME : RAN_OTHERWISE;
        return;
    }
    last.runs = size <= sizeof last.data ? RAN_ONCE : RAN_NOT;
    if (last.runs == RAN_NOT)
        return;
    memcpy(last.map, __afl_area_ptr, __afl_map_size);
    memcpy(last.data, data, size);
    last.size = size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    engine_afl_follow_parent();
    if (last.runs == RAN_THE_SAME && is_last(data, size)) {
        memcpy(__afl_area_ptr, last.map, __afl_map_size);
        return 0;
    }
    memset(engine_guide, 0, sizeof engine_guide);
    engine_run(data, size);
    tell(engine_guide);
    remember(data, size);
    return 0;
}
