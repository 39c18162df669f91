// SPDX-License-Identifier: Apache-2.0
//
// What a finding leaves on disk: one directory per signature with everything needed to understand
// and to repeat it without the harness.
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "report/record.h"

// Bytes below INSTAR_FUZZ_OUT/findings; beyond it reports go without images and say so.
#define REPORT_TOTAL_LIMIT (1024ull << 20)

struct report {
    const struct record *record;
    const struct finding *finding;
    const uint8_t *bytes; // the case as the engine gave it
    size_t size;
    const char *directory;     // the case directory with the images as they are now
    struct exec *exec;         // tar is run through it
    const char *fence;         // around the tools, in words
    const char *out;           // INSTAR_FUZZ_OUT
    unsigned case_ms, confirm; // the settings in force
    bool replace;              // a report of the same signature
    bool confirmed;            // repeated on fresh files; a hang: with ten times the deadline
};

// A report is <out>/findings/<signature>/{report.json, story.txt, case.bin, case.json,
// images.tar.gz, reproduce.sh}. It appears whole or not at all: prepared under another name, then
// renamed. `path` receives the directory. 1: it is there; 0: a report of this signature stood there
// already, and stays (unless `replace`); -1: the reason, and nothing is left behind.
int report_write(const struct report *report, char *path, size_t room, struct fault *fault);

// The shell script that repeats the finding with the tools alone.
void report_script(const struct report *report, struct buffer *out);
// report.json, as a tree; without a finding that of a replay, with `findings`.
cJSON *report_json(const struct report *report);
// Copies all files of a folder to another, holes stay holes. For replay.
int report_copy_files(const char *from, const char *to, struct fault *fault);
// Bytes really in use below a folder.
uint64_t report_usage(const char *folder);

#endif
