// SPDX-License-Identifier: Apache-2.0
//
// A random operation: an image, whole or damaged, and one call of a tool that reads it. All of it
// follows from a seed and an index.
#ifndef TESTS_SOAK_TRIAL_H
#define TESTS_SOAK_TRIAL_H

#include "materialize.h"
#include "tool/tool.h"

struct random {
    uint64_t state;
};
uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t limit);

enum damage { DAMAGE_NONE, DAMAGE_BYTES, DAMAGE_CUT, DAMAGE_GARBAGE, DAMAGES };
extern const char *const damage_names[DAMAGES];

// Reused from operation to operation.
struct trial {
    struct testcase testcase;
    struct material material;
    enum damage damage;
    bool first_tool; // which of two tools is called
    struct tool_call call;
    char output[32];
};

// Draws everything that does not depend on the tools.
void trial_choose(struct trial *trial, uint64_t seed, uint64_t index);
// Builds the image in `directory`, damages it, and describes the call. A tool that cannot do what
// was drawn is asked for info instead.
int trial_build(struct trial *trial, uint64_t seed, uint64_t index, const struct tool *tool,
                const char *directory, struct fault *fault);
// Is this file of the case directory one that was built?
bool trial_is_input(const struct trial *trial, const char *name);

#endif
