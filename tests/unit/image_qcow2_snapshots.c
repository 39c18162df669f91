// SPDX-License-Identifier: Apache-2.0
//
// Internal snapshots of qcow2: what is written is what our reader, our check, `qemu-img check` and
// `qemu-img convert -l` find, whatever is shared.
//
// image_qcow2_snapshots [COUNT [INDEX]]; or IMAGE_SNAPSHOTS=COUNT generated images.
#include "image_qcow2_history.h"
#include "tests/unit/image_judge.h"

#define DEFAULT_COUNT 30

static unsigned long count = DEFAULT_COUNT, only_index;
static bool only_one;

// --- judges: 0, or -1 with the reason ------------------------------------------------------------

// `snapshot` NULL: the active disk.
static int judge_reader(const struct content *expected, const char *snapshot, struct fault *fault) {
    struct image *image;
    if (image_open(&image, FILE_NAME, IMAGE_QCOW2, fault) < 0)
        return -1;
    int result = image_open_backing(image, fault);
    if (result == 0 && snapshot)
        result = image_choose_snapshot(image, snapshot, fault);
    if (result == 0 && image->virtual_size != round_up(expected->size, 512))
        result = fault_set(fault, "%llu bytes, not %llu", (unsigned long long)image->virtual_size,
                           (unsigned long long)expected->size);
    if (result == 0)
        result = judge_content(expected, image, false, fault);
    image_close(image);
    return result;
}

// qemu-img shows any snapshot in the active disk's size: cut, or with zeros behind it.
static int judge_convert(const struct content *merged, const char *snapshot, struct fault *fault) {
    char *argv[] = {"qemu-img", "convert", "-f", "qcow2",          "-O", "raw",
                    FILE_NAME,  "theirs",  "-l", (char *)snapshot, NULL};
    if (!snapshot)
        argv[8] = NULL;
    int status = run_qemu_img(argv, &text);
    if (status != 0)
        return fault_set(fault, "qemu-img convert: exit %d: %.200s", status, text.data);
    struct content expected = {0};
    struct image *image;
    content_copy(&expected, merged);
    content_resize(&expected, written.virtual_size);
    int result = image_open(&image, "theirs", IMAGE_RAW, fault);
    if (result == 0 && image->virtual_size != written.virtual_size)
        result = fault_set(fault, "qemu-img convert: %llu bytes",
                           (unsigned long long)image->virtual_size);
    if (result == 0)
        result = judge_content(&expected, image, false, fault);
    image_close(image);
    unlink("theirs");
    content_free(&expected);
    return result;
}

static int judge_disk(const struct content *merged, const char *snapshot, bool have_qemu,
                      struct fault *fault) {
    if (judge_reader(merged, snapshot, fault) < 0 ||
        (have_qemu && judge_convert(merged, snapshot, fault) < 0))
        return fault_prefix(fault, "%s: ", snapshot ? snapshot : "active");
    return 0;
}

static int judge_check(bool have_qemu, struct fault *fault) {
    struct image_check check;
    if (checked(FILE_NAME, &check, fault) < 0)
        return -1;
    if (check.corruptions || check.leaks)
        return fault_set(fault, "own check: %s", check.first_problem);
    char *argv[] = {"qemu-img", "check", "-f", "qcow2", FILE_NAME, NULL};
    if (have_qemu && run_qemu_img(argv, &text) != 0)
        return fault_set(fault, "qemu-img check: %.200s", text.data);
    if (have_qemu)
        assert_same_statistics(FILE_NAME);
    return 0;
}

static int judge(bool have_qemu, struct fault *fault) {
    if (judge_check(have_qemu, fault) < 0 ||
        judge_disk(&history.merged, NULL, have_qemu, fault) < 0)
        return -1;
    for (size_t i = 0; i < history.options.snapshot_count; i++)
        if (judge_disk(&history.snapshot_merged[i], ids[i], have_qemu, fault) < 0)
            return -1;
    return 0;
}

static void assert_good(void) {
    struct fault fault = {.text = ""};
    if (write_history(&fault) < 0 || judge(have_qemu_img(), &fault) < 0)
        fail_msg("%s", fault.text);
}

// --- what is shared ------------------------------------------------------------------------------

static uint64_t clusters_of(const struct image_options *options, size_t snapshots) {
    begin_unchanged(options, snapshots);
    assert_good();
    return written.file_size >> options->cluster_bits;
}

static void an_unchanged_disk_is_stored_once(void **state) {
    (void)state;
    for (uint32_t width = 1; width <= 64; width *= 2)
        for (int extended = 0; extended < 2; extended++) {
            const struct image_options options = {
                .cluster_bits = 14, .refcount_bits = width, .extended_l2 = extended};
            uint64_t alone = clusters_of(&options, 0);
            uint64_t with = clusters_of(&options, 2);
            if (width == 1)
                assert_true(with > 2 * alone);
            else if (width <= 4) // host clusters of several compressed ones are full at 3 or 15
                assert_true(with >= alone + 3 && with < 2 * alone);
            else
                assert_int_equal(with, alone + 3);
        }
}

static void a_changed_cluster_is_stored_twice(void **state) {
    (void)state;
    const struct image_options options = {.cluster_bits = 16};
    begin(1u << 20, &options);
    put_both(0, 1u << 20, PATTERN_NOISE, FORM_NORMAL);
    snap(1u << 20);
    put_both(5 * 65536 + 100, 1, PATTERN_CONSTANT, FORM_NORMAL);
    assert_good();
    // Header, two L2 and two L1 tables, 16 clusters and one, snapshot table, refcount table, block.
    assert_int_equal(written.file_size / 65536, 1 + 4 + 17 + 1 + 2);
}

static void the_same_bytes_in_another_form_are_not_shared(void **state) {
    (void)state;
    static const enum content_form forms[] = {FORM_NORMAL, FORM_COMPRESSED, FORM_ZERO,
                                              FORM_ZERO_ALLOCATED};
    for (size_t a = 0; a < 4; a++)
        for (size_t b = 0; b < 4; b++) {
            begin(65536, &(struct image_options){.cluster_bits = 12});
            put_both(0, 32768, PATTERN_ZERO, forms[a]);
            snap(65536);
            put_both(0, 32768, PATTERN_ZERO, forms[b]);
            assert_good();
        }
}

// --- sizes and names -----------------------------------------------------------------------------

static void a_snapshot_has_a_size_of_its_own(void **state) {
    (void)state;
    static const uint64_t sizes[] = {0, 512, 65536, 70000, 1000000, 1u << 20, 3u << 20, 40u << 20};
    for (int version = 2; version <= 3; version++)
        for (uint32_t bits = 9; bits <= 16; bits += 7)
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                begin(1u << 20, &(struct image_options){.cluster_bits = bits,
                                                        .qcow2_version = (uint32_t)version});
                put_both(3000, 200000, PATTERN_NOISE, FORM_NORMAL);
                put_both(990000, 50000, PATTERN_COUNTER, FORM_NORMAL);
                snap(sizes[i]);
                assert_good();
            }
}

static void an_id_comes_before_a_name(void **state) {
    (void)state;
    static const struct {
        const char *asked;
        int found; // index, -1: none
    } rows[] = {{"1", 0}, {"first", 0}, {"2", 1},  {"17", 2},    {"the third one", 2},
                {"", 3},  {"4", 3},     {"3", -1}, {"firs", -1}, {"the third one ", -1}};
    begin(65536, &(struct image_options){0});
    for (int i = 0; i < MAX_SNAPSHOTS; i++) {
        put_both((uint64_t)i * 512, 512, PATTERN_CONSTANT, FORM_NORMAL);
        snap(65536);
    }
    assert_good();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {.text = ""};
        struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
        struct image_info info;
        image->driver->info(image, &info);
        assert_int_equal(info.snapshots, MAX_SNAPSHOTS);
        assert_int_equal(image_choose_snapshot(image, rows[i].asked, &fault),
                         rows[i].found < 0 ? -1 : 0);
        if (rows[i].found >= 0 &&
            judge_content(&history.snapshot_merged[rows[i].found], image, false, &fault) < 0)
            fail_msg("'%s': %s", rows[i].asked, fault.text);
        image_close(image);
    }
}

// The check is of the whole file, whichever disk was chosen.
static void a_chosen_snapshot_does_not_change_the_check(void **state) {
    (void)state;
    struct fault fault = {.text = ""};
    struct image_check before, after;
    clusters_of(&(struct image_options){.cluster_bits = 12}, 2);
    struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
    assert_int_equal(image->driver->check(image, &before, &fault), 0);
    assert_int_equal(image_choose_snapshot(image, "2", &fault), 0);
    assert_int_equal(image->driver->check(image, &after, &fault), 0);
    assert_memory_equal(&before, &after, sizeof before);
    image_close(image);
}

static void a_chosen_snapshot_has_extents_of_its_own(void **state) {
    (void)state;
    struct fault fault = {.text = ""};
    struct image_extent extent;
    begin(65536, &(struct image_options){.cluster_bits = 12});
    snap(65536);
    put_both(0, 65536, PATTERN_NOISE, FORM_NORMAL);
    assert_good();
    struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
    assert_int_equal(image_extent_at(image, 0, &extent, &fault), 0);
    assert_int_equal(extent.state, IMAGE_DATA);
    assert_int_equal(image_choose_snapshot(image, "1", &fault), 0);
    assert_int_equal(image_extent_at(image, 4096, &extent, &fault), 0);
    assert_int_equal(extent.state, IMAGE_HOLE);
    image_close(image);
}

static void what_cannot_be_written_is_refused(void **state) {
    (void)state;
    struct fault fault = {.text = ""};
    begin(65536, &(struct image_options){.data_file = QCOW2_DATA_FILE});
    snap(65536);
    assert_int_equal(write_history(&fault), -1);
    assert_non_null(strstr(fault.text, "snapshots"));
    begin(65536, &(struct image_options){0});
    snap(65536);
    history.snapshots[0].source.overlay = true;
    assert_int_equal(write_history(&fault), -1);
    assert_non_null(strstr(fault.text, "overlay"));
}

// --- generated -----------------------------------------------------------------------------------

static void choose_options(struct random *random, struct image_options *options) {
    options->cluster_bits = 9 + (uint32_t)below(random, 13);
    options->qcow2_version = one_in(random, 3) ? 2 : 3;
    options->refcount_bits = 1u << below(random, 7);
    options->compress = one_in(random, 5);
    options->skip_zeros = one_in(random, 6);
    if (options->qcow2_version == 3 && one_in(random, 3)) {
        options->extended_l2 = true;
        options->stale_subclusters = one_in(random, 2);
        options->cluster_bits = 14 + (uint32_t)below(random, 8);
    }
    if (options->qcow2_version == 3 && one_in(random, 4))
        options->compression = QCOW2_ZSTD;
}

static struct content_extent choose_write(struct random *random, uint64_t size, uint64_t unit) {
    uint64_t offset = one_in(random, 2) ? below(random, size)
                                        : below(random, div_up(size, unit)) * unit +
                                              below(random, 2) * below(random, unit);
    uint64_t length = one_in(random, 2) ? 1 + below(random, 5000) : 1 + below(random, 4 * unit);
    return (struct content_extent){
        .offset = min_u64(offset, size - 1),
        .length = min_u64(length, 512u << 10),
        .pattern = (enum content_pattern)below(random, CONTENT_PLAIN_PATTERNS),
        .form = (enum content_form)below(random, CONTENT_FORMS),
        .seed = (uint8_t)below(random, 4),
    };
}

static void make_base(struct random *random) {
    struct image_source source;
    struct image_written base_written = {0};
    struct fault fault = {.text = ""};
    uint64_t size = 1 + below(random, 2 * history.own.size);
    content_begin(&history.base, size);
    content_write(&history.base, &(struct content_extent){below(random, size), 1u << 20,
                                                          PATTERN_NOISE, FORM_NORMAL, 3});
    content_as_source(&history.base, &source);
    unlink(BASE);
    if (image_write(BASE, IMAGE_RAW, &(struct image_options){0}, &source, &base_written, &fault))
        fail_msg("%s", fault.text);
    image_written_free(&base_written);
    history.overlay = true;
    history.backing = (struct image_backing){.name = BASE, .format = IMAGE_RAW};
    content_copy(&history.merged, &history.base);
    content_resize(&history.merged, history.own.size);
}

static void make_history(unsigned long index) {
    struct random random = {index * 7919 + 1};
    struct image_options options = {0};
    next_random(&random);
    choose_options(&random, &options);
    uint64_t unit = 1ull << options.cluster_bits;
    uint64_t size = one_in(&random, 3) ? 1 + below(&random, 3u << 20)
                                       : (1 + below(&random, 20)) * min_u64(unit, 1u << 18) +
                                             below(&random, 2) * 512;
    bool overlay = !options.skip_zeros && one_in(&random, 3);
    if (overlay) // the rest of a last sector would show the file below
        size = round_up(size, 512);
    begin(size, &options);
    if (overlay)
        make_base(&random);
    for (uint64_t left = below(&random, MAX_SNAPSHOTS + 1); left > 0; left--) {
        for (uint64_t writes = below(&random, 5); writes > 0; writes--) {
            struct content_extent write = choose_write(&random, size, unit);
            write_both(&write);
        }
        // Over another file qemu-img would show that file behind a shorter snapshot's end.
        snap(history.overlay || one_in(&random, 2) ? size : below(&random, 2 * size));
    }
    for (uint64_t writes = below(&random, 5); writes > 0; writes--) {
        struct content_extent write = choose_write(&random, size, unit);
        write_both(&write);
    }
}

static void generated_histories_are_what_they_claim(void **state) {
    (void)state;
    unsigned long bad = 0;
    for (unsigned long i = only_one ? only_index : 0; i < (only_one ? only_index + 1 : count);
         i++) {
        struct fault fault = {.text = ""};
        make_history(i);
        if (write_history(&fault) == 0 && judge(have_qemu_img(), &fault) == 0)
            continue;
        bad++;
        const struct image_options *o = &history.options;
        print_message("index %lu: %s\n  size %llu cluster_bits %u version %u refcount_bits %u "
                      "extended_l2 %d stale %d compression %d compress %d skip_zeros %d overlay %d "
                      "snapshots %zu\n",
                      i, fault.text, (unsigned long long)history.own.size, o->cluster_bits,
                      o->qcow2_version, o->refcount_bits, o->extended_l2, o->stale_subclusters,
                      (int)o->compression, o->compress, o->skip_zeros, history.overlay,
                      o->snapshot_count);
    }
    print_message("%lu histories, %lu bad\n", only_one ? 1 : count, bad);
    assert_int_equal(bad, 0);
}

int main(int argc, char **argv) {
    const char *set = getenv("IMAGE_SNAPSHOTS");
    count = argc > 1 ? strtoul(argv[1], NULL, 10) : set ? strtoul(set, NULL, 10) : DEFAULT_COUNT;
    only_one = argc > 2;
    only_index = only_one ? strtoul(argv[2], NULL, 10) : 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unchanged_disk_is_stored_once),
        cmocka_unit_test(a_changed_cluster_is_stored_twice),
        cmocka_unit_test(the_same_bytes_in_another_form_are_not_shared),
        cmocka_unit_test(a_snapshot_has_a_size_of_its_own),
        cmocka_unit_test(an_id_comes_before_a_name),
        cmocka_unit_test(a_chosen_snapshot_does_not_change_the_check),
        cmocka_unit_test(a_chosen_snapshot_has_extents_of_its_own),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(generated_histories_are_what_they_claim),
    };
    return cmocka_run_group_tests(tests, enter_directory, release_history);
}
