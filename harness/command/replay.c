// SPDX-License-Identifier: Apache-2.0
//
// replay: the story of one case. It has no memory of campaigns, runs every step, repeats each
// finding on fresh files and leaves a reproducer.
#include "command/command.h"
#include "command/found.h"
#include "command/triage.h"

#include "report/report.h"
#include "report/story.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct replay {
    const struct command *command;
    struct harness *harness;
    const char *out;
    bool own_out; // given for this call; otherwise it is a campaign's, whose reports stay
    bool json;
    unsigned case_ms, confirm; // the settings in force
    struct buffer reported;    // signatures of this call, a line each
};

static int load_bytes(const char *path, uint8_t bytes[CASE_MAX_BYTES], size_t *size,
                      struct fault *fault) {
    struct testcase testcase;
    if (case_load(&testcase, path, fault))
        return -1;
    // The canonical bytes mean the same case, and are what a report should hold.
    *size = case_encode(&testcase, bytes);
    return 0;
}

static void tell(const struct record *record, const char *path, struct buffer *out) {
    buffer_format(out, "Case %s\n", path);
    report_story(record, false, out);
}

static void tell_json(const struct replay *replay, const struct record *record, const char *path,
                      size_t unconfirmed, int status, struct buffer *out) {
    const struct report report = {.record = record,
                                  .fence = harness_fence(replay->harness),
                                  .case_ms = replay->case_ms,
                                  .confirm = replay->confirm};
    cJSON *tree = report_json(&report);
    triage_add_text(tree, "file", path);
    cJSON_AddNumberToObject(tree, "unconfirmed", (double)unconfirmed);
    cJSON_AddNumberToObject(tree, "exit", status);
    char *text = cJSON_Print(tree);
    buffer_text(out, text);
    free(text);
    cJSON_Delete(tree);
}

// Has an earlier case of this call left a report of that signature?
static bool reported(const struct replay *replay, const char *signature) {
    size_t length = strlen(signature);
    for (const char *line = replay->reported.data; line && *line; line = strchr(line, '\n') + 1)
        if (!strncmp(line, signature, length) && line[length] == '\n')
            return true;
    return false;
}

// Of all steps: `images` is in a report that was made just now.
static int leave_images(const struct replay *replay, const char *images, struct fault *fault) {
    if (mkdir(images, 0777))
        return fault_errno(fault, "%s", images);
    return report_copy_files(harness_workdir(replay->harness)->kept_path, images, fault);
}

static void tell_report(const char *path, const char *images, struct buffer *out) {
    char script[4200];
    snprintf(script, sizeof script, "%s/reproduce.sh", path);
    buffer_text(out, "\nReproducer: sh ");
    tool_path_quoted(script, out);
    buffer_text(out, "\nTo paste the commands above: cd ");
    tool_path_quoted(images, out);
    buffer_text(out, "\n");
}

// Reports of all findings, and the images beside each for pasting.
static int leave_reports(struct replay *replay, const struct record *record, const uint8_t *bytes,
                         size_t size, struct buffer *out, struct fault *fault) {
    for (size_t i = 0; i < record->finding_count; i++) {
        char path[4096], images[4200];
        const char *signature = record->findings[i].signature;
        bool replace = replay->own_out && !reported(replay, signature);
        int written = harness_report(replay->harness, bytes, size, i, replay->out, replace, path,
                                     sizeof path, fault);
        if (written < 0)
            return -1;
        buffer_format(&replay->reported, "%s\n", signature);
        if (!written) {
            if (!replay->json)
                buffer_format(out, "\nThere is a report of this signature: %s\n", path);
            continue;
        }
        snprintf(images, sizeof images, "%s/images", path);
        if (leave_images(replay, images, fault))
            return -1;
        if (!replay->json)
            tell_report(path, images, out);
    }
    return 0;
}

static bool shows(const struct record *record, const char *signature) {
    for (size_t i = 0; i < record->finding_count; i++)
        if (strcmp(record->findings[i].signature, signature) == 0)
            return true;
    return false;
}

// A finding's case that no longer shows it: perhaps the tools are others, which can be mended. On
// stderr, for a story and for JSON.
static void tell_gone(const struct replay *replay, const struct record *record, const char *path) {
    bool damaged;
    struct buffer words = {0};
    cJSON *report = found_report(path, &damaged);
    const char *signature = found_signature(report);
    if (signature && !shows(record, signature)) {
        found_gone(replay->harness, report, &words);
        fprintf(stderr, "instar-fuzz replay: %s: %s\n", path, words.data);
    }
    buffer_free(&words);
    cJSON_Delete(report);
}

static int replay_one(struct replay *replay, const char *path) {
    uint8_t bytes[CASE_MAX_BYTES];
    size_t size, unconfirmed;
    const struct record *record;
    struct fault fault = {0};
    if (load_bytes(path, bytes, &size, &fault))
        return command_complain(replay->command, "%s", fault.text);
    if (harness_replay(replay->harness, bytes, size, NULL, &record, &unconfirmed, &fault))
        return command_complain(replay->command, "%s: %s", path, fault.text);
    int status = EXIT_NONE;
    if (record->finding_count)
        status = EXIT_FOUND;
    else if (unconfirmed || record_undecided(record))
        status = EXIT_INCONCLUSIVE;
    struct buffer out = {0};
    if (replay->json)
        tell_json(replay, record, path, unconfirmed, status, &out);
    else
        tell(record, path, &out);
    if (unconfirmed && !replay->json)
        buffer_format(&out, "%zu divergence%s did not repeat on fresh files: inconclusive\n",
                      unconfirmed, unconfirmed > 1 ? "s" : "");
    if (replay->out && leave_reports(replay, record, bytes, size, &out, &fault))
        status = command_complain(replay->command, "%s", fault.text);
    puts(out.data);
    fflush(stdout);
    buffer_free(&out);
    tell_gone(replay, record, path);
    return status;
}

// The worst of several: a harness error over a finding over "could not be decided".
static int worse(int a, int b) {
    static const int rank[] = {[EXIT_NONE] = 0,
                               [EXIT_INCONCLUSIVE] = 1,
                               [EXIT_FOUND] = 2,
                               [EXIT_UNAVAILABLE] = 3,
                               [EXIT_BAD_USE] = 4};
    return rank[a] > rank[b] ? a : b;
}

static int replay_all(const struct command *command, int argc, char **argv) {
    struct replay replay = {.command = command};
    int first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (!strcmp(argv[first], "--json"))
            replay.json = true;
        else if (strcmp(argv[first], "--out") != 0)
            return command_complain(command, "unknown option %s", argv[first]);
        else if (!(replay.out = command_value(command, argv, &first)))
            return EXIT_BAD_USE;
    }
    if (first == argc)
        return command_complain(command, "no case given (see --help)");
    // A wrong path is said before any tool is started.
    for (int i = first; i < argc; i++) {
        struct testcase testcase;
        struct fault fault = {0};
        if (command_load_case(&testcase, argv[i], &fault))
            return command_complain(command, "%s", fault.text);
    }
    struct settings settings;
    struct fault fault = {0};
    if (settings_read(&settings, &fault))
        return command_complain(command, "%s", fault.text);
    settings.exec = TOOL_EXEC_PLAIN; // a few commands, and no doubt about how they ran
    int status = command_open_with(command, &settings, &replay.harness);
    if (status)
        return status;
    replay.own_out = replay.out != NULL;
    replay.case_ms = settings.case_ms;
    replay.confirm = settings.confirm;
    if (!replay.out)
        replay.out = settings.out;
    if (replay.out)
        harness_keep_files(replay.harness);
    if (settings.unfenced)
        fprintf(stderr, "instar-fuzz replay: WARNING: fence: %s\n", harness_fence(replay.harness));
    for (int i = first; i < argc; i++)
        status = worse(status, replay_one(&replay, argv[i]));
    harness_close(replay.harness);
    buffer_free(&replay.reported);
    return status;
}

const struct command command_replay = {
    "replay",
    "[--json] [--out FOLDER] CASE...",
    "run a case once more and tell its story",
    "  --json        the story for a program, a JSON document for each case (docs/report.md)\n"
    "  --out FOLDER  leave report, images and reproduce.sh of each finding there; of several "
    "cases\n"
    "                with one signature the first one's\n"
    "A case is a file of bytes (corpus, crash) or its text form (*.json).\n"
    "exit: 0 no divergence, or known ones alone; 1 divergence; 2 bad use, unreadable case or "
    "harness error;\n"
    "      3 a tool is unavailable; 4 inconclusive: a step in which nothing could be decided, or\n"
    "      a case in which nothing was compared\n",
    replay_all,
};
