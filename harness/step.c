// SPDX-License-Identifier: Apache-2.0
//
// Running one operation with both tools, one after the other, on the same input file, and handing
// what happened to the oracles. What becomes of written files is in output.c.
#include "step.h"

#include "base/bytes.h"
#include "coverage.h"
#include "cross.h"
#include "output.h"
#include "third.h"
#include "tool/both.h"

#include <stdio.h>
#include <string.h>

#define COMPARE_BUDGET (256ull << 20) // bytes read from each side by one content comparison
#define HANG_FACTOR    10             // a hang is one only after this many deadlines

struct oracle_side *step_side(struct step_record *step, int side) {
    return side == SIDE_A ? &step->step.a : &step->step.b;
}

static void begin_side(struct step_record *step, const struct chain *chain, int side) {
    struct oracle_side *to = step_side(step, side);
    to->tool = &chain->tools[side];
    to->outcome = &step->outcomes[side];
    to->result = &step->results[side];
    to->output_check.class = OUTCOME_CLASSES;
    to->fit_class = OUTCOME_CLASSES;
    to->fit_costs_too_much = false;
    to->reader_died = to->written.known = false;
    step->flattened[side] = false;
    step->outputs[side][0] = step->fits[side][0] = step->other[0] = step->accepted[0] = 0;
    for (int damage = 0; damage < IMAGE_DAMAGES; damage++)
        step->damaged[damage][0] = 0;
    step->damages_tried = 0;
    tool_result_free(&step->results[side]);
    cross_forget(step, side);
}

// A snapshot is a disk of its own in the same file. Only the source that was built has any; of a
// tool's output that stands in for it the active disk is meant.
static void choose_snapshot(struct step_record *step, const struct material *input) {
    uint32_t *snapshot = &step->step.options.snapshot;
    struct truth *truth = &step->step.truth;
    if (*snapshot > input->truth.snapshot_count)
        *snapshot = 0;
    if (!*snapshot)
        return;
    truth->active_size = truth->shown_size;
    truth->content = &input->truth.snapshots[*snapshot - 1];
    truth->asked_size = truth->declared_size = truth->shown_size = truth->content->size;
    truth->allocation = truth->own_allocation = NULL;
}

// No file, only a size: nothing is allocated, and there is no format to have an opinion on.
static void choose_size(struct step_record *step, const struct testcase *testcase) {
    static const struct image_map nothing;
    uint64_t size = case_virtual_size(testcase);
    step->step.source = IMAGE_FORMATS;
    step->step.input_name = "";
    step->step.input_is_output = false;
    step->step.truth = (struct truth){
        .format = IMAGE_RAW,
        .asked_size = size,
        .declared_size = size,
        .shown_size = round_up(size, 512),
        .unit = 512,
        .allocation = &nothing,
        .own_allocation = &nothing,
        .layers = 1,
    };
}

void step_begin(struct step_record *step, const struct chain *chain,
                const struct testcase *testcase, const struct case_operation *operation,
                const struct material *input) {
    enum operation op = (enum operation)operation->op;
    step->done = false;
    step->why[0] = 0;
    step->judgements.count = 0;
    step->judgements.sought = NULL;
    step->judgements.past_turns = chain->tells_all;
    step->judgements.registry = chain->registry;
    step->judgements.strict_bounds = chain->settings->strict_bounds;
    step->step = (struct oracle_step){
        .op = op,
        .source = input->truth.format,
        .target = operation_has_target(op) ? (enum image_format)operation->target : IMAGE_FORMATS,
        .input_name = input->name,
        .input_is_output = input != &chain->source,
        .truth = input->truth,
        .checker = output_checker(chain),
        .compare_budget = COMPARE_BUDGET,
    };
    step->input_file_count = input->file_count;
    for (size_t i = 0; i < input->file_count; i++)
        step->input_files[i] = input->files[i].name;
    case_target_options(testcase, operation, &step->step.options);
    step->fit_is_cheap = case_fit_allowed(testcase, operation);
    choose_snapshot(step, input);
    if (step->step.options.size_only)
        choose_size(step, testcase);
    for (int side = 0; side < SIDES; side++)
        begin_side(step, chain, side);
}

// In some cases a command that takes a shortcut runs by plain execution, too, and must be the same.
static int run_call(struct chain *chain, const struct tool *tool, const struct tool_call *call,
                    struct exec_outcome *outcome, struct fault *fault) {
    if (!chain->both_ways || chain->room.plain || tool->backend == EXEC_PLAIN)
        return tool_run(tool, call, &chain->room, outcome, fault);
    struct buffer words = {0};
    int same = tool_run_both(tool, call, 1, &chain->room, outcome, &words, fault);
    // A fork has no past: what it does once and not again is the tool's own (instar counts spins).
    // Of a worker it is its past that is asked for.
    if (same == BOTH_DIFFER && tool->backend != EXEC_PERSISTENT) {
        buffer_clear(&words);
        same = tool_run_both(tool, call, 1, &chain->room, outcome, &words, fault);
    }
    chain->stats->both_ways += same == BOTH_SAME;
    if (same == BOTH_DIFFER) {
        tool_forget_self_tests(chain->room.self_tests);
        fault_set(fault, "%s does not answer %s as by plain execution: %s", tool->name,
                  exec_backend_names[tool->backend], words.data);
    }
    buffer_free(&words);
    return same < 0 || same == BOTH_DIFFER ? -1 : 0;
}

int step_call(struct chain *chain, const struct tool *tool, const struct tool_call *call,
              struct exec_outcome *outcome, enum outcome_class *class, struct fault *fault) {
    chain->stats->commands++;
    if (run_call(chain, tool, call, outcome, fault))
        return -1;
    *class = tool_classify(tool, call->op, outcome);
    if (*class != OUTCOME_USAGE)
        return 0;
    struct tool_argv argv;
    struct buffer words = {0};
    char said[160];
    tool_argv_build(tool, call, &argv);
    tool_argv_words(&argv, tool->path, &words);
    // One line, printable: a tool's own text must not look like a line of ours.
    fault_set(fault, "%s does not understand our command line `%s`: %s", tool->name, words.data,
              tool_first_line(&outcome->err, said, sizeof said));
    buffer_free(&words);
    return -1;
}

static void describe_call(struct step_record *step, int side, size_t index) {
    struct tool_call *call = &step->calls[side];
    *call = (struct tool_call){.op = step->step.op,
                               .input = step->step.input_name,
                               .input_format = step->step.source,
                               .target = step->step.target,
                               .options = step->step.options};
    if (call->options.size_only)
        call->size = step->step.truth.asked_size;
    if (call->options.snapshot)
        call->snapshot = case_snapshot_id(call->options.snapshot - 1);
    if (!operation_writes(call->op))
        return;
    snprintf(step->outputs[side], sizeof step->outputs[side], "%c.out%zu.%s", 'a' + side, index + 1,
             image_driver(call->target)->name);
    call->output = step->outputs[side];
}

bool step_cannot_tell_format(const struct tool *tool, enum operation op,
                             const struct material *input) {
    return tool->kind == TOOL_INSTAR && op != OP_MEASURE && input->probed != input->truth.format;
}

// The convert that belongs to a measure.
static int fit_measure(struct step_record *step, struct chain *chain, int side, size_t index,
                       const struct material *input, struct fault *fault) {
    const struct tool_call *call = &step->calls[side];
    if ((!output_is_fitted(call->target) && !(chain->cross_turn >> CROSS_CHECK_FIT & 1)) ||
        call->options.size_only || step_cannot_tell_format(&chain->tools[side], OP_CONVERT, input))
        return 0;
    step_side(step, side)->fit_costs_too_much = !step->fit_is_cheap;
    return step->fit_is_cheap ? output_fit(step, chain, side, index, fault) : 0;
}

// What follows a command that succeeded.
static int follow_up(struct step_record *step, struct chain *chain, int side, size_t index,
                     const struct material *input, struct fault *fault) {
    int status = 0;
    if (operation_writes(step->step.op))
        status = output_open(step, chain, side, fault) || output_check(step, chain, side, fault) ||
                 third_ask(step, chain, side, index, fault);
    else if (step->step.op == OP_MEASURE)
        status = fit_measure(step, chain, side, index, input, fault);
    return status || cross_ask(step, chain, side, index, input, fault) ? -1 : 0;
}

static void note_modified(struct step_record *step, const struct chain *chain, int side,
                          const struct material *input) {
    if (step->step.source_modified || step->step.options.size_only ||
        !material_modified(input, chain->room.workdir->case_path))
        return;
    step->step.source_modified = true;
    snprintf(step->step.modified_by, sizeof step->step.modified_by, "%s", chain->tools[side].role);
}

// What a command has come to, and what follows from it.
static int take_answer(struct step_record *step, struct chain *chain, int side, size_t index,
                       const struct material *input, enum outcome_class class,
                       struct fault *fault) {
    step->results[side].class = class;
    tool_parse(step_side(step, side)->tool, step->step.op, &step->outcomes[side],
               &step->results[side]);
    bool succeeded = class == OUTCOME_OK || class == OUTCOME_CLEAN || class == OUTCOME_LEAKS;
    return succeeded ? follow_up(step, chain, side, index, input, fault) : 0;
}

static int run_side(struct step_record *step, struct chain *chain, int side, size_t index,
                    const struct material *input, struct fault *fault) {
    struct oracle_side *to = step_side(step, side);
    const struct tool_call *call = &step->calls[side];
    describe_call(step, side, index);
    if (!to->tool->available) {
        to->why_not = "unavailable";
        return 0;
    }
    if (!tool_supports(to->tool, call, &to->why_not))
        return 0;
    if (step_cannot_tell_format(to->tool, call->op, input)) {
        to->why_not = "format_by_content";
        return 0;
    }
    if (step->step.source_modified) {
        to->why_not = "input_was_modified"; // whatever it said would be about another file
        return 0;
    }
    to->ran = true;
    tool_argv_build(to->tool, call, &step->argv[side]);
    enum outcome_class class;
    coverage_begin(chain, to->tool);
    if (step_call(chain, to->tool, call, &step->outcomes[side], &class, fault) ||
        coverage_end(chain, to->tool, call, index, class, fault))
        return -1;
    int status = take_answer(step, chain, side, index, input, class, fault);
    note_modified(step, chain, side, input);
    return status;
}

// The side of instar that alone passed its deadline, or -1.
static int slow_instar(struct step_record *step) {
    int slow = -1;
    for (int side = 0; side < SIDES; side++) {
        const struct oracle_side *to = step_side(step, side);
        if (!to->ran || step->results[side].class != OUTCOME_TIMEOUT)
            continue;
        if (slow >= 0 || to->tool->kind != TOOL_INSTAR)
            return -1;
        slow = side;
    }
    return slow;
}

// Is a long run of what passed its deadline of interest: as a hang that is new, or as the way to
// what is looked for?
static bool wants_long_run(const struct step_record *step, const struct chain *chain, int slow) {
    char signature[SIGNATURE_ROOM];
    struct judgement hang = {.oracle = oracle_named("tool_hang")};
    snprintf(hang.detail, sizeof hang.detail, "%s", chain->tools[slow].role);
    oracle_signature(&step->step, &hang, signature, sizeof signature);
    return chain->sought || !chain->stop_at || chain->stop_at(chain->stop_context, signature);
}

// Does the long run say what a replay on a quiet machine would? instar's guest counts spins, so
// that a refusal may be the machine's.
static bool is_answer(enum outcome_class class, const struct exec_outcome *outcome) {
    return class != OUTCOME_TIMEOUT && !(class == OUTCOME_REFUSED && exec_outcome_starved(outcome));
}

// A command that passed its deadline gets one long run, alone, before anybody calls it a hang. What
// it answers then counts as if it had come in time.
static int rerun_slow(struct step_record *step, struct chain *chain, size_t index,
                      const struct material *input, struct fault *fault) {
    int slow = slow_instar(step);
    if (slow < 0 || !wants_long_run(step, chain, slow))
        return 0;
    struct tool_room usual = chain->room;
    chain->room.deadline_ms *= HANG_FACTOR;
    chain->room.plain = true;
    if (operation_writes(step->step.op))
        output_remove(chain, &step->calls[slow]); // half a file
    enum outcome_class class;
    int status = step_call(chain, &chain->tools[slow], &step->calls[slow], &step->outcomes[slow],
                           &class, fault);
    chain->room = usual;
    step->step.deadline_is_final = status == 0 && class == OUTCOME_TIMEOUT;
    if (status == 0 && is_answer(class, &step->outcomes[slow]))
        status = take_answer(step, chain, slow, index, input, class, fault);
    note_modified(step, chain, slow, input);
    return status;
}

static int run_and_judge(struct step_record *step, struct chain *chain, size_t index,
                         const struct material *input, struct fault *fault) {
    for (int side = 0; side < SIDES; side++)
        if (run_side(step, chain, side, index, input, fault))
            return -1;
    if (coverage_follow(step, chain, index, input, fault))
        return -1;
    if (rerun_slow(step, chain, index, input, fault))
        return -1;
    oracle_judge(&step->step, &step->judgements);
    step->done = true;
    return 0;
}

int step_run(struct step_record *step, struct chain *chain, size_t index,
             const struct material *input, struct fault *fault) {
    int status = run_and_judge(step, chain, index, input, fault);
    cross_judged(step);
    return status;
}
