// SPDX-License-Identifier: Apache-2.0
//
// coverage: which code of qemu-img do the cases of a corpus reach? Each case is run once more, with
// the instrumented qemu-img beside the pair; nothing is judged, remembered or reported. Workers of
// triage's pool do it, so that a case that ends the harness ends no more than itself.
#include "command/edges.h"
#include "command/interrupt.h"
#include "command/triage.h"

#include "coverage.h"
#include "exec/clock.h"
#include "exec/coverage_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PLAIN_CASES  100 // fewer are over before the self-test of anything faster would be
#define PATIENCE     20  // budgets of a case after which its worker is ended
#define MOST_SECONDS (7u * 86400)

struct counting {
    const struct command *command;
    // Command line.
    bool json;
    const char *out;
    unsigned seconds, jobs;
    // What it came to.
    struct settings settings;
    struct harness *harness;
    uint8_t *reached; // COVERAGE_COUNTERS
    struct coverage_result result;
};

// --- running ------------------------------------------------------------------------------------

static void ask(void *context, size_t job, struct triage_request *request) {
    const struct counting *c = context;
    const struct coverage_case *item = &c->result.cases.items[job];
    request->kind = TRIAGE_COUNT;
    request->size = item->size;
    memcpy(request->bytes, item->bytes, item->size);
}

static void told(void *context, size_t job, const struct triage_answer *answer, const char *death) {
    struct counting *c = context;
    (void)job;
    c->result.run++;
    if ((!answer || answer->error) && !c->result.failed++)
        snprintf(c->result.failure, sizeof c->result.failure, "%s%s",
                 answer ? "" : "it ended the harness: ", answer ? answer->fault : death);
}

static void progress(void *context, size_t done) {
    const struct counting *c = context;
    fprintf(stderr, "instar-fuzz coverage: %zu of %zu cases\n", done, c->result.cases.count);
}

static int run_cases(struct counting *c, struct fault *fault) {
    struct triage_pool pool = {.settings = &c->settings,
                               .harness = c->harness,
                               .jobs = c->jobs,
                               .reached = c->reached,
                               .interrupted = &interrupted};
    const struct triage_work work = {.context = c,
                                     .count = c->result.cases.count,
                                     .ask = ask,
                                     .told = told,
                                     .progress = progress,
                                     .limit_ms = c->settings.case_ms * PATIENCE};
    uint64_t begun_us = clock_us();
    if (c->seconds)
        interrupt_after(c->seconds);
    int status = triage_pool_run(&pool, &work, fault);
    triage_pool_end(&pool);
    c->result.took_s = (clock_us() - begun_us + 500000) / 1000000;
    c->result.ended_by = c->result.run < c->result.cases.count ? (int)interrupted : 0;
    return status;
}

// --- before and after ---------------------------------------------------------------------------

static int open_tools(struct counting *c, struct fault *fault) {
    char path[4200];
    struct buffer words = {0};
    if (c->settings.exec == TOOL_EXEC_AUTO && c->result.cases.count < PLAIN_CASES)
        c->settings.exec = TOOL_EXEC_PLAIN;
    int status = command_open_with(c->command, &c->settings, &c->harness);
    if (status)
        return status;
    c->result.program = &harness_coverage(c->harness)->tool;
    snprintf(path, sizeof path, "%s.edges", c->result.program->path);
    if (edges_read(&c->result.edges, path, c->result.program->edges, fault))
        return command_complain(c->command, "%s", fault->text);
    coverage_announce(harness_coverage(c->harness), (const struct tool[SIDES]){0}, &words);
    fputs(words.data, stderr);
    buffer_free(&words);
    return 0;
}

static int write_result(const struct counting *c, struct fault *fault) {
    cJSON *tree = coverage_json(&c->result);
    char *printed = cJSON_Print(tree);
    struct buffer json = {0}, table = {0};
    buffer_format(&json, "%s\n", printed);
    coverage_table(&c->result, &table);
    int status = c->out ? command_write_file(c->out, json.data, json.length, fault) : 0;
    if (!c->json || !c->out)
        fputs(c->json ? json.data : table.data, stdout);
    if (status == 0 && (fflush(stdout) || ferror(stdout)))
        status = fault_set(fault, "the answer could not be written to stdout");
    buffer_free(&json);
    buffer_free(&table);
    free(printed);
    cJSON_Delete(tree);
    return status;
}

// All that is wrong with the command line is said before any case runs.
static int count(struct counting *c, struct fault *fault) {
    struct coverage_result *result = &c->result;
    if (settings_read(&c->settings, fault) ||
        coverage_collect(&result->cases, result->paths, result->path_count, fault))
        return command_complain(c->command, "%s", fault->text);
    if (!c->settings.qemu_img_cov)
        return command_complain(c->command, "QEMU_IMG_COV names no instrumented qemu-img "
                                            "(`make instrumented-qemu-img` builds one)");
    if (!result->cases.count)
        return command_complain(c->command, "no case in %s%s%s%s", result->paths[0],
                                result->path_count > 1 ? " and the others" : "",
                                result->cases.unreadable ? ": " : "", result->cases.fault.text);
    c->settings.out = c->settings.seen = NULL;
    c->settings.guided = true;
    c->settings.guide = GUIDE_ALL;
    interrupt_catch();
    int status = open_tools(c, fault);
    if (status)
        return status;
    if (run_cases(c, fault))
        return command_complain(c->command, "%s", fault->text);
    if (!result->run) {
        status = command_complain(c->command, "it ended before a case was run; nothing is written");
        return result->ended_by == SIGALRM ? status : 128 + result->ended_by;
    }
    result->made_s = (uint64_t)time(NULL);
    edges_count(&result->edges, c->reached);
    if (write_result(c, fault))
        return command_complain(c->command, "%s", fault->text);
    if (result->ended_by && result->ended_by != SIGALRM)
        return 128 + result->ended_by;
    return result->failed && result->failed == result->run ? EXIT_BAD_USE : EXIT_NONE;
}

// --- the command --------------------------------------------------------------------------------

static int read_options(struct counting *c, int argc, char **argv) {
    int status = 0, paths = 0;
    for (int i = 1; i < argc && status == 0; i++) {
        const char *name = argv[i];
        if (!strcmp(name, "--json"))
            c->json = true;
        else if (!strcmp(name, "--time"))
            status = command_number(c->command, name, command_value(c->command, argv, &i),
                                    MOST_SECONDS, &c->seconds);
        else if (!strcmp(name, "--jobs"))
            status = command_number(c->command, name, command_value(c->command, argv, &i),
                                    TRIAGE_MOST_JOBS, &c->jobs);
        else if (!strcmp(name, "--out"))
            status = (c->out = command_value(c->command, argv, &i)) ? 0 : EXIT_BAD_USE;
        else if (name[0] == '-')
            return command_complain(c->command, "unknown argument %s", name);
        else
            argv[paths++] = argv[i];
    }
    if (status == 0 && !paths)
        status = command_complain(c->command, "no folder of cases given");
    if (c->out && !strcmp(c->out, "-")) {
        c->json = true;
        c->out = NULL;
    }
    c->result.paths = argv;
    c->result.path_count = paths;
    return status;
}

static int coverage(const struct command *command, int argc, char **argv) {
    static struct counting c;
    struct fault fault = {0};
    c.command = command;
    c.jobs = triage_cores();
    int status = read_options(&c, argc, argv);
    if (status)
        return status;
    c.reached =
        mmap(NULL, COVERAGE_COUNTERS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c.reached == MAP_FAILED)
        return command_complain(command, "there is no memory for the counters");
    status = count(&c, &fault);
    edges_free(&c.result.edges);
    harness_close(c.harness);
    return status;
}

const struct command command_coverage = {
    "coverage",
    "[--json] [--out FILE] [--time SECONDS] [--jobs N] FOLDER...",
    "which code of qemu-img the cases of a corpus reach, by block driver",
    "Every case of the folders (an AFL++ queue, a libFuzzer corpus; files are taken, too) is run\n"
    "once more, with the instrumented qemu-img that QEMU_IMG_COV names; equal ones once. Folders "
    "in\n"
    "a folder are not read.\n"
    "  --out FILE      the JSON that a campaign's page shows as <campaign>/coverage.json; it "
    "appears\n"
    "                  whole, in the place of an older one; -: stdout\n"
    "  --json          no table: the same on stdout, or with --out in the file alone\n"
    "  --time SECONDS  ends it after so many seconds of running cases, the tools' self-test not\n"
    "                  counted; what was run by then is a sample of all\n"
    "  --jobs N        cases at a time; not given: as many as there are cores\n"
    "exit: 0; 2 bad use, a folder or a table of edges that cannot be read, or no case that ran;\n"
    "3 a tool is unavailable; 128 + signal: interrupted, with the result of what had run\n",
    coverage,
};
