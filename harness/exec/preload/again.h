// SPDX-License-Identifier: Apache-2.0
//
// Going back: a persistent worker returns from the end of a command to the place where the tool
// asks for its options. Registers and the signal mask are those of that moment, and so is the
// stack from there up to main's caller, because main's variables may have changed; heap, threads
// and open files stay as the command left them. Main thread only.
#ifndef EXEC_PRELOAD_AGAIN_H
#define EXEC_PRELOAD_AGAIN_H

#include <stdbool.h>

// Marks the place: returns at once, and again after each again_back. `top` is an address on the
// stack above main's frame, such as that of argv's array.
void again_here(void *top);
// Whether the caller runs where the place was marked: its thread, and on its stack.
bool again_possible(void);
_Noreturn void again_back(void);

#endif
