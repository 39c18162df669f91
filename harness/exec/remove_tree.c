// SPDX-License-Identifier: Apache-2.0
//
// Removing a directory tree whose content was made by programs under test: links that point
// anywhere, files and directories without permissions, names of any bytes. Everything happens
// relative to a descriptor of the directory it is in, so no link is ever followed and nothing
// outside can be reached.
#include "exec/workdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Each level holds a descriptor and a stack frame.
#define REMOVE_DEPTH_MAX 200
// A process that is being killed may still add a file between the last look and the rmdir.
#define REMOVE_ATTEMPTS 3

static int remove_entries(int directory, int depth, struct fault *fault);

// A directory that its owner may not read is opened by O_PATH, which needs no permission on it,
// and changed by way of /proc: fchmodat would follow a link that took its place.
static int remove_open(int parent, const char *name) {
    const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, O_RDONLY | flags);
    if (fd < 0 && errno == EACCES) {
        int handle = openat(parent, name, O_PATH | flags);
        if (handle < 0)
            return -1;
        char link[32];
        snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
        int failed = chmod(link, 0700);
        close(handle);
        if (failed)
            return -1;
        fd = openat(parent, name, O_RDONLY | flags);
    }
    struct stat status;
    if (fd >= 0 && !fstat(fd, &status) && (status.st_mode & 0700) != 0700)
        fchmod(fd, 0700); // if that fails, removing its entries says why
    return fd;
}

static int remove_directory(int parent, const char *name, int depth, struct fault *fault) {
    if (depth > REMOVE_DEPTH_MAX)
        return fault_set(fault, "cannot remove %s: more than %d directories deep", name,
                         REMOVE_DEPTH_MAX);
    for (int attempt = 0;; attempt++) {
        int fd = remove_open(parent, name);
        if (fd < 0)
            return errno == ENOENT ? 0 : fault_errno(fault, "cannot open %s to remove it", name);
        int failed = remove_entries(fd, depth + 1, fault);
        close(fd);
        if (failed)
            return fault_prefix(fault, "%s: ", name);
        if (!unlinkat(parent, name, AT_REMOVEDIR) || errno == ENOENT)
            return 0;
        if (errno != ENOTEMPTY || attempt + 1 == REMOVE_ATTEMPTS)
            return fault_errno(fault, "cannot remove %s", name);
    }
}

static int remove_entry(int directory, const char *name, int depth, struct fault *fault) {
    if (!unlinkat(directory, name, 0) || errno == ENOENT)
        return 0;
    if (errno == EISDIR || errno == EPERM) {
        struct stat status;
        int error = errno;
        if (!fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) && S_ISDIR(status.st_mode))
            return remove_directory(directory, name, depth, fault);
        errno = error;
    }
    return fault_errno(fault, "cannot remove %s", name);
}

static int remove_entries(int directory, int depth, struct fault *fault) {
    char entries[4096] __attribute__((aligned(8)));
    for (;;) {
        ssize_t length = getdents64(directory, entries, sizeof entries);
        if (length < 0)
            return fault_errno(fault, "cannot list");
        if (!length)
            return 0;
        for (ssize_t at = 0; at < length;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            at += entry->d_reclen;
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
                continue;
            if (remove_entry(directory, entry->d_name, depth, fault))
                return -1;
        }
    }
}

int workdir_remove_tree(const char *path, struct fault *fault) {
    if (path[0] != '/' || !path[strspn(path, "/.")])
        return fault_set(fault, "will not remove \"%s\": not an absolute path of something", path);
    return remove_directory(AT_FDCWD, path, 0, fault);
}

int workdir_clear_case(const struct workdir *workdir, struct fault *fault) {
    int fd = remove_open(AT_FDCWD, workdir->case_path);
    if (fd < 0 && errno == ENOENT) {
        if (!mkdir(workdir->case_path, 0700))
            return 0;
        return fault_errno(fault, "cannot make %s", workdir->case_path);
    }
    if (fd < 0)
        return fault_errno(fault, "cannot open %s", workdir->case_path);
    int failed = remove_entries(fd, 0, fault);
    close(fd);
    return failed ? fault_prefix(fault, "%s: ", workdir->case_path) : 0;
}
