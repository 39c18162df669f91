// SPDX-License-Identifier: Apache-2.0
//
// Landlock rulesets. The kernel's header may be older than the kernel, so the numbers are ours
// (Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h of Linux 6.15).
#include "exec/fence.h"

#include "exec/fence_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LANDLOCK_CREATE   444
#define LANDLOCK_ADD_RULE 445
#define LANDLOCK_RESTRICT 446
#define LANDLOCK_VERSION  1u
#define LANDLOCK_BENEATH  1 // the one kind of rule that is added here

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_REG = 1 << 8,
    FS_TRUNCATE = 1 << 14,
    FS_IOCTL_DEV = 1 << 15,
    // Those that a rule for a file may name.
    FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
};
#define NET_TCP    3u // bind and connect
#define SCOPE_BOTH 3u // abstract unix sockets, signals

// What each ABI added. Everything that the kernel knows is taken away; the rules give some back.
static const struct {
    int abi;
    uint64_t fs, net, scoped;
} fence_parts[] = {
    {1, 0x1fff, 0, 0},  // all of the first thirteen
    {2, 1 << 13, 0, 0}, // moving files between directories
    {3, FS_TRUNCATE, 0, 0}, {4, 0, NET_TCP, 0}, {5, FS_IOCTL_DEV, 0, 0}, {6, 0, 0, SCOPE_BOTH},
};

struct fence_handled {
    uint64_t fs, net, scoped;
};

struct __attribute__((packed)) fence_beneath {
    uint64_t allowed;
    int32_t parent;
};

static struct fence_handled fence_handles(int abi) {
    struct fence_handled handled = {0};
    for (size_t i = 0; i < sizeof fence_parts / sizeof *fence_parts; i++)
        if (fence_parts[i].abi <= abi) {
            handled.fs |= fence_parts[i].fs;
            handled.net |= fence_parts[i].net;
            handled.scoped |= fence_parts[i].scoped;
        }
    return handled;
}

int fence_landlock(void) {
    long abi = syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static uint64_t fence_allows(char access) {
    switch (access) {
    case FENCE_READ:
        return FS_READ_FILE | FS_READ_DIR;
    case FENCE_RUN:
        return FS_READ_FILE | FS_READ_DIR | FS_EXECUTE;
    case FENCE_WRITE:
        return FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG |
               FS_REMOVE_FILE;
    case FENCE_DEVICE:
        return FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
    }
    return 0;
}

static int fence_add(int ruleset, uint64_t handled, const char *rule) {
    struct stat status;
    uint64_t allowed = fence_allows(rule[0]) & handled;
    if (!allowed) {
        errno = EINVAL;
        return -1;
    }
    int path = open(rule + 1, O_PATH | O_CLOEXEC);
    if (path < 0) // what is not there, or not for us, needs no rule
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -1;
    int result = fstat(path, &status);
    if (!result && !S_ISDIR(status.st_mode))
        allowed &= FS_OF_FILES;
    struct fence_beneath beneath = {allowed, path};
    if (!result)
        result = (int)syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_BENEATH, &beneath, 0);
    int error = errno;
    close(path);
    errno = error;
    return result;
}

int fence_build(int landlock, char *const *list) {
    // An older kernel takes the longer structure as long as what it does not know is zero.
    struct fence_handled handled = fence_handles(landlock);
    int ruleset = (int)syscall(LANDLOCK_CREATE, &handled, sizeof handled, 0);
    for (; ruleset >= 0 && *list; list++)
        if (fence_add(ruleset, handled.fs, *list)) {
            int error = errno;
            close(ruleset);
            errno = error;
            return -1;
        }
    return ruleset;
}

int fence_restrict(int ruleset) {
    return (int)syscall(LANDLOCK_RESTRICT, ruleset, 0);
}
