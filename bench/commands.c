// SPDX-License-Identifier: Apache-2.0
//
// What one command costs: each operation on a qcow2 disk of 2 MiB, by each tool of the default
// pair, through each back end, timed from the harness's side (request, run, captured output,
// result).
#include "bench.h"

#include "exec/clock.h"
#include "tool/adapter.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COMMANDS_SOURCE "qcow2-2m-half-to-qcow2" // the case that builds the disk
#define COMMANDS_TURNS  4                        // in a round

// Either a call, or words for qemu-img alone.
struct command_row {
    const char *name;
    struct tool_call call;
    const char *words[8];
};

// Compare reads what the convert to raw wrote just before.
static const struct command_row rows[] = {
    {"--version", {.op = TOOL_OPERATIONS}, {"--version"}},
    {"info", {.op = OP_INFO}, {NULL}},
    {"check", {.op = OP_CHECK}, {NULL}},
    {"measure -O qcow2", {.op = OP_MEASURE, .target = IMAGE_QCOW2}, {NULL}},
    {"convert -O raw", {.op = OP_CONVERT, .target = IMAGE_RAW, .output = "bench.raw"}, {NULL}},
    {"compare",
     {.op = TOOL_OPERATIONS},
     {"compare", "-f", "qcow2", "-F", "raw", "src.qcow2", "bench.raw"}},
    {"convert -O qcow2",
     {.op = OP_CONVERT, .target = IMAGE_QCOW2, .output = "bench.qcow2"},
     {NULL}},
    {"convert -c -O qcow2",
     {.op = OP_CONVERT_COMPRESSED, .target = IMAGE_QCOW2, .output = "bench.compressed"},
     {NULL}},
};
#define ROWS (sizeof rows / sizeof *rows)

static bool row_fits(const struct command_row *row, const struct tool *tool) {
    return !row->words[0] || tool->kind == TOOL_QEMU_IMG || !row->words[1];
}

static void row_argv(const struct command_row *row, const struct tool *tool,
                     struct tool_argv *argv) {
    struct tool_call call = row->call;
    call.input = "src.qcow2";
    call.input_format = IMAGE_QCOW2;
    if (!row->words[0]) {
        tool_argv_build(tool, &call, argv);
        return;
    }
    *argv = (struct tool_argv){0};
    tool_argv_add(argv, tool_adapter(tool->kind)->program);
    for (size_t i = 0; row->words[i]; i++)
        tool_argv_add(argv, row->words[i]);
}

static int remove_output(const struct command_row *row, const struct tool_room *room) {
    char path[4096];
    if (!row->call.output)
        return 0;
    snprintf(path, sizeof path, "%s/%s", room->workdir->case_path, row->call.output);
    return unlink(path);
}

static int say_ended(const struct exec_outcome *outcome, const struct command_row *row,
                     const struct contender *contender, const struct tool *tool,
                     struct fault *fault) {
    struct buffer words = {0};
    exec_outcome_words(outcome, &words);
    fault_set(fault, "%s %s (%s): %s. %s", tool->name, row->name, contender->backend, words.data,
              outcome->err.length ? outcome->err.data : "It says nothing.");
    buffer_free(&words);
    return -1;
}

static int run_row(struct bench *bench, const struct command_row *row,
                   const struct contender *contender, int side, struct fault *fault) {
    static struct exec_outcome outcome;
    const struct tool *tool = harness_tool(contender->harness, side);
    struct tool_room *room = harness_room(contender->harness);
    struct tool_argv argv;
    if (!row_fits(row, tool))
        return 0;
    row_argv(row, tool, &argv);
    remove_output(row, room);
    uint64_t start = clock_us();
    if (tool_run_argv(tool, &argv, room, &outcome, fault))
        return -1;
    uint64_t us = clock_us() - start;
    if (outcome.end != EXEC_EXITED || outcome.value != 0)
        return say_ended(&outcome, row, contender, tool, fault);
    figure_add(
        figures_at(&bench->figures, "us", "%s/%s/%s", row->name, tool->role, contender->backend),
        (double)us);
    return 0;
}

static int run_round(struct bench *bench, const struct bench_case *source,
                     struct contenders *contenders, unsigned round, struct fault *fault) {
    for (size_t c = 0; c < contenders->count; c++)
        if (contender_run(&contenders->items[c], source, fault))
            return -1;
    for (size_t turn = 0; turn < COMMANDS_TURNS; turn++)
        for (size_t r = 0; r < ROWS; r++)
            for (int side = 0; side < SIDES; side++)
                for (size_t c = 0; c < contenders->count; c++) {
                    // Who comes first pays for the caches that another command left behind.
                    size_t next = (c + turn + round) % contenders->count;
                    if (run_row(bench, &rows[r], &contenders->items[next], side, fault))
                        return -1;
                }
    return 0;
}

static void print_tool(struct bench *bench, const struct contenders *contenders, int side) {
    const struct tool *tool = harness_tool(contenders->items[0].harness, side);
    printf("\n%-26s", tool->name);
    for (size_t c = 0; c < contenders->count; c++)
        printf(c ? " %12s us" : "%12s us", contenders->items[c].backend);
    printf("\n");
    for (size_t r = 0; r < ROWS; r++) {
        if (!row_fits(&rows[r], tool))
            continue;
        printf("  %-24s", rows[r].name);
        for (size_t c = 0; c < contenders->count; c++) {
            const char *plain = contenders->items[0].backend;
            struct figure figure = *figures_at(&bench->figures, "us", "%s/%s/%s", rows[r].name,
                                               tool->role, contenders->items[c].backend);
            struct figure first =
                *figures_at(&bench->figures, "us", "%s/%s/%s", rows[r].name, tool->role, plain);
            printf("%8.0f", figure_median(&figure));
            if (c)
                printf(" x%-6.2f", figure_ratio(&first, &figure));
            else
                printf("        ");
        }
        printf("\n");
    }
}

int bench_commands(struct bench *bench, struct fault *fault) {
    static const char *const pairs[] = {"auto", NULL};
    static struct contenders contenders;
    const struct bench_case *source = NULL;
    for (size_t i = 0; i < bench->case_count; i++)
        if (strcmp(bench->cases[i].name, COMMANDS_SOURCE) == 0)
            source = &bench->cases[i];
    if (!source)
        return fault_set(fault, "the case %s is missing", COMMANDS_SOURCE);
    if (contenders_open(&contenders, pairs, fault))
        return -1;
    int status = 0;
    for (unsigned round = 0; round < bench->rounds && !status; round++) {
        status = run_round(bench, source, &contenders, round, fault);
        if (!status && !round)
            facts_of(bench, &contenders.items[0]);
    }
    if (!status)
        for (int side = 0; side < SIDES; side++)
            print_tool(bench, &contenders, side);
    contenders_close(&contenders);
    return status;
}
