// SPDX-License-Identifier: Apache-2.0
//
// The variables that steer a run. Engines own argv, so the environment is the interface: one table
// (settings.c) defines every variable; doctor, --help and README print it, and a variable that
// begins with INSTAR_FUZZ_ but is not in the table is an error, so that a typing mistake cannot
// silently change a campaign.
#ifndef HARNESS_SETTINGS_H
#define HARNESS_SETTINGS_H

#include "base/buffer.h"
#include "base/fault.h"
#include "image/image.h"
#include "testcase/operation.h"
#include "tool/tool.h"

#include <stdbool.h>

#define SETTINGS_DEADLINE_SHARE 20 // one command may take 1/20 of its case's budget

enum pair_choice {
    PAIR_AUTO,        // instar where it can run, else the stand-in, against qemu-img
    PAIR_INSTAR,      // the real instar or nothing
    PAIR_STANDIN,     // the stand-in, even where instar can run
    PAIR_QEMU,        // QEMU_IMG against itself: the null experiment
    PAIR_ONLY_QEMU,   // qemu-img alone, judged by truth and self-consistency
    PAIR_ONLY_INSTAR, // instar (or the stand-in) alone
    PAIR_CHOICES
};
extern const char *const pair_choice_names[PAIR_CHOICES];

// What an engine is told beside the coverage of our own code (guide/guide.h).
enum guide_choice {
    GUIDE_OFF,
    GUIDE_OUTPUTS, // what the tools answered
    GUIDE_ALL,     // and the coverage of instrumented tools
    GUIDE_CHOICES
};
extern const char *const guide_choice_names[GUIDE_CHOICES];

struct settings {
    // Not a variable: the program has an engine that reads the guide's region, or tells a person
    // what there is. Nobody else looks for an instrumented program.
    bool guided;
    // Nor is this: it tells a person what there is, so no self-test is taken as passed before.
    bool tested_anew;
    const char *instar;       // path or NULL: looked up
    const char *qemu_img;     // path or NULL: looked up
    const char *qemu_img_cov; // path or NULL: none
    enum pair_choice pair;
    enum tool_exec exec; // how commands may run
    bool ops[OPERATIONS];
    bool targets[IMAGE_FORMATS];
    bool strict_bounds, strict_known;
    const char *seen;  // folder with one file per signature met; NULL: no memory
    const char *known; // registry file; NULL: the built-in one
    unsigned confirm;  // repetitions on fresh files before a divergence counts
    unsigned case_ms;  // wall clock budget of one case
    const char *work;  // parent of the case directory; NULL: chosen
    const char *out;   // reports and counters; NULL: none are written
    enum guide_choice guide;
    bool unfenced;     // the tools run without the fence
    const char *fence; // folders that a fenced tool may read as well, a comma between; or NULL
};

// Reads the environment; -1 names the variable and what it accepts.
int settings_read(struct settings *settings, struct fault *fault);
// The table in words, a paragraph a variable: with the values in force if `settings` is given.
void settings_words(const struct settings *settings, struct buffer *words);
// The same as a Markdown table, for README.
void settings_markdown(struct buffer *out);

#endif
