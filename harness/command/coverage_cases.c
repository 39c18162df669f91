// SPDX-License-Identifier: Apache-2.0
//
// The cases of a corpus. What means the same is one case. They are put in the order of their
// hashes, so that a run that is cut short has run a sample of all of them and not what an engine
// happened to keep first, and the same one each time.
#include "command/edges.h"

#include "base/hash.h"
#include "testcase/testcase.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// What AFL++ puts beside its cases.
static bool is_no_case(const char *name) {
    return name[0] == '.' || !strcmp(name, "README.txt");
}

static void add_file(struct coverage_cases *cases, const char *path) {
    static struct testcase testcase;
    uint8_t bytes[CASE_MAX_BYTES];
    struct fault fault = {0};
    cases->files++;
    if (case_load(&testcase, path, &fault)) {
        if (!cases->unreadable++)
            cases->fault = fault;
        return;
    }
    uint32_t size = (uint32_t)case_encode(&testcase, bytes);
    cases->items =
        array_room(cases->items, &cases->capacity, cases->count + 1, sizeof *cases->items);
    cases->items[cases->count++] =
        (struct coverage_case){.bytes = memcpy(must_realloc(NULL, size + 1), bytes, size),
                               .size = size,
                               .hash = hash_mixed(hash_bytes(bytes, size))};
}

static int add_folder(struct coverage_cases *cases, const char *path, struct fault *fault) {
    char inner[4096];
    struct stat info;
    DIR *folder = opendir(path);
    if (!folder)
        return fault_errno(fault, "%s", path);
    for (struct dirent *entry; (entry = readdir(folder));) {
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (!is_no_case(entry->d_name) && stat(inner, &info) == 0 && S_ISREG(info.st_mode))
            add_file(cases, inner);
    }
    closedir(folder);
    return 0;
}

static int by_hash(const void *a, const void *b) {
    const struct coverage_case *left = a, *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    if (left->size != right->size)
        return left->size < right->size ? -1 : 1;
    return memcmp(left->bytes, right->bytes, left->size);
}

static void drop_repeats(struct coverage_cases *cases) {
    size_t kept = 0;
    if (cases->count)
        qsort(cases->items, cases->count, sizeof *cases->items, by_hash);
    for (size_t i = 0; i < cases->count; i++) {
        if (kept && by_hash(&cases->items[kept - 1], &cases->items[i]) == 0)
            free(cases->items[i].bytes);
        else
            cases->items[kept++] = cases->items[i];
    }
    cases->count = kept;
}

int coverage_collect(struct coverage_cases *cases, char *const *paths, int count,
                     struct fault *fault) {
    struct stat info;
    for (int i = 0; i < count; i++) {
        if (stat(paths[i], &info))
            return fault_errno(fault, "%s", paths[i]);
        if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode))
            return fault_set(fault, "%s: neither a folder nor a file", paths[i]);
        if (S_ISREG(info.st_mode))
            add_file(cases, paths[i]);
        else if (add_folder(cases, paths[i], fault))
            return -1;
    }
    drop_repeats(cases);
    return 0;
}
