// SPDX-License-Identifier: Apache-2.0
//
// The same disk in another format. A field mutation of the format alone would move most writes,
// because their places count in the source's units; here size, places and lengths stay what they
// were in bytes, so that what differs between mutant and parent is the format.
#include "base/bytes.h"
#include "mutators/mutation.h"
#include "testcase/caps.h"

// Lower files first: where the new format has no files below it, all writes land in one, and the
// source's are to lie on top.
static void order_by_layer(struct testcase *testcase, const uint32_t layers[CASE_MAX_WRITES],
                           struct content_extent extents[CASE_MAX_WRITES]) {
    struct case_write writes[CASE_MAX_WRITES];
    struct content_extent ordered[CASE_MAX_WRITES];
    uint32_t count = 0;
    for (uint32_t layer = CASE_MAX_LAYERS; layer-- > 0;)
        for (uint32_t i = 0; i < testcase->write_count; i++)
            if (layers[i] == layer) {
                writes[count] = testcase->writes[i];
                ordered[count++] = extents[i];
            }
    for (uint32_t i = 0; i < count; i++) {
        testcase->writes[i] = writes[i];
        extents[i] = ordered[i];
    }
}

static void express(const struct testcase *testcase, struct case_write *write,
                    const struct content_extent *extent) {
    struct testcase layer;
    struct case_write placed = *write;
    case_layer(testcase, case_write_layer(testcase, write), &layer);
    if (extent->length == 0 || extent->offset >= case_virtual_size(&layer) ||
        !case_choose_place(&layer, &placed, extent->offset))
        return;
    uint32_t unit = case_source_unit(&layer);
    // A long write that is no whole number of anything loses its last bytes, if the disk's end does
    // not cut it anyway.
    bool cut = extent->offset + extent->length == case_virtual_size(&layer);
    uint64_t whole = cut ? round_up(extent->length, SECTOR) : round_down(extent->length, SECTOR);
    if (case_choose_length(&placed, extent->length, unit) ||
        case_choose_length(&placed, whole, unit))
        *write = placed;
}

bool mut_format(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    struct content_extent extents[CASE_MAX_WRITES];
    uint32_t layers[CASE_MAX_WRITES], files = case_layers(testcase);
    uint64_t size = case_virtual_size(testcase);

    case_chain_extents(testcase, extents);
    for (uint32_t i = 0; i < testcase->write_count; i++)
        layers[i] = case_write_layer(testcase, &testcase->writes[i]);
    testcase->format =
        (testcase->format + 1 + mut_below(work->random, IMAGE_FORMATS - 1)) % IMAGE_FORMATS;
    if (case_layers(testcase) < files)
        order_by_layer(testcase, layers, extents);
    struct testcase sized = *testcase;
    if (case_virtual_size(testcase) != size && case_choose_size(&sized, size))
        *testcase = sized;
    for (uint32_t i = 0; i < testcase->write_count; i++)
        express(testcase, &testcase->writes[i], &extents[i]);
    return true;
}
