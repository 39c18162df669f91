// SPDX-License-Identifier: Apache-2.0
//
// The end of a case that found something new.
#ifndef ENGINE_ABORT_H
#define ENGINE_ABORT_H

// Prints "Assertion failure: <signature>" as the last line on stderr and aborts. Under AFL++ the
// coverage map is first reduced to two cells that stand for the signature, so that AFL++ keeps one
// crash per signature instead of one per path that led there.
void engine_abort(const char *signature) __attribute__((noreturn));

#endif
