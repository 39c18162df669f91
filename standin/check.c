// SPDX-License-Identifier: Apache-2.0
//
// `instar check`: walks all tables of an image (harness/image) and says what it found with instar's
// keys. Unlike qemu-img it has checks for vpc too, its check-errors include leaks, and
// fragmented-clusters is a percentage; the exit codes are qemu-img's.
#include "standin/lies.h"
#include "standin/standin.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

static const struct option_spec option_table[] = {
    {OPT_OUTPUT, "output", 0, KIND_CHOICE, "human|json"},
    {OPT_QUIET, "quiet", 'q', KIND_FLAG, NULL},
    {OPT_UNSAFE_QUIRKS, "unsafe-quirks", 0, KIND_FLAG, NULL},
    {OPT_CHAIN, "chain", 0, KIND_FLAG, NULL},
    {OPT_REPAIR, "repair", 0, KIND_CHOICE_OPTIONAL, "leaks|all"},
    {OPT_SECTOR_SIZE, "sector-size", 0, KIND_NUMBER, NULL},
    {OPT_VERBOSE, "verbose", 'v', KIND_FLAG, NULL},
};

enum { EXIT_CLEAN = 0, EXIT_FAILED = 1, EXIT_CORRUPT = 2, EXIT_LEAKS = 3, EXIT_NO_CHECKS = 63 };

static unsigned percent(uint64_t part, uint64_t whole) {
    return whole ? (unsigned)(100.0 * (double)part / (double)whole) : 0;
}

static void print_number(const char *key, uint64_t value) {
    printf("    \"%s\": %" PRIu64 ",\n", key, value);
}

static void print_json(const struct source *source, const char *path,
                       const struct image_check *check) {
    char absolute[PATH_MAX];
    absolute_path(path, absolute, sizeof absolute);
    fputs("{\n    \"filename\": ", stdout);
    print_json_text(absolute);
    printf(",\n    \"format\": \"%s\",\n",
           source->format == IMAGE_VPC ? "vhd" : source->image->driver->name);
    print_number("check-errors", check->corruptions + check->leaks);
    print_number("corruptions", check->corruptions);
    print_number("leaks", check->leaks);
    print_number("refcount-errors", 0);
    print_number("image-end-offset", check->image_end_offset);
    print_number("total-clusters", check->total_clusters);
    print_number("allocated-clusters", check->allocated_clusters);
    print_number("fragmented-clusters",
                 percent(check->fragmented_clusters, check->allocated_clusters));
    printf("    \"dirty\": %s,\n    \"corrupt\": %s,\n    \"chain-errors\": 0,\n"
           "    \"subcluster-errors\": 0,\n    \"repair-incomplete\": false\n}\n",
           source->info.dirty ? "true" : "false", source->info.corrupt ? "true" : "false");
}

static void print_human(const struct image_check *check) {
    uint64_t errors = check->corruptions + check->leaks;
    if (!errors)
        puts("No errors were found on the image.");
    if (check->corruptions)
        printf("%" PRIu64
               " errors were found on the image.\nData may be corrupted, or the image has "
               "been written incompletely.\n",
               errors);
    if (check->leaks)
        printf("%" PRIu64 " leaked clusters were found on the image.\nThis means waste of disk "
               "space, but no harm to data.\n",
               check->leaks);
    if (check->total_clusters)
        printf("%" PRIu64 "/%" PRIu64 " = %.2f%% allocated, %u%% fragmented\n",
               check->allocated_clusters, check->total_clusters,
               100.0 * (double)check->allocated_clusters / (double)check->total_clusters,
               percent(check->fragmented_clusters, check->allocated_clusters));
    printf("Image end offset: %" PRIu64 "\n", check->image_end_offset);
}

static int check_source(const struct arguments *arguments, const struct source *source) {
    const struct image_driver *driver = source->image->driver;
    if (source_is_split_sparse(source) && lie(LIE_SPLIT_SPARSE_NOT_SHOWN))
        return refuse("error discovering backing chain: not a flat extent");
    bool unchecked = arguments->text[OPT_UNSAFE_QUIRKS] && source->format != IMAGE_QCOW2;
    bool as_raw = source_footer_unseen(source) && lie(LIE_FIXED_VPC_NOT_CHECKED);
    if (source->format == IMAGE_RAW || !driver->check || unchecked || as_raw) {
        printf("This image format (%s) does not support checks\n", as_raw ? "raw" : driver->name);
        return EXIT_NO_CHECKS;
    }
    struct image_check check = {0};
    struct fault fault = {""};
    if (driver->check(source->image, &check, &fault)) {
        fprintf(stderr, "check: %s\n", fault.text);
        return refuse("check operation failed");
    }
    // Only qcow2 counts references: qemu-img calls a vmdk or vhdx with unused space clean, and
    // leaves such space itself between the regions of a vhdx.
    if (source->format == IMAGE_VMDK || source->format == IMAGE_VHDX)
        check.leaks = 0;
    // A table of all of them and an L1 table of each, of at least a cluster.
    if (source->info.snapshots && lie(LIE_SNAPSHOTS_NOT_WALKED))
        check.leaks += 1 + source->info.snapshots;
    if (lie(LIE_LOST_REFCOUNTS_UNSEEN))
        check.corruptions = 0;
    if (lie(LIE_LEAKS_UNSEEN))
        check.leaks = 0;
    if (source->format != IMAGE_QCOW2 && lie(LIE_TABLES_UNCHECKED))
        check.corruptions = check.leaks = 0;
    if (check.first_problem[0] && (check.corruptions || check.leaks))
        fprintf(stderr, "check: %s\n", check.first_problem);
    bool clean = !check.corruptions && !check.leaks;
    int status = check.corruptions ? EXIT_CORRUPT : check.leaks ? EXIT_LEAKS : EXIT_CLEAN;
    if (lie(LIE_LEAKS_NOT_COUNTED))
        check.leaks = 0;
    if (arguments->text[OPT_OUTPUT] && !strcmp(arguments->text[OPT_OUTPUT], "json"))
        print_json(source, arguments->operands[0], &check);
    else if (!arguments->text[OPT_QUIET] || !clean)
        print_human(&check);
    return status;
}

static int run(const struct arguments *arguments) {
    if (check_sector_size(arguments))
        return EXIT_FAILED;
    if (arguments->text[OPT_CHAIN] || arguments->text[OPT_REPAIR])
        return refuse("check --chain and --repair: not in this stand-in");
    struct source source;
    if (source_open(&source, arguments->operands[0], NULL, false))
        return EXIT_FAILED;
    int status = check_source(arguments, &source);
    source_close(&source);
    return status;
}

const struct command command_check = {
    .name = "check",
    .summary = "Check the tables of an image",
    .usage = "[--output human|json] [-q] [--unsafe-quirks] <FILE>",
    .options = option_table,
    .option_count = sizeof option_table / sizeof *option_table,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
