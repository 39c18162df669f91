// SPDX-License-Identifier: Apache-2.0
//
// One command's last moments: its own end, its deadline, or that of whoever asked for it, and then
// the end of everything that it left behind.
#include "exec/watch.h"

#include "exec/census.h"
#include "exec/clock.h"
#include "exec/processes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

// How long to wait for killed processes that do not go away (stuck in the kernel).
#define WATCH_PATIENCE_US (5 * 1000000ull)

// Reaps whoever ended. Returns whether there are children left; `*killed`: one of those reaped fell
// to SIGKILL, so it had lived.
static bool watch_reap(bool *killed) {
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return !pid; // else ECHILD: nothing below us any more
        *killed |= WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
}

// Kills what lives below, until nothing does. What forks faster than it can be found is stopped by
// the cap; without one, by going first where we may.
static void watch_hunt(struct process_cap *cap) {
    uint64_t give_up = clock_us() + WATCH_PATIENCE_US;
    int nice = getpriority(PRIO_PROCESS, 0);
    bool ignored;
    if (cap)
        process_cap_close(cap);
    setpriority(PRIO_PROCESS, 0, -20);
    do
        if (!processes_kill_family() && !processes_kill(PROCESSES_CHILDREN_OF, getpid()))
            poll(NULL, 0, 1); // killed, but not gone yet
    while (watch_reap(&ignored) && clock_us() < give_up);
    setpriority(PRIO_PROCESS, 0, nice);
}

// Without events only a hang-up is reported: a further request waits in the socket.
static int watch_poll(const struct watch *watch, uint64_t until_us, struct pollfd fds[2]) {
    fds[0] = (struct pollfd){.fd = watch->pidfd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = watch->lifeline, .events = 0};
    return poll(fds, 2, clock_left_ms(until_us));
}

// WATCH_ENDED: nothing is wrong.
static enum watch_end watch_look(const struct watch *watch) {
    const struct exec_limits *limits = &watch->limits;
    if (watch->cap && process_cap_met(watch->cap))
        return WATCH_PROCESSES;
    struct census census = {0};
    if (limits->memory || limits->processes)
        census = census_below();
    if (limits->processes && census.processes > limits->processes)
        return WATCH_PROCESSES;
    if (limits->memory && census.memory > limits->memory)
        return WATCH_MEMORY;
    if (limits->space && census_space(watch->directory) > limits->space)
        return WATCH_SPACE;
    return WATCH_ENDED;
}

// The deadline passed: SIGTERM, because a program may have something to put away, and a moment for
// that. What it says from here on is no answer, but one that was there already is: then
// `*before` is set.
static enum watch_end watch_ask(const struct watch *watch, bool *before) {
    struct pollfd fds[2];
    uint64_t end = clock_us() + WATCH_GRACE_US;
    kill(-watch->pid, SIGTERM);
    *before = watch_poll(watch, 0, fds) > 0 && fds[0].revents;
    do
        watch_poll(watch, end, fds);
    while (!fds[0].revents && !fds[1].revents && clock_us() < end);
    return !fds[0].revents && fds[1].revents ? WATCH_DESERTED : WATCH_DEADLINE;
}

// Waits for the end of the child, or for a reason to end it.
static enum watch_end watch_wait(const struct watch *watch, bool *before) {
    const struct exec_limits *limits = &watch->limits;
    bool limited = limits->memory || limits->space || limits->processes;
    uint64_t look = limited ? clock_us() + WATCH_TICK_US : UINT64_MAX;
    for (;;) {
        struct pollfd fds[2];
        int ready = watch_poll(watch, look < watch->deadline_us ? look : watch->deadline_us, fds);
        if (ready < 0 && errno == EINTR)
            continue;
        if (fds[0].revents)
            return WATCH_ENDED;
        if (fds[1].revents)
            return WATCH_DESERTED;
        uint64_t now = clock_us();
        if (now >= watch->deadline_us)
            return watch_ask(watch, before);
        enum watch_end end = now >= look ? watch_look(watch) : WATCH_ENDED;
        if (end != WATCH_ENDED)
            return end;
        if (now >= look)
            look = clock_us() + WATCH_TICK_US;
    }
}

// Did one of our two signals end it?
static bool watch_was_killed(int status) {
    return WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM);
}

void watch_command(const struct watch *watch, struct watch_result *result) {
    bool before = false;
    result->end = watch->pidfd >= 0 ? watch_wait(watch, &before) : WATCH_ENDED;
    result->ended_us = clock_us();
    // At the most a zombie, so the number of the group cannot have been reused.
    kill(-watch->pid, SIGKILL);
    while (wait4(watch->pid, &result->status, 0, &result->usage) < 0 && errno == EINTR)
        ;
    bool left = false;
    if (watch_reap(&left)) {
        left = true;
        watch_hunt(watch->cap);
    }
    if (before && !watch_was_killed(result->status))
        result->end = WATCH_ENDED;
    result->left_processes = left && result->end == WATCH_ENDED;
    // Always asked, so that no command answers for the one before.
    bool refused = watch->cap && process_cap_met(watch->cap);
    if (refused && result->end == WATCH_ENDED && result->status)
        result->end = WATCH_PROCESSES;
}
