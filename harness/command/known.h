// SPDX-License-Identifier: Apache-2.0
//
// What the two files of `known` share.
#ifndef COMMAND_KNOWN_H
#define COMMAND_KNOWN_H

#include "command/command.h"

#include "oracles/registry.h"

// Runs the case of each of these entries and prints a line for each. Returns an exit code:
// EXIT_FOUND if an entry does not hold, EXIT_UNAVAILABLE if one could not be tried for want of a
// tool, or none was tried that explains something. Against the instar that the settings name; else
// changes STANDIN_LIE of this process.
int known_test(const struct command *command, struct settings *settings,
               const struct registry *registry, const size_t *indices, size_t count);

#endif
