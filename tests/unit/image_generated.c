// SPDX-License-Identifier: Apache-2.0
//
// A broad seeded set of images of every format, each held against three judges: our own reader must
// give back the content and the allocation, `qemu-img check` must find it clean, and `qemu-img
// convert -O raw` must produce the content. The harness trusts these images as truth, so a
// writer's bug would otherwise accuse every tool.
//
// image_generated [COUNT [FORMAT [INDEX]]]; or IMAGE_GENERATED=COUNT images of each format and
// IMAGE_GENERATED_SEED=SEED; V=1 tells why a format refused a size. An image follows from seed,
// format and index alone.
#include "tests/unit/image_helper.h"
#include "tests/unit/image_judge.h"

#include "base/bytes.h"
#include "image/compare.h"
#include "image/content.h"
#include "image/image.h"

#define DEFAULT_COUNT 40
#define DEFAULT_SEED  1
#define MAX_WRITTEN   (4u << 20) // bytes of content in an image
#define MAX_WRITES    12
#define MAX_BITMAPS   3
#define MAX_RANGES    5 // dirty ones of a bitmap

static unsigned long count = DEFAULT_COUNT, only_index;
static unsigned long long seed = DEFAULT_SEED;
static const char *only_format;
static bool only_one, verbose;

// --- what an image is made from -------------------------------------------------------------

struct recipe {
    struct image_options options;
    struct content content;
    uint32_t unit; // bytes, for the placement of writes
    struct image_bitmap bitmaps[MAX_BITMAPS];
    struct image_map dirty[MAX_BITMAPS];
};

struct format_case {
    enum image_format format;
    // Chooses options and returns the allocation unit.
    uint32_t (*choose)(struct random *random, struct image_options *options);
    // Chooses what depends on the size; may be NULL.
    void (*fit)(struct random *random, uint64_t size, struct image_options *options);
    uint64_t largest;   // virtual size; what qemu-img still converts in an instant
    bool qemu_checks;   // `qemu-img check` knows the format
    bool refuses_empty; // has no images of size 0
};

static uint32_t choose_raw(struct random *random, struct image_options *options) {
    options->skip_zeros = one_in(random, 4);
    return 4096;
}

static uint32_t choose_qcow2(struct random *random, struct image_options *options) {
    options->cluster_bits = one_in(random, 4) ? 0 : 9 + (uint32_t)below(random, 13);
    options->qcow2_version = one_in(random, 4) ? 2 : 3 * (uint32_t)below(random, 2);
    options->refcount_bits = one_in(random, 4) ? 0 : 1u << below(random, 7);
    options->lazy_refcounts = one_in(random, 4);
    options->compress = one_in(random, 5);
    options->skip_zeros = one_in(random, 4);
    bool modern = options->qcow2_version != 2;
    if (modern && one_in(random, 3)) {
        options->extended_l2 = true;
        options->stale_subclusters = one_in(random, 2);
        if (options->cluster_bits && options->cluster_bits < 14)
            options->cluster_bits = 14 + (uint32_t)below(random, 8);
    }
    if (modern && one_in(random, 3))
        options->compression = QCOW2_ZSTD;
    if (modern && one_in(random, 3))
        options->data_file = one_in(random, 2) ? QCOW2_DATA_FILE : QCOW2_DATA_FILE_RAW;
    options->bitmap_count = modern && one_in(random, 3) ? 1 + below(random, MAX_BITMAPS) : 0;
    return 1u << (options->cluster_bits ? options->cluster_bits : 16);
}

static uint32_t choose_vpc(struct random *random, struct image_options *options) {
    options->vpc_fixed = one_in(random, 4);
    options->vpc_creator = (enum vpc_creator)below(random, VPC_CREATORS);
    options->output_sector = one_in(random, 8) ? 512u << below(random, 8) : 0;
    options->block_bits = one_in(random, 3) ? 0 : 19 + (uint32_t)below(random, 4);
    options->skip_zeros = one_in(random, 4);
    return 1u << (options->block_bits ? options->block_bits : 21);
}

static uint32_t choose_vmdk(struct random *random, struct image_options *options) {
    options->vmdk_subformat = (enum vmdk_subformat)below(random, VMDK_SUBFORMATS);
    options->grain_bits = one_in(random, 3) ? 0 : 12 + (uint32_t)below(random, 5);
    options->output_sector = one_in(random, 4) ? 512u << below(random, 8) : 0;
    options->compress = one_in(random, 3);
    options->skip_zeros = one_in(random, 4);
    return 1u << (options->grain_bits ? options->grain_bits : 16);
}

// Up to seven extents, the last one as long as is left, and now and then the default of 2 GiB.
static void fit_vmdk(struct random *random, uint64_t size, struct image_options *options) {
    uint32_t grain = 1u << (options->grain_bits ? options->grain_bits : 16);
    uint32_t unit = options->vmdk_subformat == VMDK_SPLIT_FLAT ? 512 : grain;
    options->vmdk_extent =
        one_in(random, 8) ? 0 : round_up(div_up(size, 1 + below(random, 7)), unit);
}

static uint32_t choose_vhdx(struct random *random, struct image_options *options) {
    options->vhdx_fixed = one_in(random, 4);
    options->block_bits = one_in(random, 8) ? 0 : 20 + (uint32_t)below(random, 4);
    options->skip_zeros = one_in(random, 4);
    return 1u << (options->block_bits ? options->block_bits : 25);
}

static const struct format_case format_cases[] = {
    {.format = IMAGE_RAW, .choose = choose_raw, .largest = 1ull << 43},
    {.format = IMAGE_QCOW2, .choose = choose_qcow2, .largest = 1ull << 41, .qemu_checks = true},
    {.format = IMAGE_VPC, .choose = choose_vpc, .largest = 8ull << 30, .refuses_empty = true},
    {.format = IMAGE_VMDK,
     .choose = choose_vmdk,
     .fit = fit_vmdk,
     .largest = 8ull << 30,
     .qemu_checks = true,
     .refuses_empty = true},
    // qemu-img has no block status for VHDX and reads all of it.
    {.format = IMAGE_VHDX, .choose = choose_vhdx, .largest = 256u << 20, .qemu_checks = true},
};

static uint64_t choose_size(struct random *random, const struct format_case *format,
                            uint32_t unit) {
    static const uint64_t edges[] = {16ull << 20, 1ull << 30, 4ull << 30, 1ull << 40, 1ull << 41};
    uint64_t size;
    switch (below(random, 10)) {
    case 0:
        if (!format->refuses_empty)
            return 0;
        size = 1;
        break;
    case 1: // any byte count
        size = 1 + below(random, 4u << 20);
        break;
    case 2:
    case 3: // few sectors
        size = (1 + below(random, 64)) * 512;
        break;
    case 4:
    case 5: // any sector count
        size = (1 + below(random, 32768)) * 512;
        break;
    case 6: // a format's edge, one sector more or less
        size = edges[below(random, sizeof edges / sizeof *edges)] + (below(random, 3)) * 512 - 512;
        break;
    default: // a unit's edge
        size = (1 + below(random, 16)) * unit + below(random, 3) * 512 - 512;
    }
    while (size > format->largest)
        size /= 1024;
    return max_u64(size, 1);
}

static uint64_t choose_offset(struct random *random, uint64_t size, uint32_t unit) {
    uint64_t offset;
    switch (below(random, 6)) {
    case 0:
        offset = below(random, size);
        break;
    case 3: // a subcluster
        offset = below(random, div_up(size, unit)) * unit + below(random, 32) * (unit / 32);
        break;
    case 1: // at the end
        offset = size - min_u64(size, 1 + below(random, 2 * (uint64_t)unit));
        break;
    case 2: // around the end of an L2 table, grain table, bitmap sector, ...
        offset = (uint64_t)unit * (1u << below(random, 16)) + below(random, 3) * 512 - 512;
        break;
    default: // around a unit
        offset = below(random, div_up(size, unit)) * unit + below(random, 2) * below(random, 600);
    }
    return offset % size;
}

static uint64_t choose_length(struct random *random, uint32_t unit, uint64_t room) {
    uint64_t length;
    switch (below(random, 5)) {
    case 0:
        length = 1 + below(random, 3000); // bytes
        break;
    case 1: // subclusters
        length = (1 + below(random, 40)) * max_u64(unit / 32, 1);
        break;
    case 2:
        length = (1 + below(random, 256)) * 512;
        break;
    default:
        length = (1 + below(random, 8)) * unit;
    }
    return min_u64(length, room);
}

// Few bits, so that qemu-img, which holds all of them in memory, stays quick.
static void choose_bitmap(struct random *random, uint64_t size, size_t index,
                          struct image_bitmap *bitmap, struct image_map *dirty) {
    *bitmap = (struct image_bitmap){
        .granularity_bits = 9 + (uint32_t)below(random, 23),
        .automatic = one_in(random, 2),
        .in_use = one_in(random, 4),
        .dirty = dirty,
    };
    while (size >> bitmap->granularity_bits > 1u << 20)
        bitmap->granularity_bits++;
    snprintf(bitmap->name, sizeof bitmap->name, "%zu%.*s", index, (int)below(random, 40),
             "a name that is longer than it need to be");
    image_map_clear(dirty);
    uint64_t at = 0;
    for (uint64_t left = below(random, MAX_RANGES + 1); left > 0 && at < size; left--) {
        uint64_t start = at + below(random, size - at), room = size - start;
        uint64_t length = 1 + below(random, one_in(random, 2) ? room : min_u64(room, 70000));
        image_map_add(dirty, start, length, IMAGE_DATA);
        at = start + length;
    }
}

static void make_recipe(struct recipe *recipe, const struct format_case *format,
                        unsigned long index) {
    struct random random = {seed * 1000003 + (uint64_t)format->format * 7919 + index * 104729};
    next_random(&random);
    recipe->options = (struct image_options){0};
    recipe->unit = format->choose(&random, &recipe->options);
    uint64_t size = choose_size(&random, format, recipe->unit);
    if (format->fit)
        format->fit(&random, size, &recipe->options);
    content_begin(&recipe->content, size);
    // A fixed vpc has nothing in front of the guest's bytes, which then say what the file is.
    uint64_t patterns = recipe->options.vpc_fixed ? CONTENT_PLAIN_PATTERNS : CONTENT_PATTERNS;
    uint64_t room = MAX_WRITTEN;
    for (uint64_t left = size ? below(&random, MAX_WRITES + 1) : 0; left > 0; left--) {
        struct content_extent write = {
            .offset = choose_offset(&random, size, recipe->unit),
            .length = choose_length(&random, recipe->unit, room),
            .pattern = (enum content_pattern)below(&random, patterns),
            .form = (enum content_form)below(&random, CONTENT_FORMS),
            .seed = (uint8_t)below(&random, 256),
        };
        room -= write.length;
        content_write(&recipe->content, &write);
    }
    if (!size) // no bits
        recipe->options.bitmap_count = 0;
    recipe->options.bitmaps = recipe->bitmaps;
    for (size_t i = 0; i < recipe->options.bitmap_count; i++)
        choose_bitmap(&random, size, i, &recipe->bitmaps[i], &recipe->dirty[i]);
}

static void describe(const struct recipe *recipe, struct buffer *out) {
    static const char *const patterns[CONTENT_PATTERNS] = {
        [PATTERN_ZERO] = "zero",
        [PATTERN_CONSTANT] = "constant",
        [PATTERN_COUNTER] = "counter",
        [PATTERN_NOISE] = "noise",
        [PATTERN_MBR] = "mbr",
        [PATTERN_GPT] = "gpt",
        [PATTERN_QCOW2_HEADER] = "qcow2_header",
        [PATTERN_VPC_FOOTER] = "vpc_footer",
    };
    static const char *const forms[] = {"normal", "compressed", "zero", "zero_allocated"};
    const struct image_options *o = &recipe->options;
    buffer_format(
        out,
        "size %llu; vmdk_extent %llu cluster_bits %u version %u refcount_bits %u lazy %d "
        "extended_l2 %d "
        "stale %d compression %d vpc_fixed %d creator %d vhdx_fixed %d subformat %d grain_bits %u "
        "block_bits %u output_sector "
        "%u compress %d skip_zeros %d data_file %d bitmaps %zu\n",
        (unsigned long long)recipe->content.size, (unsigned long long)o->vmdk_extent,
        o->cluster_bits, o->qcow2_version, o->refcount_bits, o->lazy_refcounts, o->extended_l2,
        o->stale_subclusters, (int)o->compression, o->vpc_fixed, (int)o->vpc_creator, o->vhdx_fixed,
        (int)o->vmdk_subformat, o->grain_bits, o->block_bits, o->output_sector, o->compress,
        o->skip_zeros, (int)o->data_file, o->bitmap_count);
    for (size_t i = 0; i < o->bitmap_count; i++)
        buffer_format(out, "  bitmap \"%s\" granularity_bits %u auto %d in_use %d, %zu ranges\n",
                      o->bitmaps[i].name, o->bitmaps[i].granularity_bits, o->bitmaps[i].automatic,
                      o->bitmaps[i].in_use, o->bitmaps[i].dirty->count);
    for (size_t i = 0; i < recipe->content.count; i++) {
        const struct content_extent *extent = &recipe->content.extents[i];
        buffer_format(out, "  %llu + %llu %s %s seed %u\n", (unsigned long long)extent->offset,
                      (unsigned long long)extent->length, patterns[extent->pattern],
                      forms[extent->form], extent->seed);
    }
}

// --- the judges: 0, or -1 with the reason ----------------------------------------------------

struct subject {
    const struct format_case *format;
    const struct image_driver *driver;
    struct recipe recipe;
    struct image_written written;
    struct image *image;
    struct image_map map;
    struct buffer text;
    char path[32];
};

static int equal_maps(const struct image_map *a, const struct image_map *b, struct fault *fault) {
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct image_extent *x = &a->extents[i], *y = &b->extents[i];
        if (x->offset != y->offset || x->length != y->length || x->state != y->state)
            return fault_set(fault, "map %zu: written %llu + %llu state %d, read %llu + %llu %d", i,
                             (unsigned long long)x->offset, (unsigned long long)x->length,
                             (int)x->state, (unsigned long long)y->offset,
                             (unsigned long long)y->length, (int)y->state);
    }
    if (a->count != b->count)
        return fault_set(fault, "map: written %zu extents, read %zu", a->count, b->count);
    return 0;
}

static int judge_own_reader(struct subject *subject, struct fault *fault) {
    struct image *image = subject->image;
    if (image->virtual_size != subject->written.virtual_size ||
        image->file_size != subject->written.file_size)
        return fault_set(fault, "written %llu bytes (file %llu), read %llu (file %llu)",
                         (unsigned long long)subject->written.virtual_size,
                         (unsigned long long)subject->written.file_size,
                         (unsigned long long)image->virtual_size,
                         (unsigned long long)image->file_size);
    if (image->unit != subject->written.unit)
        return fault_set(fault, "written units of %u, read %u", subject->written.unit, image->unit);
    if (judge_content(&subject->recipe.content, image, false, fault) < 0 ||
        image_map_of(image, &subject->map, fault) < 0 ||
        equal_maps(&subject->written.map, &subject->map, fault) < 0)
        return -1;
    enum image_format probed;
    if (image_probe(subject->path, &probed, fault) < 0)
        return -1;
    if (probed != subject->format->format && subject->format->format != IMAGE_RAW)
        return fault_set(fault, "probed as format %d", (int)probed);
    return 0;
}

// A raw data file is a second image of the disk.
static int judge_data_file(struct subject *subject, struct fault *fault) {
    struct image *image;
    if (subject->recipe.options.data_file != QCOW2_DATA_FILE_RAW)
        return 0;
    if (image_open(&image, subject->written.files[0], IMAGE_RAW, fault) < 0)
        return -1;
    int result = judge_content(&subject->recipe.content, image, false, fault);
    image_close(image);
    return result < 0 ? fault_prefix(fault, "data file: ") : 0;
}

static int judge_statistics(struct subject *subject, const struct image_check *check,
                            struct fault *fault) {
    const struct {
        const char *name;
        uint64_t ours;
    } numbers[] = {
        {"total-clusters", check->total_clusters},
        {"allocated-clusters", check->allocated_clusters},
        {"fragmented-clusters", check->fragmented_clusters},
        {"compressed-clusters", check->compressed_clusters},
        {"image-end-offset", check->image_end_offset},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double theirs = json_number(&subject->text, numbers[i].name);
        if ((double)numbers[i].ours != theirs)
            return fault_set(fault, "%s: ours %llu, qemu-img %.0f", numbers[i].name,
                             (unsigned long long)numbers[i].ours, theirs);
    }
    return 0;
}

static int judge_check(struct subject *subject, struct fault *fault) {
    struct image_check check = {0};
    if (subject->driver->check) {
        if (subject->driver->check(subject->image, &check, fault) < 0)
            return fault_prefix(fault, "own check: ");
        if (check.corruptions || check.leaks)
            return fault_set(fault, "own check: %llu corruptions, %llu leaks: %s",
                             (unsigned long long)check.corruptions, (unsigned long long)check.leaks,
                             check.first_problem);
    }
    if (!subject->format->qemu_checks)
        return 0;
    char *argv[] = {"qemu-img",    "check", "--output=json", "-f", (char *)subject->driver->name,
                    subject->path, NULL};
    int status = run_qemu_img(argv, &subject->text);
    if (status != 0)
        return fault_set(fault, "qemu-img check: exit %d: %.300s", status, subject->text.data);
    return subject->format->format == IMAGE_QCOW2 ? judge_statistics(subject, &check, fault) : 0;
}

static int judge_convert(struct subject *subject, struct fault *fault) {
    char *argv[] = {"qemu-img", "convert", "-f",          (char *)subject->driver->name,
                    "-O",       "raw",     subject->path, "converted.raw",
                    NULL};
    int status = run_qemu_img(argv, &subject->text);
    if (status != 0)
        return fault_set(fault, "qemu-img convert: exit %d: %.300s", status, subject->text.data);
    struct image *image;
    if (image_open(&image, "converted.raw", IMAGE_RAW, fault) < 0)
        return -1;
    // qemu-img thinks in sectors: a raw file of any byte count is rounded up.
    uint64_t expected = round_up(subject->written.virtual_size, 512);
    int result =
        image->virtual_size == expected
            ? judge_content(&subject->recipe.content, image, false, fault)
            : fault_set(fault, "%llu bytes instead of %llu",
                        (unsigned long long)image->virtual_size, (unsigned long long)expected);
    image_close(image);
    unlink("converted.raw");
    return result < 0 ? fault_prefix(fault, "qemu-img convert: ") : 0;
}

// Not counted by measure's required size: what the table of clusters that are zero keeps, the
// bitmaps (a size of their own), and in the other direction what lies in a data file.
static double beyond_measure(const struct subject *subject) {
    uint32_t unit = subject->written.unit;
    double bytes = json_number(&subject->text, "bitmaps");
    for (size_t i = 0; i < subject->map.count; i++) {
        const struct image_extent *extent = &subject->map.extents[i];
        if (extent->state == IMAGE_ZERO_ALLOCATED)
            bytes += (double)(round_up(extent->offset + extent->length, unit) -
                              round_down(extent->offset, unit));
    }
    return bytes;
}

// The qcow2 writer wastes nothing: its files stay within what qemu-img promises to need.
static int judge_measure(struct subject *subject, struct fault *fault) {
    const struct image_options *options = &subject->recipe.options;
    char given[128];
    if (subject->format->format != IMAGE_QCOW2)
        return 0;
    bool old = options->qcow2_version == 2;
    snprintf(given, sizeof given, "cluster_size=%u,compat=%s,refcount_bits=%u%s",
             subject->written.unit, old ? "0.10" : "1.1",
             options->refcount_bits && !old ? options->refcount_bits : 16,
             options->extended_l2 ? ",extended_l2=on" : "");
    char *argv[] = {"qemu-img", "measure", "--output=json", "-f",          "qcow2", "-O",
                    "qcow2",    "-o",      given,           subject->path, NULL};
    int status = run_qemu_img(argv, &subject->text);
    if (status != 0)
        return fault_set(fault, "qemu-img measure: exit %d: %.300s", status, subject->text.data);
    double room = json_number(&subject->text, "required");
    room += beyond_measure(subject);
    if ((double)subject->written.file_size > room)
        return fault_set(fault, "the file has %llu bytes, qemu-img measures %.0f",
                         (unsigned long long)subject->written.file_size, room);
    return 0;
}

// --- one image, all images ------------------------------------------------------------------

enum verdict { VERDICT_GOOD, VERDICT_REFUSED, VERDICT_BAD };

static enum verdict judge(struct subject *subject, bool have_qemu, struct fault *fault) {
    struct image_source source;
    uint64_t declared;
    content_as_source(&subject->recipe.content, &source);
    if (subject->driver->declared_size(&subject->recipe.options, source.size, &declared, fault) < 0)
        return VERDICT_REFUSED;
    if (image_write(subject->path, subject->format->format, &subject->recipe.options, &source,
                    &subject->written, fault) < 0)
        return VERDICT_BAD;
    // A disk that its format makes smaller has lost what lies behind.
    if (declared < subject->recipe.content.size)
        content_resize(&subject->recipe.content, declared);
    int result;
    if (subject->written.virtual_size != declared)
        result = fault_set(fault, "declared %llu, written %llu", (unsigned long long)declared,
                           (unsigned long long)subject->written.virtual_size);
    else
        result = image_open(&subject->image, subject->path, subject->format->format, fault);
    if (result == 0)
        result = judge_own_reader(subject, fault);
    if (result == 0)
        result = judge_data_file(subject, fault);
    if (result == 0 && have_qemu &&
        (judge_check(subject, fault) < 0 || judge_convert(subject, fault) < 0 ||
         judge_measure(subject, fault) < 0))
        result = -1;
    image_close(subject->image);
    subject->image = NULL;
    unlink(subject->path);
    for (size_t i = 0; i < subject->written.file_count; i++)
        unlink(subject->written.files[i]);
    return result < 0 ? VERDICT_BAD : VERDICT_GOOD;
}

static void generated_images_are_what_they_claim(void **state) {
    const struct format_case *format = *state;
    struct subject subject = {.format = format, .driver = image_driver(format->format)};
    assert_non_null(subject.driver);
    if (only_format && strcmp(only_format, subject.driver->name) != 0)
        skip();
    bool have_qemu = have_qemu_img();
    snprintf(subject.path, sizeof subject.path, "image.%s", subject.driver->name);
    unsigned long tally[3] = {0};
    for (unsigned long i = only_one ? only_index : 0; i < (only_one ? only_index + 1 : count);
         i++) {
        struct fault fault = {.text = ""};
        make_recipe(&subject.recipe, format, i);
        enum verdict verdict = judge(&subject, have_qemu, &fault);
        tally[verdict]++;
        if (verdict == VERDICT_REFUSED && verbose)
            print_message("%s index %lu refused: %s\n", subject.driver->name, i, fault.text);
        if (verdict == VERDICT_BAD || only_one) {
            struct buffer text = {0};
            describe(&subject.recipe, &text);
            print_message("%s seed %llu index %lu: %s\n%s", subject.driver->name, seed, i,
                          fault.text, text.data);
            buffer_free(&text);
        }
    }
    print_message("%s: seed %llu, %lu good, %lu refused, %lu bad%s\n", subject.driver->name, seed,
                  tally[VERDICT_GOOD], tally[VERDICT_REFUSED], tally[VERDICT_BAD],
                  have_qemu ? "" : " (no qemu-img: own reader only)");
    content_free(&subject.recipe.content);
    image_written_free(&subject.written);
    image_map_free(&subject.map);
    for (size_t i = 0; i < MAX_BITMAPS; i++)
        image_map_free(&subject.recipe.dirty[i]);
    buffer_free(&subject.text);
    assert_int_equal(tally[VERDICT_BAD], 0);
    assert_true(only_one || tally[VERDICT_GOOD] >= tally[VERDICT_REFUSED]);
    if (!have_qemu)
        skip();
}

int main(int argc, char **argv) {
    const char *set = getenv("IMAGE_GENERATED");
    count = argc > 1 ? strtoul(argv[1], NULL, 10) : set ? strtoul(set, NULL, 10) : DEFAULT_COUNT;
    only_format = argc > 2 ? argv[2] : NULL;
    only_one = argc > 3;
    only_index = only_one ? strtoul(argv[3], NULL, 10) : 0;
    verbose = getenv("V") != NULL;
    set = getenv("IMAGE_GENERATED_SEED");
    seed = set ? strtoull(set, NULL, 10) : DEFAULT_SEED;

#define OF_FORMAT(i)                                                                               \
    {                                                                                              \
        .name = "generated_images_are_what_they_claim",                                            \
        .test_func = generated_images_are_what_they_claim,                                         \
        .initial_state = (void *)&format_cases[i]                                                  \
    }
    const struct CMUnitTest tests[] = {OF_FORMAT(0), OF_FORMAT(1), OF_FORMAT(2), OF_FORMAT(3),
                                       OF_FORMAT(4)};
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
