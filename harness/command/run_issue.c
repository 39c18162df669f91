// SPDX-License-Identifier: Apache-2.0
//
// --create-issues: one issue per signature, by gh. The title holds the signature, so the open issue
// of an earlier run is found by it and gets a comment. The body goes through a file in the log
// folder: no argument grows with a finding, and where gh fails the text is still there. gh may be
// missing, offline, without rights or hanging; the run has found what it has found all the same.
#include "command/run.h"

#include "command/spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_ISSUE_LABEL       "security-audit"
#define RUN_ISSUE_DEADLINE_MS 30000
#define RUN_ISSUE_TITLE       257   // 256 is GitHub's limit
#define RUN_ISSUE_JSON        24000 // bytes of each of the two trees; GitHub takes 65536 in all

static const char *run_issue_text(const cJSON *tree, const char *member) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, member));
    return text ? text : "";
}

static void run_issue_json(const char *heading, const cJSON *tree, struct buffer *body) {
    char *text = run_report_print(tree);
    bool cut = strlen(text) > RUN_ISSUE_JSON;
    buffer_format(body, "### %s\n```json\n%.*s%s\n```\n\n", heading, RUN_ISSUE_JSON, text,
                  cut ? "\n... (cut; the report file has all of it)" : "");
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
    buffer_text(body, "### Reproduction\n```bash\n");
    tool_argv_words(&argv, NULL, body);
    buffer_text(body, "\n```\n`attributes.case` is the case in text form: saved as `case.json` it "
                      "can be given to `build/instar-fuzz replay case.json`.\n");
}

static void run_issue_body(const struct run *run, const struct run_case *made,
                           const cJSON *divergence, struct buffer *body) {
    cJSON *attributes = run_report_attributes(made);
    buffer_format(body,
                  "## Differential fuzzing divergence\n\n"
                  "**Type:** `%s`\n**Signature:** `%s`\n**Seed:** `%u`\n**Iteration:** `%llu`\n",
                  run_issue_text(divergence, "type"), run_issue_text(divergence, "signature"),
                  run->options.seed, (unsigned long long)made->number);
    if (run->options.workflow_url)
        buffer_format(body, "**Workflow run:** %.2000s\n", run->options.workflow_url);
    // Says so where the opponent is a stand-in.
    buffer_format(body, "**Tools:** %s\n\n", run_issue_text(divergence, "tools"));
    run_issue_json("Image attributes", attributes, body);
    run_issue_json("Divergence details", divergence, body);
    run_issue_reproduction(run, made, body);
    cJSON_Delete(attributes);
}

static int run_issue_save(const char *path, const struct buffer *body, struct fault *fault) {
    FILE *file = fopen(path, "we");
    if (!file)
        return fault_errno(fault, "%s", path);
    bool written = fwrite(body->data, 1, body->length, file) == body->length;
    return fclose(file) || !written ? fault_errno(fault, "%s", path) : 0;
}

// One call of gh. -1: what it said, or why it could not run.
static int run_issue_gh(const char *const *argv, struct spawn_outcome *outcome,
                        struct fault *fault) {
    if (spawn_run(argv, RUN_ISSUE_DEADLINE_MS, outcome, fault))
        return -1;
    for (char *end = outcome->out.data + outcome->out.length;
         end > outcome->out.data && end[-1] == '\n';)
        *--end = 0;
    if (outcome->exit_status)
        return fault_set(fault, "gh %s %s: exit status %d: %.300s", argv[1], argv[2],
                         outcome->exit_status, outcome->err.data);
    return 0;
}

// The number of the open issue with this very title; 0: there is none.
static int run_issue_find(const char *title, const char *signature, uint64_t *number,
                          struct fault *fault) {
    char search[SIGNATURE_ROOM + 16];
    snprintf(search, sizeof search, "\"%s\" in:title", signature);
    const char *argv[] = {"gh",           "issue",   "list",     "--label", RUN_ISSUE_LABEL,
                          "--state",      "open",    "--search", search,    "--json",
                          "number,title", "--limit", "100",      NULL};
    struct spawn_outcome outcome = {0};
    int status = run_issue_gh(argv, &outcome, fault);
    cJSON *list = status ? NULL : cJSON_Parse(outcome.out.data);
    *number = 0;
    if (status == 0 && !cJSON_IsArray(list))
        status = fault_set(fault, "gh issue list: no JSON array: %.200s", outcome.out.data);
    for (const cJSON *issue = list ? list->child : NULL; issue; issue = issue->next) {
        const cJSON *found = cJSON_GetObjectItemCaseSensitive(issue, "number");
        if (strcmp(run_issue_text(issue, "title"), title) == 0 && cJSON_IsNumber(found))
            *number = (uint64_t)found->valuedouble;
    }
    cJSON_Delete(list);
    spawn_free(&outcome);
    return status;
}

static int run_issue_post(struct run *run, uint64_t iteration, const char *title, uint64_t number,
                          const char *path, struct fault *fault) {
    char issue[24];
    snprintf(issue, sizeof issue, "%llu", (unsigned long long)number);
    const char *create[] = {"gh",      "issue", "create",      "--label", RUN_ISSUE_LABEL,
                            "--title", title,   "--body-file", path,      NULL};
    const char *comment[] = {"gh", "issue", "comment", issue, "--body-file", path, NULL};
    struct spawn_outcome outcome = {0};
    int status = run_issue_gh(number ? comment : create, &outcome, fault);
    if (status == 0 && number)
        log_line(&run->log, "INFO", "Commented on issue %s for iteration %llu: %s", issue,
                 (unsigned long long)iteration, outcome.out.data);
    else if (status == 0)
        log_line(&run->log, "INFO", "Filed issue for iteration %llu: %s",
                 (unsigned long long)iteration, outcome.out.data);
    spawn_free(&outcome);
    return status;
}

void run_issue_file(struct run *run, const struct run_case *made, const cJSON *divergence) {
    const char *signature = run_issue_text(divergence, "signature");
    char title[RUN_ISSUE_TITLE], path[8192];
    struct buffer body = {0};
    struct fault fault = {0};
    uint64_t number = 0;
    snprintf(title, sizeof title, "Differential fuzz: %s", signature);
    snprintf(path, sizeof path, "%s/issue-%s.md", run->log_dir, signature);
    run_issue_body(run, made, divergence, &body);
    // A terminal may be ours, but nobody sits before it.
    setenv("GH_PROMPT_DISABLED", "1", 1);
    setenv("GH_NO_UPDATE_NOTIFIER", "1", 1);
    int status = run_issue_save(path, &body, &fault);
    // Without an answer to the search nothing is created: it might be there already.
    status = status ? status : run_issue_find(title, signature, &number, &fault);
    status = status ? status : run_issue_post(run, made->number, title, number, path, &fault);
    if (status)
        log_line(&run->log, "WARNING", "Could not file issue for iteration %llu: %s",
                 (unsigned long long)made->number, fault.text);
    buffer_free(&body);
}
