// SPDX-License-Identifier: Apache-2.0
//
// Starting warm processes, finding the one that fits a command, and running it there.
#include "exec/warm.h"

#include "exec/clock.h"
#include "exec/exchange.h"
#include "exec/request.h"
#include "exec/shim.h"
#include "exec/warm_protocol.h"
#include "exec/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WARM_HELLO_US (10 * 1000000ull)
#define WARM_WORD_US  (10 * 1000000ull) // what a launcher may take to reap and tell, on a busy core
// Threads of the process itself and of a worker that runs no command.
#define WARM_THREADS 80
#define WARM_LISTS   256 // strings of an environment or a fence
// Commands that died with their warm process, in a row: then something is wrong with this machine.
#define WARM_LOST_MAX 10

struct warm {
    struct connection keeper; // its launcher, which runs nothing else
    int socket;
    uint64_t number; // of the last request
    struct stream out, err;
    struct buffer key; // what it was started with
};

// All that a warm process cannot change later. A command with the same key may run in it.
static void warm_key(struct buffer *key, const struct exec *exec,
                     const struct exec_command *command) {
    buffer_clear(key);
    buffer_append(key, &exec->unfenced, sizeof exec->unfenced);
    buffer_append(key, &command->backend, sizeof command->backend);
    buffer_append(key, &command->file_size_limit, sizeof command->file_size_limit);
    buffer_append(key, &command->limits, sizeof command->limits);
    const char *const fixed[] = {command->program, command->argv[0], command->directory, NULL};
    const char *const none[] = {NULL};
    const char *const *const lists[] = {fixed, command->environment,
                                        command->fence ? command->fence : none};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        for (const char *const *at = lists[i]; *at; at++)
            buffer_append(key, *at, strlen(*at) + 1);
        buffer_append(key, "", 1);
    }
}

void warm_close(struct warm *warm, bool own) {
    if (!warm)
        return;
    // Its end of the socket hangs up, and it leaves; then its launcher has nothing to wait for.
    stream_close_end(&warm->socket);
    stream_close(&warm->out);
    stream_close(&warm->err);
    if (own)
        connection_close(&warm->keeper);
    else
        connection_forget(&warm->keeper);
    buffer_free(&warm->key);
    free(warm);
}

// The command that starts the process itself.
struct warm_start {
    struct exec_command command;
    const char *argv[WARM_ARGUMENTS + 1], *environment[WARM_LISTS + 3], *fence[WARM_LISTS + 2];
    char preload[PATH_MAX + 32], variable[64], readable[PATH_MAX + 2];
};

static int warm_copy_list(const char **to, const char *const *from, struct fault *fault) {
    int count = 0;
    for (; from && from[count]; count++) {
        if (count == WARM_LISTS)
            return fault_set(fault, "more than %d strings of environment or fence", WARM_LISTS);
        to[count] = from[count];
    }
    return count;
}

static int warm_describe(struct warm_start *start, const struct exec *exec,
                         const struct exec_command *command, struct fault *fault) {
    const char *slash = strrchr(exec->program, '/');
    int folder = slash ? (int)(slash - exec->program) : 0;
    snprintf(start->preload, sizeof start->preload, "LD_PRELOAD=%.*s/%s", folder, exec->program,
             WARM_LIBRARY);
    snprintf(start->readable, sizeof start->readable, "x%s", strchr(start->preload, '=') + 1);
    if (strpbrk(start->readable + 1, " :"))
        return fault_set(fault,
                         "%s: a library with a blank or a colon in its path is not preloaded",
                         start->readable + 1);
    if (access(start->readable + 1, R_OK))
        return fault_errno(fault, "%s", start->readable + 1);
    snprintf(start->variable, sizeof start->variable, "%s=%s", WARM_VARIABLE,
             exec_backend_names[command->backend]);
    start->argv[0] = command->argv[0];
    for (int i = 1; i < (command->backend == EXEC_LINKED ? 1 : WARM_ARGUMENTS); i++)
        start->argv[i] = "";
    int count = warm_copy_list(start->environment, command->environment, fault);
    int fences = warm_copy_list(start->fence, command->fence, fault);
    if (count < 0 || fences < 0)
        return -1;
    start->environment[count] = start->preload;
    start->environment[count + 1] = start->variable;
    start->fence[fences] = start->readable;
    start->command = (struct exec_command){
        .program = command->program,
        .argv = start->argv,
        .environment = start->environment,
        .fence = command->fence ? start->fence : NULL,
        .directory = command->directory,
        .file_size_limit = command->file_size_limit,
        .limits = command->limits,
    };
    if (command->limits.processes)
        start->command.limits.processes += WARM_THREADS;
    return 0;
}

// Until there is something to read, or nothing more to wait for.
static void warm_wait(int socket, uint64_t end_us) {
    struct pollfd wait = {.fd = socket, .events = POLLIN};
    while (poll(&wait, 1, clock_left_ms(end_us)) <= 0 && clock_us() < end_us)
        ;
}

// A thread of the tool's may write behind its answer. Those bytes belong to no command.
static bool warm_is_quiet(const struct warm *warm) {
    struct pollfd fds[] = {{.fd = warm->out.read_end, .events = POLLIN},
                           {.fd = warm->err.read_end, .events = POLLIN}};
    return poll(fds, 2, 0) == 0;
}

// Waits for the hello, or for the launcher's word that there will be none.
static int warm_hello(struct warm *warm, const struct exec_command *command, struct fault *fault) {
    struct pollfd wait[] = {{.fd = warm->socket, .events = POLLIN},
                            {.fd = warm->keeper.socket, .events = POLLIN}};
    uint64_t end = clock_us() + WARM_HELLO_US;
    int ready;
    do
        ready = poll(wait, 2, clock_left_ms(end));
    while ((ready < 0 && errno == EINTR) || (ready == 0 && clock_us() < end));
    struct launcher_reply reply = {0};
    if (wait[0].revents && recv(warm->socket, &reply, sizeof reply, MSG_DONTWAIT) == sizeof reply &&
        reply.kind == LAUNCHER_HELLO && reply.number == LAUNCHER_VERSION &&
        reply.step == (uint32_t)command->backend)
        return 0;
    if (ready <= 0)
        return fault_set(fault, "%s does not stop half-way", command->program);
    // The launcher's words are the better reason, and come a moment later.
    if (!wait[1].revents)
        warm_wait(warm->keeper.socket, end);
    if (recv(warm->keeper.socket, &reply, sizeof reply, MSG_DONTWAIT) == sizeof reply &&
        reply.kind == LAUNCHER_FAILED)
        return fault_set(fault, "%s cannot be started: %s", command->program,
                         strerror(reply.status));
    return fault_set(fault,
                     "%s ran to its end without stopping (a static or set-uid program, or one that "
                     "reads its options in its own way)",
                     command->program);
}

static int warm_launch(struct warm *warm, struct exec *exec, const struct exec_command *command,
                       struct fault *fault) {
    struct warm_start start = {0};
    int pair[2];
    if (warm_describe(&start, exec, command, fault) || stream_open(&warm->out, fault) ||
        stream_open(&warm->err, fault) || connection_open(&warm->keeper, fault) ||
        request_build(&exec->message, ++warm->keeper.number, &start.command, !exec->unfenced,
                      fault))
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return fault_errno(fault, "cannot make a socket pair for %s", command->program);
    warm->socket = pair[0];
    const int fds[] = {warm->out.write_end, warm->err.write_end, pair[1]};
    int result = exchange_send(warm->keeper.socket, &exec->message, fds, 3) < 0
                     ? fault_errno(fault, "cannot hand %s to its launcher", command->program)
                     : 0;
    close(pair[1]);
    stream_close_end(&warm->out.write_end);
    stream_close_end(&warm->err.write_end);
    return result ? -1 : warm_hello(warm, command, fault);
}

static struct warm *warm_open(struct exec *exec, const struct exec_command *command,
                              struct fault *fault) {
    struct warm *warm = must_realloc(NULL, sizeof *warm);
    *warm = (struct warm){
        .keeper = {.socket = -1, .program = exec->program, .guarded = exec->guarded},
        .socket = -1,
        .out = STREAM_CLOSED,
        .err = STREAM_CLOSED,
    };
    warm_key(&warm->key, exec, command);
    if (!warm_launch(warm, exec, command, fault))
        return warm;
    warm_close(warm, true);
    return NULL;
}

// The place of the process that fits, started if there is none yet. NULL: it cannot be.
static struct warm **warm_find(struct exec *exec, const struct exec_command *command,
                               struct fault *fault) {
    struct buffer *key = &exec->message;
    warm_key(key, exec, command);
    struct warm **place = NULL;
    for (size_t i = 0; i < EXEC_WARM_MAX; i++) {
        struct warm *warm = exec->warm[i];
        if (warm && warm->key.length == key->length &&
            !memcmp(warm->key.data, key->data, key->length))
            return &exec->warm[i];
        if (!warm && !place)
            place = &exec->warm[i];
    }
    if (!place)
        place = &exec->warm[exec->warm_next++ % EXEC_WARM_MAX];
    warm_close(*place, true);
    *place = warm_open(exec, command, fault);
    return *place ? place : NULL;
}

static void warm_end(struct warm **place) {
    warm_close(*place, true);
    *place = NULL;
}

// Hands the request over; a process that died since its last command is replaced, once.
static int warm_submit(struct exec *exec, const struct exec_command *command, struct warm ***place,
                       struct fault *fault) {
    for (int attempt = 0; attempt < 2; attempt++) {
        *place = warm_find(exec, command, fault);
        if (!*place)
            return -1;
        struct warm *warm = **place;
        if (request_build_warm(&exec->message, ++warm->number, command, fault))
            return -1;
        if (warm_is_quiet(warm) && exchange_send(warm->socket, &exec->message, NULL, 0) >= 0)
            return 0;
        fault_set(fault, "cannot hand a command to the warm %s", command->program);
        warm_end(*place);
    }
    return -1;
}

// By program: in a pair one tool's answers must not make up for the other's silence. Programs
// beyond the last place share it.
static unsigned *warm_losses(struct exec *exec, const char *program) {
    size_t i = 0;
    while (i + 1 < EXEC_WARM_MAX && exec->lost[i].program &&
           strcmp(exec->lost[i].program, program) != 0)
        i++;
    if (!exec->lost[i].program)
        exec->lost[i].program = must_strdup(program);
    return &exec->lost[i].count;
}

// What ran died with the process above it: no answer of the tool's, and no error of ours as long
// as it stays an exception (a machine out of memory, a person who kills). Where its launcher ended
// it, because it took more than a limit, the launcher says so.
static int warm_lost(struct exec *exec, struct warm *warm, const struct exec_command *command,
                     uint64_t started_us, struct exec_outcome *outcome, struct fault *fault) {
    struct launcher_reply reply = {0};
    warm_wait(warm->keeper.socket, clock_us() + WARM_WORD_US);
    if (recv(warm->keeper.socket, &reply, sizeof reply, MSG_DONTWAIT) == sizeof reply &&
        reply.kind == LAUNCHER_ENDED && reply.end != WATCH_ENDED) {
        // What it used is told of its whole life, of which this command was a part.
        reply.wall_us = clock_us() - started_us;
        reply.user_us = reply.system_us = reply.max_resident_kib = 0;
        return exec_conclude(command, &reply, outcome, fault);
    }
    if (++*warm_losses(exec, command->program) > WARM_LOST_MAX)
        return -1;
    outcome->end = EXEC_LOST;
    outcome->value = 0;
    return 0;
}

int exec_run_warm(struct exec *exec, const struct exec_command *command,
                  struct exec_outcome *outcome, struct fault *fault) {
    struct warm **place;
    struct launcher_reply reply;
    uint64_t started = clock_us();
    if (warm_submit(exec, command, &place, fault))
        return -1;
    struct warm *warm = *place;
    stream_aim(&warm->out, &outcome->out, command->capture_limit, &outcome->out_cut);
    stream_aim(&warm->err, &outcome->err, command->capture_limit, &outcome->err_cut);
    const struct exchange exchange = {.socket = warm->socket,
                                      .number = warm->number,
                                      .deadline_ms = command->deadline_ms,
                                      .program = command->program,
                                      .partner = "the warm process",
                                      .out = &warm->out,
                                      .err = &warm->err};
    if (exchange_wait(&exchange, &reply, fault)) {
        int status = warm_lost(exec, warm, command, started, outcome, fault);
        warm_end(place);
        return status;
    }
    *warm_losses(exec, command->program) = 0;
    // What left its group can only be ended with everything else of this process, also behind a
    // deadline: it would write into the streams of the next command.
    if (reply.left_processes)
        warm_end(place);
    return exec_conclude(command, &reply, outcome, fault);
}
