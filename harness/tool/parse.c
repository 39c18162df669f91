// SPDX-License-Identifier: Apache-2.0
//
// What a tool's stdout says, read strictly: an operation that succeeded must print its documented
// JSON and nothing else. What it prints instead is kept in words, for it is a finding of its own.
#include "tool/adapter.h"

#include "base/buffer.h"

#include <stdio.h>
#include <string.h>

static void parse_problem(struct tool_result *result, const char *words, const char *detail) {
    if (result->json_failed)
        return; // the first problem is the one that is told
    result->json_failed = true;
    char *to = result->json_problem;
    snprintf(to, sizeof result->json_problem, "%s%s", words, detail);
    // It quotes the tool: bytes that are no plain text would spoil a report.
    for (; *to; to++)
        if ((unsigned char)*to < 0x20 || (unsigned char)*to > 0x7e)
            *to = '?';
}

// A member that must be an exact integer if it is there. Returns whether it is there and is one.
static bool parse_member(struct tool_result *result, const char *name, uint64_t *value) {
    const cJSON *found = NULL;
    for (const cJSON *item = result->json->child; item; item = item->next) {
        if (strcmp(item->string, name) != 0)
            continue;
        if (found)
            parse_problem(result, "duplicate member ", name);
        found = item;
    }
    if (found && tool_json_u64(found, value))
        return true;
    if (found)
        parse_problem(result, "not an unsigned 64-bit integer: ", name);
    return false;
}

static void parse_measure(struct tool_result *result) {
    static const char *const documented[] = {"required", "fully-allocated", "bitmaps"};
    struct tool_measure *measure = &result->measure;
    for (const cJSON *item = result->json->child; item; item = item->next) {
        size_t i = 0;
        while (i < 3 && strcmp(item->string, documented[i]) != 0)
            i++;
        if (i == 3)
            parse_problem(result, "undocumented member ", item->string);
    }
    measure->has_required = parse_member(result, documented[0], &measure->required);
    measure->has_fully = parse_member(result, documented[1], &measure->fully);
    measure->has_bitmaps = parse_member(result, documented[2], &measure->bitmaps);
    if (!measure->has_required)
        parse_problem(result, "no member ", documented[0]);
    if (!measure->has_fully)
        parse_problem(result, "no member ", documented[1]);
}

// qemu-img leaves out counts that are zero; "check-errors" is always there.
static void parse_check(struct tool_result *result) {
    parse_member(result, "corruptions", &result->check.corruptions);
    parse_member(result, "leaks", &result->check.leaks);
    if (!parse_member(result, "check-errors", &result->check.check_errors))
        parse_problem(result, "no member ", "check-errors");
    result->check.present = true;
}

static bool parse_flag(struct tool_result *result, const cJSON *run, const char *name,
                       bool is_needed, bool *value) {
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(run, name);
    *value = cJSON_IsTrue(found);
    if (!found && !is_needed)
        return false;
    if (!cJSON_IsBool(found))
        parse_problem(result, "not a boolean: ", name);
    return true;
}

static bool parse_number(struct tool_result *result, const cJSON *run, const char *name,
                         uint64_t *value) {
    if (tool_json_u64(cJSON_GetObjectItemCaseSensitive(run, name), value))
        return true;
    parse_problem(result, "not an unsigned 64-bit integer: ", name);
    return false;
}

// The runs must follow each other without a gap, from the start of the disk. Of an empty disk
// qemu-img prints one of length 0.
static void parse_map(struct tool_result *result) {
    uint64_t end = 0;
    size_t capacity = 0;
    const cJSON *run;
    cJSON_ArrayForEach(run, result->json) {
        struct tool_extent extent = {0};
        if (!parse_number(result, run, "start", &extent.start) ||
            !parse_number(result, run, "length", &extent.length))
            return;
        extent.has_present = parse_flag(result, run, "present", false, &extent.present);
        parse_flag(result, run, "zero", true, &extent.zero);
        parse_flag(result, run, "data", true, &extent.data);
        extent.has_offset = cJSON_GetObjectItemCaseSensitive(run, "offset") &&
                            parse_number(result, run, "offset", &extent.offset);
        if (extent.start != end || (!extent.length && run != result->json->child) ||
            __builtin_add_overflow(end, extent.length, &end))
            parse_problem(result, "the runs do not follow each other", "");
        result->map = array_room(result->map, &capacity, result->map_count + 1, sizeof extent);
        result->map[result->map_count++] = extent;
    }
}

static void parse_info(struct tool_result *result) {
    if (!cJSON_GetObjectItemCaseSensitive(result->json, "format"))
        parse_problem(result, "no member ", "format");
}

// Operations that print JSON, the classes that come with one, and who reads it.
static const struct parser {
    enum operation op;
    unsigned classes; // bit set
    void (*read)(struct tool_result *result);
    bool is_list;
} parsers[] = {
    {OP_INFO, 1u << OUTCOME_OK, parse_info, false},
    {OP_CHECK, 1u << OUTCOME_CLEAN | 1u << OUTCOME_LEAKS | 1u << OUTCOME_CORRUPT, parse_check,
     false},
    {OP_MEASURE, 1u << OUTCOME_OK, parse_measure, false},
    {OP_MAP, 1u << OUTCOME_OK, parse_map, true},
};

static void parse_output(const struct parser *parser, const struct exec_outcome *outcome,
                         struct tool_result *result) {
    if (outcome->out_cut) {
        parse_problem(result, "more output than we keep", "");
        return;
    }
    struct fault fault;
    result->json = tool_json_parse(outcome->out.data, outcome->out.length, &fault);
    if (!result->json) {
        parse_problem(result, fault.text, "");
    } else if (parser->is_list ? !cJSON_IsArray(result->json) : !cJSON_IsObject(result->json)) {
        parse_problem(result, parser->is_list ? "not a JSON array" : "not a JSON object", "");
        cJSON_Delete(result->json);
        result->json = NULL;
    } else {
        parser->read(result);
    }
}

void tool_parse(const struct tool *tool, enum operation op, const struct exec_outcome *outcome,
                struct tool_result *result) {
    *result = (struct tool_result){.class = tool_classify(tool, op, outcome)};
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++)
        if (parsers[i].op == op && parsers[i].classes & 1u << result->class)
            parse_output(&parsers[i], outcome, result);
}
