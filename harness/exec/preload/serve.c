// SPDX-License-Identifier: Apache-2.0
//
// The server half that both ways of serving share, and the simpler way: a fork for each command.
// It runs in the warm process, which is the tool half-way through its start, before anything of a
// command has happened, and which is the parent of what runs the command.
#include "exec/preload/serve.h"

#include "exec/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// Where the tool will not meet it: a tool's own descriptors are numbered from 3.
#define SERVE_DESCRIPTOR 500

int serve_socket = -1;

void serve_open(void) {
    serve_socket = fcntl(WARM_SOCKET, F_DUPFD_CLOEXEC, SERVE_DESCRIPTOR);
    if (serve_socket < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
        _exit(SERVE_BROKEN);
    close(WARM_SOCKET);
}

void serve_hello(enum exec_backend backend) {
    struct launcher_reply hello = {
        .number = LAUNCHER_VERSION, .kind = LAUNCHER_HELLO, .step = backend};
    serve_reply(&hello);
}

void serve_reply(const struct launcher_reply *reply) {
    while (send(serve_socket, reply, sizeof *reply, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            _exit(0); // nobody is there
}

// Points at the arguments. False: this is no request.
static bool serve_parse(struct preload_command *command, char *text, const char *end) {
    uint32_t count = command->request.argument_count;
    if (command->request.kind != LAUNCHER_RUN || !count || count >= WARM_ARGUMENTS)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        char *nul = text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;
        if (!nul)
            return false;
        command->arguments[i] = text;
        text = nul + 1;
    }
    command->arguments[count] = NULL;
    return text == end;
}

void serve_next(struct preload_command *command) {
    static union {
        struct launcher_request header;
        char bytes[LAUNCHER_MESSAGE_MAX];
    } message;
    ssize_t length;
    do
        length = recv(serve_socket, &message, sizeof message, 0);
    while (length < 0 && errno == EINTR);
    if (length <= 0)
        _exit(0);
    command->request = message.header;
    if ((size_t)length < sizeof message.header ||
        !serve_parse(command, message.bytes + sizeof message.header, message.bytes + length))
        _exit(SERVE_BROKEN);
}

void serve_limit(const struct launcher_request *request, uint64_t used_us) {
    struct rlimit limit;
    // The clock of a worker goes on from command to command.
    if (request->cpu_seconds_limit && !getrlimit(RLIMIT_CPU, &limit)) {
        limit.rlim_cur = (used_us + 999999) / 1000000 + request->cpu_seconds_limit;
        setrlimit(RLIMIT_CPU, &limit);
    }
}

void serve_become_child(pid_t parent) {
    // A command is a group of its own, and ends with the process that waits for it.
    if (setpgid(0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != parent)
        _exit(SERVE_BROKEN);
}

// False if anything that was started below lived on. What left the group cannot be found from
// inside the fence and may still live.
static bool serve_rest_is_gone(void) {
    bool left = false;
    for (uint64_t end = clock_us() + WATCH_GRACE_US; clock_us() < end;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0)
            return !left; // no children: all that it had started ended by themselves
        left |= pid == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        if (pid == 0)
            poll(NULL, 0, 1);
    }
    return false;
}

static uint64_t serve_us(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

void serve_usage(struct launcher_reply *reply, const struct rusage *before,
                 const struct rusage *after) {
    reply->user_us = serve_us(after->ru_utime) - serve_us(before->ru_utime);
    reply->system_us = serve_us(after->ru_stime) - serve_us(before->ru_stime);
    reply->max_resident_kib = (uint64_t)after->ru_maxrss;
}

static bool serve_watch(pid_t pid, int pidfd, uint64_t (*deadline_us)(void)) {
    struct pollfd fds[] = {
        {.fd = pidfd, .events = POLLIN},
        {.fd = serve_socket, .events = 0}, // a hang-up only: further requests wait
    };
    uint64_t told = 0; // when it was asked to end
    for (;;) {
        uint64_t end = told ? told + WATCH_GRACE_US : deadline_us();
        int ready = poll(fds, 2, clock_left_ms(end));
        if (ready < 0 && errno == EINTR)
            continue;
        if (fds[0].revents)
            return told;
        if (ready < 0 || fds[1].revents) {
            kill(-pid, SIGKILL);
            _exit(0);
        }
        if (clock_us() < (told ? end : deadline_us()))
            continue;
        kill(-pid, told ? SIGKILL : SIGTERM);
        told = clock_us();
    }
}

void serve_end(pid_t pid, uint64_t (*deadline_us)(void), struct launcher_reply *reply,
               struct rusage *usage) {
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        _exit(SERVE_BROKEN);
    reply->end = serve_watch(pid, pidfd, deadline_us) ? WATCH_DEADLINE : WATCH_ENDED;
    close(pidfd);
    // A zombie at the most, so the number of the group cannot have been used again.
    kill(-pid, SIGKILL);
    while (wait4(pid, &reply->status, 0, usage) < 0 && errno == EINTR)
        ;
    reply->left_processes = !serve_rest_is_gone();
}

static uint64_t serve_deadline;
static uint64_t serve_deadline_us(void) {
    return serve_deadline;
}

static void serve_wait(pid_t pid, const struct launcher_request *request, uint64_t started) {
    static const struct rusage nothing;
    struct launcher_reply reply = {.number = request->number, .kind = LAUNCHER_ENDED};
    struct rusage usage = {0};
    serve_deadline = started + request->deadline_ms * 1000ull;
    serve_end(pid, serve_deadline_us, &reply, &usage);
    reply.wall_us = clock_us() - started;
    serve_usage(&reply, &nothing, &usage);
    serve_reply(&reply);
}

void serve_forks(struct preload_command *command) {
    pid_t parent = getpid();
    serve_hello(preload_backend());
    for (;;) {
        serve_next(command);
        uint64_t started = clock_us();
        pid_t pid = fork();
        if (pid < 0)
            _exit(SERVE_BROKEN);
        if (pid == 0) {
            serve_become_child(parent);
            serve_limit(&command->request, 0);
            close(serve_socket);
            return;
        }
        serve_wait(pid, &command->request, started);
    }
}
