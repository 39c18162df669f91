// SPDX-License-Identifier: Apache-2.0
//
// Does an instrumented qemu-img count the same for the same command? An engine that is guided by
// counters which vary keeps cases for nothing and loses the ones that matter. Each command is run
// many times, by each back end, in turn with others, and its whole map compared with that of the
// first run. What ci/instrumented-qemu-img asks of a program before it puts it in place.
//
//   soak_maps PROGRAM [RUNS]
//
// Exit: 0 no map differs, 1 some do, 2 it could not be run.
#include "exec/coverage_map.h"
#include "materialize.h"
#include "testcase/testcase.h"
#include "tool/tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_MS 20000
#define RUNS        100
#define PLAIN_SHARE 5 // so much rarer: it is slow

static const struct {
    enum operation op;
    enum image_format target;
} calls[] = {
    {OP_INFO, IMAGE_FORMATS}, {OP_CHECK, IMAGE_FORMATS}, {OP_MEASURE, IMAGE_QCOW2},
    {OP_CONVERT, IMAGE_RAW},  {OP_CONVERT, IMAGE_QCOW2}, {OP_CONVERT, IMAGE_VMDK},
    {OP_CONVERT, IMAGE_VPC},  {OP_CONVERT, IMAGE_VHDX},  {OP_CONVERT_COMPRESSED, IMAGE_QCOW2},
};
#define CALLS (sizeof calls / sizeof *calls)

// A command from a warm process has not the start of one in its map.
static const enum exec_backend backends[] = {EXEC_OPTIONS, EXEC_PERSISTENT, EXEC_PLAIN};
#define BACKENDS (sizeof backends / sizeof *backends)

static struct workdir workdir;
static struct tool_room room = {.workdir = &workdir, .deadline_ms = DEADLINE_MS};
static struct tool tool;
static struct material material;
static struct exec_outcome outcome;
static uint8_t warm[CALLS][COVERAGE_COUNTERS], plain[CALLS][COVERAGE_COUNTERS];
static uint8_t again[COVERAGE_COUNTERS];
static unsigned commands, differences, others[CALLS][BACKENDS];

static int build(enum image_format format, struct fault *fault) {
    static struct testcase testcase;
    char text[512];
    snprintf(text, sizeof text,
             "{\"format\": \"%s\", \"virtual_size\": 4194304, \"writes\": ["
             "{\"pattern\": \"noise\", \"offset_bytes\": 70000, \"length_bytes\": 60000}, "
             "{\"pattern\": \"noise\", \"offset_bytes\": 3000000, \"length_bytes\": 65536}]}",
             image_driver(format)->name);
    return case_from_json(&testcase, text, fault) || workdir_clear_case(&workdir, fault) ||
           material_build(&material, &testcase, workdir.case_path, fault);
}

static int count(size_t index, enum exec_backend backend, uint8_t *counters, struct fault *fault) {
    const struct tool_call call = {.op = calls[index].op,
                                   .input = material.name,
                                   .input_format = material.truth.format,
                                   .output = operation_writes(calls[index].op) ? "out" : NULL,
                                   .target = calls[index].target};
    char path[320];
    struct coverage_header header;
    tool.backend = backend;
    snprintf(path, sizeof path, "%s/%s", workdir.case_path, call.output ? call.output : "none");
    do { // again where a warm process was started for it, whose start is counted with it
        coverage_map_begin(workdir.map, tool.edges);
        if (tool_run(&tool, &call, &room, &outcome, fault))
            return -1;
        unlink(path);
        commands++;
    } while (backend != EXEC_PLAIN && coverage_map_seen(workdir.map, &header));
    coverage_map_read(workdir.map, counters, tool.edges);
    return outcome.end == EXEC_EXITED ? 0
                                      : fault_set(fault, "%s of %s does not end by itself",
                                                  operation_names[call.op], call.input);
}

// Every command once, so that a worker which does them all has another past each time.
static int try_round(bool with_plain, struct fault *fault) {
    for (size_t i = 0; i < CALLS; i++)
        for (size_t j = 0; j < BACKENDS; j++) {
            bool afresh = backends[j] == EXEC_PLAIN;
            if (afresh && !with_plain)
                continue;
            if (count(i, backends[j], again, fault))
                return -1;
            others[i][j] += memcmp(afresh ? plain[i] : warm[i], again, tool.edges) != 0;
        }
    return 0;
}

static unsigned hit(const uint8_t *counters) {
    unsigned edges = 0;
    for (uint32_t edge = 0; edge < tool.edges; edge++)
        edges += counters[edge] != 0;
    return edges;
}

static void show(size_t index) {
    printf("%-6s %-19s %-6s %5u edges hit, by plain execution %5u; other maps: %u %u %u\n",
           image_driver(material.truth.format)->name, operation_names[calls[index].op],
           operation_has_target(calls[index].op) ? image_driver(calls[index].target)->name : "",
           hit(warm[index]), hit(plain[index]), others[index][0], others[index][1],
           others[index][2]);
    for (size_t j = 0; j < BACKENDS; j++)
        differences += others[index][j];
}

static int try_format(enum image_format format, unsigned runs, struct fault *fault) {
    memset(others, 0, sizeof others);
    if (build(format, fault))
        return -1;
    for (size_t i = 0; i < CALLS; i++)
        if (count(i, EXEC_OPTIONS, warm[i], fault) || count(i, EXEC_PLAIN, plain[i], fault))
            return -1;
    for (unsigned round = 0; round < runs; round++)
        if (try_round(round % PLAIN_SHARE == 0, fault))
            return -1;
    for (size_t i = 0; i < CALLS; i++)
        show(i);
    return 0;
}

static int try_all(unsigned runs, struct fault *fault) {
    printf("Each command %u times forked, %u times in a persistent worker and a fifth as often by "
           "plain execution\n",
           runs, runs);
    for (int format = 0; format < IMAGE_FORMATS; format++)
        if (try_format((enum image_format)format, runs, fault))
            return -1;
    printf("%u commands, %u edges in all: %u maps differ from the first of their command\n",
           commands, tool.edges, differences);
    return 0;
}

static int open_all(const char *program, struct fault *fault) {
    char launcher[4096], path[4096];
    if (!realpath(program, path))
        return fault_errno(fault, "%s", program);
    if (exec_find_beside("launcher", launcher, sizeof launcher, fault) ||
        workdir_create(&workdir, NULL, fault) ||
        exec_start(&room.exec, launcher, workdir.path, fault) ||
        tool_probe(&tool, path, TOOL_QEMU_IMG, &room, fault))
        return -1;
    if (!tool.available)
        return fault_set(fault, "%s", tool.why_not);
    return tool.edges ? 0 : fault_set(fault, "%s counts nothing", program);
}

int main(int argc, char **argv) {
    struct fault fault = {0};
    unsigned runs = argc > 2 ? (unsigned)atoi(argv[2]) : RUNS;
    if (argc < 2 || argc > 3 || runs < 2) {
        fputs("usage: soak_maps PROGRAM [RUNS, from 2]\n", stderr);
        return 2;
    }
    int failed = open_all(argv[1], &fault) || try_all(runs, &fault);
    exec_stop(room.exec);
    if (workdir.path[0])
        workdir_remove(&workdir);
    if (failed)
        fprintf(stderr, "soak_maps: %s\n", fault.text);
    return failed ? 2 : differences != 0;
}
