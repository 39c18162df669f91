// SPDX-License-Identifier: Apache-2.0
//
// Running the third reader. A disk up to THIRD_WHOLE is read from end to end; of a larger one what
// the input holds, rounded out, and both ends: the libraries tell no holes from data, so reading
// costs by size.
#include "third.h"

#include "base/bytes.h"
#include "image/vpc.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THIRD_WHOLE     (16ull << 20)
#define THIRD_MARGIN    (64ull << 10) // read before and behind what the input holds
#define THIRD_RANGES    100           // of a disk with more, the first
#define THIRD_CAPTURE   4096
#define THIRD_FILE_SIZE (2 * CASE_MAX_SIZE)
enum { THIRD_DONE, THIRD_REFUSED }; // exit status of the program; others are failures of its own

// --- the program ----------------------------------------------------------------------------

static int run(const struct third *third, struct tool_room *room, const char *const *argv,
               struct exec_outcome *outcome, struct fault *fault) {
    static const char *const environment[] = {"TZ=UTC", "LC_ALL=C", NULL};
    const char *const *fence = NULL;
    if (!room->unfenced && !(fence = tool_fence(third->path, 0, "", room, fault)))
        return -1;
    const struct exec_command command = {
        .program = third->path,
        .fence = fence,
        .argv = argv,
        .environment = environment,
        .directory = room->workdir->case_path,
        .backend = room->plain ? EXEC_PLAIN : third->backend,
        .deadline_ms = room->deadline_ms,
        .file_size_limit = THIRD_FILE_SIZE,
        .cpu_seconds_limit = (room->deadline_ms + 999) / 1000 + 1,
        .limits = tool_limits,
        .capture_limit = THIRD_CAPTURE,
    };
    return exec_run(room->exec, &command, outcome, fault);
}

// A program of ours, which does nothing before its main() that a fork could not share: it gets the
// simplest shortcut where that can be had.
static void third_warm(struct third *third, struct tool_room *room, const char *const *argv,
                       const struct exec_outcome *plain) {
    struct exec_outcome warm = {0};
    struct fault cannot;
    third->backend = EXEC_LINKED;
    if (!third->available || run(third, room, argv, &warm, &cannot) || warm.end != plain->end ||
        warm.value != plain->value || strcmp(warm.out.data, plain->out.data) != 0)
        third->backend = EXEC_PLAIN;
    exec_outcome_free(&warm);
}

int third_find(struct third *third, struct tool_room *room, struct fault *fault) {
    static struct exec_outcome outcome;
    struct fault missing = {0};
    *third = (struct third){.available = false};
    // In a fuzzing service's bundle it is one of the tools.
    if (exec_find_beside(THIRD_PROGRAM, third->path, sizeof third->path, &missing) &&
        exec_find_beside("tools/" THIRD_PROGRAM, third->path, sizeof third->path, &missing)) {
        snprintf(third->why_not, sizeof third->why_not,
                 "%s was not built; `make` builds it where libqcow-dev, libvmdk-dev, libvhdi-dev "
                 "and libbfio-dev are installed (ci/install-deps)",
                 THIRD_PROGRAM);
        return 0;
    }
    const char *const argv[] = {THIRD_PROGRAM, "--version", NULL};
    struct buffer words = {0};
    if (run(third, room, argv, &outcome, fault))
        return -1;
    third->available = outcome.end == EXEC_EXITED && outcome.value == THIRD_DONE;
    third_warm(third, room, argv, &outcome);
    exec_outcome_words(&outcome, &words);
    tool_first_line(&outcome.out, third->version, sizeof third->version);
    if (!third->available)
        snprintf(third->why_not, sizeof third->why_not,
                 "%.250s does not run here (%.40s): ", third->path, words.data);
    if (!third->available)
        tool_first_line(&outcome.err, third->why_not + strlen(third->why_not), 160);
    buffer_free(&words);
    return 0;
}

void third_words(const struct third *third, struct buffer *out) {
    if (third->available)
        buffer_format(out, "%s found at %s (%s)", THIRD_PROGRAM, third->path, third->version);
    else
        buffer_format(out, "not found, skipping: %s", third->why_not);
}

// --- one image ------------------------------------------------------------------------------

struct ranges {
    uint64_t from[THIRD_RANGES], to[THIRD_RANGES];
    size_t count;
    char text[THIRD_RANGES][44];
    const char *argv[5 + THIRD_RANGES];
};

static void add_range(struct ranges *ranges, uint64_t from, uint64_t to) {
    from = from < THIRD_MARGIN ? 0 : round_down(from - THIRD_MARGIN, 4096);
    to += THIRD_MARGIN;
    if (ranges->count && from <= ranges->to[ranges->count - 1])
        ranges->to[ranges->count - 1] = max_u64(to, ranges->to[ranges->count - 1]);
    else if (ranges->count < THIRD_RANGES) {
        ranges->from[ranges->count] = from;
        ranges->to[ranges->count++] = to;
    }
}

// The command line of one reading. What the content has beyond THIRD_RANGES is then missing in the
// reading, so such a content is not asked about at all.
static bool command_line(struct ranges *ranges, const struct content *content, const char *format,
                         const char *name, const char *raw) {
    size_t used = 0;
    const char *fixed[] = {THIRD_PROGRAM, format, name, raw};
    for (; used < sizeof fixed / sizeof *fixed; used++)
        ranges->argv[used] = fixed[used];
    ranges->count = 0;
    if (content->size > THIRD_WHOLE) {
        add_range(ranges, 0, 0);
        for (size_t i = 0; i < content->count; i++)
            add_range(ranges, content->extents[i].offset,
                      content->extents[i].offset + content->extents[i].length);
        add_range(ranges, content->size, content->size);
    }
    for (size_t i = 0; i < ranges->count; i++) {
        snprintf(ranges->text[i], sizeof ranges->text[i], "%llu+%llu",
                 (unsigned long long)ranges->from[i],
                 (unsigned long long)(ranges->to[i] - ranges->from[i]));
        ranges->argv[used++] = ranges->text[i];
    }
    ranges->argv[used] = NULL;
    return ranges->count < THIRD_RANGES;
}

struct question {
    struct chain *chain;
    const char *name; // of the image, in the case directory
    enum image_format format;
    const struct content *content;
    struct third_expected expected;
};

static void compare(const struct question *question, const char *raw,
                    struct third_reading *reading) {
    char path[4096];
    struct image *image;
    struct fault fault = {0};
    snprintf(path, sizeof path, "%s/%s", question->chain->room.workdir->case_path, raw);
    if (image_open(&image, path, IMAGE_RAW, &fault)) {
        third_say(reading, THIRD_UNDECIDED, "third_lost", "its reading cannot be read: %s",
                  fault.text);
        return;
    }
    third_compare(reading, image, &question->expected);
    image_close(image);
}

static int read_image(const struct question *question, struct third_reading *reading,
                      struct fault *fault) {
    static struct exec_outcome outcome;
    static struct ranges ranges;
    struct chain *chain = question->chain;
    char raw[IMAGE_NAME_ROOM + 8], path[4096], said[160];
    snprintf(raw, sizeof raw, "%s.third", question->name);
    snprintf(path, sizeof path, "%s/%s", chain->room.workdir->case_path, raw);
    if (!command_line(&ranges, question->content, image_driver(question->format)->name,
                      question->name, raw)) {
        third_say(reading, THIRD_UNDECIDED, "third_ranges", "too many parts to ask for");
        return 0;
    }
    if (run(chain->third, &chain->room, ranges.argv, &outcome, fault))
        return -1;
    tool_first_line(&outcome.err, said, sizeof said);
    if (outcome.end == EXEC_EXITED && outcome.value == THIRD_DONE)
        compare(question, raw, reading);
    else if (outcome.end == EXEC_EXITED && outcome.value == THIRD_REFUSED)
        third_say(reading, THIRD_OTHER, "unreadable", "finds no readable image (%s)", said);
    else if (outcome.end == EXEC_DEADLINE)
        third_say(reading, THIRD_UNDECIDED, "third_timeout", "did not end in time");
    else
        third_say(reading, THIRD_UNDECIDED, "third_failed", "failed: %s", said);
    unlink(path);
    return 0;
}

// --- an image of our own, of the same kind ---------------------------------------------------

// Of a name that is not in the table one that is by size: our writer then keeps every sector.
static enum vpc_creator creator_named(const char *name) {
    enum vpc_creator creator = vpc_creator_of(name);
    return creator == VPC_CREATORS ? VPC_CREATOR_QEM2 : creator;
}

static enum vmdk_subformat subformat_named(const char *type) {
    int at = VMDK_SUBFORMATS - 1;
    while (at > 0 && strcmp(vmdk_create_types[at], type) != 0)
        at--;
    return (enum vmdk_subformat)at;
}

// The options with which our writer makes the kind of image that this is.
static struct image_options options_of(struct image *image) {
    struct image_info info = {0};
    image->driver->info(image, &info);
    uint32_t bits = image->unit ? (uint32_t)__builtin_ctz(image->unit) : 0;
    struct image_options options = {0};
    switch (image->driver->format) {
    case IMAGE_QCOW2:
        options.cluster_bits = bits;
        options.qcow2_version = info.qcow2_version;
        options.refcount_bits = info.refcount_bits;
        options.lazy_refcounts = info.lazy_refcounts;
        break;
    case IMAGE_VMDK:
        options.vmdk_subformat = subformat_named(info.vmdk_create_type);
        if (options.vmdk_subformat != VMDK_FLAT && options.vmdk_subformat != VMDK_SPLIT_FLAT)
            options.grain_bits = bits;
        options.compress = options.vmdk_subformat == VMDK_STREAM;
        break;
    case IMAGE_VPC:
        options.vpc_fixed = info.vpc_fixed;
        options.vpc_creator = creator_named(info.vpc_creator);
        if (!info.vpc_fixed)
            options.block_bits = bits;
        break;
    default:
        options.block_bits = bits;
    }
    return options;
}

static void remove_own(const struct chain *chain, const char *name,
                       const struct image_written *written) {
    char path[4096];
    const char *folder = chain->room.workdir->case_path;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    for (size_t i = 0; i < written->file_count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, written->files[i]);
        unlink(path);
    }
}

static int read_own(const struct question *question, struct image *output,
                    struct third_reading *reading, struct fault *fault) {
    struct image_written written = {0};
    struct image_source source;
    struct image_options options = options_of(output);
    struct fault own = {0};
    char name[IMAGE_NAME_ROOM], path[4096];
    snprintf(name, sizeof name, "own.%s", image_driver(question->format)->name);
    snprintf(path, sizeof path, "%s/%s", question->chain->room.workdir->case_path, name);
    image_as_source(output, &source);
    int status = 0;
    if (image_write(path, question->format, &options, &source, &written, &own)) {
        third_say(reading, THIRD_UNDECIDED, "third_without_control",
                  "no image of that kind can be made: %s", own.text);
    } else {
        struct question again = *question;
        again.name = name;
        again.expected.size = written.virtual_size;
        status = read_image(&again, reading, fault);
        remove_own(question->chain, name, &written);
    }
    image_written_free(&written);
    return status;
}

// --- a tool's output --------------------------------------------------------------------------

static int ask_about(struct step_record *step, struct chain *chain, int side, struct image *output,
                     struct fault *fault) {
    struct oracle_side *to = step_side(step, side);
    struct image_source truth;
    const char *words, *reason = third_unsupported(output, &words);
    if (reason) {
        third_say(&to->third, THIRD_UNSUPPORTED, reason, "is not asked: %s", words);
        return 0;
    }
    content_as_source(step->step.truth.content, &truth);
    const struct question question = {
        .chain = chain,
        .name = step->outputs[side],
        .format = step->step.target,
        .content = step->step.truth.content,
        .expected = {&truth, output->virtual_size, step->step.compare_budget},
    };
    if (read_image(&question, &to->third, fault))
        return -1;
    if (to->third.state != THIRD_OTHER)
        return 0;
    return read_own(&question, output, &to->third_control, fault);
}

int third_ask(struct step_record *step, struct chain *chain, int side, size_t index,
              struct fault *fault) {
    char path[4096];
    struct image *output;
    // What it found in an earlier step of a confirmation would taint the finding's own input.
    if (chain->confirming && chain->confirming->step != index)
        return 0;
    if (!chain->third || !chain->third->available || !chain->third_turn ||
        !step->step.truth.content || step->step.target == IMAGE_RAW)
        return 0;
    // Of its own, as a confirmation has qemu-img's raw file in the place of the output, which shows
    // neither its format's features nor a size that is no multiple of a sector.
    snprintf(path, sizeof path, "%s/%s", chain->room.workdir->case_path, step->outputs[side]);
    if (image_open(&output, path, step->step.target, NULL))
        return 0;
    int status = ask_about(step, chain, side, output, fault);
    image_close(output);
    return status;
}
