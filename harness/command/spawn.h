// SPDX-License-Identifier: Apache-2.0
//
// Running a helper of ours that is no tool under test (gh). The tools go through the launcher,
// which builds their environment from nothing and is where they are fenced in: no network, no home.
// Such a helper needs just that: HOME and GH_CONFIG_DIR, PATH, GH_TOKEN, proxies, the current
// directory with its git remote. So it is started here, with our own environment, and without a
// shell.
#ifndef COMMAND_SPAWN_H
#define COMMAND_SPAWN_H

#include "base/buffer.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct spawn_outcome {
    int exit_status;        // 128 + signal if one ended it
    struct buffer out, err; // what it printed, NUL-terminated, cut after SPAWN_CAPTURE bytes each
};
#define SPAWN_CAPTURE (1u << 20)

// argv[0] is looked up in PATH; stdin is empty. It and what it started are killed at the deadline.
// -1: it could not be started, or the deadline passed.
int spawn_run(const char *const *argv, uint32_t deadline_ms, struct spawn_outcome *outcome,
              struct fault *fault);
void spawn_free(struct spawn_outcome *outcome);

#endif
