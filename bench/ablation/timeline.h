// SPDX-License-Identifier: Apache-2.0
//
// Points in time as processor seconds: all that an ablation compares is told against them.
#ifndef ABLATION_TIMELINE_H
#define ABLATION_TIMELINE_H

#include "base/fault.h"

#include <stddef.h>

struct timeline {
    struct timeline_point {
        double wall, cpu; // seconds; both never fall
    } * points;
    size_t count;
};

// What cpu_budget wrote. -1: no line, or one that is none.
int timeline_read(struct timeline *timeline, const char *path, struct fault *fault);
// Between two points in proportion; before the first one its value, behind the last one the last's.
double timeline_cpu(const struct timeline *timeline, double wall);
void timeline_free(struct timeline *timeline);

#endif
