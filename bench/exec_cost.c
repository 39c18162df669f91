// SPDX-License-Identifier: Apache-2.0
//
// What the launcher costs, and the fence: the same commands by exec_run with a fence and without,
// and by a bare vfork and execve with no limits, no capture and no guard, taken in turns so that a
// change of the machine's load hits all.
// Prints medians in microseconds.
//
//   exec_cost [ROUNDS [PROGRAM ARGUMENT...]]     PROGRAM is a path; default: /bin/true
#include "exec/clock.h"
#include "exec/exec.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS_MAX 100000

static const char *const environment[] = {"LC_ALL=C", NULL};
static uint64_t bare[ROUNDS_MAX], launched[ROUNDS_MAX], fenced[ROUNDS_MAX];
// As many rules as a tool has (harness/tool/fence.c).
static const char *const fence[] = {
    "x/bin",      "x/usr",       "x/lib",           "x/lib64",
    "x/usr/lib",  "x/usr/lib64", "x/usr/local/lib", "r/etc/ld.so.cache",
    "d/dev/null", "r/dev/zero",  "r/dev/urandom",   "w/tmp",
    "w/dev/shm",  NULL};

static int compare(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static uint64_t median(uint64_t *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static uint64_t run_bare(const char *const *argv, int null) {
    uint64_t start = clock_us();
    pid_t pid = vfork();
    if (!pid) {
        dup2(null, 1);
        dup2(null, 2);
        execve(argv[0], (char *const *)argv, (char *const *)environment);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    return clock_us() - start;
}

static uint64_t run_launched(struct exec *exec, const char *const *argv,
                             const char *const *inside) {
    static struct exec_outcome outcome;
    struct fault fault;
    uint64_t start = clock_us();
    if (exec_run(exec,
                 &(struct exec_command){
                     .program = argv[0],
                     .argv = argv,
                     .environment = environment,
                     .fence = inside,
                     .directory = "/",
                     .deadline_ms = 10000,
                     .file_size_limit = 1 << 30,
                     .cpu_seconds_limit = 10,
                     .capture_limit = 65536,
                 },
                 &outcome, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        exit(1);
    }
    return clock_us() - start;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 500;
    const char *const plain[] = {"/bin/true", NULL};
    const char *const *command = argc > 2 ? (const char *const *)argv + 2 : plain;
    char launcher[PATH_MAX];
    struct exec *exec;
    struct fault fault;
    if (rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    if (exec_find_beside("launcher", launcher, sizeof launcher, &fault) ||
        exec_start(&exec, launcher, NULL, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < rounds; i++) {
        bare[i] = run_bare(command, null);
        launched[i] = run_launched(exec, command, NULL);
        fenced[i] = run_launched(exec, command, fence);
    }
    exec_stop(exec);
    uint64_t without = median(bare, rounds), with = median(launched, rounds);
    uint64_t inside = median(fenced, rounds);
    printf("%s, %d rounds: bare %llu us, exec_run %llu us (%+lld us), fenced %llu us (%+lld us)\n",
           command[0], rounds, (unsigned long long)without, (unsigned long long)with,
           (long long)(with - without), (unsigned long long)inside, (long long)(inside - with));
    return 0;
}
