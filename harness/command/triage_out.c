// SPDX-License-Identifier: Apache-2.0
//
// The folder of a triage. It is made under another name beside its place and takes the place once
// it is whole, so that whoever reads it sees yesterday's or today's and never half of one. Nothing
// is replaced that triage has not written itself.
#include "command/triage.h"

#include "exec/workdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The head of triage.json is enough to know whose it is.
static bool is_ours(const char *folder) {
    char path[4096], head[256] = "";
    snprintf(path, sizeof path, "%s/triage.json", folder);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t length = fread(head, 1, sizeof head - 1, file);
    fclose(file);
    head[length] = 0;
    return strstr(head, "\"instar-fuzz triage\"") != NULL;
}

// -1: it cannot be read.
static int is_empty(const char *path) {
    int entries = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return -1;
    for (struct dirent *entry; (entry = readdir(folder));)
        entries += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return entries == 0;
}

static bool same_file(const char *path, const struct stat *as) {
    struct stat info;
    return stat(path, &info) == 0 && info.st_dev == as->st_dev && info.st_ino == as->st_ino;
}

// Where it is made: beside its place, in the same file system.
static int name_temporary(struct triage_out *out, struct fault *fault) {
    char parent[PATH_MAX], given[3072];
    snprintf(given, sizeof given, "%s", out->path);
    char *slash = strrchr(given, '/');
    const char *name = slash ? slash + 1 : given;
    if (slash)
        *slash = 0;
    const char *above = !slash ? "." : given[0] ? given : "/";
    if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
        return fault_set(fault, "--out %s: expected the name of a folder", out->path);
    if (!realpath(above, parent) || access(above, W_OK | X_OK))
        return fault_errno(fault, "--out %s: %s", out->path, above);
    if (strlen(parent) + strlen(name) + 64 > sizeof out->path)
        return fault_set(fault, "--out %s: the name is too long", out->path);
    snprintf(out->temporary, sizeof out->temporary, "%s/.%s.XXXXXX", parent, name);
    snprintf(out->path, sizeof out->path, "%s/%s", parent, name);
    return 0;
}

int triage_out_check(struct triage_out *out, const char *path, char **inputs, int count,
                     struct fault *fault) {
    struct stat info;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    snprintf(out->path, sizeof out->path, "%.*s", (int)length, path);
    out->replaces = false;
    if (lstat(out->path, &info) == 0) {
        if (!S_ISDIR(info.st_mode))
            return fault_set(fault, "--out %s is not a folder", out->path);
        int empty = is_empty(out->path);
        if (empty < 0)
            return fault_errno(fault, "--out %s", out->path);
        out->replaces = !empty;
        if (!empty && !is_ours(out->path))
            return fault_set(fault, "--out %s is neither empty nor what triage wrote", out->path);
        for (int i = 0; i < count; i++)
            if (same_file(inputs[i], &info))
                return fault_set(fault, "--out %s is what is to be sorted", out->path);
    }
    return name_temporary(out, fault);
}

int triage_out_begin(struct triage_out *out, struct fault *fault) {
    mode_t mask = umask(0);
    umask(mask);
    return !mkdtemp(out->temporary) || chmod(out->temporary, 0777 & ~mask)
               ? fault_errno(fault, "%s", out->temporary)
               : 0;
}

void triage_out_discard(struct triage_out *out) {
    workdir_remove_tree(out->temporary, NULL);
}

int triage_out_commit(struct triage_out *out, struct fault *fault) {
    // An empty folder is replaced by the rename itself.
    if (!out->replaces && rename(out->temporary, out->path) == 0)
        return 0;
    if (out->replaces &&
        renameat2(AT_FDCWD, out->temporary, AT_FDCWD, out->path, RENAME_EXCHANGE) == 0) {
        triage_out_discard(out); // now yesterday's
        return 0;
    }
    fault_errno(fault, "--out %s", out->path);
    if (!out->replaces || errno != EINVAL)
        return -1;
    // A file system that cannot exchange: for a moment there is none.
    char old[3300];
    snprintf(old, sizeof old, "%s.old", out->temporary);
    if (rename(out->path, old))
        return fault_errno(fault, "--out %s", out->path);
    if (rename(out->temporary, out->path)) {
        fault_errno(fault, "--out %s", out->path);
        rename(old, out->path); // yesterday's is better than none
        return -1;
    }
    workdir_remove_tree(old, NULL);
    return 0;
}

// --- where a case lies, for SARIF ----------------------------------------------------------------

// The folder above `from` that holds a repository, or `from`.
static void root_of(const char *from, char root[PATH_MAX]) {
    char at[PATH_MAX], git[PATH_MAX + 8];
    snprintf(at, sizeof at, "%s", from);
    snprintf(root, PATH_MAX, "%s", from);
    for (char *slash; (slash = strrchr(at, '/')); *slash = 0) {
        snprintf(git, sizeof git, "%s/.git", at);
        if (access(git, F_OK) == 0) {
            snprintf(root, PATH_MAX, "%s", at);
            return;
        }
    }
}

static void percent_encode(const char *text, struct buffer *uri) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._~/";
    for (; *text; text++)
        if (strchr(plain, *text))
            buffer_append(uri, text, 1);
        else
            buffer_format(uri, "%%%02X", (unsigned char)*text);
}

void triage_out_uri(const struct triage *t, const struct triage_row *row, struct buffer *uri) {
    char here[PATH_MAX], root[PATH_MAX], path[PATH_MAX + 512], real[PATH_MAX];
    const char *example = row->example_count ? t->files[row->examples[0]].path : "";
    bool reported = t->out && row->settled && row->settled->settled.reported;
    if (reported && realpath(t->out, real))
        snprintf(path, sizeof path, "%s/findings/%s/case.json", real, row->key);
    else if (!reported && realpath(example, real))
        snprintf(path, sizeof path, "%s", real);
    else
        snprintf(path, sizeof path, "%s", reported ? "findings" : example);
    if (getcwd(here, sizeof here))
        root_of(here, root);
    else
        root[0] = 0;
    size_t length = strlen(root);
    bool below = length && strncmp(path, root, length) == 0 && path[length] == '/';
    // What lies elsewhere has no path in the repository; its last names have to do.
    const char *relative = below ? path + length + 1 : path + strspn(path, "/");
    if (!below && reported) {
        snprintf(path, sizeof path, "findings/%s/case.json", row->key);
        relative = path;
    }
    percent_encode(*relative ? relative : "triage.json", uri);
}
