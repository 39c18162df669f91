// SPDX-License-Identifier: Apache-2.0
//
// Walks down by the lists of children that the kernel keeps for every thread: the price depends on
// what there is below, not on how busy the machine is.
#include "exec/family.h"

#include "exec/bare.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#define FAMILY_MOST 1024
// Of one list of children: about FAMILY_MOST numbers.
#define FAMILY_LIST 8192

struct family {
    uint64_t threads;
    uint32_t known, next;
    pid_t pids[FAMILY_MOST], parents[FAMILY_MOST];
    pid_t parent;  // whose threads are looked at
    char task[64]; // "/proc/<parent>/task/"
    char list[FAMILY_LIST];
};

static bool family_thread(const char *name, void *context) {
    struct family *family = context;
    char path[128];
    bare_text(bare_text(bare_text(path, family->task), name), "/children");
    family->threads++;
    if (bare_read(path, family->list, sizeof family->list) <= 0)
        return true;
    const char *at = family->list;
    for (uint64_t pid; family->known < FAMILY_MOST && (pid = bare_parse(&at));) {
        family->parents[family->known] = family->parent;
        family->pids[family->known++] = (pid_t)pid;
    }
    return true;
}

static void family_threads(struct family *family, pid_t pid) {
    family->parent = pid;
    bare_text(bare_number(bare_text(family->task, "/proc/"), (uint64_t)pid), "/task/");
    int fd = open(family->task, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    bare_each(fd, family_thread, family);
    close(fd);
}

uint64_t family_walk(void (*visit)(pid_t pid, pid_t parent, void *context), void *context) {
    struct family family;
    family.known = family.next = 0;
    family_threads(&family, getpid());
    family.threads = 0; // not its own
    for (; family.next < family.known; family.next++) {
        family_threads(&family, family.pids[family.next]);
        visit(family.pids[family.next], family.parents[family.next], context);
    }
    return family.threads;
}
