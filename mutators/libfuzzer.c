// SPDX-License-Identifier: Apache-2.0
//
// The mutator as libFuzzer knows it. Once these are defined, libFuzzer's own mutations are reached
// through LLVMFuzzerMutate alone, which gets the share of the table that knows nothing of fields.
#include "mutators/mutate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed);
// Provided by libFuzzer; another engine that calls the hooks above may have none.
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

// That the library is linked proves nothing: what counts is that the engine calls it.
static void say_once(void) {
    static int said;
    if (!said++)
        fprintf(stderr, "instar-fuzz: mutator: structured (libFuzzer's hooks)\n");
}

// -minimize_crash=1 takes any shorter case that aborts, so what it is given must come from the
// crash. libFuzzer does not tell a mutator what it is asked for, but its arguments do: the C
// library hands them to constructors.
static bool minimizing;
__attribute__((constructor)) static void look_at_arguments(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        minimizing |= strncmp(argv[i], "-minimize_crash", 15) == 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    say_once();
    if (minimizing)
        return mutate_shorter(data, size, data, max_size, seed);
    return mutate_next(data, size, NULL, 0, data, max_size, seed, LLVMFuzzerMutate, NULL);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed) {
    say_once();
    if (minimizing)
        return mutate_shorter(a, a_size, out, max_size, seed);
    return mutate_next(a, a_size, b, b_size, out, max_size, seed, NULL, NULL);
}
