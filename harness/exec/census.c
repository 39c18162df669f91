// SPDX-License-Identifier: Apache-2.0
//
// Sums over processes and over files.
#include "exec/census.h"

#include "exec/bare.h"
#include "exec/family.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

// The second number of /proc/<pid>/statm, in pages.
static uint64_t census_resident(pid_t pid) {
    char path[64], text[128];
    bare_text(bare_number(bare_text(path, "/proc/"), (uint64_t)pid), "/statm");
    const char *at = text;
    if (bare_read(path, text, sizeof text) <= 0)
        return 0;
    bare_parse(&at);
    return bare_parse(&at) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void census_one(pid_t pid, pid_t parent, void *memory) {
    (void)parent;
    *(uint64_t *)memory += census_resident(pid);
}

struct census census_below(void) {
    struct census census = {0};
    census.processes = family_walk(census_one, &census.memory);
    return census;
}

struct census_files {
    int directory;
    uint64_t bytes;
};

static bool census_file(const char *name, void *context) {
    struct census_files *files = context;
    struct stat status;
    if (!fstatat(files->directory, name, &status, AT_SYMLINK_NOFOLLOW))
        files->bytes += (uint64_t)status.st_blocks * 512;
    return true;
}

uint64_t census_space(const char *directory) {
    struct census_files files = {.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (files.directory < 0)
        return 0;
    bare_each(files.directory, census_file, &files);
    close(files.directory);
    return files.bytes;
}
