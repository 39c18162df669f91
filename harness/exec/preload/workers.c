// SPDX-License-Identifier: Apache-2.0
//
// The persistent way: a forked worker runs many commands. It shares the socket with the warm
// process and asks and answers by itself; the warm process looks after it by a page that both see:
// which command runs, until when, and what had been used before it. What a worker dies of is the
// answer to the command that it was running, with its true wait status; so a worker that is not fit
// to go on only has to leave, and nothing of it is left when the harness reads the answer.
#include "exec/clock.h"
#include "exec/preload/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Commands that one worker runs. A fork with its page faults costs about as much as three short
// commands; what a command may leave behind in the heap stays bounded.
#define WORKER_COMMANDS 200
#define WORKER_KIB      (256 * 1024)   // resident; a command of ours needs a tenth of it
#define WORKER_TICK_US  (50 * 1000ull) // a command that begins meanwhile is noticed so late

// qemu-img allocates 2 MiB buffers for each conversion. Kept mapped, they need no new page faults.
#define WORKER_KEEP (32 * 1024 * 1024) // the most that the allocator takes

#define WORKER_DESCRIPTORS 64

struct worker_page {
    _Atomic uint64_t running; // number of the command; 0: none
    _Atomic uint64_t deadline_us;
    uint64_t started_us;
    struct rusage before;
};
static struct worker_page *worker_page;
static unsigned worker_commands;
static uint64_t worker_opened; // descriptors before the first command
static pid_t worker_pid;       // what a command forks is not the worker

static uint64_t worker_deadline_us(void) {
    return atomic_load(&worker_page->running) ? atomic_load(&worker_page->deadline_us)
                                              : clock_us() + WORKER_TICK_US;
}

// In the warm process: until the worker ends. Its last command may still want an answer.
static void worker_wait(pid_t pid) {
    struct launcher_reply reply = {.kind = LAUNCHER_ENDED};
    struct rusage usage = {0};
    serve_end(pid, worker_deadline_us, &reply, &usage);
    reply.number = atomic_exchange(&worker_page->running, 0);
    if (!reply.number)
        return;
    reply.wall_us = clock_us() - worker_page->started_us;
    serve_usage(&reply, &worker_page->before, &usage);
    serve_reply(&reply);
}

// One bit for each open descriptor of the first ones; a tool of ours has a dozen.
static uint64_t worker_descriptors(void) {
    struct pollfd fds[WORKER_DESCRIPTORS];
    uint64_t open = 0;
    for (int fd = 0; fd < WORKER_DESCRIPTORS; fd++)
        fds[fd] = (struct pollfd){.fd = fd};
    if (poll(fds, WORKER_DESCRIPTORS, 0) < 0)
        return 0;
    for (int fd = 0; fd < WORKER_DESCRIPTORS; fd++)
        open |= (uint64_t) !(fds[fd].revents & POLLNVAL) << fd;
    return open;
}

static void worker_prepare(void) {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
        _exit(SERVE_BROKEN);
    worker_pid = getpid();
    mallopt(M_MMAP_THRESHOLD, WORKER_KEEP);
    mallopt(M_TRIM_THRESHOLD, 4 * WORKER_KEEP);
    mallopt(M_TOP_PAD, WORKER_KEEP / 4);
    worker_opened = worker_descriptors();
}

void serve_workers(void) {
    pid_t parent = getpid();
    void *page =
        mmap(NULL, sizeof *worker_page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        _exit(SERVE_BROKEN);
    worker_page = page;
    serve_hello(EXEC_PERSISTENT);
    for (;;) {
        pid_t pid = fork();
        if (pid < 0)
            _exit(SERVE_BROKEN);
        if (pid == 0) {
            serve_become_child(parent);
            worker_prepare();
            return;
        }
        worker_wait(pid);
    }
}

void worker_next(struct preload_command *command) {
    serve_next(command);
    worker_page->started_us = clock_us();
    atomic_store(&worker_page->deadline_us,
                 worker_page->started_us + command->request.deadline_ms * 1000ull);
    getrusage(RUSAGE_SELF, &worker_page->before);
    atomic_store(&worker_page->running, command->request.number);
    struct timeval user = worker_page->before.ru_utime, system = worker_page->before.ru_stime;
    serve_limit(&command->request, (uint64_t)(user.tv_sec + system.tv_sec + 2) * 1000000);
}

// Descriptors that stay open may hold a lock, and a child may do anything: then no further command
// runs here, and the answer waits until all of it is gone.
static bool worker_is_fit(const struct rusage *now) {
    return ++worker_commands < WORKER_COMMANDS && now->ru_maxrss < WORKER_KIB &&
           worker_descriptors() == worker_opened && waitpid(-1, NULL, WNOHANG) < 0;
}

bool worker_done(void) {
    struct rusage now;
    getrusage(RUSAGE_SELF, &now);
    if (getpid() != worker_pid || !worker_is_fit(&now))
        return false;
    struct launcher_reply reply = {.number = atomic_load(&worker_page->running),
                                   .kind = LAUNCHER_ENDED,
                                   .wall_us = clock_us() - worker_page->started_us};
    serve_usage(&reply, &worker_page->before, &now);
    serve_reply(&reply);
    // Only now: had it died before, the warm process would have answered.
    atomic_store(&worker_page->running, 0);
    return true;
}
