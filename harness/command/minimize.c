// SPDX-License-Identifier: Apache-2.0
//
// minimize: the simplest case that still shows a divergence, for a person who names cases. How a
// case gets there is minimize_case.c's; here is the command line, and what is told and written. It
// has no memory of campaigns.
#include "command/minimize.h"

#include "command/found.h"
#include "command/interrupt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct minimize {
    const struct command *command;
    struct settings settings;
    struct harness *harness;
    const char *out, *signature; // NULL: beside the case; its report's, else its first one
    unsigned seconds;
    bool json;
};

static int load(const char *path, struct minimized *made, struct fault *fault) {
    struct testcase testcase;
    struct stat file;
    if (command_load_case(&testcase, path, fault))
        return -1;
    if (stat(path, &file))
        return fault_errno(fault, "%s", path);
    made->path = path;
    made->file_size = (size_t)file.st_size;
    made->before.size = case_encode(&testcase, made->before.bytes);
    return 0;
}

static int tell_nothing(const struct minimize *m, const char *path, const cJSON *report,
                        const char *wanted) {
    struct buffer words = {0};
    const char *kept_for = found_signature(report);
    if (wanted && kept_for && strcmp(wanted, kept_for) == 0)
        found_gone(m->harness, report, &words);
    else if (wanted)
        buffer_format(&words, "it does not show %s", wanted);
    else
        buffer_text(&words, "no divergence that repeats on fresh files");
    fprintf(stderr, "instar-fuzz minimize: %s: %s\n", path, words.data);
    buffer_free(&words);
    return EXIT_INCONCLUSIVE;
}

// Nobody said which of several is meant: the first was taken, and who means another must know.
static void tell_others(const struct minimize *m, const struct minimized *made) {
    const struct record *record;
    struct buffer others = {0};
    if (interrupted ||
        harness_look(m->harness, made->before.bytes, made->before.size, &record, NULL))
        return; // the result stands all the same
    for (size_t i = 0; i < record->finding_count; i++)
        if (strcmp(record->findings[i].signature, made->signature) != 0)
            buffer_format(&others, "%s%s", others.length ? ", " : "",
                          record->findings[i].signature);
    if (others.length)
        fprintf(stderr,
                "instar-fuzz minimize: %s: it shows several divergences; %s is kept, --signature "
                "names another: %s\n",
                made->path, made->signature, others.data);
    buffer_free(&others);
}

static int finish(const struct minimize *m, const struct minimized *made) {
    struct fault fault = {0};
    struct buffer words = {0};
    if (minimize_write(made, &fault))
        return command_complain(m->command, "%s", fault.text);
    (m->json ? minimize_json : minimize_words)(made, &words);
    fputs(words.data, stdout);
    fflush(stdout);
    buffer_free(&words);
    return EXIT_NONE;
}

// `report`: what stands beside the case, which says what it is kept for, or NULL.
static int minimize_as(struct minimize *m, struct minimized *made, const cJSON *report) {
    const char *wanted = m->signature ? m->signature : found_signature(report);
    struct minimizer minimizer = {&m->settings, m->harness, wanted, m->seconds, &interrupted};
    struct fault fault = {0};
    int status = minimize_case(&minimizer, made, &fault);
    if (status < 0)
        return command_complain(m->command, "%s: %s", made->path, fault.text);
    if (status == 0)
        return tell_nothing(m, made->path, report, wanted);
    status = finish(m, made);
    if (status == EXIT_NONE && made->end == MINIMIZE_ERROR)
        return command_complain(m->command, "%s: %s", made->path, fault.text);
    if (!wanted)
        tell_others(m, made);
    return status;
}

static int minimize_one(struct minimize *m, const char *path, const struct minimize_paths *paths) {
    struct minimized made = {.paths = paths};
    struct fault fault = {0};
    bool damaged;
    if (load(path, &made, &fault))
        return command_complain(m->command, "%s", fault.text);
    cJSON *report = found_report(path, &damaged);
    int status = minimize_as(m, &made, report);
    cJSON_Delete(report);
    return status;
}

// Returns the index of the first case, or -1.
static int read_options(struct minimize *m, int argc, char **argv) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        bool fits = true;
        if (!strcmp(argv[i], "--json"))
            m->json = true;
        else if (!strcmp(argv[i], "--out"))
            fits = (m->out = command_value(m->command, argv, &i));
        else if (!strcmp(argv[i], "--signature"))
            fits = (m->signature = command_value(m->command, argv, &i));
        else if (!strcmp(argv[i], "--time"))
            fits = command_number(m->command, "--time", command_value(m->command, argv, &i), 86400,
                                  &m->seconds) == 0;
        else
            return command_complain(m->command, "unknown option %s", argv[i]), -1;
        if (!fits)
            return -1;
    }
    if (i == argc)
        return command_complain(m->command, "no case given (see --help)"), -1;
    if (m->out && argc - i > 1)
        return command_complain(m->command, "--out is for one case"), -1;
    if (m->signature && strlen(m->signature) >= SIGNATURE_ROOM)
        return command_complain(m->command, "--signature %s: no signature is that long",
                                m->signature),
               -1;
    return i;
}

static int minimize_all(struct minimize *m, char **cases, int count,
                        const struct minimize_paths *paths) {
    // From here on, so that also a harness that is being opened can be left in order.
    interrupt_catch();
    int begun = 0, status = command_open_with(m->command, &m->settings, &m->harness);
    if (status)
        return status;
    for (; begun < count && !interrupted; begun++) {
        int one = minimize_one(m, cases[begun], &paths[begun]);
        status = one == EXIT_BAD_USE || status == EXIT_NONE ? one : status;
    }
    harness_close(m->harness);
    if (begun < count)
        command_complain(m->command, "interrupted: %d of %d cases not begun", count - begun, count);
    return interrupted && status != EXIT_BAD_USE ? 128 + interrupted : status;
}

static int minimize(const struct command *command, int argc, char **argv) {
    struct minimize m = {.command = command, .seconds = 60};
    struct fault fault = {0};
    int first = read_options(&m, argc, argv);
    if (first < 0)
        return EXIT_BAD_USE;
    // A wrong path is said before any tool is started.
    for (int i = first; i < argc; i++) {
        struct testcase testcase;
        if (case_load(&testcase, argv[i], &fault))
            return command_complain(command, "%s", fault.text);
    }
    if (settings_read(&m.settings, &fault))
        return command_complain(command, "%s", fault.text);
    // A few hundred short commands are over before a self-test of anything faster would be.
    m.settings.exec = TOOL_EXEC_PLAIN;
    m.settings.out = m.settings.seen = NULL;
    struct minimize_paths *paths = must_realloc(NULL, (size_t)(argc - first) * sizeof *paths);
    int status = minimize_choose(paths, argv + first, argc - first, m.out, &fault)
                     ? command_complain(command, "%s", fault.text)
                     : minimize_all(&m, argv + first, argc - first, paths);
    free(paths);
    return status;
}

const struct command command_minimize = {
    "minimize",
    "[--json] [--out FILE] [--signature S] [--time SECONDS] CASE...",
    "make a case as simple as it can be and still show its divergence",
    "  --json          what was done, for a program\n"
    "  --out FILE      of one case: the bytes go there, the text form to FILE.json, in place of\n"
    "                  what is there; without it to CASE.min and CASE.min.json, which must be new\n"
    "  --signature S   the divergence to keep; without it the one that the report.json beside the\n"
    "                  case is about, else the first one of the case\n"
    "  --time SECONDS  for each case; the simplest one found by then is kept (60)\n"
    "Ctrl-C keeps the simplest one found so far and begins no other case; a harness error keeps\n"
    "it, too.\n"
    "exit: 0 minimized; 2 bad use, unreadable case, a name that is taken, or a harness error;\n"
    "      3 a tool is unavailable; 4 the case does not show the divergence on fresh files;\n"
    "      130 interrupted (143: by SIGTERM)\n",
    minimize,
};
