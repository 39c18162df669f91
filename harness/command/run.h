// SPDX-License-Identifier: Apache-2.0
//
// What the files of `run` share: what the command line asked for, what has come out so far. The
// command line, the files and the log lines are those of instar's scripts/differential-fuzz.py, so
// that a workflow that calls the script can call this instead.
#ifndef COMMAND_RUN_H
#define COMMAND_RUN_H

#include "command/command.h"
#include "command/issue.h"
#include "command/log.h"

#include <cjson/cJSON.h>

#define RUN_NO_ITERATION UINT64_MAX
// The script ends with 1 for a bad command line too, not with EXIT_BAD_USE.
#define RUN_EXIT_BAD_ARGUMENTS 1

struct run_options {
    const char *instar, *workdir, *log_dir, *ops, *workflow_url;
    uint64_t iterations, duration_s, timeout_s; // 0: duration without end; the time-out of settings
    uint64_t only;                              // an iteration, or RUN_NO_ITERATION
    uint32_t seed;
    bool fail_fast, keep_going, create_issues, any_pair, help;
    struct buffer unbuilt; // names in --ops that are the script's, but not built yet; or empty
};

struct run {
    struct run_options options;
    struct settings settings;
    struct harness *harness;
    struct log log;
    char log_dir[4096]; // absolute
    uint64_t start_us;
    // What has come out.
    uint64_t done;               // iterations
    cJSON *diverged, *undecided; // numbers of iterations
    cJSON *reasons;              // of the undecided ones: how many by reason
    cJSON *signatures;           // signature: in how many iterations
    bool interrupted;
    struct tracker tracker; // --create-issues
};

// One iteration that diverges: what its report file and its issue are made from.
struct run_case {
    uint64_t number;
    uint32_t iteration_seed; // everything in it follows from this and the operations in force
    uint8_t bytes[CASE_MAX_BYTES];
    size_t size;
    struct testcase testcase; // what the bytes say
};

// run_options.c. Prints what is wrong and returns -1. `help`: nothing else was read.
int run_options_read(struct run_options *options, const struct command *command, int argc,
                     char **argv);
// Puts the options over what the environment said.
int run_options_apply(struct run *run, const struct command *command);
extern const char run_options_help[];

// run_case.c. Iteration `number` of the seed, with no operation but those in force.
void run_case_make(struct run_case *made, uint32_t seed, uint64_t number,
                   const bool ops[OPERATIONS]);

// run_loop.c. -1 is a harness error, which has been logged.
int run_loop(struct run *run);
void run_catch_signals(void); // SIGINT and SIGTERM end the loop behind the current iteration

// run_report.c. The trees of one divergence, and the files.
cJSON *run_report_attributes(const struct run_case *made);
cJSON *run_report_divergence(const struct run_case *made, const struct harness_finding *found);
// Takes `divergences` (an array). `path` receives the name of divergence-<seed>-<iteration>.json.
int run_report_write(struct run *run, const struct run_case *made, cJSON *divergences, char *path,
                     size_t room, struct fault *fault);
int run_report_summary(struct run *run, struct fault *fault);
char *run_report_print(const cJSON *tree); // as json.dump(..., indent=2) spaces it; free() it

// run_issue.c. Files or updates the issue of the signature. What goes wrong is a warning in the
// log.
void run_issue_file(struct run *run, const struct run_case *made, const cJSON *divergence);
// -1: issues are asked for, and what is compared is not instar.
int run_issue_pair(const struct run *run, struct fault *fault);

#endif
