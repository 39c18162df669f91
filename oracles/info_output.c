// SPDX-License-Identifier: Apache-2.0
//
// `info --output json`, member by member and recursively, format-specific data included. A member
// must be printed by both tools with one value unless the table in relax.c names the reason why
// not. instar's own fuzzer drops format-specific data altogether; this rule is why ours does not.
#include "oracles/relax.h"
#include "oracles/rule.h"

#include <stdio.h>
#include <string.h>

struct info_walk {
    const struct oracle *oracle;
    const struct oracle_step *step;
    struct judgements *out;
    bool ended;    // a divergence that nothing explains
    bool differed; // any divergence
};

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void value_words(const cJSON *item, char out[96]) {
    uint64_t number;
    if (!item)
        snprintf(out, 96, "absent");
    else if (tool_json_u64(item, &number))
        snprintf(out, 96, "%" PRIu64, number);
    else if (cJSON_IsString(item))
        snprintf(out, 96, "%s", item->valuestring);
    else if (cJSON_IsBool(item))
        snprintf(out, 96, "%s", cJSON_IsTrue(item) ? "true" : "false");
    else if (cJSON_IsNumber(item))
        snprintf(out, 96, "%.17g", item->valuedouble);
    else
        snprintf(out, 96, "%s",
                 cJSON_IsArray(item)    ? "a list"
                 : cJSON_IsObject(item) ? "an object"
                                        : "null");
}

// "format-specific.data.extents[].virtual-size" -> "extents_virtual_size"
static void detail_of_path(const char *path, char *out, size_t room) {
    static const char prefix[] = "format-specific.data.";
    if (strncmp(path, prefix, sizeof prefix - 1) == 0)
        path += sizeof prefix - 1;
    size_t used = 0;
    for (; *path && used + 1 < room; path++)
        if (*path != '[' && *path != ']')
            out[used++] = *path == '.' || *path == '-' ? '_' : *path;
    out[used] = 0;
}

static void differs(struct info_walk *walk, const char *path, const cJSON *a, const cJSON *b) {
    const struct oracle_step *step = walk->step;
    char detail[64], a_words[96], b_words[96];
    detail_of_path(path, detail, sizeof detail);
    struct judgement *judgement;
    if (a && b)
        judgement = oracle_say(walk->out, walk->oracle, VERDICT_DIVERGENCE, detail);
    else {
        strncat(detail, "_missing_", sizeof detail - strlen(detail) - 1);
        judgement = oracle_say_role(walk->out, walk->oracle, VERDICT_DIVERGENCE, detail,
                                    a ? &step->b : &step->a, "");
    }
    value_words(a, a_words);
    value_words(b, b_words);
    oracle_values(judgement, path, a_words, b_words);
    oracle_text(judgement, "%s says %s = %s, %s %s.", step->a.tool->name, path, a_words,
                step->b.tool->name, b_words);
    walk->differed = true;
    walk->ended = !oracle_explained(step, walk->out, judgement);
}

static bool scalars_equal(const cJSON *a, const cJSON *b) {
    uint64_t a_number, b_number;
    if (tool_json_u64(a, &a_number) && tool_json_u64(b, &b_number))
        return a_number == b_number;
    if (cJSON_IsString(a) && cJSON_IsString(b))
        return strcmp(a->valuestring, b->valuestring) == 0;
    if (cJSON_IsNumber(a) && cJSON_IsNumber(b))
        return a->valuedouble == b->valuedouble;
    return (a->type & 0xff) == (b->type & 0xff); // true, false, null
}

static void compare(struct info_walk *walk, const char *path, const cJSON *a, const cJSON *b);

static void compare_member(struct info_walk *walk, const char *path, const cJSON *a,
                           const cJSON *b) {
    const struct relax_member *member = relax_member_find(path);
    if (member && member->how == MEMBER_IGNORED)
        return;
    if (!a || !b) {
        const struct tool *omits = a ? walk->step->b.tool : walk->step->a.tool;
        if (!member || !relax_member_may_omit(member, omits, walk->step->source))
            differs(walk, path, a, b);
        return;
    }
    if (member && member->how == MEMBER_BASE_NAME && cJSON_IsString(a) && cJSON_IsString(b)) {
        if (strcmp(base_name(a->valuestring), base_name(b->valuestring)) != 0)
            differs(walk, path, a, b);
        return;
    }
    compare(walk, path, a, b);
}

static void compare_objects(struct info_walk *walk, const char *path, const cJSON *a,
                            const cJSON *b) {
    char name[256];
    const char *dot = *path ? "." : "";
    for (const cJSON *item = a->child; item && !walk->ended; item = item->next) {
        snprintf(name, sizeof name, "%s%s%s", path, dot, item->string);
        compare_member(walk, name, item, cJSON_GetObjectItemCaseSensitive(b, item->string));
    }
    for (const cJSON *item = b->child; item && !walk->ended; item = item->next) {
        if (cJSON_GetObjectItemCaseSensitive(a, item->string))
            continue;
        snprintf(name, sizeof name, "%s%s%s", path, dot, item->string);
        compare_member(walk, name, NULL, item);
    }
}

static void compare_arrays(struct info_walk *walk, const char *path, const cJSON *a,
                           const cJSON *b) {
    char name[256];
    snprintf(name, sizeof name, "%s[]", path);
    const cJSON *from_a = a->child, *from_b = b->child;
    while ((from_a || from_b) && !walk->ended) {
        compare_member(walk, name, from_a, from_b);
        from_a = from_a ? from_a->next : NULL;
        from_b = from_b ? from_b->next : NULL;
    }
}

static void compare(struct info_walk *walk, const char *path, const cJSON *a, const cJSON *b) {
    if (cJSON_IsObject(a) && cJSON_IsObject(b))
        compare_objects(walk, path, a, b);
    else if (cJSON_IsArray(a) && cJSON_IsArray(b))
        compare_arrays(walk, path, a, b);
    else if (cJSON_IsObject(a) || cJSON_IsObject(b) || cJSON_IsArray(a) || cJSON_IsArray(b) ||
             !scalars_equal(a, b))
        differs(walk, path, a, b);
}

static bool parsed(const struct oracle *oracle, const struct oracle_step *step,
                   const struct oracle_side *side, struct judgements *out) {
    if (!oracle_gave(side) || (!side->result->json_failed && side->result->json))
        return true;
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "unparsed_", side, "");
    // A field of no member: that nothing was printed is a value, too, which the registry may know.
    const char *words = side->outcome && side->outcome->out.length ? "no JSON" : "nothing";
    oracle_values(judgement, "", side == &step->a ? words : NULL, side == &step->a ? NULL : words);
    oracle_text(judgement, "%s succeeded but did not print info's JSON: %s.", side->tool->name,
                side->result->json_problem);
    oracle_explained(step, out, judgement);
    return false;
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    if (!parsed(oracle, step, &step->a, out) || !parsed(oracle, step, &step->b, out) ||
        !oracle_both_gave(step))
        return;
    struct info_walk walk = {.oracle = oracle, .step = step, .out = out};
    compare(&walk, "", step->a.result->json, step->b.result->json);
    if (!walk.differed)
        oracle_say(out, oracle, VERDICT_AGREE, NULL);
}

static void opinion(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion) {
    if (*judgement->field)
        opinion_of_values(step, judgement, opinion);
    else
        opinion_accuse(step, judgement, opinion, OPINION_BY_CONTRACT,
                       "It succeeded without the documented JSON.");
}

const struct oracle oracle_info_output = {
    .type = "info_output_divergence",
    .rule = "info prints the same members with the same values, format-specific data included",
    .ops = ORACLE_OP(OP_INFO),
    .judge = judge,
    .opinion = opinion,
};
