// SPDX-License-Identifier: Apache-2.0
//
// Waiting for an answer. Most commands write less than a pipe holds and are over soon, so at first
// only the answer wakes us: a tool that prints ten lines is not interrupted ten times.
#include "exec/exchange.h"

#include "exec/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// How long after the deadline the partner may take to kill and reap.
#define EXCHANGE_PATIENCE_US (10 * 1000000ull)
#define EXCHANGE_QUIET_MS    3

ssize_t exchange_send(int socket, const struct buffer *message, const int *fds, size_t count) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(EXCHANGE_FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec vector = {message->data, message->length};
    struct msghdr packet = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count) {
        packet.msg_control = &control;
        packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
    }
    return TEMP_FAILURE_RETRY(sendmsg(socket, &packet, MSG_NOSIGNAL));
}

// 1: the answer; 0: none yet, or a stale one; -1: there will be none.
static int exchange_receive(const struct exchange *exchange, struct launcher_reply *reply,
                            struct fault *fault) {
    ssize_t length = TEMP_FAILURE_RETRY(recv(exchange->socket, reply, sizeof *reply, MSG_DONTWAIT));
    if (length < 0 && errno == EAGAIN)
        return 0;
    if (length <= 0)
        return fault_set(fault, "%s died while it ran %s", exchange->partner, exchange->program);
    if (length != sizeof *reply)
        return fault_set(fault, "%s sent %zd bytes instead of a reply", exchange->partner, length);
    return reply->number == exchange->number && reply->kind != LAUNCHER_HELLO;
}

static int exchange_turn(const struct exchange *exchange, bool quiet, uint64_t end,
                         struct launcher_reply *reply, struct fault *fault) {
    struct stream *out = exchange->out, *err = exchange->err;
    struct pollfd fds[] = {
        {.fd = exchange->socket, .events = POLLIN},
        {.fd = out->read_end, .events = POLLIN},
        {.fd = err->read_end, .events = POLLIN},
    };
    int left = clock_left_ms(end);
    int ready =
        poll(fds, quiet ? 1 : 3, quiet && left > EXCHANGE_QUIET_MS ? EXCHANGE_QUIET_MS : left);
    if (ready < 0 && errno != EINTR)
        return fault_errno(fault, "cannot wait for %s", exchange->program);
    // After a signal that came while we were stopped the time may be over and the answer there all
    // the same: the next look, which waits for nothing, sees it.
    if (ready == 0 && clock_us() >= end)
        return fault_set(fault, "%s could not end %s in time", exchange->partner,
                         exchange->program);
    if (ready <= 0)
        return 0;
    if (fds[1].revents)
        stream_read(out);
    if (fds[2].revents)
        stream_read(err);
    return fds[0].revents ? exchange_receive(exchange, reply, fault) : 0;
}

int exchange_wait(const struct exchange *exchange, struct launcher_reply *reply,
                  struct fault *fault) {
    uint64_t end = clock_us() + exchange->deadline_ms * 1000ull + EXCHANGE_PATIENCE_US;
    int state = 0;
    for (bool quiet = true; !state; quiet = false)
        state = exchange_turn(exchange, quiet, end, reply, fault);
    stream_drain(exchange->out);
    stream_drain(exchange->err);
    return state < 0 ? -1 : 0;
}
