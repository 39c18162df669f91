// SPDX-License-Identifier: Apache-2.0
//
// The steps by which a case gets simpler, as simplify.c walks over them: one table, in the order in
// which they help most. One more kind of step is one row.
#ifndef MUTATORS_SIMPLIFY_STEPS_H
#define MUTATORS_SIMPLIFY_STEPS_H

#include "mutators/records.h"

struct simplify_step {
    // How many ways there are to take it from this case.
    uint32_t (*turns)(const struct testcase *base);
    // Takes it in the way `turn`, which is below turns(to). What cannot be done leaves the case as
    // it is. After a kept candidate the same turn is asked again, so that a row which halves a
    // number or drops the nth of a list does so for as long as it goes well.
    void (*take)(struct testcase *to, uint32_t turn);
};

extern const struct simplify_step simplify_step_table[];
extern const size_t simplify_step_count;

// Numbers of bytes, in simplify_numbers.c.
uint32_t simplify_spell_turns(const struct testcase *base);
void simplify_spell(struct testcase *to, uint32_t turn);
uint32_t simplify_size_turns(const struct testcase *base);
void simplify_size(struct testcase *to, uint32_t turn);
uint32_t simplify_place_turns(const struct testcase *base);
void simplify_place(struct testcase *to, uint32_t turn);
uint32_t simplify_length_turns(const struct testcase *base);
void simplify_length(struct testcase *to, uint32_t turn);
uint32_t simplify_absorb_turns(const struct testcase *base);
void simplify_absorb(struct testcase *to, uint32_t turn);
uint32_t simplify_sort_turns(const struct testcase *base);
void simplify_sort(struct testcase *to, uint32_t turn);

#endif
