// SPDX-License-Identifier: Apache-2.0
//
// Preloaded into a tool: instead of its main program, forks of the process as it is then, with all
// libraries loaded and relocated, that end at once. What one costs, in microseconds, a line each,
// is the least that a command from such a process can cost. A static program ignores it and just
// runs.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FORKS 40

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end) {
    (void)main, (void)argc, (void)argv, (void)init, (void)fini, (void)rtld_fini, (void)stack_end;
    for (int i = 0; i < FORKS; i++) {
        double start = now_us();
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        if (pid < 0 || waitpid(pid, NULL, 0) != pid)
            _exit(1);
        printf("%.1f\n", now_us() - start);
    }
    fflush(stdout);
    _exit(0);
}
