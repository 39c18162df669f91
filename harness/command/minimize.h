// SPDX-License-Identifier: Apache-2.0
//
// What a minimization came to, as minimize_report.c writes and tells it.
#ifndef COMMAND_MINIMIZE_H
#define COMMAND_MINIMIZE_H

#include "command/command.h"

enum minimize_end { MINIMIZE_DONE, MINIMIZE_TIME, MINIMIZE_INTERRUPTED };

struct minimized {
    const char *path; // of the case
    size_t file_size; // of it; before.size is what counts of its bytes
    struct {
        uint8_t bytes[CASE_MAX_BYTES];
        size_t size;
    } before, after;
    char signature[SIGNATURE_ROOM];
    enum minimize_end end;
    unsigned runs, kept; // cases run, confirmations not counted; candidates kept
    uint64_t us;
    char bytes_path[4096], text_path[4096]; // what was written
};

// Writes the result as bytes and in text form, each whole or not at all. `out` NULL: beside the
// case.
int minimize_write(struct minimized *made, const char *out, struct fault *fault);
// Appends the story; for a program.
void minimize_words(const struct minimized *made, struct buffer *out);
void minimize_json(const struct minimized *made, struct buffer *out);

#endif
