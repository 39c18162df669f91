// SPDX-License-Identifier: Apache-2.0
//
// Starting and ending the launcher. posix_spawn, because it is a vfork inside: the harness may be
// an engine of a gigabyte under AddressSanitizer, and must not be copied.
#include "exec/connection.h"

#include "exec/clock.h"
#include "exec/launcher_protocol.h"
#include "exec/process_cap.h"
#include "exec/processes.h"
#include "exec/workdir.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTION_HELLO_US (10 * 1000000ull)
#define CONNECTION_STOP_US  (2 * 1000000ull)

// The launcher is the leader of a new session from its first instruction on, so that no Ctrl-C
// finds it, and so that connection_kill knows the session's number. Its environment is empty:
// LD_PRELOAD, the sanitizers' options and AFL++'s variables end here. Signals blocked or ignored
// in the harness must not be so in the launcher before it can say so itself.
static int connection_spawn(struct connection *connection, int socket, struct fault *fault) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, socket, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char *argv[] = {(char *)connection->program, (char *)connection->guarded, NULL};
    char *environment[] = {NULL};
    pid_t pid;
    int error = posix_spawn(&pid, connection->program, &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        errno = error;
        return fault_errno(fault, "cannot start the launcher %s", connection->program);
    }
    connection->launcher = pid;
    return 0;
}

static int connection_hello(struct connection *connection, struct fault *fault) {
    struct launcher_reply hello = {0};
    struct pollfd wait = {.fd = connection->socket, .events = POLLIN};
    uint64_t end = clock_us() + CONNECTION_HELLO_US;
    int ready;
    do
        ready = poll(&wait, 1, clock_left_ms(end));
    while ((ready < 0 && errno == EINTR) || (ready == 0 && clock_us() < end));
    if (ready <= 0)
        return fault_set(fault, "the launcher %s does not answer", connection->program);
    ssize_t length =
        TEMP_FAILURE_RETRY(recv(connection->socket, &hello, sizeof hello, MSG_DONTWAIT));
    if (length <= 0)
        return fault_set(fault, "the launcher %s ended at once", connection->program);
    if (length != sizeof hello || hello.kind != LAUNCHER_HELLO)
        return fault_set(fault, "%s is not the launcher", connection->program);
    if (hello.number != LAUNCHER_VERSION)
        return fault_set(fault, "the launcher %s is of another build (protocol %llu, needed %d)",
                         connection->program, (unsigned long long)hello.number, LAUNCHER_VERSION);
    connection->fence = (struct fence_state){
        .landlock = hello.status,
        .seccomp = hello.step != 0,
        .processes = hello.capped,
    };
    return 0;
}

int connection_open(struct connection *connection, struct fault *fault) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return fault_errno(fault, "cannot make a socket pair for the launcher");
    connection->socket = pair[0];
    int result = connection_spawn(connection, pair[1], fault);
    close(pair[1]);
    if (!result)
        result = connection_hello(connection, fault);
    if (result)
        connection_kill(connection);
    return result;
}

void connection_forget(struct connection *connection) {
    if (connection->socket >= 0)
        close(connection->socket);
    connection->socket = -1;
    connection->launcher = 0;
}

// The tools die with the launcher (PR_SET_PDEATHSIG), but not what they started. All of it is in
// the launcher's session, whose number stays taken until we reap the launcher. What made a session
// of its own is in the launcher's cgroup; where there is none it escapes: only after a launcher
// that was killed, not after one that ran to the end.
void connection_kill(struct connection *connection) {
    if (connection->launcher) {
        kill(connection->launcher, SIGKILL);
        // Twice without a find: what was forking when we looked has been found as well.
        for (int quiet = 0, rounds = 0; quiet < 2 && rounds < 100; rounds++)
            quiet = processes_kill(PROCESSES_IN_SESSION, connection->launcher) ? 0 : quiet + 1;
        if (connection->guarded)
            process_cap_sweep(connection->guarded, connection->launcher);
        TEMP_FAILURE_RETRY(waitpid(connection->launcher, NULL, 0));
    }
    connection_forget(connection);
}

void connection_close(struct connection *connection) {
    if (connection->socket < 0)
        return;
    struct launcher_request stop = {.kind = LAUNCHER_STOP};
    (void)!TEMP_FAILURE_RETRY(send(connection->socket, &stop, sizeof stop, MSG_NOSIGNAL));
    // The hang-up tells that it is gone; not closing before that keeps "stopped" and "the harness
    // died" apart.
    struct pollfd wait = {.fd = connection->socket, .events = 0};
    uint64_t end = clock_us() + CONNECTION_STOP_US;
    while (clock_us() < end && poll(&wait, 1, clock_left_ms(end)) <= 0)
        ;
    if (!wait.revents) {
        connection_kill(connection);
        return;
    }
    TEMP_FAILURE_RETRY(waitpid(connection->launcher, NULL, 0));
    connection_forget(connection);
}
