// SPDX-License-Identifier: Apache-2.0
//
// A qemu-img that is right once in each process: it reads its options with getopt_long, lets the
// real one ($0's folder has a link to it, "real") do the work, and from its second command on
// is wrong in a way that its name says. What a self-test must notice, and what a campaign must
// where the self-test did not: "forgetful/qemu-img" complains of everything, "sly/qemu-img" of
// images named src alone, and "deadly/qemu-img" kills the process that it was forked from, so that
// it has no answer; "late-deadly/qemu-img" does so at images named src. "slow/qemu-img" hangs on
// one image of the self-test, however it runs. "counted/qemu-img" is right until a file "spoilt" is
// in its folder, and writes a byte for each command into "commands" there.
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int names(char **words, const char *begin) {
    for (; *words; words++)
        if (!strncmp(*words, begin, strlen(begin)))
            return 1;
    return 0;
}

// In the folder of this program.
static int touch(const char *folder, const char *name, int flags) {
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, flags, 0666);
    int done = fd >= 0 && (flags == O_RDONLY || write(fd, ".", 1) == 1);
    if (fd >= 0)
        close(fd);
    return done;
}

int main(int argc, char **argv) {
    static int runs;
    static const struct option options[] = {{"version", no_argument, NULL, 'V'}, {0}};
    char self[PATH_MAX] = "", real[PATH_MAX + 8], folder[PATH_MAX];
    int version = 0, status;
    pid_t child;
    while (getopt_long(argc, argv, "+", options, NULL) != -1)
        version = 1;
    if (readlink("/proc/self/exe", self, sizeof self - 1) <= 0)
        return 9;
    strcpy(folder, self);
    snprintf(real, sizeof real, "%s/real", dirname(folder));
    char *words[64] = {"qemu-img", version ? "--version" : NULL};
    for (int i = 1; optind < argc && i < 63; i++, optind++)
        words[i] = argv[optind];
    int counted = strstr(self, "/counted/") != NULL, late = names(words, "src.");
    if (counted)
        touch(folder, "commands", O_WRONLY | O_CREAT | O_APPEND);
    if (runs && (strstr(self, "/deadly/") || (late && strstr(self, "/late-deadly/")))) {
        kill(getppid(), SIGKILL);
        pause();
    }
    if (strstr(self, "/slow/") && words[1] && !strcmp(words[1], "info") && names(words, "s1.raw"))
        pause();
    int wrong = strstr(self, "/sly/") ? late
                : counted             ? touch(folder, "spoilt", O_RDONLY)
                                      : strstr(self, "/late-deadly/") == NULL;
    if (runs++ && wrong)
        fprintf(stderr, "qemu-img: this is not my first command\n");
    if (posix_spawn(&child, real, NULL, NULL, words, environ) ||
        waitpid(child, &status, 0) != child)
        return 9;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 9;
}
