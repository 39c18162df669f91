// SPDX-License-Identifier: Apache-2.0
//
// What an iteration costs beside the tools: the harness's own phases over a set of cases, in
// microseconds of processor time. The linker puts a stopwatch around the functions where a phase
// begins (--wrap), so that the harness itself knows nothing of this.
//
// Each case runs once with its tools. After that their answers are replayed: what a command printed
// is handed out again and the files that it wrote are put in their places, so that hundreds of
// rounds take a second and a slow tool hides nothing. With --live the tools run every time; caches
// are then as cold as in a campaign. Either way the same cases come round again: units that the
// harness compresses are remembered from the first round on (base/pack.c), which a campaign does as
// far as its cases are alike.
//
//   loop_cost [--live] ROUNDS CASE...       the pair and its tools: INSTAR_FUZZ_PAIR and so on
//   build/bench/loop_cost 100 bench/cases/*.json
#include "guide/features.h"
#include "harness.h"
#include "materialize.h"
#include "output.h"
#include "step.h"
#include "third.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// --- the stopwatch: time belongs to the innermost phase ------------------------------------------

#define PHASES(X)                                                                                  \
    X(DECODE, "decode")                                                                            \
    X(CLEAR, "clear the case directory")                                                           \
    X(BUILD, "materialize: content, truth, hashes")                                                \
    X(WRITE, "materialize: write images")                                                          \
    X(ASK, "command lines")                                                                        \
    X(TOOL, "tools (live: wall clock)")                                                            \
    X(EXEC, "our end of running them")                                                             \
    X(PARSE, "classify and parse")                                                                 \
    X(OPEN, "open outputs")                                                                        \
    X(CHECK, "check outputs, fits, third reader, cross-checks")                                    \
    X(MODIFIED, "source modified")                                                                 \
    X(JUDGE, "judge: all but content")                                                             \
    X(COMPARE, "judge: compare content")                                                           \
    X(COUNT, "count")                                                                              \
    X(GUIDE, "tell the engine")                                                                    \
    X(ADOPT, "adopt outputs")                                                                      \
    X(OTHER, "other")
#define PHASE_NAME(id, text)  PHASE_##id,
#define PHASE_WORDS(id, text) text,
enum phase { PHASES(PHASE_NAME) PHASES_ALL };
static const char *const phase_words[] = {PHASES(PHASE_WORDS)};

#define DEPTH 16
static enum phase stack[DEPTH];
static int depth;
static uint64_t last_ns, spent_ns[PHASES_ALL];

// Of this process's own processor: who else is at work on the machine does not count, nor waiting
// for a tool. A look at it costs 0.2 us.
static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void enter(enum phase phase) {
    uint64_t now = now_ns();
    if (depth)
        spent_ns[stack[depth - 1]] += now - last_ns;
    last_ns = now;
    stack[depth++] = phase;
}

static void leave(void) {
    uint64_t now = now_ns();
    spent_ns[stack[--depth]] += now - last_ns;
    last_ns = now;
}

#define WRAP(phase, type, name, parameters, arguments)                                             \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters {                                                                \
        enter(PHASE_##phase);                                                                      \
        type result = __real_##name arguments;                                                     \
        leave();                                                                                   \
        return result;                                                                             \
    }
#define WRAP_VOID(phase, name, parameters, arguments)                                              \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters {                                                                \
        enter(PHASE_##phase);                                                                      \
        __real_##name arguments;                                                                   \
        leave();                                                                                   \
    }

// clang-format off
WRAP_VOID(DECODE, case_decode, (struct testcase *t, const uint8_t *d, size_t n), (t, d, n))
WRAP(CLEAR, int, workdir_clear_case, (const struct workdir *w, struct fault *f), (w, f))
WRAP(BUILD, int, material_build,
     (struct material *m, const struct testcase *t, const char *d, struct fault *f), (m, t, d, f))
WRAP(WRITE, int, image_write,
     (const char *p, enum image_format k, const struct image_options *o,
      const struct image_source *s, struct image_written *w, struct fault *f), (p, k, o, s, w, f))
WRAP(ASK, int, tool_run,
     (const struct tool *t, const struct tool_call *c, struct tool_room *r,
      struct exec_outcome *o, struct fault *f), (t, c, r, o, f))
WRAP(PARSE, enum outcome_class, tool_classify,
     (const struct tool *t, enum operation p, const struct exec_outcome *o), (t, p, o))
WRAP_VOID(PARSE, tool_parse,
     (const struct tool *t, enum operation p, const struct exec_outcome *o,
      struct tool_result *r), (t, p, o, r))
WRAP(OPEN, int, output_open,
     (struct step_record *s, struct chain *c, int side, struct fault *f), (s, c, side, f))
WRAP(CHECK, int, output_check,
     (struct step_record *s, struct chain *c, int side, struct fault *f), (s, c, side, f))
WRAP(CHECK, int, output_fit,
     (struct step_record *s, struct chain *c, int side, size_t i, struct fault *f),
     (s, c, side, i, f))
WRAP(CHECK, int, third_ask,
     (struct step_record *s, struct chain *c, int side, struct fault *f), (s, c, side, f))
WRAP(CHECK, int, cross_ask,
     (struct step_record *s, struct chain *c, int side, size_t i, const struct material *m,
      struct fault *f), (s, c, side, i, m, f))
WRAP(MODIFIED, bool, material_modified, (const struct material *m, const char *d), (m, d))
WRAP_VOID(JUDGE, oracle_judge, (const struct oracle_step *s, struct judgements *j), (s, j))
WRAP(COMPARE, int, image_compare,
     (const struct image_source *a, const struct image_source *b, uint64_t n,
      struct image_difference *d, struct fault *f), (a, b, n, d, f))
WRAP(COMPARE, bool, image_all_same,
     (const struct image_source *const *s, size_t n, uint64_t b), (s, n, b))
WRAP(COUNT, uint64_t, source_classes_of, (const struct source_view *v), (v))
WRAP_VOID(COUNT, step_count,
     (const struct step_record *s, uint64_t built, struct stats *stats), (s, built, stats))
WRAP_VOID(GUIDE, guide_step, (struct guide *g, const struct guide_view *v), (g, v))
WRAP_VOID(ADOPT, output_end,
     (struct step_record *s, struct chain *c, size_t i, int side, bool read), (s, c, i, side, read))
// clang-format on

// --- what commands did, and doing it again -------------------------------------------------------

#define EXTENTS_MAX 256
#define FILES_MAX   8

struct kept_file {
    char name[64];
    off_t size;
    struct {
        off_t offset;
        size_t length;
        char *bytes;
    } extents[EXTENTS_MAX];
    size_t extent_count;
};

struct answer {
    struct exec_outcome outcome;
    struct kept_file files[FILES_MAX];
    size_t file_count;
};

#define ANSWERS_MAX 64
struct script {
    struct answer *answers[ANSWERS_MAX];
    size_t count, next;
};
static struct script *script; // of the case that runs
static bool live;

static void fail(const char *words) {
    fprintf(stderr, "loop_cost: %s\n", words);
    exit(1);
}

static void copy_outcome(struct exec_outcome *to, const struct exec_outcome *from) {
    struct buffer out = to->out, err = to->err;
    *to = *from;
    to->out = out;
    to->err = err;
    buffer_clear(&to->out);
    buffer_clear(&to->err);
    buffer_append(&to->out, from->out.data, from->out.length);
    buffer_append(&to->err, from->err.data, from->err.length);
}

static void keep_file(struct answer *answer, int folder, const char *name, off_t size) {
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || answer->file_count == FILES_MAX)
        fail("a command wrote what cannot be kept");
    struct kept_file *file = &answer->files[answer->file_count++];
    snprintf(file->name, sizeof file->name, "%s", name);
    file->size = size;
    for (off_t at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0;) {
        off_t end = lseek(fd, at, SEEK_HOLE);
        size_t i = file->extent_count++;
        if (i == EXTENTS_MAX)
            fail("a command wrote a file of too many extents");
        file->extents[i].offset = at;
        file->extents[i].length = (size_t)(end - at);
        file->extents[i].bytes = must_realloc(NULL, (size_t)(end - at));
        if (pread(fd, file->extents[i].bytes, (size_t)(end - at), at) != end - at)
            fail("what a command wrote cannot be read");
        at = end;
    }
    close(fd);
}

// Files that changed since `since`: those are the command's.
static void keep_files(struct answer *answer, const char *directory, struct timespec since) {
    DIR *folder = opendir(directory);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        struct stat info;
        if (fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) ||
            !S_ISREG(info.st_mode))
            continue;
        if (info.st_ctim.tv_sec > since.tv_sec ||
            (info.st_ctim.tv_sec == since.tv_sec && info.st_ctim.tv_nsec > since.tv_nsec))
            keep_file(answer, dirfd(folder), entry->d_name, info.st_size);
    }
    if (folder)
        closedir(folder);
}

static void put_files(const struct answer *answer, const char *directory) {
    char path[4096];
    for (size_t i = 0; i < answer->file_count; i++) {
        const struct kept_file *file = &answer->files[i];
        snprintf(path, sizeof path, "%s/%s", directory, file->name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        bool failed = fd < 0 || ftruncate(fd, file->size);
        for (size_t e = 0; !failed && e < file->extent_count; e++)
            failed = pwrite(fd, file->extents[e].bytes, file->extents[e].length,
                            file->extents[e].offset) != (ssize_t)file->extents[e].length;
        if (failed)
            fail("what a command wrote cannot be put back");
        close(fd);
    }
}

int __real_exec_run(struct exec *exec, const struct exec_command *command,
                    struct exec_outcome *outcome, struct fault *fault);
int __wrap_exec_run(struct exec *exec, const struct exec_command *command,
                    struct exec_outcome *outcome, struct fault *fault);

static int run_live(struct exec *exec, const struct exec_command *command,
                    struct exec_outcome *outcome, struct fault *fault) {
    enter(PHASE_EXEC);
    int status = __real_exec_run(exec, command, outcome, fault);
    leave();
    spent_ns[PHASE_TOOL] += outcome->wall_us * 1000;
    return status;
}

int __wrap_exec_run(struct exec *exec, const struct exec_command *command,
                    struct exec_outcome *outcome, struct fault *fault) {
    if (!script || live)
        return run_live(exec, command, outcome, fault);
    enter(PHASE_TOOL);
    if (script->next == script->count) {
        struct timespec before;
        // A file's times come from the coarse clock; what was built a moment ago must be older.
        nanosleep(&(struct timespec){0, 10000000}, NULL);
        clock_gettime(CLOCK_REALTIME_COARSE, &before);
        nanosleep(&(struct timespec){0, 10000000}, NULL);
        if (script->count == ANSWERS_MAX || __real_exec_run(exec, command, outcome, fault))
            fail("a command cannot be run");
        struct answer *answer = must_realloc(NULL, sizeof *answer);
        memset(answer, 0, sizeof *answer);
        copy_outcome(&answer->outcome, outcome);
        keep_files(answer, command->directory, before);
        script->answers[script->count++] = answer;
    } else {
        copy_outcome(outcome, &script->answers[script->next]->outcome);
        put_files(script->answers[script->next], command->directory);
    }
    script->next++;
    leave();
    return 0;
}

// --- rounds --------------------------------------------------------------------------------------

#define CASES_MAX  256
#define ROUNDS_MAX 10000
struct bench_case {
    uint8_t bytes[CASE_MAX_BYTES];
    size_t size;
    struct script script;
};
static struct bench_case cases[CASES_MAX];
static double rounds_us[PHASES_ALL + 1][ROUNDS_MAX]; // per case; the last one: without tools

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void run_case(struct harness *harness, struct bench_case *one) {
    struct fault fault = {0};
    char signature[SIGNATURE_ROOM];
    script = &one->script;
    script->next = 0;
    enter(PHASE_OTHER);
    int status = harness_run(harness, one->bytes, one->size, signature, &fault);
    leave();
    script = NULL;
    if (status < 0)
        fail(fault.text);
}

static void run_rounds(struct harness *harness, int rounds, size_t count) {
    // The first rounds warm up and, for a replay, keep the answers.
    for (int round = -2; round < rounds; round++) {
        memset(spent_ns, 0, sizeof spent_ns);
        for (size_t i = 0; i < count; i++)
            run_case(harness, &cases[i]);
        for (int p = 0; round >= 0 && p < PHASES_ALL; p++) {
            double us = (double)spent_ns[p] / 1000 / (double)count;
            rounds_us[p][round] = us;
            rounds_us[PHASES_ALL][round] += p == PHASE_TOOL || p == PHASE_EXEC ? 0 : us;
        }
    }
}

// The quickest tenth says what it costs where nobody else is at work.
static void print(int rounds, size_t count) {
    printf("%zu cases, %d rounds (%s): us a case\n%-40s %9s %9s\n", count, rounds,
           live ? "the tools ran" : "the tools' answers replayed", "", "median", "10 %");
    for (int p = 0; p <= PHASES_ALL; p++) {
        qsort(rounds_us[p], (size_t)rounds, sizeof **rounds_us, compare);
        printf("%-40s %9.1f %9.1f\n", p < PHASES_ALL ? phase_words[p] : "all but running tools",
               rounds_us[p][rounds / 2], rounds_us[p][rounds / 10]);
    }
}

int main(int argc, char **argv) {
    struct settings settings;
    struct harness *harness;
    struct fault fault = {0};
    bool unavailable;
    live = argc > 1 && strcmp(argv[1], "--live") == 0;
    argv += live;
    argc -= live;
    int rounds = argc > 2 ? atoi(argv[1]) : 0;
    size_t count = 0;
    if (rounds < 1 || rounds > ROUNDS_MAX || argc - 2 > CASES_MAX) {
        fprintf(stderr, "use: loop_cost [--live] ROUNDS CASE...\n");
        return EXIT_BAD_USE;
    }
    for (int i = 2; i < argc; i++) {
        struct testcase testcase;
        if (case_load(&testcase, argv[i], &fault))
            fail(fault.text);
        cases[count].size = case_encode(&testcase, cases[count].bytes);
        count++;
    }
    if (settings_read(&settings, &fault))
        fail(fault.text);
    settings.guided = true;
    if (harness_open(&harness, &settings, &unavailable, &fault))
        fail(fault.text);
    static uint8_t cells[GUIDE_CELLS];
    harness_guide(harness, cells);
    run_rounds(harness, rounds, count);
    print(rounds, count);
    harness_close(harness);
    return 0;
}
