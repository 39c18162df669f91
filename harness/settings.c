// SPDX-License-Identifier: Apache-2.0
//
// The table of variables: name, what it accepts, what it means, and the function that reads it.
#include "settings.h"

#include <stdlib.h>
#include <string.h>

extern char **environ;

const char *const pair_choice_names[PAIR_CHOICES] = {
    [PAIR_AUTO] = "auto", [PAIR_INSTAR] = "instar",       [PAIR_STANDIN] = "standin",
    [PAIR_QEMU] = "qemu", [PAIR_ONLY_QEMU] = "only-qemu", [PAIR_ONLY_INSTAR] = "only-instar",
};

const char *const guide_choice_names[GUIDE_CHOICES] = {
    [GUIDE_OFF] = "off",
    [GUIDE_OUTPUTS] = "outputs",
    [GUIDE_ALL] = "all",
};

static const char *const strict_names[] = {"bounds", "known"};

struct variable {
    const char *name;
    const char *accepts;  // shown after the name
    const char *standard; // the value in words when it is not set
    const char *words;
    // Returns 0, or -1 if the text is not acceptable (the caller says so with `accepts`).
    int (*read)(struct settings *settings, const char *text);
};

// Which of `names` is the first `length` bytes of `text`? -1: none.
static int name_index(const char *const *names, size_t count, const char *text, size_t length) {
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0)
            return (int)i;
    return -1;
}

// Sets flags[i] for each name of a comma list; at least one name is needed.
static int read_list(const char *const *names, size_t count, const char *text, bool *flags) {
    memset(flags, 0, count * sizeof *flags);
    for (;;) {
        size_t length = strcspn(text, ",");
        int at = name_index(names, count, text, length);
        if (at < 0)
            return -1;
        flags[at] = true;
        if (!text[length])
            return 0;
        text += length + 1;
    }
}

static int read_number(const char *text, unsigned low, unsigned high, unsigned *value) {
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || number < low || number > high)
        return -1;
    *value = (unsigned)number;
    return 0;
}

static int read_path(const char **path, const char *text) {
    if (!*text)
        return -1;
    *path = text;
    return 0;
}

static int read_instar(struct settings *s, const char *text) {
    return read_path(&s->instar, text);
}
static int read_qemu_img(struct settings *s, const char *text) {
    return read_path(&s->qemu_img, text);
}
static int read_qemu_img_cov(struct settings *s, const char *text) {
    return read_path(&s->qemu_img_cov, text);
}
static int read_pair(struct settings *s, const char *text) {
    int at = name_index(pair_choice_names, PAIR_CHOICES, text, strlen(text));
    if (at < 0)
        return -1;
    s->pair = (enum pair_choice)at;
    return 0;
}
static int read_exec(struct settings *s, const char *text) {
    int at = name_index(tool_exec_names, TOOL_EXECS, text, strlen(text));
    if (at < 0)
        return -1;
    s->exec = (enum tool_exec)at;
    return 0;
}
static int read_guide(struct settings *s, const char *text) {
    int at = name_index(guide_choice_names, GUIDE_CHOICES, text, strlen(text));
    if (at < 0)
        return -1;
    s->guide = (enum guide_choice)at;
    return 0;
}
static int read_ops(struct settings *s, const char *text) {
    return read_list(operation_names, OPERATIONS, text, s->ops);
}
static int read_targets(struct settings *s, const char *text) {
    const char *names[IMAGE_FORMATS];
    for (int i = 0; i < IMAGE_FORMATS; i++)
        names[i] = image_driver((enum image_format)i)->name;
    return read_list(names, IMAGE_FORMATS, text, s->targets);
}
static int read_strict(struct settings *s, const char *text) {
    bool flags[2];
    if (read_list(strict_names, 2, text, flags))
        return -1;
    s->strict_bounds = flags[0];
    s->strict_known = flags[1];
    return 0;
}
static int read_seen(struct settings *s, const char *text) {
    return read_path(&s->seen, text);
}
static int read_known(struct settings *s, const char *text) {
    return read_path(&s->known, text);
}
static int read_confirm(struct settings *s, const char *text) {
    return read_number(text, 0, 10, &s->confirm);
}
static int read_case_ms(struct settings *s, const char *text) {
    return read_number(text, 1000, 72000000, &s->case_ms);
}
static int read_work(struct settings *s, const char *text) {
    return read_path(&s->work, text);
}
static int read_out(struct settings *s, const char *text) {
    return read_path(&s->out, text);
}

// tool/probe.c takes it where it is instar itself that is probed.
static int read_guests(struct settings *s, const char *text) {
    (void)s;
    return *text == '/' && strlen(text) < sizeof((struct tool *)0)->guests ? 0 : -1;
}

// Handed on to the stand-in, which knows its lies.
static int read_lies(struct settings *s, const char *text) {
    (void)s;
    return strlen(text) < sizeof((struct tool *)0)->lies ? 0 : -1;
}

// off, or absolute paths.
static int read_fence(struct settings *s, const char *text) {
    s->unfenced = strcmp(text, "off") == 0;
    s->fence = NULL;
    if (s->unfenced || strcmp(text, "on") == 0)
        return 0;
    for (const char *at = text; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (*at != '/' || strcspn(at, ",") >= 500)
            return -1;
    }
    s->fence = text;
    return 0;
}

static const struct variable variables[] = {
    {"INSTAR", "a path", "tools/instar beside the program, else instar from PATH",
     "The instar to test. A qemu-img given here is driven as one.", read_instar},
    {"INSTAR_BIN_DIR", "an absolute path", "where INSTAR looks by itself",
     "The folder of instar's guest programs, handed on to it.", read_guests},
    {"STANDIN_LIE", "a comma list of what build/standin/instar lies prints, at most 255 characters",
     "it is honest", "What the stand-in lies about, for tests and demonstrations.", read_lies},
    {"QEMU_IMG", "a path", "tools/qemu-img beside the program, else qemu-img from PATH",
     "The qemu-img to compare with, 6.0 or newer.", read_qemu_img},
    {"QEMU_IMG_COV", "a path", "no such program",
     "An instrumented qemu-img (make instrumented-qemu-img) that guides an engine: it runs what "
     "QEMU_IMG was asked, and its answers are not judged.",
     read_qemu_img_cov},
    {"INSTAR_FUZZ_PAIR", "auto, instar, standin, qemu, only-qemu or only-instar", "auto",
     "Which tools are compared. auto: instar where it can run, else (where INSTAR names none) the "
     "stand-in, against qemu-img. qemu: QEMU_IMG against itself, which must stay silent.",
     read_pair},
    {"INSTAR_FUZZ_EXEC", "auto, plain, warm or persistent", "auto",
     "The fastest way in which commands may run. plain: each executes the program afresh. warm: "
     "forked from a process that is half-way through its start. persistent: one process runs many. "
     "auto: all of them. A tool gets the fastest one by which it passes its self-test, which is "
     "remembered in INSTAR_FUZZ_OUT; what is found is confirmed by plain execution.",
     read_exec},
    {"INSTAR_FUZZ_GUIDE", "off, outputs or all", "all",
     "What an engine is told beside the coverage of this program's own code. outputs: what the "
     "tools answered and wrote. all: the coverage of instrumented tools, too.",
     read_guide},
    {"INSTAR_FUZZ_OPS", "a comma list of info, check, measure, convert, convert_compressed", "all",
     "Operations that are run; others of a case are left out.", read_ops},
    {"INSTAR_FUZZ_TARGETS", "a comma list of raw, qcow2, vpc, vmdk, vhdx", "all",
     "Target formats that are run; operations with others are left out.", read_targets},
    {"INSTAR_FUZZ_STRICT", "a comma list of bounds, known", "none",
     "bounds: the literal lower bound of measure. known: divergences that the registry explains "
     "abort as well.",
     read_strict},
    {"INSTAR_FUZZ_SEEN", "a folder", "<INSTAR_FUZZ_OUT>/seen, or no memory without that",
     "One file per signature met, shared by all processes of a campaign: a repeat is counted and "
     "does not abort.",
     read_seen},
    {"INSTAR_FUZZ_KNOWN", "a file", "the registry built in (oracles/known-divergences.json)",
     "Another registry of known divergences.", read_known},
    {"INSTAR_FUZZ_CONFIRM", "0 to 10", "1",
     "Repetitions of the whole case on fresh files before a divergence counts.", read_confirm},
    {"INSTAR_FUZZ_CASE_MS", "1000 to 72000000", "12000",
     "Wall clock budget of one case in milliseconds; one command may take a twentieth of it. The "
     "engine's time-out must be more than twice as long; make fuzz and ci/campaign see to that.",
     read_case_ms},
    {"INSTAR_FUZZ_FENCE", "on, off, or a comma list of absolute paths", "on",
     "The fence around the tools: no network, no files but the case's own and the tool's. Paths: "
     "files and folders that a tool may read and run as well. off: what a damaged image names is "
     "reached.",
     read_fence},
    {"INSTAR_FUZZ_WORK", "a folder", "/dev/shm where that is a tmpfs, else TMPDIR, else /tmp",
     "Where the case directory is made.", read_work},
    {"INSTAR_FUZZ_OUT", "a folder", "no reports",
     "Reports, one directory per signature, and the counters.", read_out},
};
#define VARIABLES (sizeof variables / sizeof *variables)

static int check_unknown(struct fault *fault) {
    for (char **entry = environ; *entry; entry++) {
        if (strncmp(*entry, "INSTAR_FUZZ_", 12) != 0)
            continue;
        size_t length = strcspn(*entry, "=");
        bool found = false;
        for (size_t i = 0; i < VARIABLES; i++)
            found |= strlen(variables[i].name) == length &&
                     memcmp(variables[i].name, *entry, length) == 0;
        if (!found)
            return fault_set(fault, "unknown variable %.*s (see `instar-fuzz --help`)", (int)length,
                             *entry);
    }
    return 0;
}

int settings_read(struct settings *settings, struct fault *fault) {
    *settings = (struct settings){.guide = GUIDE_ALL, .confirm = 1, .case_ms = 12000};
    memset(settings->ops, true, sizeof settings->ops);
    memset(settings->targets, true, sizeof settings->targets);
    if (check_unknown(fault))
        return -1;
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *text = getenv(variables[i].name);
        // An empty INSTAR= or QEMU_IMG= is what `make fuzz INSTAR=` passes: not set.
        if (!text || (!*text && strncmp(variables[i].name, "INSTAR_FUZZ_", 12) != 0))
            continue;
        if (variables[i].read(settings, text))
            return fault_set(fault, "%s=%.100s%s: expected %s", variables[i].name, text,
                             strlen(text) > 100 ? "..." : "", variables[i].accepts);
    }
    return 0;
}

void settings_words(const struct settings *settings, struct buffer *words) {
    for (size_t i = 0; i < VARIABLES; i++) {
        const struct variable *v = &variables[i];
        buffer_format(words, "  %s = %s\n      %s\n      not set: %s\n", v->name, v->accepts,
                      v->words, v->standard);
        const char *text = settings ? getenv(v->name) : NULL;
        if (text && *text)
            buffer_format(words, "      in force: %s\n", text);
    }
}

void settings_markdown(struct buffer *out) {
    buffer_text(out, "| variable | accepts | not set | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < VARIABLES; i++)
        buffer_format(out, "| `%s` | %s | %s | %s |\n", variables[i].name, variables[i].accepts,
                      variables[i].standard, variables[i].words);
}
