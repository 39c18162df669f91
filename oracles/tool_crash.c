// SPDX-License-Identifier: Apache-2.0
//
// A tool that is killed by a signal which we did not send has a bug, whatever the image; so has
// instar where it ends with 101, the status of a panic, or says that its guest died. Signals that a
// limit of ours causes never get here: they are of the class `limit`.
#include "oracles/rule.h"

#include <signal.h>
#include <string.h>

// sigabbrev_np is younger than the C libraries that fuzzing services build with.
static const struct {
    int number;
    const char *name;
} signal_names[] = {
    {SIGSEGV, "sigsegv"}, {SIGABRT, "sigabrt"}, {SIGBUS, "sigbus"},   {SIGFPE, "sigfpe"},
    {SIGILL, "sigill"},   {SIGTRAP, "sigtrap"}, {SIGSYS, "sigsys"},   {SIGKILL, "sigkill"},
    {SIGTERM, "sigterm"}, {SIGPIPE, "sigpipe"}, {SIGALRM, "sigalrm"}, {SIGINT, "sigint"},
    {SIGHUP, "sighup"},   {SIGQUIT, "sigquit"}, {SIGUSR1, "sigusr1"}, {SIGUSR2, "sigusr2"},
};

static const char *signal_name(int number) {
    for (size_t i = 0; i < sizeof signal_names / sizeof *signal_names; i++)
        if (signal_names[i].number == number)
            return signal_names[i].name;
    return "signal";
}

// How it died: a signal's name, "panic" for the exit status that Rust gives one, or "guest_fault",
// which instar reports as an error like any other (harness/tool/classify.c).
static const char *death(const struct exec_outcome *outcome) {
    if (outcome && outcome->end == EXEC_EXITED)
        return outcome->value == 101 ? "panic" : "guest_fault";
    return signal_name(outcome ? outcome->value : 0);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        bool itself = oracle_class(side) == OUTCOME_SIGNAL;
        bool fit = side->ran && side->fit_outcome && side->fit_class == OUTCOME_SIGNAL;
        if (!itself && !fit)
            continue;
        const char *name = death(itself ? side->outcome : side->fit_outcome);
        struct judgement *judgement =
            oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", side, "_");
        strncat(judgement->detail, name, sizeof judgement->detail - strlen(judgement->detail) - 1);
        oracle_values(judgement, "outcome", i == 0 ? name : NULL, i == 0 ? NULL : name);
        oracle_text(judgement, "%s died by %s during %s.", side->tool->name, name,
                    itself ? operation_names[step->op] : "the convert behind this measure");
        return; // one judgement a step; the other side crashing too is in the report
    }
}

const struct oracle oracle_tool_crash = {
    .type = "tool_crash",
    .rule =
        "a tool ends by a signal that nobody sent, or instar by a panic (status 101) or because "
        "its guest died",
    .ops = ORACLE_ALL_OPS,
    .judge = judge,
    .accuses = "No image may end a tool by a signal or a panic, nor its guest.",
    .accuses_by = OPINION_BY_TOOL,
};
