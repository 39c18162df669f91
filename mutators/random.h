// SPDX-License-Identifier: Apache-2.0
//
// Chance, as far as mutations need it: a state of their own, made from the engine's seed, so that
// no mutant depends on what was drawn for another.
#ifndef MUTATORS_RANDOM_H
#define MUTATORS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mut_random {
    uint64_t state;
};

static inline uint64_t mut_draw(struct mut_random *random) { // splitmix64
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint32_t mut_below(struct mut_random *random, uint64_t limit) { // limit > 0
    return (uint32_t)((mut_draw(random) >> 32) % limit);
}

static inline bool mut_one_in(struct mut_random *random, uint32_t n) {
    return mut_below(random, n) == 0;
}

// low..high, both included
static inline int64_t mut_between(struct mut_random *random, int64_t low, int64_t high) {
    return low + (int64_t)(mut_draw(random) % ((uint64_t)(high - low) + 1));
}

// An index below `count`, each as often as its weight says; at least one weight is not 0.
static inline size_t mut_weighted(struct mut_random *random, const unsigned *weights,
                                  size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    uint64_t left = mut_below(random, sum);
    size_t at = 0;
    while (left >= weights[at])
        left -= weights[at++];
    return at;
}

#endif
