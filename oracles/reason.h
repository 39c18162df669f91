// SPDX-License-Identifier: Apache-2.0
//
// What it means where nothing was compared. Rules count by short stable names; people read this
// table, in docs/oracles.md and on the page of a campaign.
#ifndef ORACLES_REASON_H
#define ORACLES_REASON_H

#include "base/buffer.h"

// The meaning of a name as counters have it, with the verdict before it ("inconclusive: budget"),
// or without. NULL: no row knows it.
const char *reason_meaning(const char *name);
// The table for docs/oracles.md.
void reason_markdown(struct buffer *out);

#endif
