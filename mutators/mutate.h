// SPDX-License-Identifier: Apache-2.0
//
// The mutator, for engines: bytes of a case in, bytes of a case like it out. It knows the encoding
// table and nothing of engines; mutators/libfuzzer.c and mutators/afl.c are all that each engine
// needs. An answer is a function of the arguments alone (no clock, no address, nothing kept from
// call to call). An engine's own havoc, where it is given, keeps a state of its own: then the
// answer depends on that, too. (A campaign as a whole is not determined by its engine's seed:
// engines weigh what they keep by the time that it took.)
//
// What comes out is the canonical spelling of a case, cut to max_size: records are left out until
// it fits, and of a header that does not fit the first bytes are kept. It is never empty, unless
// max_size is 0.
#ifndef MUTATORS_MUTATE_H
#define MUTATORS_MUTATE_H

#include <stddef.h>
#include <stdint.h>

// What was done, for names of files: at most four names of the table, as "field+write_add", or
// "fresh".
struct mutate_name {
    char text[64];
};

// An engine's own mutator of bytes: changes data[0..size) in place, returns the new size, at most
// max_size.
typedef size_t mutate_havoc(uint8_t *data, size_t size, size_t max_size);

// Changes the case in place; `data` has room for max_size bytes. Returns the new size. The share of
// mutations that know nothing of the encoding is `havoc`'s; NULL: the mutator has one of its own.
// `name` may be NULL.
size_t mutate_case(uint8_t *data, size_t size, size_t max_size, uint64_t seed, mutate_havoc *havoc,
                   struct mutate_name *name);

// A case made of parts of both; `out` has room for max_size bytes and is neither of them. Every
// second attempt is then changed by one mutation of mutate_case's; after a dozen of them that mean
// what one of the two means, every attempt is. Bytes are changed by the mutator's own mutation.
size_t mutate_crossover(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                        uint8_t *out, size_t max_size, uint64_t seed, struct mutate_name *name);

// What an engine is given that asks for a mutant of a case, or, where `b` is not NULL, of two:
// mostly a case that is made from nothing (mutators/fresh.c), else one of mutate_case or
// mutate_crossover. `out` has room for max_size bytes and may be `a`.
size_t mutate_next(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                   size_t max_size, uint64_t seed, mutate_havoc *havoc, struct mutate_name *name);

// The case with fewer writes and operations, down to its last operation: for an engine that takes
// any shorter case that aborts for a better one, so that it is one of the same kind. `out` may be
// `data`.
size_t mutate_shorter(const uint8_t *data, size_t size, uint8_t *out, size_t max_size,
                      uint64_t seed);

#endif
