// SPDX-License-Identifier: Apache-2.0
//
// Where a cgroup of the pids controller can be made: below the one that this process is in, by
// /proc/self/cgroup, seen through the mount that /proc/self/mountinfo tells. The first version of
// cgroups has a hierarchy for each controller, the second one for all; the files that are needed
// have the same names in both. In the second a cgroup with processes of its own cannot share
// controllers out, unless it is the topmost one: then there is no pids.max in what was made, and it
// is removed again.
#include "exec/process_cap.h"

#include "exec/bare.h"
#include "exec/processes.h"
#include "exec/workdir.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CAP_ATTEMPTS 20
#define CAP_LINE     (2 * PATH_MAX)

static bool cap_has_word(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += length)
        if ((at == list || at[-1] == ',') && (!at[length] || at[length] == ','))
            return true;
    return false;
}

// The path of the cgroup that this process is in, as the hierarchy's own root would say it; whether
// it is one of the first version.
static bool cap_membership(char path[static PATH_MAX], bool *first) {
    char line[CAP_LINE];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");
    *first = false;
    while (file && !*first && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':');
        char *where = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!where || strlen(where + 1) >= PATH_MAX)
            continue;
        *where++ = 0;
        *first = cap_has_word(controllers + 1, "pids");
        if (!*first && controllers[1])
            continue;
        strcpy(path, where);
        found = true;
    }
    if (file)
        fclose(file);
    return found;
}

// 36 35 0:30 ROOT PLACE OPTIONS [TAGS...] - TYPE SOURCE SUPER_OPTIONS
static bool cap_is_mount(const char *line, bool first, char root[static CAP_LINE],
                         char place[static CAP_LINE]) {
    char type[32], options[CAP_LINE];
    const char *behind = strstr(line, " - ");
    return behind && sscanf(line, "%*s %*s %*s %8191s %8191s", root, place) == 2 &&
           sscanf(behind, " - %31s %*s %8191s", type, options) == 2 &&
           !strcmp(type, first ? "cgroup" : "cgroup2") && (!first || cap_has_word(options, "pids"));
}

// Opens the directory of the cgroup that this process is in.
static int cap_home(void) {
    char path[PATH_MAX], line[CAP_LINE], root[CAP_LINE], place[CAP_LINE];
    bool first;
    int home = -1;
    if (!cap_membership(path, &first))
        return -1;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    while (file && home < 0 && fgets(line, sizeof line, file)) {
        if (!cap_is_mount(line, first, root, place))
            continue;
        // A mount may show a part of the hierarchy alone.
        size_t shown = strcmp(root, "/") != 0 ? strlen(root) : 0;
        if (strncmp(path, root, shown) != 0 || strlen(place) + strlen(path + shown) >= CAP_LINE)
            continue;
        home = open(strcat(place, path + shown), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (file)
        fclose(file);
    return home;
}

// Only names of ours are made or removed.
static const char *cap_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return workdir_name_fits(path) ? (slash ? slash + 1 : path) : NULL;
}

static bool cap_put(int directory) {
    int fd = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    bool put = fd >= 0 && write(fd, "0", 1) == 1; // whoever writes it
    if (fd >= 0)
        close(fd);
    return put;
}

static void cap_forget(struct process_cap *cap) {
    int *const all[] = {&cap->max, &cap->events, &cap->home, &cap->inside};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (*all[i] >= 0)
            close(*all[i]);
    *cap = (struct process_cap){.max = -1, .events = -1, .home = -1, .inside = -1};
}

// What is left of a launcher that was killed, where its directory was removed by somebody else, so
// that no sweep comes upon it. A cgroup that somebody lives in cannot be removed.
static bool cap_tidy(const char *name, void *home) {
    const char *number = strrchr(name, '.');
    pid_t launcher = number ? (pid_t)strtol(number + 1, NULL, 10) : 0;
    if (workdir_name_fits(name) && launcher > 0 && kill(launcher, 0) && errno == ESRCH)
        unlinkat(*(const int *)home, name, AT_REMOVEDIR);
    return true;
}

bool process_cap_enter(struct process_cap *cap, const char *path) {
    const char *base = cap_name(path);
    *cap = (struct process_cap){.max = -1, .events = -1, .home = -1, .inside = -1};
    int need = snprintf(cap->name, sizeof cap->name, "%s.%d", base ? base : "", (int)getpid());
    if (!base || need >= (int)sizeof cap->name || (cap->home = cap_home()) < 0) {
        cap_forget(cap);
        return false;
    }
    bare_each(cap->home, cap_tidy, &cap->home);
    if (mkdirat(cap->home, cap->name, 0755)) {
        cap_forget(cap);
        return false;
    }
    cap->inside = openat(cap->home, cap->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cap->max = openat(cap->inside, "pids.max", O_WRONLY | O_CLOEXEC);
    cap->events = openat(cap->inside, "pids.events", O_RDONLY | O_CLOEXEC);
    cap->most = UINT64_MAX;
    if (cap->max < 0 || cap->events < 0 || !cap_put(cap->inside)) {
        unlinkat(cap->home, cap->name, AT_REMOVEDIR);
        cap_forget(cap);
        return false;
    }
    cap->active = true;
    return true;
}

void process_cap_leave(struct process_cap *cap) {
    if (!cap->active)
        return;
    cap_put(cap->home);
    unlinkat(cap->home, cap->name, AT_REMOVEDIR);
    cap_forget(cap);
}

// Membership is looked at again behind a pidfd, because numbers are used again.
static int cap_kill(int inside, const char *name) {
    char text[CAP_LINE], path[64], member[CAP_LINE];
    int fd = openat(inside, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    int alive = 0;
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = 0;
    for (char *at = text, *end; *at; at = *end ? end + 1 : end) {
        long pid = strtol(at, &end, 10);
        int pidfd = pid > 0 && end != at ? processes_open((pid_t)pid) : -1;
        snprintf(path, sizeof path, "/proc/%ld/cgroup", pid);
        if (pidfd >= 0 && bare_read(path, member, sizeof member) > 0 && strstr(member, name))
            alive += !processes_signal(pidfd, SIGKILL);
        if (pidfd >= 0)
            close(pidfd);
        if (end == at)
            break;
    }
    return alive;
}

static void cap_sweep_one(int home, const char *name) {
    int inside = openat(home, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (inside < 0)
        return;
    int max = openat(inside, "pids.max", O_WRONLY | O_CLOEXEC);
    if (max >= 0 && write(max, "0", 1) == 1) // nobody escapes by forking
        for (int i = 0; i < CAP_ATTEMPTS && cap_kill(inside, name); i++)
            poll(NULL, 0, 1);
    if (max >= 0)
        close(max);
    for (int i = 0; i < CAP_ATTEMPTS; i++) { // the last may still be on its way out
        if (!unlinkat(home, name, AT_REMOVEDIR) || errno != EBUSY)
            break;
        poll(NULL, 0, 5);
    }
    close(inside);
}

struct cap_family {
    int home;
    const char *base;
};

static bool cap_sweep_entry(const char *name, void *context) {
    const struct cap_family *family = context;
    size_t length = strlen(family->base);
    if (strncmp(name, family->base, length) == 0 && name[length] == '.')
        cap_sweep_one(family->home, name);
    return true;
}

void process_cap_sweep(const char *path, pid_t launcher) {
    struct cap_family family = {.base = cap_name(path), .home = -1};
    char name[NAME_MAX + 1];
    if (!family.base || (family.home = cap_home()) < 0)
        return;
    if (launcher) {
        snprintf(name, sizeof name, "%s.%d", family.base, (int)launcher);
        cap_sweep_one(family.home, name);
    } else {
        bare_each(family.home, cap_sweep_entry, &family);
    }
    close(family.home);
}
