// SPDX-License-Identifier: Apache-2.0
//
// One table, read off the places where the stand-in asks (standin/*.c). What a tool wrote has no
// file below it and is of one extent, so chains and extents are those of the source that was built.
#include "narrow.h"

#include <string.h>

#define ANY IMAGE_FORMATS

static bool is_chain(const struct testcase *testcase) {
    return case_layers(testcase) > 1;
}

static bool is_chain_of_three(const struct testcase *testcase) {
    return case_layers(testcase) > 2;
}

static bool is_extended_chain(const struct testcase *testcase) {
    struct image_options options;
    case_image_options(testcase, &options);
    return options.extended_l2 && is_chain(testcase);
}

static bool is_chain_of_two_cluster_sizes(const struct testcase *testcase) {
    struct testcase below;
    if (!is_chain(testcase))
        return false;
    case_layer(testcase, 1, &below);
    return below.format == IMAGE_QCOW2 && case_source_unit(&below) != case_source_unit(testcase);
}

static bool has_short_snapshot(const struct testcase *testcase) {
    return case_snapshots(testcase) &&
           case_snapshot_size(testcase, 0) < case_virtual_size(testcase);
}

static const struct {
    const char *lie;
    bool measure, convert;                          // needs an operation of either kind ...
    enum image_format target;                       // ... with this target
    enum image_format source;                       // needs a source of this format
    bool (*needs)(const struct testcase *testcase); // and this; NULL: nothing
} table[] = {
    // What these two change shows in the convert behind a measure.
    {"vmdk-64k-sectors", true, false, IMAGE_VMDK, ANY, NULL},
    {"vpc-64k-sectors", true, false, IMAGE_VPC, ANY, NULL},
    {"raw-without-seek-hole", true, false, ANY, ANY, NULL},
    {"qcow2-zero-clusters-allocated", true, false, ANY, ANY, NULL},
    {"vhdx-blocks-counted", true, false, ANY, ANY, NULL},
    {"units-not-counted", true, false, ANY, ANY, NULL},
    {"bitmaps-omitted", true, false, IMAGE_QCOW2, ANY, NULL},
    {"bitmaps-zero", true, false, IMAGE_QCOW2, ANY, NULL},
    {"backing-ignored-by-measure", true, false, ANY, ANY, is_chain},
    // The convert behind a measure counts as one, but is for vmdk, vpc and vhdx alone.
    {"parent-ignored", false, true, ANY, IMAGE_VMDK, is_chain},
    {"grain-cut-at-cluster", true, true, IMAGE_VMDK, ANY, NULL},
    {"format-ignored-by-measure", true, false, ANY, ANY, NULL},
    {"vmdk-extents-miscounted", true, false, ANY, IMAGE_VMDK, NULL},
    {"subclusters-past-backing", false, true, ANY, IMAGE_QCOW2, is_extended_chain},
    {"middle-zeros-forgotten", false, true, ANY, IMAGE_QCOW2, is_chain_of_three},
    {"zstd-below-other-clusters", false, true, ANY, IMAGE_QCOW2, is_chain_of_two_cluster_sizes},
    {"short-snapshot-compressed", false, true, ANY, IMAGE_QCOW2, has_short_snapshot},
    {"extents-straddled", false, true, ANY, IMAGE_VMDK, NULL},
    {"metadata-of-subclusters", true, false, IMAGE_QCOW2, ANY, NULL},
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
                   (!table[i].needs || table[i].needs(testcase));
    return true;
}
