// SPDX-License-Identifier: Apache-2.0
//
// Reading the points, and what lies between them.
#include "timeline.h"

#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>

static int read_points(struct timeline *timeline, FILE *file, const char *path,
                       struct fault *fault) {
    struct timeline_point point, last = {0};
    int got;
    while ((got = fscanf(file, "%lf %lf", &point.wall, &point.cpu)) == 2) {
        if (point.wall < last.wall || point.cpu < last.cpu)
            return fault_set(fault, "%s: time runs backwards in line %zu", path,
                             timeline->count + 1);
        timeline->points =
            must_realloc(timeline->points, (timeline->count + 1) * sizeof *timeline->points);
        timeline->points[timeline->count++] = last = point;
    }
    if (got != EOF || !timeline->count)
        return fault_set(fault, "%s: line %zu holds no two numbers", path, timeline->count + 1);
    return 0;
}

int timeline_read(struct timeline *timeline, const char *path, struct fault *fault) {
    *timeline = (struct timeline){0};
    FILE *file = fopen(path, "re");
    if (!file)
        return fault_errno(fault, "%s", path);
    int status = read_points(timeline, file, path, fault);
    fclose(file);
    if (status)
        timeline_free(timeline);
    return status;
}

double timeline_cpu(const struct timeline *timeline, double wall) {
    const struct timeline_point *points = timeline->points;
    size_t low = 0, high = timeline->count - 1;
    if (wall <= points[0].wall)
        return points[0].cpu;
    if (wall >= points[high].wall)
        return points[high].cpu;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(points[middle].wall <= wall ? &low : &high) = middle;
    }
    double share = (wall - points[low].wall) / (points[high].wall - points[low].wall);
    return points[low].cpu + share * (points[high].cpu - points[low].cpu);
}

void timeline_free(struct timeline *timeline) {
    free(timeline->points);
    *timeline = (struct timeline){0};
}
