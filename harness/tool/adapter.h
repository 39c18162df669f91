// SPDX-License-Identifier: Apache-2.0
//
// What the files of this room share and nobody else needs: the adapter, which is everything that
// differs from one kind of tool to the next, and the small helpers that build command lines and
// read a tool's words. A new kind of tool is one file with one adapter and one line in tool.c.
#ifndef TOOL_ADAPTER_H
#define TOOL_ADAPTER_H

#include "tool/tool.h"

// Sets of operations, for the tables.
#define TOOL_OP(op)      (1u << (op))
#define TOOL_OPS_WRITING (TOOL_OP(OP_CONVERT) | TOOL_OP(OP_CONVERT_COMPRESSED))
#define TOOL_OPS_ALL     ((1u << TOOL_OPERATIONS) - 1)

// How one option of one target format is spelled, and in which operations.
struct tool_option_form {
    enum tool_option option;
    enum image_format target; // IMAGE_FORMATS: any
    unsigned operations;      // TOOL_OP set
    // A switch, "--cluster-size", or a key of -o, "cluster_size". Of a flag all of it, in one word
    // or two: "extended_l2=on", "-S 0".
    const char *spelling;
};

struct tool_adapter {
    enum tool_kind kind;
    const char *program;      // argv[0], and the default name on PATH
    const char *role;         // default role
    uint32_t oldest;          // version_number; older ones are unavailable
    const char *oldest_words; // the same for people
    unsigned measure_targets; // bit set of image formats: elsewhere a refusal is nothing to tell
    unsigned checks; // bit set of image formats that its check knows; elsewhere it ends with 63
    const struct tool_option_form *options; // ends with spelling NULL
    void (*build)(const struct tool *tool, const struct tool_call *call, struct tool_argv *argv);
    // Is there anything about the machine that it needs and lacks? NULL: no, else one sentence.
    const char *(*missing)(const struct tool *tool);
};

extern const struct tool_adapter tool_adapter_qemu_img, tool_adapter_instar;
const struct tool_adapter *tool_adapter(enum tool_kind kind);

// harness/tool/options.c
#define TOOL_OPTION_ROOM 32
// Is the option given in this call? Its value as it stands on a command line; "" for a flag.
bool tool_option_value(const struct tool_call *call, enum tool_option option,
                       char words[TOOL_OPTION_ROOM]);
void tool_option_forget(struct tool_call *call, enum tool_option option); // no longer given
// The row for this option in this call, or NULL if this tool cannot be given it.
const struct tool_option_form *
tool_option_form(const struct tool *tool, const struct tool_call *call, enum tool_option option);
// Not given, or given and in this tool's command line.
bool tool_honours_option(const struct tool *tool, const struct tool_call *call,
                         enum tool_option option);
const char *tool_option_name(enum tool_option option); // "cluster_size", ...
// Appends all options of the call that the tool can be given.
void tool_argv_options(struct tool_argv *argv, const struct tool *tool,
                       const struct tool_call *call);
const char *tool_format_name(enum image_format format);

// harness/tool/samples.c: "probe.<format>" in `directory`. Without a raw image nothing can be
// probed
// (-1); a sample of another format may be missing.
#define TOOL_SAMPLE_SIZE (UINT64_C(1) << 20) // guest bytes
int tool_samples(const char *directory, struct fault *fault);
void tool_sample_name(enum image_format format, char *name, size_t room);

// Appending to a command line. What does not fit empties it for good.
void tool_argv_begin(struct tool_argv *argv);
void tool_argv_add(struct tool_argv *argv, const char *item); // copied
void tool_argv_format(struct tool_argv *argv, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Does a line of this output begin with `prefix`? Does it contain `words`, in any letter case?
// NULs in the output end nothing.
bool tool_line_begins(const struct buffer *output, const char *prefix);
bool tool_text_has(const struct buffer *output, const char *words);

// Which file stands at `path`. -1: none that can be looked at.
int tool_look_at_file(const char *path, struct tool_file *file, struct fault *fault);
// Runs a command line that is already built, in the case directory, with the limits of tool_run.
// -1 also where another file stands at the tool's path than the one that was probed.
int tool_run_argv(const struct tool *tool, const struct tool_argv *argv, struct tool_room *room,
                  struct exec_outcome *outcome, struct fault *fault);
// In this environment; NULL: the tools' own.
int tool_run_argv_in(const struct tool *tool, const struct tool_argv *argv,
                     const char *const *environment, struct tool_room *room,
                     struct exec_outcome *outcome, struct fault *fault);
// One round of tool_probe (probe.c).
int tool_probe_once(struct tool *tool, const char *path, enum tool_kind wanted,
                    struct tool_room *room, struct fault *fault);
// Finds `path` (in PATH if it has no slash) and stores it absolute. -1: one clear sentence.
int tool_find(const char *path, char *absolute, size_t room, struct fault *fault);
// Reads the first line of --version: what is it, and which version? false: neither tool.
bool tool_recognise(struct tool *tool, const char *line);
// The same by what --help prints, for an instar, which knows no --version. false: it is none.
bool tool_recognise_help(struct tool *tool, const struct buffer *help);

#endif
