// SPDX-License-Identifier: Apache-2.0
//
// Which back end a tool gets: the fastest one by which it answers every command of a list as by
// plain execution, twice (and, if it counts its edges, counts the same both times). The list is
// every operation on images of every format, sound ones first (a persistent worker runs them all),
// then damaged ones, whose errors are answers as well.
#include "tool/self_test.h"

#include "tool/adapter.h"
#include "tool/both.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SELF_SIZE        (UINT64_C(1) << 20)
#define SELF_TIMES       2
#define SELF_DEADLINE_MS 5000 // a thousand times what is usual; a tool that hangs stays plain

// What is done to a finished file.
struct self_damage {
    int64_t at; // < 0: nothing
    uint8_t byte;
    uint64_t cut; // > 0: the file's new length
};
#define SELF_SOUND                                                                                 \
    { .at = -1 }

static const struct self_image {
    const char *name;
    enum image_format format;
    uint64_t size;
    struct image_options options;
    struct self_damage damage;
} self_images[] = {
    {"s0.raw", IMAGE_RAW, SELF_SIZE, {0}, SELF_SOUND},
    {"s1.raw", IMAGE_RAW, 300001, {0}, SELF_SOUND},
    {"s2.qcow2", IMAGE_QCOW2, SELF_SIZE, {0}, SELF_SOUND},
    {"s3.qcow2", IMAGE_QCOW2, SELF_SIZE, {.cluster_bits = 9, .qcow2_version = 2}, SELF_SOUND},
    {"s4.qcow2", IMAGE_QCOW2, SELF_SIZE, {.cluster_bits = 14, .extended_l2 = true}, SELF_SOUND},
    {"s5.qcow2", IMAGE_QCOW2, SELF_SIZE, {.compress = true}, SELF_SOUND},
    {"s6.vpc", IMAGE_VPC, SELF_SIZE, {0}, SELF_SOUND},
    {"s7.vpc", IMAGE_VPC, SELF_SIZE, {.vpc_fixed = true}, SELF_SOUND},
    {"s8.vmdk", IMAGE_VMDK, SELF_SIZE, {0}, SELF_SOUND},
    {"s9.vmdk", IMAGE_VMDK, SELF_SIZE, {.vmdk_subformat = VMDK_FLAT}, SELF_SOUND},
    {"sa.vhdx", IMAGE_VHDX, SELF_SIZE, {.block_bits = 20}, SELF_SOUND},
    {"sb.qcow2", IMAGE_QCOW2, 0, {0}, SELF_SOUND},
    // L1 entry, refcount of the first cluster, incompatible feature, half a file.
    {"d0.qcow2", IMAGE_QCOW2, SELF_SIZE, {0}, {.at = 0x30000 + 7, .byte = 0x77}},
    {"d1.qcow2", IMAGE_QCOW2, SELF_SIZE, {0}, {.at = 0x20001, .byte = 7}},
    {"d2.qcow2", IMAGE_QCOW2, SELF_SIZE, {0}, {.at = 79, .byte = 0x80}},
    {"d3.qcow2", IMAGE_QCOW2, SELF_SIZE, {0}, {.at = -1, .cut = 0x38000}},
    {"d4.vmdk", IMAGE_VMDK, SELF_SIZE, {0}, {.at = 0x200 + 3, .byte = 0xff}},
    {"d5.vhdx", IMAGE_VHDX, SELF_SIZE, {0}, {.at = 0x30000, .byte = 'x'}},
    {"d6.vpc", IMAGE_VPC, SELF_SIZE, {0}, {.at = 512, .byte = 'x'}},
};
#define SELF_IMAGES (sizeof self_images / sizeof *self_images)

static const struct self_call {
    enum operation op;
    enum image_format target;
    struct target_options options;
} self_calls[] = {
    {OP_INFO, IMAGE_RAW, {0}},
    {OP_MAP, IMAGE_RAW, {0}},
    {OP_COMPARE, IMAGE_RAW, {0}},
    {OP_CHECK, IMAGE_RAW, {0}},
    {OP_MEASURE, IMAGE_RAW, {0}},
    {OP_MEASURE, IMAGE_QCOW2, {0}},
    {OP_MEASURE, IMAGE_QCOW2, {.cluster_bits = 12, .refcount_bits = 64}},
    {OP_MEASURE, IMAGE_VMDK, {0}},
    {OP_MEASURE, IMAGE_VHDX, {0}},
    {OP_CONVERT, IMAGE_RAW, {0}},
    {OP_CONVERT, IMAGE_QCOW2, {0}},
    {OP_CONVERT, IMAGE_QCOW2, {.cluster_bits = 9}},
    {OP_CONVERT, IMAGE_VMDK, {0}},
    {OP_CONVERT, IMAGE_VPC, {0}},
    {OP_CONVERT, IMAGE_VHDX, {0}},
    {OP_CONVERT_COMPRESSED, IMAGE_QCOW2, {0}},
};
#define SELF_CALLS (sizeof self_calls / sizeof *self_calls)

// A quarter of the disk has data: two runs, the second one not aligned to anything.
static bool self_has_data(uint64_t offset) {
    return offset < 131072 || (offset >= 500000 && offset < 600000);
}

static int self_extent(void *context, uint64_t offset, struct image_extent *extent,
                       struct fault *fault) {
    static const uint64_t edges[] = {131072, 500000, 600000, UINT64_MAX};
    uint64_t size = *(const uint64_t *)context, end = size;
    (void)fault;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        if (offset < edges[i]) {
            end = edges[i] < size ? edges[i] : size;
            break;
        }
    *extent = (struct image_extent){offset, end - offset,
                                    self_has_data(offset) ? IMAGE_DATA : IMAGE_HOLE};
    return 0;
}

static int self_content(void *context, uint64_t offset, void *buffer, size_t length,
                        struct fault *fault) {
    (void)context, (void)fault;
    for (size_t i = 0; i < length; i++, offset++)
        ((unsigned char *)buffer)[i] =
            self_has_data(offset) ? (unsigned char)(offset * 31 / 512 + offset) : 0;
    return 0;
}

static int self_damage(const char *path, const struct self_damage *damage, struct fault *fault) {
    if (damage->at < 0 && !damage->cut)
        return 0;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool failed = fd < 0 ||
                  (damage->at >= 0 && pwrite(fd, &damage->byte, 1, (off_t)damage->at) != 1) ||
                  (damage->cut && ftruncate(fd, (off_t)damage->cut));
    if (failed)
        fault_errno(fault, "%s", path);
    if (fd >= 0)
        close(fd);
    return failed ? -1 : 0;
}

static int self_build(const struct tool_room *room, size_t images, struct fault *fault) {
    if (workdir_clear_case(room->workdir, fault))
        return -1;
    for (size_t i = 0; i < images; i++) {
        const struct self_image *image = &self_images[i];
        uint64_t size = image->size;
        const struct image_source source = {
            .size = size, .extent = self_extent, .read = self_content, .context = &size};
        struct image_written written = {0};
        char path[320];
        snprintf(path, sizeof path, "%s/%s", room->workdir->case_path, image->name);
        int failed = image_write(path, image->format, &image->options, &source, &written, fault);
        image_written_free(&written);
        if (failed || self_damage(path, &image->damage, fault))
            return fault_prefix(fault, "cannot make the images of the self-test: ");
    }
    return 0;
}

enum self_result {
    SELF_FAILED,
    SELF_PASSED,
    SELF_HOPELESS, // plain execution itself hangs: no back end could be held against it
};

static bool self_is_sound(const struct self_image *image) {
    return image->damage.at < 0 && !image->damage.cut;
}

// What a comparison means. A back end that comes to nothing where plain execution has an answer
// would make every comparison inconclusive, and where a sound image has no answer nothing is shown:
// neither is a pass.
static enum self_result self_judge(enum both_answer both, const struct exec_outcome *plain,
                                   const struct self_image *image, struct buffer *words) {
    if (both != BOTH_NOT_COMPARED)
        return both == BOTH_SAME ? SELF_PASSED : SELF_FAILED;
    if (plain->end == EXEC_DEADLINE) {
        buffer_format(words, "it takes longer than %d ms by plain execution", SELF_DEADLINE_MS);
        return SELF_HOPELESS;
    }
    if (!self_is_sound(image))
        return SELF_PASSED;
    buffer_text(words, "by plain execution it ends with ");
    exec_outcome_words(plain, words);
    return SELF_FAILED;
}

// With words where it did not pass; -1: a harness error. `done` counts what was compared.
static int self_call_one(const struct tool *tool, const struct self_image *image,
                         const struct self_call *row, struct tool_room *room, unsigned *done,
                         struct buffer *words, struct fault *fault) {
    static struct exec_outcome outcome;
    struct tool_call call = {.op = row->op,
                             .input = image->name,
                             .input_format = image->format,
                             .output = operation_writes(row->op) ? "out"
                                       : row->op == OP_COMPARE   ? self_images[0].name
                                                                 : NULL,
                             .target = row->target,
                             .options = row->options};
    if (!tool_supports(tool, &call, NULL))
        return SELF_PASSED;
    int both = tool_run_both(tool, &call, SELF_TIMES, room, &outcome, words, fault);
    if (operation_writes(row->op)) {
        char path[320];
        snprintf(path, sizeof path, "%s/out", room->workdir->case_path);
        unlink(path);
    }
    if (both < 0)
        return -1;
    *done += both == BOTH_SAME;
    enum self_result result = self_judge((enum both_answer)both, &outcome, image, words);
    if (result != SELF_PASSED) {
        struct tool_argv argv;
        tool_argv_build(tool, &call, &argv);
        buffer_text(words, " (");
        tool_argv_words(&argv, NULL, words);
        buffer_text(words, ")");
    }
    return result;
}

// The first calls on the first images. Words in any case.
static enum self_result self_test(const struct tool *tool, struct tool_room *room, size_t images,
                                  size_t calls, char *words, size_t size) {
    struct buffer said = {0};
    struct fault fault = {0};
    unsigned done = 0;
    int result = self_build(room, images, &fault) ? -1 : SELF_PASSED;
    for (size_t i = 0; i < images && result == SELF_PASSED; i++)
        for (size_t j = 0; j < calls && result == SELF_PASSED; j++)
            result =
                self_call_one(tool, &self_images[i], &self_calls[j], room, &done, &said, &fault);
    struct fault ignored;
    workdir_clear_case(room->workdir, &ignored);
    if (result == SELF_PASSED)
        buffer_format(&said, "%u commands answered as by plain execution, %d times each", done,
                      SELF_TIMES);
    snprintf(words, size, "%s", result < 0 ? fault.text : said.data);
    buffer_free(&said);
    return result < 0 ? SELF_FAILED : (enum self_result)result;
}

// What this process has found out: a pair may be one tool twice, and a benchmark opens many pairs.
// What an earlier one found out is in a folder.
static struct self_memory {
    char path[sizeof((struct tool *)0)->path], lies[sizeof((struct tool *)0)->lies];
    enum exec_backend backend;
    bool unfenced;
    enum self_result result;
    char words[200];
    bool recalled;     // from the folder
    struct buffer key; // of its place there; empty: it has none
} self_memories[8];
#define SELF_MEMORIES (sizeof self_memories / sizeof *self_memories)

// Has an earlier process passed it? One command, both ways, shows that it still starts.
static bool self_recall(const struct tool *tool, const char *folder, const struct buffer *key,
                        struct tool_room *room, char *words, size_t size) {
    char tried[200];
    if (!key->length || !self_test_read(folder, key, tool->backend, words, size))
        return false;
    if (self_test(tool, room, 1, 1, tried, sizeof tried) == SELF_PASSED)
        return true;
    tool_forget_self_tests(folder);
    return false;
}

// `key` is empty where nothing is remembered from process to process.
static const struct self_memory *self_remember(const struct tool *tool, const char *folder,
                                               const struct buffer *key, struct tool_room *room) {
    static size_t next;
    for (size_t i = 0; i < SELF_MEMORIES; i++) {
        const struct self_memory *known = &self_memories[i];
        if (known->backend == tool->backend && known->unfenced == room->unfenced &&
            !strcmp(known->path, tool->path) && !strcmp(known->lies, tool->lies))
            return known;
    }
    struct self_memory *fresh = &self_memories[next++ % SELF_MEMORIES];
    memcpy(fresh->path, tool->path, sizeof fresh->path);
    memcpy(fresh->lies, tool->lies, sizeof fresh->lies);
    fresh->backend = tool->backend;
    fresh->unfenced = room->unfenced;
    buffer_clear(&fresh->key);
    buffer_append(&fresh->key, key->data, key->length);
    fresh->recalled = self_recall(tool, folder, key, room, fresh->words, sizeof fresh->words);
    fresh->result = fresh->recalled ? SELF_PASSED
                                    : self_test(tool, room, SELF_IMAGES, SELF_CALLS, fresh->words,
                                                sizeof fresh->words);
    return fresh;
}

void tool_keep_self_tests(const char *folder) {
    for (size_t i = 0; folder && i < SELF_MEMORIES; i++) {
        const struct self_memory *known = &self_memories[i];
        if (known->key.length && known->result == SELF_PASSED && !known->recalled)
            self_test_write(folder, &known->key, known->backend, known->words);
    }
}

const char *const tool_exec_names[TOOL_EXECS] = {"auto", "plain", "warm", "persistent"};

// The back ends that may be tried, the fastest first.
static const enum exec_backend self_order[] = {EXEC_PERSISTENT, EXEC_OPTIONS, EXEC_LINKED};
#define SELF_ORDER (sizeof self_order / sizeof *self_order)

// The fastest that is passed, and why none before it; EXEC_PLAIN: none.
static enum exec_backend self_choose(struct tool *tool, enum tool_exec wanted, const char *folder,
                                     const struct buffer *key, struct tool_room *room) {
    char *why = tool->backend_why, faster[200] = "";
    for (size_t i = wanted == TOOL_EXEC_WARM ? 1 : 0; i < SELF_ORDER; i++) {
        tool->backend = self_order[i];
        const struct self_memory *known = self_remember(tool, folder, key, room);
        if (known->result == SELF_PASSED) {
            snprintf(why, sizeof tool->backend_why, "%s%s%s", known->words,
                     faster[0] ? "; not faster: " : "", faster);
            tool->backend_recalled = known->recalled;
            return tool->backend;
        }
        snprintf(faster, sizeof faster, "%s", known->words);
        if (known->result == SELF_HOPELESS)
            break;
    }
    snprintf(why, sizeof tool->backend_why, "%s", faster);
    return EXEC_PLAIN;
}

void tool_choose_backend(struct tool *tool, enum tool_exec wanted, struct tool_room *room) {
    struct tool_room patient = *room;
    struct buffer key = {0};
    patient.deadline_ms = SELF_DEADLINE_MS;
    patient.self_tests = NULL; // what fails in a self-test says nothing of those before
    tool->backend = EXEC_PLAIN;
    snprintf(tool->backend_why, sizeof tool->backend_why, "%s",
             wanted == TOOL_EXEC_PLAIN ? "asked for" : "");
    if (wanted == TOOL_EXEC_PLAIN || !tool->available)
        return;
    if (room->self_tests && !self_test_key(tool, room, &key))
        buffer_clear(&key);
    tool->backend = self_choose(tool, wanted, room->self_tests, &key, &patient);
    buffer_free(&key);
}
