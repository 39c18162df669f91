// SPDX-License-Identifier: Apache-2.0
//
// Where the tool enters the library and leaves it. __libc_start_main is the first function that a
// linked program calls: everything that linking costs has been paid, and nothing of the program has
// run. Not a constructor of the library's, because those of other libraries may come later.
#include "exec/preload/again.h"
#include "exec/preload/preload.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void),
                           void (*)(void), void *);

static enum exec_backend entry_backend;
static main_function *entry_main;

enum exec_backend preload_backend(void) {
    return entry_backend;
}

static enum exec_backend entry_asked(void) {
    const char *value = getenv(WARM_VARIABLE);
    for (int backend = EXEC_LINKED; value && backend < EXEC_BACKENDS; backend++)
        if (strcmp(value, exec_backend_names[backend]) == 0)
            return (enum exec_backend)backend;
    return EXEC_PLAIN;
}

// In place: the tool's environment must be what it is by plain execution.
static void entry_strip(const char *name) {
    size_t length = strlen(name);
    char **to = environ;
    for (char **from = environ; *from; from++)
        if (strncmp(*from, name, length) != 0 || (*from)[length] != '=')
            *to++ = *from;
    *to = NULL;
}

// The end of main(), and exit(). Destructors and exit handlers of a process that was forked for
// this one command free what the kernel frees anyway. A child that was forked before main() leaves
// like any other program: nothing is known of it.
static void entry_leave(int status) {
    if (entry_backend == EXEC_PLAIN || entry_backend == EXEC_LINKED)
        return;
    fflush(NULL);
    if (entry_backend == EXEC_PERSISTENT && status == 0 && again_possible() && worker_done())
        again_back();
    _exit(status);
}

static int entry_run_main(int argc, char **argv, char **environment) {
    int status = entry_main(argc, argv, environment);
    entry_leave(status);
    return status;
}

PRELOAD_EXPORT _Noreturn void exit(int status);
_Noreturn void exit(int status) {
    entry_leave(status);
    void (*real)(int) = (void (*)(int))dlsym(RTLD_NEXT, "exit");
    real(status);
    _exit(status);
}

PRELOAD_EXPORT start_function __libc_start_main;
int __libc_start_main(main_function *program, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*loader_fini)(void), void *stack_end) {
    static struct preload_command command;
    start_function *real = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
    entry_backend = entry_asked();
    if (entry_backend == EXEC_PLAIN)
        return real(program, argc, argv, init, fini, loader_fini, stack_end);
    entry_strip("LD_PRELOAD");
    entry_strip(WARM_VARIABLE);
    // A script's interpreter has the script as an argument: which words of a command it would get,
    // and what the script makes of them, only the kernel and the script know.
    if (entry_backend == EXEC_LINKED && argc != 1) {
        entry_backend = EXEC_PLAIN;
        close(WARM_SOCKET);
        return real(program, argc, argv, init, fini, loader_fini, stack_end);
    }
    serve_open();
    if (entry_backend == EXEC_LINKED) {
        serve_forks(&command);
        argc = (int)command.request.argument_count;
        argv = command.arguments;
    }
    entry_main = program;
    return real(entry_run_main, argc, argv, init, fini, loader_fini, stack_end);
}
