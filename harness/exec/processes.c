// SPDX-License-Identifier: Apache-2.0
//
// Looks through /proc for the processes that a group kill cannot reach. Older C libraries know
// neither pidfd_open nor close_range, so both are called by number.
#include "exec/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// The same on every architecture.
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int processes_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

void processes_close_from(int low) {
    if (!syscall(SYS_close_range, (unsigned)low, UINT_MAX, 0))
        return;
    // Linux before 5.9: one by one, as far as descriptors may reach.
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = low; fd < (limit > 0 ? limit : 65536); fd++)
        close(fd);
}

// Fields 3, 4 and 6 of /proc/<pid>/stat: state, parent, session. The name in field 2 may contain
// anything, also ')', so they are counted from its last one.
static bool processes_matches(pid_t pid, enum processes_relation relation, pid_t id) {
    char path[32], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = TEMP_FAILURE_RETRY(read(fd, text, sizeof text - 1));
    close(fd);
    if (length <= 0)
        return false;
    text[length] = 0;
    const char *behind_name = strrchr(text, ')');
    char state;
    int parent, session;
    if (!behind_name || sscanf(behind_name + 1, " %c %d %*d %d", &state, &parent, &session) != 3)
        return false;
    return state != 'Z' && state != 'X' &&
           (relation == PROCESSES_CHILDREN_OF ? parent : session) == id;
}

// The number may be reused between looking and killing. Holding a pidfd while looking, and killing
// through it, makes sure that it is the same process.
static bool processes_kill_one(pid_t pid, enum processes_relation relation, pid_t id) {
    if (!processes_matches(pid, relation, id))
        return false;
    int fd = processes_open(pid);
    if (fd < 0)
        return false;
    bool killed = processes_matches(pid, relation, id) &&
                  !syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    close(fd);
    return killed;
}

int processes_kill(enum processes_relation relation, pid_t id) {
    DIR *proc = opendir("/proc");
    if (!proc)
        return 0;
    int killed = 0;
    for (struct dirent *entry; (entry = readdir(proc));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 0 && pid != getpid())
            killed += processes_kill_one(pid, relation, id);
    }
    closedir(proc);
    return killed;
}
