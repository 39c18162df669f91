// SPDX-License-Identifier: Apache-2.0
//
// run: the seeded loop, in the place of instar's own scripts/differential-fuzz.py. Options, cases,
// loop, report files and issues have a file each (run_*.c); this one is the order of events.
#include "command/run.h"

#include "third.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run_label(struct run *run, const char *label, const char *text) {
    log_line(&run->log, "INFO", "  %-12s%s", label, text);
}

static void run_announce_ops(struct run *run) {
    struct buffer names = {0};
    for (int op = 0; op < OPERATIONS; op++)
        if (run->settings.ops[op])
            buffer_format(&names, "%s%s", names.length ? "," : "", operation_names[op]);
    run_label(run, "ops:", names.data);
    buffer_free(&names);
    if (run->options.unbuilt.length)
        log_line(&run->log, "WARNING", "Operations that are not built yet are left out: %s",
                 run->options.unbuilt.data);
}

static void run_announce(struct run *run) {
    char text[512];
    struct buffer words = {0};
    log_line(&run->log, "INFO", "Differential fuzzing started");
    snprintf(text, sizeof text, "%u", run->options.seed);
    run_label(run, "seed:", text);
    snprintf(text, sizeof text, "%llu", (unsigned long long)run->options.iterations);
    run_label(run, "iterations:", text);
    run_label(run, "instar:", harness_tool(run->harness, SIDE_A)->path);
    snprintf(text, sizeof text, "%gs", run->settings.case_ms / 1000.0 / SETTINGS_DEADLINE_SHARE);
    run_label(run, "timeout:", text);
    run_label(run, "log file:", run->log.path);
    run_announce_ops(run);
    // Which tools are compared, and what a finding against them is worth.
    harness_announce(run->harness, &words);
    for (char *save, *line = strtok_r(words.data, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        run_label(run, "tools:", line);
    buffer_clear(&words);
    third_words(harness_third(run->harness), &words);
    run_label(run, "libyal:", words.data);
    buffer_free(&words);
    snprintf(text, sizeof text, "%s", harness_workdir(run->harness)->path);
    if (strrchr(text, '/')) // the case directory itself comes and goes
        *strrchr(text, '/') = 0;
    run_label(run, "workdir:", text);
}

static int run_verdict(const struct run *run) {
    int diverged = cJSON_GetArraySize(run->diverged);
    if (diverged) {
        fprintf(stderr, "\nFAILED: %d divergence(s) found. See %s for details.\n", diverged,
                run->log_dir);
        return EXIT_FOUND;
    }
    printf("\nPASSED: %llu iterations, 0 divergences. Seed: %u\n", (unsigned long long)run->done,
           run->options.seed);
    return EXIT_NONE;
}

static int run_opened(struct run *run, const struct command *command) {
    struct fault fault = {0};
    if (log_open(&run->log, run->log_dir, run->options.seed, &fault))
        return command_complain(command, "%s", fault.text);
    run_catch_signals();
    if (run->options.only != RUN_NO_ITERATION) {
        run->options.keep_going = true;
        harness_forget(run->harness);
    }
    run->diverged = cJSON_CreateArray();
    run->undecided = cJSON_CreateArray();
    run->reasons = cJSON_CreateObject();
    run->signatures = cJSON_CreateObject();
    run_announce(run);
    int status = run_loop(run) ? EXIT_BAD_USE : 0;
    if (run_report_summary(run, &fault))
        status = command_complain(command, "%s", fault.text);
    if (status == 0)
        status = run_verdict(run);
    cJSON_Delete(run->diverged);
    cJSON_Delete(run->undecided);
    cJSON_Delete(run->reasons);
    cJSON_Delete(run->signatures);
    tracker_close(&run->tracker);
    log_close(&run->log);
    return status;
}

static int run_refuse(const struct command *command, const char *why) {
    command_complain(command, "%s", why);
    return RUN_EXIT_BAD_ARGUMENTS;
}

static int run_all(const struct command *command, int argc, char **argv) {
    static struct run run;
    struct fault fault = {0};
    if (run_options_read(&run.options, command, argc, argv))
        return RUN_EXIT_BAD_ARGUMENTS;
    if (run.options.help) {
        command_help(command);
        return EXIT_NONE;
    }
    if (settings_read(&run.settings, &fault))
        return command_complain(command, "%s", fault.text);
    if (run_options_apply(&run, command))
        return RUN_EXIT_BAD_ARGUMENTS;
    if (run.options.only != RUN_NO_ITERATION)
        run.settings.exec = TOOL_EXEC_PLAIN; // one case does not pay for a self-test
    int status = command_open_with(command, &run.settings, &run.harness);
    if (status == 0) {
        status = run_issue_pair(&run, &fault) ? run_refuse(command, fault.text)
                                              : run_opened(&run, command);
        harness_close(run.harness);
    }
    buffer_free(&run.options.unbuilt);
    return status;
}

const struct command command_run = {
    "run",
    "[OPTION...]",
    "the seeded loop, no engine needed; takes the flags of instar's script",
    run_options_help,
    run_all,
};
