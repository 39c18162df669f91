// SPDX-License-Identifier: Apache-2.0
//
// A warm process from the harness's side: a tool that was started once, waits half-way, and is
// forked from for each command (warm_protocol.h, preload/). It is a command without a deadline of a
// launcher of its own, and so has all that a command has: fence, limits, a session that can be
// killed as a whole, and a guard that outlives us.
#ifndef EXEC_WARM_H
#define EXEC_WARM_H

#include "exec/exec.h"
#include "exec/launcher_protocol.h"

#include <stdbool.h>

struct warm;

#define WARM_LIBRARY "warm.so" // beside the launcher

// Ends the process and waits until nothing of it is left; in a forked child (`own` false) only
// forgets it. NULL is fine.
void warm_close(struct warm *warm, bool own);
// exec_run for every back end but the plain one.
int exec_run_warm(struct exec *exec, const struct exec_command *command,
                  struct exec_outcome *outcome, struct fault *fault);

#endif
