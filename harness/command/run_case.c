// SPDX-License-Identifier: Apache-2.0
//
// From a seed to a case. Each iteration is a function of the seed, its number and the operations in
// force alone, so that one can be run by itself. What is left out of --ops is replaced, not
// dropped:
// `--ops measure` means cases full of measures, on the images that all operations would have met.
#include "command/run.h"
#include "testcase/fields.h"

static uint64_t run_case_random(uint64_t *state) { // splitmix64
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// One in `one_in` fields of a record gets any value, the others keep their default: features then
// meet in pairs and triples, and each is also met alone.
static void run_case_fields(uint64_t *state, enum case_record kind, void *record, uint64_t one_in) {
    for (size_t i = 0; i < case_field_count; i++) {
        uint64_t draw = run_case_random(state);
        if (case_fields[i].record == kind && draw % one_in == 0)
            case_field_set(&case_fields[i], record,
                           case_field_value(&case_fields[i], (uint32_t)(draw >> 32)));
    }
}

static uint32_t run_case_below(uint64_t *state, uint32_t limit) {
    return (uint32_t)((run_case_random(state) >> 32) % limit);
}

// A header, up to 8 writes, 2 to 4 operations.
static void run_case_fill(uint64_t *state, struct testcase *testcase) {
    case_decode(testcase, NULL, 0);
    run_case_fields(state, RECORD_HEADER, testcase, 3);
    testcase->format = run_case_below(state, IMAGE_FORMATS);
    testcase->write_count = run_case_below(state, 9);
    testcase->operation_count = 2 + run_case_below(state, 3);
    for (uint32_t i = 0; i < testcase->write_count; i++) {
        case_record_defaults(RECORD_WRITE, &testcase->writes[i]);
        run_case_fields(state, RECORD_WRITE, &testcase->writes[i], 2);
    }
    for (uint32_t i = 0; i < testcase->operation_count; i++) {
        struct case_operation *operation = &testcase->operations[i];
        case_record_defaults(RECORD_OPERATION, operation);
        run_case_fields(state, RECORD_OPERATION, operation, 4);
        operation->op = run_case_below(state, OPERATIONS);
        operation->target = run_case_below(state, IMAGE_FORMATS);
    }
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
    run_case_fill(&state, &made->testcase);
    run_case_keep_to(ops, &state, &made->testcase);
    made->size = case_encode(&made->testcase, made->bytes);
}
