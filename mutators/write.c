// SPDX-License-Identifier: Apache-2.0
//
// Guest writes come, go, are doubled and change places: a later one lies over an earlier one, and
// snapshots are taken between them, so their order means something.
#include "mutators/mutation.h"

// Mostly a few units: what a disk looks like is decided by where data begins and ends, and every
// MiB of it costs both tools time.
static void draw_length(struct mut_random *random, struct case_write *write) {
    write->length_scale = mut_below(random, LENGTH_SCALES);
    write->length = mut_one_in(random, 8) ? mut_below(random, 4096) : mut_below(random, 4);
    if (write->length_scale == LENGTH_BYTES && !mut_one_in(random, 4))
        write->length = 512 * (write->length + 1) - 1;
}

static void draw_place(struct mut_random *random, struct case_write *write) {
    write->anchor = mut_below(random, WRITE_ANCHORS);
    write->offset = mut_one_in(random, 4) ? (uint32_t)mut_draw(random) : mut_below(random, 8);
    if (mut_one_in(random, 3)) {
        write->offset_delta = (int32_t)mut_between(random, -2, 2);
        write->delta_scale = mut_below(random, 2);
    }
}

static void draw_write(const struct mut_work *work, struct case_write *write) {
    struct mut_random *random = work->random;
    case_record_defaults(RECORD_WRITE, write);
    write->pattern = mut_below(random, CONTENT_PLAIN_PATTERNS);
    write->form = mut_one_in(random, 2) ? FORM_NORMAL : mut_below(random, CONTENT_FORMS);
    write->seed = mut_below(random, 256);
    write->layer = mut_below(random, case_layers(work->testcase));
    draw_length(random, write);
    // A table makes a disk what it is called only at its beginning.
    if (mut_one_in(random, 10)) {
        write->table = mut_below(random, WRITE_TABLES);
        write->length = 64;
        write->length_scale = LENGTH_SECTORS;
    } else {
        draw_place(random, write);
    }
}

bool mut_write_add(struct mut_work *work) {
    struct case_write write;
    draw_write(work, &write);
    return mut_insert_write(work->testcase,
                            mut_below(work->random, work->testcase->write_count + 1), &write);
}

bool mut_write_drop(struct mut_work *work) {
    if (work->testcase->write_count == 0)
        return false;
    mut_remove_write(work->testcase, mut_below(work->random, work->testcase->write_count));
    return true;
}

// Somewhere near the first one, so that the two touch, overlap or leave a gap of a unit.
bool mut_write_copy(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    if (testcase->write_count == 0)
        return false;
    struct case_write write = testcase->writes[mut_below(work->random, testcase->write_count)];
    write.offset += (uint32_t)mut_between(work->random, -2, 2);
    write.form = mut_one_in(work->random, 2) ? write.form : mut_below(work->random, CONTENT_FORMS);
    write.seed = mut_below(work->random, 256);
    return mut_insert_write(testcase, mut_below(work->random, testcase->write_count + 1), &write);
}

bool mut_write_move(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    if (testcase->write_count < 2)
        return false;
    uint32_t from = mut_below(work->random, testcase->write_count);
    struct case_write write = testcase->writes[from];
    mut_remove_write(testcase, from);
    // Any place but the one it comes from.
    uint32_t to =
        (from + 1 + mut_below(work->random, testcase->write_count)) % (testcase->write_count + 1);
    return mut_insert_write(testcase, to, &write);
}
