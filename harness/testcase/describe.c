// SPDX-License-Identifier: Apache-2.0
//
// A case in words. A person who gets a finding at night reads this before anything else, so it
// says what is built and what is run as it really happens, caps applied, not as the bytes ask.

#include "image/vpc.h"
#include "testcase/caps.h"
#include "testcase/fields.h"

#include <inttypes.h>

// The largest binary unit that says the number exactly.
static void size_words(uint64_t bytes, struct buffer *out) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    while (unit + 1 < sizeof units / sizeof *units && bytes >= 1024 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    buffer_format(out, "%" PRIu64 " %s", bytes, bytes == 1 && unit == 0 ? "byte" : units[unit]);
}

static void size_words_and_bytes(uint64_t bytes, struct buffer *out) {
    size_words(bytes, out);
    if (bytes >= 1024 && bytes % 1024 == 0)
        buffer_format(out, " (%" PRIu64 " bytes)", bytes);
}

static void unit_words(uint64_t unit, const char *what, struct buffer *out) {
    buffer_text(out, ", ");
    size_words(unit, out);
    buffer_format(out, " %s", what);
}

static void qcow2_words(const struct image_options *options, struct buffer *out) {
    buffer_format(out, " version %u", options->qcow2_version);
    unit_words(1ull << options->cluster_bits, "clusters", out);
    buffer_format(out, ", %u-bit refcounts", options->refcount_bits);
    if (options->lazy_refcounts)
        buffer_text(out, ", lazy refcounts");
    if (options->extended_l2)
        buffer_text(out, ", extended L2 entries");
    if (options->compression == QCOW2_ZSTD)
        buffer_text(out, ", zstd");
    if (options->data_file)
        buffer_text(out, options->data_file == QCOW2_DATA_FILE_RAW
                             ? ", clusters in a raw data file of their own"
                             : ", clusters in a data file of their own");
}

void case_describe_image(const struct testcase *testcase, struct buffer *out) {
    struct image_options options;

    case_image_options(testcase, &options);
    buffer_text(out, case_format_names[testcase->format]);
    switch ((enum image_format)testcase->format) {
    case IMAGE_QCOW2:
        qcow2_words(&options, out);
        break;
    case IMAGE_VPC:
        buffer_text(out, options.vpc_fixed ? ", fixed" : ", dynamic");
        if (!options.vpc_fixed)
            unit_words(1ull << options.block_bits, "blocks", out);
        buffer_format(out, ", creator \"%.4s\"", vpc_creators[options.vpc_creator].application);
        break;
    case IMAGE_VMDK:
        buffer_format(out, " %s", vmdk_create_types[options.vmdk_subformat]);
        if (options.grain_bits)
            unit_words(1ull << options.grain_bits, "grains", out);
        if (options.vmdk_subformat >= VMDK_SPLIT_SPARSE)
            unit_words(options.vmdk_extent, "in each extent", out);
        break;
    case IMAGE_VHDX:
        if (options.vhdx_fixed)
            buffer_text(out, ", fixed");
        unit_words(1ull << options.block_bits, "blocks", out);
        break;
    case IMAGE_RAW:
    case IMAGE_FORMATS:
        break;
    }
    buffer_text(out, ", virtual size ");
    size_words_and_bytes(case_virtual_size(testcase), out);
}

void case_describe_write(const struct testcase *testcase, size_t index,
                         const struct content_extent *extent, struct buffer *out) {
    static const char *const patterns[CONTENT_PATTERNS] = {
        [PATTERN_ZERO] = "written zeros",
        [PATTERN_CONSTANT] = "one repeated byte",
        [PATTERN_COUNTER] = "a counter",
        [PATTERN_NOISE] = "noise",
        [PATTERN_MBR] = "an MBR and a counter",
        [PATTERN_GPT] = "a GPT and a counter",
        [PATTERN_QCOW2_HEADER] = "a qcow2 header and a counter",
        [PATTERN_VPC_FOOTER] = "a VHD cookie and a counter",
    };

    if (extent->length == 0) {
        buffer_text(out, case_virtual_size(testcase) == 0 ? "left out: the disk has no bytes"
                                                          : "left out: the case costs enough");
        return;
    }
    size_words(extent->length, out);
    if (extent->form == FORM_ZERO || extent->form == FORM_ZERO_ALLOCATED) {
        buffer_text(out, " of explicit zeros at ");
        size_words(extent->offset, out);
        if (extent->form == FORM_ZERO_ALLOCATED)
            buffer_text(out, ", space kept");
        return;
    }
    buffer_format(out, " of %s at ", patterns[extent->pattern]);
    size_words(extent->offset, out);
    if (extent->form == FORM_COMPRESSED)
        buffer_text(out, ", compressed");
    if (testcase->writes[index].seed)
        buffer_format(out, ", seed %u", testcase->writes[index].seed);
}

static void options_words(const struct target_options *options, struct buffer *out) {
    static const char *const preallocations[PREALLOCATIONS] = {"", "off", "metadata", "falloc",
                                                               "full"};

    if (options->cluster_bits)
        buffer_format(out, ", cluster_size=%u", 1u << options->cluster_bits);
    if (options->refcount_bits)
        buffer_format(out, ", refcount_bits=%u", options->refcount_bits);
    if (options->extended_l2)
        buffer_text(out, ", extended_l2=on");
    if (options->vmdk_subformat)
        buffer_format(out, ", subformat=%s", target_subformat_name(options->vmdk_subformat));
    if (options->grain_bits)
        buffer_format(out, ", grain_size=%u", 1u << options->grain_bits);
    if (options->block_bits)
        buffer_format(out, ", block_size=%u", 1u << options->block_bits);
    if (options->lazy_refcounts)
        buffer_text(out, ", lazy_refcounts=on");
    if (options->preallocation)
        buffer_format(out, ", preallocation=%s", preallocations[options->preallocation]);
    if (options->compat)
        buffer_format(out, ", compat=%s", options->compat == 1 ? "0.10" : "1.1");
    if (options->compression)
        buffer_format(out, ", compression_type=%s", options->compression == 1 ? "zlib" : "zstd");
    if (options->no_skip_zeros)
        buffer_text(out, ", zeros stored too");
}

void case_describe_operation(const struct testcase *testcase, size_t index, struct buffer *out) {
    static const char *const verbs[OPERATIONS] = {
        [OP_INFO] = "info of",
        [OP_CHECK] = "check",
        [OP_MEASURE] = "measure",
        [OP_CONVERT] = "convert",
        [OP_CONVERT_COMPRESSED] = "convert",
    };
    static const char *const inputs[OPERATION_INPUTS] = {
        [INPUT_SOURCE] = "the source",
        [INPUT_A_OUTPUT] = "the latest output of tool A",
        [INPUT_B_OUTPUT] = "the latest output of tool B",
    };
    const struct case_operation *operation = &testcase->operations[index];
    const char *target = case_format_names[operation->target];
    struct target_options options;

    case_target_options(testcase, operation, &options);
    if (options.size_only)
        buffer_text(out, "measure a disk of the source's size");
    else if (options.snapshot)
        buffer_format(out, "convert snapshot %s (\"%s\") of %s",
                      case_snapshot_id(options.snapshot - 1),
                      case_snapshot_name(options.snapshot - 1), inputs[operation->input]);
    else
        buffer_format(out, "%s %s", verbs[operation->op], inputs[operation->input]);
    if (operation->op == OP_MEASURE)
        buffer_format(out, " for %s", target);
    else if (operation_writes((enum operation)operation->op))
        buffer_format(out, " to %s%s", operation->op == OP_CONVERT ? "" : "compressed ", target);
    options_words(&options, out);
    if (!case_operation_allowed(testcase, operation, NULL))
        buffer_text(out, " (not run: it costs too much)");
}

static void describe_below(const struct testcase *testcase, struct buffer *out) {
    struct testcase layer;
    for (uint32_t i = 1, layers = case_layers(testcase); i < layers; i++) {
        case_layer(testcase, i, &layer);
        buffer_format(out, "file %u below: ", i);
        case_describe_image(&layer, out);
        buffer_text(out, "\n");
    }
}

static void describe_states(const struct testcase *testcase, struct buffer *out) {
    for (uint32_t i = 0; i < case_snapshots(testcase); i++) {
        size_t taken = testcase->write_count * (i + 1) / (case_snapshots(testcase) + 1);
        buffer_format(out, "snapshot %s (\"%s\"): after %zu write%s, ", case_snapshot_id(i),
                      case_snapshot_name(i), taken, taken == 1 ? "" : "s");
        size_words_and_bytes(case_snapshot_size(testcase, i), out);
        buffer_text(out, "\n");
    }
    for (uint32_t i = 0; i < case_bitmaps(testcase); i++) {
        struct image_bitmap bitmap;
        struct image_map dirty = {0};
        case_bitmap(testcase, i, &bitmap, &dirty);
        image_map_free(&dirty);
        buffer_format(out, "bitmap \"%s\": granularity ", bitmap.name);
        size_words(1ull << bitmap.granularity_bits, out);
        buffer_text(out, bitmap.in_use      ? ", in use: its content is void\n"
                         : bitmap.automatic ? "\n"
                                            : ", disabled\n");
    }
}

void case_describe(const struct testcase *testcase, struct buffer *out) {
    struct content_extent extents[CASE_MAX_WRITES];

    case_chain_extents(testcase, extents);
    buffer_text(out, "source: ");
    case_describe_image(testcase, out);
    buffer_text(out, "\n");
    describe_below(testcase, out);
    describe_states(testcase, out);
    for (uint32_t i = 0; i < testcase->write_count; i++) {
        buffer_format(out, "write %u: ", i + 1);
        case_describe_write(testcase, i, &extents[i], out);
        uint32_t layer = case_write_layer(testcase, &testcase->writes[i]);
        if (layer)
            buffer_format(out, ", in file %u below", layer);
        buffer_text(out, "\n");
    }
    for (uint32_t i = 0; i < testcase->operation_count; i++) {
        buffer_format(out, "operation %u: ", i + 1);
        case_describe_operation(testcase, i, out);
        buffer_text(out, "\n");
    }
}
