// SPDX-License-Identifier: Apache-2.0
//
// The small steps that every rule takes, so that a rule file holds nothing but its rule.
#include "oracles/rule.h"

#include "oracles/model.h"
#include "oracles/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum outcome_class oracle_class(const struct oracle_side *side) {
    return side->tool && side->ran && side->result ? side->result->class : OUTCOME_CLASSES;
}

bool oracle_gave(const struct oracle_side *side) {
    static const bool gave[OUTCOME_CLASSES + 1] = {
        [OUTCOME_OK] = true,
        [OUTCOME_CLEAN] = true,
        [OUTCOME_LEAKS] = true,
        [OUTCOME_CORRUPT] = true,
    };
    return gave[oracle_class(side)];
}

bool oracle_both_gave(const struct oracle_step *step) {
    return oracle_gave(&step->a) && oracle_gave(&step->b);
}

bool oracle_input_is_descriptor(const struct oracle_step *step) {
    const char *type = step->truth.create_type;
    return step->source == IMAGE_VMDK && type && *type &&
           strcmp(type, vmdk_create_types[VMDK_SPARSE]) != 0 &&
           strcmp(type, vmdk_create_types[VMDK_STREAM]) != 0;
}

bool oracle_target_exists(const struct oracle_step *step) {
    struct image_options defaults = {0};
    struct model_sizes sizes;
    struct fault fault;
    uint64_t declared, size = step->truth.shown_size;
    if (step->target == IMAGE_FORMATS)
        return true;
    return model_measure(step->target, &step->options, size, 0, &sizes) &&
           image_driver(step->target)->declared_size(&defaults, size, &declared, &fault) == 0;
}

struct judgement *oracle_say_tool(struct judgements *out, const struct oracle *oracle,
                                  enum verdict verdict, const char *before, const struct tool *tool,
                                  const char *after) {
    char detail[128];
    snprintf(detail, sizeof detail, "%s%s%s", before, tool->role, after);
    struct judgement *judgement = oracle_say(out, oracle, verdict, detail);
    judgement->about = tool;
    return judgement;
}

struct judgement *oracle_say_role(struct judgements *out, const struct oracle *oracle,
                                  enum verdict verdict, const char *before,
                                  const struct oracle_side *side, const char *after) {
    return oracle_say_tool(out, oracle, verdict, before, side->tool, after);
}

// A judgement may quote what a tool said, and goes to terminals, scripts and JSON: one line of
// printable ASCII.
void oracle_clean(char *text) {
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

void oracle_text(struct judgement *judgement, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(judgement->text, sizeof judgement->text, format, args);
    va_end(args);
    oracle_clean(judgement->text);
}

void oracle_values(struct judgement *judgement, const char *field, const char *a, const char *b) {
    snprintf(judgement->field, sizeof judgement->field, "%s", field);
    snprintf(judgement->a_value, sizeof judgement->a_value, "%s", a ? a : "");
    snprintf(judgement->b_value, sizeof judgement->b_value, "%s", b ? b : "");
    oracle_clean(judgement->field);
    oracle_clean(judgement->a_value);
    oracle_clean(judgement->b_value);
}

void oracle_numbers(struct judgement *judgement, const char *field, uint64_t a, uint64_t b) {
    char a_text[24], b_text[24];
    snprintf(a_text, sizeof a_text, "%" PRIu64, a);
    snprintf(b_text, sizeof b_text, "%" PRIu64, b);
    oracle_values(judgement, field, a_text, b_text);
}

void oracle_number_of(struct judgement *judgement, const char *field, int side, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    oracle_values(judgement, field, side == 0 ? text : NULL, side == 0 ? NULL : text);
}

// instar's check-errors have leaks among them, too, and errors of refcounts that it counts nowhere
// else; qemu-img's are those for which a check ends with 1.
static bool counts_fit(const struct tool_result *result) {
    uint64_t corruptions = result->check.corruptions, leaks = result->check.leaks;
    uint64_t errors = result->check.check_errors;
    switch (result->class) {
    case OUTCOME_CLEAN:
        return !corruptions && !leaks && !errors;
    case OUTCOME_LEAKS:
        return !corruptions && leaks && errors <= leaks;
    case OUTCOME_CORRUPT:
        return corruptions || errors > leaks;
    default:
        return true;
    }
}

bool oracle_check_is_sound(const struct oracle *oracle, const struct oracle_step *step,
                           struct judgements *out, int i, const struct tool_result *check) {
    const struct oracle_side *side = oracle_side_at(step, i);
    struct judgement *judgement;
    char words[64];
    if (check->json_failed) {
        judgement = oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "unparsed_", side, "");
        oracle_text(judgement, "%s did not print check's JSON: %s.", side->tool->name,
                    check->json_problem);
        return false;
    }
    if (!check->check.present || counts_fit(check))
        return true;
    judgement = oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "counts_", side, "");
    snprintf(words, sizeof words, "%" PRIu64 " corruptions, %" PRIu64 " leaks",
             check->check.corruptions, check->check.leaks);
    oracle_values(judgement, "counts", i == 0 ? words : NULL, i == 0 ? NULL : words);
    oracle_text(judgement, "%s's check ends with %s, and counts %s.", side->tool->name,
                outcome_class_names[check->class], words);
    return false;
}

bool oracle_check_opinion(const struct oracle_step *step, const struct judgement *judgement,
                          struct opinion *opinion) {
    bool unparsed = strncmp(judgement->detail, "unparsed_", 9) == 0;
    if (!unparsed && strncmp(judgement->detail, "counts_", 7) != 0)
        return false;
    opinion_accuse(step, judgement, opinion, OPINION_BY_CONTRACT,
                   unparsed ? "It gave a verdict without the documented JSON."
                            : "How a check ends follows from what it counts.");
    return true;
}

bool oracle_explained(const struct oracle_step *step, struct judgements *out,
                      struct judgement *judgement) {
    if (out->registry)
        registry_explain(out->registry, step, judgement);
    return judgement->verdict != VERDICT_DIVERGENCE;
}
