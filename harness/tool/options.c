// SPDX-License-Identifier: Apache-2.0
//
// The options of a call, whatever tool gets them: one table says how a value is written, each
// adapter's says under which spelling its tool takes it and in which operations.
#include "tool/adapter.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum option_value {
    VALUE_NUMBER,
    VALUE_POWER,     // the member is an exponent of 2
    VALUE_WORD,      // the member is an index into `words`
    VALUE_SUBFORMAT, // the member is an enum target_subformat of one file
    VALUE_FLAT,      // the member is the one of two files
    VALUE_FLAG,      // no value: the spelling says all
    VALUE_SIZE,      // the call's size
    VALUE_SNAPSHOT,  // the call's snapshot
};

#define MEMBER(name) offsetof(struct target_options, name)

// vmdk_subformat is two options: a tool may know one of its values and not another, and the
// layout of a conversion can only be chosen between one file and two.
static const struct option {
    const char *name;
    size_t member;
    enum option_value value;
    const char *words[8]; // NULL: for that value the option is not given
} options[TOOL_OPTIONS] = {
    [TOOL_OPTION_CLUSTER] = {"cluster_size", MEMBER(cluster_bits), VALUE_POWER, {NULL}},
    [TOOL_OPTION_REFCOUNT] = {"refcount_bits", MEMBER(refcount_bits), VALUE_NUMBER, {NULL}},
    [TOOL_OPTION_SUBFORMAT] = {"subformat", MEMBER(vmdk_subformat), VALUE_SUBFORMAT, {NULL}},
    [TOOL_OPTION_FLAT] = {"monolithicFlat", MEMBER(vmdk_subformat), VALUE_FLAT, {NULL}},
    [TOOL_OPTION_GRAIN] = {"grain_size", MEMBER(grain_bits), VALUE_POWER, {NULL}},
    [TOOL_OPTION_BLOCK] = {"block_size", MEMBER(block_bits), VALUE_POWER, {NULL}},
    [TOOL_OPTION_EXTENDED_L2] = {"extended_l2", MEMBER(extended_l2), VALUE_FLAG, {NULL}},
    [TOOL_OPTION_LAZY_REFCOUNTS] = {"lazy_refcounts", MEMBER(lazy_refcounts), VALUE_FLAG, {NULL}},
    [TOOL_OPTION_PREALLOCATION] = {"preallocation",
                                   MEMBER(preallocation),
                                   VALUE_WORD,
                                   {[PREALLOCATION_OFF] = "off",
                                    [PREALLOCATION_METADATA] = "metadata",
                                    [PREALLOCATION_FALLOC] = "falloc",
                                    [PREALLOCATION_FULL] = "full"}},
    [TOOL_OPTION_COMPAT] = {"compat", MEMBER(compat), VALUE_WORD, {[1] = "0.10", [2] = "1.1"}},
    [TOOL_OPTION_COMPRESSION] = {"compression_type",
                                 MEMBER(compression),
                                 VALUE_WORD,
                                 {[1] = "zlib", [2] = "zstd"}},
    [TOOL_OPTION_NO_SKIP_ZEROS] = {"no_skip_zeros", MEMBER(no_skip_zeros), VALUE_FLAG, {NULL}},
    [TOOL_OPTION_SNAPSHOT] = {"snapshot", MEMBER(snapshot), VALUE_SNAPSHOT, {NULL}},
    [TOOL_OPTION_SIZE] = {"size", MEMBER(size_only), VALUE_SIZE, {NULL}},
};

const char *tool_option_name(enum tool_option option) {
    return options[option].name;
}

static uint32_t *option_member(struct target_options *given, enum tool_option option) {
    return (uint32_t *)((char *)given + options[option].member);
}

bool tool_option_value(const struct tool_call *call, enum tool_option option,
                       char words[TOOL_OPTION_ROOM]) {
    const struct option *about = &options[option];
    uint32_t value;
    memcpy(&value, (const char *)&call->options + about->member, sizeof value);
    *words = 0;
    if (!value)
        return false;
    switch (about->value) {
    case VALUE_NUMBER:
        snprintf(words, TOOL_OPTION_ROOM, "%" PRIu32, value);
        break;
    case VALUE_POWER:
        snprintf(words, TOOL_OPTION_ROOM, "%" PRIu32, UINT32_C(1) << value);
        break;
    case VALUE_WORD:
        if (value >= sizeof about->words / sizeof *about->words || !about->words[value])
            return false;
        snprintf(words, TOOL_OPTION_ROOM, "%s", about->words[value]);
        break;
    case VALUE_SUBFORMAT:
    case VALUE_FLAT:
        if ((value == SUBFORMAT_FLAT) != (about->value == VALUE_FLAT))
            return false;
        snprintf(words, TOOL_OPTION_ROOM, "%s", target_subformat_name(value));
        break;
    case VALUE_SIZE:
        snprintf(words, TOOL_OPTION_ROOM, "%" PRIu64, call->size);
        break;
    case VALUE_SNAPSHOT:
        snprintf(words, TOOL_OPTION_ROOM, "%s", call->snapshot ? call->snapshot : "");
        break;
    case VALUE_FLAG:
        break;
    }
    return true;
}

void tool_option_forget(struct tool_call *call, enum tool_option option) {
    char words[TOOL_OPTION_ROOM];
    if (tool_option_value(call, option, words))
        *option_member(&call->options, option) = 0;
}

const struct tool_option_form *
tool_option_form(const struct tool *tool, const struct tool_call *call, enum tool_option option) {
    if (tool->lacks_option[call->op][option])
        return NULL;
    const struct tool_option_form *form = tool_adapter(tool->kind)->options;
    for (; form->spelling; form++)
        if (form->option == option && form->operations & TOOL_OP(call->op) &&
            (form->target == call->target || form->target == IMAGE_FORMATS))
            return form;
    return NULL;
}

bool tool_honours_option(const struct tool *tool, const struct tool_call *call,
                         enum tool_option option) {
    char words[TOOL_OPTION_ROOM];
    return !tool_option_value(call, option, words) || tool_option_form(tool, call, option);
}

bool tool_honours_options(const struct tool *tool, const struct tool_call *call) {
    for (int option = 0; option < TOOL_OPTIONS; option++)
        if (!tool_honours_option(tool, call, option))
            return false;
    return true;
}

static bool is_switch(const struct tool_option_form *form) {
    return form->spelling[0] == '-';
}

// A switch, and its value as the next word. Of a flag the spelling may hold both: "-S 0".
static void add_switch(struct tool_argv *argv, const char *spelling, const char *value) {
    const char *space = strchr(spelling, ' ');
    if (space) {
        tool_argv_format(argv, "%.*s", (int)(space - spelling), spelling);
        tool_argv_add(argv, space + 1);
    } else {
        tool_argv_add(argv, spelling);
    }
    if (*value)
        tool_argv_add(argv, value);
}

// The keys first, all in one -o ("cluster_size=65536,refcount_bits=16"), then the switches.
void tool_argv_options(struct tool_argv *argv, const struct tool *tool,
                       const struct tool_call *call) {
    struct buffer keys = {0};
    char value[TOOL_OPTION_ROOM];
    for (int option = 0; option < TOOL_OPTIONS; option++) {
        const struct tool_option_form *form = tool_option_form(tool, call, option);
        if (form && !is_switch(form) && tool_option_value(call, option, value))
            buffer_format(&keys, "%s%s%s%s", keys.length ? "," : "", form->spelling,
                          *value ? "=" : "", value);
    }
    if (keys.length) {
        tool_argv_add(argv, "-o");
        tool_argv_add(argv, keys.data);
    }
    buffer_free(&keys);
    for (int option = 0; option < TOOL_OPTIONS; option++) {
        const struct tool_option_form *form = tool_option_form(tool, call, option);
        if (form && is_switch(form) && tool_option_value(call, option, value))
            add_switch(argv, form->spelling, value);
    }
}
