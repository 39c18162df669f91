// SPDX-License-Identifier: Apache-2.0
//
// A timeline is read column by column, without the lines that are not whole; its curves stay small,
// show no time in which nobody ran and no rate that went back.
#include "page/chart.h"
#include "page/curve.h"
#include "page/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct timeline timeline;
static struct curve curve;
static struct fault fault;

static int read_bytes(const char *text, size_t length) {
    char path[] = "/tmp/page_timeline.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    close(fd);
    int status = timeline_read(&timeline, path, &fault);
    unlink(path);
    return status;
}

static int read_text(const char *text) {
    return read_bytes(text, strlen(text));
}

static int forget(void **state) {
    (void)state;
    timeline_free(&timeline);
    curve_free(&curve);
    return 0;
}

static uint64_t value(size_t sample, enum timeline_column column) {
    assert_true(sample < timeline.count);
    return timeline.samples[sample].values[column];
}

static void columns_go_by_name(void **state) {
    (void)state;
    assert_int_equal(read_text("cases\tnew thing\ttime\n5\thello\t100\n7\t\t110\n"), 0);
    assert_int_equal(timeline.count, 2);
    assert_int_equal(value(1, TIMELINE_CASES), 7);
    assert_int_equal(value(1, TIMELINE_TIME), 110);
    assert_true(timeline.has[TIMELINE_CASES] && !timeline.has[TIMELINE_CORPUS]);
    assert_int_equal(timeline.samples[1].running, 10);
    assert_int_equal(timeline.damaged, 0);
}

static void last_line_that_is_not_whole_is_left_out(void **state) {
    (void)state;
    assert_int_equal(read_text("time\tcases\n100\t5\n110\t7"), 0);
    assert_int_equal(timeline.count, 1);
    timeline_free(&timeline);
    assert_int_equal(read_text("time\tcases\n100\t5\n110\n"), 0);
    assert_int_equal(timeline.count, 1);
    assert_int_equal(timeline.damaged, 0);
}

// What a killed campaign wrote half, and a resumed one went on behind.
static void damage_in_the_middle_is_counted(void **state) {
    (void)state;
    assert_int_equal(read_text("time\tcases\n100\t5\n11120\t6\t9\n130\t7\n140\t-8\n150\t8\n"), 0);
    assert_int_equal(timeline.count, 3);
    assert_int_equal(timeline.damaged, 2);
    assert_int_equal(value(2, TIMELINE_CASES), 8);
}

static void zeros_end_nothing(void **state) {
    (void)state;
    static const char text[] = "time\tcases\n100\t5\n11\0\0\0\n120\t7\n";
    assert_int_equal(read_bytes(text, sizeof text - 1), 0);
    assert_int_equal(timeline.count, 2);
    assert_int_equal(timeline.damaged, 1);
}

static void what_is_no_timeline_is_refused(void **state) {
    (void)state;
    assert_int_equal(read_text("cases\tcorpus\n1\t2\n"), -1);
    assert_non_null(strstr(fault.text, "names no column"));
    assert_int_equal(read_text(""), -1);
    assert_int_equal(timeline_read(&timeline, "/nowhere/timeline.tsv", &fault), -1);
}

static void pauses_are_cut_out(void **state) {
    (void)state;
    assert_int_equal(read_text("time\tsitting\tcases\n"
                               "1000\t1\t0\n1060\t1\t60\n"
                               "5000\t2\t60\n5030\t2\t90\n"     // a new sitting
                               "90000\t2\t90\n90010\t2\t100\n"  // the machine slept
                               "89000\t2\t110\n89010\t2\t120\n" // the clock was put back
                               ),
                     0);
    assert_int_equal(timeline.stretch_count, 3);
    assert_int_equal(timeline.stretches[1].pause, 5000 - 1060);
    assert_int_equal(timeline.stretches[2].pause, 90000 - 5030);
    assert_int_equal(timeline_length(&timeline), 60 + 30 + 10 + 0 + 10);
    assert_int_equal(timeline_at(&timeline, 61), 3);
}

// Within a sitting all lines hang together, from one to the next none does.
static void rates_keep_to_their_sitting(void **state) {
    (void)state;
    assert_int_equal(read_text("time\tsitting\tcases\n"
                               "1000\t1\t0\n1060\t1\t60\n1120\t1\t240\n"
                               "5000\t2\t90000\n5060\t2\t90030\n"),
                     0);
    curve_of_rate(&timeline, TIMELINE_CASES, &curve);
    assert_int_equal(curve.count, 6);
    assert_true(curve.points[0].begins && !curve.points[2].begins && curve.points[4].begins);
    assert_true(curve.points[1].y == 1 && curve.points[2].y == 3 && curve.points[5].y == 0.5);
    assert_true(curve.most == 3 && curve.last == 0.5);
    assert_true(curve.points[4].x == 120 && curve.points[5].x == 180);
}

static void lost_counters_are_no_rate(void **state) {
    (void)state;
    assert_int_equal(read_text("time\tcases\n"
                               "1000\t0\n1010\t100\n1020\t7\n1030\t107\n"),
                     0);
    curve_of_rate(&timeline, TIMELINE_CASES, &curve);
    assert_int_equal(curve.count, 4);
    for (size_t i = 0; i < curve.count; i++)
        assert_true(curve.points[i].y == 10);
    assert_true(curve.points[1].x == 10 && curve.points[2].x == 20 && curve.points[2].begins);
}

static void events_are_counted_once(void **state) {
    (void)state;
    assert_int_equal(read_text("time\tsitting\tfindings\n"
                               "1000\t1\t2\n2000\t1\t2\n3000\t1\t3\n4000\t1\t0\n"
                               "9000\t2\t3\n9900\t2\t5\n"),
                     0);
    curve_of_events(&timeline, TIMELINE_FINDINGS, &curve);
    assert_int_equal(curve.count, 3);
    assert_true(curve.points[0].x == 0 && curve.points[0].y == 2);
    assert_true(curve.points[1].x == 2000 && curve.points[1].y == 1);
    assert_true(curve.points[2].x == 3900 && curve.points[2].y == 2);
    assert_true(curve.last == 5);
}

static void total_is_what_was_last(void **state) {
    (void)state;
    assert_int_equal(read_text("time\tcorpus\n1000\t215\n1010\t220\n1020\t218\n"), 0);
    curve_of_total(&timeline, TIMELINE_CORPUS, &curve);
    assert_true(curve.count == 3 && curve.points[0].y == 215);
    assert_true(curve.most == 220 && curve.last == 218);
}

// A month, and a campaign that was stopped and gone on with every minute: neither grows the page.
static void curves_are_bounded(void **state) {
    (void)state;
    for (size_t every = 1; every <= 45000; every *= 45000) {
        struct buffer text = {0};
        buffer_text(&text, "time\tsitting\tcases\tcorpus\n");
        for (size_t i = 0; i < 45000; i++)
            buffer_format(&text, "%zu\t%zu\t%zu\t%zu\n", 1000 + 60 * i, i / (every * 2), 40 * i,
                          i / 7);
        assert_int_equal(read_text(text.data), 0);
        buffer_free(&text);
        curve_of_rate(&timeline, TIMELINE_CASES, &curve);
        curve_of_total(&timeline, TIMELINE_CORPUS, &curve);
        assert_true(curve.count < 3 * 1001 + 3 * CURVE_BINS + 3);
        if (every > 1)
            assert_true(curve.count >= 2 * CURVE_BINS);
        forget(NULL);
    }
}

// --- the picture --------------------------------------------------------------------------------

static char *draw(const char *text) {
    struct buffer out = {0};
    struct html html = {.out = &out};
    assert_int_equal(read_text(text), 0);
    struct chart chart = {.timeline = &timeline, .count = 2};
    chart.panels[0] = (struct chart_panel){.name = "cases a second", .is_rate = true};
    chart.panels[1] = (struct chart_panel){.name = "findings", .is_ticks = true};
    curve_of_rate(&timeline, TIMELINE_CASES, &chart.panels[0].curve);
    curve_of_events(&timeline, TIMELINE_FINDINGS, &chart.panels[1].curve);
    chart_draw(&chart, &html);
    assert_int_equal(html.depth, 0);
    chart_free(&chart);
    return out.data;
}

static void picture_has_words(void **state) {
    (void)state;
    char *svg = draw("time\tsitting\tcases\tfindings\n"
                     "0\t1\t0\t0\n3600\t1\t36000\t1\n"
                     "180000\t2\t36000\t1\n183600\t2\t126000\t1\n");
    assert_non_null(strstr(svg, "aria-label=\"Over 2 hours of running time; cases a second: 25.0, "
                                "at most 25.0; findings: 1\""));
    assert_non_null(strstr(svg, "2 days 1 hour in which nothing ran"));
    assert_non_null(strstr(svg, "<title>1 more, after 1 hour</title>"));
    assert_non_null(strstr(svg, ">2 hours</text>"));
    assert_non_null(strstr(svg, "d=\"M0.0,30.0L500.0,30.0\""));
    assert_non_null(strstr(svg, "d=\"M500.0,0.0L1000.0,0.0\""));
    assert_null(strstr(svg, "nan"));
    free(svg);
}

static void nothing_happened_is_a_flat_line(void **state) {
    (void)state;
    char *svg = draw("time\tcases\tfindings\n0\t0\t0\n60\t0\t0\n");
    assert_non_null(strstr(svg, "d=\"M0.0,50.0L1000.0,50.0\""));
    assert_null(strstr(svg, "nan"));
    free(svg);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(columns_go_by_name, forget),
        cmocka_unit_test_teardown(last_line_that_is_not_whole_is_left_out, forget),
        cmocka_unit_test_teardown(damage_in_the_middle_is_counted, forget),
        cmocka_unit_test_teardown(zeros_end_nothing, forget),
        cmocka_unit_test_teardown(what_is_no_timeline_is_refused, forget),
        cmocka_unit_test_teardown(pauses_are_cut_out, forget),
        cmocka_unit_test_teardown(rates_keep_to_their_sitting, forget),
        cmocka_unit_test_teardown(lost_counters_are_no_rate, forget),
        cmocka_unit_test_teardown(events_are_counted_once, forget),
        cmocka_unit_test_teardown(total_is_what_was_last, forget),
        cmocka_unit_test_teardown(curves_are_bounded, forget),
        cmocka_unit_test_teardown(picture_has_words, forget),
        cmocka_unit_test_teardown(nothing_happened_is_a_flat_line, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
