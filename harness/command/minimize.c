// SPDX-License-Identifier: Apache-2.0
//
// minimize: the simplest case that still shows a divergence. The steps are the mutators'
// (simplify.h); here a candidate is judged by both tools, and kept only if its divergence repeats
// on fresh files. It has no memory of campaigns.
#include "command/minimize.h"

#include "exec/clock.h"
#include "mutators/simplify.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// A hang is judged by waiting, so while one is made simpler its deadline is as short as can be; the
// result is judged by the deadline in force.
#define HANG_CASE_MS 1000

static volatile sig_atomic_t interrupted; // the signal's number, or 0

static void interrupt(int number) {
    interrupted = number;
}

// The second time it ends the program as usual.
static void catch_interrupts(void) {
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

struct minimize {
    const struct command *command;
    struct settings settings;
    struct harness *harness;
    const char *out, *signature; // NULL: beside the case; its first one
    unsigned seconds;
    bool json;
};

static void set_budget(struct minimize *m, unsigned case_ms) {
    m->settings.case_ms = case_ms;
    harness_rebudget(m->harness);
}

static int shows(struct minimize *m, struct minimized *made, const uint8_t *data, size_t size,
                 struct fault *fault) {
    made->runs++;
    return harness_shows(m->harness, data, size, made->signature, fault);
}

// From made->before down, until nothing simpler shows the divergence, time is up or, as the fault
// then says, a candidate could not be judged. made->after is the simplest by then.
static void simplify_case(struct minimize *m, struct minimized *made, uint64_t until_us,
                          struct fault *fault) {
    struct simplify *s = simplify_begin(made->before.bytes, made->before.size);
    uint8_t candidate[CASE_MAX_BYTES];
    size_t size;
    made->end = MINIMIZE_DONE;
    while (made->end == MINIMIZE_DONE && (size = simplify_next(s, candidate)) > 0) {
        if (interrupted || clock_us() > until_us) {
            made->end = interrupted ? MINIMIZE_INTERRUPTED : MINIMIZE_TIME;
            break;
        }
        int kept = shows(m, made, candidate, size, fault);
        made->kept += kept > 0;
        simplify_judged(s, kept > 0);
        if (kept < 0)
            made->end = MINIMIZE_ERROR;
    }
    const uint8_t *best = simplify_best(s, &made->after.size);
    memcpy(made->after.bytes, best, made->after.size);
    simplify_end(s);
}

static int wanted_from(struct minimize *m, struct minimized *made, struct fault *fault) {
    snprintf(made->signature, sizeof made->signature, "%s", m->signature ? m->signature : "");
    return shows(m, made, made->before.bytes, made->before.size, fault);
}

static bool is_hang(const char *signature) {
    return strncmp(signature, "tool_hang-", 10) == 0;
}

// A hang is told from the beginning by short deadlines: then one long wait is enough, at the end,
// also after a harness error: only what hangs by that is kept.
// 1: made->after shows it by the settings in force as well; 0: it is something else.
static int minimize_hang(struct minimize *m, struct minimized *made, uint64_t until_us,
                         struct fault *fault) {
    unsigned usual = m->settings.case_ms;
    set_budget(m, usual < HANG_CASE_MS ? usual : HANG_CASE_MS);
    int status = wanted_from(m, made, fault);
    bool hangs = status > 0 && is_hang(made->signature);
    if (hangs)
        simplify_case(m, made, until_us, fault);
    set_budget(m, usual);
    if (status < 0 || !hangs)
        return status < 0 ? -1 : 0;
    return shows(m, made, made->after.bytes, made->after.size, fault);
}

// 1: there is a result; 0: nothing to keep; -1.
static int minimize_case(struct minimize *m, struct minimized *made, struct fault *fault) {
    uint64_t begun = clock_us(), until_us = begun + m->seconds * 1000000ull;
    bool may_hang = !m->signature || is_hang(m->signature);
    int status = may_hang ? minimize_hang(m, made, until_us, fault) : 0;
    if (status == 0) {
        status = wanted_from(m, made, fault);
        if (status > 0)
            simplify_case(m, made, until_us, fault);
    }
    made->us = clock_us() - begun;
    return status;
}

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

static int minimize_one(struct minimize *m, const char *path, const struct minimize_paths *paths) {
    struct minimized made = {.paths = paths};
    struct fault fault = {0};
    if (load(path, &made, &fault))
        return command_complain(m->command, "%s", fault.text);
    int status = minimize_case(m, &made, &fault);
    if (status < 0)
        return command_complain(m->command, "%s: %s", path, fault.text);
    if (status == 0) {
        fprintf(stderr, "instar-fuzz minimize: %s: %s%s\n", path,
                m->signature ? "it does not show " : "no divergence that repeats on fresh files",
                m->signature ? m->signature : "");
        return EXIT_INCONCLUSIVE;
    }
    struct fault unwritten = {0};
    if (minimize_write(&made, &unwritten))
        return command_complain(m->command, "%s", unwritten.text);
    struct buffer words = {0};
    (m->json ? minimize_json : minimize_words)(&made, &words);
    fputs(words.data, stdout);
    fflush(stdout);
    buffer_free(&words);
    if (made.end == MINIMIZE_ERROR)
        return command_complain(m->command, "%s: %s", path, fault.text);
    return EXIT_NONE;
}

// Returns the index of the first case, or -1.
static int read_options(struct minimize *m, int argc, char **argv) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argv[i], "--json")) {
            m->json = true;
            continue;
        }
        if (!strcmp(argv[i], "--out"))
            m->out = value;
        else if (!strcmp(argv[i], "--signature"))
            m->signature = value;
        else if (strcmp(argv[i], "--time") != 0)
            return command_complain(m->command, "unknown option %s", argv[i]), -1;
        if (!value)
            return command_complain(m->command, "%s needs a value", argv[i]), -1;
        if (!strcmp(argv[i], "--time")) {
            char *end;
            unsigned long seconds = strtoul(value, &end, 10);
            if (*value < '0' || *value > '9' || *end || seconds < 1 || seconds > 86400)
                return command_complain(m->command, "--time %s: expected 1 to 86400", value), -1;
            m->seconds = (unsigned)seconds;
        }
        i++;
    }
    if (i == argc)
        return command_complain(m->command, "no case given (see --help)"), -1;
    if (m->out && argc - i > 1)
        return command_complain(m->command, "--out is for one case"), -1;
    if (m->signature && (!*m->signature || strlen(m->signature) >= SIGNATURE_ROOM))
        return command_complain(m->command, "--signature '%s' is none", m->signature), -1;
    return i;
}

static int minimize_all(struct minimize *m, char **cases, int count,
                        const struct minimize_paths *paths) {
    // From here on, so that also a harness that is being opened can be left in order.
    catch_interrupts();
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
    "  --signature S   the divergence to keep; without it the first one of the case\n"
    "  --time SECONDS  for each case; the simplest one found by then is kept (60)\n"
    "Ctrl-C keeps the simplest one found so far and begins no other case; a harness error keeps\n"
    "it, too.\n"
    "exit: 0 minimized; 2 bad use, unreadable case, a name that is taken, or a harness error;\n"
    "      3 a tool is unavailable; 4 the case does not show the divergence on fresh files;\n"
    "      130 interrupted (143: by SIGTERM)\n",
    minimize,
};
