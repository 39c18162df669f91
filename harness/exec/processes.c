// SPDX-License-Identifier: Apache-2.0
//
// Looks through /proc for the processes that a group kill cannot reach. Older C libraries know
// neither pidfd_open nor close_range, so both are called by number. Nothing is allocated:
// watch.c comes here.
#include "exec/processes.h"

#include "exec/bare.h"
#include "exec/family.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
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

int processes_signal(int pidfd, int number) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
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
    bare_text(bare_number(bare_text(path, "/proc/"), (uint64_t)pid), "/stat");
    if (bare_read(path, text, sizeof text) <= 0)
        return false;
    const char *at = strrchr(text, ')');
    if (!at || at[1] != ' ' || !at[2])
        return false;
    char state = at[2];
    at += 3;
    pid_t parent = (pid_t)bare_parse(&at);
    bare_parse(&at); // its group
    pid_t session = (pid_t)bare_parse(&at);
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
    bool killed = processes_matches(pid, relation, id) && !processes_signal(fd, SIGKILL);
    close(fd);
    return killed;
}

struct processes_hunt {
    enum processes_relation relation;
    pid_t id;
    int killed;
};

static bool processes_hunt(const char *name, void *context) {
    struct processes_hunt *hunt = context;
    pid_t pid = (pid_t)bare_parse(&name);
    if (pid > 0 && pid != getpid())
        hunt->killed += processes_kill_one(pid, hunt->relation, hunt->id);
    return true;
}

int processes_kill(enum processes_relation relation, pid_t id) {
    struct processes_hunt hunt = {relation, id, 0};
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return 0;
    bare_each(proc, processes_hunt, &hunt);
    close(proc);
    return hunt.killed;
}

static void processes_kill_member(pid_t pid, pid_t parent, void *killed) {
    *(int *)killed += processes_kill_one(pid, PROCESSES_CHILDREN_OF, parent);
}

int processes_kill_family(void) {
    int killed = 0;
    family_walk(processes_kill_member, &killed);
    return killed;
}
