// SPDX-License-Identifier: Apache-2.0
//
// An outcome in words. Reports quote them and people compare reports, so they depend on nothing
// but the outcome: signal names come from a table of ours, not from the C library's language.
#include "exec/exec.h"

#include <signal.h>

static const struct {
    int number;
    const char *name;
} outcome_signals[] = {
    {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
    {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGKILL, "SIGKILL"}, {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"},
    {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"}, {SIGXCPU, "SIGXCPU"},
    {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"},
};

void exec_outcome_words(const struct exec_outcome *outcome, struct buffer *words) {
    switch (outcome->end) {
    case EXEC_EXITED:
        buffer_format(words, "exit %d", outcome->value);
        return;
    case EXEC_DEADLINE:
        buffer_format(words, "killed after %u ms", (unsigned)outcome->value);
        return;
    case EXEC_LOST:
        buffer_text(words, "lost with its warm process");
        return;
    case EXEC_SIGNALED:
        break;
    }
    buffer_format(words, "signal %d", outcome->value);
    for (size_t i = 0; i < sizeof outcome_signals / sizeof *outcome_signals; i++)
        if (outcome_signals[i].number == outcome->value)
            buffer_format(words, " (%s)", outcome_signals[i].name);
}

void exec_outcome_free(struct exec_outcome *outcome) {
    buffer_free(&outcome->out);
    buffer_free(&outcome->err);
}
