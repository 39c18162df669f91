// SPDX-License-Identifier: Apache-2.0
//
// The command line as instar's parser (clap) takes it: options before or after operands,
// `--name value` and `--name=value`, `-x value`, `-xvalue` and `-x=value`, short flags together,
// `--` ends options. A mistake is a usage error: a message on stderr and exit 2, which the harness
// must be able to tell from a refusal (exit 1).
#ifndef STANDIN_ARGUMENTS_H
#define STANDIN_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_id {
    OPT_BLOCK_SIZE,
    OPT_CHAIN,
    OPT_CLUSTER_SIZE,
    OPT_COMPAT,
    OPT_COMPRESS,
    OPT_EXTENDED_L2,
    OPT_EXTRA_DETAIL,
    OPT_FORMAT,
    OPT_GRAIN_SIZE,
    OPT_IGNORE_QUIRKS,
    OPT_IMAGE_OPTS,
    OPT_KEY_VALUE, // -o
    OPT_LAZY_REFCOUNTS,
    OPT_LUKS_ENCRYPT_ITERATIONS,
    OPT_LUKS_ENCRYPT_PASSPHRASE,
    OPT_LUKS_ENCRYPT_PASSPHRASE_FILE,
    OPT_LUKS_PASSPHRASE,
    OPT_LUKS_PASSPHRASE_FILE,
    OPT_MAX_GUEST_MEMORY,
    OPT_MAX_LENGTH,
    OPT_NO_CREATE,
    OPT_NO_SKIP_ZEROS,
    OPT_OUTPUT,
    OPT_PREALLOCATION,
    OPT_PROGRESS,
    OPT_QCOW2_PASSWORD,
    OPT_QCOW2_PASSWORD_FILE,
    OPT_QEMU_VERSION,
    OPT_QUIET,
    OPT_REFCOUNT_BITS,
    OPT_REPAIR,
    OPT_SECTOR_SIZE,
    OPT_SIZE,
    OPT_SKIP_ZEROS,
    OPT_SNAPSHOT,
    OPT_START_OFFSET,
    OPT_STRICT,
    OPT_SUBFORMAT,
    OPT_TARGET,
    OPT_UNSAFE_QUIRKS,
    OPT_VERBOSE,
    OPTION_IDS
};

enum option_kind {
    KIND_FLAG,
    KIND_TEXT,
    KIND_NUMBER,         // decimal u32
    KIND_CHOICE,         // one of `choices`, separated by '|'
    KIND_CHOICE_OPTIONAL // the same, only with '='; without it the first choice
};

struct option_spec {
    enum option_id id;
    const char *name; // without "--"
    char letter;      // 0: none
    enum option_kind kind;
    const char *choices;
};

#define ARGUMENTS_MAX_KEY_VALUES 64

struct arguments {
    const char *text[OPTION_IDS];  // the last value, NULL if not given; "" for a flag
    uint64_t number[OPTION_IDS];   // KIND_NUMBER: its value, 0 if not given
    unsigned position[OPTION_IDS]; // where it stood last, from 1; 0 = not given
    const char *key_values[ARGUMENTS_MAX_KEY_VALUES];
    size_t key_value_count;
    const char *operands[2];
    size_t operand_count;
};

struct command {
    const char *name, *summary;
    const char *usage; // what follows the name
    const struct option_spec *options;
    size_t option_count;
    size_t operands_min, operands_max;
    int (*run)(const struct arguments *arguments); // returns the exit status
};

// 0: parsed; else the process is over and *status is its exit status (2, or 0 after --help).
int arguments_parse(const struct command *command, char **argv, struct arguments *arguments,
                    int *status);
// An error in clap's words; returns 2.
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
