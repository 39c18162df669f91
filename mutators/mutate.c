// SPDX-License-Identifier: Apache-2.0
//
// Which mutations there are, how often each is drawn, and how an answer is made of them. A mutant
// costs an engine thousands of times what it costs to make, so what would build and ask the same as
// before is made again.
#include "mutators/mutation.h"

#include <stdio.h>
#include <string.h>

// Weights were chosen by what a minute of each engine reaches of the matrix of comparisons; calls
// are what most of its cells differ by.
const struct mutation mut_mutations[] = {
    {"field", 20, mut_field},
    {"write_add", 6, mut_write_add},
    {"write_drop", 7, mut_write_drop},
    {"write_copy", 2, mut_write_copy},
    {"write_move", 2, mut_write_move},
    {"op_add", 6, mut_op_add},
    {"op_drop", 7, mut_op_drop},
    {"op_copy", 1, mut_op_copy},
    {"op_move", 1, mut_op_move},
    {"op_new", 10, mut_op_new},
    {"op_target", 4, mut_op_target},
    {"op_input", 4, mut_op_input},
    {"align", 4, mut_align},
    {"misalign", 4, mut_misalign},
    {"write_edge", 4, mut_write_edge},
    {"size_edge", 2, mut_size_edge},
    {"size_units", 3, mut_size_units},
    {"size_scale", 2, mut_size_scale},
    {"size_end", 2, mut_size_end},
    {"format", 6, mut_format},
    {"kind", 7, mut_kind},
    {"kind_join", 7, mut_kind_join},
    {"size_some", 2, mut_size_some},
    {"write_comb", 5, mut_write_comb},
    {"bytes", 4, mut_bytes},
};
const size_t mut_mutation_count = sizeof mut_mutations / sizeof *mut_mutations;

// What a crossover begins with.
const struct mutation mut_splices[] = {
    {"splice_writes", 2, mut_splice_writes}, {"splice_ops", 3, mut_splice_ops},
    {"take_ops", 4, mut_take_ops},           {"take_source", 4, mut_take_source},
    {"mix_header", 3, mut_mix_header},
};
const size_t mut_splice_count = sizeof mut_splices / sizeof *mut_splices;

enum {
    MOST_STACKED = 4, // each further one half as likely as the one before
    MOST_DRAWN = 16,  // mutations that have nothing to change in this case
    MOST_TRIES = 24,  // mutants that mean the same as before
    MOST_ROWS = 32,
    MOST_FRESH = 3, // stacks that a fresh case is changed by
};

// So many of an engine's mutants are made from nothing. What an engine keeps grows into cases of
// twice the price (12 ms against 6 in AFL++'s first minutes), so this gives two fifths of the time
// to changing what there is: whichever way turns out to be better gets no less than that.
#define FRESH    3
#define FRESH_OF 4

static void add_name(struct mutate_name *name, const char *text) {
    size_t used = strlen(name->text);
    snprintf(name->text + used, sizeof name->text - used, "%s%s", used ? "+" : "", text);
}

static const struct mutation *draw(struct mut_random *random, const struct mutation *table,
                                   size_t count) {
    _Static_assert(sizeof mut_mutations / sizeof *mut_mutations <= MOST_ROWS, "");
    _Static_assert(sizeof mut_splices / sizeof *mut_splices <= MOST_ROWS, "");
    unsigned weights[MOST_ROWS];
    for (size_t i = 0; i < count; i++)
        weights[i] = table[i].weight;
    return &table[mut_weighted(random, weights, count)];
}

static void apply_one(struct mut_work *work, const struct mutation *table, size_t count,
                      struct mutate_name *name) {
    const struct testcase before = *work->testcase;
    for (unsigned i = 0; i < MOST_DRAWN; i++) {
        const struct mutation *mutation = draw(work->random, table, count);
        if (mutation->apply(work)) {
            add_name(name, mutation->name);
            return;
        }
        *work->testcase = before;
    }
}

// One to MOST_STACKED mutations.
static void apply_stack(struct mut_work *work, struct mutate_name *name) {
    unsigned stacked = 0;
    do
        apply_one(work, mut_mutations, mut_mutation_count, name);
    while (++stacked < MOST_STACKED && mut_one_in(work->random, 2));
}

// Leaves records out until the rest fits, but the last operation only when nothing else is left:
// without one nothing is compared.
static void fit(struct mut_work *work, size_t max_size) {
    struct testcase *testcase = work->testcase;
    size_t room =
        max_size < CASE_HEADER_BYTES ? 0 : (max_size - CASE_HEADER_BYTES) / CASE_RECORD_BYTES;
    while (testcase->write_count + testcase->operation_count > room) {
        bool write = testcase->write_count > 0 &&
                     (testcase->operation_count <= 1 || mut_one_in(work->random, 2));
        enum case_record kind = write ? RECORD_WRITE : RECORD_OPERATION;
        uint32_t at = mut_below(work->random, mut_count(testcase, kind));
        mut_remove(testcase, kind, at, at + 1);
    }
}

// The case's bytes in `out`, which has room for max_size; and the case that they are.
static size_t write_out(struct mut_work *work, uint8_t *out, size_t max_size) {
    uint8_t bytes[CASE_MAX_BYTES];
    fit(work, max_size);
    size_t size = case_encode(work->testcase, bytes);
    if (size > max_size)
        size = max_size;
    memcpy(out, bytes, size);
    case_decode(work->testcase, out, size);
    return size;
}

static void apply_fresh(struct mut_work *work, struct mutate_name *name) {
    struct mutate_name unused = {0};
    mut_fresh(work);
    for (unsigned stacks = mut_below(work->random, MOST_FRESH + 1); stacks > 0; stacks--)
        apply_stack(work, &unused);
    // Bytes at random may have made a write of the operation.
    if (work->testcase->operation_count == 0)
        mut_op_add(work);
    add_name(name, "fresh");
}

// What a mutant is made by; of two parents, what a crossover is made by.
static void apply_to_child(struct mut_work *work, unsigned attempt, struct mutate_name *name) {
    if (!work->donor) {
        work->fresh ? apply_fresh(work, name) : apply_stack(work, name);
        return;
    }
    apply_one(work, mut_splices, mut_splice_count, name);
    // Also where the two have nothing that the other lacks.
    if (attempt >= MOST_TRIES / 2 || mut_one_in(work->random, 2))
        apply_one(work, mut_mutations, mut_mutation_count, name);
}

// Changes copies of the parent until one means neither what the parent means nor the donor.
static size_t make(struct mut_work *work, const struct testcase *parent, uint8_t *out,
                   size_t max_size, struct mutate_name *name) {
    struct mutate_name unused;
    size_t size = 0;
    if (!name)
        name = &unused;
    name->text[0] = '\0';
    if (max_size == 0)
        return 0;
    uint64_t first = mut_meaning(parent), second = work->donor ? mut_meaning(work->donor) : first;
    for (unsigned i = 0; i < MOST_TRIES; i++) {
        *work->testcase = *parent;
        name->text[0] = '\0';
        apply_to_child(work, i, name);
        size = write_out(work, out, max_size);
        uint64_t meaning = mut_meaning(work->testcase);
        if (meaning != first && meaning != second)
            break;
    }
    return size;
}

// `b` NULL: there is no other case.
static size_t mutant(struct mut_random *random, bool fresh, const uint8_t *a, size_t a_size,
                     const uint8_t *b, size_t b_size, uint8_t *out, size_t max_size,
                     mutate_havoc *havoc, struct mutate_name *name) {
    struct testcase parent, donor, child;
    struct mut_work work = {.testcase = &child, .random = random, .havoc = havoc, .fresh = fresh};
    case_decode(&parent, a, fresh ? 0 : a_size);
    if (b && !fresh) {
        case_decode(&donor, b, b_size);
        work.donor = &donor;
    }
    return make(&work, &parent, out, max_size, name);
}

size_t mutate_case(uint8_t *data, size_t size, size_t max_size, uint64_t seed, mutate_havoc *havoc,
                   struct mutate_name *name) {
    struct mut_random random = {seed};
    return mutant(&random, false, data, size, NULL, 0, data, max_size, havoc, name);
}

size_t mutate_crossover(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                        uint8_t *out, size_t max_size, uint64_t seed, struct mutate_name *name) {
    struct mut_random random = {seed};
    return mutant(&random, false, a, a_size, b, b_size, out, max_size, NULL, name);
}

size_t mutate_next(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                   size_t max_size, uint64_t seed, mutate_havoc *havoc, struct mutate_name *name) {
    struct mut_random random = {seed};
    bool fresh = mut_below(&random, FRESH_OF) < FRESH;
    return mutant(&random, fresh, a, a_size, b, b_size, out, max_size, havoc, name);
}

size_t mutate_shorter(const uint8_t *data, size_t size, uint8_t *out, size_t max_size,
                      uint64_t seed) {
    struct mut_random random = {seed};
    struct testcase testcase;
    struct mut_work work = {.testcase = &testcase, .random = &random};
    case_decode(&testcase, data, size);
    for (unsigned drops = 1 + mut_below(&random, MOST_STACKED); drops > 0; drops--)
        mut_one_in(&random, 2) ? mut_write_drop(&work) : mut_op_drop(&work);
    return write_out(&work, out, max_size);
}
