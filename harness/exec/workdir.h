// SPDX-License-Identifier: Apache-2.0
//
// The case directory: one per harness process, on tmpfs where there is one, emptied before each
// case. Names in it are fixed, so argv and outputs are the same in every run. A directory of a
// process that is gone is swept at the next start (second line of defence behind the guard).
#ifndef EXEC_WORKDIR_H
#define EXEC_WORKDIR_H

#include "base/fault.h"

#include <stdbool.h>

#define WORKDIR_PREFIX "instar-fuzz."

struct workdir {
    char path[256];      // absolute: <parent>/instar-fuzz.<pid>.<random>
    char case_path[272]; // <path>/case: the tools' working directory
    char kept_path[272]; // <path>/kept: files that left it by workdir_keep_case
    char home_path[272]; // <path>/home: empty; HOME and XDG_CONFIG_HOME of the tools
    char bin_path[272];  // <path>/bin: PATH of the tools, one link in it (made by the tool room)
    char map_path[272];  // <path>/map: the counters of an instrumented tool (coverage_map.h)
    bool on_tmpfs;
    int lock; // the directory itself, open and locked for as long as its owner lives
    int map;  // the file at map_path
};

// In two steps, so that a guard can be there before the directory is: it is told the name, and then
// no moment is left in which the directory has an owner that may die and nobody to remove it.
// `parent` NULL: /dev/shm if it is a writable tmpfs, else $TMPDIR, else /tmp (on_tmpfs then says
// what it is). Making sweeps stale siblings. -1: nowhere to write, with the reason.
int workdir_name(struct workdir *workdir, const char *parent, struct fault *fault);
int workdir_make(struct workdir *workdir, struct fault *fault);
int workdir_create(struct workdir *workdir, const char *parent, struct fault *fault); // both
int workdir_clear_case(const struct workdir *workdir, struct fault *fault); // empties <path>/case
// Moves what is in <path>/case to <path>/kept, out of the way of what runs next; what was there is
// gone.
int workdir_keep_case(const struct workdir *workdir, struct fault *fault);
// Once. In a forked child of the owner it removes nothing.
void workdir_remove(const struct workdir *workdir);
// Removes a tree without following links, whatever its modes. The path must be absolute; what is
// not there is fine. For the guard and the sweep too.
int workdir_remove_tree(const char *path, struct fault *fault);
// Whether the last part of the path is a name as workdir_name makes them, or one of a cgroup of
// such a directory ("instar-fuzz.<pid>.<8 hexadecimal digits>", ".<number>" behind it). Only these
// are guarded or swept, so that no mistake elsewhere can make either remove something of a person's
// ("instar-fuzz.git").
bool workdir_name_fits(const char *path);

#endif
