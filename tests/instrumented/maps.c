// SPDX-License-Identifier: Apache-2.0
//
// Does an instrumented qemu-img count the same for the same command? An engine that is guided by
// counters which vary keeps cases for nothing and loses the ones that matter. Each command is run
// many times, as the harness runs it and by plain execution, and its whole map compared with that
// of the first run. What ci/instrumented-qemu-img asks of a program before it puts it in place.
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

static struct workdir workdir;
static struct tool_room room = {.workdir = &workdir, .deadline_ms = DEADLINE_MS};
static struct tool tool;
static struct material material;
static struct exec_outcome outcome;
static uint8_t first[COVERAGE_COUNTERS], again[COVERAGE_COUNTERS];
static unsigned commands, differences;

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

static int count(const struct tool_call *call, uint8_t *counters, struct fault *fault) {
    char path[320];
    coverage_map_begin(workdir.map, tool.edges);
    if (tool_run(&tool, call, &room, &outcome, fault))
        return -1;
    coverage_map_read(workdir.map, counters, tool.edges);
    commands++;
    if (outcome.end != EXEC_EXITED)
        return fault_set(fault, "%s of %s does not end by itself", operation_names[call->op],
                         call->input);
    snprintf(path, sizeof path, "%s/%s", workdir.case_path, call->output ? call->output : "none");
    unlink(path);
    return 0;
}

// How many of the runs count other than the first, and how many edges that took.
static int repeat(const struct tool_call *call, unsigned runs, unsigned *others, unsigned *hit,
                  struct fault *fault) {
    *others = *hit = 0;
    // Once for nothing: a warm process counts its start with its first command.
    if (count(call, first, fault) || count(call, first, fault))
        return -1;
    for (unsigned i = 1; i < runs; i++) {
        if (count(call, again, fault))
            return -1;
        *others += memcmp(first, again, tool.edges) != 0;
    }
    for (uint32_t edge = 0; edge < tool.edges; edge++)
        *hit += first[edge] != 0;
    return 0;
}

static int try_call(size_t index, unsigned runs, struct fault *fault) {
    static const enum exec_backend backends[] = {EXEC_OPTIONS, EXEC_PLAIN};
    unsigned others[2], hit[2];
    const struct tool_call call = {.op = calls[index].op,
                                   .input = material.name,
                                   .input_format = material.truth.format,
                                   .output = operation_writes(calls[index].op) ? "out" : NULL,
                                   .target = calls[index].target};
    for (int i = 0; i < 2; i++) {
        tool.backend = backends[i];
        if (repeat(&call, i ? (runs + PLAIN_SHARE - 1) / PLAIN_SHARE : runs, &others[i], &hit[i],
                   fault))
            return -1;
        differences += others[i];
    }
    printf("%-6s %-19s %-6s %5u and %5u edges hit; other maps: %u and %u\n",
           image_driver(call.input_format)->name, operation_names[call.op],
           operation_has_target(call.op) ? image_driver(call.target)->name : "", hit[0], hit[1],
           others[0], others[1]);
    return 0;
}

static int try_all(unsigned runs, struct fault *fault) {
    printf("Each command %u times from a warm process, and a fifth as often by plain execution\n",
           runs);
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        if (build((enum image_format)format, fault))
            return -1;
        for (size_t i = 0; i < CALLS; i++)
            if (try_call(i, runs, fault))
                return -1;
    }
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
