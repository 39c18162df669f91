// SPDX-License-Identifier: Apache-2.0
//
// Features of what the tools said: how they ended, what they complained of, the numbers that they
// reported, and where the two answers are not the same.
#include "guide/family.h"

#include "base/bytes.h"
#include "testcase/caps.h"

#include <string.h>

// A leaf of an answer. The path is a hash of the names that lead to it, without positions in lists:
// the tenth extent of a disk is nothing new.
struct leaf {
    uint64_t path;
    unsigned nth;   // among those of this path
    uint64_t value; // the number, or a hash of the text
    bool is_number;
};
#define LEAVES 96 // more are not looked at; info of a split disk has the most

struct leaves {
    struct leaf items[LEAVES];
    size_t count;
};

static uint64_t text_word(const char *text) {
    uint64_t word = 0;
    for (; *text; text++)
        word = guide_word(word, (uint8_t)*text);
    return word;
}

// Drawn at random by whoever wrote the file; space on disk, which a file system may settle later.
static bool varies_by_itself(const char *name) {
    static const char *const names[] = {"cid", "parent-cid", "actual-size"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void add_leaf(struct leaves *leaves, uint64_t path, uint64_t value, bool is_number) {
    if (leaves->count == LEAVES)
        return;
    unsigned nth = 0;
    for (size_t i = 0; i < leaves->count; i++)
        nth += leaves->items[i].path == path;
    leaves->items[leaves->count++] = (struct leaf){path, nth, value, is_number};
}

static void add_item(struct leaves *leaves, uint64_t path, const cJSON *item) {
    uint64_t value;
    bool is_number = tool_json_u64(item, &value);
    if (!is_number)
        value = cJSON_IsString(item) ? text_word(item->valuestring) : (uint64_t)item->type;
    add_leaf(leaves, path, value, is_number);
}

// No deeper than tool_json_parse lets a tree be.
static void collect_tree(struct leaves *leaves, uint64_t path, const cJSON *tree) {
    for (const cJSON *item = tree ? tree->child : NULL; item; item = item->next) {
        if (item->string && varies_by_itself(item->string))
            continue;
        uint64_t below = item->string ? guide_word(path, text_word(item->string)) : path;
        if (item->child)
            collect_tree(leaves, below, item);
        else
            add_item(leaves, below, item);
    }
}

// Is the convert behind a measure run in every case? Elsewhere it is a cross-check: whether it is
// asked follows from the bytes of the case, and says nothing of the answers.
static bool always_fitted(const struct oracle_step *step) {
    return step->target != IMAGE_RAW && step->target != IMAGE_QCOW2;
}

// qemu-img writes a vmdk's random id with as few digits as it has.
static uint64_t settled_size(const struct oracle_step *step, const struct oracle_side *side) {
    return step->target == IMAGE_VMDK ? round_up(side->output_file_size, SECTOR)
                                      : side->output_file_size;
}

static void collect(struct leaves *leaves, const struct oracle_step *step, int index) {
    const struct oracle_side *side = oracle_side_at(step, index);
    leaves->count = 0;
    if (!side->ran)
        return;
    collect_tree(leaves, 0, side->result->json);
    if (side->output)
        add_leaf(leaves, text_word("output file"), settled_size(step, side), true);
    if (side->has_converted && always_fitted(step))
        add_leaf(leaves, text_word("converted"), side->converted_size, true);
}

// The same leaf of the other answer: of a list, that of the same position.
static const struct leaf *find_leaf(const struct leaves *leaves, const struct leaf *like) {
    for (size_t i = 0; i < leaves->count; i++)
        if (leaves->items[i].path == like->path && leaves->items[i].nth == like->nth)
            return &leaves->items[i];
    return NULL;
}

// Both answers of the step, taken apart once: by `numbers`, for `members` behind it in the table.
static struct leaves taken[ORACLE_SIDES];

// What is told of a side beside the class of the operation itself, apart from every operation.
enum { CHECK_OF_OUTPUT = TOOL_OPERATIONS, CONVERT_BEHIND_MEASURE };

static void tell_outcomes(const struct guide_telling *telling, const struct guide_view *view) {
    const struct oracle_step *step = view->step;
    for (int side = 0; side < ORACLE_SIDES; side++) {
        const struct oracle_side *of = oracle_side_at(step, side);
        GUIDE_TELL(telling, guide_part_of(side), step->op, step->source, step->target,
                   oracle_class(of));
        if (of->output_check.class != OUTCOME_CLASSES)
            GUIDE_TELL(telling, guide_part_of(side), CHECK_OF_OUTPUT, step->source, step->target,
                       of->output_check.class);
        if (of->fit_class != OUTCOME_CLASSES && always_fitted(step))
            GUIDE_TELL(telling, guide_part_of(side), CONVERT_BEHIND_MEASURE, step->source,
                       step->target, of->fit_class);
    }
    GUIDE_TELL(telling, GUIDE_PAIR, step->op, step->source, step->target, oracle_class(&step->a),
               oracle_class(&step->b));
}

const struct guide_family guide_outcomes = {
    .name = "outcomes",
    .parts = "each side, pair",
    .words = "operation, source and target format, outcome class (of the pair: both classes); the "
             "class of qemu-img's check of an output, and of the convert behind a measure",
    .tell = tell_outcomes,
};

#define MESSAGE_CLASSES 256 // so many texts of one operation are told apart
#define MESSAGE_LETTERS 120

static bool is_quote(char c) {
    return c == '\'' || c == '"';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The letters of the first line, without digits, quoted names and paths from their first slash on.
// An apostrophe between two letters quotes nothing.
static uint64_t message_word(const struct buffer *err) {
    uint64_t word = 0;
    bool quoted = false;
    unsigned letters = 0;
    for (size_t i = 0; i < err->length && err->data[i] != '\n' && letters < MESSAGE_LETTERS; i++) {
        char c = err->data[i];
        if (is_quote(c) && !(i > 0 && is_letter(err->data[i - 1]) && i + 1 < err->length &&
                             is_letter(err->data[i + 1])))
            quoted = !quoted;
        if (c == '/')
            while (i + 1 < err->length && err->data[i + 1] > ' ' && !is_quote(err->data[i + 1]))
                i++;
        if (!is_letter(c) || quoted)
            continue;
        word = guide_word(word, (uint8_t)c);
        letters++;
    }
    return word % MESSAGE_CLASSES;
}

static void tell_messages(const struct guide_telling *telling, const struct guide_view *view) {
    for (int side = 0; side < ORACLE_SIDES; side++) {
        const struct oracle_side *of = oracle_side_at(view->step, side);
        if (of->ran && of->outcome->err.length)
            GUIDE_TELL(telling, guide_part_of(side), view->step->op,
                       message_word(&of->outcome->err));
    }
}

const struct guide_family guide_messages = {
    .name = "messages",
    .parts = "each side",
    .words =
        "operation, letters of the first line on stderr (no digits, no quoted names, no paths)",
    .tell = tell_messages,
};

static void tell_number(const struct guide_telling *telling, enum guide_part part,
                        const struct oracle_step *step, uint64_t path, uint64_t value,
                        unsigned sign) {
    GUIDE_TELL(telling, part, step->op, step->target, path, sign, guide_magnitude(value));
    GUIDE_TELL(telling, part, step->op, step->target, path, sign, 128 + guide_zeros(value));
}

static void tell_difference(const struct guide_telling *telling, const struct oracle_step *step,
                            const struct leaf *a, const struct leaf *b) {
    uint64_t distance = a->value > b->value ? a->value - b->value : b->value - a->value;
    tell_number(telling, GUIDE_PAIR, step, a->path, distance,
                a->value > b->value ? 1 : 2 * (a->value < b->value));
}

static void tell_numbers(const struct guide_telling *telling, const struct guide_view *view) {
    for (int side = 0; side < ORACLE_SIDES; side++) {
        collect(&taken[side], view->step, side);
        for (size_t i = 0; i < taken[side].count; i++)
            if (taken[side].items[i].is_number)
                tell_number(telling, guide_part_of(side), view->step, taken[side].items[i].path,
                            taken[side].items[i].value, 0);
    }
    for (size_t i = 0; i < taken[0].count; i++) {
        const struct leaf *a = &taken[0].items[i], *b = find_leaf(&taken[1], a);
        if (b && a->is_number && b->is_number)
            tell_difference(telling, view->step, a, b);
    }
}

const struct guide_family guide_numbers = {
    .name = "numbers",
    .parts = "each side, pair",
    .words = "operation, target, name of a number in the answer (or size of an output file), and "
             "its magnitude or how many zero bits it ends with; of the pair: the same of the "
             "difference, and who said more",
    .tell = tell_numbers,
};

enum { MEMBER_ONLY_A, MEMBER_ONLY_B, MEMBER_DIFFERS };

static void tell_members(const struct guide_telling *telling, const struct guide_view *view) {
    const struct oracle_step *step = view->step;
    if (!taken[0].count || !taken[1].count)
        return;
    for (int side = 0; side < ORACLE_SIDES; side++)
        for (size_t i = 0; i < taken[side].count; i++) {
            const struct leaf *leaf = &taken[side].items[i];
            const struct leaf *other = find_leaf(&taken[!side], leaf);
            if (!other)
                GUIDE_TELL(telling, GUIDE_PAIR, step->op, step->source, leaf->path,
                           side ? MEMBER_ONLY_B : MEMBER_ONLY_A);
            else if (side == 0 && other->value != leaf->value)
                GUIDE_TELL(telling, GUIDE_PAIR, step->op, step->source, leaf->path, MEMBER_DIFFERS);
        }
}

const struct guide_family guide_members = {
    .name = "members",
    .parts = "pair",
    .words = "operation, source format, name of a member that one answer alone has, or that "
             "differs",
    .tell = tell_members,
};

static size_t oracle_index(const struct oracle *oracle) {
    size_t i = 0;
    while (oracles[i] && oracles[i] != oracle)
        i++;
    return i;
}

static void tell_verdicts(const struct guide_telling *telling, const struct guide_view *view) {
    const struct oracle_step *step = view->step;
    for (size_t i = 0; i < view->judgements->count; i++) {
        const struct judgement *judgement = &view->judgements->items[i];
        // The convert behind a measure again.
        bool behind_measure = judgement->oracle->beside && step->op == OP_MEASURE;
        if (judgement->oracle->by_turn || behind_measure)
            continue;
        GUIDE_TELL(telling, GUIDE_PAIR, step->op, step->source, step->target,
                   oracle_index(judgement->oracle), judgement->verdict,
                   text_word(judgement->reason), text_word(judgement->detail),
                   text_word(judgement->known_id));
    }
}

const struct guide_family guide_verdicts = {
    .name = "verdicts",
    .parts = "pair",
    .words = "operation, source and target format, oracle, verdict, its reason or detail, known id",
    .tell = tell_verdicts,
};
