// SPDX-License-Identifier: Apache-2.0
//
// Where the results of a call go, decided before anything is run: a night's work must not end at a
// name that is taken, and no result may replace a file that nobody has named.
#include "command/minimize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_text(const char *path) {
    size_t length = strlen(path);
    return length > 5 && strcmp(path + length - 5, ".json") == 0;
}

// --out x and --out x.json both name x and x.json. Beside a case its whole name is kept, so that
// the results of x and of x.json differ.
static int choose(struct minimize_paths *paths, const char *path, const char *out,
                  struct fault *fault) {
    const char *name = out ? out : path;
    int stem = (int)(strlen(name) - (out && is_text(name) ? 5 : 0));
    if (strlen(name) + 32 > sizeof paths->bytes)
        return fault_set(fault, "%s: the name is too long", name);
    snprintf(paths->bytes, sizeof paths->bytes, "%.*s%s", stem, name, out ? "" : ".min");
    snprintf(paths->text, sizeof paths->text, "%.*s%s.json", stem, name, out ? "" : ".min");
    return 0;
}

static const char *path_at(const struct minimize_paths *paths, int at) {
    return at % 2 ? paths[at / 2].text : paths[at / 2].bytes;
}

static void placeholder(const char *path, char name[4096]) {
    snprintf(name, 4096, "%s.%ld", path, (long)getpid());
}

// A file of our own beside the result tells whether one can be made there, and, for as long as it
// stands, whether another result has that name, by whatever path.
static int hold(const char *path, bool replace, struct fault *fault) {
    char name[4096];
    struct stat there;
    bool taken = lstat(path, &there) == 0;
    if (taken && S_ISDIR(there.st_mode))
        return fault_set(fault, "%s is a folder", path);
    if (taken && !replace)
        return fault_set(fault, "%s is there already: remove it, or name it with --out", path);
    placeholder(path, name);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST)
        return fault_set(fault, "two results would be written to %s", path);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    close(fd);
    return 0;
}

static void let_go(const char *path) {
    char name[4096];
    placeholder(path, name);
    unlink(name);
}

int minimize_choose(struct minimize_paths *paths, char **cases, int count, const char *out,
                    struct fault *fault) {
    int status = 0, held = 0;
    for (int i = 0; i < count && status == 0; i++)
        status = choose(&paths[i], cases[i], out, fault);
    while (status == 0 && held < 2 * count) {
        status = hold(path_at(paths, held), out != NULL, fault);
        held += status == 0;
    }
    while (held > 0)
        let_go(path_at(paths, --held));
    return status;
}
