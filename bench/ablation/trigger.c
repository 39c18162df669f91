// SPDX-License-Identifier: Apache-2.0
//
// The linker puts these functions in front of the harness's own (--wrap), for as long as a case is
// looked at.
#include "trigger.h"

#include "chain.h"
#include "harness.h"
#include "image/identity.h"
#include "oracles/model.h"
#include "output.h"
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct settings settings;
static struct harness *harness;
static struct trigger *looking; // NULL: the harness is itself
static uint64_t promised;       // fully-allocated, of the latest measure

// --- the case without judges ---------------------------------------------------------------------

int __real_chain_run(struct chain *chain, const struct testcase *testcase, struct record *record,
                     struct fault *fault);
int __wrap_chain_run(struct chain *chain, const struct testcase *testcase, struct record *record,
                     struct fault *fault);
void __real_oracle_judge(const struct oracle_step *step, struct judgements *judgements);
void __wrap_oracle_judge(const struct oracle_step *step, struct judgements *judgements);
int __real_output_check(struct step_record *step, struct chain *chain, int side,
                        struct fault *fault);
int __wrap_output_check(struct step_record *step, struct chain *chain, int side,
                        struct fault *fault);
bool __real_material_modified(const struct material *material, const char *directory);
bool __wrap_material_modified(const struct material *material, const char *directory);

static bool reads(const struct testcase *testcase, uint32_t input) {
    for (size_t i = 1; i < testcase->operation_count; i++)
        if (testcase->operations[i].input == input)
            return true;
    return false;
}

int __wrap_chain_run(struct chain *chain, const struct testcase *testcase, struct record *record,
                     struct fault *fault) {
    if (looking) {
        chain->tools[SIDE_B].available = reads(testcase, INPUT_B_OUTPUT);
        chain->third_turn = chain->both_ways = chain->counting = false;
        chain->cross_turn = 0;
    }
    return __real_chain_run(chain, testcase, record, fault);
}

void __wrap_oracle_judge(const struct oracle_step *step, struct judgements *judgements) {
    if (!looking)
        __real_oracle_judge(step, judgements);
}

int __wrap_output_check(struct step_record *step, struct chain *chain, int side,
                        struct fault *fault) {
    return looking ? 0 : __real_output_check(step, chain, side, fault);
}

bool __wrap_material_modified(const struct material *material, const char *directory) {
    return !looking && __real_material_modified(material, directory);
}

// --- one command ---------------------------------------------------------------------------------

#define OUTPUTS_MAX 2

struct command {
    const struct tool_call *call;
    const char *directory;
    struct tool_argv argv;
    char outputs[OUTPUTS_MAX][4096], kept[OUTPUTS_MAX][4104];
    size_t count;
};

static void name_outputs(struct command *command) {
    char extent[IMAGE_NAME_ROOM];
    const struct tool_call *call = command->call;
    const char *names[OUTPUTS_MAX] = {call->output, extent};
    command->count = !operation_writes(call->op)                      ? 0
                     : tool_output_extent(call, call->output, extent) ? 2
                                                                      : 1;
    for (size_t i = 0; i < command->count; i++) {
        snprintf(command->outputs[i], sizeof command->outputs[i], "%s/%s", command->directory,
                 names[i]);
        snprintf(command->kept[i], sizeof command->kept[i], "%s.kept", command->outputs[i]);
    }
}

static bool is_there(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

// 1: the lie wrote what the honest program wrote.
static int same_files(const struct command *command, struct fault *fault) {
    char where[160];
    for (size_t i = 0; i < command->count; i++) {
        bool one = is_there(command->kept[i]), two = is_there(command->outputs[i]);
        enum image_format format = i ? IMAGE_RAW : command->call->target;
        int same = one && two ? image_files_same(command->kept[i], command->outputs[i], format,
                                                 where, sizeof where, fault)
                              : one == two;
        if (same != 1)
            return same;
    }
    return 1;
}

static uint64_t size_of(const struct command *command) {
    struct stat status;
    uint64_t size = 0;
    for (size_t i = 0; i < command->count; i++)
        size += stat(command->outputs[i], &status) ? 0 : (uint64_t)status.st_size;
    return size;
}

// What the measure before said at most; the convert that belongs to it comes right behind.
static void note_promise(const struct tool_call *call, const struct subject_answer *honest) {
    static const char name[] = "\"fully-allocated\":";
    const char *at = call->op == OP_MEASURE ? strstr(honest->out.data, name) : NULL;
    if (call->op == OP_MEASURE)
        promised = at ? strtoull(at + sizeof name - 1, NULL, 10) : UINT64_MAX;
}

// The convert that the harness lets a measure be followed by (harness/output.c).
static bool is_fit(const struct command *command) {
    return command->count && strstr(command->call->output, ".fit");
}

// As oracles/measure_bounds.c sees it.
static bool outgrows(const struct command *command) {
    const struct tool_call *call = command->call;
    if (!is_fit(command))
        return false;
    uint64_t unit = model_target_unit(call->target, &call->options), size = size_of(command);
    return size > promised && size - promised > (unit > 65536 ? unit : 65536);
}

// 1: with the lie the answer is another one.
static int changes(struct command *command, int lie, const struct subject_answer *honest,
                   struct fault *fault) {
    static struct subject_answer lying;
    for (size_t i = 0; i < command->count; i++)
        rename(command->outputs[i], command->kept[i]);
    int same = subject_run(command->argv.items, command->directory, lie, &lying, fault);
    if (same == 0)
        same = lying.status == honest->status && lying.out.length == honest->out.length &&
                       memcmp(lying.out.data, honest->out.data, honest->out.length) == 0
                   ? same_files(command, fault)
                   : 0;
    if (!(looking->growing >> lie & 1) || outgrows(command))
        looking->telling |= same ? 0 : 1u << lie;
    for (size_t i = 0; i < command->count; i++) {
        unlink(command->outputs[i]);
        rename(command->kept[i], command->outputs[i]);
    }
    return same < 0 ? -1 : !same;
}

static void take_buffer(struct buffer *to, const struct buffer *from) {
    buffer_clear(to);
    buffer_append(to, from->data, from->length);
    buffer_reserve(to, 0);
}

static void take_answer(struct exec_outcome *outcome, const struct subject_answer *answer) {
    struct buffer out = outcome->out, err = outcome->err;
    take_buffer(&out, &answer->out);
    take_buffer(&err, &answer->err);
    *outcome =
        (struct exec_outcome){.end = EXEC_EXITED, .value = answer->status, .out = out, .err = err};
}

static int ask(const struct tool *tool, const struct tool_call *call, const char *directory,
               struct exec_outcome *outcome, struct fault *fault) {
    static struct command command;
    static struct subject_answer honest;
    command.call = call;
    command.directory = directory;
    tool_argv_build(tool, call, &command.argv);
    name_outputs(&command);
    if (subject_run(command.argv.items, directory, SUBJECT_HONEST, &honest, fault))
        return -1;
    looking->reached |= honest.asked;
    note_promise(call, &honest);
    for (int lie = 0; lie < SUBJECT_LIES_MAX; lie++) {
        uint32_t bit = 1u << lie;
        uint32_t known = looking->telling | (is_fit(&command) ? 0 : looking->triggered);
        uint32_t open = looking->wanted & ~known;
        if (!(honest.asked & open & bit))
            continue;
        int changed = changes(&command, lie, &honest, fault);
        if (changed < 0)
            return -1;
        looking->triggered |= changed ? bit : 0;
    }
    take_answer(outcome, &honest);
    return 0;
}

int __real_tool_run(const struct tool *tool, const struct tool_call *call, struct tool_room *room,
                    struct exec_outcome *outcome, struct fault *fault);
int __wrap_tool_run(const struct tool *tool, const struct tool_call *call, struct tool_room *room,
                    struct exec_outcome *outcome, struct fault *fault);

int __wrap_tool_run(const struct tool *tool, const struct tool_call *call, struct tool_room *room,
                    struct exec_outcome *outcome, struct fault *fault) {
    if (looking && tool->is_standin)
        return ask(tool, call, room->workdir->case_path, outcome, fault);
    if (!looking || operation_writes(call->op))
        return __real_tool_run(tool, call, room, outcome, fault);
    take_answer(outcome, &(struct subject_answer){.status = 1});
    return 0;
}

// --- opening and asking --------------------------------------------------------------------------

int trigger_open(struct fault *fault) {
    bool unavailable;
    if (settings_read(&settings, fault))
        return -1;
    settings.pair = PAIR_STANDIN;
    settings.exec = TOOL_EXEC_PLAIN; // a self-test takes longer than it would save
    settings.out = settings.seen = NULL;
    return harness_open(&harness, &settings, &unavailable, fault);
}

int trigger_run(struct trigger *trigger, const uint8_t *data, size_t size, struct fault *fault) {
    char signature[SIGNATURE_ROOM];
    trigger->reached = trigger->triggered = trigger->telling = 0;
    looking = trigger;
    int status = harness_run(harness, data, size, signature, fault);
    looking = NULL;
    return status < 0 ? -1 : 0;
}

void trigger_close(void) {
    harness_close(harness);
}

void trigger_disarm(void) {
    looking = NULL;
}
