// SPDX-License-Identifier: Apache-2.0
//
// What of a judged step is worth telling an engine: a table of families of features, each one
// function and one row. They are chosen so that a case which makes a tool do something else sets
// another cell, and that a campaign can set a few thousand of them and no more: numbers count by
// magnitude and by the zeros at their end, texts by their letters, maps by their shape. Whatever
// differs between two runs of one case (times, identities that a writer draws at random) is left
// out. docs/guidance.md has the table.
#ifndef GUIDE_FEATURES_H
#define GUIDE_FEATURES_H

#include "guide/guide.h"
#include "oracles/oracle.h"

// A step after it was judged, its outputs still open.
struct guide_view {
    const struct oracle_step *step;
    const struct judgements *judgements;
    uint64_t sources; // classes of the input file (testcase/source_class.h), a bit set
};

// Sets the cells of one step. Does nothing where nobody listens, nor where a time limit or another
// limit of ours ended a command of the step.
void guide_step(struct guide *guide, const struct guide_view *view);
// The table as Markdown, for docs/guidance.md.
struct buffer;
void guide_markdown(struct buffer *out);

#endif
