// SPDX-License-Identifier: Apache-2.0
//
// A feature means one thing: what else a step can show sets another cell, and what means the same
// is none of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guide/family.h"

#include <string.h>

static uint8_t cells[GUIDE_CELLS];

// One step of a measure of a qcow2 for a vmdk, in which side A alone ran.
static struct {
    struct tool tool;
    struct tool_result result;
    struct exec_outcome outcome;
    struct oracle_step step;
} shown;

static int begin(void **state) {
    (void)state;
    memset(&shown, 0, sizeof shown);
    shown.result.class = OUTCOME_OK;
    shown.step.op = OP_MEASURE;
    shown.step.source = IMAGE_QCOW2;
    shown.step.target = IMAGE_VMDK;
    shown.step.a = (struct oracle_side){.tool = &shown.tool,
                                        .ran = true,
                                        .result = &shown.result,
                                        .outcome = &shown.outcome,
                                        .fit_class = OUTCOME_CLASSES};
    shown.step.a.output_check.class = shown.step.b.output_check.class = OUTCOME_CLASSES;
    shown.step.b.fit_class = OUTCOME_CLASSES;
    return 0;
}

static void tell(const struct guide_family *family, uint8_t to[GUIDE_PART_CELLS]) {
    struct guide guide = {.cells = cells};
    const struct guide_telling telling = {&guide, 1};
    const struct guide_view view = {.step = &shown.step};
    memset(cells, 0, sizeof cells);
    guide_begin_step(&guide);
    family->tell(&telling, &view);
    memcpy(to, cells + GUIDE_SIDE_A * GUIDE_PART_CELLS, GUIDE_PART_CELLS);
}

// Cells of `now` that are not in `before`.
static size_t news(const uint8_t *now, const uint8_t *before) {
    size_t count = 0;
    for (size_t i = 0; i < GUIDE_PART_CELLS; i++)
        count += now[i] && !before[i];
    return count;
}

static void a_convert_behind_a_measure_is_not_the_measure(void **state) {
    (void)state;
    static uint8_t refused[GUIDE_PART_CELLS], behind[GUIDE_PART_CELLS], checked[GUIDE_PART_CELLS];
    shown.result.class = OUTCOME_REFUSED;
    tell(&guide_outcomes, refused);
    shown.result.class = OUTCOME_OK;
    shown.step.a.fit_class = OUTCOME_REFUSED;
    tell(&guide_outcomes, behind);
    assert_int_equal(news(behind, refused), 2);
    shown.step.a.fit_class = OUTCOME_CLASSES;
    shown.step.a.output_check.class = OUTCOME_REFUSED;
    tell(&guide_outcomes, checked);
    assert_int_equal(news(checked, refused), 2);
    assert_int_equal(news(checked, behind), 1);
}

static void message(const char *text, uint8_t to[GUIDE_PART_CELLS]) {
    shown.outcome.err.length = 0;
    buffer_text(&shown.outcome.err, text);
    tell(&guide_messages, to);
    buffer_free(&shown.outcome.err);
}

static void a_message_is_its_letters(void **state) {
    (void)state;
    static const struct {
        const char *one, *other;
        bool alike;
    } pairs[] = {
        {"Could not open 'a.qcow2': Invalid argument", "Could not open 'b.vmdk': Invalid argument",
         true},
        {"Could not open '/x/a': Invalid argument", "Could not open '/y/z/b': Invalid argument",
         true},
        {"Could not open '/x/a': Invalid argument", "Could not open '/x/a': No such file", false},
        {"Can't read 512 bytes", "Can't read 64 bytes", true},
        {"Can't read the table", "Can't read the header", false},
        {"refused: \"a\" is no disk", "refused: \"bcd\" is no disk", true},
        {"first\nsecond", "first\nthird", true},
    };
    static uint8_t one[GUIDE_PART_CELLS], other[GUIDE_PART_CELLS];
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        message(pairs[i].one, one);
        message(pairs[i].other, other);
        if ((news(one, other) == 0) != pairs[i].alike)
            fail_msg("%s | %s", pairs[i].one, pairs[i].other);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_convert_behind_a_measure_is_not_the_measure, begin),
        cmocka_unit_test_setup(a_message_is_its_letters, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
