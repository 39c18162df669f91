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

void guide_step(struct guide *guide, const struct guide_view *view) {
    if (!guide->cells)
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
