// SPDX-License-Identifier: Apache-2.0
//
// What the launcher costs, and the fence: the same commands by exec_run with a fence and without,
// and by a bare vfork and execve with no limits, no capture and no guard. The smallest program
// there is, and the least that a real tool does.
#include "bench.h"

#include "exec/clock.h"
#include "exec/exec.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAUNCHER_TURNS 12 // in a round

static const char *const environment[] = {"LC_ALL=C", NULL};

static double run_bare(const char *const *argv, int null) {
    uint64_t start = clock_us();
    pid_t pid = vfork();
    if (!pid) {
        dup2(null, 1);
        dup2(null, 2);
        execve(argv[0], (char *const *)argv, (char *const *)environment);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    return (double)(clock_us() - start);
}

static int run_launched(const struct tool_room *room, const char *const *argv,
                        const char *const *fence, double *us, struct fault *fault) {
    static struct exec_outcome outcome;
    uint64_t start = clock_us();
    if (exec_run(room->exec,
                 &(struct exec_command){
                     .program = argv[0],
                     .argv = argv,
                     .environment = environment,
                     .fence = fence,
                     .directory = "/",
                     .deadline_ms = 10000,
                     .file_size_limit = 1 << 30,
                     .cpu_seconds_limit = 10,
                     .capture_limit = 65536,
                 },
                 &outcome, fault))
        return -1;
    *us = (double)(clock_us() - start);
    return outcome.end == EXEC_EXITED && outcome.value == 0
               ? 0
               : fault_set(fault, "%s: %s", argv[0], outcome.err.data);
}

static const char *const ways[] = {"bare", "launched", "fenced"};
#define WAYS (sizeof ways / sizeof *ways)

// All ways in turns, each time another one first: it finds the caches that another program left.
static int run_turn(struct bench *bench, const struct tool_room *room, const char *const *argv,
                    size_t turn, int null, struct fault *fault) {
    const char *const *fence = tool_fence(argv[0], 0, "", room, fault);
    if (!fence)
        return -1;
    for (size_t i = 0; i < WAYS; i++) {
        size_t way = (turn + i) % WAYS;
        double us;
        if (way == 0)
            us = run_bare(argv, null);
        else if (run_launched(room, argv, way == 2 ? fence : NULL, &us, fault))
            return -1;
        figure_add(figures_at(&bench->figures, "us", "%s/%s", argv[0], ways[way]), us);
    }
    return 0;
}

static void print_program(struct bench *bench, const char *name) {
    double bare = figure_median(figures_at(&bench->figures, "us", "%s/bare", name));
    double launched = figure_median(figures_at(&bench->figures, "us", "%s/launched", name));
    double fenced = figure_median(figures_at(&bench->figures, "us", "%s/fenced", name));
    printf("  %-24s bare %5.0f us, by the launcher %5.0f us (%+.0f), fenced %5.0f us (%+.0f)\n",
           name, bare, launched, launched - bare, fenced, fenced - launched);
}

static int measure(struct bench *bench, struct contender *contender, struct fault *fault) {
    char source[4096];
    if (contender_run(contender, &bench->cases[0], fault))
        return -1;
    facts_of(bench, contender);
    const struct tool *qemu_img = harness_tool(contender->harness, SIDE_B);
    const struct tool_room *room = harness_room(contender->harness);
    snprintf(source, sizeof source, "%s/%s", room->workdir->case_path,
             harness_record(contender->harness)->source_name);
    const char *const nothing[] = {"/usr/bin/true", NULL};
    const char *const info[] = {qemu_img->path, "info", source, NULL};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), status = 0;
    for (unsigned i = 0; i < bench->rounds * LAUNCHER_TURNS && !status; i++) {
        status = run_turn(bench, room, nothing, i, null, fault);
        if (!status)
            status = run_turn(bench, room, info, i, null, fault);
    }
    close(null);
    if (status)
        return -1;
    printf("\nThe launcher and the fence against a bare vfork and execve\n");
    print_program(bench, nothing[0]);
    print_program(bench, info[0]);
    return 0;
}

int bench_launcher(struct bench *bench, struct fault *fault) {
    static const char *const pairs[] = {"qemu", NULL};
    static struct contenders contenders;
    if (contenders_open(&contenders, pairs, fault))
        return -1;
    int status = measure(bench, &contenders.items[0], fault);
    contenders_close(&contenders);
    return status;
}
