// SPDX-License-Identifier: Apache-2.0
//
// One sentence that says why something failed. Functions that can fail return 0 or -1 (or a
// pointer or NULL) and leave the reason here, once, where it is known; whoever talks to a person
// prints it, and an engine puts it into a report instead, because a tool's words must never reach
// the engine's stderr.
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

struct fault {
    char text[512]; // without a newline; cut if longer
};

// Stores the reason and returns -1, so that callers can write `return fault_set(...)`.
// A NULL fault is allowed: the reason is then dropped.
int fault_set(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

// As fault_set, with ": " and strerror(errno) behind the text.
int fault_errno(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Puts a prefix before the reason that is already there ("src.qcow2: ..."); returns -1.
int fault_prefix(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
