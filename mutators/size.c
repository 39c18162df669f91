// SPDX-License-Identifier: Apache-2.0
//
// The size of the disk: at the formats' limits, at whole units and a sector beside them, at the end
// of what was written. The last unit of a disk is where tools disagree most often.
#include "base/bytes.h"
#include "mutators/mutation.h"
#include "testcase/caps.h"

static bool put(struct mut_work *work, uint64_t size) {
    uint64_t before = case_virtual_size(work->testcase);
    return size != before && case_choose_size(work->testcase, size);
}

// None, a sector less or more, a byte less or more.
static int64_t beside(struct mut_random *random) {
    static const int64_t steps[] = {0, 0, -(int64_t)SECTOR, SECTOR, -1, 1};
    return steps[mut_below(random, sizeof steps / sizeof *steps)];
}

bool mut_size_edge(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    uint64_t before = case_virtual_size(testcase);
    testcase->size_class = SIZE_EDGE;
    testcase->size_value = mut_below(work->random, CASE_EDGES);
    testcase->size_delta =
        (int32_t)(mut_one_in(work->random, 4) ? mut_between(work->random, -128, 127)
                                              : mut_between(work->random, -1, 1));
    return case_virtual_size(testcase) != before;
}

// Anything up to 16 MiB.
bool mut_size_some(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    uint64_t before = case_virtual_size(testcase);
    testcase->size_class = mut_one_in(work->random, 4) ? SIZE_ODD : SIZE_SECTORS;
    testcase->size_value = mut_below(work->random, 1u << 24) >> mut_below(work->random, 16);
    return case_virtual_size(testcase) != before;
}

bool mut_size_units(struct mut_work *work) {
    uint64_t size = (uint64_t)mut_unit(work) * (1 + mut_below(work->random, 16));
    return put(work, size + (uint64_t)beside(work->random));
}

bool mut_size_scale(struct mut_work *work) {
    uint64_t size = case_virtual_size(work->testcase);
    uint32_t shift = 1 + mut_below(work->random, 3);
    return put(work, mut_one_in(work->random, 2) ? size << shift : round_up(size >> shift, SECTOR));
}

// The disk ends where a write ends, or in the middle of it.
bool mut_size_end(struct mut_work *work) {
    struct content_extent extents[CASE_MAX_WRITES];
    struct testcase *testcase = work->testcase;
    if (testcase->write_count == 0)
        return false;
    size_t count = case_write_extents(testcase, extents);
    const struct content_extent *extent = &extents[mut_below(work->random, count)];
    if (extent->length == 0)
        return false;
    uint64_t end =
        extent->offset + (mut_one_in(work->random, 4) ? (extent->length + 1) / 2 : extent->length);
    return put(work, end + (uint64_t)beside(work->random));
}
