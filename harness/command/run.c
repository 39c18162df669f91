// SPDX-License-Identifier: Apache-2.0
//
// run: the seeded loop, with the command line of instar's own scripts/differential-fuzz.py. Each
// iteration is a function of seed and iteration number alone, so one can be run by itself.
#include "command/command.h"

#include "command/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_EVERY 50

struct run {
    const char *instar, *workdir, *log_dir;
    const char *ops;
    uint32_t seed;
    bool seed_given, fail_fast;
    uint64_t iterations, duration_s;
    int64_t only; // iteration, or -1
    uint64_t timeout_s;
    // Results.
    uint64_t done, divergences, inconclusive;
    struct log log;
    struct harness *harness;
    cJSON *divergence_iterations;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
    (void)number;
    interrupted = 1;
}

static uint64_t next_random(uint64_t *state) { // splitmix64
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void random_bytes(uint64_t *state, uint8_t *to, size_t length) {
    for (size_t i = 0; i < length; i++)
        to[i] = (uint8_t)(next_random(state) >> 56);
}

// Bytes of iteration `number`: a random header, up to 8 writes, 2 to 4 operations.
static size_t generate(uint32_t seed, uint64_t number, uint8_t bytes[CASE_MAX_BYTES]) {
    uint64_t state = ((uint64_t)seed << 32) ^ (number * 0xd1342543de82ef95u);
    size_t writes = next_random(&state) % 9, operations = 2 + next_random(&state) % 3;
    size_t size = CASE_HEADER_BYTES + (writes + operations) * CASE_RECORD_BYTES;
    random_bytes(&state, bytes, size);
    bytes[0] = 1;
    for (size_t i = 0; i < writes + operations; i++)
        bytes[CASE_HEADER_BYTES + i * CASE_RECORD_BYTES] =
            i >= writes; // even: write, odd: operation
    return size;
}

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int write_json(const char *folder, const char *name, cJSON *tree, struct fault *fault) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = cJSON_Print(tree);
    FILE *file = fopen(path, "we");
    int status = 0;
    if (!file || fputs(text, file) < 0 || fputc('\n', file) < 0)
        status = fault_errno(fault, "%s", path);
    if (file && fclose(file) && status == 0)
        status = fault_errno(fault, "%s", path);
    free(text);
    return status;
}

static int report_divergence(struct run *run, uint64_t number, const char *signature,
                             const uint8_t *bytes, size_t size, struct fault *fault) {
    char name[64], stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    snprintf(name, sizeof name, "divergence-%u-%06llu.json", run->seed, (unsigned long long)number);
    struct testcase testcase;
    struct buffer text = {0};
    case_decode(&testcase, bytes, size);
    case_to_json(&testcase, &text);
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddNumberToObject(tree, "seed", run->seed);
    cJSON_AddNumberToObject(tree, "iteration", (double)number);
    cJSON_AddItemToObject(tree, "attributes", cJSON_ParseWithLength(text.data, text.length));
    cJSON *divergence = cJSON_AddObjectToObject(tree, "divergence");
    char type[SIGNATURE_ROOM];
    snprintf(type, sizeof type, "%s", signature);
    type[strcspn(type, "-")] = 0;
    cJSON_AddStringToObject(divergence, "type", type);
    cJSON_AddStringToObject(divergence, "signature", signature);
    cJSON_AddNumberToObject(divergence, "iteration", (double)number);
    cJSON_AddStringToObject(tree, "timestamp", stamp);
    int status = write_json(run->log_dir, name, tree, fault);
    cJSON_Delete(tree);
    buffer_free(&text);
    log_line(&run->log, "ERROR", "DIVERGENCE at iteration %llu: %s (report: %s/%s)",
             (unsigned long long)number, type, run->log_dir, name);
    return status;
}

static int iterate(struct run *run, uint64_t number, struct fault *fault) {
    uint8_t bytes[CASE_MAX_BYTES];
    char signature[SIGNATURE_ROOM];
    size_t size = generate(run->seed, number, bytes);
    uint64_t before = harness_stats(run->harness)->verdicts[VERDICT_INCONCLUSIVE];
    int status = harness_run(run->harness, bytes, size, signature, fault);
    if (status < 0)
        return -1;
    run->done++;
    if (harness_stats(run->harness)->verdicts[VERDICT_INCONCLUSIVE] != before)
        run->inconclusive++;
    if (status != HARNESS_NEW)
        return 0;
    run->divergences++;
    cJSON_AddItemToArray(run->divergence_iterations, cJSON_CreateNumber((double)number));
    return report_divergence(run, number, signature, bytes, size, fault);
}

static void progress(struct run *run, uint64_t start) {
    double seconds = (double)(now_ms() - start) / 1000.0;
    log_line(&run->log, "INFO",
             "Iteration %llu/%llu (%.2f iter/s, %llu divergences, %llu inconclusive)",
             (unsigned long long)run->done, (unsigned long long)run->iterations,
             seconds > 0 ? (double)run->done / seconds : 0.0, (unsigned long long)run->divergences,
             (unsigned long long)run->inconclusive);
}

static int loop(struct run *run, uint64_t start, struct fault *fault) {
    uint64_t first = run->only >= 0 ? (uint64_t)run->only : 0;
    uint64_t end = run->only >= 0 ? first + 1 : run->iterations;
    for (uint64_t i = first; i < end && !interrupted; i++) {
        if (run->duration_s && now_ms() - start >= run->duration_s * 1000)
            break;
        if (iterate(run, i, fault))
            return -1;
        if (run->done % PROGRESS_EVERY == 0)
            progress(run, start);
        if (run->divergences && run->fail_fast)
            break;
    }
    return 0;
}

static int summarize(struct run *run, uint64_t start, struct fault *fault) {
    char name[64];
    double seconds = (double)(now_ms() - start) / 1000.0;
    snprintf(name, sizeof name, "summary-%u.json", run->seed);
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddNumberToObject(tree, "seed", run->seed);
    cJSON_AddNumberToObject(tree, "iterations", (double)run->iterations);
    cJSON_AddNumberToObject(tree, "iterations_completed", (double)run->done);
    cJSON_AddNumberToObject(tree, "elapsed_seconds", (double)(uint64_t)(seconds * 10) / 10);
    cJSON_AddNumberToObject(tree, "divergences_found", (double)run->divergences);
    cJSON_AddItemReferenceToObject(tree, "divergence_iterations", run->divergence_iterations);
    cJSON_AddNumberToObject(tree, "inconclusive_count", (double)run->inconclusive);
    int status = write_json(run->log_dir, name, tree, fault);
    cJSON_Delete(tree);
    log_line(&run->log, "INFO", "Fuzzing complete: %llu iterations in %.1fs (%.2f iter/s)",
             (unsigned long long)run->done, seconds,
             seconds > 0 ? (double)run->done / seconds : 0.0);
    log_line(&run->log, "INFO", "Divergences found: %llu", (unsigned long long)run->divergences);
    log_line(&run->log, "INFO", "Summary written to %s/%s", run->log_dir, name);
    return status;
}

static bool read_number(const char *text, uint64_t limit, uint64_t *value) {
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *value <= limit;
}

struct option {
    const char *name;
    const char **text;
    uint64_t *number;
    uint64_t limit;
    bool *flag;
};

static int read_options(const struct command *command, struct run *run, int argc, char **argv) {
    uint64_t seed = 0, only = UINT64_MAX;
    const struct option options[] = {
        {"--instar", &run->instar, NULL, 0, NULL},
        {"--workdir", &run->workdir, NULL, 0, NULL},
        {"--log-dir", &run->log_dir, NULL, 0, NULL},
        {"--ops", &run->ops, NULL, 0, NULL},
        {"--iterations", NULL, &run->iterations, 1ull << 40, NULL},
        {"--seed", NULL, &seed, UINT32_MAX, NULL},
        {"--timeout", NULL, &run->timeout_s, 3600, NULL},
        {"--duration", NULL, &run->duration_s, 1ull << 32, NULL},
        {"--only", NULL, &only, 1ull << 40, NULL},
        {"--fail-fast", NULL, NULL, 0, &run->fail_fast},
    };
    for (int i = 1; i < argc; i++) {
        const struct option *option = NULL;
        for (size_t o = 0; o < sizeof options / sizeof *options; o++)
            if (!strcmp(options[o].name, argv[i]))
                option = &options[o];
        if (!option)
            return command_complain(command, "unknown option %s", argv[i]);
        if (option->flag) {
            *option->flag = true;
            continue;
        }
        if (++i == argc)
            return command_complain(command, "%s needs a value", option->name);
        if (option->text)
            *option->text = argv[i];
        else if (!read_number(argv[i], option->limit, option->number))
            return command_complain(command, "%s %s: expected a number up to %llu", option->name,
                                    argv[i], (unsigned long long)option->limit);
        run->seed_given |= option->number == &seed;
    }
    if (!run->seed_given && getrandom(&seed, 4, 0) != 4)
        seed = (uint64_t)time(NULL);
    run->seed = (uint32_t)seed;
    run->only = only == UINT64_MAX ? -1 : (int64_t)only;
    return 0;
}

// The script's flags and our variables are two ways to say one thing.
static int apply_options(const struct command *command, struct run *run,
                         struct settings *settings) {
    if (run->instar)
        setenv("INSTAR", run->instar, 1);
    if (run->ops)
        setenv("INSTAR_FUZZ_OPS", run->ops, 1);
    if (run->workdir)
        setenv("INSTAR_FUZZ_WORK", run->workdir, 1);
    if (!getenv("INSTAR_FUZZ_OUT"))
        setenv("INSTAR_FUZZ_OUT", run->log_dir, 1);
    if (run->timeout_s) {
        char text[24];
        snprintf(text, sizeof text, "%llu", (unsigned long long)run->timeout_s * 20 * 1000);
        setenv("INSTAR_FUZZ_CASE_MS", text, 1);
    }
    if (mkdir(run->log_dir, 0777) && errno != EEXIST)
        return command_complain(command, "%s: %s", run->log_dir, strerror(errno));
    return command_open(command, settings, &run->harness);
}

static void announce(struct run *run) {
    struct buffer words = {0};
    harness_announce(run->harness, &words);
    log_line(&run->log, "INFO", "Differential fuzzing started");
    log_line(&run->log, "INFO", "  seed: %u", run->seed);
    log_line(&run->log, "INFO", "  iterations: %llu", (unsigned long long)run->iterations);
    for (char *save, *line = strtok_r(words.data, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        log_line(&run->log, "INFO", "  tools: %s", line);
    log_line(&run->log, "INFO", "  log file: %s", run->log.path);
    buffer_free(&words);
}

static int run_loop(const struct command *command, int argc, char **argv) {
    struct run run = {.iterations = 1000, .log_dir = "./fuzz-logs"};
    struct settings settings;
    struct fault fault = {0};
    int status = read_options(command, &run, argc, argv);
    if (status == 0)
        status = apply_options(command, &run, &settings);
    if (status)
        return status;
    if (log_open(&run.log, run.log_dir, run.seed, &fault)) {
        harness_close(run.harness);
        return command_complain(command, "%s", fault.text);
    }
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    run.divergence_iterations = cJSON_CreateArray();
    announce(&run);
    uint64_t start = now_ms();
    status = loop(&run, start, &fault);
    if (status)
        log_line(&run.log, "ERROR", "harness error: %s", fault.text);
    if (summarize(&run, start, &fault) && status == 0)
        status = command_complain(command, "%s", fault.text);
    harness_close(run.harness);
    cJSON_Delete(run.divergence_iterations);
    log_close(&run.log);
    if (status)
        return EXIT_BAD_USE;
    if (run.divergences)
        fprintf(stderr, "FAILED: %llu divergence(s) found. See %s for details.\n",
                (unsigned long long)run.divergences, run.log_dir);
    else
        printf("PASSED: %llu iterations, 0 divergences. Seed: %u\n", (unsigned long long)run.done,
               run.seed);
    return run.divergences ? EXIT_FOUND : EXIT_NONE;
}

const struct command command_run = {
    "run",
    "[OPTION...]",
    "the seeded loop, no engine needed",
    "  --instar PATH      as INSTAR=\n"
    "  --iterations N     1000\n"
    "  --duration S       stop after S seconds\n"
    "  --seed N           32 bits; random if not given, and said\n"
    "  --only N           iteration N alone\n"
    "  --ops A,B          as INSTAR_FUZZ_OPS=\n"
    "  --timeout S        seconds for one command; the case's budget is twenty times that\n"
    "  --workdir DIR      as INSTAR_FUZZ_WORK=\n"
    "  --log-dir DIR      ./fuzz-logs: log, divergence and summary files, and INSTAR_FUZZ_OUT if\n"
    "                     that is not set\n"
    "  --fail-fast        stop at the first divergence\n"
    "A signature that the log folder has seen is counted, not reported again.\n"
    "exit: 0 no new divergence; 1 found; 2 bad use or harness error; 3 a tool is unavailable\n",
    run_loop,
};
