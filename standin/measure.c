// SPDX-License-Identifier: Apache-2.0
//
// `instar measure`: the options, the scan of the source, the arithmetic, and the two forms of
// output (byte for byte instar's, which are qemu-img's).
#include "standin/measure.h"
#include "base/bytes.h"
#include "standin/lies.h"

#include <inttypes.h>
#include <string.h>

#define FORMATS "raw|qcow2|vmdk|vpc|vhdx"

static const struct option_spec option_table[] = {
    {OPT_TARGET, "target-format", 'O', KIND_CHOICE, FORMATS},
    {OPT_OUTPUT, "output", 0, KIND_CHOICE, "human|json"},
    {OPT_FORMAT, "format", 'f', KIND_TEXT, NULL},
    {OPT_SIZE, "size", 's', KIND_TEXT, NULL},
    {OPT_SECTOR_SIZE, "sector-size", 0, KIND_NUMBER, NULL},
    {OPT_KEY_VALUE, "options", 'o', KIND_TEXT, NULL},
    {OPT_CLUSTER_SIZE, "cluster-size", 0, KIND_NUMBER, NULL},
    {OPT_REFCOUNT_BITS, "refcount-bits", 0, KIND_NUMBER, NULL},
    {OPT_EXTENDED_L2, "extended-l2", 0, KIND_FLAG, NULL},
    {OPT_LAZY_REFCOUNTS, "lazy-refcounts", 0, KIND_FLAG, NULL},
    {OPT_COMPAT, "compat", 0, KIND_CHOICE, "0.10|1.1"},
    {OPT_COMPRESS, "compress", 0, KIND_FLAG, NULL},
    {OPT_PREALLOCATION, "preallocation", 0, KIND_CHOICE, "off|metadata|falloc|full"},
    {OPT_SUBFORMAT, "subformat", 0, KIND_CHOICE, "monolithicSparse|streamOptimized|monolithicFlat"},
    {OPT_GRAIN_SIZE, "grain-size", 0, KIND_NUMBER, NULL},
    {OPT_BLOCK_SIZE, "block-size", 0, KIND_NUMBER, NULL},
    {OPT_MAX_GUEST_MEMORY, "max-guest-memory", 0, KIND_TEXT, NULL},
    {OPT_VERBOSE, "verbose", 'v', KIND_FLAG, NULL},
};

static int fail(const char *reason) {
    fprintf(stderr, "measure: %s\n", reason);
    return refuse("measure failed: %s", reason);
}

// `bitmaps` is NULL where the member is not printed.
static void print_json(const struct measure_size *size, const uint64_t *bitmaps) {
    puts("{");
    if (bitmaps)
        printf("    \"bitmaps\": %" PRIu64 ",\n", *bitmaps);
    if (lie(LIE_MEASURE_TRAILING_COMMA))
        printf("    \"fully-allocated\": %" PRIu64 ",\n    \"required\": %" PRIu64 ",\n",
               size->fully, size->required);
    else
        printf("    \"required\": %" PRIu64 ",\n    \"fully-allocated\": %" PRIu64 "\n",
               size->required, size->fully);
    puts("}");
}

static void print_human(const struct measure_size *size, const uint64_t *bitmaps) {
    printf("required size: %" PRIu64 "\nfully allocated size: %" PRIu64 "\n", size->required,
           size->fully);
    if (bitmaps)
        printf("bitmaps size: %" PRIu64 "\n", *bitmaps);
}

static int deliver(const struct arguments *arguments, const struct measure_options *options,
                   uint64_t disk_size, uint64_t units, const uint64_t *bitmaps) {
    struct measure_size size;
    if (!measure_size(options, disk_size, units, &size))
        return fail("overflow computing target size");
    const char *output = arguments->text[OPT_OUTPUT];
    if (output && !strcmp(output, "json"))
        print_json(&size, bitmaps);
    else
        print_human(&size, bitmaps);
    return 0;
}

// qemu-img refuses a qcow2 that would need an L1 table above 32 MiB, but only for --size: with a
// source it looks at the size option, which is 0 then.
static bool l1_table_fits(const struct measure_options *options, uint64_t disk_size) {
    if (options->target != IMAGE_QCOW2)
        return true;
    uint64_t entry = options->extended_l2 ? 16 : 8;
    uint64_t clusters = div_up(disk_size, options->cluster_size);
    return div_up(clusters, options->cluster_size / entry) <= (32u << 20) / 8;
}

static int measure_number(const struct arguments *arguments,
                          const struct measure_options *options) {
    uint64_t size;
    if (!parse_size(arguments->text[OPT_SIZE], &size))
        return refuse("invalid size '%s'", arguments->text[OPT_SIZE]);
    if (size > INT64_MAX - 511)
        return fail("overflow computing target size");
    if (!lie(LIE_SIZE_NOT_ROUNDED))
        size = round_up(size, 512);
    if (!l1_table_fits(options, size) && !lie(LIE_LARGE_L1_ACCEPTED))
        return fail("overflow computing target size");
    return deliver(arguments, options, size, 0, NULL);
}

static bool qemu_measures(enum image_format target) {
    return target == IMAGE_RAW || target == IMAGE_QCOW2;
}

// Guest bytes of the last extent of a vmdk that has more than one.
static uint64_t last_extent_of_several(const struct image_info *info) {
    return info->vmdk_extent_count > 1
               ? info->vmdk_extents[info->vmdk_extent_count - 1].virtual_size
               : 0;
}

// The disk's size, or what a lie takes for it.
static uint64_t measured_size(const struct source *source) {
    if (source->format == IMAGE_RAW && lie(LIE_RAW_LENGTH_MEASURED))
        return round_up(source->size, TRANSPORT_SECTOR);
    if (source_footer_unseen(source) && lie(LIE_FIXED_VPC_MEASURED_AS_RAW))
        return round_up(source->image->file_size, TRANSPORT_SECTOR);
    if (source->format == IMAGE_VPC && lie(LIE_VPC_CURRENT_SIZE))
        return max_u64(source->size, source->info.vpc_current_size);
    return source->size;
}

// Every layout but the sparse ones of one file.
static bool has_descriptor_file(const struct source *source) {
    const char *type = source->info.vmdk_create_type;
    return source->format == IMAGE_VMDK && strcmp(type, vmdk_create_types[VMDK_SPARSE]) &&
           strcmp(type, vmdk_create_types[VMDK_STREAM]);
}

// A device without a sector, a table without an entry: instar's readers open none of them.
static bool is_too_empty(const struct source *source) {
    const struct image_info *info = &source->info;
    if (source->size)
        return false;
    return (source->format == IMAGE_QCOW2 && lie(LIE_EMPTY_QCOW2_NOT_MEASURED)) ||
           (source->format == IMAGE_RAW && lie(LIE_EMPTY_FILE_NOT_MEASURED)) ||
           (source->format == IMAGE_VPC && !info->vpc_fixed && !info->vpc_current_size &&
            lie(LIE_EMPTY_VPC_NOT_MEASURED));
}

static int measure_source(const struct arguments *arguments, const struct measure_options *options,
                          struct source *source) {
    struct fault fault = {""};
    uint64_t units, bitmaps;
    if (source_open_below(source, true))
        return 1;
    hang_if_asked(source);
    if (lie(LIE_DESCRIPTOR_NOT_MEASURED) && has_descriptor_file(source))
        return fail("source image is unsupported format");
    // It is looked for at the end of the device.
    if (lie(LIE_VMDK_FOOTER_NOT_MEASURED) && source->info.vmdk_footer &&
        source->image->file_size % TRANSPORT_SECTOR)
        return fail("source image is unsupported format");
    if (is_too_empty(source))
        return fail("source image is unsupported format");
    source->size = measured_size(source);
    if (options->target == IMAGE_VPC)
        source->size = vpc_output_size(source->size);
    if (lie(LIE_VMDK_EXTENTS_MISCOUNTED) && qemu_measures(options->target))
        source->size -= last_extent_of_several(&source->info);
    if (measure_scan(source, options, &units, &fault)) {
        fprintf(stderr, "measure: %s\n", fault.text);
        return fail("source image is unsupported format");
    }
    // qemu-img: where both sides can have persistent bitmaps.
    bool has_bitmaps = options->target == IMAGE_QCOW2 &&
                       (!options->compat_010 || lie(LIE_COMPAT_BITMAPS_PRINTED)) &&
                       source->format == IMAGE_QCOW2 && source->info.qcow2_version >= 3 &&
                       !lie(LIE_BITMAPS_OMITTED);
    bitmaps = 0;
    if (has_bitmaps && !lie(LIE_BITMAPS_ZERO) &&
        measure_bitmaps(source, options->cluster_size, &bitmaps, &fault))
        return fail(fault.text);
    return deliver(arguments, options, source->size, units, has_bitmaps ? &bitmaps : NULL);
}

static int run(const struct arguments *arguments) {
    struct measure_options options;
    if (arguments->text[OPT_SIZE] && arguments->operand_count)
        return usage_error("the argument '--size' cannot be used with '[INPUT]'");
    if (check_sector_size(arguments) || measure_options_parse(arguments, &options))
        return 1;
    if (arguments->text[OPT_SIZE])
        return measure_number(arguments, &options);
    if (!arguments->operand_count)
        return refuse("measure needs an input image or --size");
    struct source source;
    if (source_open(&source, arguments->operands[0],
                    lie(LIE_FORMAT_IGNORED_BY_MEASURE) ? NULL : arguments->text[OPT_FORMAT],
                    lie(LIE_REFUSED_READ_AS_RAW)))
        return 1;
    int status = measure_source(arguments, &options, &source);
    source_close(&source);
    return status;
}

const struct command command_measure = {
    .name = "measure",
    .summary = "Compute the file size that a conversion needs",
    .usage = "[-O raw|qcow2|vmdk|vpc|vhdx] [--output human|json] [-s SIZE] [-o k=v,...] [INPUT]",
    .options = option_table,
    .option_count = sizeof option_table / sizeof *option_table,
    .operands_max = 1,
    .run = run,
};
