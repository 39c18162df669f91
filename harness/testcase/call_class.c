// SPDX-License-Identifier: Apache-2.0
//
// The table of options, and the calls that follow from it. The rules of case_target_options
// (operation.c) say the same in another way; a test holds them against each other.
#include "testcase/call_class.h"

#include <stddef.h>
#include <string.h>

#define OP(op)   (1u << (op))
#define TO(name) (1u << IMAGE_##name)

#define MEASURE OP(OP_MEASURE)
#define WRITES  (OP(OP_CONVERT) | OP(OP_CONVERT_COMPRESSED))
#define ALL     (MEASURE | WRITES)
#define ANY     ((1u << IMAGE_FORMATS) - 1)

#define MEMBER(name) offsetof(struct target_options, name)

const struct option_class option_classes[OPTION_CLASSES] = {
    [OPTION_DEFAULT] = {"default", ALL, ANY, 0, 0, 0},
    {"cluster_size", ALL, TO(QCOW2), MEMBER(cluster_bits), 0, 16},
    {"refcount_bits", MEASURE, TO(QCOW2), MEMBER(refcount_bits), 0, 16},
    {"extended_l2", ALL, TO(QCOW2), MEMBER(extended_l2), 0, 1},
    {"lazy_refcounts", MEASURE, TO(QCOW2), MEMBER(lazy_refcounts), 0, 1},
    {"preallocation=off", MEASURE, TO(QCOW2), MEMBER(preallocation), PREALLOCATION_OFF,
     PREALLOCATION_OFF},
    {"preallocation=metadata", MEASURE, TO(QCOW2), MEMBER(preallocation), PREALLOCATION_METADATA,
     PREALLOCATION_METADATA},
    {"preallocation=falloc", MEASURE, TO(QCOW2), MEMBER(preallocation), PREALLOCATION_FALLOC,
     PREALLOCATION_FALLOC},
    {"preallocation=full", MEASURE, TO(QCOW2), MEMBER(preallocation), PREALLOCATION_FULL,
     PREALLOCATION_FULL},
    {"compat=0.10", MEASURE, TO(QCOW2), MEMBER(compat), 1, 1},
    {"compat=1.1", MEASURE, TO(QCOW2), MEMBER(compat), 2, 2},
    {"compression_type=zlib", MEASURE, TO(QCOW2), MEMBER(compression), 1, 1},
    {"compression_type=zstd", MEASURE, TO(QCOW2), MEMBER(compression), 2, 2},
    {"subformat=monolithicSparse", MEASURE, TO(VMDK), MEMBER(vmdk_subformat), SUBFORMAT_SPARSE,
     SUBFORMAT_SPARSE},
    {"subformat=streamOptimized", MEASURE, TO(VMDK), MEMBER(vmdk_subformat), SUBFORMAT_STREAM,
     SUBFORMAT_STREAM},
    {"subformat=monolithicFlat", MEASURE | OP(OP_CONVERT), TO(VMDK), MEMBER(vmdk_subformat),
     SUBFORMAT_FLAT, SUBFORMAT_FLAT},
    {"grain_size", ALL, TO(VMDK), MEMBER(grain_bits), 0, 16},
    {"block_size", ALL, TO(VPC) | TO(VHDX), MEMBER(block_bits), 0, 21},
    {"no_skip_zeros", WRITES, ANY, MEMBER(no_skip_zeros), 0, 1},
    {"snapshot", WRITES, ANY, MEMBER(snapshot), 0, 1},
};

struct call_class call_classes[CALL_CLASSES];

static bool option_belongs(const struct option_class *option, enum operation op,
                           enum image_format target) {
    if (!operation_has_target(op))
        return option == &option_classes[OPTION_DEFAULT] && target == IMAGE_FORMATS;
    return option->operations & OP(op) && option->targets & (1u << target);
}

// Only as many as the header promises; a test knows whether that is all of them.
__attribute__((constructor)) static void make_call_classes(void) {
    size_t count = 0;
    for (int op = 0; op < OPERATIONS; op++)
        for (int target = 0; target <= IMAGE_FORMATS; target++)
            for (size_t i = 0; i < OPTION_CLASSES && count < CALL_CLASSES; i++)
                if (option_belongs(&option_classes[i], (enum operation)op,
                                   (enum image_format)target))
                    call_classes[count++] =
                        (struct call_class){(enum operation)op, (enum image_format)target, i};
}

static uint32_t option_value(const struct option_class *option,
                             const struct target_options *options) {
    uint32_t value;
    memcpy(&value, (const char *)options + option->member, sizeof value);
    return value;
}

static bool option_given(size_t index, const struct target_options *options) {
    static const struct target_options none;
    const struct option_class *option = &option_classes[index];
    if (index == OPTION_DEFAULT)
        return memcmp(options, &none, sizeof none) == 0;
    uint32_t value = option_value(option, options);
    return option->value ? value == option->value : value != 0;
}

size_t call_classes_of(enum operation op, enum image_format target,
                       const struct target_options *options, size_t found[OPTION_CLASSES]) {
    // What makes it a source of its own kind is no option of the call.
    struct target_options asked = *options;
    asked.size_only = 0;
    size_t count = 0;
    for (size_t i = 0; i < CALL_CLASSES; i++)
        if (call_classes[i].op == op && call_classes[i].target == target &&
            option_given(call_classes[i].option, &asked))
            found[count++] = i;
    return count;
}

void call_class_options(const struct call_class *call, struct target_options *options) {
    const struct option_class *option = &option_classes[call->option];
    *options = (struct target_options){0};
    if (call->option != OPTION_DEFAULT)
        memcpy((char *)options + option->member, &option->sample, sizeof option->sample);
}
