// SPDX-License-Identifier: Apache-2.0
//
// The table of source classes, a predicate a row.
#include "testcase/source_class.h"

#include "image/vpc.h"
#include "testcase/fields.h"

#define SECTOR 512

static bool is_raw(const struct source_view *source) {
    return source->testcase->format == IMAGE_RAW;
}

// Does the disk begin with this table, in sectors that no later write has touched?
static bool begins_with(const struct source_view *source, enum content_pattern table,
                        uint64_t sectors) {
    struct content_extent extents[CASE_MAX_WRITES];
    size_t i = is_raw(source) ? case_write_extents(source->testcase, extents) : 0;
    while (i-- > 0)
        if (extents[i].length > 0 && extents[i].offset < sectors * SECTOR)
            return extents[i].pattern == table && extents[i].offset == 0 &&
                   extents[i].length >= sectors * SECTOR && extents[i].form <= FORM_COMPRESSED;
    return false;
}

static bool is_raw_mbr(const struct source_view *source) {
    return begins_with(source, PATTERN_MBR, 1);
}

// Protective MBR and header.
static bool is_raw_gpt(const struct source_view *source) {
    return begins_with(source, PATTERN_GPT, 2);
}

static bool is_raw_odd(const struct source_view *source) {
    return is_raw(source) && case_virtual_size(source->testcase) % SECTOR != 0;
}

static bool is_qcow2(const struct source_view *source, uint32_t version) {
    return source->testcase->format == IMAGE_QCOW2 && source->options->qcow2_version == version;
}

static bool is_qcow2_v2(const struct source_view *source) {
    return is_qcow2(source, 2);
}

static bool is_qcow2_v3(const struct source_view *source) {
    return is_qcow2(source, 3);
}

static bool is_extended(const struct source_view *source) {
    return source->options->extended_l2;
}

static bool qcow2_has(const struct source_view *source, enum image_state state) {
    if (source->testcase->format != IMAGE_QCOW2)
        return false;
    for (size_t i = 0; i < source->allocation->count; i++)
        if (source->allocation->extents[i].state == state)
            return true;
    return false;
}

static bool has_compressed(const struct source_view *source) {
    return qcow2_has(source, IMAGE_COMPRESSED);
}

static bool has_zstd(const struct source_view *source) {
    return has_compressed(source) && source->options->compression == QCOW2_ZSTD;
}

static bool has_zero_clusters(const struct source_view *source) {
    return qcow2_has(source, IMAGE_ZERO) || qcow2_has(source, IMAGE_ZERO_ALLOCATED);
}

static bool has_snapshots(const struct source_view *source) {
    return case_snapshots(source->testcase) > 0;
}

static bool has_bitmaps(const struct source_view *source) {
    return case_bitmaps(source->testcase) > 0;
}

static bool has_data_file(const struct source_view *source) {
    return source->options->data_file == QCOW2_DATA_FILE;
}

static bool has_raw_data_file(const struct source_view *source) {
    return source->options->data_file == QCOW2_DATA_FILE_RAW;
}

static bool lies_over(const struct source_view *source, enum image_format above,
                      enum image_format format) {
    struct testcase below;
    if (source->testcase->format != above || case_layers(source->testcase) < 2)
        return false;
    case_layer(source->testcase, 1, &below);
    return below.format == format;
}

#define OVER(name, above, below)                                                                   \
    static bool name(const struct source_view *source) {                                           \
        return lies_over(source, IMAGE_##above, IMAGE_##below);                                    \
    }
OVER(qcow2_over_raw, QCOW2, RAW)
OVER(qcow2_over_qcow2, QCOW2, QCOW2)
OVER(qcow2_over_vpc, QCOW2, VPC)
OVER(qcow2_over_vmdk, QCOW2, VMDK)
OVER(qcow2_over_vhdx, QCOW2, VHDX)
OVER(vmdk_over_vmdk, VMDK, VMDK)

static bool is_deep_qcow2(const struct source_view *source) {
    return source->testcase->format == IMAGE_QCOW2 && case_layers(source->testcase) > 2;
}

#define LAYOUT(name, layout)                                                                       \
    static bool name(const struct source_view *source) {                                           \
        return source->testcase->format == IMAGE_VMDK &&                                           \
               source->options->vmdk_subformat == (layout);                                        \
    }
LAYOUT(is_vmdk_sparse, VMDK_SPARSE)
LAYOUT(is_vmdk_stream, VMDK_STREAM)
LAYOUT(is_vmdk_flat, VMDK_FLAT)
LAYOUT(is_vmdk_split_sparse, VMDK_SPLIT_SPARSE)
LAYOUT(is_vmdk_split_flat, VMDK_SPLIT_FLAT)

static bool is_vpc_dynamic(const struct source_view *source) {
    return source->testcase->format == IMAGE_VPC && !source->options->vpc_fixed;
}

// "vs  " and its like are by the geometry too: qemu-img 10.0 reads them by size, but what the
// writer makes of them has one size either way.
static bool is_by_size(const struct source_view *source) {
    return vpc_creators[source->options->vpc_creator].rule == VPC_BY_SIZE;
}

static bool is_vpc_by_geometry(const struct source_view *source) {
    return is_vpc_dynamic(source) && !is_by_size(source);
}

static bool is_vpc_by_size(const struct source_view *source) {
    return is_vpc_dynamic(source) && is_by_size(source);
}

static bool is_vpc_fixed(const struct source_view *source) {
    return source->testcase->format == IMAGE_VPC && source->options->vpc_fixed;
}

static bool is_vhdx_dynamic(const struct source_view *source) {
    return source->testcase->format == IMAGE_VHDX && !source->options->vhdx_fixed;
}

static bool is_vhdx_fixed(const struct source_view *source) {
    return source->testcase->format == IMAGE_VHDX && source->options->vhdx_fixed;
}

#define ALL_OPS ((1u << OPERATIONS) - 1)
#define BUILT(name_, format_, holds_)                                                              \
    { .name = name_, .format = IMAGE_##format_, .operations = ALL_OPS, .holds = holds_ }
// As far as snapshots do not exclude the feature that the class is named after.
#define MAY_HAVE_SNAPSHOTS(name_, holds_)                                                          \
    {                                                                                              \
        .name = name_, .format = IMAGE_QCOW2, .operations = ALL_OPS, .snapshots = true,            \
        .holds = holds_                                                                            \
    }
#define WRITTEN(name_, format_) BUILT("output " name_, format_, NULL)

// clang-format off
const struct source_class source_classes[SOURCE_CLASSES] = {
    BUILT("raw", RAW, is_raw),
    BUILT("raw mbr", RAW, is_raw_mbr),
    BUILT("raw gpt", RAW, is_raw_gpt),
    BUILT("raw odd size", RAW, is_raw_odd),
    MAY_HAVE_SNAPSHOTS("qcow2 v2", is_qcow2_v2),
    MAY_HAVE_SNAPSHOTS("qcow2 v3", is_qcow2_v3),
    MAY_HAVE_SNAPSHOTS("qcow2 extended L2", is_extended),
    MAY_HAVE_SNAPSHOTS("qcow2 zstd", has_zstd),
    MAY_HAVE_SNAPSHOTS("qcow2 compressed", has_compressed),
    MAY_HAVE_SNAPSHOTS("qcow2 zero clusters", has_zero_clusters),
    MAY_HAVE_SNAPSHOTS("qcow2 snapshots", has_snapshots),
    MAY_HAVE_SNAPSHOTS("qcow2 bitmaps", has_bitmaps),
    BUILT("qcow2 data file", QCOW2, has_data_file),
    BUILT("qcow2 raw data file", QCOW2, has_raw_data_file),
    MAY_HAVE_SNAPSHOTS("qcow2 over raw", qcow2_over_raw),
    MAY_HAVE_SNAPSHOTS("qcow2 over qcow2", qcow2_over_qcow2),
    MAY_HAVE_SNAPSHOTS("qcow2 over vpc", qcow2_over_vpc),
    MAY_HAVE_SNAPSHOTS("qcow2 over vmdk", qcow2_over_vmdk),
    MAY_HAVE_SNAPSHOTS("qcow2 over vhdx", qcow2_over_vhdx),
    MAY_HAVE_SNAPSHOTS("qcow2 deep chain", is_deep_qcow2), // three files and more
    BUILT("vmdk monolithicSparse", VMDK, is_vmdk_sparse),
    BUILT("vmdk streamOptimized", VMDK, is_vmdk_stream),
    BUILT("vmdk monolithicFlat", VMDK, is_vmdk_flat),
    BUILT("vmdk twoGbMaxExtentSparse", VMDK, is_vmdk_split_sparse),
    BUILT("vmdk twoGbMaxExtentFlat", VMDK, is_vmdk_split_flat),
    BUILT("vmdk over vmdk", VMDK, vmdk_over_vmdk),
    BUILT("vpc dynamic by geometry", VPC, is_vpc_by_geometry),
    BUILT("vpc dynamic by size", VPC, is_vpc_by_size),
    BUILT("vpc fixed", VPC, is_vpc_fixed),
    BUILT("vhdx dynamic", VHDX, is_vhdx_dynamic),
    BUILT("vhdx fixed", VHDX, is_vhdx_fixed),
    [SOURCE_SIZE_ONLY] = {.name = "size only", .format = IMAGE_RAW,
                          .operations = 1u << OP_MEASURE},
    [SOURCE_OUTPUT + IMAGE_RAW] = WRITTEN("raw", RAW),
    [SOURCE_OUTPUT + IMAGE_QCOW2] = WRITTEN("qcow2", QCOW2),
    [SOURCE_OUTPUT + IMAGE_VPC] = WRITTEN("vpc", VPC),
    [SOURCE_OUTPUT + IMAGE_VMDK] = WRITTEN("vmdk", VMDK),
    [SOURCE_OUTPUT + IMAGE_VHDX] = WRITTEN("vhdx", VHDX),
};
// clang-format on
_Static_assert(SOURCE_CLASSES <= 64, "a set of them is a uint64_t");

uint64_t source_classes_of(const struct source_view *source) {
    uint64_t classes = 0;
    for (size_t i = 0; i < SOURCE_BUILT_CLASSES; i++)
        if (source_classes[i].holds(source))
            classes |= UINT64_C(1) << i;
    return classes;
}

bool source_class_takes(size_t source, const struct call_class *call) {
    const struct source_class *class = &source_classes[source];
    if (!(class->operations & (1u << call->op)))
        return false;
    struct target_options options;
    call_class_options(call, &options);
    return !options.snapshot || class->snapshots;
}
