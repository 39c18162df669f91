// SPDX-License-Identifier: Apache-2.0
//
// Running the instrumented qemu-img, and reading what instrumented programs have counted. A command
// that was cut off counts for nothing: how far it came is a matter of time.
#include "coverage.h"

#include "exec/clock.h"
#include "exec/coverage_map.h"
#include "output.h"

#include <stdio.h>
#include <string.h>

#define FOLLOWED SIDE_B // the reference's side: where there is a qemu-img, one is there

// Where the counters of each program begin in the engine's region, so that the same number does not
// mean two things where one program counts. qemu-img 7.2 has 17,000 edges: of two that are as large
// some cells mean two things, and in AFL++'s map, which is smaller, of any two (afl.c).
static const size_t first_cells[SIDES + 1] = {
    [SIDE_A] = GUIDE_COVERAGE_CELLS / 2,
    [SIDE_B] = GUIDE_COVERAGE_CELLS / 4 * 3,
    [SIDES] = 0, // the program beside the pair
};

int coverage_find(struct coverage *coverage, const struct settings *settings,
                  struct tool_room *room, bool *unavailable, struct fault *fault) {
    struct tool *tool = &coverage->tool;
    *coverage = (struct coverage){.named = settings->guided && settings->qemu_img_cov &&
                                           settings->guide == GUIDE_ALL};
    if (!coverage->named)
        return 0;
    if (tool_probe(tool, settings->qemu_img_cov, TOOL_QEMU_IMG, room, fault))
        return -1;
    snprintf(tool->name, sizeof tool->name, "instrumented qemu-img");
    *unavailable = !tool->available || !tool->edges;
    if (!tool->available)
        return fault_set(fault, "QEMU_IMG_COV cannot run here: %s", tool->why_not);
    if (!tool->edges)
        return fault_set(fault,
                         "QEMU_IMG_COV: %s counts nothing, so it cannot guide "
                         "(`make instrumented-qemu-img` builds one that does)",
                         tool->path);
    tool_choose_backend(tool, settings->exec, room);
    return 0;
}

static void announce(const struct tool *tool, const char *judged, struct buffer *out) {
    buffer_format(out, "Guide: %s (%s) counts %u edges of its code (%s)%s.\n", tool->name,
                  tool->path, tool->edges, exec_backend_names[tool->backend], judged);
}

void coverage_announce(const struct coverage *coverage, const struct tool tools[SIDES],
                       struct buffer *out) {
    if (coverage->named)
        announce(&coverage->tool, "; its answers are not judged", out);
    for (int side = 0; side < SIDES; side++)
        if (tools[side].edges)
            announce(&tools[side], "", out);
}

void coverage_words(const struct coverage *coverage, struct buffer *out) {
    if (coverage->named)
        tool_profile_words(&coverage->tool, out);
    else
        buffer_text(out, "  no instrumented qemu-img (QEMU_IMG_COV names one)\n");
}

static bool listens(const struct chain *chain) {
    return (chain->guide.cells || chain->counted) && chain->counting &&
           chain->settings->guide == GUIDE_ALL;
}

// A warm process that was started for this very command has counted its own start with it, which
// the next one does not: the same command would not be the same.
static bool counted_a_start(const struct chain *chain, const struct tool *tool) {
    struct coverage_header header;
    return tool->backend != EXEC_PLAIN && !chain->room.plain &&
           coverage_map_seen(chain->room.workdir->map, &header);
}

static void fold(struct chain *chain, const struct tool *tool, int place) {
    static uint8_t counters[GUIDE_COVERAGE_CELLS + COVERAGE_COUNTERS];
    size_t first = first_cells[place];
    memset(counters, 0, first);
    coverage_map_read(chain->room.workdir->map, counters + first, tool->edges);
    guide_coverage(&chain->guide, counters, first + tool->edges);
    if (place == SIDES && chain->counted)
        chain->counted(chain->counted_context, counters + first, tool->edges);
}

void coverage_begin(const struct chain *chain, const struct tool *tool) {
    if (listens(chain) && tool->edges)
        coverage_map_begin(chain->room.workdir->map, tool->edges);
}

// Runs a call of the step for its counters alone: on an empty map, with an output of its own that
// is removed, and once more where a start was counted with it.
static int run_counted(struct chain *chain, const struct tool *tool, const struct tool_call *asked,
                       size_t index, enum outcome_class *class, struct fault *fault) {
    static struct exec_outcome outcome;
    struct tool_call call = *asked;
    char output[IMAGE_NAME_ROOM];
    if (operation_writes(call.op)) {
        snprintf(output, sizeof output, "g.out%zu.%s", index + 1, image_driver(call.target)->name);
        call.output = output;
    }
    for (int attempt = 0; attempt < 2; attempt++) {
        coverage_begin(chain, tool);
        if (tool_run(tool, &call, &chain->room, &outcome, fault))
            return -1;
        *class = tool_classify(tool, call.op, &outcome);
        if (operation_writes(call.op))
            output_remove(chain, &call);
        if (!counted_a_start(chain, tool))
            break;
    }
    return 0;
}

int coverage_end(struct chain *chain, const struct tool *tool, const struct tool_call *call,
                 size_t index, enum outcome_class class, struct fault *fault) {
    if (!listens(chain) || !tool->edges || outcome_is_cut_off(class))
        return 0;
    if (counted_a_start(chain, tool) && run_counted(chain, tool, call, index, &class, fault))
        return -1;
    if (!outcome_is_cut_off(class))
        fold(chain, tool, tool == &chain->tools[SIDE_A] ? SIDE_A : SIDE_B);
    return 0;
}

static bool follows(const struct chain *chain, const struct step_record *step) {
    const struct oracle_side *stock = &step->step.b;
    return chain->coverage && chain->coverage->named && listens(chain) && stock->ran &&
           stock->tool->kind == TOOL_QEMU_IMG &&
           !outcome_is_cut_off(step->results[FOLLOWED].class) && !step->step.source_modified &&
           clock_us() < chain->deadline_us;
}

int coverage_follow(const struct step_record *step, struct chain *chain, size_t index,
                    const struct material *input, struct fault *fault) {
    const struct tool_call *call = &step->calls[FOLLOWED];
    const struct tool *tool = chain->coverage ? &chain->coverage->tool : NULL;
    enum outcome_class class;
    if (!follows(chain, step) || !tool_supports(tool, call, NULL))
        return 0;
    if (run_counted(chain, tool, call, index, &class, fault))
        return -1;
    // Nobody else may be accused of it.
    if (!call->options.size_only && material_modified(input, chain->room.workdir->case_path))
        return fault_set(fault, "%s changed the file that it was to read", tool->path);
    if (outcome_is_cut_off(class))
        return 0;
    fold(chain, tool, SIDES);
    if (class != step->results[FOLLOWED].class)
        stats_count(chain->stats->reasons, STATS_NAMES, "guide: another_outcome");
    return 0;
}
