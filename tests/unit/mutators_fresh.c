// SPDX-License-Identifier: Apache-2.0
//
// Cases that are made from nothing: each asks something of the tools, and few are plain. What bugs
// need at once must meet in them often enough that an engine gets to see it.
#include "tests/unit/classes_helper.h"
#include "tests/unit/testcase_helper.h"

#include "mutators/mutate.h"

enum { CASES = 50000 };

// False: this seed changes its parent instead.
static bool make(uint64_t seed, struct testcase *testcase) {
    uint8_t bytes[CASE_MAX_BYTES];
    struct mutate_name name;
    size_t size = mutate_next(NULL, 0, NULL, 0, bytes, sizeof bytes, seed, NULL, &name);
    case_decode(testcase, bytes, size);
    return strcmp(name.text, "fresh") == 0;
}

static void each_asks_for_something(void **state) {
    (void)state;
    uint64_t operations = 0, cases = 0;
    for (uint64_t seed = 0; seed < CASES; seed++) {
        struct testcase testcase;
        if (!make(seed, &testcase))
            continue;
        assert_true(testcase.operation_count > 0);
        operations += testcase.operation_count;
        cases++;
    }
    assert_true(cases > CASES / 2);
    assert_in_range(operations, cases, cases + cases / 2);
}

// Every qcow2 is of a version.
static bool is_told_twice(size_t a, size_t b) {
    return strncmp(source_classes[a].name, "qcow2 v", 7) == 0 ||
           strncmp(source_classes[b].name, "qcow2 v", 7) == 0;
}

static void kinds_meet(void **state) {
    (void)state;
    static unsigned met[SOURCE_BUILT_CLASSES][SOURCE_BUILT_CLASSES];
    unsigned pairs = 0, threes = 0;
    for (uint64_t seed = 0; seed < CASES; seed++) {
        struct testcase testcase;
        if (!make(seed, &testcase))
            continue;
        uint64_t classes = helper_classes(&testcase);
        unsigned features = 0;
        for (size_t a = 0; a < SOURCE_BUILT_CLASSES; a++)
            for (size_t b = a + 1; b < SOURCE_BUILT_CLASSES; b++)
                if (classes >> a & classes >> b & 1 && !is_told_twice(a, b)) {
                    pairs += met[a][b]++ == 0;
                    features++;
                }
        threes += features >= 3;
    }
    print_message("%u pairs, three kinds and more in %u of %u\n", pairs, threes, CASES);
    assert_true(pairs >= 60);
    assert_true(threes > CASES / 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_asks_for_something),
        cmocka_unit_test(kinds_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
