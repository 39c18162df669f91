// SPDX-License-Identifier: Apache-2.0
//
// Images come from the harness's own builder, so that every layout, chain and option that a
// campaign meets is met here; damage is what a campaign does not build, and where tools leave their
// usual ways.
#include "tests/soak/trial.h"

#include "base/bytes.h"
#include "base/file.h"
#include "testcase/fields.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_WRITES  8
#define MAX_BYTES   4           // damaged at once
#define METADATA    (4u << 20)  // all formats but fixed disks have theirs in front of this
#define MAX_GARBAGE (96u << 10) // bytes
#define HEAD        4096u

const char *const damage_names[DAMAGES] = {
    [DAMAGE_NONE] = "whole",
    [DAMAGE_BYTES] = "bytes damaged",
    [DAMAGE_CUT] = "cut short",
    [DAMAGE_GARBAGE] = "garbage",
};

// splitmix64: the same everywhere.
uint64_t random_next(struct random *random) {
    uint64_t x = random->state += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t random_below(struct random *random, uint64_t limit) {
    return random_next(random) % limit;
}

// Two sequences: a change of what is drawn for one leaves the other as it was.
enum stream { STREAM_CHOICE, STREAM_DAMAGE };

static struct random random_for(uint64_t seed, uint64_t index, enum stream stream) {
    struct random random = {seed * 1000003 + index * 104729 + stream * 7919};
    random_next(&random);
    return random;
}

// --- choosing ------------------------------------------------------------------------------------

// A field keeps its default more often than not, so that features meet in pairs and not all at
// once.
static void choose_fields(struct random *random, enum case_record kind, void *record,
                          uint64_t keep) {
    for (size_t i = 0; i < case_field_count; i++)
        if (case_fields[i].record == kind && random_below(random, 100) >= keep)
            case_field_set(&case_fields[i], record,
                           case_field_value(&case_fields[i], (uint32_t)random_next(random)));
}

static void choose_case(struct testcase *testcase, struct random *random) {
    case_decode(testcase, NULL, 0);
    choose_fields(random, RECORD_HEADER, testcase, 65);
    testcase->format = (uint32_t)random_below(random, IMAGE_FORMATS);
    testcase->write_count = (uint32_t)random_below(random, MAX_WRITES + 1);
    for (uint32_t i = 0; i < testcase->write_count; i++) {
        case_record_defaults(RECORD_WRITE, &testcase->writes[i]);
        choose_fields(random, RECORD_WRITE, &testcase->writes[i], 30);
    }
    testcase->operation_count = 1;
    case_record_defaults(RECORD_OPERATION, &testcase->operations[0]);
    choose_fields(random, RECORD_OPERATION, &testcase->operations[0], 60);
    testcase->operations[0].input = INPUT_SOURCE;
    testcase->operations[0].target = (uint32_t)random_below(random, IMAGE_FORMATS);
}

static enum operation choose_operation(struct random *random) {
    static const enum operation operations[] = {
        OP_INFO,    OP_INFO,    OP_CHECK,   OP_CHECK,   OP_MEASURE, OP_MEASURE,
        OP_CONVERT, OP_CONVERT, OP_CONVERT, OP_CONVERT, OP_CONVERT, OP_CONVERT_COMPRESSED};
    return operations[random_below(random, sizeof operations / sizeof *operations)];
}

static enum damage choose_damage(struct random *random) {
    uint64_t draw = random_below(random, 100);
    return draw < 45   ? DAMAGE_NONE
           : draw < 85 ? DAMAGE_BYTES
           : draw < 95 ? DAMAGE_CUT
                       : DAMAGE_GARBAGE;
}

void trial_choose(struct trial *trial, uint64_t seed, uint64_t index) {
    struct random random = random_for(seed, index, STREAM_CHOICE);
    trial->first_tool = random_below(&random, 5) > 0;
    trial->damage = choose_damage(&random);
    choose_case(&trial->testcase, &random);
    trial->testcase.operations[0].op = choose_operation(&random);
    if (!case_operation_allowed(&trial->testcase, &trial->testcase.operations[0], NULL))
        trial->testcase.operations[0].op = OP_INFO;
}

// --- damage --------------------------------------------------------------------------------------

// A place that is stored, most often in the first or the last bytes or where metadata lie.
static uint64_t choose_place(int fd, uint64_t size, struct random *random) {
    uint64_t draw = random_below(random, 10);
    if (draw < 4)
        return random_below(random, min_u64(size, HEAD) / 8 + 1);
    if (draw == 4)
        return size - 1 - random_below(random, min_u64(size, HEAD));
    uint64_t at = random_below(random, draw < 9 ? min_u64(size, METADATA) : size);
    off_t data = lseek(fd, (off_t)at, SEEK_DATA);
    // A structure begins where a hole ends.
    return data > (off_t)at ? min_u64((uint64_t)data + random_below(random, 64), size - 1) : at;
}

static int damage_bytes(int fd, uint64_t size, struct random *random, struct fault *fault) {
    uint64_t count = 1 + random_below(random, MAX_BYTES);
    for (uint64_t i = 0; size && i < count; i++) {
        uint64_t at = choose_place(fd, size, random);
        uint8_t byte;
        if (file_pread(fd, &byte, 1, at, fault))
            return -1;
        const uint8_t choices[] = {0x00,
                                   0xff,
                                   (uint8_t)(byte + 1),
                                   (uint8_t)(byte - 1),
                                   (uint8_t)(byte ^ 1u << random_below(random, 8)),
                                   (uint8_t)random_next(random)};
        byte = choices[random_below(random, sizeof choices)];
        if (file_pwrite(fd, &byte, 1, at, fault))
            return -1;
    }
    return 0;
}

static int damage_garbage(int fd, struct random *random, struct fault *fault) {
    static uint8_t bytes[MAX_GARBAGE];
    size_t length = (size_t)random_below(random, sizeof bytes + 1);
    // Often still called what it was.
    size_t kept = random_below(random, 2) ? 8 : 0;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)random_next(random);
    if (kept && length > kept && file_pread(fd, bytes, kept, 0, fault))
        return -1;
    if (ftruncate(fd, 0))
        return fault_errno(fault, "cannot empty an image");
    return file_pwrite(fd, bytes, length, 0, fault);
}

static int damage_open_file(int fd, enum damage damage, struct random *random,
                            struct fault *fault) {
    off_t size = lseek(fd, 0, SEEK_END);
    if (damage == DAMAGE_BYTES)
        return damage_bytes(fd, (uint64_t)size, random, fault);
    if (damage == DAMAGE_GARBAGE)
        return damage_garbage(fd, random, fault);
    uint64_t most = random_below(random, 2) ? (uint64_t)size : min_u64((uint64_t)size, METADATA);
    if (ftruncate(fd, most ? (off_t)random_below(random, most) : 0))
        return fault_errno(fault, "cannot cut an image");
    return 0;
}

static int damage_file(const struct trial *trial, struct random *random, const char *directory,
                       struct fault *fault) {
    const struct material *material = &trial->material;
    const char *name = material->name;
    char path[4096];
    // Sometimes a file below or beside the one that tools are given.
    if (random_below(random, 8) == 0)
        name = material->files[random_below(random, material->file_count)].name;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = chmod(path, 0644) ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    int result = damage_open_file(fd, trial->damage, random, fault);
    close(fd);
    return result || chmod(path, 0444) ? -1 : 0;
}

// --- building ------------------------------------------------------------------------------------

static void describe_call(struct trial *trial, struct random *random) {
    const struct case_operation *drawn = &trial->testcase.operations[0];
    struct tool_call *call = &trial->call;
    *call = (struct tool_call){.op = (enum operation)drawn->op,
                               .input = trial->material.name,
                               .input_format = trial->material.truth.format,
                               .target = (enum image_format)drawn->target};
    case_target_options(&trial->testcase, drawn, &call->options);
    // Under a false name now and then.
    if (random_below(random, 16) == 0)
        call->input_format = (enum image_format)random_below(random, IMAGE_FORMATS);
    if (call->options.size_only) {
        call->input = "";
        call->size = case_virtual_size(&trial->testcase);
    }
    if (call->options.snapshot)
        call->snapshot = case_snapshot_id(call->options.snapshot - 1);
    if (!operation_writes(call->op))
        return;
    snprintf(trial->output, sizeof trial->output, "out.%s", image_driver(call->target)->name);
    call->output = trial->output;
}

// What is asked beside a step has no number in a case: some calls become such ones, a comparison
// only where the image may be read as a whole.
static void ask_beside(struct trial *trial, uint64_t index) {
    struct tool_call *call = &trial->call;
    if (call->op == OP_INFO && index % 2 == 1) {
        call->op = OP_MAP;
    } else if (call->op == OP_CONVERT && index % 4 == 3) {
        *call = (struct tool_call){.op = OP_COMPARE,
                                   .input = trial->material.name,
                                   .input_format = call->input_format,
                                   .output = trial->material.name,
                                   .target = call->input_format};
    }
}

int trial_build(struct trial *trial, uint64_t seed, uint64_t index, const struct tool *tool,
                const char *directory, struct fault *fault) {
    struct random random = random_for(seed, index, STREAM_DAMAGE);
    const char *why;
    if (material_build(&trial->material, &trial->testcase, directory, fault))
        return -1;
    if (trial->damage != DAMAGE_NONE && damage_file(trial, &random, directory, fault))
        return -1;
    describe_call(trial, &random);
    ask_beside(trial, index);
    if (!tool_supports(tool, &trial->call, &why))
        trial->call = (struct tool_call){.op = OP_INFO,
                                         .input = trial->material.name,
                                         .input_format = trial->call.input_format,
                                         .target = IMAGE_FORMATS};
    return 0;
}

bool trial_is_input(const struct trial *trial, const char *name) {
    for (size_t i = 0; i < trial->material.file_count; i++)
        if (strcmp(trial->material.files[i].name, name) == 0)
            return true;
    return false;
}
