// SPDX-License-Identifier: Apache-2.0
//
// triage: what engines and campaigns left, sorted by what it shows today. The order of work:
// collect files, replay each case once, settle each signature, put every file into a row, write and
// tell. It has no memory of campaigns, and believes only what it has replayed itself.
#include "command/triage.h"

#include "command/interrupt.h"
#include "exec/clock.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// A few commands are over before the self-test of anything faster than plain execution would be.
#define TRIAGE_PLAIN_CASES 100

// --- what is left of it --------------------------------------------------------------------------

static int write_json(const char *path, cJSON *tree, struct fault *fault) {
    char *text = cJSON_Print(tree);
    struct buffer line = {0};
    buffer_format(&line, "%s\n", text);
    int status = 0;
    if (strcmp(path, "-") == 0)
        fputs(line.data, stdout);
    else
        status = command_write_file(path, line.data, line.length, fault);
    buffer_free(&line);
    free(text);
    cJSON_Delete(tree);
    return status;
}

// Beside the simplest case, the one that it was made from, as it was found.
static int write_originals(const struct triage *t, const struct triage_out *out,
                           struct fault *fault) {
    int status = 0;
    char path[4096];
    for (size_t i = 0; i < t->signature_count && status == 0; i++) {
        const struct triage_signature *signature = &t->signatures[i];
        if (signature->state != SETTLE_CONFIRMED || !signature->settled.reported)
            continue;
        const struct triage_case *item = &t->cases[signature->candidates[signature->tries]];
        snprintf(path, sizeof path, "%s/findings/%s/original.bin", out->temporary, signature->name);
        status = command_write_file(path, item->raw, item->raw_size, fault);
    }
    return status;
}

// An interrupted triage is worth keeping where there was none, and not in the place of a whole one.
static int write_out(struct triage *t, struct triage_out *out, struct fault *fault) {
    char path[4096];
    if (t->interrupted && out->replaces) {
        triage_out_discard(out);
        fprintf(stderr, "instar-fuzz triage: %s stays as it was\n", out->path);
        return 0;
    }
    snprintf(path, sizeof path, "%s/triage.json", out->temporary);
    int status = write_originals(t, out, fault);
    if (status == 0)
        status = write_json(path, triage_json(t), fault);
    if (status == 0)
        status = triage_out_commit(out, fault);
    if (status)
        triage_out_discard(out);
    return status;
}

static int write_all(struct triage *t, struct triage_out *out, struct fault *fault) {
    int status = t->out ? write_out(t, out, fault) : 0;
    if (status == 0 && t->json)
        status = write_json(t->json, triage_json(t), fault);
    if (status == 0 && t->sarif)
        status = write_json(t->sarif, triage_sarif(t), fault);
    return status;
}

// Something new above all: what could not be judged beside it is in the table.
static int exit_code(const struct triage *t) {
    static const struct {
        enum triage_list list;
        int code;
    } others[] = {
        {LIST_HARNESS_ERRORS, EXIT_BAD_USE},
        {LIST_HARNESS_CRASHES, EXIT_BAD_USE},
        {LIST_UNAVAILABLE, EXIT_UNAVAILABLE},
        {LIST_INCONCLUSIVE, EXIT_INCONCLUSIVE},
    };
    if (t->interrupted)
        return 128 + t->interrupted;
    if (t->failed)
        return t->failed;
    for (size_t i = 0; i < t->signature_count; i++)
        if (t->signatures[i].state == SETTLE_CONFIRMED)
            return EXIT_FOUND;
    for (size_t i = 0; i < t->file_count; i++)
        if (t->files[i].unread)
            return EXIT_BAD_USE;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (triage_count(t, others[i].list, false))
            return others[i].code;
    return EXIT_NONE;
}

static FILE *words_to(const struct triage *t) {
    bool taken = (t->json && !strcmp(t->json, "-")) || (t->sarif && !strcmp(t->sarif, "-"));
    return taken ? stderr : stdout;
}

static int finish(struct triage *t, struct triage_out *out) {
    struct fault fault = {0};
    struct buffer words = {0};
    t->interrupted = interrupted;
    triage_sort(t);
    int status = write_all(t, out, &fault);
    triage_table(t, &words);
    if (t->out && status == 0 && !(t->interrupted && out->replaces))
        buffer_format(&words, "Written: %s\n", t->out);
    fputs(words.data, words_to(t));
    fflush(stdout);
    buffer_free(&words);
    return status ? command_complain(t->command, "%s", fault.text) : exit_code(t);
}

// --- the command ---------------------------------------------------------------------------------

static int open_tools(struct triage *t) {
    struct buffer words = {0};
    if (t->settings.exec == TOOL_EXEC_AUTO && t->case_count < TRIAGE_PLAIN_CASES)
        t->settings.exec = TOOL_EXEC_PLAIN;
    int status = command_open_with(t->command, &t->settings, &t->harness);
    if (status)
        return status;
    harness_announce(t->harness, &words);
    fputs(words.data, words_to(t));
    fprintf(words_to(t), "%zu file%s, %zu distinct case%s; %u at a time.\n", t->file_count,
            t->file_count == 1 ? "" : "s", t->case_count, t->case_count == 1 ? "" : "s", t->jobs);
    fflush(stdout);
    buffer_free(&words);
    return 0;
}

static int work(struct triage *t, struct triage_out *out, struct fault *fault) {
    struct triage_pool pool = {.settings = &t->settings,
                               .harness = t->harness,
                               .out = t->out ? out->temporary : NULL,
                               .minimize = t->minimize,
                               .seconds = t->seconds,
                               .jobs = t->jobs,
                               .interrupted = &interrupted};
    triage_compare_tools(t);
    int status = triage_look(t, &pool, fault);
    if (status == 0 && !interrupted)
        status = triage_settle(t, &pool, fault);
    triage_pool_end(&pool);
    return status;
}

static int sort_files(struct triage *t, struct triage_out *out) {
    struct fault fault = {0};
    t->started_s = time(NULL);
    t->begun_us = clock_us();
    if (triage_collect(t, &fault))
        return command_complain(t->command, "%s", fault.text);
    triage_load(t);
    int status = t->case_count ? open_tools(t) : 0;
    if (status)
        return status;
    if (t->out && triage_out_begin(out, &fault))
        return command_complain(t->command, "%s", fault.text);
    if (t->case_count && work(t, out, &fault)) {
        if (t->out)
            triage_out_discard(out);
        return command_complain(t->command, "%s", fault.text);
    }
    return finish(t, out);
}

// What ends with the process is not taken apart, but launchers and case directories are.
static int triage_all(struct triage *t) {
    struct triage_out out = {0};
    struct fault fault = {0};
    if (t->out && triage_out_check(&out, t->out, t->paths, t->path_count, &fault))
        return command_complain(t->command, "%s", fault.text);
    if (settings_read(&t->settings, &fault))
        return command_complain(t->command, "%s", fault.text);
    t->settings.out = t->settings.seen = NULL;
    interrupt_catch();
    int status = sort_files(t, &out);
    harness_close(t->harness);
    return status;
}

// A file that cannot be written is said before any work.
static int check_file(const struct triage *t, const char *name, const char *path) {
    char folder[PATH_MAX];
    struct stat info;
    if (strcmp(path, "-") == 0)
        return 0;
    // A pipe or a device is written to; a file is replaced, that behind a link where it lies.
    bool there = stat(path, &info) == 0, through = there && !S_ISREG(info.st_mode);
    if (!there || !realpath(path, folder))
        snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    snprintf(slash ? slash + 1 : folder, 2, "%s", slash ? "" : ".");
    if (access(through ? path : folder, W_OK) || (there && S_ISDIR(info.st_mode)))
        return command_complain(t->command, "%s %s: no file can be written there", name, path), -1;
    return 0;
}

// Returns the index of the first path, or -1.
static int read_options(struct triage *t, int argc, char **argv) {
    const struct {
        const char *name, **to;
    } texts[] = {{"--out", &t->out}, {"--json", &t->json}, {"--sarif", &t->sarif}};
    const struct {
        const char *name;
        unsigned *to, most;
    } numbers[] = {{"--jobs", &t->jobs, TRIAGE_MOST_JOBS}, {"--time", &t->seconds, 86400}};
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const char *name = argv[i], *value;
        bool known = false;
        if (!strcmp(name, "--")) {
            i++;
            break;
        }
        if (!strcmp(name, "--no-minimize")) {
            t->minimize = false;
            continue;
        }
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            known |= !strcmp(name, texts[k].name);
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            known |= !strcmp(name, numbers[k].name);
        if (!known)
            return command_complain(t->command, "unknown option %s", name), -1;
        if (!(value = command_value(t->command, argv, &i)))
            return -1;
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            if (!strcmp(name, texts[k].name))
                *texts[k].to = value;
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            if (!strcmp(name, numbers[k].name) &&
                command_number(t->command, name, value, numbers[k].most, numbers[k].to))
                return -1;
    }
    if (i == argc)
        return command_complain(t->command, "no file or folder given (see --help)"), -1;
    if (t->json && t->sarif && !strcmp(t->json, "-") && !strcmp(t->sarif, "-"))
        return command_complain(t->command, "--json and --sarif cannot both go to -"), -1;
    if ((t->json && check_file(t, "--json", t->json)) ||
        (t->sarif && check_file(t, "--sarif", t->sarif)))
        return -1;
    return i;
}

static int triage(const struct command *command, int argc, char **argv) {
    static struct triage t;
    t.command = command;
    t.minimize = true;
    t.seconds = 60;
    t.jobs = triage_cores();
    int first = read_options(&t, argc, argv);
    if (first < 0)
        return EXIT_BAD_USE;
    t.paths = argv + first;
    t.path_count = argc - first;
    return triage_all(&t);
}

const struct command command_triage = {
    "triage",
    "[--out FOLDER] [--json FILE] [--sarif FILE] [--no-minimize] [--time S] [--jobs N] PATH...",
    "sort what fuzzers have left by what it shows today",
    "PATH, in any mix: a folder of libFuzzer's (crash-*, timeout-*, oom-*, leak-*, slow-unit-*) or "
    "of\n"
    "AFL++'s (crashes/, hangs/, those kept as crashes.*, of several fuzzers), a campaign's "
    "(findings/,\n"
    "not-reproduced/, harness-errors/), run's log folder (divergence-*.json), a single case.\n"
    "Each case is replayed once; the smallest of each signature is confirmed by plain execution "
    "on\n"
    "fresh files and minimized. Every file is in one row, and the rows add up to the files.\n"
    "  --out FOLDER   findings/<signature>/ as a campaign has it, with original.bin, and "
    "triage.json;\n"
    "                 new, empty, or an earlier one of triage's, which is then replaced as a "
    "whole\n"
    "  --json FILE    triage.json alone; - is stdout, and the words go to stderr\n"
    "  --sarif FILE   SARIF 2.1.0, for code scanning; as --json\n"
    "  --no-minimize  confirm only\n"
    "  --time S       of minimizing, for each signature (60)\n"
    "  --jobs N       worker processes, 1 to 64 (the number of cores)\n"
    "Which tools are compared is said by INSTAR, QEMU_IMG, INSTAR_FUZZ_PAIR and so on, as in "
    "replay.\n"
    "Ctrl-C prints what is sorted so far and says that it is partial; an earlier triage in --out "
    "stays.\n"
    "exit: 0 nothing new; 1 a new divergence, whatever else there is; 2 bad use, a path that "
    "cannot\n"
    "      be read, a harness error or crash; 3 a tool is unavailable; 4 inconclusive cases; 130\n"
    "      interrupted (143: by SIGTERM)\n",
    triage,
};
