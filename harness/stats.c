// SPDX-License-Identifier: Apache-2.0
//
// Mapping, counting and adding up the counters. How they are shown is in stats_show.c.
#include "stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int map_file(const char *out, struct fault *fault) {
    char path[4096];
    if (mkdir(out, 0777) && errno != EEXIST)
        return fault_errno(fault, "%s", out);
    snprintf(path, sizeof path, "%s/stats", out);
    if (mkdir(path, 0777) && errno != EEXIST)
        return fault_errno(fault, "%s", path);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(path, sizeof path, "%s/stats/%ld-%lld%09ld.bin", out, (long)getpid(),
             (long long)now.tv_sec, now.tv_nsec);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    // Allocate now: a full disk must be an error here, not SIGBUS in the middle of a campaign.
    int failed = posix_fallocate(fd, 0, sizeof(struct stats));
    if (failed) {
        errno = failed;
        fault_errno(fault, "%s", path);
        close(fd);
        unlink(path);
        return -1;
    }
    return fd;
}

int stats_open(struct stats **stats, const char *out, struct fault *fault) {
    int fd = -1, flags = MAP_SHARED | MAP_ANONYMOUS;
    if (out) {
        fd = map_file(out, fault);
        if (fd < 0)
            return -1;
        flags = MAP_SHARED;
    }
    void *memory = mmap(NULL, sizeof **stats, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED) {
        fault_errno(fault, "cannot map counters");
        close(fd);
        return -1;
    }
    // The descriptor stays open: the lock goes with the last process that holds it, however that
    // ends. A file system without locks only makes a campaign look as if it had ended.
    if (fd >= 0)
        flock(fd, LOCK_EX | LOCK_NB);
    *stats = memory;
    memcpy((*stats)->magic, STATS_MAGIC, sizeof STATS_MAGIC);
    stats_touch(*stats);
    (*stats)->started_s = (*stats)->updated_s;
    return 0;
}

void stats_touch(struct stats *stats) {
    stats->updated_s = (uint64_t)time(NULL);
}

static void add_name(struct stats_name *table, size_t room, const char *name, uint64_t count) {
    for (size_t i = 0; i < room; i++) {
        if (!table[i].name[0])
            snprintf(table[i].name, sizeof table[i].name, "%s", i + 1 == room ? "(others)" : name);
        if (i + 1 == room || strncmp(table[i].name, name, sizeof table[i].name - 1) == 0) {
            table[i].count += count;
            return;
        }
    }
}

void stats_count(struct stats_name *table, size_t room, const char *name) {
    add_name(table, room, name, 1);
}

static void add_names(struct stats_name *to, const struct stats_name *from, size_t room) {
    for (size_t i = 0; i < room && from[i].name[0]; i++)
        add_name(to, room, from[i].name, from[i].count);
}

static void add_cell(struct stats_cell *to, const struct stats_cell *from) {
    to->compared += from->compared;
    to->refused += from->refused;
    to->skipped += from->skipped;
    to->inconclusive += from->inconclusive;
}

void stats_add(struct stats *sum, const struct stats *part) {
    if (part->started_s && (!sum->started_s || part->started_s < sum->started_s))
        sum->started_s = part->started_s;
    if (part->updated_s > sum->updated_s)
        sum->updated_s = part->updated_s;
    sum->running_s += part->running_s;
    sum->cases += part->cases;
    sum->operations += part->operations;
    sum->commands += part->commands;
    sum->confirmations += part->confirmations;
    sum->both_ways += part->both_ways;
    sum->harness_errors += part->harness_errors;
    for (int i = 0; i < VERDICTS; i++)
        sum->verdicts[i] += part->verdicts[i];
    for (int op = 0; op < OPERATIONS; op++)
        for (int source = 0; source <= IMAGE_FORMATS; source++)
            for (int target = 0; target <= IMAGE_FORMATS; target++)
                add_cell(&sum->matrix[op][source][target], &part->matrix[op][source][target]);
    for (size_t source = 0; source < SOURCE_CLASSES; source++)
        for (size_t call = 0; call < CALL_CLASSES; call++) {
            add_cell(&sum->cells[source][call], &part->cells[source][call]);
            sum->reachable[source][call] |= part->reachable[source][call];
        }
    add_names(sum->oracles, part->oracles, sizeof sum->oracles / sizeof *sum->oracles);
    add_names(sum->reasons, part->reasons, STATS_NAMES);
    add_names(sum->signatures, part->signatures, STATS_NAMES);
    add_names(sum->known, part->known, sizeof sum->known / sizeof *sum->known);
}

size_t stats_counting(const char *out) {
    char path[4096];
    snprintf(path, sizeof path, "%s/stats", out);
    DIR *folder = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        int fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        count += entry->d_name[0] != '.' && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
        close(fd);
    }
    if (folder)
        closedir(folder);
    return count;
}

// When a process counted.
struct span {
    uint64_t from_s, to_s;
};

static int by_start(const void *a, const void *b) {
    const struct span *x = a, *y = b;
    return (x->from_s > y->from_s) - (x->from_s < y->from_s);
}

// The seconds that lie in one of them, and in short gaps between: an engine is started again.
static uint64_t covered(struct span *spans, size_t count) {
    uint64_t seconds = 0, until = count ? spans[0].from_s : 0;
    if (count)
        qsort(spans, count, sizeof *spans, by_start);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || spans[i].from_s > until + STATS_PAUSE_S)
            until = spans[i].from_s;
        if (spans[i].to_s <= until)
            continue;
        seconds += spans[i].to_s - until;
        until = spans[i].to_s;
    }
    return seconds;
}

int stats_sum(const char *out, struct stats *sum, struct fault *fault) {
    memset(sum, 0, sizeof *sum);
    memcpy(sum->magic, STATS_MAGIC, sizeof STATS_MAGIC);
    char path[4096];
    snprintf(path, sizeof path, "%s/stats", out);
    DIR *folder = opendir(path);
    if (!folder)
        return fault_errno(fault, "%s", path);
    struct stats *part = must_realloc(NULL, sizeof *part);
    struct span *spans = NULL;
    size_t count = 0, room = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        int fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        memset(part, 0, sizeof *part);
        if (read(fd, part, sizeof *part) >= (ssize_t)offsetof(struct stats, running_s) &&
            memcmp(part->magic, STATS_MAGIC, sizeof STATS_MAGIC) == 0) {
            stats_add(sum, part);
            spans = array_room(spans, &room, count + 1, sizeof *spans);
            spans[count++] = (struct span){part->started_s, part->updated_s};
        }
        close(fd);
    }
    sum->running_s = covered(spans, count);
    free(spans);
    free(part);
    closedir(folder);
    return 0;
}
