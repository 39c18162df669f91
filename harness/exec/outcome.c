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

// With the one number that belongs to the end between them.
static const struct {
    const char *before, *behind;
} outcome_ends[] = {
    [EXEC_EXITED] = {"exit ", ""},
    [EXEC_SIGNALED] = {"signal ", ""},
    [EXEC_DEADLINE] = {"killed after ", " ms"},
    [EXEC_MEMORY] = {"killed for more than ", " MiB of memory"},
    [EXEC_SPACE] = {"killed for more than ", " MiB of files"},
    [EXEC_PROCESSES] = {"ended at more than ", " processes"},
};

void exec_outcome_words(const struct exec_outcome *outcome, struct buffer *words) {
    if (outcome->end == EXEC_LOST) {
        buffer_text(words, "lost with its warm process");
        return;
    }
    buffer_format(words, "%s%d%s", outcome_ends[outcome->end].before, outcome->value,
                  outcome_ends[outcome->end].behind);
    if (outcome->end != EXEC_SIGNALED)
        return;
    for (size_t i = 0; i < sizeof outcome_signals / sizeof *outcome_signals; i++)
        if (outcome_signals[i].number == outcome->value)
            buffer_format(words, " (%s)", outcome_signals[i].name);
}

// (Met: a conversion of 3 s of work, on two cores with eight busy processes.)
bool exec_outcome_starved(const struct exec_outcome *outcome) {
    uint64_t worked = outcome->user_us + outcome->system_us;
    return worked > outcome->wall_us / 20 && worked < outcome->wall_us / 4 * 3;
}

void exec_outcome_free(struct exec_outcome *outcome) {
    buffer_free(&outcome->out);
    buffer_free(&outcome->err);
}
