// SPDX-License-Identifier: Apache-2.0
//
// Two runs of one call in the same case directory. What plain execution wrote is put aside for the
// others, and put back at the end.
#include "tool/both.h"

#include "exec/coverage_map.h"
#include "image/identity.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOTH_FILES 2 // an output, and where a layout has one its extent

struct both {
    const struct tool *tool;
    const struct tool_call *call;
    struct tool_room *room;
    struct exec_outcome other;
    char outputs[BOTH_FILES][320], kept[BOTH_FILES][330];
    size_t count;
    bool counted; // both_counters has what a run by the back end has counted
    struct fault *fault;
};
// Of a tool that counts its edges.
static uint8_t both_counters[COVERAGE_COUNTERS], both_other_counters[COVERAGE_COUNTERS];

static void both_name_files(struct both *both) {
    char extent[IMAGE_NAME_ROOM];
    const char *names[BOTH_FILES];
    if (!operation_writes(both->call->op))
        return;
    names[both->count++] = both->call->output;
    if (tool_output_extent(both->call, both->call->output, extent))
        names[both->count++] = extent;
    for (size_t i = 0; i < both->count; i++) {
        snprintf(both->outputs[i], sizeof both->outputs[i], "%s/%s", both->room->workdir->case_path,
                 names[i]);
        snprintf(both->kept[i], sizeof both->kept[i], "%s.plain", both->outputs[i]);
    }
}

static void both_move(const struct both *both, const char (*from)[320], const char (*to)[330]) {
    for (size_t i = 0; i < both->count; i++)
        rename(from[i], to[i]); // what is not there need not be moved
}

static bool both_says_nothing(const struct tool *tool, enum operation op,
                              const struct exec_outcome *outcome) {
    return outcome_is_cut_off(tool_classify(tool, op, outcome));
}

static bool both_text_differs(const struct buffer *a, const struct buffer *b) {
    return a->length != b->length || memcmp(a->data, b->data, a->length) != 0;
}

// 1 the same, 0 not, -1. Files are compared where the call succeeded: what a refused one leaves is
// nobody's concern.
static int both_files_agree(const struct both *both, const char **what, char *where, size_t room) {
    for (size_t i = 0; i < both->count; i++) {
        *what = both->outputs[i];
        struct stat status;
        bool one = !stat(both->kept[i], &status), two = !stat(both->outputs[i], &status);
        if (one != two) {
            snprintf(where, room, "%s there", one ? "is not" : "is");
            return 0;
        }
        enum image_format format = i ? IMAGE_RAW : both->call->target;
        int same = one ? image_files_same(both->kept[i], both->outputs[i], format, where, room,
                                          both->fault)
                       : 1;
        if (same != 1)
            return same;
    }
    return 1;
}

static void both_say_ends(const struct exec_outcome *other, const struct exec_outcome *plain,
                          struct buffer *words) {
    buffer_text(words, "it ends otherwise: ");
    exec_outcome_words(other, words);
    buffer_text(words, " instead of ");
    exec_outcome_words(plain, words);
}

static int both_agree(const struct both *both, const struct exec_outcome *plain,
                      struct buffer *words) {
    const struct exec_outcome *other = &both->other;
    char where[160] = "";
    const char *what = NULL;
    if (plain->end != other->end || plain->value != other->value) {
        both_say_ends(other, plain, words);
        return 0;
    }
    bool out_differs = both_text_differs(&plain->out, &other->out);
    if (out_differs || both_text_differs(&plain->err, &other->err)) {
        char said[2][80];
        tool_first_line(out_differs ? &other->out : &other->err, said[0], sizeof said[0]);
        tool_first_line(out_differs ? &plain->out : &plain->err, said[1], sizeof said[1]);
        buffer_format(words, "its %s is otherwise ('%s', not '%s')",
                      out_differs ? "stdout" : "stderr", said[0], said[1]);
        return 0;
    }
    if (plain->end != EXEC_EXITED || plain->value != 0)
        return 1;
    int same = both_files_agree(both, &what, where, sizeof where);
    if (same == 0)
        buffer_format(words, "%s is otherwise: %s", strrchr(what, '/') + 1, where);
    return same;
}

// Between two runs by the back end, because the start of a process counts with plain execution (and
// with the first command of a warm process, which is left out).
static int both_counts_agree(struct both *both, struct buffer *words) {
    const struct tool *tool = both->tool;
    struct coverage_header header;
    int map = both->room->workdir->map;
    if (!tool->edges || coverage_map_seen(map, &header))
        return 1;
    coverage_map_read(map, both->counted ? both_other_counters : both_counters, tool->edges);
    if (both->counted && memcmp(both_counters, both_other_counters, tool->edges) != 0) {
        buffer_text(words, "it counts its edges otherwise when it does the same again");
        return 0;
    }
    both->counted = true;
    return 1;
}

static int both_once(struct both *both, const struct exec_outcome *plain, struct buffer *words) {
    both_move(both, both->outputs, both->kept);
    if (both->tool->edges)
        coverage_map_begin(both->room->workdir->map, both->tool->edges);
    if (tool_run(both->tool, both->call, both->room, &both->other, both->fault))
        return -1;
    int same = BOTH_LOST;
    if (both_says_nothing(both->tool, both->call->op, &both->other))
        both_say_ends(&both->other, plain, words);
    else
        same = both_agree(both, plain, words);
    if (same == BOTH_SAME)
        same = both_counts_agree(both, words);
    for (size_t i = 0; i < both->count; i++) {
        unlink(both->outputs[i]);
        rename(both->kept[i], both->outputs[i]);
    }
    return same;
}

int tool_run_both(const struct tool *tool, const struct tool_call *call, unsigned times,
                  struct tool_room *room, struct exec_outcome *outcome, struct buffer *words,
                  struct fault *fault) {
    struct both both = {.tool = tool, .call = call, .room = room, .fault = fault};
    struct tool_room plain = *room;
    plain.plain = true;
    both_name_files(&both);
    if (tool_run(tool, call, &plain, outcome, fault))
        return -1;
    int same = both_says_nothing(tool, call->op, outcome) ? BOTH_NOT_COMPARED : BOTH_SAME;
    for (unsigned i = 0; i < times && same == BOTH_SAME; i++)
        same = both_once(&both, outcome, words);
    exec_outcome_free(&both.other);
    return same;
}
