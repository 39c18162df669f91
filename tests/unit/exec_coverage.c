// SPDX-License-Identifier: Apache-2.0
//
// The runtime of instrumented tools (harness/exec/coverage/runtime.c), in a tool of the tests' own:
// what it counts, where, and that it is silent where nobody asks.
#include "tests/unit/exec_helper.h"

#include "exec/coverage_map.h"

static struct exec *shim;
static struct workdir workdir;
static struct exec_outcome outcome;
static struct fault fault;
static char program[PATH_MAX], variable[PATH_MAX + 40];
static struct coverage_header header;
static uint8_t counters[COVERAGE_COUNTERS], others[COVERAGE_COUNTERS];

static int setup(void **state) {
    (void)state;
    if (exec_find_beside("tests/covered", program, sizeof program, &fault) ||
        workdir_create(&workdir, NULL, &fault) ||
        exec_start(&shim, helper_launcher(), workdir.path, &fault))
        return -1;
    snprintf(variable, sizeof variable, "%s=%s", COVERAGE_VARIABLE, workdir.map_path);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    exec_stop(shim);
    workdir_remove(&workdir);
    exec_outcome_free(&outcome);
    return 0;
}

static void run(enum exec_backend backend, const char *environment, const char *word) {
    struct exec_command command = {
        .program = program,
        .argv = (const char *[]){"covered", word, NULL},
        .environment = (const char *[]){environment, NULL},
        .directory = workdir.case_path,
        .backend = backend,
        .deadline_ms = 20000,
        .capture_limit = 4096,
    };
    if (exec_run(shim, &command, &outcome, &fault))
        fail_msg("%s", fault.text);
    assert_int_equal(outcome.end, EXEC_EXITED);
    assert_int_equal(outcome.value, 0);
    assert_string_equal(outcome.out.data, "done\n");
    assert_string_equal(outcome.err.data, "");
}

// Runs the word on an empty map and reads it; false: nobody mapped it meanwhile.
static bool count(enum exec_backend backend, const char *word, uint8_t *into) {
    coverage_map_begin(workdir.map, COVERAGE_COUNTERS);
    run(backend, variable, word);
    bool seen = coverage_map_seen(workdir.map, &header);
    coverage_map_read(workdir.map, into, COVERAGE_COUNTERS);
    return seen;
}

static unsigned sum(const uint8_t *from) {
    unsigned all = 0;
    for (size_t i = 0; i < COVERAGE_COUNTERS; i++)
        all += from[i];
    return all;
}

static void edges_are_counted(void **state) {
    (void)state;
    assert_true(count(EXEC_PLAIN, "turn5", counters));
    assert_in_range(header.edges, 5, 200);
    assert_int_equal(header.dropped, 0);
    assert_true(sum(counters) > 5);
    for (size_t i = header.edges; i < COVERAGE_COUNTERS; i++)
        assert_int_equal(counters[i], 0);
    // Two turns more are two more of each edge of the loop.
    assert_true(count(EXEC_PLAIN, "turn7", others));
    unsigned more = 0;
    for (size_t i = 0; i < header.edges; i++) {
        assert_true(others[i] == counters[i] || others[i] == counters[i] + 2);
        more += others[i] != counters[i];
    }
    assert_in_range(more, 1, 3);
}

static void the_same_command_counts_the_same(void **state) {
    (void)state;
    assert_true(count(EXEC_PLAIN, "turn9", counters));
    assert_true(count(EXEC_PLAIN, "turn9", others));
    assert_memory_equal(counters, others, sizeof counters);
}

static void counters_stay_at_their_most(void **state) {
    (void)state;
    unsigned full = 0;
    count(EXEC_PLAIN, "turn100000", counters);
    for (size_t i = 0; i < header.edges; i++)
        full += counters[i] == UINT8_MAX;
    assert_in_range(full, 1, 3);
    count(EXEC_PLAIN, "turn255", others);
    assert_memory_equal(counters, others, sizeof counters);
}

static void what_a_child_does_is_counted(void **state) {
    (void)state;
    count(EXEC_PLAIN, "fork1", counters);
    count(EXEC_PLAIN, "fork31", others);
    assert_in_range(sum(others) - sum(counters), 30, 90);
}

// A warm process maps the file when it starts; its forks only count.
static void forks_of_a_warm_process_count_into_the_same_file(void **state) {
    (void)state;
    assert_true(count(EXEC_OPTIONS, "turn3", counters)); // it starts here
    assert_false(count(EXEC_OPTIONS, "turn3", others));
    assert_true(sum(others) > 3 && sum(others) <= sum(counters));
    assert_false(count(EXEC_OPTIONS, "turn3", counters));
    assert_memory_equal(counters, others, sizeof counters);
}

static void without_the_variable_nothing_is_written(void **state) {
    (void)state;
    static const char *const useless[] = {
        "ONE=1", COVERAGE_VARIABLE "=", COVERAGE_VARIABLE "=/nowhere/map",
        COVERAGE_VARIABLE "=/dev", COVERAGE_VARIABLE "=/dev/null"};
    coverage_map_begin(workdir.map, COVERAGE_COUNTERS);
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
        run(EXEC_PLAIN, useless[i], "turn5");
    assert_false(coverage_map_seen(workdir.map, &header));
    coverage_map_read(workdir.map, counters, sizeof counters);
    assert_int_equal(sum(counters), 0);
}

static void a_file_without_room_for_a_counter_is_left_alone(void **state) {
    (void)state;
    char path[PATH_MAX], small[PATH_MAX + 40], bytes[64] = {0}, nothing[64] = {0};
    snprintf(path, sizeof path, "%s/short", workdir.case_path);
    snprintf(small, sizeof small, "%s=%s", COVERAGE_VARIABLE, path);
    int fd = coverage_map_make(path);
    assert_int_equal(ftruncate(fd, sizeof header), 0);
    run(EXEC_PLAIN, small, "turn5");
    assert_int_equal(pread(fd, bytes, sizeof bytes, 0), sizeof bytes);
    assert_memory_equal(bytes, nothing, sizeof bytes);
    close(fd);
}

static void edges_without_room_are_told(void **state) {
    (void)state;
    count(EXEC_PLAIN, "turn5", counters);
    uint32_t edges = header.edges;
    char path[PATH_MAX], small[PATH_MAX + 40];
    snprintf(path, sizeof path, "%s/small", workdir.case_path);
    snprintf(small, sizeof small, "%s=%s", COVERAGE_VARIABLE, path);
    int fd = coverage_map_make(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, sizeof header + 4), 0);
    run(EXEC_PLAIN, small, "turn5");
    assert_true(coverage_map_seen(fd, &header));
    assert_int_equal(header.edges, 4);
    assert_int_equal(header.dropped, edges - 4);
    close(fd);
}

// What a tool does to the file is no trouble of the harness's.
static void a_file_that_was_cut_reads_as_nothing(void **state) {
    (void)state;
    count(EXEC_PLAIN, "turn5", counters);
    assert_int_equal(ftruncate(workdir.map, 10), 0);
    assert_false(coverage_map_seen(workdir.map, &header));
    coverage_map_read(workdir.map, counters, sizeof counters);
    assert_int_equal(sum(counters), 0);
    assert_true(count(EXEC_PLAIN, "turn5", counters));
    struct coverage_header lie = {.magic = COVERAGE_MAGIC, .edges = UINT32_MAX};
    assert_int_equal(pwrite(workdir.map, &lie, sizeof lie, 0), sizeof lie);
    assert_true(coverage_map_seen(workdir.map, &header));
    assert_int_equal(header.edges, COVERAGE_COUNTERS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_are_counted),
        cmocka_unit_test(the_same_command_counts_the_same),
        cmocka_unit_test(counters_stay_at_their_most),
        cmocka_unit_test(what_a_child_does_is_counted),
        cmocka_unit_test(forks_of_a_warm_process_count_into_the_same_file),
        cmocka_unit_test(without_the_variable_nothing_is_written),
        cmocka_unit_test(a_file_without_room_for_a_counter_is_left_alone),
        cmocka_unit_test(edges_without_room_are_told),
        cmocka_unit_test(a_file_that_was_cut_reads_as_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
