// SPDX-License-Identifier: Apache-2.0
//
// Files are found, not expected: a tool that writes one more than it should is noticed.
#include "tests/soak/kept.h"

#include "image/identity.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEPT_PATH 600

struct visit {
    const struct trial *trial;
    const char *folder, *other;
    char where[240];
};

// Calls `each` for every file of visit->folder until it returns other than 0.
static int visit_files(struct visit *visit, int (*each)(struct visit *visit, const char *name)) {
    DIR *directory = opendir(visit->folder);
    struct dirent *entry;
    int result = 0;
    if (!directory)
        return -1;
    while (result == 0 && (entry = readdir(directory)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = each(visit, entry->d_name);
    closedir(directory);
    return result;
}

static void join(char path[KEPT_PATH], const char *folder, const char *name) {
    snprintf(path, KEPT_PATH, "%s/%s", folder, name);
}

static int forget_file(struct visit *visit, const char *name) {
    char path[KEPT_PATH];
    join(path, visit->folder, name);
    return unlink(path);
}

static int move_file(struct visit *visit, const char *name) {
    char from[KEPT_PATH], to[KEPT_PATH];
    if (trial_is_input(visit->trial, name))
        return 0;
    join(from, visit->folder, name);
    join(to, visit->other, name);
    return rename(from, to);
}

int kept_take(const struct trial *trial, const char *directory, const char *kept,
              struct fault *fault) {
    struct visit old = {trial, kept, NULL, ""}, fresh = {trial, directory, kept, ""};
    if (visit_files(&old, forget_file))
        return fault_errno(fault, "%s", kept);
    return visit_files(&fresh, move_file) ? fault_errno(fault, "%s", directory) : 0;
}

static enum image_format file_format(const struct tool_call *call, const char *name) {
    char extent[IMAGE_NAME_ROOM];
    bool raw = !operation_writes(call->op) ||
               (tool_output_extent(call, call->output, extent) && strcmp(extent, name) == 0);
    return raw ? IMAGE_RAW : call->target;
}

static int compare_file(struct visit *visit, const char *name) {
    char one[KEPT_PATH], other[KEPT_PATH], where[128];
    struct fault fault = {0};
    join(one, visit->folder, name);
    join(other, visit->other, name);
    int same = image_files_same(one, other, file_format(&visit->trial->call, name), where,
                                sizeof where, &fault);
    if (same == 1)
        return 0;
    snprintf(visit->where, sizeof visit->where, "%.60s: %.160s", name, same ? fault.text : where);
    return 1;
}

bool kept_same(const struct trial *trial, const char *one, const char *other, char *where,
               size_t room) {
    struct visit there = {trial, one, other, ""}, back = {trial, other, one, ""};
    bool same = visit_files(&there, compare_file) == 0 && visit_files(&back, compare_file) == 0;
    snprintf(where, room, "%s", there.where[0] ? there.where : back.where);
    return same;
}
