// SPDX-License-Identifier: Apache-2.0
//
// The programs that the exec tests run: modes of the test binary itself, so that a test and the
// child it needs are read in one place and nothing of the system's is relied on. A test's main()
// hands `<binary> helper MODE ...` to helper_main. Modes end by _exit: a leak check would only
// cost time.
#ifndef TESTS_EXEC_HELPER_H
#define TESTS_EXEC_HELPER_H

#include "exec/exec.h"
#include "exec/shim.h"
#include "exec/workdir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// What is waited for takes moments on a quiet machine; only who fails waits that long.
#define HELPER_MAX_WAIT_MS 60000
// Far above the short deadlines of the tests, and below that of everything else.
#define HELPER_DEADLINE_MS 20000
#define HELPER_SOON_US     15000000u

extern char **environ;

static inline void helper_write(int fd, const void *data, size_t length) {
    for (const char *at = data; length;) {
        ssize_t done = write(fd, at, length);
        if (done < 0)
            _exit(99);
        at += done;
        length -= (size_t)done;
    }
}

// The whole file appears at once, so a reader never sees half of it.
static inline void helper_write_file(const char *path, const char *text) {
    char temporary[PATH_MAX + 32];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    helper_write(fd, text, strlen(text));
    close(fd);
    rename(temporary, path);
}

static inline _Noreturn void helper_sleep(void) {
    for (;;)
        pause();
}

// Starts a process in this group and one that left it and its session, both sleeping and both
// holding stdout. Written to `path`: their pids, this one's and the launcher's.
static inline void helper_family(const char *path) {
    pid_t member = fork();
    if (!member)
        helper_sleep();
    int ready[2];
    if (pipe(ready))
        _exit(98);
    pid_t stranger = fork();
    if (!stranger) {
        setsid();
        helper_write(ready[1], "x", 1);
        helper_sleep();
    }
    char byte, text[64];
    (void)!read(ready[0], &byte, 1);
    snprintf(text, sizeof text, "%d %d %d %d", (int)member, (int)stranger, (int)getpid(),
             (int)getppid());
    helper_write_file(path, text);
}

static inline void helper_flood(size_t each) {
    static char block[256 * 1024];
    memset(block, 'f', sizeof block);
    for (size_t done = 0; done < each; done += sizeof block) {
        helper_write(1, block, sizeof block);
        helper_write(2, block, sizeof block);
    }
}

static inline void helper_list_fds(void) {
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            dprintf(1, "%d ", fd);
}

// Lines of /proc/self/status that tell what was inherited, and the limits.
static inline void helper_state(void) {
    char line[256];
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, "Sig", 3) || !strncmp(line, "NoNewPrivs", 10))
            dprintf(1, "%s", line);
    struct rlimit core;
    getrlimit(RLIMIT_CORE, &core);
    dprintf(1, "core %llu\nleader %d\n", (unsigned long long)core.rlim_max, getpgid(0) == getpid());
}

// The harness of the guard tests: a directory under argv[0], and a tool that runs until the
// harness is killed from outside. Without a third argument it runs nothing and waits.
static inline void helper_harness(char **argv) {
    struct workdir workdir;
    struct exec *exec;
    struct fault fault;
    if (workdir_create(&workdir, argv[0], &fault) ||
        exec_start(&exec, argv[1], workdir.path, &fault))
        _exit(97);
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s/harness", argv[0]);
    helper_write_file(name, workdir.path);
    if (!argv[2])
        helper_sleep();
    char self[PATH_MAX] = {0};
    (void)!readlink("/proc/self/exe", self, sizeof self - 1);
    snprintf(name, sizeof name, "%s/family", argv[0]);
    struct exec_outcome outcome = {0};
    exec_run(exec,
             &(struct exec_command){
                 .program = self,
                 .argv = (const char *[]){"tool", "helper", "family", name, NULL},
                 .environment = (const char *[]){NULL},
                 .directory = workdir.case_path,
                 .deadline_ms = 60000,
                 .capture_limit = 100,
             },
             &outcome, &fault);
    _exit(96);
}

static inline _Noreturn void helper_main(char **argv) {
    const char *mode = argv[0];
    if (!strcmp(mode, "exit"))
        _exit(atoi(argv[1]));
    if (!strcmp(mode, "raise"))
        raise(atoi(argv[1]));
    if (!strcmp(mode, "sleep"))
        helper_sleep();
    if (!strcmp(mode, "family")) {
        helper_family(argv[1]);
        helper_sleep();
    }
    if (!strcmp(mode, "abandon")) { // as family, but ends at once
        helper_family(argv[1]);
        _exit(7);
    }
    if (!strcmp(mode, "zombie")) { // a child that ended and was never waited for
        pid_t child = fork();
        siginfo_t info;
        if (child)
            waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    }
    if (!strcmp(mode, "kill-launcher")) {
        helper_family(argv[1]);
        kill(getppid(), SIGKILL);
        helper_sleep();
    }
    if (!strcmp(mode, "flood"))
        helper_flood((size_t)atol(argv[1]));
    if (!strcmp(mode, "flood-forever"))
        helper_flood(SIZE_MAX / 2);
    if (!strcmp(mode, "garbage"))
        helper_write(1, "a\0b\xff\n\0", 6);
    if (!strcmp(mode, "print")) {
        dprintf(1, "%s", argv[1]);
        dprintf(2, "%s", argv[2]);
    }
    if (!strcmp(mode, "arguments"))
        for (char **at = argv + 1; *at; at++)
            dprintf(1, "[%s]", *at);
    if (!strcmp(mode, "environment"))
        for (char **at = environ; *at; at++)
            dprintf(1, "%s\n", *at);
    if (!strcmp(mode, "stdin")) {
        char byte;
        char link[64] = {0};
        (void)!readlink("/proc/self/fd/0", link, sizeof link - 1);
        dprintf(1, "%s %zd", link, read(0, &byte, 1));
    }
    if (!strcmp(mode, "fds"))
        helper_list_fds();
    if (!strcmp(mode, "state"))
        helper_state();
    if (!strcmp(mode, "directory")) {
        char path[PATH_MAX];
        dprintf(1, "%s", getcwd(path, sizeof path));
    }
    if (!strcmp(mode, "grow")) {
        int fd = open("grown", O_WRONLY | O_CREAT, 0600);
        for (;;)
            helper_write(fd, "0123456789abcdef", 16);
    }
    if (!strcmp(mode, "spin"))
        for (volatile unsigned turn = 0;; turn++)
            ;
    if (!strcmp(mode, "harness"))
        helper_harness(argv + 1);
    _exit(0);
}

// --- for the tests themselves ---

static inline const char *helper_self(void) {
    static char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(length > 0);
    path[length] = 0;
    return path;
}

static inline const char *helper_launcher(void) {
    static char path[PATH_MAX];
    struct fault fault;
    const char *given = getenv("LAUNCHER");
    if (given)
        snprintf(path, sizeof path, "%s", given);
    else if (exec_find_beside("launcher", path, sizeof path, &fault))
        fail_msg("%s (or set LAUNCHER)", fault.text);
    return path;
}

// A command that runs a mode of this binary in /, with an empty environment. The arguments are
// copied, so the result lives until the next call.
static inline struct exec_command helper_command(const char *const *mode) {
    static const char *argv[16];
    static const char *const environment[] = {NULL};
    size_t count = 0;
    argv[count++] = "tool";
    argv[count++] = "helper";
    while (*mode)
        argv[count++] = *mode++;
    argv[count] = NULL;
    return (struct exec_command){
        .program = helper_self(),
        .argv = argv,
        .environment = environment,
        .directory = "/",
        .deadline_ms = HELPER_DEADLINE_MS,
        .capture_limit = 64 * 1024,
    };
}
#define HELPER(...) helper_command((const char *const[]){__VA_ARGS__, NULL})

static inline bool helper_alive(pid_t pid) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    const char *behind_name = strrchr(text, ')');
    return behind_name && behind_name[1] && behind_name[2] != 'Z' && behind_name[2] != 'X';
}

// Reads a file that another process is about to write; false if it does not within the wait.
static inline bool helper_read_file(const char *path, char *text, size_t room) {
    for (int waited = 0; waited < HELPER_MAX_WAIT_MS; waited += 2) {
        FILE *file = fopen(path, "re");
        if (file) {
            size_t length = fread(text, 1, room - 1, file);
            text[length] = 0;
            fclose(file);
            return true;
        }
        poll(NULL, 0, 2);
    }
    return false;
}

enum { FAMILY_MEMBER, FAMILY_STRANGER, FAMILY_LEADER, FAMILY_LAUNCHER, FAMILY };

static inline void helper_read_family(const char *path, pid_t family[FAMILY]) {
    char text[64];
    assert_true(helper_read_file(path, text, sizeof text));
    assert_int_equal(sscanf(text, "%d %d %d %d", &family[0], &family[1], &family[2], &family[3]),
                     FAMILY);
}

#endif
