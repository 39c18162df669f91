// SPDX-License-Identifier: Apache-2.0
//
// The JSON files of `run`: the script's members under the script's names and in its order, ours
// behind them.
#include "command/run.h"

#include "exec/clock.h"
#include "report/report.h"
#include "report/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

char *run_report_print(const cJSON *tree) {
    char *text = cJSON_Print(tree);
    size_t length = strlen(text), extra = 0;
    // Every tab that cJSON prints is layout; those of a string are written as \t.
    for (size_t i = 0; i < length; i++)
        extra += text[i] == '\t';
    char *spaced = must_realloc(NULL, length + extra + 1), *to = spaced;
    for (size_t i = 0; i < length; i++) {
        *to++ = text[i] == '\t' ? ' ' : text[i];
        if (text[i] == '\t' && text[i - 1] != ':')
            *to++ = ' ';
    }
    *to = 0;
    free(text);
    return spaced;
}

static int run_report_file(const char *path, const cJSON *tree, struct fault *fault) {
    char *text = run_report_print(tree);
    FILE *file = fopen(path, "we");
    int status = 0;
    if (!file || fprintf(file, "%s\n", text) < 0)
        status = fault_errno(fault, "%s", path);
    if (file && fclose(file) && status == 0)
        status = fault_errno(fault, "%s", path);
    free(text);
    return status;
}

// In the script's words: what was written into the image, if anything.
static const char *run_report_pattern(const struct testcase *testcase) {
    for (uint32_t i = 0; i < testcase->write_count; i++) {
        const struct case_write *write = &testcase->writes[i];
        bool zero = write->pattern == PATTERN_ZERO || write->form == FORM_ZERO ||
                    write->form == FORM_ZERO_ALLOCATED;
        if (!zero)
            return "random";
    }
    return testcase->write_count ? "zeros" : "sparse";
}

cJSON *run_report_attributes(const struct run_case *made) {
    const struct testcase *testcase = &made->testcase;
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "format",
                            image_driver((enum image_format)testcase->format)->name);
    cJSON_AddNumberToObject(tree, "virtual_size", (double)case_virtual_size(testcase));
    cJSON_AddStringToObject(tree, "pattern", run_report_pattern(testcase));
    if (testcase->format == IMAGE_QCOW2)
        cJSON_AddNumberToObject(tree, "cluster_size", case_source_unit(testcase));
    cJSON *operations = cJSON_AddArrayToObject(tree, "operations");
    for (uint32_t i = 0; i < testcase->operation_count; i++)
        cJSON_AddItemToArray(operations,
                             cJSON_CreateString(operation_names[testcase->operations[i].op]));
    cJSON_AddNumberToObject(tree, "iter_seed", made->iteration_seed);
    struct buffer text = {0};
    case_to_json(testcase, &text);
    cJSON_AddItemToObject(tree, "case", cJSON_ParseWithLength(text.data, text.length));
    buffer_free(&text);
    return tree;
}

static void run_report_values(cJSON *tree, const struct record *record,
                              const struct judgement *judgement) {
    if (judgement->text[0])
        cJSON_AddStringToObject(tree, "words", judgement->text);
    if (!judgement->field[0])
        return;
    cJSON_AddStringToObject(tree, "field", judgement->field);
    cJSON_AddStringToObject(tree, record->tools[SIDE_A]->role, judgement->a_value);
    cJSON_AddStringToObject(tree, record->tools[SIDE_B]->role, judgement->b_value);
}

cJSON *run_report_divergence(const struct run_case *made, const struct harness_finding *found) {
    const struct record *record = found->record;
    const struct step_record *step = &record->steps[found->finding->step];
    const struct judgement *judgement = &step->judgements.items[found->finding->judgement];
    struct report report = {.record = record, .finding = found->finding};
    struct buffer words = {0};
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "type", judgement->oracle->type);
    cJSON_AddStringToObject(tree, "signature", found->finding->signature);
    if (judgement->known_id[0]) // INSTAR_FUZZ_STRICT=known
        cJSON_AddStringToObject(tree, "known", judgement->known_id);
    run_report_values(tree, record, judgement);
    report_pair_words(record->tools[SIDE_A], record->tools[SIDE_B], &words);
    cJSON_AddStringToObject(tree, "tools", words.data);
    buffer_free(&words);
    cJSON *all = report_json(&report);
    cJSON_AddItemToObject(tree, "step",
                          cJSON_DetachItemFromArray(cJSON_GetObjectItemCaseSensitive(all, "steps"),
                                                    (int)found->finding->step));
    cJSON_Delete(all);
    cJSON_AddStringToObject(tree, "operation_in_chain", operation_names[step->step.op]);
    cJSON_AddNumberToObject(tree, "iteration", (double)made->number);
    return tree;
}

int run_report_write(struct run *run, const struct run_case *made, cJSON *divergences, char *path,
                     size_t room, struct fault *fault) {
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    snprintf(path, room, "%s/divergence-%u-%06llu%s.json", run->log_dir, run->options.seed,
             (unsigned long long)made->number,
             run->options.only == RUN_NO_ITERATION ? "" : "-only");
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddNumberToObject(tree, "seed", run->options.seed);
    cJSON_AddNumberToObject(tree, "iteration", (double)made->number);
    cJSON_AddItemToObject(tree, "attributes", run_report_attributes(made));
    cJSON_AddItemReferenceToObject(tree, "divergence", cJSON_GetArrayItem(divergences, 0));
    cJSON_AddStringToObject(tree, "timestamp", stamp);
    // A chain that went on may have more than the one that the script would have stopped at.
    if (cJSON_GetArraySize(divergences) > 1) {
        cJSON *rest = cJSON_AddArrayToObject(tree, "further_divergences");
        for (int i = 1; i < cJSON_GetArraySize(divergences); i++)
            cJSON_AddItemReferenceToArray(rest, cJSON_GetArrayItem(divergences, i));
    }
    int status = run_report_file(path, tree, fault);
    cJSON_Delete(tree);
    return status;
}

static void run_report_log(struct run *run, double seconds, const char *path) {
    const cJSON *reason;
    log_line(&run->log, "INFO", "Fuzzing complete: %llu iterations in %.1fs (%.1f iter/s)",
             (unsigned long long)run->done, seconds,
             seconds > 0 ? (double)run->done / seconds : 0.0);
    log_line(&run->log, "INFO", "Divergences found: %d", cJSON_GetArraySize(run->diverged));
    cJSON_ArrayForEach(reason, run->reasons)
        log_line(&run->log, "INFO", "Inconclusive iterations (%s, not a divergence): %d",
                 reason->string, reason->valueint);
    log_line(&run->log, "INFO", "Summary written to %s", path);
}

int run_report_summary(struct run *run, struct fault *fault) {
    char path[8192], part[32] = "";
    double seconds = (double)(clock_us() - run->start_us) / 1e6;
    // One iteration by itself must not replace the summary of the run that it comes from.
    if (run->options.only != RUN_NO_ITERATION)
        snprintf(part, sizeof part, "-%06llu", (unsigned long long)run->options.only);
    snprintf(path, sizeof path, "%s/summary-%u%s.json", run->log_dir, run->options.seed, part);
    cJSON *tree = cJSON_CreateObject();
    char elapsed[32];
    snprintf(elapsed, sizeof elapsed, "%.1f", seconds);
    cJSON_AddNumberToObject(tree, "seed", run->options.seed);
    cJSON_AddNumberToObject(tree, "iterations", (double)run->options.iterations);
    cJSON_AddNumberToObject(tree, "iterations_completed", (double)run->done);
    cJSON_AddRawToObject(tree, "elapsed_seconds", elapsed);
    cJSON_AddNumberToObject(tree, "divergences_found", cJSON_GetArraySize(run->diverged));
    cJSON_AddItemReferenceToObject(tree, "divergence_iterations", run->diverged);
    cJSON_AddNumberToObject(tree, "inconclusive_count", cJSON_GetArraySize(run->undecided));
    cJSON_AddItemReferenceToObject(tree, "inconclusive_iterations", run->undecided);
    cJSON_AddItemReferenceToObject(tree, "signatures", run->signatures);
    cJSON_AddBoolToObject(tree, "interrupted", run->interrupted);
    int status = run_report_file(path, tree, fault);
    cJSON_Delete(tree);
    if (status == 0)
        run_report_log(run, seconds, path);
    return status;
}
