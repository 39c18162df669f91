// SPDX-License-Identifier: Apache-2.0
//
// Cross-checks: questions that a case does not hold and that are asked beside one of its steps
// (harness/cross.c), because the answer can be held against the truth, or against what the same
// tool said in the step.
#ifndef ORACLES_CROSS_H
#define ORACLES_CROSS_H

#include "image/damage.h"
#include "tool/tool.h"

enum cross_check {
    CROSS_MAP,            // map of the input of a measure
    CROSS_CHECK_FIT,      // qemu-img's check of what the convert behind a measure wrote
    CROSS_MEASURE_INPUT,  // of a convert to qcow2, for a qcow2 with the same options
    CROSS_MEASURE_OUTPUT, // the same of what it wrote
    CROSS_COMPARE_OUTPUT, // input of a convert and what it wrote: the same disk
    CROSS_COMPARE_OTHER,  // input of a convert and an image in which one byte is another
    CROSS_CHECK_DAMAGED,  // check of a copy of a check's input with the first of image/damage.h,
                          // and one for each other fault
    CROSS_REFUSE = CROSS_CHECK_DAMAGED + IMAGE_FAULTS, // the step's own command, of a copy that is
                                                       // to be refused; one for each such damage
    CROSS_CHECKS = CROSS_CHECK_DAMAGED + IMAGE_DAMAGES
};
static inline enum cross_check cross_of_damage(enum image_damage damage) {
    return (enum cross_check)(CROSS_CHECK_DAMAGED + (int)damage);
}
// "map", "compare of input and output", ...
extern const char *const cross_names[CROSS_CHECKS];

struct cross_answer {
    const struct tool_result *result;   // NULL: it was not asked
    const struct exec_outcome *outcome; // if it was
};

#endif
