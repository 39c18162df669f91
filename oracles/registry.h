// SPDX-License-Identifier: Apache-2.0
//
// The registry of known divergences (oracles/known-divergences.json). An entry explains a
// divergence only if its case matches and the deviating tool said exactly the value that the
// entry's predictor computes from the truth; anything else in the same place is new. An entry
// without a predictor is listed as unexplained and never makes anything known.
#ifndef ORACLES_REGISTRY_H
#define ORACLES_REGISTRY_H

#include "oracles/oracle.h"
#include "testcase/testcase.h"

struct registry; // loaded entries

// Reads and checks the file; a bad entry is an error that names its id and member.
int registry_load(struct registry **registry, const char *path, struct fault *fault);
// The same from memory; `name` stands for the file in errors.
int registry_load_text(struct registry **registry, const char *text, size_t length,
                       const char *name, struct fault *fault);
// The registry that is compiled in (oracles/known-divergences.json at build time).
int registry_load_built_in(struct registry **registry, struct fault *fault);
void registry_free(struct registry *registry);
size_t registry_count(const struct registry *registry);
// An entry as people read it; borrowed.
struct registry_words {
    const char *id, *type, *reason, *link, *date;
    const char *says; // what its predictor computes; NULL: unexplained
};
void registry_words_at(const struct registry *registry, size_t index, struct registry_words *words);
// The index of an entry, or registry_count.
size_t registry_find(const struct registry *registry, const char *id);
// Turns a divergence that an entry explains into VERDICT_KNOWN with its id; one that an entry may
// explain, but for a content that nobody knows, into VERDICT_INCONCLUSIVE.
void registry_explain(const struct registry *registry, const struct oracle_step *step,
                      struct judgement *judgement);
// Does an entry lead to this value of side `i`, whoever the other tool is? `of` names rule, field
// and value; nothing in it changes. For rules that hold an answer against another of the same tool.
bool registry_predicts(const struct registry *registry, const struct oracle_step *step,
                       const struct judgement *of, int i);
// How an entry proves itself: this case, run with this lie of a stand-in that plays instar, must
// come out as known under the entry's id. An unexplained one has no case.
struct registry_proof {
    const char *id, *lie; // lie "": about a tool that shows it by itself
    bool explained;
    struct testcase testcase;
};
void registry_proof(const struct registry *registry, size_t index, struct registry_proof *proof);
// Is the entry about these two, in either order and in their versions? NULL: not in the pair.
bool registry_is_about(const struct registry *registry, size_t index, const struct tool *a,
                       const struct tool *b);

// registry_words.c, for `instar-fuzz known`: a few lines an entry; one entry with all that is known
// of it; the entries as a JSON array.
void registry_list(const struct registry *registry, struct buffer *out);
void registry_tell(const struct registry *registry, size_t index, struct buffer *out);
cJSON *registry_json(const struct registry *registry);

#endif
