// SPDX-License-Identifier: Apache-2.0
//
// How qemu-img is called. Input formats are always given, so that nothing depends on its guess.
//
// What 7.2 does, where its documentation and its reputation say otherwise (all tried):
// - check: vmdk and vhdx are checked (exit 0 and a short JSON without counts), only raw and vpc
//   end with 63, with nothing on stdout.
// - measure: targets are raw and qcow2; "Block driver 'vpc' does not support size measurement"
//   otherwise (exit 1). "bitmaps" appears for a qcow2 source of version 3 only.
// - convert -c -O vmdk without subformat=streamOptimized succeeds and compresses nothing.
// - convert -O vhdx -o block_size takes values below the 1 MiB that its specification allows and
//   silently uses 1 MiB.
// - convert -O vmdk of an empty disk is refused ("Unsupported image type 'monolithicSparse'").
// - map: of a vhdx everything is data (it has no block status); of a flat vmdk, and of qcow2
// clusters
//   where the host has holes, an extent may be data and zero.
// - a wrong command line ends with 1, like every refusal; only the text tells them apart.
#include "tool/adapter.h"

#define MEASURE TOOL_OP(OP_MEASURE)
// Given to the convert that belongs to a measure, never to one that a case asks for.
#define MEASURE_OR_FIT (MEASURE | TOOL_OP(OP_CONVERT))

static const struct tool_option_form option_forms[] = {
    {TOOL_OPTION_CLUSTER, IMAGE_QCOW2, MEASURE | TOOL_OPS_WRITING, "cluster_size"},
    {TOOL_OPTION_REFCOUNT, IMAGE_QCOW2, MEASURE_OR_FIT, "refcount_bits"},
    {TOOL_OPTION_FLAT, IMAGE_VMDK, TOOL_OP(OP_CONVERT), "subformat"},
    {TOOL_OPTION_BLOCK, IMAGE_VHDX, TOOL_OP(OP_CONVERT), "block_size"},
    {TOOL_OPTION_EXTENDED_L2, IMAGE_QCOW2, MEASURE | TOOL_OPS_WRITING, "extended_l2=on"},
    {TOOL_OPTION_LAZY_REFCOUNTS, IMAGE_QCOW2, MEASURE_OR_FIT, "lazy_refcounts=on"},
    {TOOL_OPTION_PREALLOCATION, IMAGE_QCOW2, MEASURE_OR_FIT, "preallocation"},
    {TOOL_OPTION_COMPAT, IMAGE_QCOW2, MEASURE_OR_FIT, "compat"},
    {TOOL_OPTION_COMPRESSION, IMAGE_QCOW2, MEASURE_OR_FIT, "compression_type"},
    {TOOL_OPTION_NO_SKIP_ZEROS, IMAGE_FORMATS, TOOL_OPS_WRITING, "-S 0"},
    {TOOL_OPTION_SNAPSHOT, IMAGE_FORMATS, TOOL_OPS_WRITING, "-l"},
    {TOOL_OPTION_SIZE, IMAGE_FORMATS, MEASURE, "--size"},
    {0, 0, 0, NULL},
};

static const char *const subcommands[TOOL_OPERATIONS] = {
    [OP_INFO] = "info",
    [OP_CHECK] = "check",
    [OP_MEASURE] = "measure",
    [OP_CONVERT] = "convert",
    [OP_CONVERT_COMPRESSED] = "convert",
    [OP_MAP] = "map",
    [OP_COMPARE] = "compare",
};

static void qemu_img_build(const struct tool *tool, const struct tool_call *call,
                           struct tool_argv *argv) {
    tool_argv_add(argv, subcommands[call->op]);
    if (!operation_writes(call->op) && call->op != OP_COMPARE)
        tool_argv_add(argv, "--output=json");
    // A size has no format; -f without a file is a wrong command line.
    if (!call->options.size_only) {
        tool_argv_add(argv, "-f");
        tool_argv_add(argv, tool_format_name(call->input_format));
    }
    if (call->op == OP_COMPARE) {
        tool_argv_add(argv, "-F");
        tool_argv_add(argv, tool_format_name(call->target));
    }
    if (operation_has_target(call->op)) {
        tool_argv_add(argv, "-O");
        tool_argv_add(argv, tool_format_name(call->target));
    }
    if (call->op == OP_CONVERT_COMPRESSED) {
        tool_argv_add(argv, "-c");
        // Its other vmdk layouts have no compressed grains: -c would be ignored.
        if (call->target == IMAGE_VMDK) {
            tool_argv_add(argv, "-o");
            tool_argv_add(argv, "subformat=streamOptimized");
        }
    }
    if (operation_has_target(call->op))
        tool_argv_options(argv, tool, call);
    if (!call->options.size_only)
        tool_argv_add(argv, call->input);
    if (operation_writes(call->op) || call->op == OP_COMPARE)
        tool_argv_add(argv, call->output);
}

static const char *qemu_img_missing(const struct tool *tool) {
    (void)tool;
    return NULL;
}

const struct tool_adapter tool_adapter_qemu_img = {
    .kind = TOOL_QEMU_IMG,
    .program = "qemu-img",
    .role = "qemu_img",
    .oldest = 60000,
    .oldest_words = "6.0",
    .measure_targets = 1u << IMAGE_RAW | 1u << IMAGE_QCOW2,
    .checks = 1u << IMAGE_QCOW2 | 1u << IMAGE_VMDK | 1u << IMAGE_VHDX,
    .options = option_forms,
    .build = qemu_img_build,
    .missing = qemu_img_missing,
};
