// SPDX-License-Identifier: Apache-2.0
//
// What can this program do here? Asked once, by behaviour: its version, then each operation on a
// tiny image, each format and the options of each target. A capability that did not show itself
// makes later calls "unsupported", so that a distribution's qemu-img without a driver, or an old
// instar without an operation, is no finding.
#include "tool/adapter.h"

#include "base/bytes.h"
#include "exec/coverage_map.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROBE_DEADLINE_MS 10000 // the first start reads a program from disk

struct probe {
    struct tool *tool;
    struct tool_room room;
    struct exec_outcome outcome;
    struct tool_result result;
    char words[256]; // the first step that failed
    struct fault *fault;
};

static void probe_path(const struct probe *probe, const char *name, char *path, size_t room) {
    snprintf(path, room, "%s/%s", probe->room.workdir->case_path, name);
}

// --- one step ------------------------------------------------------------------------------------

static void probe_keep_words(struct probe *probe, const struct tool_argv *argv) {
    if (probe->words[0])
        return;
    struct buffer words = {0};
    char line[160];
    buffer_text(&words, "\"");
    tool_argv_words(argv, NULL, &words);
    buffer_text(&words, "\": ");
    exec_outcome_words(&probe->outcome, &words);
    tool_first_line(&probe->outcome.err, line, sizeof line);
    const char *detail = probe->result.json_failed ? probe->result.json_problem : line;
    snprintf(probe->words, sizeof probe->words, "%s%s%s", words.data, *detail ? ": " : "", detail);
    buffer_free(&words);
}

static bool probe_exists(const struct probe *probe, const char *name) {
    char path[320];
    struct stat status;
    probe_path(probe, name, path, sizeof path);
    return stat(path, &status) == 0 && status.st_size > 0;
}

static bool probe_succeeded(const struct probe *probe) {
    return probe->result.class <= OUTCOME_DIFFERENT;
}

// Is it a lack of this target or option? qemu-img names what it lacks in a refusal; instar's
// command line has closed lists, and its refusals speak of the image.
static bool probe_lacks(const struct probe *probe) {
    enum outcome_class class = probe->result.class;
    return class == OUTCOME_USAGE ||
           (class == OUTCOME_REFUSED && probe->tool->kind == TOOL_QEMU_IMG);
}

static int probe_once(struct probe *probe, const struct tool_call *call,
                      const struct tool_argv *argv) {
    if (operation_writes(call->op)) {
        char path[320];
        probe_path(probe, call->output, path, sizeof path);
        unlink(path);
    }
    if (tool_run_argv(probe->tool, argv, &probe->room, &probe->outcome, probe->fault) != 0)
        return -1;
    tool_result_free(&probe->result);
    tool_parse(probe->tool, call->op, &probe->outcome, &probe->result);
    return 0;
}

// A stalled host makes commands slower, not faster: the least counts.
static void probe_note_time(const struct probe *probe, const struct tool_call *call) {
    uint32_t ms = (uint32_t)min_u64(probe->outcome.wall_us / 1000 + 1, UINT32_MAX);
    uint32_t *least = &probe->tool->convert_ms;
    if (call->op == OP_CONVERT && probe_succeeded(probe) && (*least == 0 || ms < *least))
        *least = ms;
}

// Runs a call; probe->result says what came of it. `expected`: a failure is worth a word.
static int probe_call(struct probe *probe, const struct tool_call *call, bool expected) {
    struct tool_argv argv;
    tool_argv_build(probe->tool, call, &argv);
    if (probe_once(probe, call, &argv) != 0)
        return -1;
    // A stalled host makes instar fail now and then (its guest counts spins).
    bool may_be_spurious = probe->tool->kind == TOOL_INSTAR && !probe->tool->is_standin &&
                           probe->result.class != OUTCOME_USAGE;
    if (!probe_succeeded(probe) && may_be_spurious && probe_once(probe, call, &argv) != 0)
        return -1;
    probe_note_time(probe, call);
    bool wrong = !probe_succeeded(probe) || probe->result.json_failed ||
                 (operation_writes(call->op) && !probe_exists(probe, call->output));
    if (wrong && expected)
        probe_keep_words(probe, &argv);
    return 0;
}

// --- what is asked -------------------------------------------------------------------------------

// Gives every option that the tool can be given with this operation and target a small value that
// no tool refuses. Of vmdk_subformat the value that the fewest know, but where the other one alone
// is asked for.
static void probe_give_options(const struct probe *probe, struct tool_call *call,
                               enum tool_option wanted) {
    call->options = (struct target_options){
        .cluster_bits = 16,
        .refcount_bits = 16,
        .vmdk_subformat = wanted == TOOL_OPTION_SUBFORMAT ? SUBFORMAT_SPARSE : SUBFORMAT_FLAT,
        .grain_bits = 16,
        .block_bits = 21,
        .extended_l2 = 1,
        .lazy_refcounts = 1,
        .preallocation = PREALLOCATION_OFF,
        .compat = 2,
        .compression = 1,
        .no_skip_zeros = 1,
    };
    for (int option = 0; option < TOOL_OPTIONS; option++)
        if (!tool_option_form(probe->tool, call, option))
            tool_option_forget(call, option);
}

// Which of the options is it that makes the command line wrong?
static int probe_each_option(struct probe *probe, struct tool_call call) {
    bool(*lacks)[TOOL_OPTIONS] = &probe->tool->lacks_option[call.op];
    bool before[TOOL_OPTIONS];
    char value[TOOL_OPTION_ROOM];
    memcpy(before, *lacks, sizeof before);
    for (int option = 0; option < TOOL_OPTIONS; option++) {
        for (int other = 0; other < TOOL_OPTIONS; other++)
            (*lacks)[other] = other != option;
        probe_give_options(probe, &call, option);
        bool usage = false;
        if (!before[option] && tool_option_value(&call, option, value)) {
            if (probe_call(probe, &call, false) != 0)
                return -1;
            usage = probe->result.class == OUTCOME_USAGE;
        }
        before[option] = before[option] || usage;
    }
    memcpy(*lacks, before, sizeof before);
    return 0;
}

// Measures or writes a target, with all its options at once; if that fails without them, and if
// then they were the usage error, one by one. *has: the tool has this target; *works is set if it
// did what was asked.
static int probe_target(struct probe *probe, struct tool_call call, bool expected, bool *has,
                        bool *works) {
    probe_give_options(probe, &call, TOOL_OPTIONS);
    if (probe_call(probe, &call, false) != 0)
        return -1;
    bool usage = probe->result.class == OUTCOME_USAGE;
    if (!probe_succeeded(probe) || probe->result.json_failed) {
        call.options = (struct target_options){0};
        if (probe_call(probe, &call, expected) != 0)
            return -1;
    }
    *has = !probe_lacks(probe);
    bool succeeded = probe_succeeded(probe);
    *works = *works || succeeded;
    return succeeded && usage ? probe_each_option(probe, call) : 0;
}

static int probe_measures(struct probe *probe) {
    struct tool *tool = probe->tool;
    unsigned expected = tool_adapter(tool->kind)->measure_targets;
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        const struct tool_call call = {
            .op = OP_MEASURE, .input = "probe.raw", .input_format = IMAGE_RAW, .target = format};
        if (probe_target(probe, call, expected >> format & 1, &tool->measures[format],
                         &tool->ops[OP_MEASURE]) != 0)
            return -1;
    }
    return 0;
}

// Options that make another call of it: without a file, and of another disk in the file. The sample
// has no snapshot, so that a tool which knows the option refuses.
static int probe_size_and_snapshot(struct probe *probe) {
    struct tool *tool = probe->tool;
    const struct tool_call size = {.op = OP_MEASURE,
                                   .input = "",
                                   .target = IMAGE_QCOW2,
                                   .options = {.size_only = 1},
                                   .size = TOOL_SAMPLE_SIZE};
    const struct tool_call snapshot = {.op = OP_CONVERT,
                                       .input = "probe.qcow2",
                                       .input_format = IMAGE_QCOW2,
                                       .output = "probe.snapshot",
                                       .target = IMAGE_RAW,
                                       .options = {.snapshot = 1},
                                       .snapshot = "1"};
    if (probe_call(probe, &size, false) != 0)
        return -1;
    tool->lacks_option[OP_MEASURE][TOOL_OPTION_SIZE] = probe->result.class == OUTCOME_USAGE;
    if (probe_call(probe, &snapshot, false) != 0)
        return -1;
    tool->lacks_option[OP_CONVERT][TOOL_OPTION_SNAPSHOT] = probe->result.class == OUTCOME_USAGE;
    return 0;
}

static void probe_output_name(enum image_format format, char *name, size_t room) {
    snprintf(name, room, "probe.out.%s", tool_format_name(format));
}

static int probe_writes(struct probe *probe) {
    struct tool *tool = probe->tool;
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        char output[32];
        probe_output_name(format, output, sizeof output);
        const struct tool_call call = {.op = OP_CONVERT,
                                       .input = "probe.raw",
                                       .input_format = IMAGE_RAW,
                                       .output = output,
                                       .target = format};
        if (probe_target(probe, call, true, &tool->writes[format], &tool->ops[OP_CONVERT]) != 0)
            return -1;
    }
    return 0;
}

static int probe_compresses(struct probe *probe) {
    struct tool *tool = probe->tool;
    const struct tool_call call = {.op = OP_CONVERT_COMPRESSED,
                                   .input = "probe.raw",
                                   .input_format = IMAGE_RAW,
                                   .output = "probe.compressed",
                                   .target = IMAGE_QCOW2};
    bool has = false, works = false;
    if (probe_target(probe, call, true, &has, &works) != 0)
        return -1;
    tool->ops[OP_CONVERT_COMPRESSED] = has && tool->ops[OP_CONVERT];
    // The other target's options were seen without -c only.
    for (int option = 0; option < TOOL_OPTIONS; option++)
        if (tool->lacks_option[OP_CONVERT][option])
            tool->lacks_option[OP_CONVERT_COMPRESSED][option] = true;
    return 0;
}

static int probe_checks(struct probe *probe) {
    const struct tool_call qcow2 = {
        .op = OP_CHECK, .input = "probe.qcow2", .input_format = IMAGE_QCOW2};
    const struct tool_call raw = {.op = OP_CHECK, .input = "probe.raw"};
    if (probe_call(probe, &qcow2, true) != 0)
        return -1;
    if (!probe_succeeded(probe) && probe_call(probe, &raw, false) != 0)
        return -1;
    probe->tool->ops[OP_CHECK] = probe_succeeded(probe);
    return 0;
}

// What is asked beside a step: a tool may have neither, and lacks nothing that a case needs.
static int probe_beside(struct probe *probe) {
    struct tool *tool = probe->tool;
    const struct tool_call map = {.op = OP_MAP, .input = "probe.raw", .input_format = IMAGE_RAW};
    const struct tool_call compare = {.op = OP_COMPARE,
                                      .input = "probe.raw",
                                      .input_format = IMAGE_RAW,
                                      .output = "probe.raw",
                                      .target = IMAGE_RAW};
    tool->map_version_option = tool->kind == TOOL_INSTAR;
    if (probe_call(probe, &map, false) != 0)
        return -1;
    if (probe->result.class == OUTCOME_USAGE && tool->map_version_option) {
        tool->map_version_option = false;
        if (probe_call(probe, &map, false) != 0)
            return -1;
    }
    tool->ops[OP_MAP] = probe_succeeded(probe) && !probe->result.json_failed;
    if (probe_call(probe, &compare, false) != 0)
        return -1;
    tool->ops[OP_COMPARE] = probe->result.class == OUTCOME_OK;
    return 0;
}

static int probe_info(struct probe *probe) {
    const struct tool_call info = {.op = OP_INFO, .input = "probe.raw", .input_format = IMAGE_RAW};
    struct tool *tool = probe->tool;
    tool->qemu_version_option = tool->kind == TOOL_INSTAR;
    if (probe_call(probe, &info, !tool->qemu_version_option) != 0)
        return -1;
    if (!probe_succeeded(probe) && tool->qemu_version_option) {
        tool->qemu_version_option = probe->result.class != OUTCOME_USAGE;
        if (probe_call(probe, &info, true) != 0)
            return -1;
    }
    tool->ops[OP_INFO] = probe_succeeded(probe);
    return 0;
}

// qemu-img names a driver that it lacks before it even looks for the file.
static int probe_has_driver(struct probe *probe, enum image_format format, bool *reads) {
    const struct tool_call info = {.op = OP_INFO, .input = "probe.nowhere", .input_format = format};
    if (probe_call(probe, &info, false) != 0)
        return -1;
    *reads = probe->result.class == OUTCOME_REFUSED &&
             !tool_text_has(&probe->outcome.err, "unknown driver");
    return 0;
}

// instar takes no format: it must name that of our image, or of what it wrote itself.
static int probe_knows_format(struct probe *probe, enum image_format format, bool *reads) {
    char names[2][32];
    tool_sample_name(format, names[0], sizeof names[0]);
    probe_output_name(format, names[1], sizeof names[1]);
    *reads = false;
    for (int i = 0; i < 2 && !*reads; i++) {
        const struct tool_call info = {.op = OP_INFO, .input = names[i], .input_format = format};
        if (!probe_exists(probe, names[i]))
            continue;
        if (probe_call(probe, &info, false) != 0)
            return -1;
        const cJSON *named = cJSON_GetObjectItem(probe->result.json, "format");
        *reads = cJSON_IsString(named) && strcmp(named->valuestring, tool_format_name(format)) == 0;
    }
    return 0;
}

static int probe_reads(struct probe *probe) {
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        bool *reads = &probe->tool->reads[format];
        int failed = probe->tool->kind == TOOL_QEMU_IMG ? probe_has_driver(probe, format, reads)
                                                        : probe_knows_format(probe, format, reads);
        if (failed)
            return -1;
    }
    return 0;
}

// --- from the start ------------------------------------------------------------------------------

__attribute__((format(printf, 2, 3))) static int probe_unavailable(struct tool *tool,
                                                                   const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(tool->why_not, sizeof tool->why_not, format, args);
    va_end(args);
    tool->available = false;
    return 0;
}

// --version, with a map within reach: does the tool count its edges?
static int probe_first(struct probe *probe, const struct tool_argv *argv, struct fault *fault) {
    struct tool *tool = probe->tool;
    struct coverage_header header;
    int map = probe->room.workdir->map;
    coverage_map_begin(map, 0);
    tool->edges = COVERAGE_COUNTERS;
    int failed = tool_run_argv(tool, argv, &probe->room, &probe->outcome, fault);
    bool counts = coverage_map_seen(map, &header);
    tool->edges = counts ? header.edges : 0;
    tool->edges_dropped = counts ? header.dropped : 0;
    return failed;
}

// A stand-in that was told to lie may answer otherwise already here: whom it plays. With a lie that
// it does not know it answers nothing.
static int probe_lies(struct probe *probe, const struct tool_argv *argv, char *line, size_t room) {
    struct tool *tool = probe->tool;
    const char *lies = getenv("STANDIN_LIE");
    if (!tool->is_standin || !lies || !*lies)
        return 0;
    snprintf(tool->lies, sizeof tool->lies, "%s", lies);
    if (tool_run_argv(tool, argv, &probe->room, &probe->outcome, probe->fault) != 0)
        return -1;
    bool answered = probe->outcome.end == EXEC_EXITED && probe->outcome.value == 0;
    tool_first_line(answered ? &probe->outcome.out : &probe->outcome.err, line, room);
    if (answered && tool_recognise(tool, line))
        return 0;
    return probe_unavailable(tool, "%s does not answer --version: %s", tool->path, line);
}

// A usage error of --version: an instar is known by its help then. 1: it is one.
static int probe_help(struct probe *probe, const char *program) {
    const struct tool_argv argv = {.items = {program, "--help", NULL}, .count = 2};
    struct exec_outcome outcome = {0};
    if (tool_run_argv(probe->tool, &argv, &probe->room, &outcome, probe->fault) != 0)
        return -1;
    bool known = outcome.end == EXEC_EXITED && outcome.value == 0 &&
                 tool_recognise_help(probe->tool, &outcome.out);
    exec_outcome_free(&outcome);
    return known;
}

// What does it say of itself? 1: a tool that we know; 0: none, and tool->why_not says why.
static int probe_name(struct probe *probe, enum tool_kind wanted, const struct tool_argv *argv) {
    struct tool *tool = probe->tool;
    const char *program = tool_adapter(wanted)->program;
    const struct exec_outcome *outcome = &probe->outcome;
    char line[sizeof tool->version];
    bool answered = outcome->end == EXEC_EXITED && outcome->value == 0;
    if (wanted == TOOL_INSTAR && outcome->end == EXEC_EXITED && outcome->value == 2) {
        int known = probe_help(probe, argv->items[0]);
        if (known != 0)
            return known;
    }
    tool_first_line(answered ? &outcome->out : &outcome->err, line, sizeof line);
    if (!answered) {
        struct buffer words = {0};
        exec_outcome_words(outcome, &words);
        probe_unavailable(tool, "%s does not answer --version: %s%s%s", tool->path, words.data,
                          *line ? ": " : "", line);
        buffer_free(&words);
        return 0;
    }
    if (!tool_recognise(tool, line))
        return probe_unavailable(tool, "%s is no %s: it answers --version with \"%s\"", tool->path,
                                 program, line);
    return probe_lies(probe, argv, line, sizeof line) != 0 ? -1 : 1;
}

// Asks for the version and judges it. Leaves tool->available false with the reason, or true.
static int probe_version(struct probe *probe, enum tool_kind wanted) {
    struct tool *tool = probe->tool;
    const char *program = tool_adapter(wanted)->program;
    const struct tool_argv argv = {.items = {program, "--version", NULL}, .count = 2};
    struct fault fault = {0};
    if (probe_first(probe, &argv, &fault) != 0)
        return probe_unavailable(tool, "%s cannot be run: %s", tool->path, fault.text);
    int known = probe_name(probe, wanted, &argv);
    if (known <= 0)
        return known;
    if (wanted == TOOL_QEMU_IMG && tool->kind != wanted)
        return probe_unavailable(tool, "%s is no %s but %s", tool->path, program, tool->name);
    if (tool->kind != TOOL_INSTAR || tool->is_standin)
        tool->guests[0] = 0;
    if (tool->why_not[0])
        return 0;
    const struct tool_adapter *adapter = tool_adapter(tool->kind);
    snprintf(tool->role, sizeof tool->role, "%s", adapter->role);
    if (tool->version_number < adapter->oldest)
        return probe_unavailable(tool, "%s is too old (%s): %s or newer is needed", tool->path,
                                 tool->version, adapter->oldest_words);
    const char *missing = adapter->missing(tool);
    if (missing)
        return probe_unavailable(tool, "%s", missing);
    tool->available = true;
    return 0;
}

static int probe_capabilities(struct probe *probe) {
    struct tool *tool = probe->tool;
    if (tool_samples(probe->room.workdir->case_path, probe->fault) != 0 || probe_info(probe) != 0 ||
        probe_measures(probe) != 0 || probe_size_and_snapshot(probe) != 0 ||
        probe_writes(probe) != 0 || probe_compresses(probe) != 0 || probe_checks(probe) != 0 ||
        probe_beside(probe) != 0 || probe_reads(probe) != 0)
        return -1;
    bool any = false;
    for (int op = 0; op < OPERATIONS; op++)
        any = any || tool->ops[op];
    if (!any)
        return probe_unavailable(tool, "no operation of %s works here; the first says %s",
                                 tool->name, probe->words);
    memcpy(tool->why_not, probe->words, sizeof tool->why_not);
    return 0;
}

int tool_probe_once(struct tool *tool, const char *path, enum tool_kind wanted,
                    struct tool_room *room, struct fault *fault) {
    const struct tool_adapter *adapter = tool_adapter(wanted);
    *tool = (struct tool){.kind = wanted};
    snprintf(tool->role, sizeof tool->role, "%s", adapter->role);
    snprintf(tool->name, sizeof tool->name, "%s", adapter->program);
    struct fault reason;
    if (tool_find(path, tool->path, sizeof tool->path, &reason) != 0) {
        snprintf(tool->path, sizeof tool->path, "%s", path);
        return probe_unavailable(tool, "%s", reason.text);
    }
    if (tool_look_at_file(tool->path, &tool->file, &reason) != 0)
        return probe_unavailable(tool, "%s", reason.text);
    const char *guests = getenv("INSTAR_BIN_DIR");
    if (wanted == TOOL_INSTAR && guests && strlen(guests) < sizeof tool->guests)
        snprintf(tool->guests, sizeof tool->guests, "%s", guests);
    struct probe probe = {.tool = tool, .room = *room, .fault = fault};
    if (probe.room.deadline_ms < PROBE_DEADLINE_MS)
        probe.room.deadline_ms = PROBE_DEADLINE_MS;
    int failed = workdir_clear_case(room->workdir, fault);
    if (!failed)
        failed = probe_version(&probe, wanted);
    if (!failed && tool->available) {
        if (tool->kind == TOOL_INSTAR)
            snprintf(tool->qemu_version, sizeof tool->qemu_version, "10.0");
        failed = probe_capabilities(&probe);
    }
    tool_result_free(&probe.result);
    exec_outcome_free(&probe.outcome);
    return failed ? failed : workdir_clear_case(room->workdir, fault);
}
