// SPDX-License-Identifier: Apache-2.0
//
// The launcher: a small static program that runs the tools for the harness, one at a time, and
// cleans up after it. It is a process of its own for three reasons. An engine's process may be
// huge, and its fork is not; this one's is. It can do between fork and exec what posix_spawn has no
// word for. And it outlives a harness that was killed: it has its own session and ignores the
// signals that a terminal or a service manager sends around, so the closing of its socket is what
// ends it, and then it kills what still runs and removes the case directory.
//
// It is also the subreaper of everything below it: a process that leaves its group, or whose
// parent dies, becomes our child, and "no children left" is one system call away.
//
//   launcher [guarded directory]     with the socket as fd 0
#include "exec/child.h"
#include "exec/clock.h"
#include "exec/fence.h"
#include "exec/fence_cache.h"
#include "exec/launcher_protocol.h"
#include "exec/processes.h"
#include "exec/watch.h"
#include "exec/workdir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAUNCHER_SOCKET 3

static const char *launcher_guarded; // NULL: nothing to remove
static volatile struct child_failure *launcher_failure;
static struct fence_state launcher_fence; // what the kernel has
static struct process_cap launcher_cap;   // where we live, and with us all that we start

// The directory goes last: while it is there, a sweep finds what else there is.
static _Noreturn void launcher_guard(void) {
    if (launcher_guarded)
        process_cap_leave(&launcher_cap);
    if (launcher_guarded && workdir_name_fits(launcher_guarded))
        workdir_remove_tree(launcher_guarded, NULL);
    _exit(0);
}

static void launcher_fail(struct launcher_reply *reply, enum launcher_step step, int error) {
    reply->kind = LAUNCHER_FAILED;
    reply->step = step;
    reply->status = error;
}

static uint64_t launcher_us(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void launcher_tell(struct launcher_reply *reply, const struct watch_result *result,
                          uint64_t started_us) {
    reply->kind = LAUNCHER_ENDED;
    reply->status = result->status;
    reply->end = (uint8_t)result->end;
    reply->left_processes = result->left_processes;
    reply->wall_us = result->ended_us - started_us;
    reply->user_us = launcher_us(result->usage.ru_utime);
    reply->system_us = launcher_us(result->usage.ru_stime);
    reply->max_resident_kib = (uint64_t)result->usage.ru_maxrss;
}

static void launcher_close(const struct child_plan *plan) {
    close(plan->out);
    close(plan->err);
    if (plan->service >= 0)
        close(plan->service);
}

static void launcher_run(const struct child_plan *plan, const struct launcher_request *request,
                         struct launcher_reply *reply) {
    uint64_t started = clock_us();
    uint64_t deadline =
        request->deadline_ms ? started + request->deadline_ms * 1000ull : UINT64_MAX;
    if (launcher_cap.active)
        process_cap_set(&launcher_cap, request->limits.processes);
    pid_t pid = child_start(plan, launcher_failure);
    int error = errno;
    // Only the child may hold the write ends now, or the harness would never see their end.
    launcher_close(plan);
    if (pid < 0) {
        launcher_fail(reply, LAUNCHER_STEP_PROCESS, error);
        return;
    }
    int pidfd = processes_open(pid);
    error = errno;
    const struct watch watch = {
        .pid = pid,
        .pidfd = pidfd,
        .lifeline = LAUNCHER_SOCKET,
        .deadline_us = deadline,
        .limits = request->limits,
        .directory = plan->directory,
        .cap = launcher_cap.active ? &launcher_cap : NULL,
    };
    struct watch_result result;
    watch_command(&watch, &result);
    if (pidfd >= 0)
        close(pidfd);
    if (result.end == WATCH_DESERTED)
        launcher_guard();
    if (pidfd < 0)
        launcher_fail(reply, LAUNCHER_STEP_PROCESS, error);
    else if (launcher_failure->error)
        launcher_fail(reply, (enum launcher_step)launcher_failure->step, launcher_failure->error);
    else
        launcher_tell(reply, &result, started);
}

// Points `list` at `count` strings and a NULL; returns what follows them, or NULL if there are
// fewer.
static char *launcher_strings(char *at, const char *end, uint32_t count, char **list) {
    for (uint32_t i = 0; i < count; i++) {
        char *nul = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;
        if (!nul)
            return NULL;
        list[i] = at;
        at = nul + 1;
    }
    list[count] = NULL;
    return at;
}

// The fence of a command. False with errno: it asks for one that cannot be made.
static bool launcher_enclose(struct child_plan *plan, char *const *list) {
    plan->fenced = *list != NULL;
    plan->seccomp = launcher_fence.seccomp;
    plan->ruleset = -1;
    if (!plan->fenced || !launcher_fence.landlock)
        return true;
    plan->ruleset = fence_cached(launcher_fence.landlock, list, plan->directory);
    return plan->ruleset >= 0;
}

static void launcher_answer(struct launcher_request *request, char *text, const char *end,
                            const int fds[LAUNCHER_FDS_MAX]) {
    // Four lists, each with a NULL behind it: program and directory, arguments, environment, fence.
    static char *strings[2 + 1 + LAUNCHER_STRINGS_MAX + 3];
    struct launcher_reply reply = {.number = request->number};
    uint32_t arguments = request->argument_count, environment = request->environment_count;
    char **fence = strings + 3 + (size_t)arguments + 1 + environment + 1;
    struct child_plan plan = {.out = fds[0], .err = fds[1], .service = fds[2]};
    bool sound = arguments <= LAUNCHER_STRINGS_MAX &&
                 environment <= LAUNCHER_STRINGS_MAX - arguments &&
                 request->fence_count <= LAUNCHER_STRINGS_MAX - arguments - environment &&
                 (text = launcher_strings(text, end, 2, strings)) &&
                 (text = launcher_strings(text, end, arguments, strings + 3)) &&
                 (text = launcher_strings(text, end, environment, strings + 3 + arguments + 1)) &&
                 launcher_strings(text, end, request->fence_count, fence) == end;
    if (sound) {
        plan.program = strings[0];
        plan.directory = strings[1];
        plan.argv = strings + 3;
        plan.environment = strings + 3 + arguments + 1;
        plan.file_size_limit = request->file_size_limit;
        plan.cpu_seconds_limit = request->cpu_seconds_limit;
        if (launcher_enclose(&plan, fence)) {
            launcher_run(&plan, request, &reply);
        } else {
            launcher_fail(&reply, LAUNCHER_STEP_FENCE, errno);
            launcher_close(&plan);
        }
    } else {
        launcher_close(&plan);
        launcher_fail(&reply, LAUNCHER_STEP_REQUEST, EBADMSG);
    }
    while (send(LAUNCHER_SOCKET, &reply, sizeof reply, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

// Takes the descriptors out of a message: two or three, the missing one is -1. False: another
// number.
static bool launcher_descriptors(struct msghdr *message, int fds[LAUNCHER_FDS_MAX]) {
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS ||
        control->cmsg_len < CMSG_LEN(2 * sizeof(int)) ||
        control->cmsg_len > CMSG_LEN(LAUNCHER_FDS_MAX * sizeof(int)))
        return false;
    fds[2] = -1;
    memcpy(fds, CMSG_DATA(control), control->cmsg_len - CMSG_LEN(0));
    return true;
}

static _Noreturn void launcher_serve(void) {
    static union {
        struct launcher_request header;
        char bytes[LAUNCHER_MESSAGE_MAX];
    } request;
    for (;;) {
        union {
            struct cmsghdr align;
            char bytes[CMSG_SPACE(LAUNCHER_FDS_MAX * sizeof(int))];
        } control;
        struct iovec vector = {request.bytes, sizeof request};
        struct msghdr message = {
            .msg_iov = &vector,
            .msg_iovlen = 1,
            .msg_control = &control,
            .msg_controllen = sizeof control,
        };
        ssize_t length = recvmsg(LAUNCHER_SOCKET, &message, MSG_CMSG_CLOEXEC);
        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            launcher_guard();
        if ((size_t)length < sizeof request.header || (message.msg_flags & MSG_TRUNC))
            launcher_guard(); // not our harness
        if (request.header.kind == LAUNCHER_STOP) {
            if (launcher_guarded)
                process_cap_leave(&launcher_cap);
            _exit(0);
        }
        int fds[LAUNCHER_FDS_MAX];
        if (request.header.kind != LAUNCHER_RUN || !launcher_descriptors(&message, fds))
            launcher_guard();
        launcher_answer(&request.header, request.bytes + sizeof request.header,
                        request.bytes + length, fds);
    }
}

// By the bare call: posix_spawn leaves the C library's own two signals ignored, the library's
// functions refuse to touch them, and a tool would inherit that. All zeros is the default action
// in the kernel's structure on every architecture.
static void launcher_default_signals(void) {
    static const unsigned long defaults[8];
    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, defaults, NULL, NSIG / 8);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// An end of file for who reads, nowhere for who writes. A fuzzing service's sandbox has no /dev; a
// pipe that nobody writes to reads alike.
static int launcher_null(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), ends[2];
    if (null >= 0 || pipe2(ends, O_CLOEXEC))
        return null;
    close(ends[1]);
    return ends[0];
}

// Nothing of the harness stays: no descriptor but the socket (AFL++ has its own at 198 and 199),
// no signal disposition, no mask, no directory that this process would pin.
static int launcher_settle(void) {
    if (dup3(0, LAUNCHER_SOCKET, O_CLOEXEC) < 0)
        return -1;
    processes_close_from(LAUNCHER_SOCKET + 1);
    int null = launcher_null();
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        return -1;
    close(null);

    launcher_default_signals();
    child_signals(SIG_IGN);

    umask(022);
    if (chdir("/") || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
        return -1;
    void *shared = mmap(NULL, sizeof *launcher_failure, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return -1;
    launcher_failure = shared;
    return 0;
}

int main(int argc, char **argv) {
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(0, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_SEQPACKET) {
        fputs("launcher: started by instar-fuzz itself, not by hand\n", stderr);
        return 2;
    }
    // Already the leader of its session when the harness started it (connection.c).
    if (getsid(0) != getpid() && setsid() < 0)
        return 2;
    if (argc > 1)
        launcher_guarded = argv[1];
    if (launcher_settle())
        return 2;
    launcher_fence = fence_probe();
    if (launcher_guarded)
        process_cap_enter(&launcher_cap, launcher_guarded);
    struct launcher_reply hello = {
        .number = LAUNCHER_VERSION,
        .kind = LAUNCHER_HELLO,
        .status = launcher_fence.landlock,
        .step = launcher_fence.seccomp,
        .capped = launcher_cap.active,
    };
    while (send(LAUNCHER_SOCKET, &hello, sizeof hello, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
    launcher_serve();
}
