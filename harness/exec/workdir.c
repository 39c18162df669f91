// SPDX-License-Identifier: Apache-2.0
//
// Making the case directory, and sweeping those of processes that are gone.
//
// Who is alive is told by a lock, not by the pid in the name: a number says nothing in another pid
// namespace (two containers may share /dev/shm), and it may have been given to someone else. The
// owner holds flock(LOCK_EX) on the directory itself, from its making until the last process that
// inherited the descriptor by fork is gone; the kernel takes the lock away with the process, never
// earlier. The sweep removes only what it could lock itself, and keeps the lock while it removes.
//
// That leaves the moment between mkdir and flock, in which a sweeper may find the new directory
// unlocked. The owner therefore waits for the lock and then looks again: if the directory has no
// link left, a sweeper was there, and it makes it again. From the lock on nobody can sweep it. What
// is created inside is created after that.
#include "exec/workdir.h"

#include "exec/coverage_map.h"
#include "exec/process_cap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define WORKDIR_ATTEMPTS 100
#define WORKDIR_DIGITS   "0123456789"
#define WORKDIR_RANDOM   8 // hexadecimal digits

bool workdir_name_fits(const char *path) {
    const char *slash = strrchr(path, '/'), *at = slash ? slash + 1 : path;
    if (strncmp(at, WORKDIR_PREFIX, strlen(WORKDIR_PREFIX)) != 0)
        return false;
    at += strlen(WORKDIR_PREFIX);
    size_t pid = strspn(at, WORKDIR_DIGITS);
    if (!pid || at[pid] != '.')
        return false;
    at += pid + 1;
    if (strspn(at, WORKDIR_DIGITS "abcdef") != WORKDIR_RANDOM)
        return false;
    at += WORKDIR_RANDOM;
    return !*at || (*at == '.' && at[1] && !at[1 + strspn(at + 1, WORKDIR_DIGITS)]);
}

static bool workdir_is_tmpfs(const char *path) {
    struct statfs status;
    return !statfs(path, &status) && (unsigned long)status.f_type == TMPFS_MAGIC;
}

// Opens a directory and takes its lock if nobody has it. -1: not lockable, whatever the reason.
static int workdir_lock(int parent, const char *name) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return -1;
    if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | LOCK_NB)) || fstat(fd, &status) ||
        !status.st_nlink || status.st_uid != geteuid()) {
        close(fd);
        return -1;
    }
    return fd;
}

// Failures are not reported: a sibling that cannot be removed is not this run's trouble.
static void workdir_sweep(const char *parent) {
    DIR *siblings = opendir(parent);
    if (!siblings)
        return;
    for (struct dirent *entry; (entry = readdir(siblings));) {
        if (!workdir_name_fits(entry->d_name))
            continue;
        int lock = workdir_lock(dirfd(siblings), entry->d_name);
        if (lock < 0)
            continue;
        char path[PATH_MAX];
        int need = snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
        if (need > 0 && (size_t)need < sizeof path) {
            process_cap_sweep(path, 0);
            workdir_remove_tree(path, NULL);
        }
        close(lock);
    }
    closedir(siblings);
}

static int workdir_choose_parent(const char *wanted, char parent[static PATH_MAX],
                                 struct fault *fault) {
    const char *temporary = getenv("TMPDIR");
    const char *from = wanted;
    if (!from && workdir_is_tmpfs("/dev/shm") && !access("/dev/shm", W_OK | X_OK))
        from = "/dev/shm";
    if (!from)
        from = temporary && *temporary ? temporary : "/tmp";
    if (!realpath(from, parent))
        return fault_errno(fault, "no place for the case directory: %s", from);
    struct stat status;
    if (stat(parent, &status) || !S_ISDIR(status.st_mode))
        return fault_set(fault, "no place for the case directory: %s is not a directory", from);
    return 0;
}

// A name that nobody else has: <parent>/instar-fuzz.<pid>.<random>.
int workdir_name(struct workdir *workdir, const char *wanted, struct fault *fault) {
    char parent[PATH_MAX];
    uint32_t random;
    *workdir = (struct workdir){.lock = -1, .map = -1};
    if (workdir_choose_parent(wanted, parent, fault))
        return -1;
    do {
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            return fault_errno(fault, "no random numbers for the name of a case directory");
        int need = snprintf(workdir->path, sizeof workdir->path, "%s/%s%d.%0*x", parent,
                            WORKDIR_PREFIX, (int)getpid(), WORKDIR_RANDOM, random);
        if (need < 0 || (size_t)need >= sizeof workdir->path)
            return fault_set(fault, "%s: too long for a case directory", parent);
    } while (!access(workdir->path, F_OK));
    return 0;
}

// Makes the directory and has its lock when it returns. A sweeper that has the lock removes the
// directory by its name; so the name is used again only once that sweeper has let go.
static int workdir_claim(struct workdir *workdir, struct fault *fault) {
    for (int attempt = 0; attempt < WORKDIR_ATTEMPTS; attempt++) {
        struct stat status;
        if (mkdir(workdir->path, 0700))
            return fault_errno(fault, "cannot make the case directory %s", workdir->path);
        int fd = open(workdir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0)
            return fault_errno(fault, "cannot open the case directory %s", workdir->path);
        if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX)) || fstat(fd, &status)) {
            fault_errno(fault, "cannot lock the case directory %s", workdir->path);
            close(fd);
            rmdir(workdir->path); // what cannot be locked no sweep removes
            return -1;
        }
        if (status.st_nlink) {
            workdir->lock = fd;
            return 0;
        }
        close(fd);
    }
    return fault_set(fault, "cannot lock the case directory %s", workdir->path);
}

static int workdir_make_inside(const struct workdir *workdir, char *path, size_t room,
                               const char *name, struct fault *fault) {
    snprintf(path, room, "%s/%s", workdir->path, name);
    return mkdir(path, 0700) ? fault_errno(fault, "cannot make %s", path) : 0;
}

int workdir_keep_case(const struct workdir *workdir, struct fault *fault) {
    if (workdir_remove_tree(workdir->kept_path, fault))
        return -1;
    if (mkdir(workdir->kept_path, 0700))
        return fault_errno(fault, "cannot make %s", workdir->kept_path);
    DIR *folder = opendir(workdir->case_path);
    if (!folder)
        return fault_errno(fault, "cannot open %s", workdir->case_path);
    int status = 0;
    for (struct dirent *entry; status == 0 && (entry = readdir(folder));) {
        char from[PATH_MAX], to[PATH_MAX];
        if (entry->d_type != DT_REG)
            continue;
        snprintf(from, sizeof from, "%s/%s", workdir->case_path, entry->d_name);
        snprintf(to, sizeof to, "%s/%s", workdir->kept_path, entry->d_name);
        if (rename(from, to))
            status = fault_errno(fault, "cannot keep %s", from);
    }
    closedir(folder);
    return status;
}

static int workdir_make_map(struct workdir *workdir, struct fault *fault) {
    snprintf(workdir->map_path, sizeof workdir->map_path, "%s/map", workdir->path);
    workdir->map = coverage_map_make(workdir->map_path);
    return workdir->map < 0 ? fault_errno(fault, "cannot make %s", workdir->map_path) : 0;
}

int workdir_make(struct workdir *workdir, struct fault *fault) {
    char parent[sizeof workdir->path];
    snprintf(parent, sizeof parent, "%s", workdir->path);
    *strrchr(parent, '/') = 0;
    workdir_sweep(*parent ? parent : "/");
    if (workdir_claim(workdir, fault))
        return -1;
    workdir->on_tmpfs = workdir_is_tmpfs(workdir->path);
    snprintf(workdir->kept_path, sizeof workdir->kept_path, "%s/kept", workdir->path);
    if (workdir_make_inside(workdir, workdir->case_path, sizeof workdir->case_path, "case",
                            fault) ||
        workdir_make_inside(workdir, workdir->home_path, sizeof workdir->home_path, "home",
                            fault) ||
        workdir_make_inside(workdir, workdir->bin_path, sizeof workdir->bin_path, "bin", fault) ||
        workdir_make_map(workdir, fault)) {
        workdir_remove(workdir);
        return -1;
    }
    return 0;
}

int workdir_create(struct workdir *workdir, const char *parent, struct fault *fault) {
    return workdir_name(workdir, parent, fault) || workdir_make(workdir, fault) ? -1 : 0;
}

// The pid in the name tells the owner from its forked children, which hold the same lock.
static bool workdir_is_own(const struct workdir *workdir) {
    const char *slash = strrchr(workdir->path, '/');
    return slash && workdir_name_fits(workdir->path) &&
           strtol(slash + 1 + strlen(WORKDIR_PREFIX), NULL, 10) == getpid();
}

void workdir_remove(const struct workdir *workdir) {
    if (!workdir_is_own(workdir))
        return;
    process_cap_sweep(workdir->path, 0); // of a launcher that was killed and never replaced
    workdir_remove_tree(workdir->path, NULL);
    if (workdir->map >= 0)
        close(workdir->map);
    if (workdir->lock >= 0)
        close(workdir->lock);
}
