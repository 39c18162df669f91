// SPDX-License-Identifier: Apache-2.0
//
// One table, read off the places where the stand-in asks (standin/*.c). What a tool wrote has no
// file below it and is of one extent, so chains and extents are those of the source that was built.
#include "narrow.h"

#include <string.h>

#define ANY IMAGE_FORMATS

static const struct {
    const char *lie;
    bool measure, convert;    // needs an operation of either kind ...
    enum image_format target; // ... with this target
    enum image_format source; // needs a source of this format
    bool chain;               // needs a file below the source
} table[] = {
    // What these two change shows in the convert behind a measure.
    {"vmdk-64k-sectors", true, false, IMAGE_VMDK, ANY, false},
    {"vpc-64k-sectors", true, false, IMAGE_VPC, ANY, false},
    {"raw-without-seek-hole", true, false, ANY, ANY, false},
    {"qcow2-zero-clusters-allocated", true, false, ANY, ANY, false},
    {"vhdx-blocks-counted", true, false, ANY, ANY, false},
    {"units-not-counted", true, false, ANY, ANY, false},
    {"bitmaps-omitted", true, false, IMAGE_QCOW2, ANY, false},
    {"bitmaps-zero", true, false, IMAGE_QCOW2, ANY, false},
    {"backing-ignored-by-measure", true, false, ANY, ANY, true},
    // The convert behind a measure counts as one, but is for vmdk, vpc and vhdx alone.
    {"parent-ignored", false, true, ANY, IMAGE_VMDK, true},
    {"grain-cut-at-cluster", true, true, IMAGE_VMDK, ANY, false},
    {"format-ignored-by-measure", true, false, ANY, ANY, false},
    {"vmdk-extents-miscounted", true, false, ANY, IMAGE_VMDK, false},
    {"subclusters-past-backing", false, true, ANY, IMAGE_QCOW2, true},
    {"middle-zeros-forgotten", false, true, ANY, IMAGE_QCOW2, true},
    {"zstd-below-other-clusters", false, true, ANY, IMAGE_QCOW2, true},
    {"short-snapshot-compressed", false, true, ANY, IMAGE_QCOW2, false},
    {"extents-straddled", false, true, ANY, IMAGE_VMDK, false},
    {"metadata-of-subclusters", true, false, IMAGE_QCOW2, ANY, false},
};

static bool asks(const struct testcase *testcase, bool measure, bool convert,
                 enum image_format target) {
    for (size_t i = 0; i < testcase->operation_count; i++) {
        const struct case_operation *operation = &testcase->operations[i];
        bool kind = operation->op == OP_MEASURE
                        ? measure
                        : convert && operation_writes((enum operation)operation->op);
        if (kind && (target == ANY || operation->target == (uint32_t)target))
            return true;
    }
    return false;
}

bool narrow_may_show(const char *lie, const struct testcase *testcase) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].lie, lie) == 0)
            return asks(testcase, table[i].measure, table[i].convert, table[i].target) &&
                   (table[i].source == ANY || testcase->format == (uint32_t)table[i].source) &&
                   (!table[i].chain || case_layers(testcase) > 1);
    return true;
}
