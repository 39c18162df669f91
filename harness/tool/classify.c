// SPDX-License-Identifier: Apache-2.0
//
// From what happened to a process to what it means. Two tables: the status that a tool ends with
// in an operation, and the few texts and signals that speak of a limit. A text may only take weight
// from an outcome (refused or crashed becomes limit); none ever makes it worse. The one text that
// does more, a complaint about the command line, accuses us and not the tool.
#include "tool/adapter.h"

#include <signal.h>
#include <string.h>

#define CHECK      TOOL_OP(OP_CHECK)
#define COMPARE    TOOL_OP(OP_COMPARE)
#define NOT_CHECK  (TOOL_OPS_ALL & ~CHECK)
#define ANY_STATUS (-1)

// qemu-img ends with 1 for a wrong command line too. Anchored to the start of a line and spelled as
// qemu-img spells it, so that no text from an image can look like it. Words about an option's
// value ("Invalid parameter", "Unsupported") are refusals and not listed. Tried with 7.2; the
// "Try" line ends every complaint about a command line except for the last three.
static bool qemu_img_complains(const struct exec_outcome *outcome) {
    static const char *const lines[] = {
        "Try 'qemu-img",
        "qemu-img: unrecognized option '",
        "qemu-img: Unknown option '",
        "qemu-img: invalid option -- '",
        "qemu-img: missing argument for option '",
        "qemu-img: Command not found: ",
        "qemu-img: Expecting one image file name",
        "qemu-img: Expecting two image file names",
        "qemu-img: Must specify image file name",
        "qemu-img: Either --size N or one filename must be specified",
        "qemu-img: --output must be used with human or json",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (tool_line_begins(&outcome->err, lines[i]))
            return true;
    return false;
}

// instar's 2 is "corrupt" and "wrong command line", its 1 "different" and "refused"; only the first
// of each prints a result.
static bool tool_printed_json(const struct exec_outcome *outcome) {
    for (size_t i = 0; i < outcome->out.length; i++)
        if (!strchr(" \t\r\n", outcome->out.data[i]) || !outcome->out.data[i])
            return outcome->out.data[i] == '{';
    return false;
}

// What instar says, by its source, when its guest ended by a fault of the processor (0.3.0 names
// it, before it was a triple fault) or could not go on. Its one line of an error is what Rust makes
// of a text, and no image of ours has such words to put into one.
static bool instar_guest_died(const struct exec_outcome *outcome) {
    static const char *const words[] = {
        "guest CPU exception: ",
        "VM shutdown (",
        "VM entry failed: ",
        "unexpected VM exit: ",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (tool_line_begins(&outcome->err, "Error: \"") && tool_text_has(&outcome->err, words[i]))
            return true;
    return false;
}

// The first row that fits counts. Every tool's rows end with one for any status: 1, and whatever is
// not documented, means that it did not do what was asked. 101 is a Rust program that panicked: a
// crash, though not by a signal, and so is a guest that died.
static const struct exit_rule {
    enum tool_kind kind;
    unsigned operations;
    int status;
    bool (*when)(const struct exec_outcome *outcome); // NULL: always
    enum outcome_class class;
} exit_rules[] = {
    {TOOL_QEMU_IMG, NOT_CHECK, 0, NULL, OUTCOME_OK},
    {TOOL_QEMU_IMG, CHECK, 0, NULL, OUTCOME_CLEAN},
    {TOOL_QEMU_IMG, TOOL_OPS_ALL, 1, qemu_img_complains, OUTCOME_USAGE},
    {TOOL_QEMU_IMG, COMPARE, 1, NULL, OUTCOME_DIFFERENT},
    {TOOL_QEMU_IMG, CHECK, 2, NULL, OUTCOME_CORRUPT},
    {TOOL_QEMU_IMG, CHECK, 3, NULL, OUTCOME_LEAKS},
    {TOOL_QEMU_IMG, CHECK, 63, NULL, OUTCOME_NO_CHECKS},
    {TOOL_QEMU_IMG, TOOL_OPS_ALL, ANY_STATUS, NULL, OUTCOME_REFUSED},
    {TOOL_INSTAR, NOT_CHECK, 0, NULL, OUTCOME_OK},
    {TOOL_INSTAR, CHECK, 0, NULL, OUTCOME_CLEAN},
    {TOOL_INSTAR, TOOL_OPS_ALL, 1, instar_guest_died, OUTCOME_SIGNAL},
    {TOOL_INSTAR, COMPARE, 1, tool_printed_json, OUTCOME_DIFFERENT},
    {TOOL_INSTAR, CHECK, 2, tool_printed_json, OUTCOME_CORRUPT},
    {TOOL_INSTAR, TOOL_OPS_ALL, 2, NULL, OUTCOME_USAGE},
    {TOOL_INSTAR, CHECK, 3, NULL, OUTCOME_LEAKS},
    {TOOL_INSTAR, CHECK, 63, NULL, OUTCOME_NO_CHECKS},
    {TOOL_INSTAR, TOOL_OPS_ALL, 101, NULL, OUTCOME_SIGNAL},
    {TOOL_INSTAR, TOOL_OPS_ALL, ANY_STATUS, NULL, OUTCOME_REFUSED},
};

// Any signal is OUTCOME_SIGNAL and any refusal OUTCOME_REFUSED unless a row here knows the limit.
static const struct limit_rule {
    enum exec_end end;
    int value;         // status or signal; ANY_STATUS: any
    const char *words; // on stderr, in any letter case; NULL: not needed
} limit_rules[] = {
    {EXEC_MEMORY, ANY_STATUS, NULL}, // these three: looked at by the launcher (exec/limits.h)
    {EXEC_SPACE, ANY_STATUS, NULL},
    {EXEC_PROCESSES, ANY_STATUS, NULL},
    {EXEC_SIGNALED, SIGXFSZ, NULL},                                // RLIMIT_FSIZE
    {EXEC_SIGNALED, SIGXCPU, NULL},                                // RLIMIT_CPU
    {EXEC_SIGNALED, SIGKILL, NULL},                                // no memory, or RLIMIT_CPU
    {EXEC_SIGNALED, SIGABRT, "failed to allocate"},                // memory (glib)
    {EXEC_SIGNALED, SIGTRAP, "failed to allocate"},                // glib, as a breakpoint
    {EXEC_SIGNALED, SIGABRT, "memory allocation of"},              // memory (Rust)
    {EXEC_SIGNALED, SIGABRT, "cannot allocate memory"},            // ENOMEM
    {EXEC_SIGNALED, SIGABRT, "resource temporarily unavailable"},  // EAGAIN: a thread (qemu)
    {EXEC_SIGNALED, SIGABRT, "too many open files"},               // EMFILE: a pipe (qemu, glib)
    {EXEC_SIGNALED, SIGTRAP, "resource temporarily unavailable"},  // EAGAIN (glib)
    {EXEC_SIGNALED, SIGTRAP, "too many open files"},               // EMFILE (glib)
    {EXEC_EXITED, ANY_STATUS, "no space left"},                    // ENOSPC: the tmpfs
    {EXEC_EXITED, ANY_STATUS, "disk quota exceeded"},              // EDQUOT
    {EXEC_EXITED, ANY_STATUS, "file too large"},                   // EFBIG: RLIMIT_FSIZE
    {EXEC_EXITED, ANY_STATUS, "cannot allocate memory"},           // ENOMEM
    {EXEC_EXITED, ANY_STATUS, "out of memory"},                    // memory
    {EXEC_EXITED, ANY_STATUS, "memory allocation of"},             // memory (Rust)
    {EXEC_EXITED, ANY_STATUS, "failed to allocate"},               // memory (glib)
    {EXEC_EXITED, ANY_STATUS, "too many open files"},              // EMFILE
    {EXEC_EXITED, ANY_STATUS, "resource temporarily unavailable"}, // EAGAIN: processes
};

static bool tool_hit_limit(const struct exec_outcome *outcome) {
    for (size_t i = 0; i < sizeof limit_rules / sizeof *limit_rules; i++) {
        const struct limit_rule *rule = &limit_rules[i];
        if (rule->end == outcome->end &&
            (rule->value == ANY_STATUS || rule->value == outcome->value) &&
            (!rule->words || tool_text_has(&outcome->err, rule->words)))
            return true;
    }
    return false;
}

static enum outcome_class tool_classify_exit(enum tool_kind kind, enum operation op,
                                             const struct exec_outcome *outcome) {
    for (size_t i = 0; i < sizeof exit_rules / sizeof *exit_rules; i++) {
        const struct exit_rule *rule = &exit_rules[i];
        if (rule->kind == kind && rule->operations & TOOL_OP(op) &&
            (rule->status == ANY_STATUS || rule->status == outcome->value) &&
            (!rule->when || rule->when(outcome)))
            return rule->class;
    }
    return OUTCOME_REFUSED;
}

enum outcome_class tool_classify(const struct tool *tool, enum operation op,
                                 const struct exec_outcome *outcome) {
    if (outcome->end == EXEC_DEADLINE)
        return OUTCOME_TIMEOUT;
    if (outcome->end == EXEC_LOST)
        return OUTCOME_LIMIT;
    enum outcome_class class =
        outcome->end == EXEC_EXITED ? tool_classify_exit(tool->kind, op, outcome) : OUTCOME_SIGNAL;
    // A success or a finished check stands, whatever the tool said besides.
    bool may_downgrade = class == OUTCOME_REFUSED || class == OUTCOME_SIGNAL;
    return may_downgrade && tool_hit_limit(outcome) ? OUTCOME_LIMIT : class;
}
