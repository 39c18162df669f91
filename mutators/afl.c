// SPDX-License-Identifier: Apache-2.0
//
// The mutator as AFL++ knows it: build/afl/mutator.so, named by AFL_CUSTOM_MUTATOR_LIBRARY. AFL++'s
// own stages run beside it, unless AFL_CUSTOM_MUTATOR_ONLY is set; without the library they are all
// there is, and inputs mean the same. There is no post_process: what is in the queue is what was
// run.
#include "base/buffer.h"
#include "mutators/mutate.h"
#include "mutators/simplify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Of these functions AFL++ has no header to include.
void *afl_custom_init(void *afl, unsigned seed);
unsigned afl_custom_fuzz_count(void *state, const uint8_t *data, size_t size);
size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **out, uint8_t *add,
                       size_t add_size, size_t max_size);
const char *afl_custom_describe(void *state, size_t max_length);
int32_t afl_custom_init_trim(void *state, uint8_t *data, size_t size);
size_t afl_custom_trim(void *state, uint8_t **out);
int32_t afl_custom_post_trim(void *state, uint8_t success);
void afl_custom_deinit(void *state);

// Mutants of one entry before AFL++ goes on to its own stages, where it has them, and to the next:
// about a second of work, as an entry's havoc is. Anything from 16 to 384 reached the same in a
// minute.
#define MUTANTS_OF_AN_ENTRY 128
// One in so many mutants that are not made from nothing is a crossover, as with libFuzzer.
#define CROSSOVERS 2

// The steps that shorten most come first; those behind change a value here and there, at the price
// of an iteration each, of an entry that may never be chosen again.
#define CANDIDATES_OF_AN_ENTRY 32

struct mutator {
    uint64_t seed, made; // mutants made so far; with the seed they decide the next one
    bool said;
    struct mutate_name name;
    uint8_t mutant[CASE_MAX_BYTES];
    // Trim looks one candidate ahead: AFL++ counts steps, it does not ask whether there is one
    // more.
    struct simplify *simplify;
    size_t trimmed; // bytes of the entry as it is by now
    size_t length;  // of the candidate; 0: there is none left
    int32_t tried;
    uint8_t candidate[CASE_MAX_BYTES];
};

// afl-fuzz loads a library and goes on whatever it does, so the log shows both: that it was loaded,
// and that it is asked for mutants.
void *afl_custom_init(void *afl, unsigned seed) {
    (void)afl;
    struct mutator *mutator = must_realloc(NULL, sizeof *mutator);
    *mutator = (struct mutator){.seed = seed};
    fprintf(stderr, "instar-fuzz: mutator: loaded (AFL++ library)\n");
    return mutator;
}

unsigned afl_custom_fuzz_count(void *state, const uint8_t *data, size_t size) {
    (void)state, (void)data, (void)size;
    return MUTANTS_OF_AN_ENTRY;
}

size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **out, uint8_t *add,
                       size_t add_size, size_t max_size) {
    struct mutator *mutator = state;
    if (!mutator->said)
        fprintf(stderr, "instar-fuzz: mutator: structured (AFL++ library)\n");
    mutator->said = true;
    // Neighbouring seeds give unrelated mutants: the core mixes what it is given.
    uint64_t seed = (mutator->seed << 32) + mutator->made++;
    if (max_size > CASE_MAX_BYTES)
        max_size = CASE_MAX_BYTES;
    *out = mutator->mutant;
    if (!add_size || mutator->made % CROSSOVERS)
        add = NULL;
    return mutate_next(data, size, add, add_size, mutator->mutant, max_size, seed, NULL,
                       &mutator->name);
}

const char *afl_custom_describe(void *state, size_t max_length) {
    struct mutator *mutator = state;
    if (strlen(mutator->name.text) > max_length)
        mutator->name.text[max_length] = '\0';
    return mutator->name.text;
}

// --- trim ---

// A candidate that is longer than the entry is none to AFL++; the canonical spelling of a few bytes
// can be.
static void find_candidate(struct mutator *mutator) {
    do
        mutator->length = simplify_next(mutator->simplify, mutator->candidate);
    while (mutator->length > mutator->trimmed);
}

int32_t afl_custom_init_trim(void *state, uint8_t *data, size_t size) {
    struct mutator *mutator = state;
    simplify_end(mutator->simplify);
    mutator->simplify = simplify_begin(data, size);
    mutator->trimmed = size;
    mutator->tried = 0;
    find_candidate(mutator);
    return mutator->length == 0 ? 0 : CANDIDATES_OF_AN_ENTRY;
}

// Never of length 0: AFL++ 4.04c would stay in this stage for ever.
size_t afl_custom_trim(void *state, uint8_t **out) {
    struct mutator *mutator = state;
    *out = mutator->candidate;
    return mutator->length;
}

int32_t afl_custom_post_trim(void *state, uint8_t success) {
    struct mutator *mutator = state;
    if (success)
        mutator->trimmed = mutator->length;
    simplify_judged(mutator->simplify, success);
    find_candidate(mutator);
    return mutator->length == 0 ? CANDIDATES_OF_AN_ENTRY : ++mutator->tried;
}

void afl_custom_deinit(void *state) {
    struct mutator *mutator = state;
    simplify_end(mutator->simplify);
    free(mutator);
}
