// SPDX-License-Identifier: Apache-2.0
//
// qcow2 where random images do not reach: tables of many clusters, narrow refcounts, files that
// qemu-img made with features we never write, refusals, and damage (counted as qemu-img counts it,
// and survived).
#include "tests/unit/image_helper.h"

#include "base/bytes.h"
#include "image/compare.h"
#include "image/content.h"
#include "image/image.h"

#include <sys/stat.h>

#define FILE_NAME "image.qcow2"

static struct content content;
static struct image_written written;
static struct buffer text;

static void put_extent(uint64_t offset, uint64_t length, enum content_pattern pattern,
                       enum content_form form) {
    struct content_extent write = {
        .offset = offset, .length = length, .pattern = pattern, .form = form, .seed = 9};
    content_write(&content, &write);
}

static void build(const struct image_options *options) {
    struct image_source source;
    struct fault fault = {.text = ""};
    unlink(FILE_NAME);
    content_as_source(&content, &source);
    if (image_write(FILE_NAME, IMAGE_QCOW2, options, &source, &written, &fault) < 0)
        fail_msg("%s", fault.text);
}

static struct image *opened(const char *path, enum image_format format) {
    struct image *image;
    struct fault fault = {.text = ""};
    if (image_open(&image, path, format, &fault) < 0)
        fail_msg("%s", fault.text);
    return image;
}

static void assert_content(const char *path, enum image_format format) {
    struct image *image = opened(path, format);
    struct image_source truth, found;
    struct image_difference difference;
    struct fault fault = {.text = ""};
    content_as_source(&content, &truth);
    image_as_source(image, &found);
    if (image_compare(&truth, &found, UINT64_MAX, &difference, &fault) < 0)
        fail_msg("%s: %s", path, fault.text);
    if (!difference.prefix_equal || !difference.tail_zero)
        fail_msg("%s differs at %llu", path, (unsigned long long)difference.first_offset);
    image_close(image);
}

static int checked(const char *path, struct image_check *check, struct fault *fault) {
    struct image *image = opened(path, IMAGE_QCOW2);
    int result = image->driver->check(image, check, fault);
    image_close(image);
    return result;
}

static void assert_clean(void) {
    struct image_check check;
    struct fault fault = {.text = ""};
    if (checked(FILE_NAME, &check, &fault) < 0)
        fail_msg("%s", fault.text);
    assert_string_equal(check.first_problem, "");
    assert_int_equal(check.corruptions + check.leaks, 0);
    assert_content(FILE_NAME, IMAGE_QCOW2);
    char *argv[] = {"qemu-img", "check", "-f", "qcow2", FILE_NAME, NULL};
    if (have_qemu_img() && run_qemu_img(argv, &text) != 0)
        fail_msg("%s", text.data);
}

static void refcount_tables_of_many_clusters_are_consistent(void **state) {
    (void)state;
    for (uint32_t bits = 1; bits <= 64; bits *= 2) {
        struct image_options options = {.cluster_bits = 9, .refcount_bits = bits};
        content_begin(&content, 12u << 20);
        put_extent(0, 12u << 20, PATTERN_NOISE, FORM_NORMAL);
        build(&options);
        assert_clean();
        // 12 MiB of 512-byte clusters need more than one 64-entry table cluster at 64 bits.
        assert_true(bits < 64 || written.file_size > (12u << 20) * 65ull / 64);
    }
}

static void narrow_refcounts_never_share_too_often(void **state) {
    (void)state;
    for (uint32_t bits = 1; bits <= 4; bits *= 2) {
        struct image_options options = {.refcount_bits = bits, .compress = true};
        content_begin(&content, 4u << 20);
        put_extent(0, 3u << 20, PATTERN_CONSTANT, FORM_NORMAL);
        put_extent(777777, 200000, PATTERN_NOISE, FORM_NORMAL);
        build(&options);
        assert_clean();
        bool compressed = false;
        for (size_t i = 0; i < written.map.count; i++)
            compressed |= written.map.extents[i].state == IMAGE_COMPRESSED;
        assert_true(compressed);
    }
}

static void sizes_are_rounded_up_and_limited_by_the_l1_table(void **state) {
    (void)state;
    const struct image_driver *driver = image_driver(IMAGE_QCOW2);
    struct image_options options = {.cluster_bits = 9};
    struct fault fault;
    uint64_t declared;
    assert_int_equal(driver->declared_size(&options, 513, &declared, &fault), 0);
    assert_int_equal(declared, 1024);
    assert_int_equal(driver->declared_size(&options, 0, &declared, &fault), 0);
    assert_int_equal(declared, 0);
    uint64_t most = (32ull << 20) / 8 * 64 * 512; // entries * clusters per table * bytes
    assert_int_equal(driver->declared_size(&options, most, &declared, &fault), 0);
    assert_int_equal(driver->declared_size(&options, most + 1, &declared, &fault), -1);
    assert_non_null(strstr(fault.text, "32 MiB"));
    assert_int_equal(declared, 0);
    assert_int_equal(driver->declared_size(&options, UINT64_MAX, &declared, &fault), -1);
    options.cluster_bits = 22;
    assert_int_equal(driver->declared_size(&options, 1, &declared, &fault), -1);
    options = (struct image_options){.refcount_bits = 3};
    assert_int_equal(driver->declared_size(&options, 1, &declared, &fault), -1);
}

static void an_empty_sparse_disk_is_metadata_only(void **state) {
    (void)state;
    content_begin(&content, 2ull << 40);
    put_extent((2ull << 40) - 1, 1, PATTERN_CONSTANT, FORM_NORMAL);
    build(&(struct image_options){0});
    // Header, L2, data, L1 (4096 entries, half a cluster), refcount table, refcount block.
    assert_int_equal(written.file_size, 6 * 65536);
    assert_int_equal(written.map.count, 1);
    assert_clean();
    content_begin(&content, 0);
    build(&(struct image_options){0});
    assert_int_equal(written.file_size, 3 * 65536);
    assert_clean();
}

// --- files of qemu-img ------------------------------------------------------------------------

static void assert_same_statistics(const char *path) {
    struct image_check check;
    struct fault fault = {.text = ""};
    if (checked(path, &check, &fault) < 0)
        fail_msg("%s", fault.text);
    char *argv[] = {"qemu-img", "check", "--output=json", "-f", "qcow2", (char *)path, NULL};
    run_qemu_img(argv, &text);
    const struct {
        const char *name;
        uint64_t ours;
    } numbers[] = {
        {"corruptions", check.corruptions},
        {"leaks", check.leaks},
        {"total-clusters", check.total_clusters},
        {"allocated-clusters", check.allocated_clusters},
        {"fragmented-clusters", check.fragmented_clusters},
        {"compressed-clusters", check.compressed_clusters},
        {"image-end-offset", check.image_end_offset},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (json_number(&text, numbers[i].name) != (double)numbers[i].ours)
            fail_msg("%s: ours %llu (%s), theirs: %s", numbers[i].name,
                     (unsigned long long)numbers[i].ours, check.first_problem, text.data);
}

static void files_of_qemu_img_are_read_and_checked(void **state) {
    (void)state;
    static const struct {
        const char *options;
        bool compress;
        const char *refused_by; // words of a qemu-img that cannot do it
    } rows[] = {
        {"cluster_size=65536", false, NULL},
        {"cluster_size=65536", true, NULL},
        {"cluster_size=512,refcount_bits=64", false, NULL},
        {"cluster_size=512,refcount_bits=1", true, NULL},
        {"cluster_size=4096,refcount_bits=2", true, NULL},
        {"cluster_size=2M,lazy_refcounts=on", false, NULL},
        {"compat=0.10", false, NULL},
        {"compat=0.10,cluster_size=1024", true, NULL},
        {"preallocation=metadata", false, NULL},
        {"preallocation=falloc,cluster_size=4096", false, NULL},
        {"extended_l2=on", false, NULL},
        {"extended_l2=on,cluster_size=16384", true, NULL},
        {"extended_l2=on,preallocation=metadata,cluster_size=131072", false, NULL},
        {"compression_type=zstd", true, "zstd"},
        {"compression_type=zstd,cluster_size=512", true, "zstd"},
        {"compression_type=zstd,extended_l2=on", true, "zstd"},
    };
    if (!have_qemu_img())
        skip();
    struct image_source source;
    struct fault fault;
    content_begin(&content, (9u << 20) + 512);
    put_extent(0, 70000, PATTERN_COUNTER, FORM_NORMAL);
    put_extent(1u << 20, 300000, PATTERN_NOISE, FORM_NORMAL);
    put_extent((3u << 20) + 2048, 512, PATTERN_CONSTANT, FORM_NORMAL);
    put_extent(5u << 20, 1u << 20, PATTERN_CONSTANT, FORM_NORMAL);
    put_extent(9u << 20, 512, PATTERN_NOISE, FORM_NORMAL);
    content_as_source(&content, &source);
    assert_int_equal(
        image_write("source.raw", IMAGE_RAW, &(struct image_options){0}, &source, &written, &fault),
        0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *argv[] = {"qemu-img",
                        "convert",
                        "-f",
                        "raw",
                        "-O",
                        "qcow2",
                        "-o",
                        (char *)rows[i].options,
                        "source.raw",
                        "theirs",
                        rows[i].compress ? "-c" : NULL,
                        NULL};
        int status = run_qemu_img(argv, &text);
        if (status != 0 && rows[i].refused_by && strstr(text.data, rows[i].refused_by))
            continue;
        if (status != 0)
            fail_msg("%s: %s", rows[i].options, text.data);
        assert_content("theirs", IMAGE_QCOW2);
        assert_same_statistics("theirs");
        unlink("theirs");
    }
    unlink("source.raw");
}

// --- refusals ---------------------------------------------------------------------------------

static void patch(uint64_t at, const uint8_t *bytes, size_t length) {
    struct fault fault;
    int fd = open(FILE_NAME, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(image_pwrite(fd, bytes, length, at, &fault), 0);
    close(fd);
}

static void what_cannot_be_read_is_refused_with_its_reason(void **state) {
    (void)state;
    static const struct {
        uint64_t at; // file offset of one header byte
        uint8_t value;
        const char *reason;
        bool opens, reads, checks;
    } rows[] = {
        {0, 'q', "not a qcow2", false, false, false},
        {7, 4, "version 4", false, false, false},
        {23, 22, "2^22", false, false, false},
        {23, 8, "2^8", false, false, false},
        {15, 112, "backing", true, false, true},
        {35, 1, "encrypted", true, false, false},
        {63, 1, "snapshots", true, true, false},
        {79, 4, "external", true, false, false},
        {79, 8, "compression type", false, false, false},
        {79, 32, "incompatible", false, false, false},
        {72, 1, "incompatible", false, false, false},
        {79, 3, "", true, true, true}, // dirty and corrupt can be read
        {95, 1, "bitmaps", true, true, false},
        {99, 7, "2^7", false, false, false},
        {103, 96, "header length", false, false, false},
        {24, 0x80, "virtual size", false, false, false},
        {28, 0xff, "L1 table", false, false, false},
        {36, 0xff, "L1 table", false, false, false},
        {47, 1, "L1 table", false, false, false},
        {55, 1, "refcount table", false, false, false},
        {56, 0xff, "refcount table", false, false, false},
        {59, 0, "refcount table", false, false, false},
    };
    content_begin(&content, 1u << 20);
    put_extent(0, 1000, PATTERN_NOISE, FORM_NORMAL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct image *image;
        struct fault fault = {.text = ""};
        struct image_check check;
        uint8_t byte;
        build(&(struct image_options){0});
        patch(rows[i].at, &rows[i].value, 1);
        bool opens = image_open(&image, FILE_NAME, IMAGE_QCOW2, &fault) == 0;
        bool reads = opens && image_read(image, 0, &byte, 1, &fault) == 0;
        bool checks = opens && image->driver->check(image, &check, &fault) == 0;
        if (opens != rows[i].opens || reads != rows[i].reads || checks != rows[i].checks ||
            !strstr(fault.text, rows[i].reason))
            fail_msg("header byte %llu = %u: opens %d, reads %d, checks %d: %s",
                     (unsigned long long)rows[i].at, rows[i].value, opens, reads, checks,
                     fault.text);
        image_close(image);
    }
}

// --- damage -----------------------------------------------------------------------------------

static uint8_t *load(size_t *size) {
    int fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);
    struct stat status;
    struct fault fault;
    assert_int_equal(fstat(fd, &status), 0);
    *size = (size_t)status.st_size;
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(image_pread(fd, bytes, *size, 0, &fault), 0);
    close(fd);
    return bytes;
}

static void store(const uint8_t *bytes, size_t size) {
    struct fault fault;
    int fd = open(FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(image_pwrite(fd, bytes, size, 0, &fault), 0);
    close(fd);
}

// 512-byte clusters: header 0, L2 at cluster 1, its data from cluster 2 on, ..., then the L1 table,
// the refcount table and the block of 16-bit refcounts are the last three clusters.
static void damage_is_counted_as_qemu_img_counts_it(void **state) {
    (void)state;
    enum { BLOCK, L1, L2, DATA };
    static const struct {
        int table;
        uint64_t at; // byte in the table
        uint8_t value;
    } rows[] = {
        {BLOCK, 2 * 5 + 1, 0},   // a data cluster's refcount 0
        {BLOCK, 2 * 5 + 1, 7},   // too high: a leak, and a false COPIED flag
        {BLOCK, 2 * 1 + 1, 0},   // the L2 table's
        {BLOCK, 2 * 1 + 1, 2},   //
        {BLOCK, 2 * 0 + 1, 0},   // the header's
        {BLOCK, 2 * 200 + 1, 3}, // a leak behind the end
        {L1, 0, 0},              // L1 entry without COPIED
        {L1, 7, 1},              // reserved bit
        {L1, 6, 0},              // no L2 table: all is leaked
        {L2, 0, 0},              // no COPIED
        {L2, 8 + 6, 0x0a},       // two entries for one cluster, another one leaked
        {L2, 8 * 9 + 6, 0},      // no cluster: a leak
        {L2, 16 + 4, 0xff},      // behind the end of the file
    };
    if (!have_qemu_img())
        skip();
    struct image_options options = {.cluster_bits = 9};
    content_begin(&content, 64 * 512);
    put_extent(0, 30 * 512, PATTERN_NOISE, FORM_NORMAL);
    put_extent(40 * 512, 5 * 512, PATTERN_COUNTER, FORM_COMPRESSED);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        build(&options);
        const uint64_t tables[] = {
            [BLOCK] = written.file_size - 512, [L1] = written.file_size - 3 * 512, [L2] = 512};
        patch(tables[rows[i].table] + rows[i].at, &rows[i].value, 1);
        assert_same_statistics(FILE_NAME);
    }
}

// Extended entries, 16 KiB clusters: header 0, L2 at cluster 1. Byte 7 of an entry's second half is
// the bitmap's lowest, for subclusters 0 to 7; byte 3 that of their zero bits.
static void damaged_bitmaps_are_counted_as_qemu_img_counts_them(void **state) {
    (void)state;
    static const struct {
        uint64_t at; // byte in the L2 table
        uint8_t value;
    } rows[] = {
        {16 * 0 + 8 + 3, 1},    // stored and zero
        {16 * 0 + 8 + 3, 0x80}, // zero, not stored: nothing wrong
        {16 * 1 + 8 + 7, 2},    // stored without a place
        {16 * 1 + 8 + 3, 2},    // zero without a place: nothing wrong
        {16 * 2 + 8 + 7, 1},    // compressed, with a bitmap
        {16 * 2 + 8 + 3, 1},    //
        {16 * 3 + 8 + 7, 1},    // the zero clusters: stored without a place
        {16 * 4 + 8 + 7, 1},    // stored and zero
    };
    if (!have_qemu_img())
        skip();
    const uint64_t cluster = 16384;
    struct image_options options = {.cluster_bits = 14, .extended_l2 = true};
    content_begin(&content, 5 * cluster);
    put_extent(0, 3 * 512, PATTERN_NOISE, FORM_NORMAL);
    put_extent(2 * cluster, 100, PATTERN_COUNTER, FORM_COMPRESSED);
    put_extent(3 * cluster, 512, PATTERN_ZERO, FORM_ZERO);
    put_extent(4 * cluster, 512, PATTERN_ZERO, FORM_ZERO_ALLOCATED);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        build(&options);
        assert_clean();
        patch(cluster + rows[i].at, &rows[i].value, 1);
        assert_same_statistics(FILE_NAME);
    }
}

static void assert_map(const struct image_extent *expected, size_t count) {
    assert_int_equal(written.map.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(written.map.extents[i].offset, expected[i].offset);
        assert_int_equal(written.map.extents[i].length, expected[i].length);
        assert_int_equal(written.map.extents[i].state, expected[i].state);
    }
}

// 64 KiB clusters have subclusters of 2 KiB.
static void a_subcluster_has_a_state_of_its_own(void **state) {
    (void)state;
    const uint64_t cluster = 65536, part = 2048;
    const struct image_extent expected[] = {
        {5 * part, part, IMAGE_DATA},                       // one alone, in a cluster
        {7 * part, part, IMAGE_ZERO_ALLOCATED},             // zero, beside a stored one
        {cluster + 31 * part, part, IMAGE_ZERO},            // zero alone: no place
        {2 * cluster + 3 * part, 2 * part, IMAGE_DATA},     // a write across two
        {3 * cluster, cluster, IMAGE_COMPRESSED},           // compressed: all of it
        {4 * cluster + part, part, IMAGE_ZERO_ALLOCATED},   // keeps a place for nothing else
        {6 * cluster + 31 * part, 2 * part, IMAGE_DATA},    // last of one, first of the next
        {9 * cluster + 20 * part, part - 1024, IMAGE_DATA}, // cut at the end of the disk
    };
    for (int stale = 0; stale < 2; stale++) {
        content_begin(&content, 9 * cluster + 20 * part + 1024);
        put_extent(5 * part + 1, 1, PATTERN_CONSTANT, FORM_NORMAL);
        put_extent(7 * part, 512, PATTERN_ZERO, FORM_ZERO);
        put_extent(cluster + 31 * part, part, PATTERN_ZERO, FORM_ZERO);
        put_extent(2 * cluster + 4 * part - 1, 2, PATTERN_NOISE, FORM_NORMAL);
        put_extent(3 * cluster + 9 * part, 10, PATTERN_CONSTANT, FORM_COMPRESSED);
        put_extent(3 * cluster + 11 * part, part, PATTERN_ZERO, FORM_ZERO);
        put_extent(4 * cluster + part, 1, PATTERN_ZERO, FORM_ZERO_ALLOCATED);
        put_extent(7 * cluster - 1, 2, PATTERN_NOISE, FORM_NORMAL);
        put_extent(9 * cluster + 20 * part + 1000, 24, PATTERN_NOISE, FORM_NORMAL);
        build(&(struct image_options){.extended_l2 = true, .stale_subclusters = stale});
        assert_map(expected, sizeof expected / sizeof *expected);
        assert_clean();
    }
}

// A reader that takes the whole cluster where one subcluster is stored shows bytes of nobody.
static void what_a_stored_cluster_does_not_use_can_be_stale(void **state) {
    (void)state;
    uint8_t byte;
    struct fault fault = {.text = ""};
    content_begin(&content, 1u << 20);
    put_extent(2048, 1, PATTERN_CONSTANT, FORM_NORMAL);
    for (int stale = 0; stale < 2; stale++) {
        build(&(struct image_options){.extended_l2 = true, .stale_subclusters = stale});
        int fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);
        assert_int_equal(image_pread(fd, &byte, 1, 2 * 65536, &fault), 0); // behind header and L2
        close(fd);
        assert_int_equal(byte, stale ? 0xa5 : 0);
        assert_clean();
    }
}

static void zstd_makes_other_files_than_deflate(void **state) {
    (void)state;
    for (uint32_t bits = 9; bits <= 21; bits++) {
        struct image_options options = {.cluster_bits = bits, .compress = true};
        struct image_info info;
        content_begin(&content, 5u << 20);
        put_extent(700, 2u << 20, PATTERN_COUNTER, FORM_NORMAL);
        put_extent(3u << 20, 100000, PATTERN_NOISE, FORM_NORMAL);
        for (int zstd = 0; zstd < 2; zstd++) {
            options.compression = zstd ? QCOW2_ZSTD : QCOW2_ZLIB;
            build(&options);
            bool compressed = false;
            for (size_t i = 0; i < written.map.count; i++)
                compressed |= written.map.extents[i].state == IMAGE_COMPRESSED;
            assert_true(compressed);
            struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
            image->driver->info(image, &info);
            assert_int_equal(info.compression_type, zstd);
            image_close(image);
            assert_clean();
        }
    }
}

static void a_feature_without_its_ground_is_refused(void **state) {
    (void)state;
    static const struct {
        struct image_options options;
        const char *reason;
    } rows[] = {
        {{.extended_l2 = true, .cluster_bits = 13}, "16384"},
        {{.extended_l2 = true, .qcow2_version = 2}, "version 2"},
        {{.compression = QCOW2_ZSTD, .qcow2_version = 2}, "version 2"},
        {{.compression = (enum qcow2_compression)2}, "compression type"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {.text = ""};
        uint64_t declared;
        assert_int_equal(
            image_driver(IMAGE_QCOW2)->declared_size(&rows[i].options, 512, &declared, &fault), -1);
        assert_non_null(strstr(fault.text, rows[i].reason));
    }
    // An entry of 16 bytes: half as many in a table, so twice the L1 entries.
    const struct image_options extended = {.extended_l2 = true, .cluster_bits = 14};
    uint64_t declared, most = (32ull << 20) / 8 * 1024 * 16384;
    struct fault fault = {.text = ""};
    const struct image_driver *driver = image_driver(IMAGE_QCOW2);
    assert_int_equal(driver->declared_size(&extended, most, &declared, &fault), 0);
    assert_int_equal(driver->declared_size(&extended, most + 1, &declared, &fault), -1);
}

// Zeros in their place would hide what qemu-img check calls a corruption.
static void what_lies_behind_the_files_end_is_an_error(void **state) {
    (void)state;
    const struct {
        uint64_t at; // of an entry's byte that makes its offset huge
        enum content_form form;
    } rows[] = {{512 + 3, FORM_NORMAL}, {512 + 3, FORM_COMPRESSED}, {0, FORM_NORMAL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t value = 1, byte;
        struct fault fault = {.text = ""};
        content_begin(&content, 512);
        put_extent(0, 512, PATTERN_COUNTER, rows[i].form);
        build(&(struct image_options){.cluster_bits = 9});
        uint64_t l1 = written.file_size - 3 * 512;
        patch(rows[i].at ? rows[i].at : l1 + 3, &value, 1);
        struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
        assert_int_equal(image_read(image, 0, &byte, 1, &fault), -1);
        assert_non_null(strstr(fault.text, "behind the file's end"));
        image_close(image);
    }
}

static void use_everything(const char *path) {
    struct image *image;
    struct image_map map = {0};
    struct image_check check;
    struct fault fault;
    static uint8_t bytes[8192];
    if (image_open(&image, path, IMAGE_QCOW2, &fault) < 0)
        return;
    struct image_info info;
    image->driver->info(image, &info);
    (void)image->driver->check(image, &check, &fault);
    (void)image_map_of(image, &map, &fault);
    uint64_t size = image->virtual_size;
    for (size_t i = 0; i < map.count && i < 64; i++) {
        uint64_t at = map.extents[i].offset;
        (void)image_read(image, at, bytes, (size_t)min_u64(sizeof bytes, size - at), &fault);
    }
    (void)image_read(image, 0, bytes, (size_t)min_u64(sizeof bytes, size), &fault);
    image_map_free(&map);
    image_close(image);
}

// Metadata is where a flipped bit matters: half of the flips go to what the tables occupy.
static void damaged_files_are_survived(void **state) {
    (void)state;
    struct random random = {3};
    const char *set = getenv("IMAGE_DAMAGED");
    unsigned long rounds = set ? strtoul(set, NULL, 10) : 400;
    static const struct image_options options[] = {
        {.cluster_bits = 9, .compress = true},
        {.cluster_bits = 9, .refcount_bits = 1},
        {.cluster_bits = 12, .refcount_bits = 64},
        {.cluster_bits = 10, .qcow2_version = 2},
        {.cluster_bits = 14, .extended_l2 = true},
        {.cluster_bits = 9, .compress = true, .compression = QCOW2_ZSTD},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        content_begin(&content, 300000);
        put_extent(3000, 20000, PATTERN_COUNTER, FORM_NORMAL);
        put_extent(100000, 9000, PATTERN_NOISE, FORM_NORMAL);
        put_extent(200000, 9000, PATTERN_NOISE, FORM_ZERO_ALLOCATED);
        build(&options[i]);
        size_t size;
        uint8_t *good = load(&size), *bad = malloc(size);
        assert_non_null(bad);
        for (unsigned long round = 0; round < rounds; round++) {
            memcpy(bad, good, size);
            uint64_t unit = 1u << options[i].cluster_bits;
            for (uint64_t flips = 1 + below(&random, 8); flips > 0; flips--) {
                uint64_t at = one_in(&random, 2)   ? below(&random, size)
                              : one_in(&random, 2) ? below(&random, 112)
                              : one_in(&random, 2) ? unit + below(&random, unit)
                                                   : size - 1 - below(&random, 6 * unit);
                bad[at] ^= (uint8_t)(1u << below(&random, 8));
            }
            store(bad, one_in(&random, 3) ? (size_t)below(&random, size) : size);
            use_everything(FILE_NAME);
        }
        free(good);
        free(bad);
    }
}

static int release(void **state) {
    unlink(FILE_NAME);
    content_free(&content);
    image_written_free(&written);
    buffer_free(&text);
    return leave_directory(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refcount_tables_of_many_clusters_are_consistent),
        cmocka_unit_test(narrow_refcounts_never_share_too_often),
        cmocka_unit_test(sizes_are_rounded_up_and_limited_by_the_l1_table),
        cmocka_unit_test(an_empty_sparse_disk_is_metadata_only),
        cmocka_unit_test(files_of_qemu_img_are_read_and_checked),
        cmocka_unit_test(what_cannot_be_read_is_refused_with_its_reason),
        cmocka_unit_test(damage_is_counted_as_qemu_img_counts_it),
        cmocka_unit_test(damaged_bitmaps_are_counted_as_qemu_img_counts_them),
        cmocka_unit_test(a_subcluster_has_a_state_of_its_own),
        cmocka_unit_test(what_a_stored_cluster_does_not_use_can_be_stale),
        cmocka_unit_test(zstd_makes_other_files_than_deflate),
        cmocka_unit_test(a_feature_without_its_ground_is_refused),
        cmocka_unit_test(what_lies_behind_the_files_end_is_an_error),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, release);
}
