// SPDX-License-Identifier: Apache-2.0
//
// Internal snapshots of qcow2 in damaged files: tables are refused or counted as qemu-img does, and
// whatever a file says is survived.
#include "image_qcow2_history.h"
#include "image_qcow2_use.h"

static void set_be32(uint64_t at, uint32_t value) {
    uint8_t bytes[4];
    put_be32(bytes, value);
    patch(at, bytes, sizeof bytes);
}

static void set_be64(uint64_t at, uint64_t value) {
    uint8_t bytes[8];
    put_be64(bytes, value);
    patch(at, bytes, sizeof bytes);
}

static void build_two(const struct image_options *options) {
    struct fault fault;
    begin_unchanged(options, 2);
    if (write_history(&fault) < 0)
        fail_msg("%s", fault.text);
}

static uint64_t snapshot_table(void) {
    size_t size;
    uint8_t *bytes = load(&size);
    uint64_t at = get_be64(bytes + 64);
    free(bytes);
    return at;
}

static void a_damaged_table_is_refused_or_counted_as_qemu_img_does(void **state) {
    (void)state;
    enum { HEADER, TABLE };
    static const struct {
        int where;
        uint64_t at;
        uint64_t value;
        int width; // bytes
        bool opens, chosen;
    } rows[] = {
        {HEADER, 60, 65537, 4, false, false},       // too many
        {HEADER, 60, 3, 4, true, true},             // one that is zeros
        {HEADER, 64, 1ull << 40, 8, false, false},  // behind the file
        {HEADER, 64, 512 * 3 + 8, 8, false, false}, // misaligned
        {TABLE, 0, 1ull << 40, 8, true, false},     // L1 table behind the file
        {TABLE, 0, 8, 8, true, false},              // misaligned
        {TABLE, 8, 1u << 30, 4, true, false},       // too large
        {TABLE, 8, 0, 4, true, false},              // too small
        {TABLE, 36, 8, 4, false, false},            // less: the next entry is elsewhere then
        {TABLE, 36, 1u << 20, 4, false, false},     // extra data behind the file
        {TABLE, 48, ~0ull, 8, true, false},         // a size beyond all
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct image *image;
        struct fault fault = {.text = ""};
        build_two(&(struct image_options){.cluster_bits = 9});
        uint64_t at = rows[i].at + (rows[i].where == TABLE ? snapshot_table() : 0);
        if (rows[i].width == 4)
            set_be32(at, (uint32_t)rows[i].value);
        else
            set_be64(at, rows[i].value);
        bool opens = image_open(&image, FILE_NAME, IMAGE_QCOW2, &fault) == 0;
        bool chosen = opens && image_choose_snapshot(image, "1", &fault) == 0;
        if (opens != rows[i].opens || chosen != rows[i].chosen)
            fail_msg("row %zu: opens %d, chosen %d: %s", i, opens, chosen, fault.text);
        image_close(image);
        use_everything(FILE_NAME);
        struct image_check check;
        if (!opens)
            continue;
        assert_int_equal(checked(FILE_NAME, &check, &fault), 0);
        char *argv[] = {"qemu-img", "check", "-f", "qcow2", FILE_NAME, NULL};
        if (have_qemu_img())
            assert_int_equal(run_qemu_img(argv, &text) != 0, check.corruptions + check.leaks != 0);
    }
}

static void damaged_files_are_survived(void **state) {
    (void)state;
    struct random random = {5};
    size_t size;
    for (uint32_t bits = 9; bits <= 14; bits += 5) {
        build_two(&(struct image_options){.cluster_bits = bits, .extended_l2 = bits == 14});
        uint8_t *good = load(&size), *bad = malloc(size);
        assert_non_null(bad);
        uint64_t table = get_be64(good + 64);
        for (int round = 0; round < 500; round++) {
            memcpy(bad, good, size);
            for (uint64_t flips = 1 + below(&random, 6); flips > 0; flips--) {
                uint64_t at = one_in(&random, 2)   ? table + below(&random, 200)
                              : one_in(&random, 2) ? 60 + below(&random, 12)
                                                   : below(&random, size);
                bad[at % size] ^= (uint8_t)(1u << below(&random, 8));
            }
            store(bad, one_in(&random, 4) ? (size_t)below(&random, size) : size);
            use_everything(FILE_NAME);
        }
        free(good);
        free(bad);
    }
}

// qemu-img writes the table last, and no padding behind it.
static void a_name_that_the_files_end_cuts_is_shorter(void **state) {
    (void)state;
    char *create[] = {"qemu-img", "create", "-f", "qcow2", FILE_NAME, "1M", NULL};
    char *snapshot[] = {"qemu-img", "snapshot", "-c", "abcdef", FILE_NAME, NULL};
    char *list[] = {"qemu-img", "snapshot", "-l", FILE_NAME, NULL};
    struct stat info;
    if (!have_qemu_img())
        skip();
    unlink(FILE_NAME);
    assert_int_equal(run_qemu_img(create, &text) | run_qemu_img(snapshot, &text), 0);
    assert_int_equal(stat(FILE_NAME, &info), 0);
    assert_int_equal(truncate(FILE_NAME, info.st_size - 2), 0);
    assert_int_equal(run_qemu_img(list, &text), 0);
    assert_non_null(strstr(text.data, "abcd "));
    assert_same_statistics(FILE_NAME);
    struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
    struct image_info said;
    image->driver->info(image, &said);
    assert_int_equal(said.snapshots, 1);
    image_close(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_table_is_refused_or_counted_as_qemu_img_does),
        cmocka_unit_test(a_name_that_the_files_end_cuts_is_shorter),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, release_history);
}
