// SPDX-License-Identifier: Apache-2.0
//
// Damaged and foreign qcow2 files: refused with a reason, counted as qemu-img counts them,
// survived.
#include "image_qcow2_helper.h"
#include "image_qcow2_use.h"

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
        {15, 112, "", true, true, true}, // a backing file's name without length
        {35, 1, "encrypted", true, false, false},
        {63, 1, "", true, true, true}, // a snapshot table that is the header
        {79, 4, "data file", false, false, false},
        {79, 8, "compression type", false, false, false},
        {79, 32, "incompatible", false, false, false},
        {72, 1, "incompatible", false, false, false},
        {79, 3, "", true, true, true}, // dirty and corrupt can be read
        {95, 1, "", true, true, true}, // bitmaps are right, though there are none
        {95, 2, "", true, true, true}, // a raw data file, though there is none
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

// The file ends in the L1 table, whose other entries then are zeros to qemu-img, and no damage.
static void a_table_that_the_files_end_cuts_goes_on_as_zeros(void **state) {
    (void)state;
    char *argv[] = {"qemu-img", "create", "-f", "qcow2", FILE_NAME, "40G", NULL};
    struct stat info;
    if (!have_qemu_img())
        skip();
    unlink(FILE_NAME);
    assert_int_equal(run_qemu_img(argv, &text), 0);
    assert_int_equal(stat(FILE_NAME, &info), 0); // 80 entries at its very end
    assert_int_equal(truncate(FILE_NAME, info.st_size - 64 * 8), 0);
    assert_same_statistics(FILE_NAME);
    content_begin(&content, 40ull << 30);
    assert_clean();
    // All of it is behind the end, by less than a cluster from the last sector's end.
    for (int cut = 0; cut < 2; cut++) {
        assert_int_equal(truncate(FILE_NAME, cut ? info.st_size - 65536 - 64 : 3 * 65536), 0);
        assert_same_statistics(FILE_NAME);
        assert_clean();
    }
    // Its cluster counts: with a refcount of 0 it is damage.
    patch(2 * 65536 + 2 * 3, (const uint8_t[]){0, 0}, 2);
    assert_same_statistics(FILE_NAME);
    // A sector less, and there is nothing to refer to.
    struct image *image;
    struct fault fault = {.text = ""};
    assert_int_equal(truncate(FILE_NAME, info.st_size - 65536 - 128), 0);
    assert_int_equal(image_open(&image, FILE_NAME, IMAGE_QCOW2, &fault), -1);
    assert_non_null(strstr(fault.text, "L1 table"));
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_read_is_refused_with_its_reason),
        cmocka_unit_test(damage_is_counted_as_qemu_img_counts_it),
        cmocka_unit_test(a_table_that_the_files_end_cuts_goes_on_as_zeros),
        cmocka_unit_test(damaged_bitmaps_are_counted_as_qemu_img_counts_them),
        cmocka_unit_test(a_feature_without_its_ground_is_refused),
        cmocka_unit_test(what_lies_behind_the_files_end_is_an_error),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, release);
}
