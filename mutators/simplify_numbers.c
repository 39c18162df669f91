// SPDX-License-Identifier: Apache-2.0
//
// Steps about numbers of bytes: how large the disk is, where its writes lie, how long they are. A
// person takes small and round numbers, and says them in bytes.
#include "mutators/simplify_steps.h"

#include "base/bytes.h"
#include "testcase/caps.h"

#define KIB64 (64 * KIB)

// The largest power of two below `number`, a sector at least; else 0.
static uint64_t power_below(uint64_t number) {
    return number > SECTOR ? 1ull << (63 - __builtin_clzll(number - 1)) : 0;
}

// --- spelling ---------------------------------------------------------------------------------

uint32_t simplify_spell_turns(const struct testcase *base) {
    (void)base;
    return 1;
}

// What does not work stays as it was.
static void set_size(struct testcase *to, uint64_t size) {
    struct testcase changed = *to;
    if (case_choose_size(&changed, size))
        *to = changed;
}

static void set_place(struct testcase *to, uint32_t index, uint64_t offset) {
    struct case_write changed = to->writes[index];
    struct testcase layer;
    case_layer(to, case_write_layer(to, &changed), &layer);
    changed.anchor = ANCHOR_START;
    changed.offset = (uint32_t)offset;
    changed.offset_delta = 0;
    changed.delta_scale = 0;
    if (offset <= UINT32_MAX || case_choose_place(&layer, &changed, offset))
        to->writes[index] = changed;
}

static void set_length(struct testcase *to, uint32_t index, uint64_t length) {
    struct case_write changed = to->writes[index];
    struct testcase layer;
    case_layer(to, case_write_layer(to, &changed), &layer);
    if (case_choose_length(&changed, length, case_source_unit(&layer)))
        to->writes[index] = changed;
}

// Sizes, places and lengths as they come out, whichever way they were said before. Writes that the
// caps leave out have no place to be said.
void simplify_spell(struct testcase *to, uint32_t turn) {
    struct content_extent extents[CASE_MAX_WRITES];
    (void)turn;
    case_chain_extents(to, extents);
    set_size(to, case_virtual_size(to));
    for (uint32_t i = 0; i < to->write_count; i++) {
        if (extents[i].length == 0)
            continue;
        set_place(to, i, extents[i].offset);
        set_length(to, i, extents[i].length);
    }
}

// --- the disk ---------------------------------------------------------------------------------

static uint64_t edge_below(uint64_t size) {
    uint64_t below = 0;
    for (size_t i = 0; i < CASE_EDGES; i++)
        if (case_size_edges[i] < size)
            below = case_size_edges[i];
    return below;
}

// Half-way up from the power of two below, in MiB.
static uint64_t half_way(uint64_t size) {
    uint64_t below = power_below(size);
    return below >= MIB ? below + round_down((size - below) / 2, MIB) : 0;
}

// Sizes to try, none of them larger than the next round number; 0 where there is no such size.
enum { SIZE_FIRST_UP = 13, SIZE_LAST_UP = 15, SIZE_TURNS = 17 };

static void sizes_below(uint64_t size, uint64_t sizes[SIZE_TURNS]) {
    uint64_t below = power_below(size);
    const uint64_t odd = size % SECTOR ? 1 : 0;
    const uint64_t round[SIZE_TURNS] = {
        SECTOR,
        KIB64,
        MIB,
        odd,
        odd * (SECTOR + 1),
        odd * (KIB64 + 1),
        odd * (MIB + 1),
        below,
        edge_below(size),
        half_way(size),
        round_down(size, MIB),
        round_down(size, KIB64),
        round_down(size, SECTOR),
        size > KIB64 && size % (size > 16 * MIB ? MIB : KIB64) ? round_up(size, MIB) : 0,
        size > KIB64 && size % 4096 ? round_up(size, KIB64) : 0,
        size % SECTOR ? round_up(size, SECTOR) : 0,
        odd && below ? below + 1 : 0,
    };
    for (size_t i = 0; i < SIZE_TURNS; i++) {
        bool rounds_up = i >= SIZE_FIRST_UP && i <= SIZE_LAST_UP;
        sizes[i] = round[i] < size || rounds_up || size == 0 ? round[i] : 0;
    }
}

// Each size in two ways: the end of the disk is cut off, or its middle, so that what lies in the
// second half keeps its distance from the end.
uint32_t simplify_size_turns(const struct testcase *base) {
    (void)base;
    return 2 * SIZE_TURNS;
}

void simplify_size(struct testcase *to, uint32_t turn) {
    struct content_extent extents[CASE_MAX_WRITES];
    uint64_t sizes[SIZE_TURNS], size = case_virtual_size(to), smaller;
    sizes_below(size, sizes);
    smaller = sizes[turn / 2];
    if (!smaller)
        return;
    case_chain_extents(to, extents);
    set_size(to, smaller);
    for (uint32_t i = 0; i < to->write_count && turn % 2 && case_virtual_size(to) == smaller; i++) {
        uint64_t from_end = size - min_u64(size, extents[i].offset);
        if (from_end <= size / 2 && from_end <= smaller)
            set_place(to, i, smaller - from_end);
    }
}

// --- writes -----------------------------------------------------------------------------------

enum { LENGTH_FIRST_UP = 6, LENGTH_TURNS = 8 };

uint32_t simplify_length_turns(const struct testcase *base) {
    return LENGTH_TURNS * base->write_count;
}

void simplify_length(struct testcase *to, uint32_t turn) {
    struct content_extent extents[CASE_MAX_WRITES];
    uint32_t index = turn / LENGTH_TURNS;
    case_chain_extents(to, extents);
    uint64_t length = extents[index].length;
    const uint64_t lengths[LENGTH_TURNS] = {
        SECTOR,
        KIB64,
        power_below(length),
        round_down(length, KIB64),
        round_down(length, SECTOR),
        length % SECTOR ? 1 : 0,
        length > KIB64 && length % 4096 ? round_up(length, KIB64) : 0,
        length % SECTOR ? round_up(length, SECTOR) : 0,
    };
    // A sector reads better than any part of it but a byte, so that one is rounded up to as well.
    bool rounds_up = turn % LENGTH_TURNS >= LENGTH_FIRST_UP || turn % LENGTH_TURNS == 0;
    uint64_t chosen = lengths[turn % LENGTH_TURNS];
    if (chosen && length > 1 && (rounds_up || chosen < length))
        set_length(to, index, chosen);
}

enum { PLACE_TURNS = 7 };

uint32_t simplify_place_turns(const struct testcase *base) {
    return PLACE_TURNS * base->write_count;
}

void simplify_place(struct testcase *to, uint32_t turn) {
    struct content_extent extents[CASE_MAX_WRITES];
    struct testcase layer;
    uint32_t index = turn / PLACE_TURNS;
    case_chain_extents(to, extents);
    case_layer(to, case_write_layer(to, &to->writes[index]), &layer);
    uint64_t offset = extents[index].offset;
    const uint64_t places[PLACE_TURNS] = {
        0,
        power_below(offset),
        round_down(offset, MIB),
        round_down(offset, KIB64),
        round_down(offset, case_source_unit(&layer)),
        round_down(offset, 4096),
        round_down(offset, SECTOR),
    };
    if (places[turn % PLACE_TURNS] < offset)
        set_place(to, index, places[turn % PLACE_TURNS]);
}

// Where many writes are needed because much must be written, one long one may do.
uint32_t simplify_absorb_turns(const struct testcase *base) {
    return base->write_count;
}

// Write `turn` grows to the longest that a write can be, and takes the place of all others of its
// file that lie in it.
void simplify_absorb(struct testcase *to, uint32_t turn) {
    struct content_extent extents[CASE_MAX_WRITES];
    struct case_write grown = to->writes[turn];
    case_chain_extents(to, extents);
    uint64_t from = extents[turn].offset, end = from + CAP_WRITE;
    uint32_t before = to->write_count, at = turn;
    for (uint32_t i = before; i-- > 0;) {
        bool inside = extents[i].offset >= from && extents[i].offset + extents[i].length <= end;
        if (i == turn || !inside || to->writes[i].layer != grown.layer)
            continue;
        mut_remove(to, RECORD_WRITE, i, i + 1);
        at -= i < at;
    }
    if (to->write_count < before)
        set_length(to, at, CAP_WRITE);
}

// In the order of their places, as one writes them down.
uint32_t simplify_sort_turns(const struct testcase *base) {
    return base->write_count > 1;
}

void simplify_sort(struct testcase *to, uint32_t turn) {
    struct content_extent extents[CASE_MAX_WRITES];
    (void)turn;
    case_chain_extents(to, extents);
    for (uint32_t i = 1; i < to->write_count; i++) {
        struct case_write write = to->writes[i];
        struct content_extent extent = extents[i];
        uint32_t at = i;
        for (; at > 0 && extents[at - 1].offset > extent.offset; at--) {
            to->writes[at] = to->writes[at - 1];
            extents[at] = extents[at - 1];
        }
        to->writes[at] = write;
        extents[at] = extent;
    }
}
