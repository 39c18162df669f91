// SPDX-License-Identifier: Apache-2.0
//
// The real programs: qemu-img has the profile that its version should have, its words are read
// right, and neither it nor the stand-in calls one of our command lines wrong.
#include "tests/unit/tool_room.h"

#include <sys/stat.h>
#include <time.h>

static void require_qemu_img(struct tool *tool) {
    const char *path = getenv("QEMU_IMG") ? getenv("QEMU_IMG") : "qemu-img";
    *tool = probed(path, TOOL_QEMU_IMG);
    if (tool->available)
        return;
    print_error("%s\n", tool->why_not);
    const char *required = getenv("REQUIRE_QEMU_IMG");
    if (required && strcmp(required, "1") == 0)
        fail_msg("no qemu-img, and REQUIRE_QEMU_IMG=1");
    skip();
}

static void the_real_qemu_img_has_its_profile(void **state) {
    (void)state;
    struct tool tool;
    require_qemu_img(&tool);
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    tool = probed(tool.path, TOOL_QEMU_IMG);
    clock_gettime(CLOCK_MONOTONIC, &after);
    print_message("probed in %.0f ms\n", (double)(after.tv_sec - before.tv_sec) * 1e3 +
                                             (double)(after.tv_nsec - before.tv_nsec) / 1e6);
    assert_true(tool.version_number >= 60000);
    assert_string_equal(tool.why_not, "");
    for (int op = 0; op < OPERATIONS; op++)
        assert_true(tool.ops[op]);
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        assert_true(tool.reads[format]);
        assert_true(tool.writes[format]);
    }
    for (int op = 0; op < OPERATIONS; op++)
        for (int option = 0; option < TOOL_OPTIONS; option++)
            assert_false(tool.lacks_option[op][option]);
    assert_true(tool.measures[IMAGE_RAW] && tool.measures[IMAGE_QCOW2]);
    if (tool.version_number < 80000)
        assert_false(tool.measures[IMAGE_VPC] || tool.measures[IMAGE_VMDK] ||
                     tool.measures[IMAGE_VHDX]);
}

static void make_raw(uint64_t size) {
    char path[400];
    snprintf(path, sizeof path, "%s/src.raw", workdir.case_path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)size), 0);
    fclose(file);
}

static void run(const struct tool *tool, const struct tool_call *call, struct tool_result *result) {
    struct fault fault = {0};
    struct exec_outcome outcome = {0};
    int failed = tool_run(tool, call, &room, &outcome, &fault);
    if (failed)
        print_error("%s\n", fault.text);
    assert_int_equal(failed, 0);
    tool_parse(tool, call->op, &outcome, result);
    if (result->json_failed)
        print_error("%s\n", result->json_problem);
    assert_false(result->json_failed);
    exec_outcome_free(&outcome);
}

static void the_real_qemu_img_is_run_and_read(void **state) {
    (void)state;
    struct tool tool;
    require_qemu_img(&tool);
    struct fault fault;
    assert_int_equal(workdir_clear_case(&workdir, &fault), 0);
    make_raw(UINT64_C(1) << 20);
    struct tool_call call = {.op = OP_MEASURE,
                             .input = "src.raw",
                             .output = "a.out.qcow2",
                             .target = IMAGE_QCOW2,
                             .options = {.cluster_bits = 16, .refcount_bits = 16}};
    struct tool_result result = {0};
    run(&tool, &call, &result);
    assert_int_equal(result.class, OUTCOME_OK);
    assert_int_equal(result.measure.required, 327680);
    assert_int_equal(result.measure.fully, 1376256);
    assert_false(result.measure.has_bitmaps);
    tool_result_free(&result);

    call.op = OP_CONVERT_COMPRESSED;
    run(&tool, &call, &result);
    assert_int_equal(result.class, OUTCOME_OK);
    tool_result_free(&result);

    const struct tool_call check = {
        .op = OP_CHECK, .input = "a.out.qcow2", .input_format = IMAGE_QCOW2};
    run(&tool, &check, &result);
    assert_int_equal(result.class, OUTCOME_CLEAN);
    assert_true(result.check.present);
    tool_result_free(&result);

    const struct tool_call none = {.op = OP_CHECK, .input = "src.raw"};
    run(&tool, &none, &result);
    assert_int_equal(result.class, OUTCOME_NO_CHECKS);
    tool_result_free(&result);

    const struct tool_call wrong = {.op = OP_INFO, .input = "src.raw", .input_format = IMAGE_VHDX};
    run(&tool, &wrong, &result);
    assert_int_equal(result.class, OUTCOME_REFUSED);
    tool_result_free(&result);
}

static void the_real_qemu_img_s_complaints_are_ours(void **state) {
    (void)state;
    struct tool tool;
    require_qemu_img(&tool);
    static const char *const wrong[][4] = {
        {"info", "--bogus", "src.raw", NULL}, {"infoo", NULL, NULL, NULL},
        {"info", NULL, NULL, NULL},           {"convert", "src.raw", NULL, NULL},
        {"measure", "-O", "qcow2", NULL},     {"info", "--output=xml", "src.raw", NULL},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct tool_argv argv;
        struct exec_outcome outcome = {0};
        tool_argv_begin(&argv);
        tool_argv_add(&argv, "qemu-img");
        for (size_t word = 0; wrong[i][word]; word++)
            tool_argv_add(&argv, wrong[i][word]);
        assert_int_equal(tool_run_argv(&tool, &argv, &room, &outcome, NULL), 0);
        if (tool_classify(&tool, OP_INFO, &outcome) != OUTCOME_USAGE)
            print_error("row %zu: %s\n", i, outcome.err.data);
        assert_int_equal(tool_classify(&tool, OP_INFO, &outcome), OUTCOME_USAGE);
        exec_outcome_free(&outcome);
    }
}

// Options at both ends of their range, as a case may combine them; those that another operation or
// target has are taken away.
static const struct target_options ends[] = {
    {.cluster_bits = 9,
     .refcount_bits = 1,
     .vmdk_subformat = SUBFORMAT_SPARSE,
     .grain_bits = 12,
     .block_bits = 20,
     .preallocation = PREALLOCATION_OFF,
     .compat = 2,
     .compression = 1},
    {.cluster_bits = 21,
     .refcount_bits = 64,
     .vmdk_subformat = SUBFORMAT_STREAM,
     .grain_bits = 16,
     .block_bits = 28,
     .extended_l2 = 1,
     .lazy_refcounts = 1,
     .preallocation = PREALLOCATION_FULL,
     .compression = 2,
     .no_skip_zeros = 1},
    {.cluster_bits = 14,
     .refcount_bits = 16,
     .vmdk_subformat = SUBFORMAT_FLAT,
     .extended_l2 = 1,
     .lazy_refcounts = 1,
     .preallocation = PREALLOCATION_METADATA,
     .compat = 1,
     .compression = 2,
     .no_skip_zeros = 1,
     .size_only = 1},
    {.preallocation = PREALLOCATION_FALLOC, .size_only = 1},
};

static struct tool_call call_with(enum operation op, enum image_format target,
                                  const struct target_options *options) {
    struct tool_call call = {.op = op, .input = "src.raw", .output = "a.out", .target = target};
    if (!operation_has_target(op))
        return call;
    bool qcow2 = target == IMAGE_QCOW2, measure = op == OP_MEASURE;
    call.options = *options;
    if (!qcow2)
        call.options.cluster_bits = call.options.extended_l2 = 0;
    if (!qcow2 || !measure)
        call.options.refcount_bits = call.options.lazy_refcounts = call.options.preallocation =
            call.options.compat = call.options.compression = 0;
    if (target != IMAGE_VMDK)
        call.options.grain_bits = 0;
    if (target != IMAGE_VMDK || !measure)
        call.options.vmdk_subformat = SUBFORMAT_NOT_GIVEN; // monolithicFlat has a test of its own
    if (target != IMAGE_VPC && target != IMAGE_VHDX)
        call.options.block_bits = 0;
    if (measure)
        call.options.no_skip_zeros = 0;
    else
        call.options.size_only = 0;
    if (call.options.size_only) {
        call.input = "";
        call.size = 1048577;
    }
    return call;
}

static void expect_success(const struct tool *tool, const struct tool_call *call) {
    struct fault fault = {0};
    struct exec_outcome outcome = {0};
    assert_int_equal(tool_run(tool, call, &room, &outcome, &fault), 0);
    enum outcome_class class = tool_classify(tool, call->op, &outcome);
    if (class > OUTCOME_NO_CHECKS)
        print_error("%s, %s to %s: %s: %s\n", tool->name, operation_names[call->op],
                    tool_format_name(call->target), outcome_class_names[class], outcome.err.data);
    assert_true(class <= OUTCOME_NO_CHECKS);
    exec_outcome_free(&outcome);
}

static void expect_no_usage_error(const struct tool *tool) {
    for (int op = 0; op < OPERATIONS; op++)
        for (int target = 0; target < IMAGE_FORMATS; target++)
            for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
                const struct tool_call call = call_with(op, target, &ends[i]);
                if (tool_supports(tool, &call, NULL))
                    expect_success(tool, &call);
            }
}

static void the_real_qemu_img_writes_what_was_asked_for(void **state) {
    (void)state;
    struct tool tool;
    struct stat info;
    char path[400];
    require_qemu_img(&tool);
    make_raw(UINT64_C(1) << 20);
    struct tool_call call = {.op = OP_CONVERT,
                             .input = "src.raw",
                             .output = "a.out.vmdk",
                             .target = IMAGE_VMDK,
                             .options = {.vmdk_subformat = SUBFORMAT_FLAT}};
    char extent[IMAGE_NAME_ROOM];
    expect_success(&tool, &call);
    assert_true(tool_output_extent(&call, call.output, extent));
    snprintf(path, sizeof path, "%s/%s", workdir.case_path, extent);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 1 << 20);

    // Zeros that are stored are in the file.
    call = (struct tool_call){
        .op = OP_CONVERT, .input = "src.raw", .output = "a.out.vpc", .target = IMAGE_VPC};
    snprintf(path, sizeof path, "%s/a.out.vpc", workdir.case_path);
    expect_success(&tool, &call);
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_size < 1 << 20);
    call.options.no_skip_zeros = 1;
    expect_success(&tool, &call);
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_size > 1 << 20);
}

static void the_real_qemu_img_accepts_all_our_calls(void **state) {
    (void)state;
    struct tool tool;
    require_qemu_img(&tool);
    make_raw(UINT64_C(1) << 20);
    expect_no_usage_error(&tool);
}

static void the_stand_in_accepts_all_our_calls(void **state) {
    (void)state;
    char path[512];
    struct fault fault = {0};
    if (exec_find_beside("standin/instar", path, sizeof path, &fault) != 0) {
        print_message("%s\n", fault.text);
        skip();
    }
    struct tool tool = probed(path, TOOL_INSTAR);
    assert_string_equal(tool.why_not, "");
    assert_true(tool.is_standin);
    assert_true(tool.qemu_version_option);
    for (int op = 0; op < OPERATIONS; op++)
        for (int option = 0; option < TOOL_OPTIONS; option++)
            assert_false(tool.lacks_option[op][option]);
    for (int format = 0; format < IMAGE_FORMATS; format++)
        assert_true(tool.reads[format] && tool.writes[format] && tool.measures[format]);
    make_raw(UINT64_C(1) << 20);
    expect_no_usage_error(&tool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_qemu_img_has_its_profile),
        cmocka_unit_test(the_real_qemu_img_is_run_and_read),
        cmocka_unit_test(the_real_qemu_img_s_complaints_are_ours),
        cmocka_unit_test(the_real_qemu_img_accepts_all_our_calls),
        cmocka_unit_test(the_real_qemu_img_writes_what_was_asked_for),
        cmocka_unit_test(the_stand_in_accepts_all_our_calls),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
