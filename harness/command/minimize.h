// SPDX-License-Identifier: Apache-2.0
//
// What a minimization came to, as minimize_report.c writes and tells it, and where that goes
// (minimize_paths.c).
#ifndef COMMAND_MINIMIZE_H
#define COMMAND_MINIMIZE_H

#include "command/command.h"

enum minimize_end { MINIMIZE_DONE, MINIMIZE_TIME, MINIMIZE_INTERRUPTED, MINIMIZE_ERROR };

struct minimize_paths {
    char bytes[4096], text[4096]; // of the result in both its forms
};

struct minimized {
    const char *path;                   // of the case
    size_t file_size;                   // of it; before.size is what counts of its bytes
    const struct minimize_paths *paths; // of the result
    struct {
        uint8_t bytes[CASE_MAX_BYTES];
        size_t size;
    } before, after;
    char signature[SIGNATURE_ROOM];
    enum minimize_end end;
    unsigned runs, kept; // cases run, confirmations not counted; candidates kept
    uint64_t us;
};

// One for each case: NAME.min and NAME.min.json, or what `out` names, for one case. Fails if a
// result could not be written, if two have one name, and, where `out` is NULL, if a file has it.
int minimize_choose(struct minimize_paths *paths, char **cases, int count, const char *out,
                    struct fault *fault);
// Writes the result as bytes and in text form, each whole or not at all.
int minimize_write(const struct minimized *made, struct fault *fault);
// Appends the story; for a program.
void minimize_words(const struct minimized *made, struct buffer *out);
void minimize_json(const struct minimized *made, struct buffer *out);

#endif
