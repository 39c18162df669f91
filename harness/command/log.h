// SPDX-License-Identifier: Apache-2.0
//
// The log of `run`: lines "2026-11-22T12:00:00 INFO     text" in <folder>/fuzz-<seed>.log, and the
// same on stderr, so that whoever parses the Python script's log can parse ours.
#ifndef COMMAND_LOG_H
#define COMMAND_LOG_H

#include "base/fault.h"

#include <stdint.h>
#include <stdio.h>

struct log {
    FILE *file;
    char path[4096];
};

int log_open(struct log *log, const char *folder, uint32_t seed, struct fault *fault);
void log_close(struct log *log);
void log_line(struct log *log, const char *level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
