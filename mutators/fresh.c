// SPDX-License-Identifier: Apache-2.0
//
// A case from nothing, in the order in which a person would write one: what the source is, how
// large, what was written to it, what is asked. Bugs that outlive their first years need several
// things at once, so a source is often of several kinds at once, and large enough that writes have
// different places. (Of a million cases that were made by stacks of mutations alone, none to 22 had
// what one of the planted bugs of standin/losses.h needs; of these, 40 to 902 have.)
#include "mutators/mutation.h"

static void draw_size(struct mut_work *work) {
    static bool (*const sizes[])(struct mut_work *) = {mut_size_edge, mut_size_units,
                                                       mut_size_units, mut_size_some};
    sizes[mut_below(work->random, sizeof sizes / sizeof *sizes)](work);
}

// One operation: what a chain reaches, most of its parts reach in less time.
void mut_fresh(struct mut_work *work) {
    struct mut_random *random = work->random;
    if (!mut_one_in(random, 4) && mut_kind(work))
        while (mut_one_in(random, 2))
            mut_kind_join(work);
    if (!mut_one_in(random, 4))
        draw_size(work);
    while (mut_one_in(random, 2))
        mut_write_add(work);
    if (mut_one_in(random, 3))
        mut_write_edge(work);
    if (case_layers(work->testcase) > 1)
        mut_write_copy(work);
    mut_op_add(work);
    // By the units of the target, too.
    if (mut_one_in(random, 8))
        mut_write_comb(work);
}
