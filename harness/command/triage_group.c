// SPDX-License-Identifier: Apache-2.0
//
// The rows of confirmed divergences in groups that probably have one cause (oracles/cause.h), so
// that thirty signatures of one bug are one thing to look at.
#include "command/triage.h"

#include "oracles/cause.h"

#include <stdlib.h>

// What the registry explains has its cause already, and what is not confirmed accuses nobody yet.
static const char *accused_by(const struct triage_row *row) {
    const struct triage_signature *signature = row->settled;
    bool told =
        signature && signature->state == SETTLE_CONFIRMED && !signature->settled.known_id[0];
    return told ? signature->settled.role : "";
}

void triage_group_rows(struct triage *t) {
    size_t count = triage_count(t, LIST_DIVERGENCES, true); // they come first
    struct cause *list = must_realloc(NULL, (count + 1) * sizeof *list);
    struct triage_row *before = must_realloc(NULL, (count + 1) * sizeof *before);
    for (size_t i = 0; i < count; i++) {
        before[i] = t->rows[i];
        list[i] = (struct cause){.signature = before[i].key,
                                 .accused = accused_by(&before[i]),
                                 .bytes = before[i].settled->settled.size,
                                 .item = i};
    }
    t->group_count = cause_group(list, count);
    for (size_t i = 0; i < count; i++) {
        t->rows[i] = before[list[i].item];
        t->rows[i].leads = list[i].leads;
        t->rows[i].members = list[i].members;
    }
    free(before);
    free(list);
}

bool triage_group_name(const struct triage_row *row, struct buffer *name) {
    return row->list == LIST_DIVERGENCES && cause_name(row->key, accused_by(row), name);
}
