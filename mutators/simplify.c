// SPDX-License-Identifier: Apache-2.0
//
// The walk over the table of steps: from the first row to the last, and again from the first for as
// long as a pass has kept anything. What was handed out once is remembered, whatever its base was,
// so a new pass costs only what the latest base has made possible.
#include "mutators/simplify.h"

#include "base/hash.h"
#include "mutators/simplify_steps.h"

#include <stdlib.h>
#include <string.h>

struct simplify {
    struct testcase base;
    uint8_t best[CASE_MAX_BYTES], candidate[CASE_MAX_BYTES];
    size_t best_size, candidate_size; // candidate_size 0: none is waiting for its judgement
    bool begun;                       // the input was encoded
    bool is_input;                    // the candidate is nothing but that
    size_t step;                      // row of the table; simplify_step_count: the end
    uint32_t turn;
    bool kept_in_pass;
    uint64_t *met; // hashes of what was handed out; open addressing, 0 is free
    size_t met_count, met_room;
};

static uint64_t hash_of(const uint8_t *data, size_t size) {
    uint64_t hash = hash_bytes(data, size);
    return hash ? hash : 1;
}

static uint64_t *met_slot(uint64_t *met, size_t room, uint64_t hash) {
    size_t at = hash % room;
    while (met[at] && met[at] != hash)
        at = (at + 1) % room;
    return &met[at];
}

static void met_grow(struct simplify *s) {
    size_t room = s->met_room ? 2 * s->met_room : 256;
    uint64_t *met = must_realloc(NULL, room * sizeof *met);
    memset(met, 0, room * sizeof *met);
    for (size_t i = 0; i < s->met_room; i++)
        if (s->met[i])
            *met_slot(met, room, s->met[i]) = s->met[i];
    free(s->met);
    s->met = met;
    s->met_room = room;
}

// false: it was met before.
static bool is_new(struct simplify *s, const uint8_t *data, size_t size) {
    if (2 * s->met_count >= s->met_room)
        met_grow(s);
    uint64_t hash = hash_of(data, size), *slot = met_slot(s->met, s->met_room, hash);
    if (*slot)
        return false;
    *slot = hash;
    s->met_count++;
    return true;
}

struct simplify *simplify_begin(const uint8_t *data, size_t size) {
    struct simplify *s = must_realloc(NULL, sizeof *s);
    memset(s, 0, sizeof *s);
    s->best_size = size < CASE_MAX_BYTES ? size : CASE_MAX_BYTES;
    if (s->best_size)
        memcpy(s->best, data, s->best_size);
    case_decode(&s->base, s->best, s->best_size);
    return s;
}

static size_t hand_out(struct simplify *s, uint8_t out[CASE_MAX_BYTES]) {
    memcpy(out, s->candidate, s->candidate_size);
    return s->candidate_size;
}

// The canonical encoding of the input becomes the candidate, unless the input is encoded so.
static bool encode_input(struct simplify *s) {
    s->begun = true;
    s->candidate_size = case_encode(&s->base, s->candidate);
    is_new(s, s->candidate, s->candidate_size);
    s->is_input =
        s->candidate_size != s->best_size || memcmp(s->candidate, s->best, s->best_size) != 0;
    if (!s->is_input)
        s->candidate_size = 0;
    return s->is_input;
}

// The next turn's candidate, if it is one that was not met before.
static bool take_turn(struct simplify *s) {
    struct testcase changed = s->base;
    simplify_step_table[s->step].take(&changed, s->turn);
    s->candidate_size = case_encode(&changed, s->candidate);
    if (is_new(s, s->candidate, s->candidate_size))
        return true;
    s->candidate_size = 0;
    s->turn++;
    return false;
}

size_t simplify_next(struct simplify *s, uint8_t out[CASE_MAX_BYTES]) {
    if (s->candidate_size)
        simplify_judged(s, false);
    if (!s->begun && encode_input(s))
        return hand_out(s, out);
    while (s->step < simplify_step_count) {
        if (s->turn < simplify_step_table[s->step].turns(&s->base)) {
            if (take_turn(s))
                return hand_out(s, out);
            continue;
        }
        s->turn = 0;
        s->step++;
        if (s->step == simplify_step_count && s->kept_in_pass) {
            s->step = 0;
            s->kept_in_pass = false;
        }
    }
    return 0;
}

void simplify_judged(struct simplify *s, bool kept) {
    if (!s->candidate_size)
        return;
    if (kept) {
        memcpy(s->best, s->candidate, s->candidate_size);
        s->best_size = s->candidate_size;
        case_decode(&s->base, s->best, s->best_size);
        s->kept_in_pass |= !s->is_input;
    } else if (!s->is_input) {
        s->turn++;
    }
    s->is_input = false;
    s->candidate_size = 0;
}

const uint8_t *simplify_best(const struct simplify *s, size_t *size) {
    *size = s->best_size;
    return s->best;
}

void simplify_end(struct simplify *s) {
    if (!s)
        return;
    free(s->met);
    free(s);
}
