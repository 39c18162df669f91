// SPDX-License-Identifier: Apache-2.0
//
// The door: one command, by whichever back end it asks for (warm.c has the others), and what the
// answer means.
#include "exec/exec.h"

#include "exec/exchange.h"
#include "exec/request.h"
#include "exec/shim.h"
#include "exec/watch.h"
#include "exec/workdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// A launcher that died since the last command is replaced, once: nothing of this command has
// happened yet. One that dies later is an error, because a command that ran in part cannot simply
// be run again.
static int exec_submit(struct exec *exec, const char *program, const int fds[2],
                       struct fault *fault) {
    struct connection *plain = &exec->plain;
    bool fresh = plain->socket < 0;
    if (fresh && connection_open(plain, fault))
        return -1;
    if (exchange_send(plain->socket, &exec->message, fds, 2) >= 0)
        return 0;
    bool gone = errno == EPIPE || errno == ECONNRESET;
    fault_errno(fault, "cannot hand %s to the launcher", program);
    connection_kill(plain);
    if (!gone || fresh || connection_open(plain, fault))
        return -1;
    if (exchange_send(plain->socket, &exec->message, fds, 2) >= 0)
        return 0;
    fault_errno(fault, "cannot hand %s to the restarted launcher", program);
    connection_kill(plain);
    return -1;
}

static int exec_cannot(const struct exec_command *command, const struct launcher_reply *reply,
                       struct fault *fault) {
    static const char *const words[LAUNCHER_STEPS] = {
        [LAUNCHER_STEP_REQUEST] = "the launcher does not understand the request for",
        [LAUNCHER_STEP_PROCESS] = "cannot make a process for",
        [LAUNCHER_STEP_PREPARE] = "cannot set the limits of",
        [LAUNCHER_STEP_DIRECTORY] = "cannot enter",
        [LAUNCHER_STEP_FENCE] = "cannot put up the fence around",
        [LAUNCHER_STEP_PROGRAM] = "cannot run",
    };
    if (reply->kind != LAUNCHER_FAILED || reply->step >= LAUNCHER_STEPS)
        return fault_set(fault, "the launcher sent an unknown reply");
    bool entering = reply->step == LAUNCHER_STEP_DIRECTORY;
    const char *what = entering ? command->directory : command->program;
    // execve's ENOENT is also about what the program itself needs.
    if (reply->step == LAUNCHER_STEP_PROGRAM && reply->status == ENOENT && !access(what, F_OK))
        return fault_set(fault, "cannot run %s: its interpreter or loader is missing", what);
    errno = reply->status;
    return fault_errno(fault, "%s %s", words[reply->step], what);
}

// What it was killed for. -1: unknown.
static int exec_conclude_limit(const struct exec_command *command, enum watch_end end,
                               struct exec_outcome *outcome) {
    const struct exec_limits *limits = &command->limits;
    const struct {
        enum watch_end ended;
        enum exec_end end;
        uint64_t value;
    } ends[] = {
        {WATCH_DEADLINE, EXEC_DEADLINE, command->deadline_ms},
        {WATCH_MEMORY, EXEC_MEMORY, limits->memory >> 20},
        {WATCH_SPACE, EXEC_SPACE, limits->space >> 20},
        {WATCH_PROCESSES, EXEC_PROCESSES, limits->processes},
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends[i].ended == end) {
            outcome->end = ends[i].end;
            outcome->value = (int)ends[i].value;
            return 0;
        }
    return -1;
}

int exec_conclude(const struct exec_command *command, const struct launcher_reply *reply,
                  struct exec_outcome *outcome, struct fault *fault) {
    if (reply->kind != LAUNCHER_ENDED)
        return exec_cannot(command, reply, fault);
    if (reply->end != WATCH_ENDED) {
        if (exec_conclude_limit(command, (enum watch_end)reply->end, outcome))
            return fault_set(fault, "the launcher sent an unknown reply");
    } else if (WIFSIGNALED(reply->status)) {
        outcome->end = EXEC_SIGNALED;
        outcome->value = WTERMSIG(reply->status);
    } else {
        outcome->end = EXEC_EXITED;
        outcome->value = WEXITSTATUS(reply->status);
    }
    outcome->wall_us = reply->wall_us;
    outcome->user_us = reply->user_us;
    outcome->system_us = reply->system_us;
    outcome->max_resident_kib = reply->max_resident_kib;
    outcome->left_processes = reply->left_processes && reply->end == WATCH_ENDED;
    return 0;
}

static void exec_outcome_clear(struct exec_outcome *outcome) {
    struct buffer out = outcome->out, err = outcome->err;
    *outcome = (struct exec_outcome){.out = out, .err = err};
    buffer_clear(&outcome->out);
    buffer_clear(&outcome->err);
    // An empty stream is still a string.
    buffer_reserve(&outcome->out, 0);
    buffer_reserve(&outcome->err, 0);
}

static int exec_run_plain(struct exec *exec, const struct exec_command *command,
                          struct exec_outcome *outcome, struct fault *fault) {
    if (request_build(&exec->message, ++exec->plain.number, command, !exec->unfenced, fault))
        return -1;
    struct stream out = STREAM_CLOSED, err = STREAM_CLOSED;
    struct launcher_reply reply;
    int result = stream_open(&out, fault) || stream_open(&err, fault) ? -1 : 0;
    if (!result)
        result = exec_submit(exec, command->program, (int[]){out.write_end, err.write_end}, fault);
    // The launcher has its own copies; ours would hide the end of the streams.
    stream_close_end(&out.write_end);
    stream_close_end(&err.write_end);
    if (!result) {
        stream_aim(&out, &outcome->out, command->capture_limit, &outcome->out_cut);
        stream_aim(&err, &outcome->err, command->capture_limit, &outcome->err_cut);
        const struct exchange exchange = {.socket = exec->plain.socket,
                                          .number = exec->plain.number,
                                          .deadline_ms = command->deadline_ms,
                                          .program = command->program,
                                          .partner = "the launcher",
                                          .out = &out,
                                          .err = &err};
        result = exchange_wait(&exchange, &reply, fault);
        if (result)
            connection_kill(&exec->plain);
    }
    stream_close(&out);
    stream_close(&err);
    return result ? -1 : exec_conclude(command, &reply, outcome, fault);
}

int exec_run(struct exec *exec, const struct exec_command *command, struct exec_outcome *outcome,
             struct fault *fault) {
    exec_outcome_clear(outcome);
    if (exec->owner != getpid())
        return fault_set(fault, "cannot run %s: this launcher belongs to another process (%d)",
                         command->program, (int)exec->owner);
    if (command->program[0] != '/' || command->directory[0] != '/')
        return fault_set(fault, "cannot run %s in %s: both must be absolute paths",
                         command->program, command->directory);
    if (!command->deadline_ms || !command->argv[0])
        return fault_set(fault, "cannot run %s: no %s given", command->program,
                         command->deadline_ms ? "argv[0]" : "deadline");
    return command->backend == EXEC_PLAIN ? exec_run_plain(exec, command, outcome, fault)
                                          : exec_run_warm(exec, command, outcome, fault);
}

// A descriptor that somebody started us without would be given to a socket of ours next, and what
// is written to a standard stream would go there.
static void exec_fill_streams(void) {
    int fd;
    do
        fd = open("/", O_PATH);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int exec_start(struct exec **exec, const char *launcher, const char *guarded, struct fault *fault) {
    *exec = NULL;
    if (guarded && (guarded[0] != '/' || !workdir_name_fits(guarded)))
        return fault_set(fault,
                         "%s: will not be guarded (not the absolute path of a directory "
                         "named %s<pid>.<random>)",
                         guarded, WORKDIR_PREFIX);
    struct exec *made = must_realloc(NULL, sizeof *made);
    exec_fill_streams();
    memset(made, 0, sizeof *made);
    made->owner = getpid();
    made->program = must_strdup(launcher);
    made->guarded = guarded ? must_strdup(guarded) : NULL;
    made->plain =
        (struct connection){.socket = -1, .program = made->program, .guarded = made->guarded};
    if (connection_open(&made->plain, fault)) {
        exec_stop(made);
        return -1;
    }
    *exec = made;
    return 0;
}

void exec_fence_off(struct exec *exec) {
    exec->unfenced = true;
}

void exec_stop(struct exec *exec) {
    if (!exec)
        return;
    for (size_t i = 0; i < EXEC_WARM_MAX; i++)
        warm_close(exec->warm[i], exec->owner == getpid());
    if (exec->owner == getpid())
        connection_close(&exec->plain);
    else
        connection_forget(&exec->plain);
    for (size_t i = 0; i < EXEC_WARM_MAX; i++)
        free(exec->lost[i].program);
    free(exec->program);
    free(exec->guarded);
    buffer_free(&exec->message);
    free(exec);
}
