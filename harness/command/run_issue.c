// SPDX-License-Identifier: Apache-2.0
//
// --create-issues: what an iteration found becomes an issue by the road of issue.h, which has one
// per signature. The text is kept in the log folder first; gh may be missing, offline, without
// rights or hanging: the run has found what it has found all the same.
#include "command/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_ISSUE_JSON  24000 // bytes of each of the two trees
#define RUN_ISSUE_WORDS 4000

static const char *run_issue_text(const cJSON *tree, const char *member) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, member));
    return text ? text : "";
}

static void run_issue_json(const char *heading, const cJSON *tree, struct buffer *report) {
    char *text = run_report_print(tree);
    buffer_format(report, "### %s\n", heading);
    issue_fenced(report, "json", text, RUN_ISSUE_JSON, "divergence-<seed>-<iteration>.json");
    free(text);
}

// The command line that runs this iteration alone.
static void run_issue_reproduction(const struct run *run, const struct run_case *made,
                                   struct buffer *body) {
    const struct run_options *options = &run->options;
    char seed[16], only[24], timeout[24];
    snprintf(seed, sizeof seed, "%u", options->seed);
    snprintf(only, sizeof only, "%llu", (unsigned long long)made->number);
    snprintf(timeout, sizeof timeout, "%llu", (unsigned long long)options->timeout_s);
    const struct {
        const char *flag, *value;
    } parts[] = {{"--instar", options->instar},
                 {"--seed", seed},
                 {"--only", only},
                 {"--ops", options->ops},
                 {"--timeout", options->timeout_s ? timeout : NULL}};
    struct tool_argv argv = {.items = {"build/instar-fuzz", "run"}, .count = 2};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].value) {
            argv.items[argv.count++] = parts[i].flag;
            argv.items[argv.count++] = parts[i].value;
        }
    struct buffer words = {0};
    tool_argv_words(&argv, NULL, &words);
    buffer_text(body, "### Reproduction\n");
    issue_fenced(body, "bash", words.data, RUN_ISSUE_WORDS, "the log");
    buffer_free(&words);
    buffer_text(body, "`attributes.case` is the case in text form: saved as `case.json` it "
                      "can be given to `build/instar-fuzz replay case.json`.\n");
}

static void run_issue_report(const struct run *run, const struct run_case *made,
                             const cJSON *divergence, struct buffer *report) {
    cJSON *attributes = run_report_attributes(made);
    buffer_format(report,
                  "## Differential fuzzing divergence\n\n"
                  "**Type:** `%s`\n**Signature:** `%s`\n**Seed:** `%u`\n**Iteration:** `%llu`\n",
                  run_issue_text(divergence, "type"), run_issue_text(divergence, "signature"),
                  run->options.seed, (unsigned long long)made->number);
    // Says so where the opponent is a stand-in.
    buffer_text(report, "**Tools:**\n");
    issue_fenced(report, "text", run_issue_text(divergence, "tools"), RUN_ISSUE_WORDS, "the log");
    run_issue_json("Image attributes", attributes, report);
    run_issue_json("Divergence details", divergence, report);
    run_issue_reproduction(run, made, report);
    cJSON_Delete(attributes);
}

void run_issue_file(struct run *run, const struct run_case *made, const cJSON *divergence) {
    const char *signature = run_issue_text(divergence, "signature");
    char path[8192];
    struct buffer report = {0};
    struct fault fault = {0};
    uint64_t number = 0;
    if (*run_issue_text(divergence, "known"))
        return;
    snprintf(path, sizeof path, "%s/issue-%s.md", run->log_dir, signature);
    run_issue_report(run, made, divergence, &report);
    struct buffer tools = {0};
    issue_tools(harness_tool(run->harness, SIDE_A)->version,
                harness_tool(run->harness, SIDE_B)->version, &tools);
    const struct issue issue = {.signature = signature,
                                .tools = tools.data,
                                .run_url = run->options.workflow_url,
                                .report = report.data,
                                .cases = 1};
    run->tracker.label = ISSUE_LABEL;
    run->tracker.most_new = ISSUE_MOST_NEW;
    enum issue_done done = tracker_file(&run->tracker, &issue, path, &number, &fault);
    if (done == ISSUE_FAILED)
        log_line(&run->log, "WARNING", "Could not file issue for iteration %llu: %s",
                 (unsigned long long)made->number, fault.text);
    else if (done == ISSUE_WAITS)
        log_line(&run->log, "WARNING",
                 "No issue for iteration %llu: this run has created %d already; its text is in %s",
                 (unsigned long long)made->number, ISSUE_MOST_NEW, path);
    else
        log_line(&run->log, "INFO", "Issue for iteration %llu: #%llu %s",
                 (unsigned long long)made->number, (unsigned long long)number,
                 issue_done_words[done]);
    buffer_free(&report);
    buffer_free(&tools);
}

int run_issue_pair(const struct run *run, struct fault *fault) {
    const struct tool *a = harness_tool(run->harness, SIDE_A),
                      *b = harness_tool(run->harness, SIDE_B);
    struct buffer tools = {0};
    if (!run->options.create_issues || run->options.any_pair)
        return 0;
    issue_tools(a->version, b->version, &tools);
    int status = issue_pair_is_instar(a->kind == TOOL_INSTAR || b->kind == TOOL_INSTAR,
                                      a->is_standin || b->is_standin, "--create-issues: this run",
                                      tools.data, fault);
    buffer_free(&tools);
    return status;
}
