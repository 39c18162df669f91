// SPDX-License-Identifier: Apache-2.0
//
// The registry as people and programs read it, and how each entry proves itself. Matching is not
// done here.
#include "oracles/registry.h"

#include "oracles/registry_entry.h"

#include <string.h>

size_t registry_count(const struct registry *registry) {
    return registry->count;
}

void registry_words_at(const struct registry *registry, size_t index,
                       struct registry_words *words) {
    const struct registry_entry *entry = &registry->entries[index];
    *words = (struct registry_words){.id = entry->id,
                                     .type = entry->type,
                                     .reason = entry->reason,
                                     .link = entry->link,
                                     .date = entry->date,
                                     .says = entry->predictor ? entry->predictor->says : NULL};
}

size_t registry_find(const struct registry *registry, const char *id) {
    size_t i = 0;
    while (i < registry->count && strcmp(registry->entries[i].id, id) != 0)
        i++;
    return i;
}

void registry_proof(const struct registry *registry, size_t index, struct registry_proof *proof) {
    const struct registry_entry *entry = &registry->entries[index];
    *proof = (struct registry_proof){
        .id = entry->id, .lie = entry->lie, .explained = entry->predictor != NULL};
    if (!entry->proof)
        return;
    char *text = cJSON_PrintUnformatted(entry->proof);
    case_from_json(&proof->testcase, text, NULL); // it was read once already
    cJSON_free(text);
}

bool registry_is_about(const struct registry *registry, size_t index, const struct tool *a,
                       const struct tool *b) {
    const struct registry_entry *entry = &registry->entries[index];
    return registry_entry_is_about(entry, a, b) || registry_entry_is_about(entry, b, a);
}

static void say_match(const struct registry_entry *entry, struct buffer *out) {
    buffer_format(out, "    %s (%s) against %s (%s); op %s, %s -> %s", entry->tool.name,
                  entry->tool.versions, entry->other.name, entry->other.versions, entry->op_words,
                  entry->source_words, entry->target_words);
    if (*entry->field)
        buffer_format(out, "; %s", entry->field);
    for (size_t i = 0; i < entry->feature_count; i++)
        buffer_format(out, "%s %s", i ? "," : "; when", entry->features[i]->name);
    buffer_text(out, "\n");
}

static void list_entry(const struct registry_entry *entry, int id_width, struct buffer *out) {
    buffer_format(out, "%-*s %-38s %-10s %s\n", id_width, entry->id, entry->type, entry->date,
                  entry->predictor ? entry->predictor->name : "UNEXPLAINED, never makes known");
    say_match(entry, out);
    buffer_format(out, "    %s\n", entry->reason);
    if (*entry->link)
        buffer_format(out, "    %s\n", entry->link);
}

void registry_list(const struct registry *registry, struct buffer *out) {
    int id_width = 2;
    for (size_t i = 0; i < registry->count; i++)
        if ((int)strlen(registry->entries[i].id) > id_width)
            id_width = (int)strlen(registry->entries[i].id);
    buffer_format(out, "%-*s %-38s %-10s %s\n", id_width, "ID", "TYPE", "SINCE", "PREDICTED BY");
    for (size_t i = 0; i < registry->count; i++)
        list_entry(&registry->entries[i], id_width, out);
}

static void say_proof(const struct registry_entry *entry, const struct registry_proof *proof,
                      struct buffer *out) {
    if (*entry->lie)
        buffer_format(out, "Shown by the stand-in with STANDIN_LIE=as-instar,%s in this case:\n",
                      entry->lie);
    else
        buffer_format(out, "Shown by the installed %s in this case:\n", entry->tool.name);
    case_describe(&proof->testcase, out);
}

void registry_tell(const struct registry *registry, size_t index, struct buffer *out) {
    const struct registry_entry *entry = &registry->entries[index];
    struct registry_proof proof;
    registry_proof(registry, index, &proof);
    buffer_format(out, "%s: %s, since %s\n", entry->id, entry->type, entry->date);
    say_match(entry, out);
    for (size_t i = 0; i < entry->feature_count; i++)
        buffer_format(out, "    %s: %s\n", entry->features[i]->name, entry->features[i]->says);
    if (entry->predictor)
        buffer_format(out, "Known if the value is: %s (%s).\n", entry->predictor->says,
                      entry->predictor->name);
    else
        buffer_text(out, "Unexplained: no value is predicted, and nothing is made known.\n");
    buffer_format(out, "%s\n", entry->reason);
    if (*entry->link)
        buffer_format(out, "%s\n", entry->link);
    if (entry->predictor)
        say_proof(entry, &proof, out);
}

// As it was written, and what the predictor says.
cJSON *registry_json(const struct registry *registry) {
    cJSON *list = cJSON_CreateArray();
    const cJSON *written = cJSON_GetObjectItem(registry->json, "entries")->child;
    for (size_t i = 0; i < registry->count; i++, written = written->next) {
        cJSON *copy = cJSON_Duplicate(written, true);
        const struct predictor *predictor = registry->entries[i].predictor;
        cJSON_AddItemToObject(copy, "predicted_value",
                              predictor ? cJSON_CreateString(predictor->says) : cJSON_CreateNull());
        cJSON_AddItemToArray(list, copy);
    }
    return list;
}
