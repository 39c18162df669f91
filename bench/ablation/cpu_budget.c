// SPDX-License-Identifier: Apache-2.0
//
// A command with a budget of processor time, that of everything it starts included. A wall clock
// would give the campaign less that shares its core, and a fuzzer's work is done by its children:
// launchers and warm processes live in sessions of their own, so this process makes itself the
// reaper of whatever is orphaned below it, and adds up what ended and what lives. A command that
// ends before its time is started again, as a campaign would; how often is said.
//
//   cpu_budget SECONDS TIMELINE COMMAND...
//
// TIMELINE gets a line a second: the monotonic clock and the processor time, both in seconds, from
// which a time on that clock becomes processor time (timeline.h). The last line on stdout is
// "<cpu> <wall> <starts>". Exit: 0 the budget was used, 2 it was not.
#include "exec/clock.h"
#include "exec/family.h"
#include "exec/processes.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_US     100000
#define PATIENCE_US 10000000 // for an engine that is asked to end
#define STARTS_MAX  20

static pid_t engine; // 0: it ended

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

// Fields 14 to 17 of /proc/<pid>/stat: its own time and that of the children that it waited for.
static void add_process(pid_t pid, pid_t parent, void *context) {
    char path[64], text[1024];
    (void)parent;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    unsigned long user, system;
    long waited_user, waited_system;
    const char *at = strrchr(text, ')');
    if (at && sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &user,
                     &system, &waited_user, &waited_system) == 4)
        *(double *)context += (double)user + (double)system + (double)(waited_user + waited_system);
}

static void reap(void) {
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
        if (pid == engine)
            engine = 0;
}

// Parents are looked at before their children, so one that ends meanwhile is missed for a moment
// and never counted twice; what was counted once stays.
static double used(void) {
    static double most;
    struct rusage ended;
    double ticks = 0;
    reap();
    getrusage(RUSAGE_CHILDREN, &ended);
    family_walk(add_process, &ticks);
    double now = seconds_of(ended.ru_utime) + seconds_of(ended.ru_stime) +
                 ticks / (double)sysconf(_SC_CLK_TCK);
    return most = now > most ? now : most;
}

static void start(char **command) {
    pid_t child = fork();
    if (child) {
        engine = child < 0 ? 0 : child; // where there is no room for it now, another start is made
        return;
    }
    execvp(command[0], command);
    fprintf(stderr, "cpu_budget: %s: %s\n", command[0], strerror(errno));
    _exit(127);
}

static void wait_for_end(uint64_t patience_us) {
    for (uint64_t end = clock_us() + patience_us; engine && clock_us() < end; reap())
        usleep(LOOK_US / 10);
}

// Asked in the two ways that engines know, and then whatever is left is killed.
static void end_all(void) {
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof signals / sizeof *signals && engine > 0; i++) {
        kill(engine, signals[i]);
        wait_for_end(PATIENCE_US);
    }
    for (uint64_t end = clock_us() + PATIENCE_US; clock_us() < end; reap())
        if (!processes_kill_family() && waitpid(-1, NULL, WNOHANG) < 0)
            return;
}

static volatile sig_atomic_t asked;

static void note_signal(int number) {
    asked = number;
}

int main(int argc, char **argv) {
    double budget = argc > 3 ? atof(argv[1]) : 0, cpu = 0;
    FILE *timeline = budget > 0 ? fopen(argv[2], "we") : NULL;
    if (!timeline) {
        fprintf(stderr, "usage: cpu_budget SECONDS TIMELINE COMMAND...\n");
        return 2;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGINT, note_signal);
    signal(SIGTERM, note_signal);
    uint64_t began = clock_us(), written = 0;
    int starts = 0;
    for (; (cpu = used()) < budget && !asked; usleep(LOOK_US)) {
        if (!engine) {
            if (starts++ == STARTS_MAX)
                break;
            start(argv + 3);
        }
        uint64_t now = clock_us();
        if (now - written >= 1000000) {
            fprintf(timeline, "%.6f %.3f\n", (double)now / 1e6, cpu);
            fflush(timeline);
            written = now;
        }
    }
    uint64_t ended = clock_us();
    fprintf(timeline, "%.6f %.3f\n", (double)ended / 1e6, cpu);
    fclose(timeline);
    end_all();
    printf("%.2f %.2f %d\n", cpu, (double)(ended - began) / 1e6, starts);
    return cpu < budget ? 2 : 0;
}
