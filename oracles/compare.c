// SPDX-License-Identifier: Apache-2.0
//
// Contents of a step, compared at the lowest price: two rules hold three contents against each
// other, and nearly always all are the same.
#include "oracles/rule.h"

static bool all_same(const struct oracle_step *step) {
    struct image_source sources[IMAGE_ALL_SAME_MAX];
    const struct image_source *pointers[IMAGE_ALL_SAME_MAX];
    size_t count = 0;
    if (step->truth.content)
        content_as_source(step->truth.content, &sources[count++]);
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if (oracle_gave(side) && side->output)
            image_as_source(side->output, &sources[count++]);
    }
    for (size_t i = 0; i < count; i++)
        pointers[i] = &sources[i];
    return image_all_same(pointers, count, step->compare_budget);
}

int oracle_compare(const struct oracle_step *step, struct judgements *out,
                   const struct image_source *a, const struct image_source *b,
                   struct image_difference *difference, struct fault *fault) {
    if (out->content == CONTENT_NOT_ASKED)
        out->content = all_same(step) ? CONTENT_SAME : CONTENT_UNDECIDED;
    if (out->content == CONTENT_UNDECIDED)
        return image_compare(a, b, step->compare_budget, difference, fault);
    *difference = (struct image_difference){
        .a_size = a->size, .b_size = b->size, .prefix_equal = true, .tail_zero = true};
    return 0;
}
