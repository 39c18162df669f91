// SPDX-License-Identifier: Apache-2.0
//
// qcow2 where random images do not reach: tables of many clusters, narrow refcounts, files that
// qemu-img made with features we never write, subclusters and zstd. (Damage and refusals are in
// image_qcow2_damage.c.)
#include "image_qcow2_helper.h"

#include "base/file.h"

static void refcount_tables_of_many_clusters_are_consistent(void **state) {
    (void)state;
    for (uint32_t bits = 1; bits <= 64; bits *= 2) {
        struct image_options options = {.cluster_bits = 9, .refcount_bits = bits};
        content_begin(&content, 12u << 20);
        put_extent(0, 12u << 20, PATTERN_NOISE, FORM_NORMAL);
        build(&options);
        assert_clean();
        // 24,968 clusters and more; a cluster of the table names 64 blocks.
        size_t size;
        uint8_t *bytes = load(&size);
        uint32_t clusters = get_be32(bytes + 56);
        free(bytes);
        assert_int_equal(clusters, bits < 16 ? 1 : bits == 16 ? 2 : bits == 32 ? 4 : 7);
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
        assert_int_equal(file_pread(fd, &byte, 1, 2 * 65536, &fault), 0); // behind header and L2
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

// With a compression type and without one; header extensions follow either.
static void both_lengths_of_the_header_are_read(void **state) {
    (void)state;
    struct image_map dirty = {0};
    struct image_bitmap bitmap = {.name = "b", .granularity_bits = 16, .dirty = &dirty};
    for (uint32_t bits = 12; bits <= 17; bits++) {
        struct image_options options = {
            .cluster_bits = bits, .bitmaps = &bitmap, .bitmap_count = 1};
        struct image_info info;
        content_begin(&content, 1u << 20);
        put_extent(0, 300000, PATTERN_COUNTER, FORM_COMPRESSED);
        build(&options);
        struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
        image->driver->info(image, &info);
        assert_int_equal(info.qcow2_header_length, bits % 2 ? 104 : 112);
        assert_int_equal(info.bitmaps, 1);
        image_close(image);
        assert_clean();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refcount_tables_of_many_clusters_are_consistent),
        cmocka_unit_test(narrow_refcounts_never_share_too_often),
        cmocka_unit_test(sizes_are_rounded_up_and_limited_by_the_l1_table),
        cmocka_unit_test(an_empty_sparse_disk_is_metadata_only),
        cmocka_unit_test(files_of_qemu_img_are_read_and_checked),
        cmocka_unit_test(a_subcluster_has_a_state_of_its_own),
        cmocka_unit_test(what_a_stored_cluster_does_not_use_can_be_stale),
        cmocka_unit_test(zstd_makes_other_files_than_deflate),
        cmocka_unit_test(both_lengths_of_the_header_are_read),
    };
    return cmocka_run_group_tests(tests, enter_directory, release);
}
