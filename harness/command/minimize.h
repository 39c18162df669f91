// SPDX-License-Identifier: Apache-2.0
//
// How a case is minimized, what that came to, as minimize_report.c writes and tells it, and where
// it goes (minimize_paths.c).
#ifndef COMMAND_MINIMIZE_H
#define COMMAND_MINIMIZE_H

#include "command/command.h"

#include <signal.h>

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

// How a case is made simpler. `settings` are the harness's own: their budget is changed for a hang
// and put back.
struct minimizer {
    struct settings *settings;
    struct harness *harness;
    const char *signature;                    // to keep; NULL: the first one of the case
    unsigned seconds;                         // the simplest by then is the result
    const volatile sig_atomic_t *interrupted; // not 0: the same at once
};

// minimize_case.c. From made->before to made->after, and the members below them. 1: there is a
// result; 0: the case does not show the divergence on fresh files; -1. A harness error after the
// first run leaves a result with MINIMIZE_ERROR, and the fault says which.
int minimize_case(const struct minimizer *minimizer, struct minimized *made, struct fault *fault);
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
