// SPDX-License-Identifier: Apache-2.0
//
// Looks through /proc for the processes that a group kill cannot reach. Older C libraries know
// neither pidfd_open nor close_range, so both are called by number; and directories are read
// without opendir, because watch.c, which comes here, may run where nothing may be allocated.
#include "exec/processes.h"

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

void processes_close_from(int low) {
    if (!syscall(SYS_close_range, (unsigned)low, UINT_MAX, 0))
        return;
    // Linux before 5.9: one by one, as far as descriptors may reach.
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = low; fd < (limit > 0 ? limit : 65536); fd++)
        close(fd);
}

static char *processes_text(char *to, const char *text) {
    size_t length = strlen(text);
    memcpy(to, text, length + 1);
    return to + length;
}

static char *processes_number(char *to, pid_t number) {
    char digits[12], *at = digits + sizeof digits;
    *--at = 0;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    return processes_text(to, at);
}

// Decimal digits at *at, which is moved behind them and the blanks before them.
static uint64_t processes_parse(const char **at) {
    uint64_t value = 0;
    while (**at == ' ')
        ++*at;
    while (**at >= '0' && **at <= '9')
        value = value * 10 + (uint64_t)(*(*at)++ - '0');
    return value;
}

static ssize_t processes_read(const char *path, char *text, size_t room) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t length = TEMP_FAILURE_RETRY(read(fd, text, room - 1));
    close(fd);
    text[length > 0 ? length : 0] = 0;
    return length;
}

// Fields 3, 4 and 6 of /proc/<pid>/stat: state, parent, session. The name in field 2 may contain
// anything, also ')', so they are counted from its last one.
static bool processes_matches(pid_t pid, enum processes_relation relation, pid_t id) {
    char path[32], text[512];
    processes_text(processes_number(processes_text(path, "/proc/"), pid), "/stat");
    if (processes_read(path, text, sizeof text) <= 0)
        return false;
    const char *at = strrchr(text, ')');
    if (!at || at[1] != ' ' || !at[2])
        return false;
    char state = at[2];
    at += 3;
    pid_t parent = (pid_t)processes_parse(&at);
    processes_parse(&at); // its group
    pid_t session = (pid_t)processes_parse(&at);
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

// As the kernel lays it out, on every architecture.
struct processes_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

int processes_kill(enum processes_relation relation, pid_t id) {
    _Alignas(struct processes_entry) char entries[4096];
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int killed = 0;
    if (proc < 0)
        return 0;
    for (long length; (length = syscall(SYS_getdents64, proc, entries, sizeof entries)) > 0;)
        for (long at = 0; at < length;) {
            const struct processes_entry *entry = (const void *)(entries + at);
            const char *name = entry->name;
            pid_t pid = (pid_t)processes_parse(&name);
            at += entry->length;
            if (pid > 0 && pid != getpid())
                killed += processes_kill_one(pid, relation, id);
        }
    close(proc);
    return killed;
}
