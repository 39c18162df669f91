// SPDX-License-Identifier: Apache-2.0
//
// The tool's first call of getopt_long: by then qemu-img has set up its main loop, its types and
// its block drivers, the same for every command, and has not looked at its arguments. It was given
// WARM_ARGUMENTS of them; the real ones are put into the last places and optind in front of them,
// so that "how many are left" and "the next one" come out right.
#include "exec/preload/again.h"
#include "exec/preload/preload.h"

#include <dlfcn.h>
#include <getopt.h>
#include <stddef.h>

typedef int options_function(int, char *const *, const char *, const struct option *, int *);

static options_function *options_real;
static bool options_met; // the first call is over

// getopt's own memory of the arguments before is cleared by optind 0, which it takes for "from the
// start" and leaves at 1.
static void options_place(struct preload_command *command, char **argv, const char *shorts,
                          const struct option *longs) {
    int given = (int)command->request.argument_count;
    int first = WARM_ARGUMENTS - (given - 1);
    char *alone[] = {argv[0], NULL};
    optind = 0;
    options_real(1, alone, shorts, longs, NULL);
    for (int i = 1; i < given; i++)
        argv[first + i - 1] = command->arguments[i];
    optind = first;
}

static void options_wait(struct preload_command *command, char **argv) {
    if (preload_backend() == EXEC_OPTIONS) {
        serve_forks(command);
        return;
    }
    serve_workers();
    // From here on in a worker. This is where each command begins.
    again_here(argv);
    worker_next(command);
}

PRELOAD_EXPORT options_function getopt_long;
int getopt_long(int argc, char *const *argv, const char *shorts, const struct option *longs,
                int *index) {
    static struct preload_command command;
    if (!options_real)
        options_real = (options_function *)dlsym(RTLD_NEXT, "getopt_long");
    bool waits = preload_backend() == EXEC_OPTIONS || preload_backend() == EXEC_PERSISTENT;
    if (!waits || options_met || argc != WARM_ARGUMENTS)
        return options_real(argc, argv, shorts, longs, index);
    options_met = true;
    options_wait(&command, (char **)argv);
    options_place(&command, (char **)argv, shorts, longs);
    return options_real(argc, argv, shorts, longs, index);
}
