// SPDX-License-Identifier: Apache-2.0
//
// How long a campaign ran, from the files of its processes: a rate must be wrong neither by a
// weekend between two sittings nor by the number of engines side by side.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exec/workdir.h"
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGUN 1700000000u

static char folder[64];
static struct stats sum;

static int begin(void **state) {
    char path[128];
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/run_stats.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/stats", folder);
    return mkdir(path, 0777);
}

static int end(void **state) {
    (void)state;
    return workdir_remove_tree(folder, NULL);
}

// A process that ran a hundred cases, `from` to `to` seconds after the campaign began.
static void process(const char *name, uint64_t from, uint64_t to, size_t size) {
    static struct stats stats;
    char path[128];
    memset(&stats, 0, sizeof stats);
    memcpy(stats.magic, STATS_MAGIC, sizeof STATS_MAGIC);
    stats.started_s = BEGUN + from;
    stats.updated_s = BEGUN + to;
    stats.cases = 100;
    snprintf(path, sizeof path, "%s/stats/%s.bin", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, &stats, size), size);
    close(fd);
}

static void expect(uint64_t cases, uint64_t running, const char *line) {
    struct fault fault = {0};
    struct buffer words = {0};
    assert_int_equal(stats_sum(folder, &sum, &fault), 0);
    assert_int_equal(sum.cases, cases);
    assert_int_equal(stats_running_s(&sum), running);
    stats_line(&sum, &words);
    assert_non_null(strstr(words.data, line));
    buffer_free(&words);
}

static void a_pause_is_no_running_time(void **state) {
    (void)state;
    process("monday", 200000, 200200, sizeof(struct stats));
    process("friday", 0, 200, sizeof(struct stats));
    expect(200, 400, "   400s  200 cases (0.5/s)");
    assert_int_equal(stats_span_s(&sum), 200200);
}

static void engines_side_by_side_run_once(void **state) {
    (void)state;
    process("main", 0, 300, sizeof(struct stats));
    process("inside", 10, 100, sizeof(struct stats));
    process("longer", 200, 400, sizeof(struct stats));
    expect(300, 400, "   400s  300 cases (0.8/s)");
}

static void an_engine_that_starts_again_makes_no_pause(void **state) {
    (void)state;
    process("first", 0, 100, sizeof(struct stats));
    process("at-once", 102, 102, sizeof(struct stats));
    process("second", 103, 200, sizeof(struct stats));
    expect(300, 200, "   200s  300 cases (1.5/s)");
}

static void a_file_of_before_counts(void **state) {
    (void)state;
    process("before", 0, 100, offsetof(struct stats, running_s));
    process("cut", 0, 1000, offsetof(struct stats, running_s) - 1);
    expect(100, 100, "   100s  100 cases (1.0/s)");
}

// A window of 24 lines holds it, whatever a buggy tool shows.
static void the_live_view_has_an_end(void **state) {
    (void)state;
    struct buffer words = {0};
    memset(&sum, 0, sizeof sum);
    for (int i = 0; i < 30; i++) {
        snprintf(sum.signatures[i].name, sizeof sum.signatures[i].name, "check-qcow2-%d", i);
        sum.signatures[i].count = (uint64_t)i + 1;
    }
    stats_live(&sum, &words);
    size_t lines = 1;
    for (const char *at = words.data; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 3 + 12 + 1);
    assert_non_null(
        strstr(words.data, "diverges: check-qcow2-29 30\n        diverges: check-qcow2-28"));
    assert_non_null(strstr(words.data, "\n        and 18 signatures more"));
    assert_null(strstr(words.data, "check-qcow2-17 "));
    buffer_free(&words);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pause_is_no_running_time, begin, end),
        cmocka_unit_test_setup_teardown(engines_side_by_side_run_once, begin, end),
        cmocka_unit_test_setup_teardown(an_engine_that_starts_again_makes_no_pause, begin, end),
        cmocka_unit_test_setup_teardown(a_file_of_before_counts, begin, end),
        cmocka_unit_test(the_live_view_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
