// SPDX-License-Identifier: Apache-2.0
//
// Matching of known divergences. What matches the case but not the predicted value is new: that is
// the whole point of predicting. (The file is read in registry_load.c; registry_words.c tells of
// it.)
#include "oracles/registry.h"

#include "oracles/registry_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool version_in(const struct registry_tool *wanted, uint32_t version) {
    if (wanted->term_count && !version)
        return false; // unknown: nothing that depends on it is known
    for (size_t i = 0; i < wanted->term_count; i++) {
        const struct registry_version_term *term = &wanted->terms[i];
        int order = version < term->version ? -1 : version > term->version;
        bool fits = (order < 0 && term->less) || (order == 0 && term->equal) ||
                    (order > 0 && term->greater);
        if (!fits)
            return false;
    }
    return true;
}

// A stand-in that plays the documented instar is that instar to an entry, in the version played.
static bool tool_matches(const struct registry_tool *wanted, const struct tool *tool) {
    if (strcmp(wanted->name, "any") == 0)
        return !tool || version_in(wanted, tool->version_number);
    if (!tool)
        return false;
    if (strcmp(wanted->name, "qemu_img") == 0)
        return tool->kind == TOOL_QEMU_IMG && version_in(wanted, tool->version_number);
    if (tool->kind == TOOL_QEMU_IMG)
        return false;
    if (strcmp(wanted->name, "stand_in") == 0)
        return tool->is_standin && version_in(wanted, tool->version_number);
    return tool->is_standin ? tool->played_version && version_in(wanted, tool->played_version)
                            : version_in(wanted, tool->version_number);
}

bool registry_entry_is_about(const struct registry_entry *entry, const struct tool *tool,
                             const struct tool *other) {
    return tool_matches(&entry->tool, tool) && tool_matches(&entry->other, other);
}

static bool case_matches(const struct registry_entry *entry, const struct oracle_step *step,
                         const struct judgement *judgement) {
    if (strcmp(entry->type, judgement->oracle->type) != 0 ||
        strcmp(entry->field, judgement->field) != 0)
        return false;
    if (!(entry->ops & 1u << step->op) || !(entry->sources & 1u << step->source))
        return false;
    if (step->target < IMAGE_FORMATS ? !(entry->targets & 1u << step->target)
                                     : entry->targets != REGISTRY_ANY)
        return false;
    for (size_t i = 0; i < entry->feature_count; i++) {
        const struct feature *feature = entry->features[i];
        if (!(feature->needs_content && oracle_is_tainted(step)) && !feature->holds(step))
            return false;
    }
    return true;
}

// Of a file whose content is unknown some entries can say neither yes nor no.
static bool cannot_say(const struct registry_entry *entry, const struct oracle_step *step) {
    bool needs = entry->predictor->needs_content;
    for (size_t i = 0; i < entry->feature_count; i++)
        needs |= entry->features[i]->needs_content;
    return needs && oracle_is_tainted(step);
}

enum explains { EXPLAINS_NOT, EXPLAINS_MAYBE, EXPLAINS };

// Did side `i` deviate as the entry says, from an answer that is right as far as anybody knows?
static enum explains side_explained(const struct registry_entry *entry,
                                    const struct oracle_step *step,
                                    const struct judgement *judgement, int i) {
    const struct oracle_side *side = i ? &step->b : &step->a, *other = i ? &step->a : &step->b;
    const char *value = i ? judgement->b_value : judgement->a_value;
    const char *other_value = i ? judgement->a_value : judgement->b_value;
    char predicted[PREDICT_ROOM];
    if (!side->tool || !*value || !registry_entry_is_about(entry, side->tool, other->tool))
        return EXPLAINS_NOT;
    if (cannot_say(entry, step))
        return EXPLAINS_MAYBE;
    if (!entry->predictor->value(step, judgement->field, predicted) ||
        strcmp(predicted, value) != 0)
        return EXPLAINS_NOT;
    bool deviates = predict_judge(step, judgement->field, value) != PREDICT_RIGHT;
    bool other_may_be_right =
        !*other_value || predict_judge(step, judgement->field, other_value) != PREDICT_WRONG;
    return deviates && other_may_be_right ? EXPLAINS : EXPLAINS_NOT;
}

void registry_explain(const struct registry *registry, const struct oracle_step *step,
                      struct judgement *judgement) {
    bool maybe = false;
    if (judgement->verdict != VERDICT_DIVERGENCE)
        return;
    for (size_t i = 0; i < registry->count; i++) {
        const struct registry_entry *entry = &registry->entries[i];
        if (!entry->predictor || !case_matches(entry, step, judgement))
            continue;
        for (int side = 0; side < ORACLE_SIDES; side++) {
            enum explains explains = side_explained(entry, step, judgement, side);
            maybe |= explains == EXPLAINS_MAYBE;
            if (explains != EXPLAINS)
                continue;
            judgement->verdict = VERDICT_KNOWN;
            judgement->known_tool = oracle_side_at(step, side)->tool;
            snprintf(judgement->known_id, sizeof judgement->known_id, "%s", entry->id);
            return;
        }
    }
    if (!maybe)
        return;
    judgement->verdict = VERDICT_INCONCLUSIVE;
    snprintf(judgement->reason, sizeof judgement->reason, "truth_unknown");
}

bool registry_predicts(const struct registry *registry, const struct oracle_step *step,
                       const struct judgement *of, int i) {
    const char *value = i ? of->b_value : of->a_value;
    char predicted[PREDICT_ROOM];
    for (size_t j = 0; j < registry->count; j++) {
        const struct registry_entry *entry = &registry->entries[j];
        if (entry->predictor && case_matches(entry, step, of) && !cannot_say(entry, step) &&
            tool_matches(&entry->tool, oracle_side_at(step, i)->tool) &&
            entry->predictor->value(step, of->field, predicted) && strcmp(predicted, value) == 0)
            return true;
    }
    return false;
}

void registry_free(struct registry *registry) {
    if (!registry)
        return;
    cJSON_Delete(registry->json);
    free(registry->entries);
    free(registry);
}
