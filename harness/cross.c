// SPDX-License-Identifier: Apache-2.0
//
// The table of cross-checks: at which steps each belongs, and how its command is made. The answers
// go into the record of the step and, by the same index, into struct oracle_side. What they mean is
// for the oracles.
#include "cross.h"

#include "base/bytes.h"
#include "exec/clock.h"
#include "output.h"
#include "turn.h"

#include <stdio.h>
#include <string.h>

struct question {
    enum cross_check check;
    struct step_record *step;
    struct chain *chain;
    const struct material *input;
    int side;
    size_t index; // of the step
};

// --- an image in which one byte is another -----------------------------------------------------

struct changed {
    struct image_source of;
    uint64_t at; // guest offset of that byte
};

#define SECTOR 512ull

static int changed_extent(void *context, uint64_t offset, struct image_extent *extent,
                          struct fault *fault) {
    const struct changed *changed = context;
    uint64_t start = round_down(changed->at, SECTOR);
    uint64_t end = min_u64(start + SECTOR, changed->of.size);
    if (offset >= start && offset < end) {
        *extent = (struct image_extent){offset, end - offset, IMAGE_DATA};
        return 0;
    }
    if (changed->of.extent(changed->of.context, offset, extent, fault))
        return -1;
    if (offset < start)
        extent->length = min_u64(extent->length, start - offset);
    return 0;
}

static int changed_read(void *context, uint64_t offset, void *buffer, size_t length,
                        struct fault *fault) {
    const struct changed *changed = context;
    if (changed->of.read(changed->of.context, offset, buffer, length, fault))
        return -1;
    if (changed->at >= offset && changed->at - offset < length)
        ((uint8_t *)buffer)[changed->at - offset] ^= 1;
    return 0;
}

// The places where a comparison may stop too early: the end, the middle, and where the written
// range begins that lies highest. The step's number takes them in turn.
static uint64_t place_of(const struct content *content, size_t index) {
    if (index % 3 == 0)
        return content->size - 1;
    if (index % 3 == 1 || !content->count)
        return content->size / 2;
    return content->extents[content->count - 1].offset;
}

// Writes it beside the input, once for both tools. false: there is none, or it would be taken for
// an image of another format.
static bool make_other(const struct question *question) {
    struct step_record *step = question->step;
    const struct content *content = step->step.truth.content;
    const char *folder = question->chain->room.workdir->case_path;
    char path[4096];
    struct fault fault = {0};
    if (step->other[0])
        return true;
    if (!content || !content->size)
        return false;
    struct changed changed = {.at = place_of(content, question->index)};
    content_as_source(content, &changed.of);
    const struct image_source source = {
        .size = content->size, .extent = changed_extent, .read = changed_read, .context = &changed};
    const struct image_options plain = {0};
    struct image_written written = {0};
    char name[sizeof step->other];
    enum image_format probed;
    snprintf(name, sizeof name, "c.other%zu.raw", question->index + 1);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    bool made = image_write(path, IMAGE_RAW, &plain, &source, &written, &fault) == 0 &&
                image_probe(path, &probed, &fault) == 0 && probed == IMAGE_RAW;
    image_written_free(&written);
    if (made)
        memcpy(step->other, name, sizeof name);
    return made;
}

// --- a copy of the input that is no longer sound ------------------------------------------------

#define DAMAGED_MOST (16ull << 20) // bytes to copy

static uint64_t hash_of_input(const struct question *question) {
    const struct material *input = question->input;
    for (size_t i = 0; i < input->file_count; i++)
        if (strcmp(input->files[i].name, input->name) == 0)
            return input->files[i].hash;
    return 0;
}

// Once for both tools. false: there is none.
static bool has_damaged(const struct question *question, enum image_damage damage) {
    struct step_record *step = question->step;
    const char *folder = question->chain->room.workdir->case_path;
    char from[4096], to[4096], name[sizeof *step->damaged];
    if (step->damages_tried >> damage & 1)
        return step->damaged[damage][0];
    step->damages_tried |= 1u << damage;
    snprintf(name, sizeof name, "c.damage%zu-%s.%s", question->index + 1,
             image_damage_names[damage], image_driver(step->step.source)->name);
    snprintf(from, sizeof from, "%s/%s", folder, step->step.input_name);
    snprintf(to, sizeof to, "%s/%s", folder, name);
    struct fault none;
    if (image_damage(from, to, step->step.source, damage, hash_of_input(question), DAMAGED_MOST,
                     &none))
        return false;
    memcpy(step->damaged[damage], name, sizeof name);
    return true;
}

// --- the questions -----------------------------------------------------------------------------

static bool map_input(const struct question *question, struct tool_call *call) {
    struct oracle_step *step = &question->step->step;
    char path[4096];
    call->op = OP_MAP;
    if (step->options.size_only)
        return false;
    snprintf(path, sizeof path, "%s/%s", question->chain->room.workdir->case_path,
             step->input_name);
    if (!step->input_file && question->input->file_count == 1)
        image_open(&step->input_file, path, IMAGE_RAW, NULL);
    return true;
}

static bool check_fit(const struct question *question, struct tool_call *call) {
    const struct step_record *step = question->step;
    call->op = OP_CHECK;
    call->input = step->fits[question->side];
    call->input_format = step->step.target;
    const struct oracle_side *side = question->side == SIDE_A ? &step->step.a : &step->step.b;
    return side->has_converted && call->input_format != IMAGE_RAW;
}

// Is what was converted the disk that a command without options sees?
static bool is_active_disk(const struct question *question) {
    return !question->step->step.options.snapshot;
}

static bool measure_input(const struct question *question, struct tool_call *call) {
    const struct oracle_step *step = &question->step->step;
    call->op = OP_MEASURE;
    call->target = IMAGE_QCOW2;
    call->options = (struct target_options){.cluster_bits = step->options.cluster_bits,
                                            .extended_l2 = step->options.extended_l2};
    // Zeros that are to be stored are stored.
    return step->target == IMAGE_QCOW2 && is_active_disk(question) && !step->options.no_skip_zeros;
}

static bool measure_output(const struct question *question, struct tool_call *call) {
    bool asked = measure_input(question, call);
    call->input = question->step->outputs[question->side];
    call->input_format = IMAGE_QCOW2;
    return asked;
}

static bool is_recognised(const struct question *question, const char *name,
                          enum image_format format) {
    char path[4096];
    enum image_format probed;
    snprintf(path, sizeof path, "%s/%s", question->chain->room.workdir->case_path, name);
    return image_probe(path, &probed, NULL) == 0 && probed == format;
}

static bool compare_output(const struct question *question, struct tool_call *call) {
    call->op = OP_COMPARE;
    call->output = question->step->outputs[question->side];
    call->target = question->step->step.target;
    bool by_content = question->chain->tools[question->side].kind == TOOL_INSTAR;
    return is_active_disk(question) &&
           (!by_content || is_recognised(question, call->output, call->target));
}

static bool compare_other(const struct question *question, struct tool_call *call) {
    call->op = OP_COMPARE;
    call->target = IMAGE_RAW;
    if (!is_active_disk(question) || !make_other(question))
        return false;
    call->output = question->step->other;
    return true;
}

// Of a copy of what a tool finds leaking as it is, its leaks say nothing.
static bool can_tell(const struct tool_result *of_input, enum image_damage damage) {
    return of_input->class == OUTCOME_CLEAN || damage > DAMAGE_EXCESS;
}

// Only of what was built here it is certain that nothing else is wrong with it.
static bool check_damaged(const struct question *question, struct tool_call *call) {
    const struct oracle_step *step = &question->step->step;
    enum image_damage damage = (enum image_damage)(question->check - CROSS_CHECK_DAMAGED);
    call->op = OP_CHECK;
    if (!oracle_input_is_built(step) ||
        !can_tell(&question->step->results[question->side], damage) ||
        !has_damaged(question, damage))
        return false;
    call->input = question->step->damaged[damage];
    return true;
}

// The step's own command, of a copy that is to be refused. What is opened does not depend on the
// target, so one of them stands for all: each would be another signature. An unknown compression
// hinders only who needs the bytes.
static bool read_refused(const struct question *question, struct tool_call *call) {
    struct step_record *step = question->step;
    enum image_damage damage = (enum image_damage)(question->check - CROSS_CHECK_DAMAGED);
    *call = step->calls[question->side];
    if (!oracle_input_is_built(&step->step) || step->step.options.size_only ||
        (operation_has_target(call->op) && call->target != IMAGE_RAW) ||
        (damage == DAMAGE_COMPRESSION && (!operation_writes(call->op) || call->options.snapshot)) ||
        !has_damaged(question, damage))
        return false;
    call->input = step->damaged[damage];
    if (!operation_writes(call->op))
        return true;
    snprintf(step->accepted, sizeof step->accepted, "c.accepted%zu.%s", question->index + 1,
             image_driver(call->target)->name);
    call->output = step->accepted;
    return true;
}

#define WRITES (1u << OP_CONVERT | 1u << OP_CONVERT_COMPRESSED)
#define READS  (1u << OP_INFO | 1u << OP_CHECK | 1u << OP_MEASURE)

// One for each check below CROSS_CHECK_DAMAGED, and one for each kind of damage.
enum { ROW_DAMAGED = CROSS_CHECK_DAMAGED, ROW_REFUSE, ROWS };

static const struct cross_row {
    unsigned share; // one case in so many
    unsigned ops;   // bit set of the operations that it is asked beside
    bool by_qemu_img;
    // Completes a call that reads the step's input; false: there is nothing to ask.
    bool (*describe)(const struct question *question, struct tool_call *call);
} rows[ROWS] = {
    [CROSS_MAP] = {5, 1u << OP_MEASURE, false, map_input},
    [CROSS_CHECK_FIT] = {7, 1u << OP_MEASURE, true, check_fit},
    [CROSS_MEASURE_INPUT] = {5, WRITES, false, measure_input},
    [CROSS_MEASURE_OUTPUT] = {5, WRITES, false, measure_output},
    [CROSS_COMPARE_OUTPUT] = {29, WRITES, false, compare_output},
    [CROSS_COMPARE_OTHER] = {29, WRITES, false, compare_other},
    [ROW_DAMAGED] = {7, 1u << OP_CHECK, false, check_damaged},
    [ROW_REFUSE] = {11, READS | 1u << OP_CONVERT, false, read_refused},
};

static const struct cross_row *row_of(int check) {
    if (check < CROSS_CHECK_DAMAGED)
        return &rows[check];
    return &rows[check < CROSS_REFUSE ? ROW_DAMAGED : ROW_REFUSE];
}

unsigned cross_turns(const uint8_t *data, size_t size) {
    unsigned turns = 0;
    for (int check = 0; check < CROSS_CHECKS; check++)
        turns |= turn_of(data, size, row_of(check)->share) ? 1u << check : 0;
    return turns;
}

static int ask(const struct question *question, const struct tool *tool,
               const struct tool_call *call, struct fault *fault) {
    struct cross_record *record = &question->step->beside[question->side][question->check];
    struct oracle_side *side = step_side(question->step, question->side);
    enum outcome_class class;
    record->tool = tool;
    tool_argv_build(tool, call, &record->argv);
    if (step_call(question->chain, tool, call, &record->outcome, &class, fault))
        return -1;
    if (operation_writes(call->op))
        output_remove(question->chain, call);
    tool_parse(tool, call->op, &record->outcome, &record->result);
    side->beside[question->check] = (struct cross_answer){&record->result, &record->outcome};
    return 0;
}

int cross_ask(struct step_record *step, struct chain *chain, int side, size_t index,
              const struct material *input, struct fault *fault) {
    struct question question = {
        .step = step, .chain = chain, .input = input, .side = side, .index = index};
    if (chain->confirming && chain->confirming->step != index)
        return 0;
    for (int check = 0; check < CROSS_CHECKS; check++) {
        const struct cross_row *row = row_of(check);
        const struct tool *tool = row->by_qemu_img ? output_checker(chain) : &chain->tools[side];
        struct tool_call call = {.input = step->step.input_name, .input_format = step->step.source};
        question.check = (enum cross_check)check;
        if (!(chain->cross_turn >> check & 1) || !(row->ops & 1u << step->step.op) || !tool ||
            clock_us() > chain->deadline_us || !row->describe(&question, &call) ||
            !tool_supports(tool, &call, NULL))
            continue;
        bool of_input = call.input == step->step.input_name;
        if (of_input && step_cannot_tell_format(tool, call.op, input))
            continue;
        if (ask(&question, tool, &call, fault))
            return -1;
    }
    return 0;
}

void cross_judged(struct step_record *step) {
    image_close(step->step.input_file);
    step->step.input_file = NULL;
}

void cross_forget(struct step_record *step, int side) {
    for (int check = 0; check < CROSS_CHECKS; check++)
        tool_result_free(&step->beside[side][check].result);
}

void cross_free(struct step_record *step, int side) {
    cross_forget(step, side);
    for (int check = 0; check < CROSS_CHECKS; check++)
        exec_outcome_free(&step->beside[side][check].outcome);
}
