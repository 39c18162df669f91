// SPDX-License-Identifier: Apache-2.0
//
// Command lines: each operation, target and option of both tools against what a person would have
// typed, and which calls a tool is not asked at all.
#include "tool/adapter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct tool any_tool(enum tool_kind kind) {
    struct tool tool = {
        .kind = kind, .available = true, .qemu_version_option = true, .map_version_option = true};
    snprintf(tool.qemu_version, sizeof tool.qemu_version, "7.2.22");
    memset(tool.ops, 1, sizeof tool.ops);
    memset(tool.reads, 1, sizeof tool.reads);
    memset(tool.writes, 1, sizeof tool.writes);
    memset(tool.measures, 1, sizeof tool.measures);
    if (kind == TOOL_QEMU_IMG)
        for (int format = 0; format < IMAGE_FORMATS; format++)
            tool.measures[format] = format == IMAGE_RAW || format == IMAGE_QCOW2;
    return tool;
}

// One column as wide as its longest text helps nobody.
// clang-format off
static const struct expectation {
    struct tool_call call;
    const char *qemu_img, *instar; // NULL: not supported
} expectations[] = {
    {{.op = OP_INFO, .input = "src.raw", .input_format = IMAGE_RAW},
     "qemu-img info --output=json -f raw src.raw",
     "instar info --output json --unsafe-quirks --qemu-version 7.2.22 src.raw"},
    {{.op = OP_CHECK, .input = "src.vhdx", .input_format = IMAGE_VHDX},
     "qemu-img check --output=json -f vhdx src.vhdx",
     "instar check --output json src.vhdx"},
    {{.op = OP_MEASURE, .input = "src.vpc", .input_format = IMAGE_VPC, .target = IMAGE_RAW},
     "qemu-img measure --output=json -f vpc -O raw src.vpc",
     "instar measure --output json -f vpc -O raw src.vpc"},
    {{.op = OP_MEASURE,
      .input = "src.vmdk",
      .input_format = IMAGE_VMDK,
      .target = IMAGE_QCOW2,
      .options = {.cluster_bits = 21, .refcount_bits = 64}},
     "qemu-img measure --output=json -f vmdk -O qcow2 -o cluster_size=2097152,refcount_bits=64 "
     "src.vmdk",
     "instar measure --output json -f vmdk -O qcow2 --cluster-size 2097152 --refcount-bits 64 src.vmdk"},
    {{.op = OP_MEASURE, .input = "src.raw", .target = IMAGE_QCOW2, .options = {.refcount_bits = 1}},
     "qemu-img measure --output=json -f raw -O qcow2 -o refcount_bits=1 src.raw",
     "instar measure --output json -f raw -O qcow2 --refcount-bits 1 src.raw"},
    {{.op = OP_MEASURE,
      .input = "src.raw",
      .target = IMAGE_VMDK,
      .options = {.vmdk_subformat = SUBFORMAT_STREAM, .grain_bits = 12}},
     NULL,
     "instar measure --output json -f raw -O vmdk --subformat streamOptimized --grain-size 4096 src.raw"},
    {{.op = OP_MEASURE, .input = "src.raw", .target = IMAGE_VMDK,
      .options = {.vmdk_subformat = SUBFORMAT_SPARSE}},
     NULL,
     "instar measure --output json -f raw -O vmdk --subformat monolithicSparse src.raw"},
    {{.op = OP_MEASURE, .input = "src.raw", .target = IMAGE_VPC, .options = {.block_bits = 19}},
     NULL,
     "instar measure --output json -f raw -O vpc --block-size 524288 src.raw"},
    {{.op = OP_MEASURE, .input = "src.raw", .target = IMAGE_VHDX, .options = {.block_bits = 28}},
     NULL,
     "instar measure --output json -f raw -O vhdx --block-size 268435456 src.raw"},
    {{.op = OP_CONVERT, .input = "src.raw", .output = "a.out.raw", .target = IMAGE_RAW},
     "qemu-img convert -f raw -O raw src.raw a.out.raw",
     "instar convert -O raw src.raw a.out.raw"},
    {{.op = OP_CONVERT,
      .input = "src.qcow2",
      .input_format = IMAGE_QCOW2,
      .output = "a.out.qcow2",
      .target = IMAGE_QCOW2,
      .options = {.cluster_bits = 9}},
     "qemu-img convert -f qcow2 -O qcow2 -o cluster_size=512 src.qcow2 a.out.qcow2",
     "instar convert -O qcow2 --cluster-size 512 src.qcow2 a.out.qcow2"},
    {{.op = OP_CONVERT,
      .input = "src.raw",
      .output = "a.out.vmdk",
      .target = IMAGE_VMDK,
      .options = {.grain_bits = 13}},
     "qemu-img convert -f raw -O vmdk src.raw a.out.vmdk",
     "instar convert -O vmdk --grain-size 8192 src.raw a.out.vmdk"},
    {{.op = OP_CONVERT,
      .input = "src.raw",
      .output = "a.out.vpc",
      .target = IMAGE_VPC,
      .options = {.block_bits = 20}},
     "qemu-img convert -f raw -O vpc src.raw a.out.vpc",
     "instar convert -O vpc --block-size 1048576 src.raw a.out.vpc"},
    {{.op = OP_CONVERT,
      .input = "src.raw",
      .output = "a.out.vhdx",
      .target = IMAGE_VHDX,
      .options = {.block_bits = 20}},
     "qemu-img convert -f raw -O vhdx -o block_size=1048576 src.raw a.out.vhdx",
     "instar convert -O vhdx --block-size 1048576 src.raw a.out.vhdx"},
    {{.op = OP_CONVERT_COMPRESSED,
      .input = "src.raw",
      .output = "a.out.qcow2",
      .target = IMAGE_QCOW2,
      .options = {.cluster_bits = 12}},
     "qemu-img convert -f raw -O qcow2 -c -o cluster_size=4096 src.raw a.out.qcow2",
     "instar convert -O qcow2 -c --cluster-size 4096 src.raw a.out.qcow2"},
    {{.op = OP_CONVERT_COMPRESSED,
      .input = "src.raw",
      .output = "a.out.vmdk",
      .target = IMAGE_VMDK,
      .options = {.grain_bits = 16}},
     "qemu-img convert -f raw -O vmdk -c -o subformat=streamOptimized src.raw a.out.vmdk",
     "instar convert -O vmdk -c --grain-size 65536 src.raw a.out.vmdk"},
    {{.op = OP_MEASURE,
      .input = "src.raw",
      .target = IMAGE_QCOW2,
      .options = {.cluster_bits = 17, .extended_l2 = 1}},
     "qemu-img measure --output=json -f raw -O qcow2 -o cluster_size=131072,extended_l2=on src.raw",
     "instar measure --output json -f raw -O qcow2 --cluster-size 131072 --extended-l2 src.raw"},
    {{.op = OP_CONVERT,
      .input = "src.raw",
      .output = "a.out.qcow2",
      .target = IMAGE_QCOW2,
      .options = {.extended_l2 = 1}},
     "qemu-img convert -f raw -O qcow2 -o extended_l2=on src.raw a.out.qcow2",
     "instar convert -O qcow2 --extended-l2 src.raw a.out.qcow2"},
    {{.op = OP_CONVERT_COMPRESSED,
      .input = "src.raw",
      .output = "a.out.qcow2",
      .target = IMAGE_QCOW2,
      .options = {.extended_l2 = 1}},
     "qemu-img convert -f raw -O qcow2 -c -o extended_l2=on src.raw a.out.qcow2",
     "instar convert -O qcow2 -c --extended-l2 src.raw a.out.qcow2"},
    {{.op = OP_MEASURE,
      .input = "",
      .target = IMAGE_RAW,
      .options = {.size_only = 1},
      .size = 2199023255041},
     "qemu-img measure --output=json -O raw --size 2199023255041",
     "instar measure --output json -O raw --size 2199023255041"},
    {{.op = OP_MEASURE,
      .input = "",
      .input_format = IMAGE_FORMATS,
      .target = IMAGE_QCOW2,
      .options = {.cluster_bits = 14, .size_only = 1, .preallocation = PREALLOCATION_METADATA},
      .size = 511},
     "qemu-img measure --output=json -O qcow2 -o cluster_size=16384,preallocation=metadata "
     "--size 511",
     "instar measure --output json -O qcow2 --cluster-size 16384 --preallocation metadata "
     "--size 511"},
    {{.op = OP_MEASURE,
      .input = "src.raw",
      .target = IMAGE_QCOW2,
      .options = {.extended_l2 = 1,
                  .lazy_refcounts = 1,
                  .preallocation = PREALLOCATION_OFF,
                  .compat = 1,
                  .compression = 2}},
     "qemu-img measure --output=json -f raw -O qcow2 -o extended_l2=on,lazy_refcounts=on,"
     "preallocation=off,compat=0.10,compression_type=zstd src.raw",
     "instar measure --output json -f raw -O qcow2 -o compression_type=zstd --extended-l2 "
     "--lazy-refcounts --preallocation off --compat 0.10 src.raw"},
    {{.op = OP_MEASURE,
      .input = "src.raw",
      .target = IMAGE_QCOW2,
      .options = {.preallocation = PREALLOCATION_FALLOC, .compat = 2, .compression = 1}},
     "qemu-img measure --output=json -f raw -O qcow2 -o preallocation=falloc,compat=1.1,"
     "compression_type=zlib src.raw",
     "instar measure --output json -f raw -O qcow2 -o compression_type=zlib --preallocation falloc "
     "--compat 1.1 src.raw"},
    {{.op = OP_MEASURE,
      .input = "src.raw",
      .target = IMAGE_QCOW2,
      .options = {.preallocation = PREALLOCATION_FULL}},
     "qemu-img measure --output=json -f raw -O qcow2 -o preallocation=full src.raw",
     "instar measure --output json -f raw -O qcow2 --preallocation full src.raw"},
    {{.op = OP_MEASURE, .input = "src.raw", .target = IMAGE_VMDK,
      .options = {.vmdk_subformat = SUBFORMAT_FLAT}},
     NULL,
     "instar measure --output json -f raw -O vmdk --subformat monolithicFlat src.raw"},
    {{.op = OP_CONVERT,
      .input = "src.raw",
      .output = "a.out.vmdk",
      .target = IMAGE_VMDK,
      .options = {.vmdk_subformat = SUBFORMAT_FLAT}},
     "qemu-img convert -f raw -O vmdk -o subformat=monolithicFlat src.raw a.out.vmdk",
     "instar convert -O vmdk --subformat monolithicFlat src.raw a.out.vmdk"},
    {{.op = OP_CONVERT,
      .input = "src.raw",
      .output = "a.out.vpc",
      .target = IMAGE_VPC,
      .options = {.no_skip_zeros = 1}},
     "qemu-img convert -f raw -O vpc -S 0 src.raw a.out.vpc",
     "instar convert -O vpc --no-skip-zeros src.raw a.out.vpc"},
    {{.op = OP_CONVERT_COMPRESSED,
      .input = "src.qcow2",
      .input_format = IMAGE_QCOW2,
      .output = "a.out.qcow2",
      .target = IMAGE_QCOW2,
      .options = {.cluster_bits = 16, .no_skip_zeros = 1, .snapshot = 3},
      .snapshot = "3"},
     "qemu-img convert -f qcow2 -O qcow2 -c -o cluster_size=65536 -S 0 -l 3 src.qcow2 a.out.qcow2",
     "instar convert -O qcow2 -c --cluster-size 65536 --no-skip-zeros --snapshot 3 src.qcow2 "
     "a.out.qcow2"},
    {{.op = OP_CONVERT,
      .input = "src.qcow2",
      .input_format = IMAGE_QCOW2,
      .output = "a.out.raw",
      .target = IMAGE_RAW,
      .options = {.snapshot = 1},
      .snapshot = "1"},
     "qemu-img convert -f qcow2 -O raw -l 1 src.qcow2 a.out.raw",
     "instar convert -O raw --snapshot 1 src.qcow2 a.out.raw"},
    {{.op = OP_CONVERT,
      .input = "src.raw",
      .output = "a.fit1.qcow2",
      .target = IMAGE_QCOW2,
      .options = {.refcount_bits = 8, .preallocation = PREALLOCATION_FULL, .compat = 2}},
     "qemu-img convert -f raw -O qcow2 -o refcount_bits=8,preallocation=full,compat=1.1 src.raw "
     "a.fit1.qcow2",
     "instar convert -O qcow2 src.raw a.fit1.qcow2"},
    {{.op = OP_MAP, .input = "src.vpc", .input_format = IMAGE_VPC},
     "qemu-img map --output=json -f vpc src.vpc",
     "instar map --output json --qemu-version 7.2.22 src.vpc"},
    {{.op = OP_COMPARE,
      .input = "src.vpc",
      .input_format = IMAGE_VPC,
      .output = "a.out1.qcow2",
      .target = IMAGE_QCOW2},
     "qemu-img compare -f vpc -F qcow2 src.vpc a.out1.qcow2",
     "instar compare --output json src.vpc a.out1.qcow2"},
    {{.op = OP_CONVERT_COMPRESSED, .input = "s", .output = "o", .target = IMAGE_RAW}, NULL, NULL},
    {{.op = OP_CONVERT_COMPRESSED, .input = "s", .output = "o", .target = IMAGE_VPC}, NULL, NULL},
    {{.op = OP_CONVERT_COMPRESSED, .input = "s", .output = "o", .target = IMAGE_VHDX}, NULL, NULL},
};
// clang-format on

static void expect_words(enum tool_kind kind, const struct tool_call *call, const char *expected) {
    struct tool tool = any_tool(kind);
    const char *why = "?";
    assert_int_equal(tool_supports(&tool, call, &why), expected != NULL);
    if (!expected) {
        assert_non_null(why);
        return;
    }
    assert_null(why);
    struct tool_argv argv;
    struct buffer words = {0};
    tool_argv_build(&tool, call, &argv);
    tool_argv_words(&argv, NULL, &words);
    assert_string_equal(words.data, expected);
    assert_null(argv.items[argv.count]);
    buffer_free(&words);
}

static void each_call_has_its_command_line(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
        expect_words(TOOL_QEMU_IMG, &expectations[i].call, expectations[i].qemu_img);
        expect_words(TOOL_INSTAR, &expectations[i].call, expectations[i].instar);
    }
}

static const char *why_not(const struct tool *tool, struct tool_call call) {
    const char *why = NULL;
    return tool_supports(tool, &call, &why) ? "supported" : why;
}

static void what_the_probe_did_not_find_is_unsupported(void **state) {
    (void)state;
    struct tool tool = any_tool(TOOL_INSTAR);
    struct tool_call measure = {.op = OP_MEASURE,
                                .input_format = IMAGE_VMDK,
                                .target = IMAGE_QCOW2,
                                .options = {.cluster_bits = 16}};
    struct tool_call convert = measure;
    convert.op = OP_CONVERT;
    assert_string_equal(why_not(&tool, measure), "supported");
    assert_true(tool_honours_options(&tool, &convert));

    tool.lacks_option[OP_MEASURE][TOOL_OPTION_CLUSTER] = true;
    tool.lacks_option[OP_CONVERT][TOOL_OPTION_CLUSTER] = true;
    assert_string_equal(why_not(&tool, measure), "no_option");
    // Content does not depend on it, so a convert goes without.
    assert_string_equal(why_not(&tool, convert), "supported");
    assert_false(tool_honours_options(&tool, &convert));

    tool.measures[IMAGE_QCOW2] = false;
    assert_string_equal(why_not(&tool, measure), "no_target");
    tool.writes[IMAGE_QCOW2] = false;
    assert_string_equal(why_not(&tool, convert), "no_target");
    tool.reads[IMAGE_VMDK] = false;
    assert_string_equal(why_not(&tool, measure), "no_source");
    tool.ops[OP_MEASURE] = false;
    assert_string_equal(why_not(&tool, measure), "no_operation");
    tool.available = false;
    assert_string_equal(why_not(&tool, measure), "unavailable");
}

static void what_makes_another_call_of_it_is_not_dropped(void **state) {
    (void)state;
    struct tool tool = any_tool(TOOL_INSTAR);
    struct tool_call convert = {.op = OP_CONVERT,
                                .target = IMAGE_VMDK,
                                .options = {.vmdk_subformat = SUBFORMAT_FLAT, .no_skip_zeros = 1}};
    tool.lacks_option[OP_CONVERT][TOOL_OPTION_FLAT] = true;
    tool.lacks_option[OP_CONVERT][TOOL_OPTION_NO_SKIP_ZEROS] = true;
    assert_string_equal(why_not(&tool, convert), "supported"); // the same guest bytes anyway
    assert_false(tool_honours_options(&tool, &convert));
    convert.options.snapshot = 1;
    assert_string_equal(why_not(&tool, convert), "supported");
    tool.lacks_option[OP_CONVERT][TOOL_OPTION_SNAPSHOT] = true;
    assert_string_equal(why_not(&tool, convert), "no_option");

    // One value of the subformat alone is unknown.
    struct tool_call measure = {
        .op = OP_MEASURE, .target = IMAGE_VMDK, .options = {.vmdk_subformat = SUBFORMAT_FLAT}};
    tool.lacks_option[OP_MEASURE][TOOL_OPTION_FLAT] = true;
    assert_string_equal(why_not(&tool, measure), "no_option");
    measure.options.vmdk_subformat = SUBFORMAT_STREAM;
    assert_string_equal(why_not(&tool, measure), "supported");

    // A size has no format that a tool could not read.
    struct tool_call size = {.op = OP_MEASURE,
                             .input_format = IMAGE_FORMATS,
                             .target = IMAGE_RAW,
                             .options = {.size_only = 1}};
    memset(tool.reads, 0, sizeof tool.reads);
    assert_string_equal(why_not(&tool, size), "supported");
    tool.lacks_option[OP_MEASURE][TOOL_OPTION_SIZE] = true;
    assert_string_equal(why_not(&tool, size), "no_option");
}

static void a_flat_output_has_a_second_file(void **state) {
    (void)state;
    struct tool_call call = {.op = OP_CONVERT, .target = IMAGE_VMDK};
    char name[IMAGE_NAME_ROOM];
    assert_false(tool_output_extent(&call, "a.out1.vmdk", name));
    call.options.vmdk_subformat = SUBFORMAT_FLAT;
    assert_true(tool_output_extent(&call, "a.out1.vmdk", name));
    assert_string_equal(name, "a.out1-flat.vmdk"); // as qemu-img 7.2 names it
}

static void qemu_img_measures_no_other_targets(void **state) {
    (void)state;
    struct tool tool = any_tool(TOOL_QEMU_IMG);
    struct tool_call measure = {.op = OP_MEASURE, .target = IMAGE_VHDX};
    assert_string_equal(why_not(&tool, measure), "no_target");
    struct tool_call compress = {.op = OP_CONVERT_COMPRESSED, .target = IMAGE_VPC};
    assert_string_equal(why_not(&tool, compress), "no_option");
}

static void info_is_told_the_version_of_the_other_tool(void **state) {
    (void)state;
    struct tool instar = any_tool(TOOL_INSTAR), qemu_img = any_tool(TOOL_QEMU_IMG);
    const struct tool_call info = {.op = OP_INFO, .input = "src.raw"};
    snprintf(instar.qemu_version, sizeof instar.qemu_version, "10.0");
    qemu_img.version_number = 80203;
    qemu_img.available = false;
    tool_set_qemu_version(&instar, &qemu_img);
    tool_set_qemu_version(&instar, NULL);
    assert_string_equal(instar.qemu_version, "10.0");
    qemu_img.available = true;
    tool_set_qemu_version(&instar, &qemu_img);
    assert_string_equal(instar.qemu_version, "8.2.3");
    instar.qemu_version_option = false;
    struct tool_argv argv;
    struct buffer words = {0};
    tool_argv_build(&instar, &info, &argv);
    tool_argv_words(&argv, "/opt/my tools/instar", &words);
    assert_string_equal(words.data,
                        "'/opt/my tools/instar' info --output json --unsafe-quirks src.raw");
    // map came to it later than info, so each is known by itself.
    const struct tool_call map = {.op = OP_MAP, .input = "src.raw"};
    for (int has = 0; has < 2; has++) {
        instar.map_version_option = has;
        words.length = 0;
        tool_argv_build(&instar, &map, &argv);
        tool_argv_words(&argv, NULL, &words);
        assert_string_equal(words.data,
                            has ? "instar map --output json --qemu-version 8.2.3 src.raw"
                                : "instar map --output json src.raw");
    }
    buffer_free(&words);
}

static void words_are_quoted_only_where_needed(void **state) {
    (void)state;
    struct tool_argv argv;
    struct buffer words = {0};
    tool_argv_begin(&argv);
    tool_argv_add(&argv, "qemu-img");
    tool_argv_add(&argv, "a=b,c:d/e_f@g%h+i.j");
    tool_argv_add(&argv, "");
    tool_argv_add(&argv, "it's $HOME");
    tool_argv_words(&argv, NULL, &words);
    assert_string_equal(words.data, "qemu-img a=b,c:d/e_f@g%h+i.j '' 'it'\\''s $HOME'");
    buffer_free(&words);
}

static void what_does_not_fit_leaves_no_command_line(void **state) {
    (void)state;
    struct tool_argv argv;
    tool_argv_begin(&argv);
    for (int i = 0; i < 39; i++)
        tool_argv_add(&argv, "x");
    assert_int_equal(argv.count, 39);
    assert_null(argv.items[39]);
    tool_argv_add(&argv, "x");
    tool_argv_add(&argv, "x");
    assert_int_equal(argv.count, 0);
    assert_null(argv.items[0]);

    static char name[3000];
    memset(name, 'n', sizeof name - 1);
    struct tool tool = any_tool(TOOL_QEMU_IMG);
    const struct tool_call info = {.op = OP_INFO, .input = name};
    tool_argv_build(&tool, &info, &argv);
    assert_int_equal(argv.count, 0);
    struct fault fault = {0};
    struct exec_outcome outcome = {0};
    struct tool_room room = {.deadline_ms = 1000};
    assert_int_equal(tool_run(&tool, &info, &room, &outcome, &fault), -1);
    assert_non_null(strstr(fault.text, "does not fit"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_has_its_command_line),
        cmocka_unit_test(what_the_probe_did_not_find_is_unsupported),
        cmocka_unit_test(what_makes_another_call_of_it_is_not_dropped),
        cmocka_unit_test(a_flat_output_has_a_second_file),
        cmocka_unit_test(qemu_img_measures_no_other_targets),
        cmocka_unit_test(info_is_told_the_version_of_the_other_tool),
        cmocka_unit_test(words_are_quoted_only_where_needed),
        cmocka_unit_test(what_does_not_fit_leaves_no_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
