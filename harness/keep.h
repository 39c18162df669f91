// SPDX-License-Identifier: Apache-2.0
//
// Cases that are kept for study without being findings: what did not repeat, and what made the
// harness itself fail. A bounded number of each, below INSTAR_FUZZ_OUT.
#ifndef HARNESS_KEEP_H
#define HARNESS_KEEP_H

#include <stddef.h>
#include <stdint.h>

#define KEEP_MOST 100 // files a folder

// Writes <out>/<folder>/<name>-<hash of the case>.bin and, if `why` is given, .txt beside it, which
// is written anew when it happens again; of a case that finds the folder full, <name>-more.txt.
// `out` NULL: nothing. Failing to keep something is not worth an error of its own.
void keep_case(const char *out, const char *folder, const char *name, const uint8_t *data,
               size_t size, const char *why);

#endif
