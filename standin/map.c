// SPDX-License-Identifier: Apache-2.0
//
// `instar map`: which runs of the guest's disk an image stores. As instar it refuses files with a
// parent and vmdk descriptors, and of a vhdx it tells the blocks; where instar sees no holes (of
// the host, in raw files and below qcow2 clusters) it says what qemu-img says. Where a run lies in
// the file is known of raw files alone, so that the human form, which is about nothing else, is for
// those.
#include "base/bytes.h"
#include "standin/lies.h"
#include "standin/measure.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

static const struct option_spec option_table[] = {
    {OPT_FORMAT, "format", 'f', KIND_TEXT, NULL},
    {OPT_OUTPUT, "output", 0, KIND_CHOICE, "human|json"},
    {OPT_START_OFFSET, "start-offset", 0, KIND_TEXT, NULL},
    {OPT_MAX_LENGTH, "max-length", 0, KIND_TEXT, NULL},
    {OPT_SECTOR_SIZE, "sector-size", 0, KIND_NUMBER, NULL},
    {OPT_QEMU_VERSION, "qemu-version", 0, KIND_TEXT, NULL},
    {OPT_IMAGE_OPTS, "image-opts", 0, KIND_FLAG, NULL},
    {OPT_MAX_GUEST_MEMORY, "max-guest-memory", 0, KIND_TEXT, NULL},
    {OPT_VERBOSE, "verbose", 'v', KIND_FLAG, NULL},
};

struct run {
    uint64_t start, length;
    bool present, zero, data;
};

struct mapping {
    struct source *source;
    struct measure_holes holes; // of a qcow2
    uint64_t start, end;        // guest bytes that are asked for
    bool json, compressed;      // does the version profile print that member?
    struct run pending;         // length 0: none
    bool any;
    bool has_first; // a run with data has been printed, and it began here
    uint64_t first;
};

static void print_run(struct mapping *mapping, const struct run *run) {
    bool raw = mapping->source->format == IMAGE_RAW;
    if (!mapping->json) {
        if (run->data)
            printf("%#-16" PRIx64 "%#-16" PRIx64 "%#-16" PRIx64 "%s\n", run->start, run->length,
                   run->start, mapping->source->image->path);
        return;
    }
    printf("%s{ \"start\": %" PRIu64 ", \"length\": %" PRIu64
           ", \"depth\": 0, \"present\": %s, \"zero\": %s, \"data\": %s",
           mapping->any ? ",\n" : "[", run->start, run->length, run->present ? "true" : "false",
           run->zero ? "true" : "false", run->data ? "true" : "false");
    if (mapping->compressed)
        fputs(", \"compressed\": false", stdout);
    if (raw && run->data) {
        if (!mapping->has_first)
            mapping->first = run->start;
        mapping->has_first = true;
        printf(", \"offset\": %" PRIu64,
               run->start - (lie(LIE_MAP_OFFSETS_FROM_FIRST_RUN) ? mapping->first : 0));
    }
    fputs("}", stdout);
    mapping->any = true;
}

static void add_run(struct mapping *mapping, struct run run) {
    struct run *pending = &mapping->pending;
    if (pending->length && pending->present == run.present && pending->zero == run.zero &&
        pending->data == run.data) {
        pending->length += run.length;
        return;
    }
    if (pending->length)
        print_run(mapping, pending);
    *pending = run;
}

static void as_stored(struct run *run, bool data) {
    run->present = true;
    run->data = data;
    run->zero = !data;
}

// LIE_MAP_READS_ZEROS: is the cluster that holds the run full of zeros? The run ends with it.
static int holds_zeros(const struct mapping *mapping, struct run *run, bool *zeros,
                       struct fault *fault) {
    static uint8_t bytes[2u << 20];
    struct image *image = mapping->source->image;
    uint64_t cluster = mapping->source->info.cluster_size;
    run->length = min_u64(run->length, cluster - run->start % cluster);
    if (image->driver->read(image, run->start, bytes, (size_t)run->length, fault))
        return -1;
    *zeros = bytes_are_zero(bytes, (size_t)run->length);
    return 0;
}

// A cluster that the tables call data is that, and zero where the host has nothing.
static int qcow2_data(const struct mapping *mapping, struct run *run, struct fault *fault) {
    bool data, zeros = false;
    as_stored(run, true);
    if (lie(LIE_MAP_READS_ZEROS) && holds_zeros(mapping, run, &zeros, fault))
        return -1;
    if (measure_holes_next(&mapping->holes, run->start, &run->length, &data, fault))
        return -1;
    run->zero = zeros || !data;
    return 0;
}

static int table_run(const struct mapping *mapping, struct run *run, struct fault *fault) {
    struct image *image = mapping->source->image;
    struct image_extent extent;
    if (image->driver->extent(image, run->start, &extent, fault))
        return -1;
    run->length = min_u64(run->length, extent.length);
    switch (extent.state) {
    case IMAGE_HOLE:
        run->zero = true;
        break;
    case IMAGE_ZERO:
    case IMAGE_ZERO_ALLOCATED:
        as_stored(run,
                  lie(LIE_MAP_ZERO_CLUSTERS_AS_DATA) && mapping->source->format == IMAGE_QCOW2);
        break;
    case IMAGE_COMPRESSED:
        as_stored(run, true);
        break;
    case IMAGE_DATA:
        if (mapping->source->format == IMAGE_QCOW2)
            return qcow2_data(mapping, run, fault);
        as_stored(run, true);
        break;
    }
    return 0;
}

// The run at run->start, cut to run->length.
static int next_run(const struct mapping *mapping, struct run *run, struct fault *fault) {
    const struct source *source = mapping->source;
    bool by_host = source->format == IMAGE_RAW || source->info.vpc_fixed, data = true;
    if (run->start >= source->image->virtual_size) { // the rest of an odd raw file's last sector
        struct run before = mapping->pending;
        bool stored = true;
        if (!before.length) { // it is the first that is asked for: as the byte in front of it
            uint64_t length = 1;
            measure_host_run(source->image->fd, source->image->virtual_size - 1, &length, &stored);
            as_stored(&before, stored);
            before.data = stored;
            before.start = run->start;
        }
        uint64_t start = before.start + before.length;
        *run = before;
        run->start = start;
        run->length = mapping->end - start;
        return 0;
    }
    run->length = min_u64(run->length, source->image->virtual_size - run->start);
    if (!by_host)
        return table_run(mapping, run, fault);
    measure_host_run(source->image->fd, run->start, &run->length, &data);
    as_stored(run, data);
    run->data = data || source->format == IMAGE_VPC; // a fixed disk has its place there
    return 0;
}

static int map_runs(struct mapping *mapping, struct fault *fault) {
    if (!mapping->json)
        puts("Offset          Length          Mapped to       File");
    for (uint64_t at = mapping->start; at < mapping->end;) {
        struct run run = {.start = at, .length = mapping->end - at};
        if (next_run(mapping, &run, fault))
            return -1;
        add_run(mapping, run);
        at += run.length;
    }
    if (mapping->pending.length)
        print_run(mapping, &mapping->pending);
    if (mapping->json)
        puts(mapping->any ? "]" : "[]");
    return 0;
}

static int fail(const char *reason) {
    fprintf(stderr, "map: %s\n", reason);
    return refuse("map failed: %s", reason);
}

static int parse_window(const struct arguments *arguments, struct mapping *mapping) {
    const char *start = arguments->text[OPT_START_OFFSET], *most = arguments->text[OPT_MAX_LENGTH];
    uint64_t length = 0, size = mapping->source->size;
    if ((start && !parse_size(start, &mapping->start)) || (most && !parse_size(most, &length)))
        return refuse("map: invalid offset or length");
    mapping->start = min_u64(mapping->start, size);
    mapping->end = length && length < size - mapping->start ? mapping->start + length : size;
    return 0;
}

static int map_source(const struct arguments *arguments, struct mapping *mapping) {
    struct source *source = mapping->source;
    struct fault fault = {""};
    if (source->info.has_backing)
        return fail("an image with a backing file is not supported");
    if (source->format == IMAGE_VMDK && source->image->file_count)
        return fail("a vmdk descriptor is not supported");
    if (!mapping->json && source->format != IMAGE_RAW)
        return refuse("map --output human of %s: not in this stand-in",
                      source->image->driver->name);
    if (source->format == IMAGE_RAW && lie(LIE_RAW_LENGTH_MAPPED))
        source->size = round_up(source->size, TRANSPORT_SECTOR);
    if (parse_window(arguments, mapping))
        return 1;
    bool qcow2 = source->format == IMAGE_QCOW2;
    if (qcow2 && measure_holes_begin(&mapping->holes, source->image, &fault))
        return fail(fault.text);
    int status = map_runs(mapping, &fault) ? fail(fault.text) : 0;
    if (qcow2)
        measure_holes_end(&mapping->holes);
    return status;
}

static int run(const struct arguments *arguments) {
    const char *output = arguments->text[OPT_OUTPUT];
    unsigned version;
    struct source source;
    if (arguments->text[OPT_IMAGE_OPTS])
        return refuse("map: --image-opts is not supported");
    if (check_sector_size(arguments) ||
        parse_version(arguments->text[OPT_QEMU_VERSION], &version) ||
        source_open(&source, arguments->operands[0], NULL, false))
        return 1;
    struct mapping mapping = {.source = &source,
                              .json = output && !strcmp(output, "json"),
                              .compressed = version >= 80200};
    int status = map_source(arguments, &mapping);
    source_close(&source);
    return status;
}

const struct command command_map = {
    .name = "map",
    .summary = "Tell which runs of the disk an image stores",
    .usage = "[--output human|json] [--start-offset N] [--max-length N] [--qemu-version V] <FILE>",
    .options = option_table,
    .option_count = sizeof option_table / sizeof *option_table,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
