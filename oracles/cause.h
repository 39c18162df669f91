// SPDX-License-Identifier: Apache-2.0
//
// Which findings probably have one cause. One bug makes a signature for every pair of formats in
// which it shows, so whoever tells findings to a person tells them in groups. What is compared is
// little (the type, the detail, the accused tool), so a group is a guess and called one; signatures
// stay what they are.
#ifndef ORACLES_CAUSE_H
#define ORACLES_CAUSE_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

// A finding in a list. Texts are borrowed.
struct cause {
    const char *signature;
    // The tool that is probably wrong, by any name that is the same for all of the list, "both" or
    // "nobody" (the rule). "" or "unknown": nobody is accused, and it stays alone.
    const char *accused;
    uint64_t bytes; // of its case, minimized or not; UINT64_MAX: not known
    size_t item;    // for the caller, who finds it again by it
    // Set by cause_group.
    size_t members; // of its group, itself included
    bool leads;     // it is the first of its group
    size_t rank;    // where the list began with it; of no use to callers
};

// Sorts the list so that the members of a group follow each other. First comes the one with the
// smallest case, of equal ones the first by name, then the others in the order in which they came;
// groups come in the order of whichever of their members came first. Returns the number of groups,
// in which each that is alone counts as one.
size_t cause_group(struct cause *list, size_t count);

// Has the text the five parts of a signature (oracle_signature), and no other characters?
bool cause_is_signature(const char *text);
// What stands behind the last '-' of a signature, and what stands before the first is its type.
const char *cause_detail(const char *signature);
// The operation and both formats: what tells the members of a group apart.
void cause_between(const char *signature, struct buffer *out);
// "<type>-<detail>-<accused>": the same as long as these are, whatever leads the group. false: the
// finding stays alone.
bool cause_name(const char *signature, const char *accused, struct buffer *out);
// "34 signatures in 3 groups"; without the second part where each is alone.
void cause_count_words(size_t signatures, size_t groups, struct buffer *out);

#endif
