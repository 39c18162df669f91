// SPDX-License-Identifier: Apache-2.0
//
// Copying sparse files and counting what a folder really uses.
#include "base/file.h"
#include "report/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The caller names the file.
static int copy_file(int from_folder, int to_folder, const char *name, struct fault *fault) {
    int from = openat(from_folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0)
        return fault_errno(fault, "cannot open the original");
    int to = openat(to_folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int status = to < 0 ? fault_errno(fault, "cannot make the copy")
                        : file_copy(from, to, UINT64_MAX, fault);
    if (to >= 0)
        close(to);
    close(from);
    return status;
}

int report_copy_files(const char *from, const char *to, struct fault *fault) {
    DIR *folder = opendir(from);
    if (!folder)
        return fault_errno(fault, "%s", from);
    int target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status = 0;
    if (target < 0)
        status = fault_errno(fault, "%s", to);
    for (struct dirent *entry; status == 0 && (entry = readdir(folder));)
        if (entry->d_type == DT_REG && copy_file(dirfd(folder), target, entry->d_name, fault))
            status = fault_prefix(fault, "%s/%s: ", to, entry->d_name);
    if (target >= 0)
        close(target);
    closedir(folder);
    return status;
}

uint64_t report_usage(const char *path) {
    uint64_t total = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char inner[4096];
        struct stat info;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (lstat(inner, &info))
            continue;
        total += (uint64_t)info.st_blocks * 512;
        if (S_ISDIR(info.st_mode))
            total += report_usage(inner);
    }
    closedir(folder);
    return total;
}
