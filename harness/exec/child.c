// SPDX-License-Identifier: Apache-2.0
//
// From vfork to execve. The child runs in the launcher's memory while the launcher waits, so it
// only makes system calls, calls nothing that allocates, and never returns. Everything it changes
// (group, signal dispositions, limits, directory, descriptors) belongs to the child alone even
// under vfork.
#include "exec/child.h"

#include "exec/fence.h"
#include "exec/warm_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

// What a shell uses for "could not be executed"; nobody reads it, the failure record says more.
#define CHILD_NEVER_RAN 127

static _Noreturn void child_fail(volatile struct child_failure *failure, enum launcher_step step) {
    failure->error = errno;
    failure->step = (int32_t)step;
    _exit(CHILD_NEVER_RAN);
}

// Lowers both limits, never above what the machine's owner set as the hard one. The soft and the
// hard limit may differ, so that RLIMIT_CPU has a SIGXCPU before its SIGKILL.
static int child_limit(int resource, rlim_t soft, rlim_t hard) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit))
        return -1;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > hard)
        limit.rlim_max = hard;
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &limit);
}

static int child_limits(const struct child_plan *plan) {
    if (child_limit(RLIMIT_CORE, 0, 0))
        return -1;
    if (plan->file_size_limit &&
        child_limit(RLIMIT_FSIZE, plan->file_size_limit, plan->file_size_limit))
        return -1;
    if (plan->cpu_seconds_limit &&
        child_limit(RLIMIT_CPU, plan->cpu_seconds_limit, (rlim_t)plan->cpu_seconds_limit + 1))
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void child_signals(void (*disposition)(int)) {
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], disposition);
}

// dup2 onto itself would leave it CLOEXEC.
static int child_move(int from, int to) {
    if (from == to)
        return fcntl(from, F_SETFD, 0);
    return dup2(from, to) < 0 ? -1 : 0;
}

static _Noreturn void child_become(const struct child_plan *plan, pid_t parent,
                                   volatile struct child_failure *failure) {
    if (setpgid(0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
        child_fail(failure, LAUNCHER_STEP_PREPARE);
    if (getppid() != parent) // it died before the request above could take effect
        _exit(CHILD_NEVER_RAN);
    child_signals(SIG_DFL);
    // 0 is /dev/null already; everything else in the launcher is CLOEXEC.
    if (child_limits(plan) || dup2(plan->out, 1) < 0 || dup2(plan->err, 2) < 0 ||
        (plan->service >= 0 && child_move(plan->service, WARM_SOCKET)))
        child_fail(failure, LAUNCHER_STEP_PREPARE);
    if (chdir(plan->directory))
        child_fail(failure, LAUNCHER_STEP_DIRECTORY);
    if (plan->fenced && fence_enter(plan->ruleset, plan->seccomp))
        child_fail(failure, LAUNCHER_STEP_FENCE);
    execve(plan->program, plan->argv, plan->environment);
    child_fail(failure, LAUNCHER_STEP_PROGRAM);
}

pid_t child_start(const struct child_plan *plan, volatile struct child_failure *failure) {
    failure->error = 0;
    pid_t parent = getpid();
    pid_t child = vfork();
    if (!child)
        child_become(plan, parent, failure);
    return child;
}
