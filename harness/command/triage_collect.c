// SPDX-License-Identifier: Apache-2.0
//
// Which files of a folder are somebody's find. Engines and campaigns are known by the names that
// they give, so that a folder may be given as it is, corpus and counters in it; a file that is
// given itself is taken whatever its name.
#include "command/triage.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COLLECT_DEPTH 32

const struct triage_origin_words triage_origins[ORIGINS] = {
    [ORIGIN_FILE] = {"file", "a file", false},
    [ORIGIN_CRASH] = {"crash", "a crash of libFuzzer's", false},
    [ORIGIN_TIMEOUT] = {"timeout", "libFuzzer: time-out of the harness", true},
    [ORIGIN_OOM] = {"oom", "libFuzzer: the harness was out of memory", true},
    [ORIGIN_LEAK] = {"leak", "libFuzzer: leak in the harness", true},
    [ORIGIN_SLOW_UNIT] = {"slow_unit", "libFuzzer: slow case", true},
    [ORIGIN_AFL_CRASH] = {"afl_crash", "a crash of AFL++'s", false},
    [ORIGIN_AFL_HANG] = {"afl_hang", "AFL++: time-out of the harness", true},
    [ORIGIN_FINDING] = {"finding", "a finding of a campaign", false},
    [ORIGIN_NOT_REPRODUCED] = {"not_reproduced", "kept as not reproduced", false},
    [ORIGIN_HARNESS_ERROR] = {"harness_error", "kept for a harness error", false},
    [ORIGIN_RUN_LOG] = {"run_log", "a divergence of a run", false},
};

// By the names of the file, of its folder and of that one's folder; NULL: any. The first that fits
// is taken.
static const struct {
    const char *above, *folder, *name;
    enum triage_origin origin;
    bool no_case; // a text beside cases
} patterns[] = {
    {NULL, NULL, ".*", ORIGIN_FILE, true},
    {"findings", NULL, "case.bin", ORIGIN_FINDING, false},
    {"findings", NULL, "*", ORIGIN_FILE, true},
    {NULL, "not-reproduced", "*.bin", ORIGIN_NOT_REPRODUCED, false},
    {NULL, "harness-errors", "*.bin", ORIGIN_HARNESS_ERROR, false},
    {NULL, "not-reproduced", "*", ORIGIN_FILE, true},
    {NULL, "harness-errors", "*", ORIGIN_FILE, true},
    {NULL, NULL, "divergence-[0-9]*-[0-9]*.json", ORIGIN_RUN_LOG, false},
    {NULL, NULL, "crash-*", ORIGIN_CRASH, false},
    {NULL, NULL, "minimized-from-*", ORIGIN_CRASH, false},
    {NULL, NULL, "clusterfuzz-testcase-*", ORIGIN_CRASH, false},
    {NULL, NULL, "timeout-*", ORIGIN_TIMEOUT, false},
    {NULL, NULL, "oom-*", ORIGIN_OOM, false},
    {NULL, NULL, "leak-*", ORIGIN_LEAK, false},
    {NULL, NULL, "slow-unit-*", ORIGIN_SLOW_UNIT, false},
    // AFL++, with the folders that it keeps when it goes on; names may also be sums.
    {NULL, "crashes*", "README.txt", ORIGIN_FILE, true},
    {NULL, "crashes", "*", ORIGIN_AFL_CRASH, false},
    {NULL, "crashes.*", "*", ORIGIN_AFL_CRASH, false},
    {NULL, "hangs*", "README.txt", ORIGIN_FILE, true},
    {NULL, "hangs", "*", ORIGIN_AFL_HANG, false},
    {NULL, "hangs.*", "*", ORIGIN_AFL_HANG, false},
};
#define PATTERNS (sizeof patterns / sizeof *patterns)

// The last three names of a path.
struct place {
    char above[256], folder[256], name[256];
};

static void place_of(const char *path, struct place *place) {
    char *names[] = {place->name, place->folder, place->above};
    const char *end = path + strlen(path);
    memset(place, 0, sizeof *place);
    for (size_t i = 0; i < 3; i++) {
        while (end > path && end[-1] == '/')
            end--;
        const char *begin = end;
        while (begin > path && begin[-1] != '/')
            begin--;
        snprintf(names[i], 256, "%.*s", (int)(end - begin), begin);
        end = begin;
    }
}

static bool fits(const char *pattern, const char *name) {
    return !pattern || fnmatch(pattern, name, 0) == 0;
}

// The pattern of a file, or PATTERNS.
static size_t pattern_of(const struct place *place) {
    size_t i = 0;
    while (i < PATTERNS &&
           !(fits(patterns[i].above, place->above) && fits(patterns[i].folder, place->folder) &&
             fits(patterns[i].name, place->name)))
        i++;
    return i;
}

// "<signature>/case.bin", and "<signature>-<hash>.bin" of what did not repeat.
static const char *claimed_by(struct triage *t, enum triage_origin origin,
                              const struct place *place) {
    char name[256];
    snprintf(name, sizeof name, "%s", origin == ORIGIN_FINDING ? place->folder : place->name);
    char *dash = strrchr(name, '-');
    if (origin == ORIGIN_NOT_REPRODUCED && dash)
        *dash = 0;
    bool names_one = origin == ORIGIN_FINDING || origin == ORIGIN_NOT_REPRODUCED;
    return names_one ? triage_intern(t, name) : NULL;
}

static struct triage_file *add(struct triage *t, const char *path, enum triage_origin origin) {
    t->files = array_room(t->files, &t->file_room, t->file_count + 1, sizeof *t->files);
    struct triage_file *file = &t->files[t->file_count++];
    *file = (struct triage_file){.path = must_strdup(path), .origin = origin, .item = SIZE_MAX};
    return file;
}

static void add_file(struct triage *t, const char *path, bool given) {
    struct place place;
    place_of(path, &place);
    size_t i = pattern_of(&place);
    bool is_case = i < PATTERNS && !patterns[i].no_case;
    if (!is_case && !given) {
        t->left_out += i == PATTERNS;
        return;
    }
    enum triage_origin origin = is_case ? patterns[i].origin : ORIGIN_FILE;
    struct triage_file *file = add(t, path, origin);
    file->claimed = claimed_by(t, origin, &place);
}

struct walk {
    struct triage *triage;
    struct stat out; // the output folder, which is not read; st_ino 0: there is none
};

static void walk_folder(const struct walk *walk, const char *path, int depth);

static void walk_entry(const struct walk *walk, const char *folder, const char *name, int depth) {
    char path[4096];
    struct stat itself, info;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path ||
        lstat(path, &itself))
        return;
    bool linked = S_ISLNK(itself.st_mode);
    if (linked && stat(path, &info))
        info = itself; // one that leads nowhere is a file that cannot be read
    else if (!linked)
        info = itself;
    if (!S_ISDIR(info.st_mode)) {
        add_file(walk->triage, path, false);
        return;
    }
    bool is_out =
        walk->out.st_ino && info.st_ino == walk->out.st_ino && info.st_dev == walk->out.st_dev;
    if (linked || is_out || name[0] == '.')
        return;
    struct place place;
    size_t before = walk->triage->file_count;
    walk_folder(walk, path, depth + 1);
    place_of(path, &place);
    // Where a case should be and nothing is: it is said to be a folder.
    size_t pattern = pattern_of(&place);
    if (walk->triage->file_count == before && pattern < PATTERNS && !patterns[pattern].no_case)
        add_file(walk->triage, path, false);
}

// A folder that cannot be read is one of the files that cannot.
static void walk_folder(const struct walk *walk, const char *path, int depth) {
    DIR *folder = depth > COLLECT_DEPTH ? NULL : opendir(path);
    if (!folder) {
        add(walk->triage, path, ORIGIN_FILE);
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            walk_entry(walk, path, entry->d_name, depth);
    closedir(folder);
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct triage_file *)a)->path, ((const struct triage_file *)b)->path);
}

// The same path twice (a folder, and a file in it) is one file.
static void drop_repeats(struct triage *t) {
    size_t kept = 0;
    if (t->file_count)
        qsort(t->files, t->file_count, sizeof *t->files, by_path);
    for (size_t i = 0; i < t->file_count; i++) {
        if (kept && strcmp(t->files[kept - 1].path, t->files[i].path) == 0)
            free(t->files[i].path);
        else
            t->files[kept++] = t->files[i];
    }
    t->file_count = kept;
}

static int take(const struct walk *walk, const char *given, struct fault *fault) {
    char path[4096];
    struct stat info;
    size_t length = strlen(given);
    while (length > 1 && given[length - 1] == '/')
        length--;
    snprintf(path, sizeof path, "%.*s", (int)length, given);
    if (stat(path, &info))
        return fault_errno(fault, "%s", path);
    if (!S_ISDIR(info.st_mode)) {
        add_file(walk->triage, path, true);
        return 0;
    }
    DIR *folder = opendir(path);
    if (!folder)
        return fault_errno(fault, "%s", path);
    closedir(folder);
    walk_folder(walk, path, 0);
    return 0;
}

int triage_collect(struct triage *t, struct fault *fault) {
    struct walk walk = {.triage = t};
    if (t->out && stat(t->out, &walk.out))
        walk.out.st_ino = 0;
    for (int i = 0; i < t->path_count; i++)
        if (take(&walk, t->paths[i], fault))
            return -1;
    drop_repeats(t);
    return 0;
}
