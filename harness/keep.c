// SPDX-License-Identifier: Apache-2.0
//
// See keep.h. The name holds a hash of the case, so that the same case is kept once.
#include "keep.h"

#include "base/file.h"
#include "base/hash.h"
#include "image/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t count_files(const char *path) {
    DIR *folder = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return count;
}

static void write_file(const char *path, int flags, const void *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    if (fd < 0)
        return;
    struct fault fault;
    if (file_pwrite(fd, data, size, 0, &fault) | close(fd))
        unlink(path); // half a file would stand in the way of a whole one
}

void keep_case(const char *out, const char *folder, const char *name, const uint8_t *data,
               size_t size, const char *why) {
    char path[4096];
    if (!out)
        return;
    if (mkdir(out, 0777) && errno != EEXIST)
        return;
    snprintf(path, sizeof path, "%s/%s", out, folder);
    if (mkdir(path, 0777) && errno != EEXIST)
        return;
    bool full = count_files(path) >= KEEP_MOST;
    unsigned long long hash = hash_bytes(data, size);
    snprintf(path, sizeof path, "%s/%s/%s-%016llx.bin", out, folder, name, hash);
    if (!full)
        write_file(path, O_EXCL, data, size);
    if (!why)
        return;
    // Written anew each time: a campaign sees by its age that it happened again.
    bool kept = access(path, F_OK) == 0;
    if (kept)
        snprintf(path, sizeof path, "%s/%s/%s-%016llx.txt", out, folder, name, hash);
    else
        snprintf(path, sizeof path, "%s/%s/%s-more.txt", out, folder, name);
    write_file(path, O_TRUNC, why, strlen(why));
}
