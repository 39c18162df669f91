// SPDX-License-Identifier: Apache-2.0
//
// The table of steps, and those that are about records and members: lists get shorter, members get
// their defaults. Both come from the encoding table, so that a new field is simplified from its
// first day on. Steps about numbers of bytes are in simplify_numbers.c.
#include "mutators/simplify_steps.h"

#include <string.h>

// --- lists in pieces: all of it, its halves, its quarters, ... at last each alone -------------

static uint32_t piece_turns(uint32_t count) {
    uint32_t turns = count;
    for (uint32_t parts = 1; parts < count; parts *= 2)
        turns += parts;
    return turns;
}

static void piece_at(uint32_t count, uint32_t turn, uint32_t *first, uint32_t *end) {
    uint32_t parts = 1;
    while (parts < count && turn >= parts) {
        turn -= parts;
        parts *= 2;
    }
    if (parts > count)
        parts = count;
    *first = (uint32_t)((uint64_t)count * turn / parts);
    *end = (uint32_t)((uint64_t)count * (turn + 1) / parts);
}

// --- records ----------------------------------------------------------------------------------

// A divergence shows in one operation, and most need no other.
static uint32_t one_operation_turns(const struct testcase *base) {
    return base->operation_count > 1 ? base->operation_count : 0;
}

static void take_one_operation(struct testcase *to, uint32_t turn) {
    mut_remove(to, RECORD_OPERATION, turn + 1, to->operation_count);
    mut_remove(to, RECORD_OPERATION, 0, turn);
}

static void take_pieces(struct testcase *to, enum case_record kind, uint32_t turn) {
    uint32_t first, end;
    piece_at(mut_count(to, kind), turn, &first, &end);
    mut_remove(to, kind, first, end);
}

static uint32_t operations_turns(const struct testcase *base) {
    return piece_turns(base->operation_count);
}
static void take_operations(struct testcase *to, uint32_t turn) {
    take_pieces(to, RECORD_OPERATION, turn);
}
static uint32_t writes_turns(const struct testcase *base) {
    return piece_turns(base->write_count);
}
static void take_writes(struct testcase *to, uint32_t turn) {
    take_pieces(to, RECORD_WRITE, turn);
}

// --- members ----------------------------------------------------------------------------------

// Rows of their own care for these: what they mean depends on more than one member.
static bool has_own_step(const struct case_field *field) {
    static const char *const own[CASE_RECORDS][6] = {
        [RECORD_HEADER] = {"format", "size_class", "size_delta", "size_value"},
        [RECORD_WRITE] = {"offset", "length", "length_scale"},
        [RECORD_OPERATION] = {"op", "target"},
    };
    for (const char *const *name = own[field->record]; *name; name++)
        if (strcmp(*name, field->name) == 0)
            return true;
    return false;
}

struct member {
    const struct case_field *field;
    uint32_t record;
};
#define MOST_MEMBERS (CASE_MAX_WRITES * 16) // no record has so many rows

// All members of a kind of record that differ from their defaults, as one list. Neighbours in the
// table belong together (files below, snapshots, bitmaps), so pieces of the list are features.
static uint32_t set_members(const struct testcase *testcase, enum case_record kind,
                            struct member list[MOST_MEMBERS]) {
    uint32_t count = 0;
    for (uint32_t r = 0; r < mut_count(testcase, kind); r++)
        for (size_t i = 0; i < case_field_count && count < MOST_MEMBERS; i++) {
            const struct case_field *field = &case_fields[i];
            if (field->record == kind && !has_own_step(field) &&
                case_field_get(field, mut_record(testcase, kind, r)) != field->initial)
                list[count++] = (struct member){field, r};
        }
    return count;
}

static uint32_t member_turns(const struct testcase *base, enum case_record kind) {
    struct member list[MOST_MEMBERS];
    return piece_turns(set_members(base, kind, list));
}

static void take_members(struct testcase *to, enum case_record kind, uint32_t turn) {
    struct member list[MOST_MEMBERS];
    uint32_t first, end;
    piece_at(set_members(to, kind, list), turn, &first, &end);
    for (uint32_t i = first; i < end; i++)
        case_field_set(list[i].field, mut_record_of(to, kind, list[i].record),
                       list[i].field->initial);
}

static uint32_t header_turns(const struct testcase *base) {
    return member_turns(base, RECORD_HEADER);
}
static void take_header(struct testcase *to, uint32_t turn) {
    take_members(to, RECORD_HEADER, turn);
}
static uint32_t write_member_turns(const struct testcase *base) {
    return member_turns(base, RECORD_WRITE);
}
static void take_write_members(struct testcase *to, uint32_t turn) {
    take_members(to, RECORD_WRITE, turn);
}
static uint32_t option_turns(const struct testcase *base) {
    return member_turns(base, RECORD_OPERATION);
}
static void take_options(struct testcase *to, uint32_t turn) {
    take_members(to, RECORD_OPERATION, turn);
}

// --- counts: of snapshots, of bitmaps, ... as few as will do ----------------------------------

enum { COUNT_ONE, COUNT_HALF, COUNT_LESS, COUNT_TURNS };

static bool is_count(const struct case_field *field) {
    return field->kind == FIELD_RANGE && field->initial == field->low;
}

static uint32_t counts(const struct testcase *testcase, struct member list[MOST_MEMBERS]) {
    uint32_t found = 0;
    for (enum case_record kind = RECORD_HEADER; kind < CASE_RECORDS; kind++) {
        struct member set[MOST_MEMBERS];
        uint32_t count = set_members(testcase, kind, set);
        for (uint32_t i = 0; i < count && found < MOST_MEMBERS; i++)
            if (is_count(set[i].field))
                list[found++] = set[i];
    }
    return found;
}

static uint32_t count_turns(const struct testcase *base) {
    struct member list[MOST_MEMBERS];
    return COUNT_TURNS * counts(base, list);
}

static void take_count(struct testcase *to, uint32_t turn) {
    struct member list[MOST_MEMBERS];
    counts(to, list);
    const struct case_field *field = list[turn / COUNT_TURNS].field;
    void *record = mut_record_of(to, field->record, list[turn / COUNT_TURNS].record);
    int64_t value = case_field_get(field, record);
    const int64_t fewer[COUNT_TURNS] = {
        [COUNT_ONE] = field->low + 1,
        [COUNT_HALF] = field->low + (value - field->low) / 2,
        [COUNT_LESS] = value - 1,
    };
    case_field_set(field, record, fewer[turn % COUNT_TURNS]);
}

// --- formats and operations -------------------------------------------------------------------

// raw, then qcow2: what most people would take if it does not matter.
static uint32_t format_turns(const struct testcase *base) {
    return base->format < IMAGE_VPC ? base->format : IMAGE_VPC;
}

static void take_format(struct testcase *to, uint32_t turn) {
    to->format = turn;
}

enum { CALL_INFO, CALL_NOT_COMPRESSED, CALL_RAW, CALL_QCOW2, CALL_TURNS };

static uint32_t call_turns(const struct testcase *base) {
    return CALL_TURNS * base->operation_count;
}

static void take_call(struct testcase *to, uint32_t turn) {
    struct case_operation *operation = &to->operations[turn / CALL_TURNS];
    uint32_t target = turn % CALL_TURNS == CALL_RAW ? IMAGE_RAW : IMAGE_QCOW2;
    if (turn % CALL_TURNS == CALL_INFO)
        operation->op = OP_INFO;
    else if (turn % CALL_TURNS == CALL_NOT_COMPRESSED)
        operation->op = operation->op == OP_CONVERT_COMPRESSED ? OP_CONVERT : operation->op;
    else if (target < operation->target)
        operation->target = target;
}

// What a tool wrote as the input of another operation can often be built in its place.
static uint32_t input_turns(const struct testcase *base) {
    return base->operation_count;
}

static void take_input(struct testcase *to, uint32_t turn) {
    uint32_t writer = turn;
    while (writer-- > 0)
        if (operation_writes((enum operation)to->operations[writer].op))
            break;
    if (to->operations[turn].input == INPUT_SOURCE || writer == UINT32_MAX)
        return;
    to->format = to->operations[writer].target;
    to->operations[turn].input = INPUT_SOURCE;
    mut_remove(to, RECORD_OPERATION, writer, writer + 1);
}

const struct simplify_step simplify_step_table[] = {
    {one_operation_turns, take_one_operation},
    {operations_turns, take_operations},
    {writes_turns, take_writes},
    {header_turns, take_header},
    {option_turns, take_options},
    {simplify_spell_turns, simplify_spell},
    {write_member_turns, take_write_members},
    {input_turns, take_input},
    {format_turns, take_format},
    {call_turns, take_call},
    {simplify_absorb_turns, simplify_absorb},
    {simplify_size_turns, simplify_size},
    {count_turns, take_count},
    {simplify_place_turns, simplify_place},
    {simplify_length_turns, simplify_length},
    {simplify_sort_turns, simplify_sort},
};
const size_t simplify_step_count = sizeof simplify_step_table / sizeof *simplify_step_table;
