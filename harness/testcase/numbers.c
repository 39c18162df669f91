// SPDX-License-Identifier: Apache-2.0
//
// Plain numbers of bytes in place of encoded ones. A size or a place can be said in several ways;
// the text form reads and writes bytes, and whoever makes a case simpler wants the way that reads
// best, so the choice is made here, for all of them.

#include "testcase/fields.h"

static bool size_is(struct testcase *testcase, enum size_class class, uint64_t value, int64_t delta,
                    uint64_t wanted) {
    if (value > 0xffffff || delta < -128 || delta > 127)
        return false;
    testcase->size_class = class;
    testcase->size_value = (uint32_t)value;
    testcase->size_delta = (int32_t)delta;
    return case_virtual_size(testcase) == wanted;
}

bool case_choose_size(struct testcase *testcase, uint64_t size) {
    // A format that cannot be empty makes a sector of nothing; asked for a sector, it gets one.
    if (size == 0)
        return size_is(testcase, SIZE_NONE, 0, 0, size);
    if (size % 512 == 0 && size_is(testcase, SIZE_SECTORS, size / 512 - 1, 0, size))
        return true;
    for (uint32_t i = 0; i < CASE_EDGES && size % 512 == 0; i++) {
        int64_t delta = ((int64_t)size - (int64_t)case_size_edges[i]) / 512;
        if (size_is(testcase, SIZE_EDGE, i, delta, size))
            return true;
    }
    uint32_t unit = case_source_unit(testcase);
    if (size % unit == 0 && size_is(testcase, SIZE_UNITS, size / unit, 0, size))
        return true;
    return size_is(testcase, SIZE_ODD, size - 1, 0, size);
}

static bool place_is(const struct testcase *testcase, struct case_write *write,
                     enum write_anchor anchor, uint64_t offset, int64_t delta, uint64_t wanted) {
    bool in_sectors = delta % 512 == 0 && delta != 0;

    delta /= in_sectors ? 512 : 1;
    write->anchor = anchor;
    write->offset = (uint32_t)offset;
    write->offset_delta = (int32_t)delta;
    write->delta_scale = in_sectors;
    return offset <= UINT32_MAX && delta >= -128 && delta <= 127 &&
           case_write_offset(testcase, write) == wanted;
}

// On the nearest unit, or a little before or behind it.
static bool place_near(const struct testcase *testcase, struct case_write *write,
                       enum write_anchor anchor, uint64_t unit, uint64_t offset) {
    uint64_t nearest = (offset + unit / 2) / unit;

    return place_is(testcase, write, anchor, nearest, (int64_t)(offset - nearest * unit), offset);
}

bool case_choose_place(const struct testcase *testcase, struct case_write *write, uint64_t offset) {
    uint64_t size = case_virtual_size(testcase);

    if (place_is(testcase, write, ANCHOR_START, offset, 0, offset))
        return true;
    if (offset < size && place_is(testcase, write, ANCHOR_END, size - offset, 0, offset))
        return true;
    return place_near(testcase, write, ANCHOR_SOURCE, case_source_unit(testcase), offset) ||
           place_near(testcase, write, ANCHOR_TARGET, 65536, offset) ||
           place_near(testcase, write, ANCHOR_BLOCK, 2097152, offset);
}

bool case_choose_length(struct case_write *write, uint64_t length, uint64_t unit) {
    const uint64_t scales[LENGTH_SCALES] = {1, 512, unit};

    for (uint32_t i = 0; i < LENGTH_SCALES; i++)
        if (length > 0 && length % scales[i] == 0 && length / scales[i] <= 65536) {
            write->length_scale = i;
            write->length = (uint32_t)(length / scales[i] - 1);
            return true;
        }
    return false;
}
