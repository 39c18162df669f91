// SPDX-License-Identifier: Apache-2.0
//
// The table of adapters, and what is the same for every tool: whether a call can be made at all,
// and making it.
#include "tool/adapter.h"

#include "testcase/testcase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const outcome_class_names[OUTCOME_CLASSES] = {
    [OUTCOME_OK] = "ok",
    [OUTCOME_CLEAN] = "clean",
    [OUTCOME_LEAKS] = "leaks",
    [OUTCOME_CORRUPT] = "corrupt",
    [OUTCOME_REFUSED] = "refused",
    [OUTCOME_NO_CHECKS] = "no-checks",
    [OUTCOME_DIFFERENT] = "different",
    [OUTCOME_USAGE] = "usage",
    [OUTCOME_LIMIT] = "limit",
    [OUTCOME_SIGNAL] = "signal",
    [OUTCOME_TIMEOUT] = "timeout",
};

static const struct tool_adapter *const adapters[] = {
    &tool_adapter_qemu_img,
    &tool_adapter_instar,
};

const struct tool_adapter *tool_adapter(enum tool_kind kind) {
    for (size_t i = 0; i < sizeof adapters / sizeof *adapters; i++)
        if (adapters[i]->kind == kind)
            return adapters[i];
    return adapters[0];
}

const char *tool_format_name(enum image_format format) {
    return image_driver(format)->name;
}

const char *tool_operation_name(enum operation op) {
    return op == OP_MAP ? "map" : op == OP_COMPARE ? "compare" : operation_names[op];
}

// Only qcow2 and vmdk have compressed units; both tools refuse `-c` for the others.
static bool tool_can_compress(enum image_format target) {
    return target == IMAGE_QCOW2 || target == IMAGE_VMDK;
}

static const char *tool_why_unsupported(const struct tool *tool, const struct tool_call *call) {
    if (!tool->available)
        return "unavailable";
    if (!tool->ops[call->op])
        return "no_operation";
    if (!call->options.size_only && !tool->reads[call->input_format])
        return "no_source";
    if (call->op == OP_COMPARE && !tool->reads[call->target])
        return "no_source";
    if (!operation_has_target(call->op))
        return NULL;
    const bool *targets = call->op == OP_MEASURE ? tool->measures : tool->writes;
    if (!targets[call->target])
        return "no_target";
    if (call->op == OP_CONVERT_COMPRESSED && !tool_can_compress(call->target))
        return "no_option";
    // A number depends on its options; content does not, but for whose content it is.
    if (call->op == OP_MEASURE ? !tool_honours_options(tool, call)
                               : !tool_honours_option(tool, call, TOOL_OPTION_SNAPSHOT))
        return "no_option";
    return NULL;
}

bool tool_supports(const struct tool *tool, const struct tool_call *call, const char **why) {
    const char *reason = tool_why_unsupported(tool, call);
    if (why)
        *why = reason;
    return !reason;
}

bool tool_checks(const struct tool *tool, enum image_format format) {
    return tool_adapter(tool->kind)->checks & (1u << format);
}

bool tool_output_extent(const struct tool_call *call, const char *output,
                        char name[IMAGE_NAME_ROOM]) {
    char stem[IMAGE_NAME_ROOM];
    if (call->target != IMAGE_VMDK || call->options.vmdk_subformat != SUBFORMAT_FLAT)
        return false;
    image_stem(output, stem);
    snprintf(name, IMAGE_NAME_ROOM, "%.50s-flat.vmdk", stem);
    return true;
}

void tool_argv_build(const struct tool *tool, const struct tool_call *call,
                     struct tool_argv *argv) {
    const struct tool_adapter *adapter = tool_adapter(tool->kind);
    tool_argv_begin(argv);
    tool_argv_add(argv, adapter->program);
    adapter->build(tool, call, argv);
}

// RLIMIT_FSIZE counts a file's length, and outputs are sparse: this is no quota but a stop for a
// runaway. It must lie above everything an honest tool writes for the largest case: that disk, and
// as much again for units that are rounded up, tables and a fixed vhd's footer.
#define TOOL_FILE_LIMIT (2 * CASE_MAX_SIZE)
// What honest commands take at most was measured with qemu-img 7.2: 37 MiB for any convert
// (deflating clusters of 2 MiB), 270 MiB for the check of a file of 64 GiB in clusters of 512
// bytes, whose table of counts it keeps in memory; 45 threads at once (its pool has 64 at most);
// and a step writes less than 64 MiB a tool (testcase/caps.h), 8 steps of two tools 1 GiB. Whoever
// takes more takes it from the campaigns beside.
const struct exec_limits tool_limits = {
    .memory = 1ull << 30,
    .space = 2ull << 30,
    .processes = 256,
};
// Of stdout and of stderr each. check may print a line for each damaged cluster; nothing that is
// judged comes near it.
#define TOOL_CAPTURE_LIMIT ((size_t)1 << 20)

// What was probed is what is compared: an upgrade in the middle of a campaign would put the answers
// of two builds into one.
static int tool_is_unchanged(const struct tool *tool, struct fault *fault) {
    struct tool_file now;
    const struct tool_file *then = &tool->file;
    if (!then->inode)
        return 0;
    if (tool_look_at_file(tool->path, &now, fault))
        return -1;
    bool same = now.device == then->device && now.inode == then->inode && now.size == then->size &&
                now.modified.tv_sec == then->modified.tv_sec &&
                now.modified.tv_nsec == then->modified.tv_nsec;
    return same ? 0
                : fault_set(fault, "%s was replaced since this run looked at it: start it again",
                            tool->path);
}

int tool_run_argv_in(const struct tool *tool, const struct tool_argv *argv,
                     const char *const *environment, struct tool_room *room,
                     struct exec_outcome *outcome, struct fault *fault) {
    if (argv->count == 0)
        return fault_set(fault, "a command line for %s does not fit its buffer", tool->name);
    if (tool_is_unchanged(tool, fault))
        return -1;
    bool instar = tool->kind == TOOL_INSTAR && !tool->is_standin;
    unsigned with = (instar ? TOOL_FENCE_INSTAR : 0) | (tool->edges ? TOOL_FENCE_COUNTS : 0);
    const char *const *fence = NULL;
    if (!room->unfenced && !(fence = tool_fence(tool->path, with, tool->guests, room, fault)))
        return -1;
    const struct exec_command command = {
        .program = tool->path,
        .fence = fence,
        .argv = argv->items,
        .environment = environment ? environment : tool_environment(tool, room),
        .directory = room->workdir->case_path,
        .backend = room->plain ? EXEC_PLAIN : tool->backend,
        .deadline_ms = room->deadline_ms,
        .file_size_limit = TOOL_FILE_LIMIT,
        // Behind the deadline: only a tool with several busy threads can reach it first.
        .cpu_seconds_limit = (room->deadline_ms + 999) / 1000 + 1,
        .limits = tool_limits,
        .capture_limit = TOOL_CAPTURE_LIMIT,
    };
    int status = exec_run(room->exec, &command, outcome, fault);
    if (command.backend != EXEC_PLAIN && (status || outcome->end == EXEC_LOST))
        tool_forget_self_tests(room->self_tests);
    return status;
}

int tool_run_argv(const struct tool *tool, const struct tool_argv *argv, struct tool_room *room,
                  struct exec_outcome *outcome, struct fault *fault) {
    return tool_run_argv_in(tool, argv, NULL, room, outcome, fault);
}

int tool_run(const struct tool *tool, const struct tool_call *call, struct tool_room *room,
             struct exec_outcome *outcome, struct fault *fault) {
    struct tool_argv argv;
    tool_argv_build(tool, call, &argv);
    return tool_run_argv(tool, &argv, room, outcome, fault);
}

void tool_result_free(struct tool_result *result) {
    cJSON_Delete(result->json);
    free(result->map);
    *result = (struct tool_result){0};
}
