// SPDX-License-Identifier: Apache-2.0
//
// The table of families, and the loop over it.
#include "base/buffer.h"
#include "guide/family.h"

// `members` looks at what `numbers` has taken apart.
static const struct guide_family *const families[] = {
    &guide_outcomes, &guide_messages, &guide_numbers,     &guide_members,      &guide_verdicts,
    &guide_cells,    &guide_sizes,    &guide_input_shape, &guide_output_shape,
};
#define FAMILIES (sizeof families / sizeof *families)

void guide_tell(const struct guide_telling *telling, enum guide_part part, const uint64_t *values,
                size_t count) {
    uint64_t word = telling->word;
    for (size_t i = 0; i < count; i++)
        word = guide_word(word, values[i]);
    guide_feature(telling->guide, part, word);
}

unsigned guide_magnitude(uint64_t value) {
    return value <= 2 ? (unsigned)value : 65u - (unsigned)__builtin_clzll(value - 1);
}

unsigned guide_zeros(uint64_t value) {
    return value ? (unsigned)__builtin_ctzll(value) : 64;
}

// How long a command took is no property of a case: on a busy machine an engine would keep what is
// slow.
static bool was_cut_off(const struct oracle_step *step) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        if ((side->ran && outcome_is_cut_off(oracle_class(side))) ||
            outcome_is_cut_off(side->output_check.class) || outcome_is_cut_off(side->fit_class))
            return true;
    }
    return false;
}

void guide_step(struct guide *guide, const struct guide_view *view) {
    if (!guide->cells || was_cut_off(view->step))
        return;
    guide_begin_step(guide);
    for (size_t i = 0; i < FAMILIES; i++) {
        const struct guide_telling telling = {guide, guide_word(0, i)};
        families[i]->tell(&telling, view);
    }
}

void guide_markdown(struct buffer *out) {
    buffer_text(out, "| family | parts of the region | a feature is |\n|---|---|---|\n");
    for (size_t i = 0; i < FAMILIES; i++)
        buffer_format(out, "| %s | %s | %s |\n", families[i]->name, families[i]->parts,
                      families[i]->words);
}
