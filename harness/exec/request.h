// SPDX-License-Identifier: Apache-2.0
//
// A command as the bytes of a request: the launcher's whole one, and a warm process's short one.
#ifndef EXEC_REQUEST_H
#define EXEC_REQUEST_H

#include "base/buffer.h"
#include "base/fault.h"
#include "exec/exec.h"

#include <stdbool.h>
#include <stdint.h>

// -1: it does not fit. deadline_ms 0: none.
int request_build(struct buffer *message, uint64_t number, const struct exec_command *command,
                  bool fenced, struct fault *fault);
// Number, limits and arguments.
int request_build_warm(struct buffer *message, uint64_t number, const struct exec_command *command,
                       struct fault *fault);

#endif
