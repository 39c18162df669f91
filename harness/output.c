// SPDX-License-Identifier: Apache-2.0
//
// Outputs of a step. The question "can it be read?" has three answers: yes, no, and "nobody could
// say" (qemu-img was slow, or there is none); only a plain no accuses a tool.
#include "output.h"

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum reading { READ_OK, READ_REFUSED, READ_UNDECIDED };

static void case_path(const struct chain *chain, const char *name, char *path, size_t room) {
    snprintf(path, room, "%s/%s", chain->room.workdir->case_path, name);
}

static uint64_t file_size(const struct chain *chain, const char *name) {
    char path[4096];
    struct stat info;
    case_path(chain, name, path, sizeof path);
    return stat(path, &info) ? 0 : (uint64_t)info.st_size;
}

// All files of what a call wrote: monolithicFlat keeps its bytes beside the descriptor.
static uint64_t written_size(const struct chain *chain, const struct tool_call *call) {
    char extent[IMAGE_NAME_ROOM];
    uint64_t size = file_size(chain, call->output);
    return tool_output_extent(call, call->output, extent) ? size + file_size(chain, extent) : size;
}

void output_remove(const struct chain *chain, const struct tool_call *call) {
    char extent[IMAGE_NAME_ROOM], path[4096];
    case_path(chain, call->output, path, sizeof path);
    unlink(path);
    if (!tool_output_extent(call, call->output, extent))
        return;
    case_path(chain, extent, path, sizeof path);
    unlink(path);
}

const struct tool *output_checker(const struct chain *chain) {
    for (int side = SIDES - 1; side >= 0; side--)
        if (chain->tools[side].kind == TOOL_QEMU_IMG && chain->tools[side].available)
            return &chain->tools[side];
    return NULL;
}

// Lets qemu-img turn `name` into a raw file beside it. -1: harness error.
static int flatten(struct chain *chain, const char *name, enum image_format format, char *raw,
                   size_t room, enum reading *reading, bool *died, char *why, size_t why_room,
                   struct fault *fault) {
    static struct exec_outcome outcome;
    enum outcome_class class;
    const struct tool *tool = output_checker(chain);
    *reading = READ_UNDECIDED;
    snprintf(raw, room, "%s.raw", name);
    struct tool_call call = {.op = OP_CONVERT,
                             .input = name,
                             .input_format = format,
                             .output = raw,
                             .target = IMAGE_RAW};
    if (!tool || !tool_supports(tool, &call, NULL))
        return 0; // one that was built without the format refuses every such file
    if (step_call(chain, tool, &call, &outcome, &class, fault))
        return -1;
    if (class == OUTCOME_OK)
        *reading = READ_OK;
    else if (class == OUTCOME_REFUSED)
        *reading = READ_REFUSED;
    *died = class == OUTCOME_SIGNAL;
    snprintf(why, why_room, "%s: %.200s", tool->name, outcome.err.data ? outcome.err.data : "");
    return 0;
}

// The second opinion on a file that our reader opened (`to->output`) or did not.
static int ask_qemu_img(struct step_record *step, struct chain *chain, int side, const char *own,
                        struct fault *fault) {
    struct oracle_side *to = step_side(step, side);
    char path[4096], raw[64], why[256] = "";
    enum reading reading;
    struct image *flat = NULL;
    if (flatten(chain, step->outputs[side], step->step.target, raw, sizeof raw, &reading,
                &to->reader_died, why, sizeof why, fault))
        return -1;
    if (reading == READ_OK) {
        case_path(chain, raw, path, sizeof path);
        if (image_open(&flat, path, IMAGE_RAW, NULL))
            reading = READ_UNDECIDED;
    }
    to->output_undecided = reading == READ_UNDECIDED;
    if (reading == READ_UNDECIDED)
        return 0;
    image_close(to->output);
    to->output = flat;
    step->flattened[side] = reading == READ_OK;
    if (reading == READ_REFUSED)
        snprintf(to->output_fault, sizeof to->output_fault, "%s; %.120s",
                 *own ? own : "our reader opens it", why);
    return 0;
}

// What is compressed, and the first byte that is not stored. Walking a map costs as reading it
// does, so only where somebody asks.
static void note_stored(struct oracle_written *written, struct image *image, uint64_t size) {
    struct image_map map = {0};
    uint64_t stored = 0; // up to here
    written->compressed = false;
    written->gap = UINT64_MAX;
    if (image_map_of(image, &map, NULL) == 0) {
        for (size_t i = 0; i < map.count; i++) {
            const struct image_extent *extent = &map.extents[i];
            written->compressed |= extent->state == IMAGE_COMPRESSED;
            if (image_state_is_stored(extent->state) && extent->offset == stored)
                stored += extent->length;
        }
        if (stored < min_u64(size, image->virtual_size))
            written->gap = stored;
    } else {
        written->known = false;
    }
    image_map_free(&map);
}

static void note_written(const struct oracle_step *step, struct oracle_side *to) {
    struct oracle_written *written = &to->written;
    *written = (struct oracle_written){.known = true, .unit = to->output->unit};
    to->output->driver->info(to->output, &written->info);
    if (step->options.no_skip_zeros || step->op == OP_CONVERT_COMPRESSED)
        note_stored(written, to->output, step->truth.shown_size);
}

int output_open(struct step_record *step, struct chain *chain, int side, struct fault *fault) {
    struct oracle_side *to = step_side(step, side);
    char path[4096];
    struct fault own = {0};
    case_path(chain, step->outputs[side], path, sizeof path);
    to->output_file_size = written_size(chain, &step->calls[side]);
    enum image_format target = step->step.target;
    bool opens = image_open(&to->output, path, target, &own) == 0;
    if (target == IMAGE_RAW) {
        // A raw file that is not there or no file at all: nothing to ask qemu-img about.
        if (!opens)
            snprintf(to->output_fault, sizeof to->output_fault, "%.250s", own.text);
        return 0;
    }
    if (opens)
        note_written(&step->step, to);
    own.text[120] = 0;
    return opens && chain->confirming == NULL ? 0
                                              : ask_qemu_img(step, chain, side, own.text, fault);
}

int output_check(struct step_record *step, struct chain *chain, int side, struct fault *fault) {
    static struct exec_outcome outcome;
    struct oracle_side *to = step_side(step, side);
    const struct tool *tool = output_checker(chain);
    struct tool_call call = {
        .op = OP_CHECK, .input = step->outputs[side], .input_format = step->step.target};
    const char *why;
    // Where a format has no checks the answer still tells whether it can be opened; raw always can.
    if (!tool || !tool_supports(tool, &call, &why) || step->step.target == IMAGE_RAW)
        return 0;
    enum outcome_class class;
    if (step_call(chain, tool, &call, &outcome, &class, fault))
        return -1;
    tool_result_free(&to->output_check);
    to->output_check.class = class;
    tool_parse(tool, OP_CHECK, &outcome, &to->output_check);
    return 0;
}

bool output_is_fitted(enum image_format target) {
    return target == IMAGE_VMDK || target == IMAGE_VPC || target == IMAGE_VHDX;
}

// Makes a measure into the convert that is held against it; false if the tool cannot do it with the
// same options.
static bool fit_call(const struct tool *tool, struct tool_call *call) {
    uint32_t *subformat = &call->options.vmdk_subformat;
    if (call->options.size_only)
        return false; // a size alone cannot be converted
    call->op = call->target == IMAGE_VMDK && *subformat == SUBFORMAT_STREAM ? OP_CONVERT_COMPRESSED
                                                                            : OP_CONVERT;
    // The others are what convert does with and without -c.
    if (*subformat != SUBFORMAT_FLAT)
        *subformat = SUBFORMAT_NOT_GIVEN;
    return tool_supports(tool, call, NULL) && tool_honours_options(tool, call);
}

int output_fit(struct step_record *step, struct chain *chain, int side, size_t index,
               struct fault *fault) {
    struct oracle_side *to = step_side(step, side);
    const struct tool *tool = to->tool;
    struct tool_call call = step->calls[side];
    snprintf(step->fits[side], sizeof step->fits[side], "%c.fit%zu.%s", 'a' + side, index + 1,
             image_driver(call.target)->name);
    call.output = step->fits[side];
    if (!fit_call(tool, &call)) {
        step->fits[side][0] = 0;
        return 0;
    }
    tool_argv_build(tool, &call, &step->fit_argv[side]);
    if (step_call(chain, tool, &call, &step->fit_outcomes[side], &to->fit_class, fault))
        return -1;
    to->fit_outcome = &step->fit_outcomes[side];
    to->has_converted = to->fit_class == OUTCOME_OK;
    to->converted_size = written_size(chain, &call);
    return 0;
}

// A known divergence is no doubt about the bytes: what an entry explains is a value (a size, an
// outcome), the file says how long it is, and its content was judged all the same.
static bool diverged(const struct step_record *step) {
    for (size_t i = 0; i < step->judgements.count; i++)
        if (step->judgements.items[i].verdict == VERDICT_DIVERGENCE)
            return true;
    return false;
}

// In a confirmation the output was read through qemu-img; as an input of later steps it is still
// the file itself, whose allocation only our reader can tell.
static void adopt(struct step_record *step, struct chain *chain, size_t index, int side,
                  struct image *image) {
    const struct truth *input = &step->step.truth;
    char path[4096];
    case_path(chain, step->outputs[side], path, sizeof path);
    bool protected = chmod(path, 0444) == 0;
    for (size_t i = 0; protected && i < image->file_count; i++) {
        case_path(chain, image->files[i], path, sizeof path);
        protected = chmod(path, 0444) == 0;
    }
    if (!protected)
        return;
    material_adopt(&chain->outputs[index][side], chain->room.workdir->case_path,
                   step->outputs[side], image, diverged(step) ? NULL : input->content,
                   input->asked_size, NULL);
}

void output_end(struct step_record *step, struct chain *chain, size_t index, int side,
                bool is_input) {
    struct oracle_side *to = step_side(step, side);
    struct image *own = NULL;
    char path[4096];
    tool_result_free(&to->output_check);
    to->output_check.class = OUTCOME_CLASSES;
    if (!to->output)
        return;
    case_path(chain, step->outputs[side], path, sizeof path);
    if (is_input && !step->flattened[side])
        adopt(step, chain, index, side, to->output);
    else if (is_input && image_open(&own, path, step->step.target, NULL) == 0)
        adopt(step, chain, index, side, own);
    image_close(own);
    image_close(to->output);
    to->output = NULL;
}
