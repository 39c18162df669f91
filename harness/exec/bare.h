// SPDX-License-Identifier: Apache-2.0
//
// Reading small files, directories and numbers with system calls alone: for code that may not
// allocate and cannot rely on the state of a C library (watch.h).
#ifndef EXEC_BARE_H
#define EXEC_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Both write a NUL and return where it is; the room is the caller's care.
char *bare_text(char *to, const char *text);
char *bare_number(char *to, uint64_t number);
#define BARE_NUMBER_ROOM 21

// Decimal digits at *at, which is moved behind them and the blanks before them; 0 if there are
// none.
uint64_t bare_parse(const char **at);
// The file's first room - 1 bytes and a NUL. -1: not there; then the text is empty.
ssize_t bare_read(const char *path, char *text, size_t room);
// Calls `take` for every entry but "." and "..", until it returns false.
void bare_each(int directory, bool (*take)(const char *name, void *context), void *context);

#endif
