// SPDX-License-Identifier: Apache-2.0
//
// How instar is called, and the stand-in that has its command line. It learns the input's format
// from the content; only measure and map take -f (and, by its source, ignore it), and info needs
// --unsafe-quirks to call a plain file raw.
#include "tool/adapter.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define CONVERT_OR_MEASURE (TOOL_OP(OP_MEASURE) | TOOL_OPS_WRITING)

// convert's other --subformat values are left alone: the layout of one file is never compared.
static const struct tool_option_form option_forms[] = {
    {TOOL_OPTION_CLUSTER, IMAGE_QCOW2, CONVERT_OR_MEASURE, "--cluster-size"},
    {TOOL_OPTION_REFCOUNT, IMAGE_QCOW2, TOOL_OP(OP_MEASURE), "--refcount-bits"},
    {TOOL_OPTION_SUBFORMAT, IMAGE_VMDK, TOOL_OP(OP_MEASURE), "--subformat"},
    {TOOL_OPTION_FLAT, IMAGE_VMDK, TOOL_OP(OP_MEASURE) | TOOL_OP(OP_CONVERT), "--subformat"},
    {TOOL_OPTION_GRAIN, IMAGE_VMDK, CONVERT_OR_MEASURE, "--grain-size"},
    {TOOL_OPTION_BLOCK, IMAGE_VPC, CONVERT_OR_MEASURE, "--block-size"},
    {TOOL_OPTION_BLOCK, IMAGE_VHDX, CONVERT_OR_MEASURE, "--block-size"},
    {TOOL_OPTION_EXTENDED_L2, IMAGE_QCOW2, CONVERT_OR_MEASURE, "--extended-l2"},
    {TOOL_OPTION_LAZY_REFCOUNTS, IMAGE_QCOW2, TOOL_OP(OP_MEASURE), "--lazy-refcounts"},
    {TOOL_OPTION_PREALLOCATION, IMAGE_QCOW2, TOOL_OP(OP_MEASURE), "--preallocation"},
    {TOOL_OPTION_COMPAT, IMAGE_QCOW2, TOOL_OP(OP_MEASURE), "--compat"},
    {TOOL_OPTION_COMPRESSION, IMAGE_QCOW2, TOOL_OP(OP_MEASURE), "compression_type"}, // no switch
    {TOOL_OPTION_NO_SKIP_ZEROS, IMAGE_FORMATS, TOOL_OPS_WRITING, "--no-skip-zeros"},
    {TOOL_OPTION_SNAPSHOT, IMAGE_FORMATS, TOOL_OPS_WRITING, "--snapshot"},
    {TOOL_OPTION_SIZE, IMAGE_FORMATS, TOOL_OP(OP_MEASURE), "--size"},
    {0, 0, 0, NULL},
};

// By its source map got this option after 0.3.0, whose map has no version to tell apart.
static void instar_profile_words(const struct tool *tool, enum operation op,
                                 struct tool_argv *argv) {
    bool has[TOOL_OPERATIONS] = {
        [OP_INFO] = tool->qemu_version_option, [OP_MAP] = tool->map_version_option};
    if (!has[op])
        return;
    tool_argv_add(argv, "--qemu-version");
    tool_argv_add(argv, tool->qemu_version[0] ? tool->qemu_version : "10.0");
}

static void instar_build(const struct tool *tool, const struct tool_call *call,
                         struct tool_argv *argv) {
    static const char *const subcommands[TOOL_OPERATIONS] = {
        "info",
        "check",
        "measure",
        "convert",
        "convert",
        [OP_MAP] = "map",
        [OP_COMPARE] = "compare",
    };
    tool_argv_add(argv, subcommands[call->op]);
    if (!operation_writes(call->op)) {
        tool_argv_add(argv, "--output");
        tool_argv_add(argv, "json");
    }
    if (call->op == OP_INFO)
        tool_argv_add(argv, "--unsafe-quirks");
    instar_profile_words(tool, call->op, argv);
    if (call->op == OP_MEASURE && !call->options.size_only) {
        tool_argv_add(argv, "-f");
        tool_argv_add(argv, tool_format_name(call->input_format));
    }
    if (operation_has_target(call->op)) {
        tool_argv_add(argv, "-O");
        tool_argv_add(argv, tool_format_name(call->target));
        if (call->op == OP_CONVERT_COMPRESSED)
            tool_argv_add(argv, "-c");
        tool_argv_options(argv, tool, call);
    }
    if (!call->options.size_only)
        tool_argv_add(argv, call->input);
    if (operation_writes(call->op) || call->op == OP_COMPARE)
        tool_argv_add(argv, call->output);
}

void tool_set_qemu_version(struct tool *instar, const struct tool *qemu_img) {
    if (instar->kind != TOOL_INSTAR || !qemu_img || qemu_img->kind != TOOL_QEMU_IMG ||
        !qemu_img->available || !qemu_img->version_number)
        return;
    uint32_t number = qemu_img->version_number;
    snprintf(instar->qemu_version, sizeof instar->qemu_version, "%" PRIu32 ".%" PRIu32 ".%" PRIu32,
             number / 10000, number / 100 % 100, number % 100);
}

// Every operation of instar runs a virtual machine; the stand-in runs none.
static const char *instar_missing(const struct tool *tool) {
    if (tool->is_standin || access("/dev/kvm", R_OK | W_OK) == 0)
        return NULL;
    return "instar runs every operation in a virtual machine, and /dev/kvm cannot be opened for "
           "reading and writing here";
}

const struct tool_adapter tool_adapter_instar = {
    .kind = TOOL_INSTAR,
    .program = "instar",
    .role = "instar",
    .oldest = 0,
    .oldest_words = "0.0",
    .measure_targets = (1u << IMAGE_FORMATS) - 1,
    .checks = 1u << IMAGE_QCOW2 | 1u << IMAGE_VPC | 1u << IMAGE_VMDK | 1u << IMAGE_VHDX,
    .options = option_forms,
    .build = instar_build,
    .missing = instar_missing,
};
