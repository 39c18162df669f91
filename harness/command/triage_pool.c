// SPDX-License-Identifier: Apache-2.0
//
// The parent's side of the workers: who does what, for how long it may take, and what becomes of a
// job whose worker died of it. It never runs a case itself, so that nothing a case does can end the
// triage.
#include "command/triage.h"

#include "exec/clock.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDLE            SIZE_MAX
#define PROGRESS_US     5000000u
#define LEAVE_WITHIN_US 5000000u

static void end_in_words(int status, char words[64]) {
    if (WIFSIGNALED(status))
        snprintf(words, 64, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(words, 64, "exit %d", WEXITSTATUS(status));
}

// What is left of it: 0 once it is gone, or its wait status.
static int bury(struct triage_worker *worker, bool kill_it) {
    int status = 0;
    uint64_t until_us = clock_us() + LEAVE_WITHIN_US;
    if (kill_it)
        kill(worker->pid, SIGKILL);
    close(worker->fd);
    while (waitpid(worker->pid, &status, kill_it ? 0 : WNOHANG) == 0) {
        usleep(2000);
        if (clock_us() > until_us) {
            kill(worker->pid, SIGKILL);
            kill_it = true;
        }
    }
    worker->pid = 0;
    worker->job = IDLE;
    return status;
}

static int start(struct triage_pool *pool, struct triage_worker *worker, struct fault *fault) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return fault_errno(fault, "a worker cannot be started");
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return fault_errno(fault, "a worker cannot be started");
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
        // A worker that held the others' ends would keep them alive.
        for (size_t i = 0; i < TRIAGE_MOST_JOBS; i++)
            if (pool->workers[i].pid)
                close(pool->workers[i].fd);
        close(ends[0]);
        triage_worker_serve(pool, ends[1]);
    }
    close(ends[1]);
    *worker = (struct triage_worker){.pid = pid, .fd = ends[0], .job = IDLE};
    return 0;
}

// One run over the jobs.
struct running {
    struct triage_pool *pool;
    const struct triage_work *work;
    size_t next, told, busy;
    uint64_t progress_us;
};

static int give(struct running *run, struct triage_worker *worker, struct fault *fault) {
    static struct triage_request request;
    if (run->work->alone && worker->pid)
        bury(worker, false);
    if (!worker->pid && start(run->pool, worker, fault))
        return -1;
    memset(&request, 0, sizeof request);
    worker->job = run->next++;
    worker->until_us = clock_us() + run->work->limit_ms * 1000ull;
    run->busy++;
    run->work->ask(run->work->context, worker->job, &request);
    // One that died idle is told of as if it had died of the job, which triage tries once more.
    (void)!send(worker->fd, &request, sizeof request, MSG_NOSIGNAL);
    return 0;
}

static void tell(struct running *run, struct triage_worker *worker,
                 const struct triage_answer *answer, const char *death) {
    size_t job = worker->job;
    worker->job = IDLE;
    run->busy--;
    run->told++;
    run->work->told(run->work->context, job, answer, death);
}

static void hear(struct running *run, struct triage_worker *worker) {
    static struct triage_answer answer;
    char death[64];
    ssize_t got = recv(worker->fd, &answer, sizeof answer, 0);
    if (got < 0 && errno == EINTR)
        return;
    if (got == sizeof answer) {
        if (answer.error)
            bury(&(struct triage_worker){.pid = worker->pid, .fd = worker->fd}, false);
        pid_t pid = answer.error ? 0 : worker->pid;
        tell(run, worker, &answer, NULL);
        worker->pid = pid;
        return;
    }
    size_t job = worker->job;
    end_in_words(bury(worker, false), death);
    worker->job = job;
    tell(run, worker, NULL, death);
}

static void watch(struct running *run, struct triage_worker *worker) {
    char death[64];
    if (worker->job == IDLE || clock_us() < worker->until_us)
        return;
    size_t job = worker->job;
    bury(worker, true);
    snprintf(death, sizeof death, "no answer after %u s", run->work->limit_ms / 1000);
    worker->job = job;
    tell(run, worker, NULL, death);
}

static void wait_for_some(struct running *run) {
    struct pollfd fds[TRIAGE_MOST_JOBS];
    struct triage_worker *of[TRIAGE_MOST_JOBS];
    nfds_t count = 0;
    for (size_t i = 0; i < TRIAGE_MOST_JOBS; i++)
        if (run->pool->workers[i].pid && run->pool->workers[i].job != IDLE) {
            of[count] = &run->pool->workers[i];
            fds[count++] = (struct pollfd){.fd = run->pool->workers[i].fd, .events = POLLIN};
        }
    int ready = poll(fds, count, 200);
    for (nfds_t i = 0; ready > 0 && i < count; i++)
        if (fds[i].revents)
            hear(run, of[i]);
    for (nfds_t i = 0; i < count; i++)
        if (of[i]->pid)
            watch(run, of[i]);
    if (run->work->progress && clock_us() > run->progress_us) {
        run->progress_us = clock_us() + PROGRESS_US;
        run->work->progress(run->work->context, run->told);
    }
}

int triage_pool_run(struct triage_pool *pool, const struct triage_work *work, struct fault *fault) {
    struct running run = {.pool = pool, .work = work, .progress_us = clock_us() + PROGRESS_US};
    unsigned jobs = work->alone ? 1 : pool->jobs;
    for (size_t i = 0; i < TRIAGE_MOST_JOBS; i++)
        if (!pool->workers[i].pid)
            pool->workers[i].job = IDLE;
    while (run.told < work->count && !*pool->interrupted) {
        for (size_t i = 0; i < jobs && run.next < work->count; i++)
            if (pool->workers[i].job == IDLE && give(&run, &pool->workers[i], fault)) {
                triage_pool_end(pool);
                return -1;
            }
        wait_for_some(&run);
    }
    if (*pool->interrupted || work->alone)
        triage_pool_end(pool);
    return 0;
}

void triage_pool_end(struct triage_pool *pool) {
    for (size_t i = 0; i < TRIAGE_MOST_JOBS; i++)
        if (pool->workers[i].pid)
            bury(&pool->workers[i], pool->workers[i].job != IDLE);
}

unsigned triage_cores(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return count < TRIAGE_MOST_JOBS ? (unsigned)count : TRIAGE_MOST_JOBS;
}
