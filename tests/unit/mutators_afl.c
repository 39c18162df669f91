// SPDX-License-Identifier: Apache-2.0
//
// The mutator as AFL++ calls it: mutants by seed and number alone, within the room that it gives; a
// trim that comes to an end, never hands out nothing, and nothing longer than what it trims.
#include "mutators/afl.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MUTANTS 300

static uint8_t parent[CASE_MAX_BYTES], other[CASE_MAX_BYTES];
static size_t parent_size, other_size;

static size_t encode(const char *text, uint8_t out[CASE_MAX_BYTES]) {
    struct testcase testcase;
    struct fault fault = {0};
    if (case_from_json(&testcase, text, &fault))
        fail_msg("%s", fault.text);
    return case_encode(&testcase, out);
}

static int make_parents(void **state) {
    (void)state;
    parent_size =
        encode("{\"format\": \"vmdk\", \"virtual_size\": 1048576, \"writes\": [{\"offset_bytes\": "
               "65536, \"length_bytes\": 4096}, {\"offset_bytes\": 131072, \"length_bytes\": 1}], "
               "\"operations\": [{\"op\": \"info\"}, {\"op\": \"convert\", \"target\": \"vpc\"}]}",
               parent);
    other_size = encode("{\"format\": \"raw\", \"virtual_size\": 512, \"operations\": [{\"op\": "
                        "\"measure\", \"target\": \"qcow2\"}]}",
                        other);
    return 0;
}

// The hash of so many mutants of the parent; each fits into `room`.
static uint64_t mutants(unsigned seed, size_t room) {
    void *mutator = afl_custom_init(NULL, seed);
    uint64_t hash = 0;
    for (int i = 0; i < MUTANTS; i++) {
        uint8_t *out = NULL;
        size_t size = afl_custom_fuzz(mutator, parent, parent_size, &out, other, other_size, room);
        assert_true(size > 0 && size <= room);
        for (size_t at = 0; at < size; at++)
            hash = (hash ^ out[at]) * 0x100000001b3u;
        assert_true(strlen(afl_custom_describe(mutator, 20)) <= 20);
    }
    afl_custom_deinit(mutator);
    return hash;
}

static void seed_and_number_decide_a_mutant(void **state) {
    (void)state;
    uint64_t first = mutants(7, CASE_MAX_BYTES);
    assert_true(first == mutants(7, CASE_MAX_BYTES));
    assert_true(first != mutants(8, CASE_MAX_BYTES));
}

static void a_mutant_keeps_to_its_room(void **state) {
    (void)state;
    mutants(7, parent_size / 2);
    mutants(7, 1);
    mutants(7, 10 * CASE_MAX_BYTES); // more than a case has is not taken
}

// AFL++'s loop of 4.04c: it goes on while the steps that it is told are fewer than it was promised.
static size_t trim(bool (*keeps)(const uint8_t *data, size_t size), const uint8_t *data,
                   size_t size) {
    uint8_t entry[CASE_MAX_BYTES];
    void *mutator = afl_custom_init(NULL, 1);
    memcpy(entry, data, size);
    int32_t promised = afl_custom_init_trim(mutator, entry, size), step = 0, rounds = 0;
    assert_true(promised <= CANDIDATES_OF_AN_ENTRY);
    while (step < promised) {
        uint8_t *out = NULL;
        size_t length = afl_custom_trim(mutator, &out);
        assert_true(length > 0 && length <= size);
        bool kept = keeps(out, length);
        if (kept) {
            memcpy(entry, out, length);
            size = length;
        }
        int32_t next = afl_custom_post_trim(mutator, kept);
        assert_true(next > step);
        step = next;
        assert_true(++rounds <= CANDIDATES_OF_AN_ENTRY);
    }
    afl_custom_deinit(mutator);
    return size;
}

static bool always(const uint8_t *data, size_t size) {
    return data && size;
}

static bool never(const uint8_t *data, size_t size) {
    return !data || !size;
}

static bool converts(const uint8_t *data, size_t size) {
    struct testcase testcase;
    case_decode(&testcase, data, size);
    for (size_t i = 0; i < testcase.operation_count; i++)
        if (testcase.operations[i].op == OP_CONVERT)
            return true;
    return false;
}

static void a_trim_comes_to_an_end(void **state) {
    (void)state;
    size_t least = trim(always, parent, parent_size);
    size_t needed = trim(converts, parent, parent_size);
    assert_true(least < needed && needed < parent_size);
    assert_int_equal(trim(never, parent, parent_size), parent_size);
    // Of a few bytes the canonical spelling may be longer than they are.
    for (size_t size = 1; size < 48; size++)
        trim(always, parent, size);
}

// An entry's trim that AFL++ gave up in the middle does not reach into the next one's.
static void a_trim_that_was_left_is_forgotten(void **state) {
    (void)state;
    void *mutator = afl_custom_init(NULL, 1);
    uint8_t *out = NULL;
    assert_true(afl_custom_init_trim(mutator, parent, parent_size) > 0);
    afl_custom_trim(mutator, &out);
    assert_true(afl_custom_init_trim(mutator, other, other_size) > 0);
    assert_true(afl_custom_trim(mutator, &out) <= other_size);
    afl_custom_deinit(mutator);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_and_number_decide_a_mutant),
        cmocka_unit_test(a_mutant_keeps_to_its_room),
        cmocka_unit_test(a_trim_comes_to_an_end),
        cmocka_unit_test(a_trim_that_was_left_is_forgotten),
    };
    return cmocka_run_group_tests(tests, make_parents, NULL);
}
