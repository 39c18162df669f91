// SPDX-License-Identifier: Apache-2.0
//
// The command line of `run`: every flag of the script, and three of our own. One table says what a
// flag is called, what it takes and where that goes.
#include "command/run.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

// Names that the script knows. Those that operation_names has as well are built.
static const char *const run_script_ops[] = {
    "info",   "check",  "convert", "convert_compressed", "measure", "create", "resize", "amend",
    "rebase", "commit", "map",     "snapshot",           "repair",  "dd",     "bitmap", "bench",
};

enum run_option_kind { RUN_TEXT, RUN_NUMBER, RUN_FLAG };

struct run_option {
    const char *name;
    enum run_option_kind kind;
    size_t member; // in struct run_options: const char *, uint64_t or bool
    uint64_t low, high;
};

// The seed passes through here, because not given and 0 are different.
struct run_options_read {
    struct run_options options;
    uint64_t seed;
};

#define TEXT(name, member)                                                                         \
    { name, RUN_TEXT, offsetof(struct run_options_read, member), 0, 0 }
#define NUMBER(name, member, low, high)                                                            \
    { name, RUN_NUMBER, offsetof(struct run_options_read, member), low, high }
#define FLAG(name, member)                                                                         \
    { name, RUN_FLAG, offsetof(struct run_options_read, member), 0, 0 }

static const struct run_option run_option_table[] = {
    TEXT("--instar", options.instar),
    NUMBER("--iterations", options.iterations, 0, 1ull << 40),
    NUMBER("--seed", seed, 0, UINT32_MAX),
    TEXT("--workdir", options.workdir),
    NUMBER("--timeout", options.timeout_s, 1, 3600),
    TEXT("--log-dir", options.log_dir),
    FLAG("--fail-fast", options.fail_fast),
    TEXT("--ops", options.ops),
    FLAG("--create-issues", options.create_issues),
    TEXT("--workflow-url", options.workflow_url),
    NUMBER("--duration", options.duration_s, 1, 1ull << 32),
    NUMBER("--only", options.only, 0, 1ull << 40),
    FLAG("--keep-going", options.keep_going),
    FLAG("--any-pair", options.any_pair),
    FLAG("-h", options.help),
};
#define RUN_OPTIONS (sizeof run_option_table / sizeof *run_option_table)

const char run_options_help[] =
    "Flags of instar's scripts/differential-fuzz.py, as --flag VALUE or --flag=VALUE:\n"
    "  --instar PATH       as INSTAR=\n"
    "  --iterations N      1000\n"
    "  --seed N            32 bits; random if not given, and said\n"
    "  --workdir DIR       as INSTAR_FUZZ_WORK=; made if it is not there\n"
    "  --timeout S         seconds for one command, 1 to 3600; a case may take twenty times that.\n"
    "                      Not given: as INSTAR_FUZZ_CASE_MS says\n"
    "  --log-dir DIR       ./fuzz-logs: fuzz-<seed>.log, divergence-<seed>-<iteration>.json,\n"
    "                      summary-<seed>.json; and INSTAR_FUZZ_OUT if that is not set\n"
    "  --fail-fast         stop at the first divergence\n"
    "  --ops A,B           as INSTAR_FUZZ_OPS=, with every name of the script: one that is not\n"
    "                      built yet is left out with a warning\n"
    "  --create-issues     one issue per signature, through gh, with label security-audit; an "
    "open\n"
    "                      one has its count and date rewritten. What gh cannot do is a warning\n"
    "  --workflow-url URL  goes into the issue\n"
    "Flags of our own:\n"
    "  --duration S        stop after S seconds\n"
    "  --only N            iteration N alone, whatever the log folder has seen, with "
    "--keep-going;\n"
    "                      its files are summary-<seed>-<iteration>.json and\n"
    "                      divergence-<seed>-<iteration>-only.json\n"
    "  --keep-going        behind a new divergence the case goes on (what the tools then read may\n"
    "                      be wrong already, so content that rests on it is not judged)\n"
    "  --any-pair          --create-issues also where no instar was compared\n"
    "An iteration is a function of --seed, its number and --ops. A signature is confirmed and\n"
    "reported once in a log folder; further hits are counted. A divergence of the registry\n"
    "(`instar-fuzz known`) is none. Ctrl-C ends the run behind the current iteration, twice at "
    "once.\n"
    "exit: 0 no divergence; 1 divergences, or a bad command line; 2 harness error, bad variable;\n"
    "      3 a tool is unavailable\n";

static bool run_options_number(const char *text, const struct run_option *option, uint64_t *value) {
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *value >= option->low &&
           *value <= option->high;
}

// An empty text is what a workflow passes for a variable that is not set: not given.
static int run_options_set(struct run_options_read *to, const struct run_option *option,
                           const char *value, const struct command *command) {
    void *member = (char *)to + option->member;
    if (option->kind == RUN_FLAG) {
        *(bool *)member = true;
    } else if (option->kind == RUN_TEXT) {
        if (*value)
            *(const char **)member = value;
    } else if (!run_options_number(value, option, member)) {
        command_complain(command, "%s %s: expected a number from %llu to %llu", option->name, value,
                         (unsigned long long)option->low, (unsigned long long)option->high);
        return -1;
    }
    return 0;
}

static const struct run_option *run_options_find(const char *argument) {
    size_t length = strcspn(argument, "=");
    for (size_t i = 0; i < RUN_OPTIONS; i++)
        if (strlen(run_option_table[i].name) == length &&
            memcmp(run_option_table[i].name, argument, length) == 0)
            return &run_option_table[i];
    return NULL;
}

static int run_options_walk(struct run_options_read *to, const struct command *command, int argc,
                            char **argv) {
    for (int i = 1; i < argc; i++) {
        const struct run_option *option = run_options_find(argv[i]);
        const char *value = strchr(argv[i], '=');
        if (!option || (value && option->kind == RUN_FLAG))
            return command_complain(command, "unknown option %s (see --help)", argv[i]), -1;
        if (value)
            value++;
        else if (option->kind != RUN_FLAG && ++i == argc)
            return command_complain(command, "%s needs a value", option->name), -1;
        if (run_options_set(to, option, value ? value : argv[i], command))
            return -1;
    }
    return 0;
}

static int run_options_index(const char *const *names, size_t count, const char *text,
                             size_t length) {
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0)
            return (int)i;
    return -1;
}

// Sorts the names of --ops into built (`ops`), not built yet (`unbuilt`) and unknown (an error).
static int run_options_ops(const char *text, bool ops[OPERATIONS], struct buffer *unbuilt,
                           const struct command *command) {
    size_t script = sizeof run_script_ops / sizeof *run_script_ops;
    bool any = false;
    memset(ops, 0, OPERATIONS * sizeof *ops);
    buffer_clear(unbuilt);
    for (const char *at = text; *at; at += strspn(at, ", ")) {
        size_t length = strcspn(at, ", ");
        int built = run_options_index(operation_names, OPERATIONS, at, length);
        if (built >= 0)
            any = ops[built] = true;
        else if (run_options_index(run_script_ops, script, at, length) >= 0)
            buffer_format(unbuilt, "%s%.*s", unbuilt->length ? ", " : "", (int)length, at);
        else if (length)
            return command_complain(command, "--ops: unknown operation '%.*s' (see --help)",
                                    (int)length, at),
                   -1;
        at += length;
    }
    if (any)
        return 0;
    return command_complain(command, "--ops %s: %s", text,
                            unbuilt->length ? "none of these operations is built yet"
                                            : "names no operation"),
           -1;
}

int run_options_read(struct run_options *options, const struct command *command, int argc,
                     char **argv) {
    struct run_options_read read = {
        .options = {.iterations = 1000, .log_dir = "./fuzz-logs", .only = RUN_NO_ITERATION},
        .seed = UINT64_MAX,
    };
    int status = run_options_walk(&read, command, argc, argv);
    // An iteration of a random seed is nobody's past iteration.
    if (status == 0 && read.options.only != RUN_NO_ITERATION && read.seed == UINT64_MAX)
        status = (command_complain(command, "--only needs --seed"), -1);
    if (read.seed == UINT64_MAX && getrandom(&read.options.seed, 4, 0) != 4)
        read.seed = (uint64_t)time(NULL);
    if (read.seed != UINT64_MAX)
        read.options.seed = (uint32_t)read.seed;
    bool ops[OPERATIONS];
    if (status == 0 && read.options.ops)
        status = run_options_ops(read.options.ops, ops, &read.options.unbuilt, command);
    *options = read.options;
    return status;
}

// mkdir -p, then the absolute name.
static int run_options_folder(const char *path, char absolute[PATH_MAX],
                              const struct command *command) {
    char part[PATH_MAX];
    int status = 0, error = ENAMETOOLONG;
    if ((size_t)snprintf(part, sizeof part, "%s/", path) >= sizeof part)
        status = -1;
    for (char *slash = part + 1; status == 0 && (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        status = mkdir(part, 0777) && errno != EEXIST ? -1 : 0;
        error = errno;
        *slash = '/';
    }
    if (status == 0 && !realpath(path, absolute)) {
        status = -1;
        error = errno;
    }
    if (status)
        command_complain(command, "%s: %s", path, strerror(error));
    return status;
}

int run_options_apply(struct run *run, const struct command *command) {
    static char workdir[PATH_MAX];
    const struct run_options *options = &run->options;
    struct settings *settings = &run->settings;
    if (options->create_issues && !settings->confirm)
        return command_complain(command, "--create-issues files what repeats, and "
                                         "INSTAR_FUZZ_CONFIRM=0 repeats nothing");
    struct buffer unbuilt = {0}; // known already
    if (run_options_folder(options->log_dir, run->log_dir, command) ||
        (options->workdir && run_options_folder(options->workdir, workdir, command)))
        return -1;
    if (options->workdir)
        settings->work = workdir;
    if (options->instar)
        settings->instar = options->instar;
    if (options->ops)
        run_options_ops(options->ops, settings->ops, &unbuilt, command);
    buffer_free(&unbuilt);
    if (options->timeout_s)
        settings->case_ms = (unsigned)options->timeout_s * 1000 * SETTINGS_DEADLINE_SHARE;
    if (!settings->out)
        settings->out = run->log_dir;
    return 0;
}
