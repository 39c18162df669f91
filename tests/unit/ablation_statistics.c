// SPDX-License-Identifier: Apache-2.0
//
// What the ablation's tables rest on: known values of U and p, medians, and times between two looks
// at the processor clock.
#include "bench/ablation/rows.h"
#include "bench/ablation/statistics.h"
#include "bench/ablation/timeline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(values) (sizeof(values) / sizeof *(values))

// cmocka compares floats, not doubles.
static void is_near(double value, double expected) {
    if (fabs(value - expected) > 1e-9)
        fail_msg("%.12g is not %.12g", value, expected);
}

static void a_median_is_the_middle_or_the_mean_of_two(void **state) {
    (void)state;
    is_near(statistics_median((double[]){5, 1, 3}, 3), 3);
    is_near(statistics_median((double[]){4, 1, 2, 9}, 4), 3);
    is_near(statistics_median(NULL, 0), 0);
}

static void samples_apart_have_the_least_p(void **state) {
    (void)state;
    const double low[] = {1, 2, 3, 4, 5}, high[] = {6, 7, 8, 9, 10};
    is_near(statistics_u(high, 5, low, 5), 25);
    is_near(statistics_u(low, 5, high, 5), 0);
    is_near(statistics_p(low, 5, high, 5), 2.0 / 252);
    is_near(statistics_p(high, 5, low, 5), 2.0 / 252);
    is_near(statistics_p(low, 3, high, 3), 2.0 / 20);
}

// The tables of Mann and Whitney (1947): for samples of 4 and 5, U is 2 or less in 4 of 126 deals.
static void p_counts_the_deals_at_least_as_far_out(void **state) {
    (void)state;
    const double a[] = {1, 2, 3, 6}, b[] = {4, 5, 7, 8, 9};
    is_near(statistics_u(a, COUNT(a), b, COUNT(b)), 2);
    is_near(statistics_p(a, COUNT(a), b, COUNT(b)), 2 * 4.0 / 126);
}

static void equal_values_count_one_half(void **state) {
    (void)state;
    const double a[] = {1, 2}, b[] = {2, 3}, same[] = {7, 7, 7};
    is_near(statistics_u(a, 2, b, 2), 0.5);
    // Of the six deals of 1 2 2 3 two have U 0.5 and two have 3.5.
    is_near(statistics_p(a, 2, b, 2), 4.0 / 6);
    is_near(statistics_p(same, 3, same, 3), 1);
}

static void what_cannot_be_compared_is_no_difference(void **state) {
    (void)state;
    const double values[STATISTICS_MAX + 1] = {0};
    is_near(statistics_p(values, 0, values, 5), 1);
    is_near(statistics_p(values, STATISTICS_MAX, values, 1), 1);
}

// --- files ---------------------------------------------------------------------------------------

static char folder[] = "/tmp/instar-fuzz-ablation.XXXXXX";

static const char *put(const char *name, const char *text) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"timeline", "runs.tsv", "lies.tsv"};
    char path[128];
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void times_lie_between_two_looks(void **state) {
    (void)state;
    struct timeline timeline;
    assert_int_equal(
        timeline_read(&timeline, put("timeline", "100 0\n101 0.5\n105 2.5\n106 2.5\n"), NULL), 0);
    is_near(timeline_cpu(&timeline, 99), 0);
    is_near(timeline_cpu(&timeline, 100.5), 0.25);
    is_near(timeline_cpu(&timeline, 101), 0.5);
    is_near(timeline_cpu(&timeline, 103), 1.5);
    is_near(timeline_cpu(&timeline, 105.7), 2.5);
    is_near(timeline_cpu(&timeline, 200), 2.5);
    timeline_free(&timeline);
}

static void a_clock_that_runs_backwards_is_refused(void **state) {
    (void)state;
    struct timeline timeline;
    struct fault fault = {0};
    assert_int_equal(timeline_read(&timeline, put("timeline", "100 1\n101 0.5\n"), &fault), -1);
    assert_non_null(strstr(fault.text, "backwards in line 2"));
    assert_int_equal(timeline_read(&timeline, put("timeline", "100 1\n101\n"), &fault), -1);
    assert_int_equal(timeline_read(&timeline, put("timeline", ""), &fault), -1);
}

#define RUNS_HEAD                                                                                  \
    "seed\tbudget\tcpu\tcases\tcells\tedges\tcorpus\tengine\tstart\tguidance\tmutator\n"
#define LIES_HEAD "engine\tstart\tguidance\tmutator\tseed\tlie\tdetected\n"

static void a_lie_that_was_not_found_counts_as_the_budget(void **state) {
    (void)state;
    static const unsigned axes[AXES] = {ENGINE_AFL, START_EMPTY, GUIDANCE_INSTRUMENTED,
                                        MUTATOR_STRUCTURED};
    struct rows rows;
    double values[SEEDS_MAX];
    size_t found;
    put("runs.tsv", RUNS_HEAD "3\t300\t301\t602\t9\t-\t4\tafl\tempty\tinstrumented\tstructured\n"
                              "1\t300\t300\t300\t8\t-\t4\tafl\tempty\tinstrumented\tstructured\n");
    put("lies.tsv", LIES_HEAD "afl\tempty\tinstrumented\tstructured\t1\ta-lie\t-\n"
                              "afl\tempty\tinstrumented\tstructured\t1\tb-lie\t20.5\n"
                              "afl\tempty\tinstrumented\tstructured\t3\tb-lie\t-\n"
                              "afl\tempty\tinstrumented\tstructured\t3\ta-lie\t-\n"
                              "afl\tempty\tnone\tstructured\t3\ta-lie\t4\n");
    assert_int_equal(rows_read(&rows, folder, NULL), 0);
    assert_int_equal(rows_values(&rows, axes, MEASURE_RATE, values), 2);
    is_near(values[1], 2);
    assert_int_equal(rows_values(&rows, axes, MEASURE_EDGES, values), 0);
    assert_int_equal(rows_values(&rows, axes, MEASURE_TIME, values), 2);
    is_near(values[0], 320.5);
    is_near(values[1], 600);
    assert_int_equal(rows_values(&rows, axes, MEASURE_LAST, values), 1);
    is_near(values[0], 20.5);
    assert_int_equal(rows_values(&rows, axes, MEASURE_WAIT, values), 0);
    assert_int_equal(rows_times(&rows, axes, 1, values, &found), 2);
    assert_int_equal(found, 1);
    is_near(values[1], 300);
    rows_free(&rows);
}

static void a_run_without_some_lie_is_refused(void **state) {
    (void)state;
    struct rows rows;
    struct fault fault = {0};
    put("runs.tsv", RUNS_HEAD "1\t300\t300\t300\t8\t-\t4\tafl\tempty\tnone\tbytes\n"
                              "2\t300\t300\t300\t8\t-\t4\tafl\tempty\tnone\tbytes\n");
    put("lies.tsv", LIES_HEAD "afl\tempty\tnone\tbytes\t1\ta-lie\t4\n");
    assert_int_equal(rows_read(&rows, folder, &fault), -1);
    assert_non_null(strstr(fault.text, "row 2"));
    put("runs.tsv", RUNS_HEAD "1\t300\t300\t300\t8\t-\t4\thonggfuzz\tempty\tnone\tbytes\n");
    assert_int_equal(rows_read(&rows, folder, &fault), -1);
    assert_non_null(strstr(fault.text, "honggfuzz"));
}

// A median over both would be of nothing.
static void runs_of_two_budgets_are_no_table(void **state) {
    (void)state;
    struct rows rows;
    struct fault fault = {0};
    put("runs.tsv", RUNS_HEAD "1\t300\t300\t300\t8\t-\t4\tafl\tempty\tnone\tbytes\n"
                              "2\t60\t60\t300\t8\t-\t4\tafl\tempty\tnone\tbytes\n");
    assert_int_equal(rows_read(&rows, folder, &fault), -1);
    assert_non_null(strstr(fault.text, "runs.tsv:3: a budget of 60, and of 300 before"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_median_is_the_middle_or_the_mean_of_two),
        cmocka_unit_test(samples_apart_have_the_least_p),
        cmocka_unit_test(p_counts_the_deals_at_least_as_far_out),
        cmocka_unit_test(equal_values_count_one_half),
        cmocka_unit_test(what_cannot_be_compared_is_no_difference),
        cmocka_unit_test(times_lie_between_two_looks),
        cmocka_unit_test(a_clock_that_runs_backwards_is_refused),
        cmocka_unit_test(a_lie_that_was_not_found_counts_as_the_budget),
        cmocka_unit_test(a_run_without_some_lie_is_refused),
        cmocka_unit_test(runs_of_two_budgets_are_no_table),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
