// SPDX-License-Identifier: Apache-2.0
//
// One request and its answer over a SOCK_SEQPACKET socket, while both streams of the command are
// read. The launcher and warm processes are spoken to in the same way.
#ifndef EXEC_EXCHANGE_H
#define EXEC_EXCHANGE_H

#include "base/buffer.h"
#include "base/fault.h"
#include "exec/launcher_protocol.h"
#include "exec/stream.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define EXCHANGE_FDS_MAX 3

// As sendmsg, with descriptors. Never a signal.
ssize_t exchange_send(int socket, const struct buffer *message, const int *fds, size_t count);

struct exchange {
    int socket;
    uint64_t number; // of the request; answers with another one are dropped
    uint32_t deadline_ms;
    const char *program, *partner; // for faults: what runs, who runs it ("the launcher")
    struct stream *out, *err;
};
// -1: the partner died, or could not end the command in time.
int exchange_wait(const struct exchange *exchange, struct launcher_reply *reply,
                  struct fault *fault);

#endif
