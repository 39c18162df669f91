// SPDX-License-Identifier: Apache-2.0
//
// One command's last moments: its own end, its deadline, or that of whoever asked for it, and then
// the end of everything that it left behind.
#include "exec/watch.h"

#include "exec/clock.h"
#include "exec/processes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

// How long to wait for killed processes that do not go away (stuck in the kernel).
#define WATCH_PATIENCE_US (5 * 1000000ull)

// Reaps every remaining child and kills those that live. Returns whether one of them did live:
// it had to be killed here, or it fell to the group kill just before.
static bool watch_reap_rest(void) {
    bool left = false;
    uint64_t give_up = clock_us() + WATCH_PATIENCE_US;
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0)
            return left; // ECHILD: nothing below us any more
        if (pid > 0) {
            left |= WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
            continue;
        }
        left = true;
        if (clock_us() > give_up)
            return left;
        if (!processes_kill(PROCESSES_CHILDREN_OF, getpid()))
            poll(NULL, 0, 1); // killed, but not gone yet
    }
}

// Waits for the end of the child, or for a reason to end it.
static enum watch_end watch_wait(const struct watch *watch) {
    // Without events only a hang-up is reported: a further request waits in the socket.
    struct pollfd fds[] = {
        {.fd = watch->pidfd, .events = POLLIN},
        {.fd = watch->lifeline, .events = 0},
    };
    bool passed = false;
    for (;;) {
        int ready = poll(fds, 2, passed ? -1 : clock_left_ms(watch->deadline_us));
        if (ready < 0 && errno == EINTR)
            continue;
        if (fds[0].revents)
            return passed ? WATCH_DEADLINE : WATCH_ENDED;
        if (fds[1].revents)
            return WATCH_DESERTED;
        if (ready == 0 && clock_us() >= watch->deadline_us) {
            kill(-watch->pid, SIGKILL);
            passed = true;
        }
    }
}

void watch_command(const struct watch *watch, struct watch_result *result) {
    result->end = watch->pidfd >= 0 ? watch_wait(watch) : WATCH_ENDED;
    result->ended_us = clock_us();
    // At the most a zombie, so the number of the group cannot have been reused.
    kill(-watch->pid, SIGKILL);
    while (wait4(watch->pid, &result->status, 0, &result->usage) < 0 && errno == EINTR)
        ;
    bool left = watch_reap_rest();
    // It may have ended by itself in the moment before the kill: then that counts.
    bool killed = WIFSIGNALED(result->status) && WTERMSIG(result->status) == SIGKILL;
    if (result->end == WATCH_DEADLINE && !killed)
        result->end = WATCH_ENDED;
    result->left_processes = left && result->end == WATCH_ENDED;
}
