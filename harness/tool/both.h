// SPDX-License-Identifier: Apache-2.0
//
// A call by a shortcut and by plain execution, held against each other: the tool's self-test at the
// start, and one case in many for ever after.
#ifndef TOOL_BOTH_H
#define TOOL_BOTH_H

#include "tool/tool.h"

enum both_answer {
    BOTH_DIFFER, // `words` says in what
    // End, stdout, stderr, the output's bytes; of a tool that counts its edges what two runs by the
    // back end have counted.
    BOTH_SAME,
    BOTH_LOST, // the back end alone came to nothing: a deadline, a limit, or its warm process
               // was lost; `words` says which
    BOTH_NOT_COMPARED, // plain execution itself came to nothing
};

// Runs the call by plain execution and then `times` times by the tool's back end. -1: a harness
// error. The outcome and the files are those of plain execution.
int tool_run_both(const struct tool *tool, const struct tool_call *call, unsigned times,
                  struct tool_room *room, struct exec_outcome *outcome, struct buffer *words,
                  struct fault *fault);

#endif
