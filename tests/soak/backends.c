// SPDX-License-Identifier: Apache-2.0
//
// Is a warm tool the tool? Random operations on whole and damaged images are run by plain execution
// and by every back end that the tool has: the end, both streams and every file that was written
// must be the same, but for the identities that a writer chooses anew each time. Where two plain
// runs differ, too, the tool is not deterministic; that is counted apart.
//
//   soak_backends [--seed S] [--from N] [--count M] [--only INDEX] [--log FILE] [--against PROGRAM]
//
// --against: another qemu-img, which has to answer as the first one does by plain execution, by
// each back end of its own, the plain one included (ci/instrumented-qemu-img).
//
// An operation follows from seed and index, so a run may be had in pieces, each of which appends a
// line of JSON to the log. --only shows what one operation is, and its answers. A persistent worker
// has a past: what needs one is repeated with some of the operations before it (--from, --count).
// Exit: 0 no difference, 1 some, 2 it could not be run. QEMU_IMG names another qemu-img.
#include "exec/clock.h"
#include "tests/soak/kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEADLINE_MS 2000
#define REPEATS     10 // of a plain run, until it differs from the first
#define WORDS       400
#define LONG_FACTOR 10 // a warm command that was slow is asked again with as many deadlines

enum { TOOL_QEMU, TOOL_STANDIN, TOOL_OTHER, TOOLS };
// What a run is compared with, what it gives, and what a repetition gives.
enum { RUN_PLAIN, RUN_WARM, RUN_AGAIN, RUNS };

static const char *const run_names[RUNS] = {"plain", "warm", "again"};

static struct soak {
    uint64_t seed, from, count;
    bool only;
    const char *log, *against;
    struct tool tools[TOOLS];
    bool has[TOOLS][EXEC_BACKENDS];
    struct exec *exec;
    struct workdir workdir;
    struct tool_room room;
    char kept[RUNS][300]; // folders for what a run wrote
    struct trial trial;
    struct exec_outcome outcomes[RUNS];
    struct buffer words;
    // Counters.
    uint64_t operations, by_operation[TOOL_OPERATIONS], by_damage[DAMAGES];
    uint64_t nonzero, signals, differences, undetermined, uncompared;
    uint64_t runs[EXEC_BACKENDS], timeouts[EXEC_BACKENDS], wall_us[EXEC_BACKENDS];
    uint64_t began_us;
} soak = {.seed = 1, .count = 1000};

// --- comparing -----------------------------------------------------------------------------------

static bool same_bytes(const struct buffer *a, const struct buffer *b) {
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

// In which respect two runs differ; the first one counts.
enum respect { SAME, IN_END, IN_PROCESSES, IN_STDOUT, IN_STDERR, IN_FILES };

static void end_words(const struct exec_outcome *a, const struct exec_outcome *b, char *words,
                      size_t room) {
    struct buffer ends[2] = {{0}};
    char line[160];
    exec_outcome_words(a, &ends[0]);
    exec_outcome_words(b, &ends[1]);
    snprintf(words, room, "%s instead of %s; stderr: %s", ends[0].data, ends[1].data,
             tool_first_line(&a->err, line, sizeof line));
    buffer_free(&ends[0]);
    buffer_free(&ends[1]);
}

static enum respect compare_runs(int one, int other, char words[WORDS]) {
    const struct exec_outcome *a = &soak.outcomes[one], *b = &soak.outcomes[other];
    // An assertion's words are the compiler's, which may be another one.
    bool foreign_words = soak.against && a->end == EXEC_SIGNALED;
    char line[160];
    words[0] = 0;
    if (a->end != b->end || a->value != b->value) {
        end_words(a, b, words, WORDS);
        return IN_END;
    }
    if (a->left_processes != b->left_processes) {
        snprintf(words, WORDS, "processes left behind by one only");
        return IN_PROCESSES;
    }
    if (!same_bytes(&a->out, &b->out) || a->out_cut != b->out_cut) {
        snprintf(words, WORDS, "stdout: %s", tool_first_line(&a->out, line, sizeof line));
        return IN_STDOUT;
    }
    if ((!same_bytes(&a->err, &b->err) && !foreign_words) || a->err_cut != b->err_cut) {
        snprintf(words, WORDS, "stderr: %s", tool_first_line(&a->err, line, sizeof line));
        return IN_STDERR;
    }
    return kept_same(&soak.trial, soak.kept[one], soak.kept[other], words, WORDS) ? SAME : IN_FILES;
}

// --- running -------------------------------------------------------------------------------------

// At a deadline or a limit: which of them comes first is a matter of speed.
static bool ended_by_us(const struct exec_outcome *outcome) {
    return outcome->end != EXEC_EXITED && outcome->end != EXEC_SIGNALED;
}

// One run of the operation. -1: it could not be run at all.
static int run_once(struct tool *tool, enum exec_backend backend, uint32_t factor, int run,
                    struct fault *fault) {
    struct exec_outcome *outcome = &soak.outcomes[run];
    tool->backend = backend;
    soak.room.plain = backend == EXEC_PLAIN;
    soak.room.deadline_ms = DEADLINE_MS * factor;
    if (tool_run(tool, &soak.trial.call, &soak.room, outcome, fault) ||
        kept_take(&soak.trial, soak.workdir.case_path, soak.kept[run], fault))
        return -1;
    if (factor == 1 && run != RUN_AGAIN) {
        soak.runs[backend]++;
        soak.timeouts[backend] += outcome->end == EXEC_DEADLINE;
        soak.wall_us[backend] += outcome->wall_us;
    }
    if (soak.only) {
        buffer_clear(&soak.words);
        exec_outcome_words(outcome, &soak.words);
        printf("%s: %s, %zu bytes of stdout, stderr: %s\n", exec_backend_names[backend],
               soak.words.data, outcome->out.length, outcome->err.data ? outcome->err.data : "");
    }
    return 0;
}

static void tell(const char *what, const struct tool *tool, uint64_t index,
                 enum exec_backend backend, const char *difference, const char *again) {
    struct tool_argv argv;
    tool_argv_build(tool, &soak.trial.call, &argv);
    buffer_clear(&soak.words);
    tool_argv_words(&argv, NULL, &soak.words);
    printf("%s at %" PRIu64 ", %s: %s; `%s` on a file that is %s; --seed %" PRIu64
           " --only %" PRIu64 " (%s)\n",
           what, index, exec_backend_names[backend], difference, soak.words.data,
           damage_names[soak.trial.damage], soak.seed, index, again);
    fflush(stdout);
}

// Whose answers are held against those of this tool by plain execution.
static struct tool *compared(int which) {
    return &soak.tools[soak.against ? TOOL_OTHER : which];
}

// A convert that fails stops its other seven coroutines wherever they are: what it leaves of an
// output, and which of two errors it tells, is a matter of its threads' time. So plain execution
// gets several chances to differ from itself, in the same respect. 1: it does.
static int differs_from_itself(int which, uint64_t index, enum exec_backend backend,
                               enum respect respect, struct fault *fault) {
    struct tool *tool = &soak.tools[which];
    char words[WORDS];
    for (int i = 0; i < REPEATS; i++) {
        if (run_once(tool, EXEC_PLAIN, LONG_FACTOR, RUN_AGAIN, fault))
            return -1;
        if (compare_runs(RUN_AGAIN, RUN_PLAIN, words) != respect)
            continue;
        soak.undetermined++;
        tell("two plain runs differ", tool, index, backend, words, "not counted as a difference");
        return 1;
    }
    return 0;
}

static int examine(int which, uint64_t index, enum exec_backend backend, enum respect respect,
                   const char *difference, struct fault *fault) {
    struct tool *tool = compared(which);
    char words[WORDS];
    int own = differs_from_itself(which, index, backend, respect, fault);
    if (own)
        return own < 0 ? -1 : 0;
    bool slow = ended_by_us(&soak.outcomes[RUN_WARM]);
    if (run_once(tool, backend, LONG_FACTOR, RUN_AGAIN, fault))
        return -1;
    bool again = compare_runs(RUN_AGAIN, RUN_PLAIN, words) != SAME;
    // Slower than plain execution, but of the same mind.
    if (!again && slow)
        return 0;
    soak.differences++;
    tell("difference", tool, index, backend, difference, again ? "and again" : "not when repeated");
    return 0;
}

static int run_warm(int which, uint64_t index, enum exec_backend backend, struct fault *fault) {
    char words[WORDS];
    if (run_once(compared(which), backend, 1, RUN_WARM, fault))
        return fault_prefix(fault, "operation %" PRIu64 ", %s: ", index,
                            exec_backend_names[backend]);
    // Nothing to compare with; but a warm process has to survive it, too.
    if (ended_by_us(&soak.outcomes[RUN_PLAIN]))
        return 0;
    enum respect respect = compare_runs(RUN_WARM, RUN_PLAIN, words);
    return respect == SAME ? 0 : examine(which, index, backend, respect, words, fault);
}

static void count_operation(void) {
    const struct exec_outcome *plain = &soak.outcomes[RUN_PLAIN];
    soak.operations++;
    soak.by_operation[soak.trial.call.op]++;
    soak.by_damage[soak.trial.damage]++;
    soak.nonzero += plain->end == EXEC_EXITED && plain->value != 0;
    soak.signals += plain->end == EXEC_SIGNALED;
    soak.uncompared += ended_by_us(plain);
}

static void show_trial(const struct tool *tool) {
    struct tool_argv argv;
    tool_argv_build(tool, &soak.trial.call, &argv);
    buffer_clear(&soak.words);
    case_describe(&soak.trial.testcase, &soak.words);
    buffer_format(&soak.words, "%s.\n", damage_names[soak.trial.damage]);
    tool_argv_words(&argv, NULL, &soak.words);
    puts(soak.words.data);
}

static int run_operation(uint64_t index, struct fault *fault) {
    struct trial *trial = &soak.trial;
    trial_choose(trial, soak.seed, index);
    int which = trial->first_tool || soak.against ? TOOL_QEMU : TOOL_STANDIN;
    const bool *has = soak.has[soak.against ? TOOL_OTHER : which];
    struct tool *tool = &soak.tools[which];
    if (workdir_clear_case(&soak.workdir, fault) ||
        trial_build(trial, soak.seed, index, tool, soak.workdir.case_path, fault))
        return fault_prefix(fault, "operation %" PRIu64 ": ", index);
    if (soak.only)
        show_trial(tool);
    if (run_once(tool, EXEC_PLAIN, 1, RUN_PLAIN, fault))
        return -1;
    count_operation();
    for (int backend = EXEC_PLAIN; backend < EXEC_BACKENDS; backend++)
        if (has[backend] && run_warm(which, index, backend, fault))
            return -1;
    return 0;
}

// --- beginning and end ---------------------------------------------------------------------------

static int find_tool(int which, const char *path, enum tool_kind kind, struct fault *fault) {
    struct tool *tool = &soak.tools[which];
    if (tool_probe(tool, path, kind, &soak.room, fault))
        return -1;
    return tool->available ? 0 : fault_set(fault, "%s: %s", path, tool->why_not);
}

// Which back ends it has, by asking each about a file that is not there.
static void find_backends(int which) {
    struct tool *tool = &soak.tools[which];
    struct tool_call call = {.op = OP_INFO, .input = "none", .target = IMAGE_FORMATS};
    soak.has[which][EXEC_PLAIN] = which == TOOL_OTHER;
    for (int backend = EXEC_LINKED; backend < EXEC_BACKENDS; backend++) {
        struct fault fault = {0};
        tool->backend = backend;
        soak.has[which][backend] =
            tool_run(tool, &call, &soak.room, &soak.outcomes[RUN_WARM], &fault) == 0;
        if (!soak.has[which][backend])
            printf("%s has no %s back end: %s\n", tool->name, exec_backend_names[backend],
                   fault.text);
    }
}

static int open_soak(struct fault *fault) {
    char launcher[4096], standin[4096];
    const char *named = getenv("QEMU_IMG");
    if (exec_find_beside("launcher", launcher, sizeof launcher, fault) ||
        exec_find_beside("standin/instar", standin, sizeof standin, fault) ||
        workdir_create(&soak.workdir, NULL, fault) ||
        exec_start(&soak.exec, launcher, soak.workdir.path, fault))
        return -1;
    soak.room = (struct tool_room){.exec = soak.exec, .workdir = &soak.workdir};
    soak.room.deadline_ms = DEADLINE_MS * LONG_FACTOR;
    for (int run = 0; run < RUNS; run++) {
        snprintf(soak.kept[run], sizeof soak.kept[run], "%s/%s", soak.workdir.path, run_names[run]);
        if (mkdir(soak.kept[run], 0700))
            return fault_errno(fault, "%s", soak.kept[run]);
    }
    if (find_tool(TOOL_QEMU, named && *named ? named : "qemu-img", TOOL_QEMU_IMG, fault) ||
        find_tool(TOOL_STANDIN, standin, TOOL_INSTAR, fault) ||
        (soak.against && find_tool(TOOL_OTHER, soak.against, TOOL_QEMU_IMG, fault)))
        return -1;
    find_backends(TOOL_QEMU);
    find_backends(TOOL_STANDIN);
    if (soak.against)
        find_backends(TOOL_OTHER);
    return soak.has[TOOL_QEMU][EXEC_LINKED] ? 0 : fault_set(fault, "no back end to compare with");
}

static void summary(struct buffer *line) {
    double seconds = (double)(clock_us() - soak.began_us) / 1e6;
    buffer_format(line,
                  "{\"seed\": %" PRIu64 ", \"from\": %" PRIu64 ", \"operations\": %" PRIu64
                  ", \"nonzero\": %" PRIu64 ", \"signals\": %" PRIu64 ", \"uncompared\": %" PRIu64
                  ", \"undetermined\": %" PRIu64 ", \"differences\": %" PRIu64
                  ", \"seconds\": %.1f, \"backends\": {",
                  soak.seed, soak.from, soak.operations, soak.nonzero, soak.signals,
                  soak.uncompared, soak.undetermined, soak.differences, seconds);
    for (int backend = 0; backend < EXEC_BACKENDS; backend++)
        buffer_format(line,
                      "%s\"%s\": {\"runs\": %" PRIu64 ", \"timeouts\": %" PRIu64
                      ", \"mean_us\": %" PRIu64 "}",
                      backend ? ", " : "", exec_backend_names[backend], soak.runs[backend],
                      soak.timeouts[backend],
                      soak.runs[backend] ? soak.wall_us[backend] / soak.runs[backend] : 0);
    buffer_text(line, "}, \"calls\": {");
    for (int op = 0; op < TOOL_OPERATIONS; op++)
        buffer_format(line, "%s\"%s\": %" PRIu64, op ? ", " : "",
                      tool_operation_name((enum operation)op), soak.by_operation[op]);
    buffer_text(line, "}, \"files\": {");
    for (int damage = 0; damage < DAMAGES; damage++)
        buffer_format(line, "%s\"%s\": %" PRIu64, damage ? ", " : "", damage_names[damage],
                      soak.by_damage[damage]);
    buffer_text(line, "}}\n");
}

static int log_summary(struct fault *fault) {
    struct buffer line = {0};
    summary(&line);
    fputs(line.data, stdout);
    printf("%" PRIu64 " operations, %.1f a second: %" PRIu64 " differences, %" PRIu64
           " undetermined\n",
           soak.operations, (double)soak.operations * 1e6 / (double)(clock_us() - soak.began_us),
           soak.differences, soak.undetermined);
    FILE *log = soak.log ? fopen(soak.log, "ae") : NULL;
    int failed = soak.log && (!log || fputs(line.data, log) < 0 || fclose(log));
    buffer_free(&line);
    return failed ? fault_errno(fault, "%s", soak.log) : 0;
}

static int read_arguments(int argc, char **argv, struct fault *fault) {
    static const struct {
        const char *name;
        uint64_t *to;
    } numbers[] = {{"--seed", &soak.seed},
                   {"--from", &soak.from},
                   {"--count", &soak.count},
                   {"--only", &soak.from}};
    for (int i = 1; i < argc; i += 2) {
        size_t known = 0;
        char *end = "";
        if (i + 1 == argc)
            return fault_set(fault, "%s needs a value", argv[i]);
        bool log = strcmp(argv[i], "--log") == 0;
        if (log || strcmp(argv[i], "--against") == 0) {
            *(log ? &soak.log : &soak.against) = argv[i + 1];
            continue;
        }
        while (known < 4 && strcmp(argv[i], numbers[known].name) != 0)
            known++;
        if (known < 4)
            *numbers[known].to = strtoull(argv[i + 1], &end, 10);
        if (known == 4 || *end)
            return fault_set(fault, "%s %s is not understood", argv[i], argv[i + 1]);
        soak.only |= known == 3;
    }
    soak.count = soak.only ? 1 : soak.count;
    return 0;
}

static int run_all(struct fault *fault) {
    soak.began_us = clock_us();
    for (uint64_t i = 0; i < soak.count; i++)
        if (run_operation(soak.from + i, fault))
            return -1;
    return log_summary(fault);
}

int main(int argc, char **argv) {
    struct fault fault = {0};
    int failed = read_arguments(argc, argv, &fault) || open_soak(&fault) || run_all(&fault);
    exec_stop(soak.exec);
    if (soak.workdir.path[0])
        workdir_remove(&soak.workdir);
    if (failed)
        fprintf(stderr, "soak_backends: %s\n", fault.text);
    return failed ? 2 : soak.differences != 0;
}
