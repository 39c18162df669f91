// SPDX-License-Identifier: Apache-2.0
//
// Which cells can be filled, and filling them.
#include "cells.h"

static void sample_call(const struct source_class *source, const struct call_class *class,
                        struct tool_call *call) {
    *call = (struct tool_call){
        .op = class->op,
        .input = "src",
        .input_format = source->format,
        .output = operation_writes(class->op) ? "out" : NULL,
        .target = class->target,
    };
    call_class_options(class, &call->options);
    // A tool without --size cannot fill that row.
    call->options.size_only = source == &source_classes[SOURCE_SIZE_ONLY];
}

// Can a tool's answer be judged with no other beside it? What was written is held against the
// truth, what was built is known to be clean, and measures are held against the model.
static bool judged_alone(const struct tool_call *call, bool is_built) {
    return operation_writes(call->op) || call->op == OP_MEASURE ||
           (call->op == OP_CHECK && is_built);
}

static bool answers(const struct tool *tool, const struct tool_call *call) {
    if (!tool_supports(tool, call, NULL))
        return false;
    return call->op != OP_CHECK || tool_checks(tool, call->input_format);
}

static bool tools_reach(const struct tool tools[SIDES], const struct tool_call *call,
                        bool is_built) {
    int answering = 0;
    bool alone = false, honoured = false;
    for (int side = 0; side < SIDES; side++) {
        if (!answers(&tools[side], call))
            continue;
        answering++;
        alone |= judged_alone(call, is_built);
        // An option that reaches no command line is not tested by dropping it on both sides.
        honoured |= tool_honours_options(&tools[side], call);
    }
    return honoured && (alone || answering == SIDES);
}

static bool is_asked_for(const struct settings *settings, const struct call_class *call) {
    return settings->ops[call->op] &&
           (!operation_has_target(call->op) || settings->targets[call->target]);
}

// Can an earlier step of the campaign have written such a file?
static bool is_written(const struct tool tools[SIDES], const struct settings *settings,
                       enum image_format format) {
    for (int op = 0; op < OPERATIONS; op++) {
        const struct tool_call call = {.op = (enum operation)op, .target = format};
        if (!operation_writes(call.op) || !settings->ops[op] || !settings->targets[format])
            continue;
        for (int side = 0; side < SIDES; side++)
            if (tool_supports(&tools[side], &call, NULL))
                return true;
    }
    return false;
}

void cells_reach(struct stats *stats, const struct tool tools[SIDES],
                 const struct settings *settings) {
    for (size_t source = 0; source < SOURCE_CLASSES; source++) {
        const struct source_class *class = &source_classes[source];
        if (source >= SOURCE_OUTPUT && !is_written(tools, settings, class->format))
            continue;
        for (size_t i = 0; i < CALL_CLASSES; i++) {
            struct tool_call call;
            sample_call(class, &call_classes[i], &call);
            stats->reachable[source][i] = source_class_takes(source, &call_classes[i]) &&
                                          is_asked_for(settings, &call_classes[i]) &&
                                          tools_reach(tools, &call, source < SOURCE_BUILT_CLASSES);
        }
    }
}

uint64_t cells_source(const struct oracle_step *step, uint64_t built) {
    if (step->options.size_only)
        return UINT64_C(1) << SOURCE_SIZE_ONLY;
    if (step->input_is_output)
        return UINT64_C(1) << (SOURCE_OUTPUT + (int)step->source);
    return built;
}

static void bump(struct stats_cell *cell, enum cell_count what) {
    uint64_t *const members[] = {
        [CELL_COMPARED] = &cell->compared,
        [CELL_REFUSED] = &cell->refused,
        [CELL_SKIPPED] = &cell->skipped,
        [CELL_INCONCLUSIVE] = &cell->inconclusive,
    };
    ++*members[what];
}

void cells_count(struct stats *stats, const struct oracle_step *step, uint64_t built,
                 enum cell_count what) {
    size_t calls[OPTION_CLASSES];
    size_t count = call_classes_of(step->op, step->target, &step->options, calls);
    uint64_t sources = cells_source(step, built);
    bump(&stats->matrix[step->op][step->source][step->target], what);
    for (size_t source = 0; source < SOURCE_CLASSES; source++)
        for (size_t i = 0; i < count && sources >> source & 1; i++)
            bump(&stats->cells[source][calls[i]], what);
}

struct cells_sum cells_sum(const struct stats *stats) {
    struct cells_sum sum = {0};
    for (size_t source = 0; source < SOURCE_CLASSES; source++)
        for (size_t i = 0; i < CALL_CLASSES; i++) {
            sum.reachable += stats->reachable[source][i];
            sum.compared += stats->reachable[source][i] && stats->cells[source][i].compared;
        }
    return sum;
}
