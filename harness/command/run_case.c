// SPDX-License-Identifier: Apache-2.0
//
// From a seed to a case. Each iteration is a function of the seed, its number and the operations in
// force alone, so that one can be run by itself. What is left out of --ops is replaced, not
// dropped:
// `--ops measure` means cases full of measures, on the images that all operations would have met.
#include "command/run.h"

static uint64_t run_case_random(uint64_t *state) { // splitmix64
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// A random header, up to 8 writes, 2 to 4 operations.
static size_t run_case_bytes(uint64_t *state, uint8_t bytes[CASE_MAX_BYTES]) {
    size_t writes = run_case_random(state) % 9, operations = 2 + run_case_random(state) % 3;
    size_t size = CASE_HEADER_BYTES + (writes + operations) * CASE_RECORD_BYTES;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(run_case_random(state) >> 56);
    bytes[0] = 1;
    for (size_t i = 0; i < writes + operations; i++) // even: write, odd: operation
        bytes[CASE_HEADER_BYTES + i * CASE_RECORD_BYTES] = i >= writes;
    return size;
}

static void run_case_keep_to(const bool ops[OPERATIONS], uint64_t *state,
                             struct testcase *testcase) {
    uint32_t allowed[OPERATIONS];
    size_t count = 0;
    for (uint32_t op = 0; op < OPERATIONS; op++)
        if (ops[op])
            allowed[count++] = op;
    for (uint32_t i = 0; i < testcase->operation_count; i++) {
        uint64_t draw = run_case_random(state);
        if (!ops[testcase->operations[i].op])
            testcase->operations[i].op = allowed[draw % count];
    }
}

void run_case_make(struct run_case *made, uint32_t seed, uint64_t number,
                   const bool ops[OPERATIONS]) {
    uint64_t state = ((uint64_t)seed << 32) ^ (number * 0xd1342543de82ef95u);
    made->number = number;
    made->iteration_seed = (uint32_t)(run_case_random(&state) >> 32);
    state = made->iteration_seed;
    made->size = run_case_bytes(&state, made->bytes);
    case_decode(&made->testcase, made->bytes, made->size);
    run_case_keep_to(ops, &state, &made->testcase);
    made->size = case_encode(&made->testcase, made->bytes);
}
