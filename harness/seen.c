// SPDX-License-Identifier: Apache-2.0
//
// Signatures as file names. A signature holds only letters, digits, '_' and '-'; its length stays
// below NAME_MAX because its parts are bounded.
#include "seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int seen_open(const char *folder, struct fault *fault) {
    if (folder && mkdir(folder, 0777) && errno != EEXIST)
        return fault_errno(fault, "%s", folder);
    if (folder && access(folder, W_OK))
        return fault_errno(fault, "%s", folder);
    return 0;
}

bool seen_contains(const char *folder, const char *signature) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "", signature);
    return folder && access(path, F_OK) == 0;
}

int seen_claim(const char *folder, const char *signature, struct fault *fault) {
    if (!folder)
        return 1;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, signature);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno == EEXIST ? 0 : fault_errno(fault, "%s", path);
    close(fd);
    return 1;
}
