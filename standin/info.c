// SPDX-License-Identifier: Apache-2.0
//
// `instar info`: what a source's header says, with instar's keys in instar's order. A version
// profile (--qemu-version) decides what qemu-img of that version would print; without one it is
// 10.0, as instar assumes where it finds no qemu-img.
#include "standin/lies.h"
#include "standin/standin.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static const struct option_spec option_table[] = {
    {OPT_OUTPUT, "output", 0, KIND_CHOICE, "human|json"},
    {OPT_CHAIN, "chain", 0, KIND_FLAG, NULL},
    {OPT_EXTRA_DETAIL, "extra-detail", 0, KIND_FLAG, NULL},
    {OPT_IGNORE_QUIRKS, "ignore-quirks", 0, KIND_FLAG, NULL},
    {OPT_UNSAFE_QUIRKS, "unsafe-quirks", 0, KIND_FLAG, NULL},
    {OPT_QEMU_VERSION, "qemu-version", 0, KIND_TEXT, NULL},
    {OPT_SECTOR_SIZE, "sector-size", 0, KIND_NUMBER, NULL},
    {OPT_LUKS_PASSPHRASE, "luks-passphrase", 0, KIND_TEXT, NULL},
    {OPT_LUKS_PASSPHRASE_FILE, "luks-passphrase-file", 0, KIND_TEXT, NULL},
    {OPT_MAX_GUEST_MEMORY, "max-guest-memory", 0, KIND_TEXT, NULL},
    {OPT_VERBOSE, "verbose", 'v', KIND_FLAG, NULL},
};

// A file of the image, as qemu-img names the node that has it.
struct part {
    char node[16]; // "file", "extents.0", ...
    char path[PATH_MAX];
    uint64_t file_size, actual_size; // bytes
};

struct subject {
    const struct source *source;
    const char *format; // as printed: "unknown" is instar's word for a plain raw file
    struct part parts[1 + IMAGE_MAX_FILES]; // the file that was named is the first
    size_t count;
    uint64_t actual_size;      // of all parts
    bool children, dirty_flag; // does the version profile print them?
};

static void print_child(const struct part *part, bool last) {
    printf("        {\n            \"name\": \"%s\",\n            \"info\": {\n"
           "                \"children\": [\n                ],\n",
           part->node);
    printf("                \"virtual-size\": %" PRIu64 ",\n                \"filename\": ",
           (part->file_size + 511) / 512 * 512);
    print_json_text(part->path);
    printf(",\n                \"format\": \"file\",\n                \"actual-size\": %" PRIu64
           ",\n",
           part->actual_size);
    puts("                \"format-specific\": {\n                    \"type\": \"file\",\n"
         "                    \"data\": {\n                    }\n                },\n"
         "                \"dirty-flag\": false\n            }");
    puts(last ? "        }" : "        },");
}

// The order is qemu-img's: last opened, first printed.
static void print_children(const struct subject *subject) {
    puts("    \"children\": [");
    for (size_t i = subject->count; i-- > 0;)
        print_child(&subject->parts[i], i == 0);
    puts("    ],");
}

static const char *boolean(bool value) {
    return value ? "true" : "false";
}

static void print_data_file(const struct image_info *info) {
    if (!info->data_file[0])
        return;
    fputs("            \"data-file\": ", stdout);
    print_json_text(info->data_file);
    puts(",");
    if (!lie(LIE_DATA_FILE_RAW_NOT_SHOWN))
        printf("            \"data-file-raw\": %s,\n", boolean(info->data_file_raw));
}

static void print_qcow2(const struct image_info *info) {
    bool version3 = info->qcow2_version >= 3;
    printf("    \"format-specific\": {\n        \"type\": \"qcow2\",\n        \"data\": {\n"
           "            \"compat\": \"%s\",\n            \"compression-type\": \"%s\",\n",
           version3 ? "1.1" : "0.10", info->compression_type ? "zstd" : "zlib");
    if (version3)
        printf("            \"lazy-refcounts\": %s,\n", boolean(info->lazy_refcounts));
    printf("            \"refcount-bits\": %" PRIu32 "%s\n", info->refcount_bits,
           version3 ? "," : "");
    print_data_file(info);
    if (version3)
        printf("            \"corrupt\": %s,\n            \"extended-l2\": %s\n",
               boolean(info->corrupt), boolean(info->extended_l2));
    puts("        }\n    },");
}

static void print_extent(const struct image_part *extent, const char *path, bool first) {
    puts(first ? "                {" : ",\n                {");
    if (extent->compressed)
        puts("                    \"compressed\": true,");
    printf("                    \"virtual-size\": %" PRIu64 ",\n                    \"filename\": ",
           extent->virtual_size);
    print_json_text(path);
    if (extent->cluster_size)
        printf(",\n                    \"cluster-size\": %" PRIu64, extent->cluster_size);
    printf(",\n                    \"format\": \"%s\"\n                }", extent->kind);
}

static void print_vmdk(const struct subject *subject, const struct image_info *info) {
    printf("    \"format-specific\": {\n        \"type\": \"vmdk\",\n        \"data\": {\n"
           "            \"cid\": %" PRIu32 ",\n            \"parent-cid\": %" PRIu32
           ",\n            \"create-type\": ",
           info->vmdk_cid, info->vmdk_parent_cid);
    print_json_text(info->vmdk_create_type);
    puts(",\n            \"extents\": [");
    bool first = true;
    for (size_t i = 0, file = 0; i < info->vmdk_extent_count; i++) {
        const struct image_part *extent = &info->vmdk_extents[i];
        if (!strcmp(extent->kind, "ZERO")) // it has no file, and qemu-img does not know it
            continue;
        file += extent->name[0] != 0;
        print_extent(extent, subject->parts[file].path, first);
        first = false;
    }
    puts("\n            ]\n        }\n    },");
}

static bool shows_backing(const struct source *source) {
    return source->info.has_backing &&
           !(source->format == IMAGE_VMDK && lie(LIE_VMDK_PARENT_NOT_SHOWN));
}

// instar takes an unrecorded format for qcow2.
static void print_backing_format(const struct source *source) {
    const struct image_info *info = &source->info;
    if (!shows_backing(source))
        return;
    fputs("    \"backing-filename-format\": ", stdout);
    print_json_text(info->backing_format[0] ? info->backing_format : "qcow2");
    puts(",");
}

// Relative names are looked for beside the file that has them.
static void print_backing(const struct subject *subject) {
    const struct image_info *info = &subject->source->info;
    if (!shows_backing(subject->source))
        return;
    char full[PATH_MAX + sizeof info->backing_name];
    const char *path = subject->parts[0].path, *slash = strrchr(path, '/');
    snprintf(full, sizeof full, "%.*s%s",
             slash && info->backing_name[0] != '/' ? (int)(slash - path) + 1 : 0, path,
             info->backing_name);
    fputs("    \"full-backing-filename\": ", stdout);
    print_json_text(full);
    fputs(",\n    \"backing-filename\": ", stdout);
    print_json_text(info->backing_name);
    puts(",");
}

// What is printed as cluster-size; 0: nothing.
static uint64_t unit_shown(const struct source *source) {
    bool every_vpc = source->format == IMAGE_VPC && lie(LIE_VPC_CLUSTER_SIZE);
    return every_vpc ? 2u << 20 : source->info.cluster_size;
}

static void print_json(const struct subject *subject) {
    const struct image_info *info = &subject->source->info;
    puts("{");
    if (subject->children)
        print_children(subject);
    print_backing_format(subject->source);
    printf("    \"virtual-size\": %" PRIu64 ",\n    \"filename\": ", subject->source->size);
    print_json_text(subject->parts[0].path);
    if (unit_shown(subject->source))
        printf(",\n    \"cluster-size\": %" PRIu64, unit_shown(subject->source));
    printf(",\n    \"format\": \"%s\",\n    \"actual-size\": %" PRIu64 ",\n", subject->format,
           subject->actual_size);
    if (subject->source->format == IMAGE_QCOW2)
        print_qcow2(info);
    else if (subject->source->format == IMAGE_VMDK)
        print_vmdk(subject, info);
    print_backing(subject);
    // qemu-img reports the dirty bit of qcow2 from 6.1 on; before, the flag was never set.
    printf("    \"dirty-flag\": %s\n}\n", boolean(subject->dirty_flag && info->dirty));
}

// Three significant digits and a binary unit, as qemu-img writes sizes.
static void print_human_size(const char *label, uint64_t bytes, bool exact) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    int unit = 0;
    while (value >= 1000 && unit < 6) {
        value /= 1024;
        unit++;
    }
    printf("%s: %0.3g %s", label, value, units[unit]);
    if (exact)
        printf(" (%" PRIu64 " bytes)", bytes);
    putchar('\n');
}

static void print_human(const struct subject *subject) {
    const struct image_info *info = &subject->source->info;
    printf("image: %s\nfile format: %s\n", subject->parts[0].path, subject->format);
    print_human_size("virtual size", subject->source->size, true);
    print_human_size("disk size", subject->actual_size, false);
    if (unit_shown(subject->source))
        printf("cluster_size: %" PRIu64 "\n", unit_shown(subject->source));
    if (subject->dirty_flag && info->dirty)
        puts("cleanly shut down: no");
    if (shows_backing(subject->source))
        printf("backing file: %s\n", info->backing_name);
    if (shows_backing(subject->source) && info->backing_format[0])
        printf("backing file format: %s\n", info->backing_format);
    if (info->data_file[0])
        printf("data file: %s\n", info->data_file);
    if (subject->source->format != IMAGE_QCOW2)
        return;
    bool version3 = info->qcow2_version >= 3;
    printf("Format specific information:\n    compat: %s\n    compression type: %s\n",
           version3 ? "1.1" : "0.10", info->compression_type ? "zstd" : "zlib");
    if (version3)
        printf("    lazy refcounts: %s\n", boolean(info->lazy_refcounts));
    printf("    refcount bits: %" PRIu32 "\n", info->refcount_bits);
    if (version3)
        printf("    corrupt: %s\n    extended l2: %s\n", boolean(info->corrupt),
               boolean(info->extended_l2));
}

static int add_part(struct subject *subject, const char *path, bool length_counts) {
    struct part *part = &subject->parts[subject->count];
    struct stat status;
    if (stat(path, &status))
        return refuse_errno(errno);
    if (subject->count)
        snprintf(part->node, sizeof part->node, "extents.%zu", subject->count - 1);
    else
        snprintf(part->node, sizeof part->node, "file");
    absolute_path(path, part->path, sizeof part->path);
    part->file_size = (uint64_t)status.st_size;
    part->actual_size = (uint64_t)(length_counts ? status.st_size : status.st_blocks * 512);
    subject->actual_size += part->actual_size;
    subject->count++;
    return 0;
}

// The file that was named, and the extents of a vmdk beside it.
static int add_parts(struct subject *subject, const char *path, bool length_counts) {
    const struct image_info *info = &subject->source->info;
    char extent[PATH_MAX];
    if (add_part(subject, path, length_counts))
        return 1;
    for (size_t i = 0; i < info->vmdk_extent_count; i++) {
        if (!info->vmdk_extents[i].name[0])
            continue;
        path_beside(path, info->vmdk_extents[i].name, extent, sizeof extent);
        if (add_part(subject, extent, length_counts))
            return 1;
    }
    return 0;
}

// The file is what is shown: its length, and nothing of what its footer says.
static void show_as_raw(struct subject *subject, struct source *source) {
    subject->format = "raw";
    source->format = IMAGE_RAW;
    source->size = (source->image->file_size + 511) / 512 * 512;
}

static int run(const struct arguments *arguments) {
    unsigned version = 0;
    if (parse_version(arguments->text[OPT_QEMU_VERSION], &version) || check_sector_size(arguments))
        return 1;
    if (arguments->text[OPT_CHAIN])
        return refuse("info --chain: not in this stand-in");
    struct source source;
    if (source_open(&source, arguments->operands[0], NULL, lie(LIE_REFUSED_READ_AS_RAW)))
        return 1;
    struct subject subject = {
        .source = &source,
        .format = source.image->driver->name,
        .children = version >= 80000,
        .dirty_flag = version >= 60100,
    };
    if (source_is_split_sparse(&source) && lie(LIE_SPLIT_SPARSE_NOT_SHOWN)) {
        source_close(&source);
        return refuse("error resolving VMDK descriptor: not a flat extent");
    }
    if (source_footer_unseen(&source) && lie(LIE_FIXED_VPC_SHOWN_AS_RAW))
        show_as_raw(&subject, &source);
    if (source.format == IMAGE_RAW && !arguments->text[OPT_UNSAFE_QUIRKS])
        subject.format = "unknown";
    int status =
        add_parts(&subject, arguments->operands[0], arguments->text[OPT_IGNORE_QUIRKS] != NULL);
    const char *output = arguments->text[OPT_OUTPUT];
    bool nothing = !source.image->file_size && lie(LIE_EMPTY_FILE_NOT_SHOWN);
    if (status == 0 && !nothing && output && !strcmp(output, "json"))
        print_json(&subject);
    else if (status == 0 && !nothing)
        print_human(&subject);
    source_close(&source);
    return status;
}

const struct command command_info = {
    .name = "info",
    .summary = "Show what an image says of itself",
    .usage = "[--output human|json] [--qemu-version V] [--unsafe-quirks] <FILE>",
    .options = option_table,
    .option_count = sizeof option_table / sizeof *option_table,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
