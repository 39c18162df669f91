// SPDX-License-Identifier: Apache-2.0
//
// Probing: programs that are not the tool they should be each get one clear sentence, small
// imitations show that capabilities come from behaviour, and the real qemu-img of this machine has
// the profile that its version should have.
#include "tool/adapter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct workdir workdir;
static struct tool_room room = {.workdir = &workdir, .deadline_ms = 2000};

static int begin(void **state) {
    (void)state;
    struct fault fault = {0};
    char launcher[512];
    if (workdir_create(&workdir, NULL, &fault) != 0 ||
        exec_find_beside("launcher", launcher, sizeof launcher, &fault) != 0 ||
        exec_start(&room.exec, launcher, workdir.path, &fault) != 0) {
        print_error("%s\n", fault.text);
        return -1;
    }
    unsetenv("STANDIN_LIE");
    unsetenv("INSTAR_BIN_DIR");
    return 0;
}

static int end(void **state) {
    (void)state;
    exec_stop(room.exec);
    workdir_remove(&workdir);
    return 0;
}

// A script beside the case directory (which a probe empties). The children's PATH has no programs,
// so it may use what its shell has built in, and absolute names.
static const char *script(const char *name, const char *text) {
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", workdir.path, name);
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", text);
    fclose(file);
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

static struct tool probed(const char *path, enum tool_kind wanted) {
    struct tool tool;
    struct fault fault = {0};
    int failed = tool_probe(&tool, path, wanted, &room, &fault);
    if (failed)
        print_error("%s\n", fault.text);
    assert_int_equal(failed, 0);
    return tool;
}

static void expect_unavailable(const char *path, enum tool_kind wanted, const char *words) {
    struct tool tool = probed(path, wanted);
    if (tool.available || !strstr(tool.why_not, words))
        print_error("%s: \"%s\", not \"%s\"\n", path, tool.why_not, words);
    assert_false(tool.available);
    assert_non_null(strstr(tool.why_not, words));
    const struct tool_call info = {.op = OP_INFO};
    const char *why = NULL;
    assert_false(tool_supports(&tool, &info, &why));
    assert_string_equal(why, "unavailable");
}

static void what_is_not_there_is_said(void **state) {
    (void)state;
    expect_unavailable("instar-that-nobody-has", TOOL_INSTAR, "was not found on PATH");
    expect_unavailable("/nonexistent/qemu-img", TOOL_QEMU_IMG, "No such file or directory");
    expect_unavailable("/", TOOL_QEMU_IMG, "not a regular file");
    const char *path = script("plain", "exit 0");
    chmod(path, 0644);
    expect_unavailable(path, TOOL_QEMU_IMG, "is not executable");
    char *set = getenv("PATH") ? strdup(getenv("PATH")) : NULL;
    setenv("PATH", "", 1);
    expect_unavailable("qemu-img", TOOL_QEMU_IMG, "was not found on PATH");
    setenv("PATH", set ? set : "", 1);
    free(set);
}

static void what_is_no_such_tool_is_said(void **state) {
    (void)state;
    expect_unavailable(script("garbage", "printf 'h\\001llo\\nqemu-img version 9.0.0\\n'"),
                       TOOL_QEMU_IMG, "answers --version with \"h?llo\"");
    expect_unavailable(script("silent", "exit 0"), TOOL_INSTAR, "answers --version with \"\"");
    expect_unavailable(script("exits-2", "echo 'what is --version?' >&2; exit 2"), TOOL_INSTAR,
                       "does not answer --version: exit 2: what is --version?");
    expect_unavailable(script("dies", "kill -11 $$"), TOOL_QEMU_IMG, "signal 11");
    expect_unavailable(script("too-old", "echo 'qemu-img version 5.2.0 (Debian 1:5.2)'"),
                       TOOL_QEMU_IMG, "is too old (qemu-img version 5.2.0 (Debian 1:5.2)): 6.0");
    expect_unavailable(script("other", "echo 'instar stand-in 0.1 (not instar)'"), TOOL_QEMU_IMG,
                       "is no qemu-img but stand-in for instar");
    expect_unavailable(script("words", "echo 'instar: unknown flag'"), TOOL_INSTAR, "is no instar");
}

static void a_program_that_cannot_be_started_is_said(void **state) {
    (void)state;
    const char *path = script("nothing", "");
    FILE *file = fopen(path, "w");
    fputs("#!/nonexistent/interpreter\n", file);
    fclose(file);
    expect_unavailable(path, TOOL_QEMU_IMG, "cannot be run");
}

static void a_tool_of_which_nothing_works_is_unavailable(void **state) {
    (void)state;
    const char *path = script("broken", "if [ \"$1\" = --version ]; then\n"
                                        "    echo 'qemu-img version 7.2.22'; exit 0\n"
                                        "fi\n"
                                        "echo 'qemu-img: broken today' >&2; exit 1");
    expect_unavailable(path, TOOL_QEMU_IMG, "no operation of qemu-img works here");
    expect_unavailable(path, TOOL_QEMU_IMG, "info --output=json -f raw probe.raw");
    expect_unavailable(path, TOOL_QEMU_IMG, "exit 1: qemu-img: broken today");
}

static void what_is_done_wrong_is_no_lack(void **state) {
    (void)state;
    // Succeeds at everything and prints nothing: that is for the oracles to say.
    struct tool tool = probed(
        script("yes", "[ \"$1\" = --version ] && echo 'instar stand-in 9.0'; exit 0"), TOOL_INSTAR);
    assert_true(tool.available);
    assert_non_null(strstr(tool.why_not, "nothing but white space"));
    for (int op = 0; op < OPERATIONS; op++)
        assert_true(tool.ops[op]);
    // Refuses one target and crashes with another.
    tool = probed(script("refuses-one", "case \"$*\" in\n"
                                        "--version) echo 'instar stand-in 9.0';;\n"
                                        "'convert -O vhdx'*) exit 1;;\n"
                                        "'convert -O vpc'*) kill -11 $$;;\n"
                                        "esac"),
                  TOOL_INSTAR);
    assert_true(tool.writes[IMAGE_VHDX] && tool.writes[IMAGE_VPC] && tool.ops[OP_CONVERT]);
}

// An instar without convert, --qemu-version, --refcount-bits and measure -O vhdx.
static const char small_instar[] =
    "case \"$*\" in\n"
    "--version) echo 'instar stand-in 0.1 (not instar)';;\n"
    "*--qemu-version*|*--refcount-bits*|convert*|*'-O vhdx'*) echo 'error: unexpected' >&2; exit "
    "2;;\n"
    "'info --output json --unsafe-quirks probe.vpc') echo '{\"format\": \"raw\"}';;\n"
    "info*) set -- \"${5#probe.}\"; echo \"{\\\"format\\\": \\\"$1\\\"}\";;\n"
    "'check --output json'*) echo '{\"check-errors\": 0, \"format\": \"qcow2\"}';;\n"
    "'measure --output json -O qcow2'*) echo '{\"required\": 1, \"fully-allocated\": 2}';;\n"
    "*) echo \"Error: no\" >&2; exit 1;;\n"
    "esac";

static void capabilities_come_from_behaviour(void **state) {
    (void)state;
    setenv("STANDIN_LIE", "measure-off-by-one", 1);
    struct tool tool = probed(script("small", small_instar), TOOL_INSTAR);
    unsetenv("STANDIN_LIE");
    assert_true(tool.available);
    assert_true(tool.is_standin);
    assert_int_equal(tool.kind, TOOL_INSTAR);
    assert_string_equal(tool.role, "instar");
    assert_string_equal(tool.name, "stand-in for instar");
    assert_string_equal(tool.version, "instar stand-in 0.1 (not instar)");
    assert_int_equal(tool.version_number, 100);
    assert_string_equal(tool.lies, "measure-off-by-one");
    assert_false(tool.qemu_version_option);
    assert_true(tool.ops[OP_INFO] && tool.ops[OP_CHECK] && tool.ops[OP_MEASURE]);
    assert_false(tool.ops[OP_CONVERT] || tool.ops[OP_CONVERT_COMPRESSED]);
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        assert_int_equal(tool.measures[format], format != IMAGE_VHDX);
        assert_false(tool.writes[format]);
    }
    assert_true(tool.reads[IMAGE_RAW] && tool.reads[IMAGE_QCOW2]);
    assert_false(tool.reads[IMAGE_VPC]);
    assert_true(tool.lacks_option[OP_MEASURE][TOOL_OPTION_REFCOUNT]);
    assert_false(tool.lacks_option[OP_MEASURE][TOOL_OPTION_CLUSTER]);
    assert_string_equal(tool.why_not,
                        "\"instar measure --output json -O raw probe.raw\": exit 1: Error: no");
}

static void an_instar_that_is_a_qemu_img_is_driven_as_one(void **state) {
    (void)state;
    const char *path = script("as-qemu", "case \"$*\" in\n"
                                         "--version) echo 'qemu-img version 8.2.3';;\n"
                                         "'info --output=json -f raw probe.raw')\n"
                                         "    echo '{\"format\": \"raw\"}';;\n"
                                         "*'-f vhdx'*) echo \"x: Unknown driver 'vhdx'\" >&2\n"
                                         "    exit 1;;\n"
                                         "*) exit 1;;\n"
                                         "esac");
    struct tool tool = probed(path, TOOL_INSTAR);
    assert_true(tool.available);
    assert_int_equal(tool.kind, TOOL_QEMU_IMG);
    assert_string_equal(tool.role, "qemu_img");
    assert_string_equal(tool.name, "qemu-img");
    assert_int_equal(tool.version_number, 80203);
    assert_true(tool.reads[IMAGE_VMDK]);
    assert_false(tool.reads[IMAGE_VHDX]);
}

static void an_instar_needs_kvm(void **state) {
    (void)state;
    const char *path = script("real", "[ \"$1\" = --version ] && echo 'instar 0.3.0' && exit 0\n"
                                      "echo 'Error: \"Kvm::new\"' >&2; exit 1");
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        expect_unavailable(path, TOOL_INSTAR, "/dev/kvm");
        return;
    }
    expect_unavailable(path, TOOL_INSTAR, "no operation of instar works here");
    expect_unavailable(path, TOOL_INSTAR, "exit 1: Error: \"Kvm::new\"");
}

static const char *item_of(const char *const *items, const char *name) {
    size_t length = strlen(name);
    for (; *items; items++)
        if (strncmp(*items, name, length) == 0 && (*items)[length] == '=')
            return *items + length + 1;
    return NULL;
}

static size_t count_of(const char *const *items) {
    size_t count = 0;
    while (items[count])
        count++;
    return count;
}

static void the_environment_is_built_from_nothing(void **state) {
    (void)state;
    struct tool tool = {.kind = TOOL_QEMU_IMG};
    setenv("STANDIN_LIE", "from-outside", 1);
    setenv("INSTAR_BIN_DIR", "/opt/guests", 1);
    const char *const *items = tool_environment(&tool, &room);
    assert_int_equal(count_of(items), 5);
    assert_string_equal(item_of(items, "HOME"), workdir.home_path);
    assert_string_equal(item_of(items, "XDG_CONFIG_HOME"), workdir.home_path);
    assert_string_equal(item_of(items, "PATH"), workdir.bin_path);
    assert_string_equal(item_of(items, "TZ"), "UTC");
    assert_string_equal(item_of(items, "LC_ALL"), "C");
    tool.kind = TOOL_INSTAR;
    items = tool_environment(&tool, &room);
    assert_int_equal(count_of(items), 6);
    assert_string_equal(item_of(items, "INSTAR_BIN_DIR"), "/opt/guests");
    tool.is_standin = true;
    assert_int_equal(count_of(tool_environment(&tool, &room)), 5);
    // What the profile says is in force, not what the environment says by now.
    snprintf(tool.lies, sizeof tool.lies, "one,two");
    items = tool_environment(&tool, &room);
    assert_int_equal(count_of(items), 6);
    assert_string_equal(item_of(items, "STANDIN_LIE"), "one,two");
    unsetenv("STANDIN_LIE");
    unsetenv("INSTAR_BIN_DIR");
}

static void one_program_can_be_found_by_name(void **state) {
    (void)state;
    char link[400], target[400];
    struct fault fault;
    snprintf(link, sizeof link, "%s/qemu-img", workdir.bin_path);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tool_link_qemu_img(&workdir, "/usr/bin/qemu-img", &fault), 0);
        ssize_t length = readlink(link, target, sizeof target - 1);
        assert_true(length > 0);
        target[length] = 0;
        assert_string_equal(target, "/usr/bin/qemu-img");
    }
    assert_int_equal(tool_link_qemu_img(&workdir, NULL, &fault), 0);
    assert_int_equal(readlink(link, target, sizeof target - 1), -1);
}

static void the_profile_names_everything(void **state) {
    (void)state;
    struct tool tool = {.kind = TOOL_INSTAR, .available = true, .is_standin = true};
    snprintf(tool.role, sizeof tool.role, "instar");
    snprintf(tool.name, sizeof tool.name, "stand-in for instar");
    snprintf(tool.path, sizeof tool.path, "/p/instar");
    snprintf(tool.version, sizeof tool.version, "instar stand-in 0.1");
    snprintf(tool.qemu_version, sizeof tool.qemu_version, "7.2.22");
    snprintf(tool.lies, sizeof tool.lies, "one");
    tool.version_number = 100;
    tool.qemu_version_option = true;
    tool.ops[OP_INFO] = tool.ops[OP_CONVERT_COMPRESSED] = true;
    tool.reads[IMAGE_RAW] = tool.reads[IMAGE_VHDX] = tool.writes[IMAGE_VPC] = true;
    tool.lacks_option[OP_MEASURE][TOOL_OPTION_GRAIN] = true;
    struct buffer words = {0};
    tool_profile_words(&tool, &words);
    assert_string_equal(words.data, "instar: stand-in for instar (/p/instar)\n"
                                    "  version     instar stand-in 0.1\n"
                                    "  driven as   instar\n"
                                    "  operations  info convert_compressed\n"
                                    "  reads       raw vhdx\n"
                                    "  writes      vpc\n"
                                    "  measures    nothing\n"
                                    "  lacks       grain_size of measure\n"
                                    "  imitates    qemu-img 7.2.22\n"
                                    "  lies        one\n");
    buffer_free(&words);
    cJSON *profile = tool_profile_json(&tool);
    char *text = cJSON_PrintUnformatted(profile);
    assert_string_equal(
        text, "{\"role\":\"instar\",\"name\":\"stand-in for instar\",\"driven_as\":\"instar\","
              "\"path\":\"/p/instar\",\"version\":\"instar stand-in 0.1\",\"version_number\":100,"
              "\"available\":true,\"why_not\":\"\",\"is_standin\":true,"
              "\"operations\":[\"info\",\"convert_compressed\"],\"reads\":[\"raw\",\"vhdx\"],"
              "\"writes\":[\"vpc\"],\"measures\":[],\"lacks_options\":[\"measure:grain_size\"],"
              "\"qemu_version_option\":true,\"qemu_version\":\"7.2.22\",\"lies\":\"one\"}");
    cJSON_free(text);
    cJSON_Delete(profile);
}

// --- the real one --------------------------------------------------------------------------------

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
        for (int option = 0; option < TOOL_OPTIONS; option++)
            assert_false(tool.lacks_option[OP_MEASURE][option]);
    }
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
    struct tool_call call = {
        .op = OP_MEASURE,
        .input = "src.raw",
        .output = "a.out.qcow2",
        .target = IMAGE_QCOW2,
        .options = {.cluster_bits = 16, .refcount_bits = 16}
    };
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
        {"info",    "--bogus",      "src.raw", NULL},
        {"infoo",   NULL,           NULL,      NULL},
        {"info",    NULL,           NULL,      NULL},
        {"convert", "src.raw",      NULL,      NULL},
        {"measure", "-O",           "qcow2",   NULL},
        {"info",    "--output=xml", "src.raw", NULL},
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(what_is_no_such_tool_is_said),
        cmocka_unit_test(a_program_that_cannot_be_started_is_said),
        cmocka_unit_test(a_tool_of_which_nothing_works_is_unavailable),
        cmocka_unit_test(what_is_done_wrong_is_no_lack),
        cmocka_unit_test(capabilities_come_from_behaviour),
        cmocka_unit_test(an_instar_that_is_a_qemu_img_is_driven_as_one),
        cmocka_unit_test(an_instar_needs_kvm),
        cmocka_unit_test(the_environment_is_built_from_nothing),
        cmocka_unit_test(one_program_can_be_found_by_name),
        cmocka_unit_test(the_profile_names_everything),
        cmocka_unit_test(the_real_qemu_img_has_its_profile),
        cmocka_unit_test(the_real_qemu_img_is_run_and_read),
        cmocka_unit_test(the_real_qemu_img_s_complaints_are_ours),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
