// SPDX-License-Identifier: Apache-2.0
//
// From a seed to a case. Each iteration is a function of the seed, its number and the operations in
// force alone, so that one can be run by itself. What is left out of --ops is replaced, not
// dropped:
// `--ops measure` means cases full of measures, on the images that all operations would have met.
#include "command/run.h"
#include "testcase/fields.h"
#include "testcase/source_class.h"

#include <stddef.h>

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

static void run_case_draw_source(uint64_t *state, struct testcase *testcase) {
    case_decode(testcase, NULL, 0);
    run_case_fields(state, RECORD_HEADER, testcase, 3);
    testcase->format = run_case_below(state, IMAGE_FORMATS);
    testcase->write_count = run_case_below(state, 9);
    for (uint32_t i = 0; i < testcase->write_count; i++) {
        case_record_defaults(RECORD_WRITE, &testcase->writes[i]);
        run_case_fields(state, RECORD_WRITE, &testcase->writes[i], 2);
    }
}

static void run_case_draw_operation(uint64_t *state, struct case_operation *operation) {
    case_record_defaults(RECORD_OPERATION, operation);
    run_case_fields(state, RECORD_OPERATION, operation, 4);
    operation->op = run_case_below(state, OPERATIONS);
    operation->target = run_case_below(state, IMAGE_FORMATS);
}

// Is the case's source of this class, as far as the case alone tells? What is asked to be
// compressed counts as compressed.
static bool run_case_is_of(const struct testcase *testcase, size_t class) {
    struct image_options options;
    struct content content = {0};
    struct image_map map = {0};
    struct image_source source;
    struct image_extent extent;
    case_image_options(testcase, &options);
    case_content(testcase, &content);
    content_as_source(&content, &source);
    for (uint64_t at = 0; at < source.size; at = extent.offset + extent.length) {
        if (source.extent(source.context, at, &extent, NULL))
            break;
        image_map_add(&map, extent.offset, extent.length, extent.state);
    }
    const struct source_view view = {testcase, &options, &map};
    bool is_of = source_classes[class].holds(&view);
    image_map_free(&map);
    content_free(&content);
    return is_of;
}

static bool run_case_calls(const struct testcase *testcase, const struct case_operation *operation,
                           const struct call_class *class) {
    struct target_options options;
    size_t found[OPTION_CLASSES];
    enum operation op = (enum operation)operation->op;
    bool has_target = operation_has_target(op);
    if (op != class->op || (has_target && operation->target != class->target))
        return false;
    case_target_options(testcase, operation, &options);
    enum image_format target = has_target ? class->target : IMAGE_FORMATS;
    size_t count = call_classes_of(op, target, &options, found);
    for (size_t i = 0; i < count; i++)
        if (&call_classes[found[i]] == class)
            return true;
    return false;
}

#define TRIES 200 // a class that was not met by then is left to chance

// A source and 2 to 4 operations, aimed at a class each (the rows and columns of the matrix that
// `status --cells` shows), so that rare ones are met as often as common ones.
static void run_case_fill(uint64_t *state, struct testcase *testcase) {
    size_t source = run_case_below(state, SOURCE_BUILT_CLASSES), calls[4];
    uint32_t count = 2 + run_case_below(state, 3), tries = 0;
    bool snapshots = false;
    for (uint32_t i = 0; i < count; i++) {
        calls[i] = run_case_below(state, CALL_CLASSES);
        snapshots |= option_classes[call_classes[calls[i]].option].member ==
                     offsetof(struct target_options, snapshot);
    }
    do
        run_case_draw_source(state, testcase);
    while (++tries < TRIES &&
           !(run_case_is_of(testcase, source) &&
             (!snapshots || !source_classes[source].snapshots || case_snapshots(testcase) > 0)));
    testcase->operation_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct case_operation *operation = &testcase->operations[i];
        const struct call_class *class = &call_classes[calls[i]];
        for (tries = 0; tries < TRIES; tries++) {
            run_case_draw_operation(state, operation);
            operation->op = class->op;
            if (operation_has_target(class->op))
                operation->target = class->target;
            if (run_case_calls(testcase, operation, class))
                break;
        }
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
