// SPDX-License-Identifier: Apache-2.0
//
// A crossover takes from both: something in the child was in the one case only, something in the
// other only.
#include "tests/unit/testcase_helper.h"

#include "mutators/mutation.h"

// Everything in it says whose it is: pattern seeds, sizes, refcount widths.
static size_t marked(uint32_t mark, uint8_t bytes[CASE_MAX_BYTES], struct testcase *testcase) {
    case_decode(testcase, NULL, 0);
    testcase->format = mark ? IMAGE_QCOW2 : IMAGE_VPC;
    testcase->cluster_bits = mark ? 12 : 18;
    testcase->block_bits = mark ? 19 : 22;
    helper_set_size(testcase, SIZE_EDGE, mark, 0);
    for (uint32_t i = 0; i < 3; i++) {
        struct case_write *write = helper_add_write(testcase);
        write->anchor = ANCHOR_TARGET;
        write->offset = i;
        write->seed = 100 * mark + i;
        struct case_operation *operation = &testcase->operations[testcase->operation_count++];
        case_record_defaults(RECORD_OPERATION, operation);
        operation->op = OP_MEASURE;
        operation->target = IMAGE_QCOW2;
        operation->refcount_order = 1 + 3 * mark + i;
    }
    return case_encode(testcase, bytes);
}

static bool has_of(const struct testcase *child, uint32_t mark) {
    if (child->format == (mark ? IMAGE_QCOW2 : IMAGE_VPC) || child->size_value == mark ||
        child->cluster_bits == (mark ? 12u : 18u) || child->block_bits == (mark ? 19u : 22u))
        return true;
    for (uint32_t i = 0; i < child->write_count; i++)
        if (child->writes[i].seed / 100 == mark)
            return true;
    for (uint32_t i = 0; i < child->operation_count; i++) {
        uint32_t order = child->operations[i].refcount_order;
        if (order >= 1 + 3 * mark && order <= 3 + 3 * mark)
            return true;
    }
    return false;
}

static void a_child_has_something_of_both(void **state) {
    (void)state;
    uint8_t a[CASE_MAX_BYTES], b[CASE_MAX_BYTES], out[CASE_MAX_BYTES];
    struct testcase mother, father, child;
    size_t a_size = marked(0, a, &mother), b_size = marked(1, b, &father);
    unsigned both = 0;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        size_t size = mutate_crossover(a, a_size, b, b_size, out, sizeof out, seed, NULL);
        case_decode(&child, out, size);
        both += has_of(&child, 0) && has_of(&child, 1);
        assert_true(mut_meaning(&child) != mut_meaning(&mother));
        assert_true(mut_meaning(&child) != mut_meaning(&father));
    }
    // The mutation that follows can take away what came from the one.
    assert_true(both > 2900);
}

static void parents_with_nothing_to_give_have_children(void **state) {
    (void)state;
    uint8_t a[CASE_MAX_BYTES], out[CASE_MAX_BYTES];
    struct testcase mother, child;
    size_t size = marked(1, a, &mother);
    for (uint64_t seed = 0; seed < 500; seed++) {
        case_decode(&child, out, mutate_crossover(a, size, NULL, 0, out, sizeof out, seed, NULL));
        assert_true(mut_meaning(&child) != mut_meaning(&mother));
        case_decode(&child, out, mutate_crossover(NULL, 0, a, size, out, sizeof out, seed, NULL));
        assert_true(mut_meaning(&child) != mut_meaning(&mother));
        // The same twice: the mutations that follow have to make the difference.
        case_decode(&child, out, mutate_crossover(a, size, a, size, out, sizeof out, seed, NULL));
        assert_true(mut_meaning(&child) != mut_meaning(&mother));
    }
}

// Of each kind of splice: whose are source, writes and operations then?
static void each_splice_takes_what_its_name_says(void **state) {
    (void)state;
    uint8_t bytes[CASE_MAX_BYTES];
    struct testcase mother, father, child;
    struct mut_random random = {1};
    struct mut_work work = {.testcase = &child, .donor = &father, .random = &random};
    marked(0, bytes, &mother);
    marked(1, bytes, &father);
    child = mother;
    assert_true(mut_splice_writes(&work));
    assert_memory_equal(child.operations, mother.operations, sizeof child.operations);
    assert_memory_not_equal(child.writes, mother.writes, sizeof child.writes);
    assert_int_equal(child.format, mother.format);
    child = mother;
    assert_true(mut_splice_ops(&work));
    assert_memory_not_equal(child.operations, mother.operations, sizeof child.operations);
    assert_memory_equal(child.writes, mother.writes, sizeof child.writes);
    child = mother;
    assert_true(mut_take_ops(&work));
    assert_memory_equal(child.operations, father.operations, sizeof child.operations);
    assert_memory_equal(child.writes, mother.writes, sizeof child.writes);
    child = mother;
    assert_true(mut_take_source(&work));
    assert_memory_equal(child.operations, mother.operations, sizeof child.operations);
    assert_memory_equal(child.writes, father.writes, sizeof child.writes);
    assert_int_equal(child.cluster_bits, father.cluster_bits);
    child = mother;
    assert_true(mut_mix_header(&work));
    assert_memory_equal(child.operations, mother.operations, sizeof child.operations);
    assert_memory_equal(child.writes, mother.writes, sizeof child.writes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_something_of_both),
        cmocka_unit_test(parents_with_nothing_to_give_have_children),
        cmocka_unit_test(each_splice_takes_what_its_name_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
