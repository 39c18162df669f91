// SPDX-License-Identifier: Apache-2.0
//
// issues: the folder of a triage becomes issues, one per signature. Only what triage confirmed is
// filed, never what the registry knows, and nothing where no instar was compared: a finding against
// the stand-in is nobody's bug report. What cannot be filed stays in the folder, body included.
#include "command/command.h"
#include "command/issue.h"
#include "command/run.h"
#include "command/triage.h"

#include "page/read.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ISSUES_STORY_MOST 30000
#define ISSUES_CASE_MOST  16000
#define ISSUES_WORDS_MOST 2000

struct issues {
    const struct command *command;
    const char *folder, *run_url;
    bool any_pair;
    struct tracker tracker;
    struct buffer tools; // both versions
    cJSON *told;         // a row for each signature
    uint64_t counts[ISSUE_DONE];
    char failed[512]; // the last reason
};

static int issues_read(const struct issues *all, cJSON **tree, struct fault *fault) {
    char path[4200];
    struct buffer text = {0};
    snprintf(path, sizeof path, "%s/triage.json", all->folder);
    int status = read_file(path, READ_TRIAGE_MOST, &text, fault);
    *tree = status ? NULL : cJSON_ParseWithLength(text.data, text.length);
    buffer_free(&text);
    if (status == 0 && strcmp(json_text(*tree, "tool"), "instar-fuzz triage") != 0)
        status = fault_set(fault, "%s is not what instar-fuzz triage wrote", path);
    return status;
}

// Which tools: an instar that is one, unless any pair will do.
static int issues_pair(struct issues *all, const cJSON *tree, struct fault *fault) {
    const cJSON *tools = json_member(tree, "tools");
    const cJSON *a = json_member(tools, "a"), *b = json_member(tools, "b");
    issue_tools(json_text(a, "version"), json_text(b, "version"), &all->tools);
    bool real = false, standin = json_true(a, "is_standin") || json_true(b, "is_standin");
    real |= strcmp(json_text(a, "driven_as"), "instar") == 0;
    real |= strcmp(json_text(b, "driven_as"), "instar") == 0;
    return all->any_pair ? 0
                         : issue_pair_is_instar(real, standin, all->folder, all->tools.data, fault);
}

// --- one issue -----------------------------------------------------------------------------------

static void issues_story(const struct issues *all, const cJSON *row, struct buffer *report) {
    char path[8300];
    struct buffer story = {0};
    const char *folder = json_text(row, "folder");
    snprintf(path, sizeof path, "%s/%s/story.txt", all->folder, folder);
    if (*folder && !strstr(folder, "..") && read_file(path, 1u << 22, &story, NULL) == 0) {
        buffer_text(report, "### What happened\n\n");
        issue_fenced(report, "text", story.data, ISSUES_STORY_MOST, "story.txt");
    }
    buffer_free(&story);
}

static void issues_case(const cJSON *row, struct buffer *report) {
    const cJSON *testcase = json_member(row, "case");
    if (!testcase)
        return;
    char *text = run_report_print(testcase);
    buffer_text(report,
                "### The case\n\nSaved as `case.json`, `build/instar-fuzz replay case.json` "
                "repeats it; `reproduce.sh` in the run's files does with the two tools "
                "alone.\n\n");
    issue_fenced(report, "json", text, ISSUES_CASE_MOST, "case.json");
    free(text);
}

static void issues_report(const struct issues *all, const cJSON *row, struct buffer *report) {
    const cJSON *opinion = json_member(row, "opinion");
    struct buffer words = {0};
    buffer_format(report, "## Differential fuzzing divergence\n\n**Signature:** `%s`\n",
                  json_text(row, "signature"));
    buffer_format(&words, "%s\n\nProbably wrong: %s. %s\n", json_text(row, "words"),
                  json_text(opinion, "who"), json_text(opinion, "reason"));
    buffer_format(&words, "Tools: %s\n", all->tools.data);
    issue_fenced(report, "text", words.data, ISSUES_WORDS_MOST, "triage.json");
    issues_story(all, row, report);
    issues_case(row, report);
    buffer_free(&words);
}

static void issues_tell(struct issues *all, const char *signature, enum issue_done done,
                        uint64_t number, const char *why) {
    cJSON *row = cJSON_CreateObject();
    all->counts[done]++;
    cJSON_AddStringToObject(row, "signature", signature);
    cJSON_AddStringToObject(row, "done", issue_done_words[done]);
    if (number)
        cJSON_AddNumberToObject(row, "number", (double)number);
    if (*why)
        cJSON_AddStringToObject(row, "why", why);
    cJSON_AddItemToArray(all->told, row);
    char place[32] = "";
    if (number)
        snprintf(place, sizeof place, "#%llu", (unsigned long long)number);
    printf("%-9s  %-6s  %s\n", issue_done_words[done], place, signature);
    // Once, where nothing more is asked after it.
    if (done == ISSUE_FAILED && strcmp(why, all->failed) != 0)
        command_complain(all->command, "%s: %s", signature, why);
    if (done == ISSUE_FAILED)
        snprintf(all->failed, sizeof all->failed, "%s", why);
}

static void issues_row(struct issues *all, const cJSON *row) {
    char path[4600];
    uint64_t number = 0;
    const char *signature = json_text(row, "signature");
    struct buffer report = {0}, clean = {0};
    struct fault fault = {0};
    // What did not repeat is not filed, nor what the registry explains (INSTAR_FUZZ_STRICT=known).
    if (!json_true(row, "confirmed") || *json_text(row, "known"))
        return;
    triage_text(signature, &clean);
    if (!issue_signature_is_one(signature)) {
        issues_tell(all, clean.length ? clean.data : "", ISSUE_FAILED, 0, "this is no signature");
        buffer_free(&clean);
        return;
    }
    issues_report(all, row, &report);
    const struct issue issue = {.signature = signature,
                                .tools = all->tools.data,
                                .run_url = all->run_url,
                                .report = report.data,
                                .cases = json_number(row, "shown_by")};
    snprintf(path, sizeof path, "%s/issues/%s.md", all->folder, signature);
    enum issue_done done = tracker_file(&all->tracker, &issue, path, &number, &fault);
    issues_tell(all, signature, done, number, fault.text);
    buffer_free(&report);
    buffer_free(&clean);
}

// --- all of them ---------------------------------------------------------------------------------

// Rows that probably share a cause follow each other; of each such group the first is the one to
// read.
static bool issues_leads(const cJSON *row) {
    const char *group = json_text(row, "group");
    const cJSON *before = row->prev->next ? row->prev : NULL; // cJSON: the first one's is the last
    return !before || !*group || strcmp(group, json_text(before, "group")) != 0;
}

// Where not all can be created, each cause has one before any has two.
static void issues_rows(struct issues *all, const cJSON *rows) {
    for (int leading = 1; leading >= 0; leading--)
        for (const cJSON *row = cJSON_IsArray(rows) ? rows->child : NULL; row; row = row->next)
            if (issues_leads(row) == leading)
                issues_row(all, row);
}

static int issues_finish(struct issues *all) {
    char path[4200];
    struct fault fault = {0};
    char *text = cJSON_Print(all->told);
    int status = all->counts[ISSUE_FAILED] ? EXIT_UNAVAILABLE : EXIT_NONE;
    snprintf(path, sizeof path, "%s/issues/filed.json", all->folder);
    if (command_write_file(path, text, strlen(text), &fault)) {
        command_complain(all->command, "%s", fault.text);
        status = EXIT_UNAVAILABLE;
    }
    free(text);
    printf("%d signatures:", cJSON_GetArraySize(all->told));
    for (int done = 0; done < ISSUE_DONE; done++)
        printf(" %llu %s%s", (unsigned long long)all->counts[done], issue_done_words[done],
               done + 1 < ISSUE_DONE ? "," : "\n");
    if (all->counts[ISSUE_WAITS])
        printf("%llu wait for the next run, because --max is %llu; their texts are in %s/issues\n",
               (unsigned long long)all->counts[ISSUE_WAITS],
               (unsigned long long)all->tracker.most_new, all->folder);
    return status;
}

static int issues_all(struct issues *all) {
    char path[4200];
    struct fault fault = {0};
    cJSON *tree = NULL;
    snprintf(path, sizeof path, "%s/issues", all->folder);
    int status = issues_read(all, &tree, &fault);
    status = status ? status : issues_pair(all, tree, &fault);
    if (status == 0 && mkdir(path, 0777) && errno != EEXIST)
        status = fault_errno(&fault, "%s", path);
    if (status) {
        cJSON_Delete(tree);
        return command_complain(all->command, "%s", fault.text);
    }
    all->told = cJSON_CreateArray();
    issues_rows(all, json_member(tree, "divergences"));
    status = issues_finish(all);
    cJSON_Delete(all->told);
    cJSON_Delete(tree);
    return status;
}

static bool issues_label_is_one(const char *text) {
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_.-", *at))
            return false;
    return *text && strlen(text) <= 50;
}

static int issues_options(struct issues *all, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *value = "";
        char *end = NULL;
        if (!strcmp(argv[i], "--any-pair")) {
            all->any_pair = true;
        } else if (!strcmp(argv[i], "--max")) {
            if (!(value = command_value(all->command, argv, &i)))
                return EXIT_BAD_USE;
            all->tracker.most_new = strtoull(value, &end, 10);
            if (!isdigit((unsigned char)*value) || *end || all->tracker.most_new > 1000)
                return command_complain(all->command, "--max %s: expected 0 to 1000", value);
        } else if (!strcmp(argv[i], "--label")) {
            if (!(value = all->tracker.label = command_value(all->command, argv, &i)))
                return EXIT_BAD_USE;
            if (!issues_label_is_one(value))
                return command_complain(all->command,
                                        "--label: expected letters, digits, _ . and -");
        } else if (!strcmp(argv[i], "--workflow-url")) {
            if (!(all->run_url = command_value(all->command, argv, &i)))
                return EXIT_BAD_USE;
        } else if (argv[i][0] == '-' || all->folder) {
            return command_complain(all->command, "unknown argument %s", argv[i]);
        } else {
            all->folder = argv[i];
        }
    }
    if (!all->folder || strlen(all->folder) > 4000)
        return command_complain(all->command, "no folder of a triage given");
    return EXIT_NONE;
}

static int issues(const struct command *command, int argc, char **argv) {
    static struct issues all;
    all.command = command;
    all.tracker.label = ISSUE_LABEL;
    all.tracker.most_new = ISSUE_MOST_NEW;
    int status = issues_options(&all, argc, argv);
    if (status == EXIT_NONE)
        status = issues_all(&all);
    tracker_close(&all.tracker);
    buffer_free(&all.tools);
    return status;
}

const struct command command_issues = {
    "issues",
    "[OPTION...] FOLDER",
    "file or update one issue per signature that a triage confirmed, through gh",
    "FOLDER is what `triage --out FOLDER` made, with an instar in the pair.\n"
    "  --max N             issues to create at most (25); what is left waits, and is said\n"
    "  --label NAME        security-audit: theirs, and where they are looked for\n"
    "  --workflow-url URL  goes into the issues\n"
    "  --any-pair          file where no instar was compared as well\n"
    "FOLDER/issues/ then has the text of each, and filed.json. An open issue has its count and "
    "date\n"
    "rewritten; a closed one is reopened if other tools than before show it again. "
    "docs/workflows.md\n"
    "has the rules. gh takes GH_TOKEN and GH_REPO.\n"
    "exit: 0 everything is told; 2 bad use, no triage, no instar in it; 3 something could not be\n"
    "      filed, for the reason on stderr: its text is kept\n",
    issues,
};
