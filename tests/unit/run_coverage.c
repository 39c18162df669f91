// SPDX-License-Identifier: Apache-2.0
//
// An instrumented program beside the pair: it runs where an engine listens, in a first run alone,
// what it counts reaches the engine's region, and what it says reaches nobody. The program is
// tests/subject/forgetful.c with coverage, which lets the real qemu-img do the work; its name is
// one under which it would pass the self-test as a persistent worker.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coverage.h"
#include "exec/coverage_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct settings settings;
static struct workdir workdir;
static struct tool tools[SIDES];
static struct coverage coverage;
static struct chain chain;
static struct record record;
static struct fault fault;
static uint8_t cells[GUIDE_CELLS], others[GUIDE_CELLS];
static char folder[] = "/tmp/run_coverage.XXXXXX", program[64], readable[128];

// <folder>/sly/qemu-img is the program, <folder>/sly/real what does its work.
static int make_program(void) {
    char guide[4096], line[8400];
    if (!mkdtemp(folder) || exec_find_beside("tests/guide", guide, sizeof guide, &fault))
        return -1;
    snprintf(program, sizeof program, "%s/sly/qemu-img", folder);
    snprintf(readable, sizeof readable, "%s,/usr/bin,/bin", folder);
    snprintf(line, sizeof line,
             "mkdir %s/sly && cp %s %s && ln -s \"$(command -v qemu-img)\" %s/sly/real", folder,
             guide, program, folder);
    return system(line);
}

static int open_room(void) {
    char launcher[4096];
    if (exec_find_beside("launcher", launcher, sizeof launcher, &fault) ||
        workdir_create(&workdir, NULL, &fault))
        return -1;
    chain.room = (struct tool_room){
        .workdir = &workdir, .readable = readable, .deadline_ms = settings.case_ms};
    return exec_start(&chain.room.exec, launcher, workdir.path, &fault);
}

static int begin(void **state) {
    bool unavailable;
    (void)state;
    if (system("command -v qemu-img >/dev/null") != 0)
        return 0;
    if (settings_read(&settings, &fault) || make_program())
        return -1;
    settings.case_ms = 20000;
    settings.qemu_img_cov = program;
    settings.guided = true;
    if (open_room() || registry_load_built_in((struct registry **)&chain.registry, &fault) ||
        stats_open(&chain.stats, NULL, &fault) ||
        tool_probe(&tools[SIDE_B], "qemu-img", TOOL_QEMU_IMG, &chain.room, &fault) ||
        coverage_find(&coverage, &settings, &chain.room, &unavailable, &fault)) {
        print_message("%s\n", fault.text);
        return -1;
    }
    tools[SIDE_A] = tools[SIDE_B];
    chain.settings = &settings;
    chain.tools = tools;
    chain.coverage = &coverage;
    return 0;
}

static int end(void **state) {
    char line[128];
    (void)state;
    chain_free(&chain);
    exec_stop(chain.room.exec);
    if (workdir.path[0])
        workdir_remove(&workdir);
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return system(line);
}

static void requires_qemu_img(void) {
    if (!tools[SIDE_B].available)
        skip();
}

// One case of a campaign; the region belongs to `into`, or to nobody.
static void run(const char *operations, uint8_t *into, bool counting) {
    static struct testcase testcase;
    char text[512];
    snprintf(text, sizeof text,
             "{\"format\": \"raw\", \"virtual_size\": 1048576, \"writes\": "
             "[{\"pattern\": \"noise\", \"offset_bytes\": 70000, \"length_bytes\": 8192}], "
             "\"operations\": [%s]}",
             operations);
    if (into)
        memset(into, 0, GUIDE_CELLS);
    chain.guide.cells = into;
    chain.counting = counting;
    if (case_from_json(&testcase, text, &fault) || chain_run(&chain, &testcase, &record, &fault))
        fail_msg("%s", fault.text);
}

static size_t cells_set(const uint8_t *from, size_t first, size_t count) {
    size_t set = 0;
    for (size_t i = first; i < first + count; i++)
        set += from[GUIDE_OUTPUT_CELLS + i] != 0;
    return set;
}

// Something in the map that only a program which runs would change.
static void mark_map(void) {
    coverage_map_begin(workdir.map, COVERAGE_COUNTERS);
    assert_int_equal(pwrite(workdir.map, "x", 1, sizeof(struct coverage_header)), 1);
}

static bool map_is_marked(void) {
    uint8_t byte;
    struct coverage_header header;
    coverage_map_read(workdir.map, &byte, 1);
    return byte == 'x' && !coverage_map_seen(workdir.map, &header);
}

static uint64_t other_outcomes(void) {
    for (size_t i = 0; i < STATS_NAMES; i++)
        if (!strcmp(chain.stats->reasons[i].name, "guide: another_outcome"))
            return chain.stats->reasons[i].count;
    return 0;
}

#define CONVERT "{\"op\": \"convert\", \"target\": \"qcow2\"}"
#define FLAT    "{\"op\": \"convert\", \"target\": \"vmdk\", \"flat\": true}"
#define INFO    "{\"op\": \"info\"}"
#define MEASURE "{\"op\": \"measure\", \"target\": \"qcow2\"}"

static void a_program_that_counts_is_known_by_it(void **state) {
    (void)state;
    requires_qemu_img();
    assert_int_equal(tools[SIDE_B].edges, 0);
    assert_in_range(coverage.tool.edges, 5, 500);
    // A worker would take an edge with its second command that it did not take with its first.
    assert_int_equal(coverage.tool.backend, EXEC_OPTIONS);
    assert_non_null(strstr(coverage.tool.backend_why, "counts its edges otherwise"));
    // Only such a program is told of the map and may open it.
    bool told[2] = {false, false};
    const struct tool *both[2] = {&tools[SIDE_B], &coverage.tool};
    for (int i = 0; i < 2; i++)
        for (const char *const *at = tool_environment(both[i], &chain.room); *at; at++)
            told[i] |= !strncmp(*at, COVERAGE_VARIABLE "=", strlen(COVERAGE_VARIABLE) + 1);
    assert_false(told[0]);
    assert_true(told[1]);
    const char *const *fence = tool_fence("/x", 0, "", &chain.room, &fault);
    for (; *fence; fence++)
        assert_null(strstr(*fence, workdir.map_path));
}

static void what_it_counts_reaches_the_region(void **state) {
    (void)state;
    requires_qemu_img();
    run(INFO ", " CONVERT, cells, true);
    assert_in_range(cells_set(cells, 0, coverage.tool.edges), 5, coverage.tool.edges);
    assert_int_equal(
        cells_set(cells, coverage.tool.edges, GUIDE_COVERAGE_CELLS - coverage.tool.edges), 0);
    assert_int_equal(other_outcomes(), 0);
    run(INFO ", " CONVERT, others, true);
    assert_memory_equal(cells, others, sizeof cells);
    run(INFO ", " CONVERT ", " INFO, others, true);
    assert_memory_not_equal(cells, others, sizeof cells);
}

// The first command of a warm process has its start behind it like every other.
static void a_start_is_not_counted(void **state) {
    (void)state;
    requires_qemu_img();
    run(MEASURE, cells, true);
    exec_stop(chain.room.exec);
    char launcher[4096];
    assert_int_equal(exec_find_beside("launcher", launcher, sizeof launcher, &fault), 0);
    assert_int_equal(exec_start(&chain.room.exec, launcher, NULL, &fault), 0);
    run(MEASURE, others, true);
    assert_memory_equal(cells, others, sizeof cells);
}

static void its_output_is_removed(void **state) {
    (void)state;
    requires_qemu_img();
    static const char *const names[] = {"a.out1.qcow2", "b.out1.qcow2", "a.out2.vmdk",
                                        "b.out2.vmdk", "b.out2-flat.vmdk"};
    char path[400], line[400];
    run(CONVERT ", " FLAT, cells, true);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", workdir.case_path, names[i]);
        if (access(path, F_OK))
            fail_msg("%s is gone", names[i]);
    }
    snprintf(line, sizeof line, "ls %s | grep '^g'", workdir.case_path);
    assert_int_not_equal(system(line), 0);
}

static void it_does_not_run_for_nobody(void **state) {
    (void)state;
    requires_qemu_img();
    mark_map();
    run(CONVERT, NULL, true);
    assert_true(map_is_marked());
    memset(cells, 0, sizeof cells);
    run(CONVERT, cells, false); // a repetition
    assert_true(map_is_marked());
    for (size_t i = 0; i < sizeof cells; i++)
        assert_int_equal(cells[i], 0);
    run(CONVERT, cells, true);
    assert_false(map_is_marked());
}

static uint8_t heard[COVERAGE_COUNTERS];

static void hear(void *context, const uint8_t *counters, size_t edges) {
    size_t *most = context;
    *most = edges;
    for (size_t i = 0; i < edges; i++)
        heard[i] |= counters[i];
}

// Whoever asks hears edge by edge what an engine would feel, without a region.
static void who_asks_hears_its_counters(void **state) {
    (void)state;
    requires_qemu_img();
    size_t edges = 0;
    run(INFO ", " CONVERT, cells, true);
    chain.counted = hear;
    chain.counted_context = &edges;
    run(INFO ", " CONVERT, NULL, true);
    chain.counted = NULL;
    assert_int_equal(edges, coverage.tool.edges);
    for (size_t i = 0; i < edges; i++)
        assert_int_equal(heard[i] != 0, cells[GUIDE_OUTPUT_CELLS + i] != 0);
}

static void another_outcome_is_counted_and_no_more(void **state) {
    (void)state;
    requires_qemu_img();
    char path[128], line[256];
    snprintf(path, sizeof path, "%s/sly/real", folder);
    snprintf(line, sizeof line, "mv %s %s.stock && printf '#!/bin/sh\nexit 1\n' >%s && chmod +x %s",
             path, path, path, path);
    assert_int_equal(system(line), 0);
    run(INFO, cells, true);
    assert_int_equal(other_outcomes(), 1);
    assert_true(record.steps[0].done);
    assert_int_equal(record.finding_count, 0);
    snprintf(line, sizeof line, "mv %s.stock %s", path, path);
    assert_int_equal(system(line), 0);
    run(INFO, cells, true);
    assert_int_equal(other_outcomes(), 1);
}

// A tool of the pair that counts guides as well, from cells of its own.
static void a_tool_of_the_pair_may_guide(void **state) {
    (void)state;
    requires_qemu_img();
    struct tool stock = tools[SIDE_A];
    tools[SIDE_A] = coverage.tool;
    coverage.named = false;
    run(CONVERT, cells, true); // its process is started for it
    run(CONVERT, others, true);
    assert_memory_equal(cells, others, sizeof cells);
    tools[SIDE_A] = stock;
    coverage.named = true;
    assert_int_equal(cells_set(cells, 0, GUIDE_COVERAGE_CELLS / 2), 0);
    assert_in_range(cells_set(cells, GUIDE_COVERAGE_CELLS / 2, coverage.tool.edges), 5,
                    coverage.tool.edges);
}

// The file is the pair's to read: nobody of it may be blamed for what the guide does.
static void a_program_that_changes_its_input_ends_the_run(void **state) {
    (void)state;
    requires_qemu_img();
    static struct testcase testcase;
    char path[128], line[256];
    if (geteuid() != 0)
        skip(); // sources are read-only, and the fence lets nobody change modes: only root can do it
    snprintf(path, sizeof path, "%s/sly/real", folder);
    snprintf(line, sizeof line,
             "mv %s %s.stock && printf '#!/bin/sh\nchmod u+w src.raw; echo x >>src.raw\n' >%s && "
             "chmod +x %s",
             path, path, path, path);
    assert_int_equal(system(line), 0);
    chain.guide.cells = cells;
    chain.counting = true;
    assert_int_equal(case_from_json(&testcase,
                                    "{\"format\": \"raw\", \"virtual_size\": 1048576, "
                                    "\"operations\": [" INFO "]}",
                                    &fault),
                     0);
    assert_int_equal(chain_run(&chain, &testcase, &record, &fault), -1);
    assert_non_null(strstr(fault.text, "changed the file that it was to read"));
    snprintf(line, sizeof line, "mv %s.stock %s", path, path);
    assert_int_equal(system(line), 0);
}

static void nobody_looks_for_it_without_an_engine(void **state) {
    (void)state;
    struct coverage none;
    bool unavailable = false;
    struct settings other = settings;
    other.qemu_img_cov = "/nowhere/qemu-img";
    other.guided = false;
    assert_int_equal(coverage_find(&none, &other, &chain.room, &unavailable, &fault), 0);
    assert_false(none.named);
    other.guided = true;
    other.guide = GUIDE_OUTPUTS;
    assert_int_equal(coverage_find(&none, &other, &chain.room, &unavailable, &fault), 0);
    assert_false(none.named);
}

static void a_program_that_counts_nothing_is_refused(void **state) {
    (void)state;
    requires_qemu_img();
    struct coverage none;
    bool unavailable = false;
    struct settings other = settings;
    other.qemu_img_cov = tools[SIDE_B].path;
    assert_int_equal(coverage_find(&none, &other, &chain.room, &unavailable, &fault), -1);
    assert_true(unavailable);
    assert_non_null(strstr(fault.text, "counts nothing"));
    unavailable = false;
    other.qemu_img_cov = "/nowhere/qemu-img";
    assert_int_equal(coverage_find(&none, &other, &chain.room, &unavailable, &fault), -1);
    assert_true(unavailable);
    other.qemu_img_cov = NULL;
    assert_int_equal(coverage_find(&none, &other, &chain.room, &unavailable, &fault), 0);
    assert_false(none.named);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_that_counts_is_known_by_it),
        cmocka_unit_test(what_it_counts_reaches_the_region),
        cmocka_unit_test(a_start_is_not_counted),
        cmocka_unit_test(its_output_is_removed),
        cmocka_unit_test(it_does_not_run_for_nobody),
        cmocka_unit_test(who_asks_hears_its_counters),
        cmocka_unit_test(another_outcome_is_counted_and_no_more),
        cmocka_unit_test(a_tool_of_the_pair_may_guide),
        cmocka_unit_test(a_program_that_changes_its_input_ends_the_run),
        cmocka_unit_test(nobody_looks_for_it_without_an_engine),
        cmocka_unit_test(a_program_that_counts_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
