// SPDX-License-Identifier: Apache-2.0
//
// The fence around a program: what an image names must not be reached. Two parts of the kernel make
// it, neither of which needs a privilege: Landlock for files, and a seccomp filter for what
// Landlock does not see (sockets, and io_uring, which would make them unasked). Neither keeps a
// program from looking whether a path exists, or from changing the mode or owner of what its user
// owns: no image can ask for the latter, and tools do it with their own files. The launcher
// prepares a fence once and a child puts it on before it executes the program; whatever that starts
// inherits it. What is inside is the caller's to say (harness/tool/fence.c).
//
// A fence travels as a list of strings, a letter and an absolute path each: "x/usr/lib". A path
// that is not there is left out. Of a path that is a directory everything below it is meant.
#ifndef EXEC_FENCE_H
#define EXEC_FENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum fence_access {
    FENCE_READ = 'r',   // read files, list directories
    FENCE_RUN = 'x',    // the same, and execute
    FENCE_WRITE = 'w',  // read, write, make and remove regular files, list directories
    FENCE_DEVICE = 'd', // read, write and ioctl
};

// What the kernel has. Landlock's number says which of its parts there are: 1 files, 3 truncation
// too, 5 ioctls of devices, 6 signals and abstract sockets.
struct fence_state {
    int landlock; // ABI; 0: none
    bool seccomp;
    bool processes; // a cgroup that caps them (process_cap.h), which the launcher knows of
};
struct fence_state fence_probe(void);

// A ruleset descriptor (CLOEXEC) for the list, or -1 with errno. Only where there is Landlock.
int fence_build(int landlock, char *const *list);
// Puts the fence on the calling process, which must have no_new_privs: -1 with errno. Only system
// calls. `ruleset` -1: the kernel has no Landlock.
int fence_enter(int ruleset, bool seccomp);

#endif
