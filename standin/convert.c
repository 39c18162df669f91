// SPDX-License-Identifier: Apache-2.0
//
// `instar convert`: the refusals that instar documents, then one call of the target's writer. The
// output replaces an existing file; what a failed conversion began is not left behind. A vpc output
// has the source's exact size (creator "qem2"), as instar writes it; qemu-img would round it up to
// whole CHS geometry.
#include "base/bytes.h"
#include "base/file.h"
#include "image/vpc.h"
#include "standin/lies.h"
#include "standin/losses.h"
#include "standin/standin.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMATS    "raw|qcow2|vmdk|vpc|vhdx"
#define SMALL_DISK (4u << 20) // deflating its holes takes a moment

static const struct option_spec option_table[] = {
    {OPT_TARGET, "output-format", 'O', KIND_CHOICE, FORMATS},
    {OPT_COMPRESS, "compress", 'c', KIND_FLAG, NULL},
    {OPT_SKIP_ZEROS, "skip-zeros", 'S', KIND_FLAG, NULL},
    {OPT_NO_SKIP_ZEROS, "no-skip-zeros", 0, KIND_FLAG, NULL},
    {OPT_CLUSTER_SIZE, "cluster-size", 0, KIND_NUMBER, NULL},
    {OPT_EXTENDED_L2, "extended-l2", 0, KIND_FLAG, NULL},
    {OPT_SUBFORMAT, "subformat", 0, KIND_CHOICE, "monolithicSparse|streamOptimized|monolithicFlat"},
    {OPT_GRAIN_SIZE, "grain-size", 0, KIND_NUMBER, NULL},
    {OPT_BLOCK_SIZE, "block-size", 0, KIND_NUMBER, NULL},
    {OPT_SNAPSHOT, "snapshot", 0, KIND_TEXT, NULL},
    {OPT_NO_CREATE, "no-create", 'n', KIND_FLAG, NULL},
    {OPT_PROGRESS, "progress-percent", 'p', KIND_NUMBER, NULL},
    {OPT_SECTOR_SIZE, "sector-size", 0, KIND_NUMBER, NULL},
    {OPT_QCOW2_PASSWORD, "qcow2-password", 0, KIND_TEXT, NULL},
    {OPT_QCOW2_PASSWORD_FILE, "qcow2-password-file", 0, KIND_TEXT, NULL},
    {OPT_LUKS_PASSPHRASE, "luks-passphrase", 0, KIND_TEXT, NULL},
    {OPT_LUKS_PASSPHRASE_FILE, "luks-passphrase-file", 0, KIND_TEXT, NULL},
    {OPT_LUKS_ENCRYPT_PASSPHRASE, "luks-encrypt-passphrase", 0, KIND_TEXT, NULL},
    {OPT_LUKS_ENCRYPT_PASSPHRASE_FILE, "luks-encrypt-passphrase-file", 0, KIND_TEXT, NULL},
    {OPT_LUKS_ENCRYPT_ITERATIONS, "luks-encrypt-iterations", 0, KIND_NUMBER, NULL},
    {OPT_MAX_GUEST_MEMORY, "max-guest-memory", 0, KIND_TEXT, NULL},
    {OPT_VERBOSE, "verbose", 'v', KIND_FLAG, NULL},
};

static bool within(uint64_t value, uint64_t low, uint64_t high) {
    return power_of_two(value) && value >= low && value <= high;
}

static int refuse_absent(const struct arguments *arguments) {
    static const enum option_id absent[] = {OPT_NO_CREATE,
                                            OPT_QCOW2_PASSWORD,
                                            OPT_LUKS_PASSPHRASE,
                                            OPT_QCOW2_PASSWORD_FILE,
                                            OPT_LUKS_ENCRYPT_PASSPHRASE,
                                            OPT_LUKS_PASSPHRASE_FILE,
                                            OPT_LUKS_ENCRYPT_PASSPHRASE_FILE};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (arguments->text[absent[i]])
            return refuse("convert: passwords and --no-create are not in this stand-in");
    return 0;
}

static int qcow2_options(const struct arguments *arguments, struct image_options *options) {
    uint64_t cluster = arguments->number[OPT_CLUSTER_SIZE];
    if (arguments->text[OPT_CLUSTER_SIZE]) {
        if (!within(cluster, 512, 2u << 20))
            return refuse("cluster size must be a power of 2 between 512 and 2097152");
        options->cluster_bits = bits_of(cluster);
    }
    options->extended_l2 = arguments->position[OPT_EXTENDED_L2];
    // instar does not check this; qemu-img refuses it, and refuses such an image too.
    if (options->extended_l2 && options->cluster_bits && options->cluster_bits < 14)
        return refuse("extended L2 entries need clusters of at least 16384 bytes");
    if (lie(LIE_EXTENDED_L2_FORGOTTEN))
        options->extended_l2 = false;
    return 0;
}

static int vmdk_options(const struct arguments *arguments, struct image_options *options) {
    const char *subformat = arguments->text[OPT_SUBFORMAT];
    bool stream = arguments->position[OPT_COMPRESS];
    if (subformat && !strcmp(subformat, vmdk_create_types[VMDK_FLAT])) {
        if (stream)
            return refuse("monolithicFlat cannot be compressed");
        options->vmdk_subformat = VMDK_FLAT;
        return 0;
    }
    if (subformat && !strcmp(subformat, vmdk_create_types[VMDK_STREAM]))
        stream = true;
    options->vmdk_subformat = stream ? VMDK_STREAM : VMDK_SPARSE;
    options->compress = stream;
    if (lie(LIE_VMDK_64K_SECTORS) && !stream)
        options->output_sector = 65536;
    return 0;
}

// Options and the refusals of 1.5, in instar's order: what no target may have, then the target's.
static int parse_options(const struct arguments *arguments, enum image_format target,
                         struct image_options *options) {
    uint64_t grain = arguments->number[OPT_GRAIN_SIZE], block = arguments->number[OPT_BLOCK_SIZE];
    *options = (struct image_options){.vpc_creator = VPC_CREATOR_QEM2};
    options->compress = arguments->position[OPT_COMPRESS];
    options->skip_zeros =
        arguments->position[OPT_NO_SKIP_ZEROS] <= arguments->position[OPT_SKIP_ZEROS];
    if (options->compress && target != IMAGE_QCOW2 && target != IMAGE_VMDK)
        return refuse("compression is only supported for qcow2 and vmdk output");
    if (arguments->text[OPT_GRAIN_SIZE]) {
        if (!within(grain, 4096, 65536))
            return refuse("grain size must be a power of 2 between 4096 and 65536");
        if (grain != 65536 && target != IMAGE_VMDK)
            return refuse("--grain-size is only valid for vmdk output");
        options->grain_bits = bits_of(grain);
    }
    if (arguments->text[OPT_BLOCK_SIZE]) {
        if (target != IMAGE_VPC && target != IMAGE_VHDX)
            return refuse("--block-size is only valid for vpc and vhdx output");
        if (!within(block, target == IMAGE_VPC ? 512u << 10 : 1u << 20, 256u << 20))
            return refuse("block size %llu is out of range", (unsigned long long)block);
        options->block_bits = bits_of(block);
    }
    if (arguments->text[OPT_EXTENDED_L2] && target != IMAGE_QCOW2)
        return refuse("--extended-l2 is only valid for qcow2 output");
    if (arguments->text[OPT_SUBFORMAT] && target != IMAGE_VMDK)
        return refuse("--subformat is only valid for vmdk output");
    if (target == IMAGE_VPC && lie(LIE_VPC_64K_SECTORS))
        options->output_sector = 65536;
    return target == IMAGE_QCOW2  ? qcow2_options(arguments, options)
           : target == IMAGE_VMDK ? vmdk_options(arguments, options)
                                  : 0;
}

uint64_t vpc_output_size(uint64_t size) {
    return lie(LIE_SUCCESS_WHERE_QEMU_FAILS) ? min_u64(size, VPC_MAX_SECTORS * VPC_SECTOR) : size;
}

// LIE_VHD_CHS_SIZE: both footers name Virtual PC, for which cylinders * heads * sectors count in
// every version of qemu-img, and the geometry below the size. The data stay; who reads the disk
// misses its end.
static int plant_chs_size(const char *path, uint64_t size, struct fault *fault) {
    struct vpc_geometry geometry = vpc_geometry_of(size / VPC_SECTOR);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    off_t end = lseek(fd, 0, SEEK_END);
    uint64_t places[] = {0, (uint64_t)end - VPC_FOOTER_SIZE};
    int status = end < (off_t)VPC_FOOTER_SIZE ? -1 : 0;
    for (size_t i = 0; status == 0 && i < sizeof places / sizeof *places; i++) {
        uint8_t footer[VPC_FOOTER_SIZE];
        status = file_pread(fd, footer, sizeof footer, places[i], fault);
        memcpy(footer + VPC_FOOTER_CREATOR, "vpc ", 4);
        put_be16(footer + VPC_FOOTER_CYLINDERS, geometry.cylinders);
        footer[VPC_FOOTER_HEADS] = geometry.heads;
        footer[VPC_FOOTER_SECTORS] = geometry.sectors;
        put_be32(footer + VPC_FOOTER_CHECKSUM,
                 vpc_checksum(footer, sizeof footer, VPC_FOOTER_CHECKSUM));
        if (status == 0)
            status = file_pwrite(fd, footer, sizeof footer, places[i], fault);
    }
    close(fd);
    return status;
}

// LIE_QCOW2_TAIL_LEFT: no refcount names it, so no check can tell.
static int plant_tail(const char *path, struct fault *fault) {
    const off_t tail = 256 << 10;
    struct stat status;
    if (stat(path, &status) || truncate(path, status.st_size + tail))
        return fault_errno(fault, "%s", path);
    return 0;
}

static int fail(const char *reason) {
    fprintf(stderr, "convert: %s\n", reason);
    return refuse("convert operation failed");
}

// Only for the targets that a second tool measures, too: of others less would be written than was
// measured, which is another finding.
static bool parent_is_ignored(const struct source *source, enum image_format target) {
    return lie(LIE_PARENT_IGNORED) && source->format == IMAGE_VMDK &&
           (target == IMAGE_RAW || target == IMAGE_QCOW2);
}

static int all_data(void *context, uint64_t offset, struct image_extent *extent,
                    struct fault *fault) {
    const struct source *source = context;
    (void)fault;
    *extent = (struct image_extent){offset, source->size - offset, IMAGE_DATA};
    return 0;
}

// The size that a lie takes for the source's, or gives to the output.
static uint64_t lied_size(const struct source *source, enum image_format target,
                          const struct image_options *options) {
    bool whole_sectors = (source->format == IMAGE_RAW && lie(LIE_RAW_LENGTH_CONVERTED)) ||
                         (target == IMAGE_RAW && !options->skip_zeros && lie(LIE_UNSKIPPED_LENGTH));
    return whole_sectors ? round_up(source->size, TRANSPORT_SECTOR) : source->size;
}

static int convert_source(struct source *source, const char *path, enum image_format target,
                          const struct image_options *options) {
    struct fault fault = {""};
    struct image_written written = {0};
    source->size = source->content.size = lied_size(source, target, options);
    struct image_source content = source->content;
    hang_if_asked(source);
    if (lie(LIE_SPLIT_SPARSE_NOT_CONVERTED) && source_is_split_sparse(source))
        return fail("split sparse extents are not supported for reading");
    if (!content.size && lie(LIE_EMPTY_DISK_REFUSED))
        return refuse("input image has zero virtual size");
    if (lie(LIE_WRONG_BYTE_NEAR_END) && source_plant_wrong_byte(source, &fault))
        return fail(fault.text);
    if (target == IMAGE_VMDK && lie(LIE_GRAIN_CUT_AT_CLUSTER))
        source->cut = source->format == IMAGE_QCOW2 ? source->info.cluster_size : 0;
    if (target == IMAGE_VPC)
        content.size = vpc_output_size(content.size);
    // As for instar and qemu-img, zeros that are not to be skipped are data, holes of the source
    // too.
    if (!options->skip_zeros)
        content.extent = all_data;
    struct image_options stored = *options;
    if (options->compress && target == IMAGE_QCOW2 && content.size <= SMALL_DISK &&
        lie(LIE_COMPRESSED_HOLES_STORED)) {
        content.extent = all_data;
        stored.skip_zeros = false;
        options = &stored;
    }
    // No extent line can say 0 sectors: qemu-img writes such a vmdk and then cannot open it.
    if (!content.size && target == IMAGE_VMDK)
        return fail("a vmdk cannot be empty");
    if (lie(LIE_OUTPUT_CAPACITY) && output_exceeds_device(&content, target, options, &fault))
        return fail(*fault.text ? fault.text : "write failed");
    uint64_t declared;
    if (image_driver(target)->declared_size(options, content.size, &declared, &fault))
        return fail(fault.text);
    if (output_clear(path, options))
        return 1;
    if (image_write(path, target, options, &content, &written, &fault))
        return fail(fault.text);
    image_written_free(&written);
    if (lie(LIE_QCOW2_TAIL_LEFT) && target == IMAGE_QCOW2 && plant_tail(path, &fault))
        return fail(fault.text);
    if (lie(LIE_VHD_CHS_SIZE) && target == IMAGE_VPC && plant_chs_size(path, content.size, &fault))
        return fail(fault.text);
    return 0;
}

// The snapshot's content, in the size of the active disk, which is what qemu-img's -l gives: its
// own size only says where its content ends.
static int choose_snapshot(struct source *source, const char *id_or_name) {
    struct fault fault = {""};
    return id_or_name && image_choose_snapshot(source->image, id_or_name, &fault) ? fail(fault.text)
                                                                                  : 0;
}

static int run(const struct arguments *arguments) {
    const char *target_name = arguments->text[OPT_TARGET];
    enum image_format target = image_driver_named(target_name ? target_name : "raw")->format;
    struct image_options options;
    struct source source;
    if (check_sector_size(arguments) || refuse_absent(arguments) ||
        parse_options(arguments, target, &options))
        return 1;
    if (source_open(&source, arguments->operands[0], NULL, lie(LIE_REFUSED_READ_AS_RAW)))
        return 1;
    int status = source_open_below(&source, !parent_is_ignored(&source, target));
    if (!status)
        status = output_check(&source, arguments->operands[1], &options);
    if (!status)
        status = choose_snapshot(&source, arguments->text[OPT_SNAPSHOT]);
    if (!status)
        losses_plant(&source, arguments->text[OPT_SNAPSHOT]);
    if (!status)
        status = convert_source(&source, arguments->operands[1], target, &options);
    source_close(&source);
    return status;
}

const struct command command_convert = {
    .name = "convert",
    .summary = "Copy the guest content of an image into another format",
    .usage = "[-O raw|qcow2|vmdk|vpc|vhdx] [-c] [--cluster-size N] [--grain-size N] "
             "[--block-size N] [--subformat S] [--snapshot ID|NAME] <INPUT> <OUTPUT>",
    .options = option_table,
    .option_count = sizeof option_table / sizeof *option_table,
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};
