// SPDX-License-Identifier: Apache-2.0
//
// Running one operation with both tools: the commands themselves, the commands that belong to them
// (the convert behind a measure, qemu-img's check of an output, the long second run of a command
// that did not end), and what the oracles get to see.
#include "step.h"

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPARE_BUDGET (256ull << 20) // bytes read from each side by one content comparison
#define HANG_FACTOR    10             // a hang is one only after this many deadlines

static struct oracle_side *side_of(struct step_record *step, int side) {
    return side == SIDE_A ? &step->step.a : &step->step.b;
}

static const struct tool *checker(const struct chain *chain) {
    for (int side = SIDES - 1; side >= 0; side--)
        if (chain->tools[side].kind == TOOL_QEMU_IMG && chain->tools[side].available)
            return &chain->tools[side];
    return NULL;
}

void step_begin(struct step_record *step, const struct chain *chain,
                const struct testcase *testcase, const struct case_operation *operation,
                const struct material *input) {
    step->done = false;
    step->why[0] = 0;
    step->judgements.count = 0;
    step->judgements.registry = chain->registry;
    step->judgements.strict_bounds = chain->settings->strict_bounds;
    enum operation op = (enum operation)operation->op;
    step->step = (struct oracle_step){
        .op = op,
        .source = input->truth.format,
        .target = operation_has_target(op) ? (enum image_format)operation->target : IMAGE_FORMATS,
        .input_name = input->name,
        .input_is_output = input != &chain->source,
        .truth = input->truth,
        .compare_budget = COMPARE_BUDGET,
    };
    case_target_options(testcase, operation, &step->step.options);
    for (int side = 0; side < SIDES; side++) {
        struct oracle_side *to = side_of(step, side);
        to->tool = &chain->tools[side];
        to->outcome = &step->outcomes[side];
        to->result = &step->results[side];
        to->output_check.class = OUTCOME_CLASSES;
        step->flattened[side] = false;
        step->outputs[side][0] = step->fits[side][0] = 0;
        tool_result_free(&step->results[side]);
    }
}

// Runs a call and gives its class; a usage error is ours and ends the run.
static int run_call(struct chain *chain, const struct tool *tool, const struct tool_call *call,
                    struct exec_outcome *outcome, enum outcome_class *class, struct fault *fault) {
    chain->stats->commands++;
    if (tool_run(tool, call, &chain->room, outcome, fault))
        return -1;
    *class = tool_classify(tool, call->op, outcome);
    if (*class != OUTCOME_USAGE)
        return 0;
    struct tool_argv argv;
    struct buffer words = {0};
    tool_argv_build(tool, call, &argv);
    tool_argv_words(&argv, tool->path, &words);
    fault_set(fault, "%s does not understand our command line `%s`: %.200s", tool->name, words.data,
              outcome->err.data ? outcome->err.data : "");
    buffer_free(&words);
    return -1;
}

static uint64_t file_size(const struct chain *chain, const char *name) {
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", chain->room.workdir->case_path, name);
    return stat(path, &info) ? 0 : (uint64_t)info.st_size;
}

// Lets qemu-img turn `name` into a raw file beside it.
static int flatten(struct chain *chain, const char *name, enum image_format format, char *raw,
                   size_t room, struct fault *fault) {
    static struct exec_outcome outcome;
    enum outcome_class class;
    const struct tool *tool = checker(chain);
    if (!tool)
        return fault_set(fault, "no qemu-img to read it with");
    snprintf(raw, room, "%s.raw", name);
    struct tool_call call = {.op = OP_CONVERT,
                             .input = name,
                             .input_format = format,
                             .output = raw,
                             .target = IMAGE_RAW};
    if (run_call(chain, tool, &call, &outcome, &class, fault))
        return -1;
    if (class != OUTCOME_OK)
        return fault_set(fault, "%s cannot read it: %.200s", tool->name, outcome.err.data);
    return 0;
}

// Opens an output with our reader; where that fails, or in a confirmation, through qemu-img.
static void open_output(struct step_record *step, struct chain *chain, int side) {
    struct oracle_side *to = side_of(step, side);
    char path[4096], raw[64];
    struct fault own = {0}, theirs = {0};
    const char *directory = chain->room.workdir->case_path;
    snprintf(path, sizeof path, "%s/%s", directory, step->outputs[side]);
    to->output_file_size = file_size(chain, step->outputs[side]);
    enum image_format target = step->step.target;
    if (!chain->flatten && image_open(&to->output, path, target, &own) == 0)
        return;
    if (target == IMAGE_RAW) {
        if (image_open(&to->output, path, target, &own))
            snprintf(to->output_fault, sizeof to->output_fault, "%.250s", own.text);
        return;
    }
    if (flatten(chain, step->outputs[side], target, raw, sizeof raw, &theirs) == 0) {
        snprintf(path, sizeof path, "%s/%s", directory, raw);
        step->flattened[side] = true;
        if (image_open(&to->output, path, IMAGE_RAW, &theirs) == 0)
            return;
    }
    snprintf(to->output_fault, sizeof to->output_fault, "%.120s; %.120s",
             own.text[0] ? own.text : "not read by our reader", theirs.text);
}

static int check_output(struct step_record *step, struct chain *chain, int side,
                        struct fault *fault) {
    static struct exec_outcome outcome;
    struct oracle_side *to = side_of(step, side);
    const struct tool *tool = checker(chain);
    struct tool_call call = {
        .op = OP_CHECK, .input = step->outputs[side], .input_format = step->step.target};
    const char *why;
    if (!tool || !tool_supports(tool, &call, &why))
        return 0;
    enum outcome_class class;
    if (run_call(chain, tool, &call, &outcome, &class, fault))
        return -1;
    tool_result_free(&to->output_check);
    to->output_check.class = class;
    tool_parse(tool, OP_CHECK, &outcome, &to->output_check);
    return 0;
}

// The convert that a measure of a format without a second opinion is held against.
static int convert_to_fit(struct step_record *step, struct chain *chain, int side, size_t index,
                          struct fault *fault) {
    static struct exec_outcome outcome;
    struct oracle_side *to = side_of(step, side);
    const struct tool *tool = to->tool;
    struct tool_call call = step->calls[side];
    bool stream = call.target == IMAGE_VMDK && call.options.vmdk_subformat == 2;
    snprintf(step->fits[side], sizeof step->fits[side], "%c.fit%zu.%s", 'a' + side, index + 1,
             image_driver(call.target)->name);
    call.op = stream ? OP_CONVERT_COMPRESSED : OP_CONVERT;
    call.output = step->fits[side];
    call.options.vmdk_subformat = 0;
    const char *why;
    enum outcome_class class;
    if (!tool_supports(tool, &call, &why)) {
        step->fits[side][0] = 0;
        return 0;
    }
    if (run_call(chain, tool, &call, &outcome, &class, fault))
        return -1;
    to->has_converted = class == OUTCOME_OK;
    to->converted_size = file_size(chain, step->fits[side]);
    return 0;
}

static bool has_no_second_measure(enum image_format target) {
    return target == IMAGE_VMDK || target == IMAGE_VPC || target == IMAGE_VHDX;
}

static int run_side(struct step_record *step, struct chain *chain, int side, size_t index,
                    const struct material *input, struct fault *fault) {
    struct oracle_side *to = side_of(step, side);
    struct tool_call *call = &step->calls[side];
    *call = (struct tool_call){.op = step->step.op,
                               .input = input->name,
                               .input_format = step->step.source,
                               .target = step->step.target,
                               .options = step->step.options};
    if (operation_writes(call->op)) {
        snprintf(step->outputs[side], sizeof step->outputs[side], "%c.out%zu.%s", 'a' + side,
                 index + 1, image_driver(call->target)->name);
        call->output = step->outputs[side];
    }
    if (!to->tool->available) {
        to->why_not = "unavailable";
        return 0;
    }
    if (!tool_supports(to->tool, call, &to->why_not))
        return 0;
    to->ran = true;
    tool_argv_build(to->tool, call, &step->argv[side]);
    enum outcome_class class;
    if (run_call(chain, to->tool, call, &step->outcomes[side], &class, fault))
        return -1;
    step->results[side].class = class;
    tool_parse(to->tool, call->op, &step->outcomes[side], &step->results[side]);
    if (!step->step.source_modified && material_modified(input, chain->room.workdir->case_path)) {
        step->step.source_modified = true;
        snprintf(step->step.modified_by, sizeof step->step.modified_by, "%s", to->tool->role);
    }
    if (class != OUTCOME_OK)
        return 0;
    if (operation_writes(call->op)) {
        open_output(step, chain, side);
        return check_output(step, chain, side, fault);
    }
    if (call->op == OP_MEASURE && has_no_second_measure(call->target))
        return convert_to_fit(step, chain, side, index, fault);
    return 0;
}

// A command that passed its deadline gets one long run, alone, before anybody calls it a hang:
// only where the other tool did answer, and not for a signature that is known already.
static int rerun_slow(struct step_record *step, struct chain *chain, struct fault *fault) {
    int slow = -1;
    for (int side = 0; side < SIDES; side++) {
        if (!side_of(step, side)->ran)
            continue;
        if (step->results[side].class == OUTCOME_TIMEOUT) {
            if (slow >= 0)
                return 0;
            slow = side;
        }
    }
    if (slow < 0 || chain->tools[slow].kind != TOOL_INSTAR)
        return 0;
    char signature[SIGNATURE_ROOM];
    struct judgement hang = {.oracle = oracle_named("tool_hang")};
    snprintf(hang.detail, sizeof hang.detail, "%s", chain->tools[slow].role);
    oracle_signature(&step->step, &hang, signature, sizeof signature);
    if (chain->stop_at && !chain->stop_at(chain->stop_context, signature))
        return 0;
    uint32_t usual = chain->room.deadline_ms;
    chain->room.deadline_ms = usual * HANG_FACTOR;
    enum outcome_class class;
    int status = run_call(chain, &chain->tools[slow], &step->calls[slow], &step->outcomes[slow],
                          &class, fault);
    chain->room.deadline_ms = usual;
    step->step.deadline_is_final = status == 0 && class == OUTCOME_TIMEOUT;
    return status;
}

static void count_step(const struct step_record *step, struct stats *stats) {
    const struct oracle_step *s = &step->step;
    struct stats_cell *cell = &stats->matrix[s->op][s->source][s->target];
    bool compared = false, unsupported = false, inconclusive = false;
    for (size_t i = 0; i < step->judgements.count; i++) {
        const struct judgement *judgement = &step->judgements.items[i];
        char reason[96];
        stats->verdicts[judgement->verdict]++;
        switch (judgement->verdict) {
        case VERDICT_KNOWN:
            stats_count(stats->known, sizeof stats->known / sizeof *stats->known,
                        judgement->known_id);
            // fall through
        case VERDICT_AGREE:
        case VERDICT_DIVERGENCE:
            compared = true;
            stats_count(stats->oracles, sizeof stats->oracles / sizeof *stats->oracles,
                        judgement->oracle->type);
            break;
        default:
            snprintf(reason, sizeof reason, "%s: %s", verdict_names[judgement->verdict],
                     judgement->reason);
            stats_count(stats->reasons, STATS_NAMES, reason);
            inconclusive |= judgement->verdict == VERDICT_INCONCLUSIVE;
            unsupported |= judgement->verdict == VERDICT_UNSUPPORTED;
        }
    }
    cell->compared += compared;
    cell->skipped += !compared && unsupported;
    cell->inconclusive += !compared && !unsupported && inconclusive;
}

int step_run(struct step_record *step, struct chain *chain, size_t index,
             const struct material *input, struct fault *fault) {
    chain->stats->operations++;
    for (int side = 0; side < SIDES; side++)
        if (run_side(step, chain, side, index, input, fault))
            return -1;
    if (rerun_slow(step, chain, fault))
        return -1;
    oracle_judge(&step->step, &step->judgements);
    count_step(step, chain->stats);
    step->done = true;
    return 0;
}

static bool diverged(const struct step_record *step) {
    for (size_t i = 0; i < step->judgements.count; i++)
        if (step->judgements.items[i].verdict == VERDICT_DIVERGENCE ||
            step->judgements.items[i].verdict == VERDICT_KNOWN)
            return true;
    return false;
}

// In a confirmation the output was read through qemu-img; as an input of later steps it is still
// the file itself, whose allocation only our reader can tell.
static void adopt(struct step_record *step, struct chain *chain, size_t index, int side,
                  struct image *image) {
    const struct truth *input = &step->step.truth;
    material_adopt(&chain->outputs[index][side], chain->room.workdir->case_path,
                   step->outputs[side], image, diverged(step) ? NULL : input->content,
                   input->asked_size, NULL);
}

void step_adopt_outputs(struct step_record *step, struct chain *chain, size_t index) {
    char path[4096];
    for (int side = 0; side < SIDES; side++) {
        struct oracle_side *to = side_of(step, side);
        tool_result_free(&to->output_check);
        to->output_check.class = OUTCOME_CLASSES;
        if (!to->output)
            continue;
        struct image *own = NULL;
        snprintf(path, sizeof path, "%s/%s", chain->room.workdir->case_path, step->outputs[side]);
        if (!step->flattened[side])
            adopt(step, chain, index, side, to->output);
        else if (image_open(&own, path, step->step.target, NULL) == 0)
            adopt(step, chain, index, side, own);
        image_close(own);
        image_close(to->output);
        to->output = NULL;
    }
}
