// SPDX-License-Identifier: Apache-2.0
//
// What the mutator promises to engines: the same answer to the same arguments, always a canonical
// case within the limit, hardly ever the case that it was given. With a number as argument it makes
// that many mutants (a million take about a minute).
#include "tests/unit/testcase_helper.h"

#include "base/hash.h"
#include "mutators/mutation.h"

#include <stdio.h>
#include <stdlib.h>

static size_t mutants = 20000;

static size_t random_bytes(uint64_t *state, uint8_t bytes[CASE_MAX_BYTES]) {
    struct testcase testcase;
    helper_case(state, &testcase);
    // Most cases that an engine keeps are short.
    testcase.write_count = (uint32_t)(helper_random(state) >> 33) % 5;
    testcase.operation_count = (uint32_t)(helper_random(state) >> 33) % 4;
    return case_encode(&testcase, bytes);
}

static void assert_canonical(const uint8_t *bytes, size_t size) {
    struct testcase testcase;
    uint8_t again[CASE_MAX_BYTES];
    case_decode(&testcase, bytes, size);
    size_t length = case_encode(&testcase, again);
    assert_memory_equal(bytes, again, size);
    assert_true(size == length || (size < CASE_HEADER_BYTES && length == CASE_HEADER_BYTES));
}

// What a seed makes is written down in logs, in issues and in the ablation's tables. Whoever
// changes a mutation, a weight or a row's place changes this number, and says so in CHANGELOG.md.
static void a_seed_makes_what_it_made(void **state) {
    (void)state;
    uint64_t random = 1, hash = HASH_OF_NOTHING;
    for (uint64_t seed = 0; seed < 500; seed++) {
        uint8_t a[CASE_MAX_BYTES], b[CASE_MAX_BYTES], out[CASE_MAX_BYTES];
        size_t size = random_bytes(&random, a), b_size = random_bytes(&random, b);
        size = mutate_case(a, size, sizeof a, seed, NULL, NULL);
        hash = hash_more(hash, a, size);
        size = mutate_crossover(a, size, b, b_size, out, sizeof out, seed, NULL);
        hash = hash_more(hash, out, size);
    }
    if (hash != 0x261f5c8475c93f7bu)
        fail_msg("they make 0x%016llx", (unsigned long long)hash);
}

static void the_seed_alone_decides(void **state) {
    (void)state;
    uint64_t random = 1;
    unsigned different = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        uint8_t a[CASE_MAX_BYTES], b[CASE_MAX_BYTES], c[CASE_MAX_BYTES], out[2][CASE_MAX_BYTES];
        struct mutate_name names[2];
        size_t size = random_bytes(&random, a), c_size = random_bytes(&random, c);
        memset(b, 0xa5, sizeof b); // what lies behind the input must not matter
        memcpy(b, a, size);
        size_t one = mutate_case(a, size, sizeof a, seed, NULL, &names[0]);
        mutate_case(c, c_size, sizeof c, seed + 7, NULL, NULL);
        size_t other = mutate_case(b, size, sizeof b, seed, NULL, &names[1]);
        assert_int_equal(one, other);
        assert_memory_equal(a, b, one);
        assert_string_equal(names[0].text, names[1].text);
        size_t crossed = mutate_crossover(a, one, c, c_size, out[0], sizeof out[0], seed, NULL);
        assert_int_equal(crossed,
                         mutate_crossover(a, one, c, c_size, out[1], sizeof out[1], seed, NULL));
        assert_memory_equal(out[0], out[1], crossed);
        memcpy(b, a, one);
        size_t next = mutate_case(a, one, sizeof a, seed, NULL, NULL);
        other = mutate_case(b, one, sizeof b, seed + 1, NULL, NULL);
        different += next != other || memcmp(a, b, next) != 0;
    }
    assert_true(different > 1900);
}

static void mutants_are_canonical_cases(void **state) {
    (void)state;
    uint64_t random = 2;
    uint8_t bytes[CASE_MAX_BYTES], other[CASE_MAX_BYTES], child[CASE_MAX_BYTES];
    size_t size = 0, none = 0;
    for (size_t i = 0; i < mutants; i++) {
        struct testcase before, after;
        // Chains of mutants drift away from what was written for a test.
        if (i % 50 == 0)
            size = random_bytes(&random, bytes);
        case_decode(&before, bytes, size);
        size = i % 2 ? mutate_next(bytes, size, NULL, 0, bytes, sizeof bytes, i, NULL, NULL)
                     : mutate_case(bytes, size, sizeof bytes, i, NULL, NULL);
        assert_canonical(bytes, size);
        case_decode(&after, bytes, size);
        none += memcmp(&before, &after, sizeof before) == 0;
        if (i % 4 == 0) {
            size_t length = random_bytes(&random, other);
            length = mutate_crossover(bytes, size, other, length, child, sizeof child, i, NULL);
            assert_canonical(child, length);
        }
    }
    printf("%zu mutants, %zu of them the case itself\n", mutants, none);
    assert_true(none * 1000 <= mutants);
}

static void no_mutant_passes_the_limit_or_is_empty(void **state) {
    (void)state;
    uint64_t random = 3;
    for (size_t max = 1; max <= CASE_MAX_BYTES; max += max < 160 ? 1 : 61) {
        for (uint64_t seed = 0; seed < 4; seed++) {
            uint8_t whole[CASE_MAX_BYTES], other[CASE_MAX_BYTES];
            uint8_t *data = malloc(max), *out = malloc(max); // their own: a write beyond is seen
            size_t size = random_bytes(&random, whole), b = random_bytes(&random, other);
            memcpy(data, whole, size < max ? size : max);
            size_t mutant = mutate_case(data, size < max ? size : max, max, seed, NULL, NULL);
            assert_in_range(mutant, 1, max);
            assert_canonical(data, mutant);
            mutant = mutate_next(data, mutant, NULL, 0, data, max, seed, NULL, NULL);
            assert_in_range(mutant, 1, max);
            assert_canonical(data, mutant);
            size_t child = mutate_crossover(whole, size, other, b, out, max, seed, NULL);
            assert_in_range(child, 1, max);
            assert_canonical(out, child);
            child = mutate_shorter(whole, size, out, max, seed);
            assert_in_range(child, 1, max);
            assert_canonical(out, child);
            free(data);
            free(out);
        }
    }
}

static void nothing_at_all_can_be_mutated(void **state) {
    (void)state;
    uint8_t out[CASE_MAX_BYTES] = {0};
    for (uint64_t seed = 0; seed < 200; seed++) {
        size_t size = mutate_case(out, 0, sizeof out, seed, NULL, NULL);
        assert_canonical(out, size);
        size = mutate_crossover(out, 0, out, 0, out + 2048, 2048, seed, NULL);
        assert_canonical(out + 2048, size);
    }
    assert_int_equal(mutate_case(out, 0, 0, 1, NULL, NULL), 0);
    assert_int_equal(mutate_next(out, 0, NULL, 0, out, 0, 1, NULL, NULL), 0);
}

// The name tells which ones: two parents and one seed make the same case, also of two each.
static void three_of_four_are_made_from_nothing(void **state) {
    (void)state;
    uint64_t random = 6, hash = HASH_OF_NOTHING;
    unsigned fresh = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        uint8_t a[CASE_MAX_BYTES], b[CASE_MAX_BYTES], c[CASE_MAX_BYTES];
        struct mutate_name names[2];
        size_t size = random_bytes(&random, a), other = random_bytes(&random, b);
        size_t third = random_bytes(&random, c);
        const uint8_t *donor = seed % 2 ? c : NULL;
        size = mutate_next(a, size, donor, third, a, sizeof a, seed, NULL, &names[0]);
        other = mutate_next(b, other, donor, third, b, sizeof b, seed, NULL, &names[1]);
        bool made_anew = strcmp(names[0].text, "fresh") == 0;
        assert_int_equal(made_anew, strcmp(names[1].text, "fresh") == 0);
        assert_int_equal(made_anew, size == other && memcmp(a, b, size) == 0);
        fresh += made_anew;
        hash = hash_more(hash, a, size);
    }
    assert_in_range(fresh, 1400, 1600);
    if (hash != 0xb90c92769420eca6u)
        fail_msg("they make 0x%016llx", (unsigned long long)hash);
}

// Of the others each comes from its parents: from one alone where there is no second.
static void the_others_come_from_their_parents(void **state) {
    (void)state;
    struct testcase mother, father, child;
    helper_plain_case(&mother, IMAGE_VHDX);
    helper_plain_case(&father, IMAGE_VHDX);
    helper_add_write(&mother)->seed = 77;
    for (int i = 0; i < 4; i++)
        helper_add_write(&father)->seed = 200;
    for (int both = 0; both < 2; both++) {
        unsigned others = 0, of_mother = 0, of_father = 0, crossed = 0;
        for (uint64_t seed = 0; seed < 2000; seed++) {
            uint8_t a[CASE_MAX_BYTES], b[CASE_MAX_BYTES], out[CASE_MAX_BYTES];
            size_t a_size = case_encode(&mother, a), b_size = case_encode(&father, b);
            struct mutate_name name;
            bool has_mother = false, has_father = false;
            size_t size = mutate_next(a, a_size, both ? b : NULL, both ? b_size : 0, out,
                                      sizeof out, seed, NULL, &name);
            if (strcmp(name.text, "fresh") == 0)
                continue;
            case_decode(&child, out, size);
            for (uint32_t i = 0; i < child.write_count; i++) {
                has_mother |= child.writes[i].seed == 77;
                has_father |= child.writes[i].seed == 200;
            }
            others++;
            of_mother += has_mother;
            of_father += has_father;
            for (size_t i = 0; i < mut_splice_count; i++)
                crossed +=
                    strncmp(name.text, mut_splices[i].name, strlen(mut_splices[i].name)) == 0;
        }
        assert_in_range(others, 400, 600);
        assert_true(of_mother * 2 > others);
        // Two cases can have nothing that the other lacks.
        both ? assert_true(crossed * 10 > others * 9) : assert_int_equal(crossed, 0);
        both ? assert_true(of_father * 5 > others) : assert_true(of_father * 20 < others);
    }
}

static void a_shorter_case_is_the_same_with_less(void **state) {
    (void)state;
    struct testcase before, after;
    unsigned shorter = 0;
    helper_plain_case(&before, IMAGE_QCOW2);
    for (uint32_t i = 0; i < 5; i++) {
        helper_add_write(&before)->seed = i;
        struct case_operation *operation = &before.operations[before.operation_count++];
        case_record_defaults(RECORD_OPERATION, operation);
        operation->op = OP_CONVERT;
        operation->target = i;
    }
    for (uint64_t seed = 0; seed < 200; seed++) {
        uint8_t bytes[CASE_MAX_BYTES];
        size_t size = case_encode(&before, bytes);
        size_t left = mutate_shorter(bytes, size, bytes, sizeof bytes, seed);
        case_decode(&after, bytes, left);
        shorter += left < size;
        assert_true(left <= size && after.operation_count > 0);
        assert_int_equal(after.format, before.format);
        for (uint32_t i = 1; i < after.write_count; i++)
            assert_true(after.writes[i].seed > after.writes[i - 1].seed);
        for (uint32_t i = 1; i < after.operation_count; i++)
            assert_true(after.operations[i].target > after.operations[i - 1].target);
    }
    assert_int_equal(shorter, 200);
}

static size_t fill_with_zeros(uint8_t *data, size_t size, size_t max_size) {
    (void)max_size;
    memset(data, 0, size);
    return CASE_HEADER_BYTES;
}

static void the_engine_has_its_share(void **state) {
    (void)state;
    uint64_t random = 4;
    unsigned used = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        uint8_t bytes[CASE_MAX_BYTES];
        struct mutate_name name;
        size_t size = random_bytes(&random, bytes);
        mutate_case(bytes, size, sizeof bytes, seed, fill_with_zeros, &name);
        used += strcmp(name.text, "bytes") == 0;
    }
    assert_in_range(used, 20, 400);
}

static void names_fit_into_file_names(void **state) {
    (void)state;
    uint64_t random = 5;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        uint8_t bytes[CASE_MAX_BYTES];
        struct mutate_name name;
        size_t size = random_bytes(&random, bytes);
        mutate_case(bytes, size, sizeof bytes, seed, NULL, &name);
        assert_in_range(strlen(name.text), 2, sizeof name.text - 1);
        assert_int_equal(strspn(name.text, "abcdefghijklmnopqrstuvwxyz_+"), strlen(name.text));
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_alone_decides),
        cmocka_unit_test(a_seed_makes_what_it_made),
        cmocka_unit_test(mutants_are_canonical_cases),
        cmocka_unit_test(no_mutant_passes_the_limit_or_is_empty),
        cmocka_unit_test(nothing_at_all_can_be_mutated),
        cmocka_unit_test(three_of_four_are_made_from_nothing),
        cmocka_unit_test(the_others_come_from_their_parents),
        cmocka_unit_test(a_shorter_case_is_the_same_with_less),
        cmocka_unit_test(the_engine_has_its_share),
        cmocka_unit_test(names_fit_into_file_names),
    };
    if (argc > 1)
        mutants = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
