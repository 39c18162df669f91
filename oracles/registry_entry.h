// SPDX-License-Identifier: Apache-2.0
//
// A known divergence as it was read from the file, for the files named registry_* only. Text
// points into the parsed JSON, which the registry owns.
#ifndef ORACLES_REGISTRY_ENTRY_H
#define ORACLES_REGISTRY_ENTRY_H

#include "oracles/predict.h"

#define REGISTRY_ANY          (~0u)
#define REGISTRY_MAX_FEATURES 8
#define REGISTRY_MAX_TERMS    4

struct registry_version_term { // ">=7.0": greater and equal
    bool less, equal, greater;
    uint32_t version; // as tool.version_number
};

struct registry_tool {
    const char *name;     // "qemu_img", "instar", "stand_in", "any"
    const char *versions; // as written
    struct registry_version_term terms[REGISTRY_MAX_TERMS]; // all must hold; none: any version
    size_t term_count;
};

struct registry_entry {
    const char *id, *type, *field, *reason, *link, *date; // field "": about no single value
    unsigned ops, sources, targets; // bit sets; REGISTRY_ANY. Sources: IMAGE_FORMATS is none
    char op_words[64], source_words[64], target_words[64];
    const struct feature *features[REGISTRY_MAX_FEATURES]; // all must hold
    size_t feature_count;
    struct registry_tool tool, other;  // who deviates; from whom
    const struct predictor *predictor; // NULL: unexplained
    const char *lie;    // of the stand-in that shows it; "": the installed tool shows it itself
    const cJSON *proof; // the case that shows it, in its text form; NULL: unexplained
};

// Do both tools, versions included, fit the entry?
bool registry_entry_is_about(const struct registry_entry *entry, const struct tool *tool,
                             const struct tool *other);

struct registry {
    cJSON *json;
    struct registry_entry *entries;
    size_t count;
};

#endif
