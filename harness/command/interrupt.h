// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C and SIGTERM for subcommands that end what they are at and tell what is done so far.
#ifndef COMMAND_INTERRUPT_H
#define COMMAND_INTERRUPT_H

#include <signal.h>

extern volatile sig_atomic_t interrupted; // the signal's number, or 0

// From here on the first SIGINT or SIGTERM is noted; the second ends the program as usual.
void interrupt_catch(void);
// In so many seconds SIGALRM is noted in the same way, unless something else was before.
void interrupt_after(unsigned seconds);

#endif
