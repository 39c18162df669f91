// SPDX-License-Identifier: Apache-2.0
//
// Finding the programs that belong to this one. They are built together and moved together, so
// the place of the running executable is the only thing that has to be known.
#include "exec/exec.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int exec_find_beside(const char *name, char *path, size_t room, struct fault *fault) {
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return fault_errno(fault, "cannot find %s: /proc/self/exe", name);
    self[length] = 0;
    char *slash = strrchr(self, '/');
    for (int up = 0; slash && up < 2; up++) {
        *slash = 0;
        int need = snprintf(path, room, "%s/%s", self, name);
        if (need > 0 && (size_t)need < room && !access(path, X_OK))
            return 0;
        slash = strrchr(self, '/');
        if (up == 0 && !slash)
            break;
    }
    return fault_set(fault,
                     "%s is not there: looked beside the running program and one directory "
                     "above it (%.300s)",
                     name, self);
}
