// SPDX-License-Identifier: Apache-2.0
//
// The loop of `run`: iterations one after the other, what each has come to in the log, and the
// three ways to end early: a divergence with --fail-fast, the time, a signal.
#include "command/run.h"

#include "exec/clock.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RUN_PROGRESS_EVERY 50

// What the callback of one iteration collects.
struct run_found {
    struct run *run;
    const struct run_case *made;
    cJSON *fresh;                // divergences to report
    cJSON *again;                // that are no news, for the issue that counts them; once each
    cJSON *met;                  // signatures, as members
    char repeat[SIGNATURE_ROOM]; // the first that is no news, or ""
};

static volatile sig_atomic_t run_signal;

static void run_on_signal(int number) {
    run_signal = number;
}

void run_catch_signals(void) {
    // Once: whoever asks a second time does not want to wait for the iteration.
    struct sigaction action = {.sa_handler = run_on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void run_progress(struct run *run, uint64_t number) {
    double seconds = (double)(clock_us() - run->start_us) / 1e6;
    log_line(&run->log, "INFO",
             "Iteration %llu/%llu (%.1f iter/s, %d divergences, %d inconclusive)",
             (unsigned long long)number + 1, (unsigned long long)run->options.iterations,
             seconds > 0 ? (double)run->done / seconds : 0.0, cJSON_GetArraySize(run->diverged),
             cJSON_GetArraySize(run->undecided));
}

// true: it was counted before.
static bool run_add_one(cJSON *counts, const char *name) {
    cJSON *count = cJSON_GetObjectItemCaseSensitive(counts, name);
    if (count)
        cJSON_SetNumberValue(count, count->valuedouble + 1);
    else
        cJSON_AddNumberToObject(counts, name, 1);
    return count;
}

static void run_note(void *context, const struct harness_finding *found) {
    struct run_found *to = context;
    const char *signature = found->finding->signature;
    if (cJSON_HasObjectItem(to->met, signature))
        return;
    cJSON_AddTrueToObject(to->met, signature);
    bool met = run_add_one(to->run->signatures, signature);
    if (found->fresh)
        cJSON_AddItemToArray(to->fresh, run_report_divergence(to->made, found));
    else if (!to->repeat[0])
        snprintf(to->repeat, sizeof to->repeat, "%s", signature);
    if (!found->fresh && !met && to->run->options.create_issues)
        cJSON_AddItemToArray(to->again, run_report_divergence(to->made, found));
}

static void run_file_issues(struct run *run, const struct run_case *made,
                            const cJSON *divergences) {
    const cJSON *divergence;
    if (run->options.create_issues)
        cJSON_ArrayForEach(divergence, divergences) run_issue_file(run, made, divergence);
}

// Writes and logs what the iteration has found; files the issues. An earlier run over this folder
// may have had no way to file its own, so that a repeat is filed once as well.
static int run_tell(struct run *run, const struct run_case *made, struct run_found *found,
                    struct fault *fault) {
    char path[8192];
    run_file_issues(run, made, found->again);
    if (!cJSON_GetArraySize(found->fresh)) {
        if (found->repeat[0])
            log_line(&run->log, "WARNING", "DIVERGENCE at iteration %llu: %.*s (repeat of %s)",
                     (unsigned long long)made->number, (int)strcspn(found->repeat, "-"),
                     found->repeat, found->repeat);
        return 0;
    }
    if (run_report_write(run, made, found->fresh, path, sizeof path, fault))
        return -1;
    for (const cJSON *divergence = found->fresh->child; divergence; divergence = divergence->next) {
        const cJSON *type = cJSON_GetObjectItemCaseSensitive(divergence, "type");
        log_line(&run->log, "WARNING", "DIVERGENCE at iteration %llu: %s (report: %s)",
                 (unsigned long long)made->number, cJSON_GetStringValue(type), path);
    }
    run_file_issues(run, made, found->fresh);
    return 0;
}

// The script knows no other reason, and has its words for it.
#define RUN_TIMEOUT "external-tool timeout"

static bool run_is_timeout(const char *reason) {
    return strncmp(reason, "timeout_", 8) == 0;
}

static void run_count(struct run *run, const struct run_case *made, bool diverged) {
    const struct record *record = harness_record(run->harness);
    if (diverged) {
        cJSON_AddItemToArray(run->diverged, cJSON_CreateNumber((double)made->number));
        return;
    }
    const char *reason = record->finding_count ? "not_reproduced" : record_undecided(record);
    if (!reason)
        return;
    cJSON_AddItemToArray(run->undecided, cJSON_CreateNumber((double)made->number));
    run_add_one(run->reasons, run_is_timeout(reason) ? RUN_TIMEOUT : reason);
    log_line(&run->log, "INFO", "inconclusive at iteration %llu: inconclusive_%s",
             (unsigned long long)made->number, reason);
}

static int run_iterate(struct run *run, uint64_t number, struct fault *fault) {
    static struct run_case made;
    run_case_make(&made, run->options.seed, number, run->settings.ops);
    struct run_found found = {.run = run,
                              .made = &made,
                              .fresh = cJSON_CreateArray(),
                              .again = cJSON_CreateArray(),
                              .met = cJSON_CreateObject()};
    int status = harness_run_all(run->harness, made.bytes, made.size, run->options.keep_going,
                                 run_note, &found, fault);
    // What was claimed before a harness error is told all the same: nobody else will.
    if (status >= 0 || cJSON_GetArraySize(found.fresh)) {
        struct fault other;
        run->done += status >= 0;
        run_count(run, &made, cJSON_GetArraySize(found.met) > 0);
        bool told = run_tell(run, &made, &found, status < 0 ? &other : fault) == 0;
        status = status < 0 || !told ? -1 : 0;
    }
    cJSON_Delete(found.again);
    cJSON_Delete(found.fresh);
    cJSON_Delete(found.met);
    return status;
}

static bool run_is_over(struct run *run) {
    if (run->options.fail_fast && cJSON_GetArraySize(run->diverged)) {
        log_line(&run->log, "ERROR", "Exiting on first divergence (--fail-fast)");
        return true;
    }
    if (run_signal) {
        run->interrupted = true;
        log_line(&run->log, "WARNING", "Interrupted by signal %d", (int)run_signal);
        return true;
    }
    return run->options.duration_s &&
           clock_us() - run->start_us >= run->options.duration_s * 1000000;
}

int run_loop(struct run *run) {
    bool only = run->options.only != RUN_NO_ITERATION;
    uint64_t first = only ? run->options.only : 0;
    uint64_t end = only ? first + 1 : run->options.iterations;
    struct fault fault = {0};
    run->start_us = clock_us();
    for (uint64_t i = first; i < end && !run_is_over(run); i++) {
        if (!only && (i == first || (i + 1) % RUN_PROGRESS_EVERY == 0))
            run_progress(run, i);
        if (run_iterate(run, i, &fault)) {
            // Never a divergence, as it is for the script: the run ends, and says so by its status.
            log_line(&run->log, "ERROR", "Iteration %llu crashed: %s", (unsigned long long)i,
                     fault.text);
            return -1;
        }
    }
    return 0;
}
