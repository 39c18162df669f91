// SPDX-License-Identifier: Apache-2.0
//
// What a campaign remembers: signatures claimed once, counters added up over processes, and that a
// file was changed.
#include "materialize.h"
#include "seen.h"
#include "stats.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/run_memory.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return workdir_remove_tree(folder, NULL);
}

static void a_signature_is_claimed_by_one_process(void **state) {
    (void)state;
    int claims = 0;
    for (int i = 0; i < 8; i++)
        if (fork() == 0)
            _exit(seen_claim(folder, "type-op-a-b-c", NULL));
    for (int status; wait(&status) > 0;)
        claims += WEXITSTATUS(status);
    assert_int_equal(claims, 1);
    assert_true(seen_contains(folder, "type-op-a-b-c"));
    assert_false(seen_contains(folder, "type-op-a-b-d"));
}

static void no_folder_means_no_memory(void **state) {
    (void)state;
    assert_int_equal(seen_claim(NULL, "x", NULL), 1);
    assert_int_equal(seen_claim(NULL, "x", NULL), 1);
    assert_false(seen_contains(NULL, "x"));
}

static void a_folder_that_cannot_be_made_is_an_error(void **state) {
    (void)state;
    char path[128];
    struct fault fault = {0};
    snprintf(path, sizeof path, "%s/no/such", folder);
    assert_int_equal(seen_open(path, &fault), -1);
    assert_non_null(strstr(fault.text, path));
    assert_int_equal(seen_claim(path, "x", &fault), -1);
}

static void counters_of_processes_are_added_up(void **state) {
    (void)state;
    for (int i = 1; i <= 3; i++) {
        if (fork() == 0) {
            struct stats *stats;
            if (stats_open(&stats, folder, NULL))
                _exit(1);
            stats->cases = (uint64_t)i * 100;
            stats->matrix[OP_MEASURE][IMAGE_RAW][IMAGE_QCOW2].compared = 1;
            stats_count(stats->signatures, STATS_NAMES, i == 3 ? "second" : "first");
            _exit(0);
        }
        int status;
        wait(&status);
        assert_int_equal(status, 0);
    }
    static struct stats sum;
    assert_int_equal(stats_sum(folder, &sum, NULL), 0);
    assert_int_equal(sum.cases, 600);
    assert_int_equal(sum.matrix[OP_MEASURE][IMAGE_RAW][IMAGE_QCOW2].compared, 3);
    for (int i = 0; i < 2; i++) // in whatever order the folder is read
        assert_int_equal(sum.signatures[i].count,
                         strcmp(sum.signatures[i].name, "first") == 0 ? 2 : 1);
    assert_string_not_equal(sum.signatures[0].name, sum.signatures[1].name);
}

static void a_full_table_counts_the_rest_together(void **state) {
    (void)state;
    struct stats_name table[3] = {{{0}, 0}};
    const char *names[] = {"a", "b", "c", "d", "a"};
    for (int i = 0; i < 5; i++)
        stats_count(table, 3, names[i]);
    assert_int_equal(table[0].count, 2);
    assert_string_equal(table[2].name, "(others)");
    assert_int_equal(table[2].count, 2);
}

static void build_case(struct material *material, const char *text) {
    struct testcase testcase;
    struct fault fault = {0};
    if (case_from_json(&testcase, text, &fault) ||
        material_build(material, &testcase, folder, &fault))
        fail_msg("%s", fault.text);
}

static void build(struct material *material) {
    build_case(material, "{\"format\": \"raw\", \"virtual_size\": 1048576, \"writes\": "
                         "[{\"pattern\": \"noise\", \"length_bytes\": 8192}]}");
}

static void write_at(const char *name, off_t at, const char *text, bool keep_times) {
    char path[128];
    struct stat before;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(chmod(path, 0644), 0);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, text, strlen(text), at), (int)strlen(text));
    struct timespec times[2] = {before.st_atim, before.st_mtim};
    if (keep_times)
        assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static void a_changed_byte_is_noticed_even_with_the_old_times(void **state) {
    (void)state;
    struct material material = {0};
    build(&material);
    assert_false(material_modified(&material, folder));
    write_at("src.raw", 500000, "x", true);
    assert_true(material_modified(&material, folder));
    material_free(&material);
}

// As if the write had come within the tick of the building, on a kernel that stamps by ticks.
static void a_changed_byte_is_noticed_where_times_cannot_tell(void **state) {
    (void)state;
    struct material material = {0};
    char path[128];
    struct stat now;
    build(&material);
    struct material_file *file = &material.files[0];
    file->times_tell = false;
    assert_false(material_modified(&material, folder));
    write_at("src.raw", 500000, "x", true);
    snprintf(path, sizeof path, "%s/src.raw", folder);
    assert_int_equal(stat(path, &now), 0);
    file->ctime_ns = now.st_ctim.tv_sec * 1000000000ll + now.st_ctim.tv_nsec;
    assert_true(material_modified(&material, folder));
    material_free(&material);
}

// The hash is a sum over words: changes of the same high bit in two of them must not cancel out.
static void two_changed_bits_do_not_hide_each_other(void **state) {
    (void)state;
    struct fault fault = {0};
    uint8_t bytes[64] = {1};
    uint64_t whole, changed;
    char path[128];
    snprintf(path, sizeof path, "%s/hashed", folder);
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    assert_int_equal(pwrite(fd, bytes, sizeof bytes, 4096), sizeof bytes);
    assert_int_equal(material_hash(path, &whole, &fault), 0);
    for (size_t first = 0; first < 7; first++)
        for (size_t second = first + 1; second < 8; second++)
            for (int bit = 0; bit < 8; bit++) {
                memset(bytes, 0, sizeof bytes);
                bytes[0] = 1;
                bytes[first * 8 + 7] ^= (uint8_t)(1 << bit);
                bytes[second * 8 + 7] ^= (uint8_t)(1 << bit);
                assert_int_equal(pwrite(fd, bytes, sizeof bytes, 4096), sizeof bytes);
                assert_int_equal(material_hash(path, &changed, &fault), 0);
                assert_int_not_equal(whole, changed);
            }
    close(fd);
    assert_int_equal(unlink(path), 0);
}

// Stored zeros and a hole are one to a reader, and so are two ways to cut a file into extents.
static void zeros_and_holes_hash_alike(void **state) {
    (void)state;
    struct fault fault = {0};
    static uint8_t bytes[200000];
    uint64_t with_holes, stored;
    char path[128];
    snprintf(path, sizeof path, "%s/hashed", folder);
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    memset(bytes + 8192, 7, 100);
    memset(bytes + 150001, 9, 17);
    assert_int_equal(ftruncate(fd, sizeof bytes), 0);
    assert_int_equal(pwrite(fd, bytes + 8192, 100, 8192), 100);
    assert_int_equal(pwrite(fd, bytes + 150001, 17, 150001), 17);
    assert_int_equal(material_hash(path, &with_holes, &fault), 0);
    assert_int_equal(pwrite(fd, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(material_hash(path, &stored, &fault), 0);
    assert_int_equal(with_holes, stored);
    assert_int_equal(ftruncate(fd, sizeof bytes + 1), 0);
    assert_int_equal(material_hash(path, &stored, &fault), 0);
    assert_int_not_equal(with_holes, stored);
    close(fd);
    assert_int_equal(unlink(path), 0);
}

static void a_changed_length_is_noticed(void **state) {
    (void)state;
    struct material material = {0};
    build(&material);
    write_at("src.raw", 1048576, "x", true);
    assert_true(material_modified(&material, folder));
    material_free(&material);
}

// A tool may change the mode or be copied around; without other bytes or times that is no change.
static void times_of_metadata_alone_are_no_change(void **state) {
    (void)state;
    struct material material = {0};
    build(&material);
    char path[128];
    snprintf(path, sizeof path, "%s/src.raw", folder);
    usleep(20000);
    assert_int_equal(chmod(path, 0600), 0);
    assert_false(material_modified(&material, folder));
    material_free(&material);
}

// A vpc file of "vpc " shows whole cylinders below what was asked for: 5 MiB + 512 bytes become
// 150 * 4 * 17 sectors, and 1 MiB of data at the end loses what lies behind.
#define SHORT_VPC_BYTES (150u * 4 * 17 * 512)

static void what_a_shortened_disk_does_not_show_is_no_truth(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"format\": \"vpc\", \"vpc_application\": \"vpc\", \"block_bits\": 19, "
        "\"virtual_size\": 5243392, \"writes\": [{\"pattern\": \"noise\", \"anchor\": \"end\", "
        "\"offset\": 1048576, \"length_bytes\": 1048576}]}",
        "{\"format\": \"vpc\", \"vpc_application\": \"vpc\", \"vpc_fixed\": true, "
        "\"virtual_size\": 5243392, \"writes\": [{\"pattern\": \"noise\", \"anchor\": \"end\", "
        "\"offset\": 1048576, \"length_bytes\": 1048576}]}",
    };
    for (size_t i = 0; i < 2; i++) {
        struct material material = {0};
        build_case(&material, texts[i]);
        const struct truth *truth = &material.truth;
        assert_int_equal(truth->declared_size, SHORT_VPC_BYTES);
        assert_int_equal(truth->shown_size, SHORT_VPC_BYTES);
        assert_int_equal(truth->asked_size, SHORT_VPC_BYTES);
        assert_int_equal(truth->content->size, SHORT_VPC_BYTES);
        assert_int_equal(truth->content->count, 1);
        const struct content_extent *extent = &truth->content->extents[0];
        assert_int_equal(extent->offset, 5243392 - 1048576);
        assert_int_equal(extent->offset + extent->length, SHORT_VPC_BYTES);
        assert_true(truth->allocation->count > 0);
        const struct image_extent *last = &truth->allocation->extents[truth->allocation->count - 1];
        assert_true(last->offset + last->length <= SHORT_VPC_BYTES);
        assert_int_equal(workdir_remove_tree(folder, NULL), 0);
        assert_int_equal(mkdir(folder, 0700), 0);
        material_free(&material);
    }
}

// Below another file it is the same: a qcow2 over it sees zeros there.
static void a_file_above_a_shortened_disk_sees_zeros(void **state) {
    (void)state;
    struct material material = {0};
    uint8_t byte;
    build_case(&material,
               "{\"format\": \"qcow2\", \"backing_1\": \"vpc\", \"vpc_application\": \"vpc\", "
               "\"virtual_size\": 5243392, \"writes\": [{\"pattern\": \"noise\", \"anchor\": "
               "\"end\", \"offset\": 1048576, \"length_bytes\": 1048576, \"layer\": 1}]}");
    assert_int_equal(material.truth.layers, 2);
    assert_int_equal(material.truth.content->size, 5243392);
    content_read(material.truth.content, SHORT_VPC_BYTES - 1, &byte, 1);
    assert_int_not_equal(byte, 0);
    assert_true(
        content_is_zero(material.truth.content, SHORT_VPC_BYTES, 5243392 - SHORT_VPC_BYTES));
    material_free(&material);
}

// All files of a chain are inputs: a tool that writes to one below the source has changed it too.
static void a_change_below_the_source_is_noticed(void **state) {
    (void)state;
    struct material material = {0};
    const char *text = "{\"format\": \"qcow2\", \"virtual_size\": 1048576,"
                       " \"backing_1\": \"qcow2\", \"backing_2\": \"raw\", \"writes\": ["
                       "{\"layer\": 2, \"length_bytes\": 4096},"
                       "{\"layer\": 1, \"offset_bytes\": 65536, \"length_bytes\": 4096},"
                       "{\"layer\": 0, \"offset_bytes\": 131072, \"length_bytes\": 4096}]}";
    static const char *const names[] = {"src.qcow2", "base.qcow2", "base2.raw"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        build_case(&material, text);
        assert_int_equal(material.file_count, 3);
        assert_int_equal(material.truth.layers, 3);
        assert_int_equal(material.content.count, 3);
        assert_false(material_modified(&material, folder));
        write_at(names[i], 700, "x", true);
        assert_true(material_modified(&material, folder));
        for (size_t j = 0; j < 3; j++) {
            snprintf(path, sizeof path, "%s/%s", folder, names[j]);
            assert_int_equal(unlink(path), 0);
        }
    }
    material_free(&material); // also what one case after another has left in it
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signature_is_claimed_by_one_process, make_folder,
                                        remove_folder),
        cmocka_unit_test(no_folder_means_no_memory),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_made_is_an_error, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(counters_of_processes_are_added_up, make_folder,
                                        remove_folder),
        cmocka_unit_test(a_full_table_counts_the_rest_together),
        cmocka_unit_test_setup_teardown(a_changed_byte_is_noticed_even_with_the_old_times,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_changed_byte_is_noticed_where_times_cannot_tell,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(two_changed_bits_do_not_hide_each_other, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(zeros_and_holes_hash_alike, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_changed_length_is_noticed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_change_below_the_source_is_noticed, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(times_of_metadata_alone_are_no_change, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_a_shortened_disk_does_not_show_is_no_truth,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_file_above_a_shortened_disk_sees_zeros, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
