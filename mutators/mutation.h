// SPDX-License-Identifier: Apache-2.0
//
// One mutation, and what mutations share. A mutation is a function in the file of its family and a
// row in a table of mutate.c.
#ifndef MUTATORS_MUTATION_H
#define MUTATORS_MUTATION_H

#include "mutators/mutate.h"
#include "mutators/random.h"
#include "mutators/records.h"

struct mut_work {
    struct testcase *testcase;    // to be changed
    const struct testcase *donor; // another case to take from; only splices have it
    struct mut_random *random;
    mutate_havoc *havoc; // or NULL
    bool fresh;          // the case begins as the empty one
};

struct mutation {
    const char *name; // fit for file names, short: AFL++ puts it into those of its queue
    unsigned weight;  // how often it is drawn, relative to its table
    // False: there is nothing in this case that it could change, and another is drawn. What it has
    // changed by then is dropped.
    bool (*apply)(struct mut_work *work);
};

extern const struct mutation mut_mutations[], mut_splices[];
extern const size_t mut_mutation_count, mut_splice_count;

// A number that two cases share if they build the same files and ask the same of the tools: bytes
// that only another format would look at do not count.
uint64_t mut_meaning(const struct testcase *testcase);

// --- drawing ---

// Any value of the field but `current`.
int64_t mut_value(struct mut_random *random, const struct case_field *field, int64_t current);
// A row of a record's kind, by its weight.
const struct case_field *mut_row(struct mut_random *random, enum case_record kind);
enum operation mut_operation_kind(struct mut_random *random);
// An operation to stand at `index`: usually with one or two options that belong to it.
void mut_operation(const struct mut_work *work, uint32_t index, struct case_operation *operation);

// --- units ---

// The unit in which an operation's target allocates; 0 where it has none.
uint32_t mut_target_unit(const struct testcase *testcase, const struct case_operation *operation);
// Where a table makes a disk what it is called: at its beginning.
void mut_place_table(struct case_write *write);
// One unit that matters to this case: the source's, that of its subclusters, or a target's.
uint32_t mut_unit(const struct mut_work *work);

// --- the mutations ---

// Makes a case of an empty one. What a mutation that found nothing to do has left there stays.
void mut_fresh(struct mut_work *work);

bool mut_field(struct mut_work *work);

bool mut_write_add(struct mut_work *work);
bool mut_write_drop(struct mut_work *work);
bool mut_write_copy(struct mut_work *work);
bool mut_write_move(struct mut_work *work);
bool mut_write_comb(struct mut_work *work);

bool mut_op_add(struct mut_work *work);
bool mut_op_drop(struct mut_work *work);
bool mut_op_copy(struct mut_work *work);
bool mut_op_move(struct mut_work *work);
bool mut_op_new(struct mut_work *work);
bool mut_op_target(struct mut_work *work);
bool mut_op_input(struct mut_work *work);

bool mut_align(struct mut_work *work);
bool mut_misalign(struct mut_work *work);
bool mut_write_edge(struct mut_work *work);

bool mut_size_some(struct mut_work *work);
bool mut_size_edge(struct mut_work *work);
bool mut_size_units(struct mut_work *work);
bool mut_size_scale(struct mut_work *work);
bool mut_size_end(struct mut_work *work);

bool mut_format(struct mut_work *work);
bool mut_kind(struct mut_work *work);      // another kind, alone
bool mut_kind_join(struct mut_work *work); // one more of the same format

bool mut_bytes(struct mut_work *work);

bool mut_splice_writes(struct mut_work *work);
bool mut_splice_ops(struct mut_work *work);
bool mut_take_ops(struct mut_work *work);
bool mut_take_source(struct mut_work *work);
bool mut_mix_header(struct mut_work *work);

#endif
