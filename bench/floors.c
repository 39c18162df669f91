// SPDX-License-Identifier: Apache-2.0
//
// What nothing can be faster than: a fork of each tool's process with its libraries loaded, and an
// iteration without any tool (the source is built, and read twice and compared as outputs would
// be).
#include "bench.h"

#include "exec/clock.h"
#include "image/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOOR_LIBRARY "fork_floor.so"
#define FLOOR_BUDGET  (UINT64_C(64) << 20)

// A program that answers with something else than numbers is not dynamic: it has no such floor.
static int measure_forks(struct bench *bench, const struct tool *tool, struct fault *fault) {
    char library[4096], command[9000], line[256];
    if (exec_find_beside(FLOOR_LIBRARY, library, sizeof library, fault))
        return -1;
    snprintf(command, sizeof command, "LD_PRELOAD='%s' '%s' --version 2>/dev/null", library,
             tool->path);
    FILE *output = popen(command, "re");
    if (!output)
        return fault_errno(fault, "%s", tool->path);
    while (fgets(line, sizeof line, output)) {
        char *end;
        double us = strtod(line, &end);
        if (end != line && *end == '\n')
            figure_add(figures_at(&bench->figures, "us", "fork/%s", tool->role), us);
    }
    pclose(output);
    return 0;
}

static int compare_with_itself(const char *path, enum image_format format, struct fault *fault) {
    struct image *images[2] = {NULL, NULL};
    struct image_source sources[2];
    struct image_difference difference;
    int status = 0;
    for (int i = 0; i < 2 && !status; i++) {
        status = image_open(&images[i], path, format, fault);
        if (!status)
            image_as_source(images[i], &sources[i]);
    }
    if (!status)
        status = image_compare(&sources[0], &sources[1], FLOOR_BUDGET, &difference, fault);
    if (!status && !difference.prefix_equal)
        status = fault_set(fault, "%s differs from itself", path);
    image_close(images[0]);
    image_close(images[1]);
    return status;
}

// The case without its operations.
static int copy_only(struct contender *contender, const struct bench_case *one, double *us,
                     struct fault *fault) {
    static struct bench_case bare;
    char path[4096];
    bare = *one;
    bare.testcase.operation_count = 0;
    bare.size = case_encode(&bare.testcase, bare.bytes);
    if (contender_run(contender, &bare, fault))
        return -1;
    snprintf(path, sizeof path, "%s/%s", harness_workdir(contender->harness)->case_path,
             harness_record(contender->harness)->source_name);
    uint64_t start = clock_us();
    if (compare_with_itself(path, (enum image_format)one->testcase.format, fault))
        return -1;
    *us = contender->wall_us + (double)(clock_us() - start);
    return 0;
}

static int run_round(struct bench *bench, struct contender *contender, struct fault *fault) {
    double pass = 0, us;
    for (size_t i = 0; i < bench->case_count; i++) {
        if (copy_only(contender, &bench->cases[i], &us, fault))
            return -1;
        figure_add(figures_at(&bench->figures, "us", "copy/%s", bench->cases[i].name), us);
        pass += us;
    }
    figure_add(figures_at(&bench->figures, "us", "copy"), pass / (double)bench->case_count);
    for (int side = 0; side < SIDES; side++)
        if (measure_forks(bench, harness_tool(contender->harness, side), fault))
            return -1;
    return 0;
}

static void print_floors(struct bench *bench, const struct contender *contender) {
    printf("\nWhat nothing can be faster than\n");
    for (int side = 0; side < SIDES; side++) {
        const struct tool *tool = harness_tool(contender->harness, side);
        struct figure *figure = figures_at(&bench->figures, "us", "fork/%s", tool->role);
        if (figure->count)
            printf("  a fork of %s with its libraries: %.0f us\n", tool->name,
                   figure_median(figure));
        else
            printf("  %s is no dynamic program: nothing to fork from\n", tool->name);
    }
    double us = figure_median(figures_at(&bench->figures, "us", "copy"));
    printf("  an iteration without tools (source built, read and compared): %.0f us, %.0f /s\n", us,
           1e6 / us);
}

int bench_floors(struct bench *bench, struct fault *fault) {
    static const char *const pairs[] = {"auto", NULL};
    static struct contenders contenders;
    double us;
    int status = contenders_open(&contenders, pairs, fault);
    struct contender *plain = &contenders.items[0];
    if (!status)
        status = copy_only(plain, &bench->cases[0], &us, fault);
    if (!status)
        facts_of(bench, plain);
    for (unsigned round = 0; round < bench->rounds && !status; round++)
        status = run_round(bench, plain, fault);
    if (!status)
        print_floors(bench, plain);
    contenders_close(&contenders);
    return status;
}
