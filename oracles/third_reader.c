// SPDX-License-Identifier: Apache-2.0
//
// A reader that nobody here wrote: an output that we and qemu-img understand may still be one that
// others do not. It is asked last, when everything else holds, and it accuses only where it has
// just shown that it can read such images: the other tool's output of the same step, and an image
// of our own with the same format, options, units and content.
#include "oracles/third.h"

#include "image/compare.h"
#include "oracles/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void third_say(struct third_reading *reading, enum third_state state, const char *reason,
               const char *format, ...) {
    va_list args;
    va_start(args, format);
    reading->state = state;
    snprintf(reading->reason, sizeof reading->reason, "%s", reason);
    vsnprintf(reading->words, sizeof reading->words, format, args);
    va_end(args);
}

void third_compare(struct third_reading *reading, struct image *raw,
                   const struct third_expected *expected) {
    struct image_source found;
    struct image_difference difference;
    struct fault fault;
    image_as_source(raw, &found);
    if (image_compare(&found, expected->content, expected->budget, &difference, &fault) < 0)
        third_say(reading, THIRD_UNDECIDED, "third_lost", "its reading cannot be read: %s",
                  fault.text);
    else if (!difference.prefix_equal || !difference.tail_zero)
        third_say(reading, THIRD_OTHER, "content",
                  "reads 0x%02x at guest offset %" PRIu64 ", where the input holds 0x%02x",
                  difference.a_byte, difference.first_offset, difference.b_byte);
    else if (raw->virtual_size != expected->size)
        third_say(reading, THIRD_OTHER, "size",
                  "sees a disk of %" PRIu64 " bytes instead of %" PRIu64, raw->virtual_size,
                  expected->size);
    else if (difference.cut_short)
        third_say(reading, THIRD_UNDECIDED, "compare_budget", "more bytes than may be compared");
    else
        third_say(reading, THIRD_SAME, "", "reads the content of the input");
}

static void accuse(const struct oracle *oracle, const struct oracle_side *side,
                   struct judgements *out) {
    char before[64];
    snprintf(before, sizeof before, "%s_", side->third.reason);
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, before, side, "");
    oracle_text(judgement,
                "Given the output of %s, libyal %s; our own image of the same kind and content it "
                "reads rightly.",
                side->tool->name, side->third.words);
}

// Has it shown that it reads such images? Without the other tool's output our own must do.
static bool is_trusted(const struct oracle_side *side, const struct oracle_side *other) {
    return side->third_control.state == THIRD_SAME &&
           (!oracle_gave(other) || other->third.state == THIRD_SAME);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        const struct third_reading *third = &side->third;
        if (!oracle_gave(side) || !side->output || third->state == THIRD_NOT_ASKED)
            continue;
        if (third->state == THIRD_SAME)
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
        else if (third->state == THIRD_UNSUPPORTED)
            oracle_say(out, oracle, VERDICT_UNSUPPORTED, third->reason);
        else if (third->state == THIRD_UNDECIDED)
            oracle_say(out, oracle, VERDICT_INCONCLUSIVE, third->reason);
        else if (oracle_leaves_out_known(oracle, out, side))
            continue; // a difference from the truth already
        else if (is_trusted(side, oracle_side_at(step, 1 - i)))
            accuse(oracle, side, out);
        else
            oracle_text(oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "third_without_control"),
                        "Given the output of %s, libyal %s; but it has not read every other image "
                        "of that kind rightly.",
                        side->tool->name, third->words);
        if (out->count && out->items[out->count - 1].verdict == VERDICT_DIVERGENCE)
            return;
    }
}

const struct oracle oracle_third_reader = {
    .type = "third_reader_divergence",
    .rule = "libyal reads the same disk in an output, where it reads such images at all",
    .ops = ORACLE_WRITES,
    .no_answer = true,
    .by_turn = true,
    .judge = judge,
    .accuses =
        "libyal reads another disk in its output, and every other image of that kind rightly; "
        "it may be a limit of libyal.",
    .accuses_by = OPINION_BY_THIRD_READER,
};
