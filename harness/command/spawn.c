// SPDX-License-Identifier: Apache-2.0
//
// posix_spawn, two pipes and a deadline. The helper has a process group of its own: Ctrl-C is for
// the run, which waits for it, and the deadline reaches what it started.
#include "command/spawn.h"

#include "base/bytes.h"
#include "exec/clock.h"
#include "exec/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn_start(const char *const *argv, int out, int err, pid_t *pid) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t standard;
    sigemptyset(&standard);
    sigaddset(&standard, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, 1);
    posix_spawn_file_actions_adddup2(&files, err, 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigdefault(&attributes, &standard);
    // posix_spawn promises not to write to argv; its type is older than const.
    int error =
        posix_spawnp(pid, argv[0], &files, &attributes, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

// Takes what is there; -1 in place of the descriptor at its end.
static int spawn_drain(int fd, struct buffer *to) {
    char piece[4096];
    ssize_t got = 0;
    while (fd >= 0 && ((got = read(fd, piece, sizeof piece)) > 0 || (got < 0 && errno == EINTR)))
        if (got > 0)
            buffer_append(to, piece, min_u64((uint64_t)got, SPAWN_CAPTURE - to->length));
    return got == 0 ? -1 : fd;
}

// Until it ends; false: the deadline came first.
static bool spawn_wait(int pidfd, int out, int err, uint64_t end_us,
                       struct spawn_outcome *outcome) {
    struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN},
                           {.fd = out, .events = POLLIN},
                           {.fd = err, .events = POLLIN}};
    for (;;) {
        int ready = poll(fds, 3, clock_left_ms(end_us));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return false;
        bool ended = fds[0].revents; // looked at before the last read
        fds[1].fd = spawn_drain(fds[1].fd, &outcome->out);
        fds[2].fd = spawn_drain(fds[2].fd, &outcome->err);
        if (ended)
            return true;
    }
}

static int spawn_finish(const char *name, pid_t pid, int out, int err, uint32_t deadline_ms,
                        struct spawn_outcome *outcome, struct fault *fault) {
    int pidfd = processes_open(pid), status = 0;
    bool ended =
        pidfd >= 0 && spawn_wait(pidfd, out, err, clock_us() + deadline_ms * 1000ull, outcome);
    // Not reaped yet, so the number of the group cannot have been reused.
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pidfd < 0)
        return fault_set(fault, "%s cannot be waited for: no pidfd", name);
    close(pidfd);
    outcome->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ended ? 0 : fault_set(fault, "%s did not end within %u ms", name, deadline_ms);
}

int spawn_run(const char *const *argv, uint32_t deadline_ms, struct spawn_outcome *outcome,
              struct fault *fault) {
    int out[2], err[2];
    pid_t pid;
    buffer_clear(&outcome->out);
    buffer_clear(&outcome->err);
    buffer_reserve(&outcome->out, 0);
    buffer_reserve(&outcome->err, 0);
    if (pipe2(out, O_CLOEXEC))
        return fault_errno(fault, "no pipe");
    if (pipe2(err, O_CLOEXEC)) {
        close(out[0]);
        close(out[1]);
        return fault_errno(fault, "no pipe");
    }
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    int error = spawn_start(argv, out[1], err[1], &pid), status;
    close(out[1]);
    close(err[1]);
    if (error)
        status = fault_set(fault, "%s cannot be started: %s", argv[0], strerror(error));
    else
        status = spawn_finish(argv[0], pid, out[0], err[0], deadline_ms, outcome, fault);
    close(out[0]);
    close(err[0]);
    return status;
}

void spawn_free(struct spawn_outcome *outcome) {
    buffer_free(&outcome->out);
    buffer_free(&outcome->err);
}
