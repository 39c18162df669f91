// SPDX-License-Identifier: Apache-2.0
//
// What the harness (warm.c) and a warm process (preload/) say to each other over a SOCK_SEQPACKET
// pair of their own. A warm process is a tool that was started with build/warm.so preloaded and
// stops half-way, to be forked from for each command. Requests and replies are the launcher's
// (launcher_protocol.h); of a request only number, limits and arguments are read, because program,
// directory, environment, fence and both streams were settled when the process was started.
//
//   warm process -> harness   hello, once it stands where it was asked to
//   harness -> warm process   run; a closed socket ends it
//   warm process -> harness   exactly one of ended, failed for every run, with the run's number
//
// A persistent worker answers by itself; the process above it answers for a worker that died. It
// may so answer twice, and a harness that gave up waiting finds old answers: both are told by
// their number, and dropped.
#ifndef EXEC_WARM_PROTOCOL_H
#define EXEC_WARM_PROTOCOL_H

#include "exec/backend.h"
#include "exec/launcher_protocol.h"

// A variable of the warm process's environment, taken away before its main() sees it.
#define WARM_VARIABLE "INSTAR_FUZZ_WARM"
// The fd of the socket when the program is executed. It moves out of the way at once: the tool's
// own files get the numbers that they would get elsewhere.
#define WARM_SOCKET 3

// The variable's value is the name of the back end (backend.h); the hello's `step` is its number.

// A program that waits at its options was given this many arguments, argv[0] among them, and the
// real ones take the last places: so its argc is right whatever the command.
#define WARM_ARGUMENTS 64

#endif
