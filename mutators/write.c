// SPDX-License-Identifier: Apache-2.0
//
// Guest writes come, go, are doubled and change places: a later one lies over an earlier one, and
// snapshots are taken between them, so their order means something.
#include "base/bytes.h"
#include "mutators/mutation.h"
#include "testcase/caps.h"

#define COMB_TEETH 16

// Mostly a few units: what a disk looks like is decided by where data begins and ends, and every
// MiB of it costs both tools time.
static void draw_length(struct mut_random *random, struct case_write *write) {
    write->length_scale = mut_below(random, LENGTH_SCALES);
    write->length = mut_one_in(random, 8) ? mut_below(random, 4096) : mut_below(random, 4);
    // More than the member can hold is reduced when it is encoded, to whole sectors again.
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

void mut_place_table(struct case_write *write) {
    write->anchor = ANCHOR_START;
    write->offset = 0;
    write->offset_delta = 0;
    write->layer = 0;
    write->form = FORM_NORMAL;
    write->length = 64;
    write->length_scale = LENGTH_SECTORS;
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
        mut_place_table(write);
    } else {
        draw_place(random, write);
    }
}

bool mut_write_add(struct mut_work *work) {
    struct case_write write;
    draw_write(work, &write);
    return mut_insert(work->testcase, RECORD_WRITE,
                      mut_below(work->random, work->testcase->write_count + 1), &write);
}

bool mut_write_drop(struct mut_work *work) {
    if (work->testcase->write_count == 0)
        return false;
    uint32_t at = mut_below(work->random, work->testcase->write_count);
    mut_remove(work->testcase, RECORD_WRITE, at, at + 1);
    return true;
}

// Somewhere near the first one, so that the two touch, overlap or leave a gap of a unit; or at its
// place, but in another file of the chain, so that the one hides the other.
bool mut_write_copy(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    if (testcase->write_count == 0)
        return false;
    struct case_write write = testcase->writes[mut_below(work->random, testcase->write_count)];
    uint32_t files = case_layers(testcase);
    if (files > 1 && !mut_one_in(work->random, 3))
        write.layer =
            (case_write_layer(testcase, &write) + 1 + mut_below(work->random, files - 1)) % files;
    else
        write.offset += (uint32_t)mut_between(work->random, -2, 2);
    write.form = mut_one_in(work->random, 2) ? write.form : mut_below(work->random, CONTENT_FORMS);
    write.seed = mut_below(work->random, 256);
    return mut_insert(testcase, RECORD_WRITE, mut_below(work->random, testcase->write_count + 1),
                      &write);
}

// As often, a unit or a few apart: a disk that was written to here and there, of which tools have
// to count the units that are touched, and not the bytes.
bool mut_write_comb(struct mut_work *work) {
    struct testcase *testcase = work->testcase;
    struct content_extent extents[CASE_MAX_WRITES];
    struct testcase layer;
    if (testcase->write_count == 0 && !mut_write_add(work))
        return false;
    uint32_t from = mut_below(work->random, testcase->write_count);
    struct case_write write = testcase->writes[from];
    case_layer(testcase, case_write_layer(testcase, &write), &layer);
    case_write_extents(&layer, extents);
    uint64_t stride = (uint64_t)mut_unit(work) << mut_below(work->random, 3);
    uint64_t at = extents[from].offset, length = min_u64(extents[from].length, stride);
    if (mut_one_in(work->random, 2))
        length = min_u64(length, SECTOR << mut_below(work->random, 4));
    if (!length || !case_choose_length(&write, length, case_source_unit(&layer)))
        return false;
    for (uint32_t left = 1 + mut_below(work->random, COMB_TEETH); left > 0; left--) {
        at += stride;
        if (at >= case_virtual_size(&layer) || !case_choose_place(&layer, &write, at))
            break;
        if (!mut_insert(testcase, RECORD_WRITE, testcase->write_count, &write))
            break;
    }
    return true;
}

bool mut_write_move(struct mut_work *work) {
    return mut_move(work->testcase, RECORD_WRITE, work->random);
}
