// SPDX-License-Identifier: Apache-2.0
//
// What AFL++ finds in its map: of a case that it repeats what running it would have left there, and
// a run wherever that is not certain. AFL++'s runtime and the target behind it are played here.
// gcc keeps constructors that early for itself; this file is never linked with AFL++'s.
#pragma GCC diagnostic ignored "-Wprio-ctor-dtor"
#include "engine/afl.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint8_t map[65536];
uint8_t *__afl_area_ptr = map;
uint32_t __afl_map_size = sizeof map;
uint8_t engine_guide[GUIDE_CELLS];

void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop) {
    static uint32_t next = 5000;
    while (start < stop)
        *start++ = next++;
}

static unsigned runs, chance;

// An edge for each value, an answer for the length; an edge that comes and goes if it shall.
void engine_run(const uint8_t *data, size_t size) {
    runs++;
    for (size_t i = 0; i < size; i++)
        map[data[i]]++;
    if (chance)
        map[1000 + runs % chance]++;
    engine_guide[size] = 1;
}

// As afl-fuzz does: on a map that is clear.
static void execute(const char *data, size_t size) {
    memset(map, 0, sizeof map);
    LLVMFuzzerTestOneInput((const uint8_t *)data, size);
}

static int begin(void **state) {
    (void)state;
    last.runs = RAN_NOT;
    runs = chance = 0;
    return 0;
}

static void a_steady_case_runs_twice_and_leaves_the_same_map_ever_after(void **state) {
    (void)state;
    static uint8_t first[sizeof map];
    execute("aab", 3);
    memcpy(first, map, sizeof map);
    assert_int_equal(map['a'], 2);
    assert_int_equal(map[guide_cells[3]], 1);
    for (int i = 0; i < 5; i++) {
        execute("aab", 3);
        assert_memory_equal(map, first, sizeof map);
    }
    assert_int_equal(runs, 2);
}

static void another_case_runs(void **state) {
    (void)state;
    static const struct {
        const char *data;
        size_t size;
    } cases[] = {{"aab", 3}, {"aab", 3}, {"aab", 3}, {"aac", 3}, {"aa", 2},
                 {"aab", 3}, {"", 0},    {"", 0},    {"", 0},    {"a", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        execute(cases[i].data, cases[i].size);
        assert_int_equal(map['a'], cases[i].size < 2 ? cases[i].size : 2);
        assert_int_equal(map['c'], cases[i].size == 3 && cases[i].data[2] == 'c');
        assert_int_equal(map[guide_cells[cases[i].size]], 1);
    }
    assert_int_equal(runs, sizeof cases / sizeof *cases - 2);
}

static void a_case_that_is_not_steady_runs_each_time(void **state) {
    (void)state;
    chance = 2;
    for (int i = 0; i < 6; i++)
        execute("aab", 3);
    assert_int_equal(runs, 6);
}

static void a_case_that_is_too_long_is_not_remembered(void **state) {
    (void)state;
    static char data[CASE_MAX_BYTES + 1];
    for (int i = 0; i < 3; i++)
        execute(data, sizeof data);
    assert_int_equal(runs, 3);
}

static void a_signature_has_two_cells_and_nothing_beside(void **state) {
    (void)state;
    size_t set = 0;
    memset(map, 7, sizeof map);
    engine_afl_mark("exit_code_divergence-convert-raw-qcow2-ok_refused");
    for (size_t i = 0; i < sizeof map; i++)
        set += map[i];
    assert_int_equal(set, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_steady_case_runs_twice_and_leaves_the_same_map_ever_after, begin),
        cmocka_unit_test_setup(another_case_runs, begin),
        cmocka_unit_test_setup(a_case_that_is_not_steady_runs_each_time, begin),
        cmocka_unit_test_setup(a_case_that_is_too_long_is_not_remembered, begin),
        cmocka_unit_test_setup(a_signature_has_two_cells_and_nothing_beside, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
