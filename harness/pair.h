// SPDX-License-Identifier: Apache-2.0
//
// Which two programs are compared.
#ifndef HARNESS_PAIR_H
#define HARNESS_PAIR_H

#include "report/record.h"
#include "settings.h"

// Probes and fills both sides. A side that the choice leaves out is not available and says so.
// -1: the pair cannot be formed; `unavailable` tells whether a tool that cannot run was the reason.
int pair_choose(struct tool tools[SIDES], const struct settings *settings, struct tool_room *room,
                bool *unavailable, struct fault *fault);

#endif
