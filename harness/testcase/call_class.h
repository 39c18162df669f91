// SPDX-License-Identifier: Apache-2.0
//
// What kinds of call a campaign must have tried: operation, target, and an option given to it. They
// are the columns of the matrix of comparisons. A call with two options is counted under each.
#ifndef TESTCASE_CALL_CLASS_H
#define TESTCASE_CALL_CLASS_H

#include "image/image.h"
#include "testcase/operation.h"

// One value of one member of struct target_options, or any value but 0. The first row is a call
// without options.
struct option_class {
    const char *name;
    unsigned operations; // bit set of 1u << enum operation
    unsigned targets;    // bit set of 1u << enum image_format
    size_t member;       // offset in struct target_options
    uint32_t value;      // 0: any value
    uint32_t sample;     // a value that is in the class
};
enum { OPTION_DEFAULT, OPTION_CLASSES = 20 };
extern const struct option_class option_classes[OPTION_CLASSES];

struct call_class {
    enum operation op;
    enum image_format target; // IMAGE_FORMATS: the operation has none
    size_t option;            // index in option_classes
};
// Every operation with every target that it can have and every option that belongs there.
enum { CALL_CLASSES = 66 };
extern struct call_class call_classes[CALL_CLASSES];

// The classes of a call, as indices in call_classes; how many. A call whose options no row knows
// has none: that is a row forgotten.
size_t call_classes_of(enum operation op, enum image_format target,
                       const struct target_options *options, size_t found[OPTION_CLASSES]);
// The options of a call of this class and nothing else.
void call_class_options(const struct call_class *call, struct target_options *options);

#endif
