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
#define TOOL_OPS_ALL     ((1u << OPERATIONS) - 1)

// How one option of one target format is spelled, and in which operations.
struct tool_option_form {
    enum tool_option option;
    enum image_format target;
    unsigned operations;  // TOOL_OP set
    const char *spelling; // of a flag: all of it, "extended_l2=on"
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

// The option's value as it stands on a command line; 0 = not given.
uint32_t tool_option_value(const struct target_options *options, enum tool_option option);
bool tool_option_is_flag(enum tool_option option); // its value is 1, and is not spelled out
// vmdk_subformat's value in words: "monolithicSparse", "streamOptimized".
const char *tool_subformat_name(uint32_t subformat);
// The row for this option in this call, or NULL if this tool cannot be given it.
const struct tool_option_form *
tool_option_form(const struct tool *tool, const struct tool_call *call, enum tool_option option);
const char *tool_format_name(enum image_format format);
extern const char *const tool_option_names[TOOL_OPTIONS]; // "cluster_size", ...

// Appending to a command line. What does not fit empties it for good.
void tool_argv_begin(struct tool_argv *argv);
void tool_argv_add(struct tool_argv *argv, const char *item); // copied
void tool_argv_format(struct tool_argv *argv, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Does a line of this output begin with `prefix`? Does it contain `words`, in any letter case?
// NULs in the output end nothing.
bool tool_line_begins(const struct buffer *output, const char *prefix);
bool tool_text_has(const struct buffer *output, const char *words);

// Runs a command line that is already built, in the case directory, with the limits of tool_run.
int tool_run_argv(const struct tool *tool, const struct tool_argv *argv, struct tool_room *room,
                  struct exec_outcome *outcome, struct fault *fault);
// Finds `path` (in PATH if it has no slash) and stores it absolute. -1: one clear sentence.
int tool_find(const char *path, char *absolute, size_t room, struct fault *fault);
// Reads the first line of --version: what is it, and which version? false: neither tool.
bool tool_recognise(struct tool *tool, const char *line);

#endif
