// SPDX-License-Identifier: Apache-2.0
//
// Persistent bitmaps of qcow2 in damaged files: directories and tables are refused or counted as
// qemu-img does, and whatever a file says is survived.
#include "image_qcow2_helper.h"
#include "image_qcow2_use.h"

static struct image_map dirty[2];

struct places {
    uint64_t extension, directory, table; // file offsets; table: of the first bitmap
    size_t file_size;
};

static struct places build_two(void) {
    struct image_bitmap bitmaps[] = {
        {.name = "first", .granularity_bits = 9, .dirty = &dirty[0]},
        {.name = "second", .granularity_bits = 16, .dirty = &dirty[1]},
    };
    struct image_options options = {.cluster_bits = 9, .bitmaps = bitmaps, .bitmap_count = 2};
    content_begin(&content, 3u << 20);
    put_extent(100000, 100000, PATTERN_NOISE, FORM_NORMAL);
    for (size_t i = 0; i < 2; i++)
        image_map_clear(&dirty[i]);
    image_map_add(&dirty[0], 0, 600, IMAGE_DATA);
    image_map_add(&dirty[1], 70000, 5, IMAGE_DATA);
    build(&options);
    struct places places;
    uint8_t *bytes = load(&places.file_size);
    places.extension = 104;
    assert_int_equal(get_be32(bytes + places.extension), 0x23852875);
    places.extension += 8;
    places.directory = get_be64(bytes + places.extension + 16);
    places.table = get_be64(bytes + places.directory);
    free(bytes);
    return places;
}

static void a_damaged_directory_is_refused(void **state) {
    (void)state;
    enum { EXTENSION, DIRECTORY };
    static const struct {
        int where;
        uint64_t at;
        uint8_t value;
        const char *reason;
    } rows[] = {
        {EXTENSION, 0, 1, "bitmaps extension"},     // 2^24 of them
        {EXTENSION, 3, 0, "bitmaps extension"},     // none
        {EXTENSION, 3, 1, "more than 1"},           // one too few
        {EXTENSION, 3, 3, "too short"},             // one too many
        {EXTENSION, 4, 1, "reserved"},              //
        {EXTENSION, 8, 1, "misplaced"},             // beyond the file
        {EXTENSION, 15, 1, "too short"},            // one byte
        {EXTENSION, 16, 1, "misplaced"},            // behind the file's end
        {EXTENSION, 23, 8, "misplaced"},            // not at a cluster
        {DIRECTORY, 7, 8, "bitmap table"},          // not at a cluster
        {DIRECTORY, 8, 1, "bitmap table"},          // too large
        {DIRECTORY, 11, 0, "bitmap table"},         // empty
        {DIRECTORY, 11, 3, "as large as the disk"}, //
        {DIRECTORY, 15, 4, "flags"},                //
        {DIRECTORY, 16, 2, "type"},                 //
        {DIRECTORY, 17, 8, "granularity"},          //
        {DIRECTORY, 17, 63, "granularity"},         //
        {DIRECTORY, 18, 0x80, "name"},              // longer than any
        {DIRECTORY, 19, 0, "name"},                 // none
        {DIRECTORY, 23, 8, "extra"},                //
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct image *image;
        struct fault fault = {.text = ""};
        struct places places = build_two();
        patch((rows[i].where == EXTENSION ? places.extension : places.directory) + rows[i].at,
              &rows[i].value, 1);
        if (image_open(&image, FILE_NAME, IMAGE_QCOW2, &fault) == 0)
            fail_msg("row %zu opens", i);
        if (!strstr(fault.text, rows[i].reason))
            fail_msg("row %zu: %s", i, fault.text);
        char *argv[] = {"qemu-img", "info", "-f", "qcow2", FILE_NAME, NULL};
        if (have_qemu_img() && run_qemu_img(argv, &text) == 0)
            fail_msg("row %zu: qemu-img opens it", i);
    }
}

// Bitmap 0's table has two entries, a cluster and nothing.
static void a_table_behind_the_files_end_is_corrupt(void **state) {
    (void)state;
    uint8_t one = 1;
    struct image_check check;
    struct fault fault = {.text = ""};
    struct places places = build_two();
    patch(places.directory + 1, &one, 1);
    assert_int_equal(checked(FILE_NAME, &check, &fault), 0);
    assert_true(check.corruptions > 0);
    char *argv[] = {"qemu-img", "check", "-f", "qcow2", FILE_NAME, NULL};
    if (have_qemu_img())
        assert_int_not_equal(run_qemu_img(argv, &text), 0);
}

static void a_damaged_table_is_counted_as_qemu_img_counts_it(void **state) {
    (void)state;
    static const struct {
        uint64_t at;
        uint8_t value;
    } rows[] = {{0, 1}, {7, 1}, {8 + 7, 2}, {8, 1}, {6, 0}, {7 + 8, 1}, {4, 0x7f}};
    if (!have_qemu_img())
        skip();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct places places = build_two();
        patch(places.table + rows[i].at, &rows[i].value, 1);
        struct image_check check;
        struct fault fault = {.text = ""};
        assert_int_equal(checked(FILE_NAME, &check, &fault), 0);
        char *argv[] = {"qemu-img", "check", "--output=json", "-f", "qcow2", FILE_NAME, NULL};
        int status = run_qemu_img(argv, &text);
        bool clean = check.corruptions + check.leaks == 0;
        // Where a table names what cannot be loaded qemu-img does not even open the image.
        if ((status == 0) != clean)
            fail_msg("row %zu: ours %s, theirs %d: %s", i, check.first_problem, status, text.data);
    }
}

// Without the feature bit somebody has written who did not know of bitmaps: they are leaked space.
static void bitmaps_without_their_bit_are_void(void **state) {
    (void)state;
    uint8_t zero = 0;
    struct image_check check;
    struct fault fault = {.text = ""};
    struct image_info info;
    build_two();
    patch(95, &zero, 1);
    struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
    image->driver->info(image, &info);
    image_close(image);
    assert_int_equal(info.bitmaps, 0);
    assert_int_equal(checked(FILE_NAME, &check, &fault), 0);
    assert_true(check.leaks > 0 && check.corruptions == 0);
    if (have_qemu_img())
        assert_same_statistics(FILE_NAME);
}

static void damaged_files_are_survived(void **state) {
    (void)state;
    struct random random = {7};
    struct places places = build_two();
    size_t size;
    uint8_t *good = load(&size), *bad = malloc(size);
    assert_non_null(bad);
    for (int round = 0; round < 1500; round++) {
        memcpy(bad, good, size);
        for (uint64_t flips = 1 + below(&random, 4); flips > 0; flips--) {
            uint64_t at = one_in(&random, 2)   ? places.directory + below(&random, 64)
                          : one_in(&random, 2) ? places.extension - 8 + below(&random, 40)
                          : one_in(&random, 2) ? places.table + below(&random, 16)
                                               : below(&random, size);
            bad[at] ^= (uint8_t)(1u << below(&random, 8));
        }
        store(bad, one_in(&random, 8) ? (size_t)below(&random, size) : size);
        use_everything(FILE_NAME);
    }
    free(good);
    free(bad);
}

static int release_bitmaps(void **state) {
    for (size_t i = 0; i < 2; i++)
        image_map_free(&dirty[i]);
    return release(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_directory_is_refused),
        cmocka_unit_test(a_table_behind_the_files_end_is_corrupt),
        cmocka_unit_test(a_damaged_table_is_counted_as_qemu_img_counts_it),
        cmocka_unit_test(bitmaps_without_their_bit_are_void),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, release_bitmaps);
}
