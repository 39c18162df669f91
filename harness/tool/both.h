// SPDX-License-Identifier: Apache-2.0
//
// A call by a shortcut and by plain execution, held against each other: the tool's self-test at the
// start, and one case in many for ever after.
#ifndef TOOL_BOTH_H
#define TOOL_BOTH_H

#include "tool/tool.h"

// Runs the call by plain execution and then `times` times by the tool's back end. 1: all of it is
// the same (end, stdout, stderr, the output's bytes; of a tool that counts its edges what two runs
// by the back end have counted), or plain execution itself came to nothing (a deadline, a limit);
// 2: the back end alone came to nothing (these, and a warm process that was lost); 0: it differs.
// `words` says in what, for 2 and 0. The outcome and the files are those of plain execution.
int tool_run_both(const struct tool *tool, const struct tool_call *call, unsigned times,
                  struct tool_room *room, struct exec_outcome *outcome, struct buffer *words,
                  struct fault *fault);

#endif
