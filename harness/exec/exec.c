// SPDX-License-Identifier: Apache-2.0
//
// Running one command: the request to the launcher, and reading both pipes until its reply. The
// harness reads all the time and keeps only what it was asked to keep, so a tool that floods both
// streams meets its deadline and not a dead end.
#include "exec/exec.h"

#include "exec/clock.h"
#include "exec/connection.h"
#include "exec/launcher_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// How long after the deadline the launcher may take to kill and reap. Beyond that it is replaced.
#define EXEC_PATIENCE_US (10 * 1000000ull)
// The most that a pipe can hold without privileges: what is read after the end of a command.
#define EXEC_PIPE_MAX (1024 * 1024)

struct stream {
    int read_end, write_end; // -1: closed
    struct buffer *kept;
    size_t limit;
    bool *cut;
};

static int stream_open(struct stream *stream, struct buffer *kept, size_t limit, bool *cut,
                       struct fault *fault) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return fault_errno(fault, "cannot make a pipe");
    // Only our end: to the tool its stdout must look as it does everywhere.
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK)) {
        fault_errno(fault, "cannot set up a pipe");
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    *stream = (struct stream){ends[0], ends[1], kept, limit, cut};
    return 0;
}

static void stream_close_end(int *end) {
    if (*end >= 0)
        close(*end);
    *end = -1;
}

// Reads once. Returns how much, 0 if there is nothing now or nothing more (then the end is closed).
static size_t stream_read(struct stream *stream, char *discarded, size_t room) {
    struct buffer *kept = stream->kept;
    size_t wanted = stream->limit - kept->length;
    char *to = discarded;
    if (wanted) {
        room = wanted < room ? wanted : room;
        to = buffer_reserve(kept, room);
    }
    ssize_t length = TEMP_FAILURE_RETRY(read(stream->read_end, to, room));
    if (length < 0 && errno == EAGAIN)
        return 0;
    if (length <= 0) {
        stream_close_end(&stream->read_end);
        return 0;
    }
    if (wanted) {
        kept->length += (size_t)length;
        kept->data[kept->length] = 0;
    } else {
        *stream->cut = true;
    }
    return (size_t)length;
}

// Takes what is in the pipe, without waiting for an end that a surviving process may hold open.
static void stream_drain(struct stream *stream, char *discarded, size_t room) {
    size_t total = 0;
    while (stream->read_end >= 0 && total < EXEC_PIPE_MAX) {
        size_t length = stream_read(stream, discarded, room);
        if (!length)
            return;
        total += length;
    }
}

static uint32_t exec_append_list(struct buffer *message, const char *const *list) {
    uint32_t count = 0;
    for (; list[count]; count++)
        buffer_append(message, list[count], strlen(list[count]) + 1);
    return count;
}

static int exec_request(struct exec *exec, const struct exec_command *command,
                        struct fault *fault) {
    if (command->program[0] != '/' || command->directory[0] != '/')
        return fault_set(fault, "cannot run %s in %s: both must be absolute paths",
                         command->program, command->directory);
    if (!command->deadline_ms || !command->argv[0])
        return fault_set(fault, "cannot run %s: no %s given", command->program,
                         command->deadline_ms ? "argv[0]" : "deadline");
    struct launcher_request header = {
        .kind = LAUNCHER_RUN,
        .deadline_ms = command->deadline_ms,
        .number = ++exec->number,
        .file_size_limit = command->file_size_limit,
        .cpu_seconds_limit = command->cpu_seconds_limit,
    };
    struct buffer *message = &exec->message;
    buffer_clear(message);
    buffer_append(message, &header, sizeof header);
    buffer_append(message, command->program, strlen(command->program) + 1);
    buffer_append(message, command->directory, strlen(command->directory) + 1);
    header.argument_count = exec_append_list(message, command->argv);
    header.environment_count = exec_append_list(message, command->environment);
    if (command->fence && !exec->unfenced)
        header.fence_count = exec_append_list(message, command->fence);
    memcpy(message->data, &header, sizeof header);
    uint32_t strings = header.argument_count + header.environment_count + header.fence_count;
    if (message->length > LAUNCHER_MESSAGE_MAX || strings > LAUNCHER_STRINGS_MAX)
        return fault_set(fault,
                         "cannot run %s: arguments and environment are %zu bytes in %u strings, "
                         "more than %d in %d",
                         command->program, message->length, strings, LAUNCHER_MESSAGE_MAX,
                         LAUNCHER_STRINGS_MAX);
    return 0;
}

static ssize_t exec_send(struct exec *exec, int out, int err) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct iovec vector = {exec->message.data, exec->message.length};
    struct msghdr message = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(rights), (int[]){out, err}, 2 * sizeof(int));
    return TEMP_FAILURE_RETRY(sendmsg(exec->socket, &message, MSG_NOSIGNAL));
}

// A launcher that died since the last command is replaced, once: nothing of this command has
// happened yet. One that dies later is an error, because a command that ran in part cannot simply
// be run again.
static int exec_submit(struct exec *exec, const char *program, int out, int err,
                       struct fault *fault) {
    bool fresh = exec->socket < 0;
    if (fresh && connection_open(exec, fault))
        return -1;
    if (exec_send(exec, out, err) >= 0)
        return 0;
    bool gone = errno == EPIPE || errno == ECONNRESET;
    fault_errno(fault, "cannot hand %s to the launcher", program);
    connection_kill(exec);
    if (!gone || fresh || connection_open(exec, fault))
        return -1;
    if (exec_send(exec, out, err) >= 0)
        return 0;
    fault_errno(fault, "cannot hand %s to the restarted launcher", program);
    connection_kill(exec);
    return -1;
}

// 1: the reply to the last request; 0: none yet, or a stale one; -1: there will be none.
static int exec_receive(struct exec *exec, const char *program, struct launcher_reply *reply,
                        struct fault *fault) {
    ssize_t length = TEMP_FAILURE_RETRY(recv(exec->socket, reply, sizeof *reply, MSG_DONTWAIT));
    if (length < 0 && errno == EAGAIN)
        return 0;
    if (length <= 0)
        return fault_set(fault, "the launcher died while it ran %s", program);
    if (length != sizeof *reply)
        return fault_set(fault, "the launcher sent %zd bytes instead of a reply", length);
    return reply->number == exec->number && reply->kind != LAUNCHER_HELLO;
}

static int exec_wait(struct exec *exec, const struct exec_command *command, struct stream *out,
                     struct stream *err, struct launcher_reply *reply, struct fault *fault) {
    uint64_t end = clock_us() + command->deadline_ms * 1000ull + EXEC_PATIENCE_US;
    int state = 0;
    while (!state) {
        struct pollfd fds[] = {
            {.fd = exec->socket, .events = POLLIN},
            {.fd = out->read_end, .events = POLLIN},
            {.fd = err->read_end, .events = POLLIN},
        };
        int ready = poll(fds, 3, clock_left_ms(end));
        if (ready < 0 && errno != EINTR)
            return fault_errno(fault, "cannot wait for %s", command->program);
        if (ready <= 0 && clock_us() >= end)
            return fault_set(fault, "the launcher could not end %s in time", command->program);
        if (ready <= 0)
            continue;
        if (fds[1].revents)
            stream_read(out, exec->discarded, sizeof exec->discarded);
        if (fds[2].revents)
            stream_read(err, exec->discarded, sizeof exec->discarded);
        if (fds[0].revents)
            state = exec_receive(exec, command->program, reply, fault);
    }
    stream_drain(out, exec->discarded, sizeof exec->discarded);
    stream_drain(err, exec->discarded, sizeof exec->discarded);
    return state < 0 ? -1 : 0;
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

static int exec_conclude(const struct exec_command *command, const struct launcher_reply *reply,
                         struct exec_outcome *outcome, struct fault *fault) {
    if (reply->kind != LAUNCHER_ENDED)
        return exec_cannot(command, reply, fault);
    if (reply->deadline_passed) {
        outcome->end = EXEC_DEADLINE;
        outcome->value = (int)command->deadline_ms;
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
    outcome->left_processes = reply->left_processes;
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

int exec_run(struct exec *exec, const struct exec_command *command, struct exec_outcome *outcome,
             struct fault *fault) {
    exec_outcome_clear(outcome);
    if (exec->owner != getpid())
        return fault_set(fault, "cannot run %s: this launcher belongs to another process (%d)",
                         command->program, (int)exec->owner);
    if (exec_request(exec, command, fault))
        return -1;
    struct stream out = {.read_end = -1, .write_end = -1}, err = out;
    struct launcher_reply reply;
    size_t limit = command->capture_limit;
    int result = stream_open(&out, &outcome->out, limit, &outcome->out_cut, fault);
    if (!result)
        result = stream_open(&err, &outcome->err, limit, &outcome->err_cut, fault);
    if (!result)
        result = exec_submit(exec, command->program, out.write_end, err.write_end, fault);
    // The launcher has its own copies; ours would hide the end of the streams.
    stream_close_end(&out.write_end);
    stream_close_end(&err.write_end);
    if (!result) {
        result = exec_wait(exec, command, &out, &err, &reply, fault);
        if (result)
            connection_kill(exec);
    }
    stream_close_end(&out.read_end);
    stream_close_end(&err.read_end);
    return result ? -1 : exec_conclude(command, &reply, outcome, fault);
}
