// SPDX-License-Identifier: Apache-2.0
//
// A tool that counts its edges: compiled with trace-pc-guard and linked with build/coverage.o, as
// an instrumented tool is. It reads its options with getopt_long, so that it can be warm, and does
// what its words say.
//
//   covered [turnN | forkN]...
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// The body of the loop is an edge of its own.
static void turn(int times) {
    for (volatile int i = 0; i < times; i++)
        ;
}

static void in_a_child(int times) {
    int status;
    pid_t child = fork();
    if (!child) {
        turn(times);
        _exit(0);
    }
    waitpid(child, &status, 0);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"version", no_argument, NULL, 'V'}, {0}};
    while (getopt_long(argc, argv, "+", options, NULL) != -1)
        ;
    for (argv += optind; *argv; argv++)
        if (!strncmp(*argv, "turn", 4))
            turn(atoi(*argv + 4));
        else if (!strncmp(*argv, "fork", 4))
            in_a_child(atoi(*argv + 4));
    puts("done");
    return 0;
}
