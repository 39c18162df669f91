// SPDX-License-Identifier: Apache-2.0
//
// The subcommands of instar-fuzz, one file each, one line each in the table of main.c.
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "harness.h"

struct command {
    const char *name;
    const char *usage; // behind the name
    const char *words; // one line
    const char *help;  // the rest of --help: options, exit codes
    int (*run)(const struct command *command, int argc, char **argv); // argv[0] is the name
};

extern const struct command command_run, command_replay, command_show, command_assemble,
    command_minimize, command_triage, command_issues, command_report, command_known, command_doctor,
    command_status, command_encoding, command_coverage;

// Prints "instar-fuzz NAME: text" and returns EXIT_BAD_USE.
int command_complain(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// What stands behind the option argv[*at], to which *at moves on; NULL with the complaint made
// where nothing does, or an empty word.
const char *command_value(const struct command *command, char **argv, int *at);
// The value of an option, 1 to `most`. 0, or EXIT_BAD_USE with the complaint made; `value` NULL:
// command_value has complained.
int command_number(const struct command *command, const char *name, const char *value,
                   unsigned most, unsigned *number);
void command_help(const struct command *command);
// Reads the environment and opens the harness; prints the reason and returns an exit code, or 0.
int command_open(const struct command *command, struct settings *settings,
                 struct harness **harness);
// The same with settings that were read already, and perhaps changed since.
int command_open_with(const struct command *command, const struct settings *settings,
                      struct harness **harness);
// case_load, with a note on stderr where a file looks like the text form but its name says bytes,
// or has more bytes than count, and for each member of the text form that has no effect.
int command_load_case(struct testcase *testcase, const char *path, struct fault *fault);
void command_note_idle(const struct testcase *testcase, const char *path); // the last of these
// Reads a whole file of at most `limit` bytes.
int command_read_file(const char *path, size_t limit, struct buffer *out, struct fault *fault);
// The file appears whole or not at all, in the place of one that stood there.
int command_write_file(const char *path, const void *data, size_t size, struct fault *fault);

#endif
