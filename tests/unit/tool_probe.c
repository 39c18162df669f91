// SPDX-License-Identifier: Apache-2.0
//
// Probing with imitations: programs that are not the tool they should be each get one clear
// sentence, and capabilities come from behaviour.
#include "tests/unit/tool_room.h"

#include <stdint.h>
#include <sys/stat.h>

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

static void a_relative_path_becomes_absolute(void **state) {
    (void)state;
    char here[300], path[512], expected[400];
    assert_non_null(getcwd(here, sizeof here));
    script("tool", "exit 0");
    assert_int_equal(chdir(workdir.path), 0);
    snprintf(expected, sizeof expected, "%s/tool", workdir.path);
    assert_int_equal(tool_find("./tool", path, sizeof path, NULL), 0);
    assert_string_equal(path, expected);
    // One without a slash is a name for PATH, not a file that happens to be here.
    assert_int_equal(tool_find("tool", path, sizeof path, NULL), -1);
    assert_int_equal(tool_find("./tool", path, 5, NULL), -1);
    assert_int_equal(chdir(here), 0);
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
    expect_unavailable(script("words", "echo 'instar has no such flag'"), TOOL_INSTAR,
                       "is no instar");
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
    "'measure --output json -f raw -O qcow2'*) echo '{\"required\": 1, \"fully-allocated\": 2}';;\n"
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
    assert_string_equal(
        tool.why_not,
        "\"instar measure --output json -f raw -O raw probe.raw\": exit 1: Error: no");
}

// As instar is by its source: clap answers --help, and calls --version and, up to 0.3.0,
// map --qemu-version usage errors; measure --size makes a file in the temporary folder.
static const char real_instar[] =
    "case \"$*\" in\n"
    "--help) echo 'Safe, sandboxed disk image operations'; echo; echo 'Usage: instar [OPTIONS] "
    "<COMMAND>'; echo; echo 'Commands:'; echo '  info      Detect image format'; echo '  check     "
    "Check'; echo '  convert   Convert';;\n"
    "--version|'map '*--qemu-version*) echo \"error: unexpected argument\" >&2; exit 2;;\n"
    "info*) echo '{\"format\": \"raw\"}';;\n"
    "map*) echo '[]';;\n"
    "*--size*) : >\"$TMPDIR/stub\" || exit 1; /bin/rm \"$TMPDIR/stub\" || exit 1;\n"
    "    echo '{\"required\": 1, \"fully-allocated\": 2}'; exit 0;;\n"
    "*) echo 'Error: \"no\"' >&2; exit 1;;\n"
    "esac";

static struct tool recognised(const char *path) {
    struct tool tool = {.kind = TOOL_INSTAR};
    struct exec_outcome outcome = {0};
    struct fault fault = {0};
    const struct tool_argv argv = {.items = {"instar", "--help", NULL}, .count = 2};
    assert_int_equal(tool_find(path, tool.path, sizeof tool.path, NULL), 0);
    assert_int_equal(tool_look_at_file(tool.path, &tool.file, NULL), 0);
    assert_int_equal(tool_run_argv(&tool, &argv, &room, &outcome, &fault), 0);
    if (!tool_recognise_help(&tool, &outcome.out))
        tool.name[0] = 0;
    exec_outcome_free(&outcome);
    return tool;
}

static void an_instar_is_known_by_its_help(void **state) {
    (void)state;
    char expected[96];
    struct tool tool = recognised(script("clap", real_instar));
    assert_string_equal(tool.name, "instar");
    assert_int_equal(tool.kind, TOOL_INSTAR);
    assert_false(tool.is_standin);
    assert_int_equal(tool.version_number, 0);
    snprintf(expected, sizeof expected, "instar, which tells no version (%jd bytes)",
             (intmax_t)tool.file.size);
    assert_string_equal(tool.version, expected);
    // A probe comes as far as that, and from there to what the machine has.
    tool = probed(script("clap", real_instar), TOOL_INSTAR);
    assert_string_equal(tool.version, expected);
    if (tool.available) {
        assert_true(tool.qemu_version_option && tool.ops[OP_INFO] && tool.ops[OP_MAP]);
        assert_false(tool.map_version_option);
        assert_true(tool.measures[IMAGE_QCOW2]);
    } else {
        assert_non_null(strstr(tool.why_not, "/dev/kvm"));
    }
    // Another program's help, and a help that says what it is not.
    assert_string_equal(recognised(script("other-help", "echo 'Usage: instar <COMMAND>'")).name,
                        "");
    assert_string_equal(
        recognised(script("honest",
                          "printf 'NOT instar: a stand-in\\nUsage: instar x\\n  info x\\n  "
                          "check x\\n  convert x\\n'"))
            .name,
        "");
    expect_unavailable(
        script("helpless", "[ \"$1\" = --help ] && exit 0; echo 'no such' >&2; exit 2"),
        TOOL_INSTAR, "does not answer --version: exit 2: no such");
}

// The same, as a stand-in that needs no virtual machine.
static void what_map_and_size_need_is_there(void **state) {
    (void)state;
    char text[2048];
    snprintf(text, sizeof text,
             "[ \"$1\" = --version ] && echo 'instar stand-in 0.1 (not instar)' && exit 0\n%s",
             real_instar);
    struct tool tool = probed(script("no-kvm", text), TOOL_INSTAR);
    assert_true(tool.available && tool.qemu_version_option);
    assert_false(tool.map_version_option);
    assert_true(tool.ops[OP_MAP]);
    const struct tool_call size = {.op = OP_MEASURE,
                                   .input = "",
                                   .target = IMAGE_QCOW2,
                                   .options = {.size_only = 1},
                                   .size = 1};
    struct exec_outcome outcome = {0};
    struct fault fault = {0};
    assert_int_equal(tool_run(&tool, &size, &room, &outcome, &fault), 0);
    if (outcome.value != 0)
        print_error("%s\n", outcome.err.data);
    assert_int_equal(outcome.value, 0);
    exec_outcome_free(&outcome);
}

// An instar that does not know one value of --subformat, no --size and no --snapshot.
static const char old_instar[] =
    "case \"$*\" in\n"
    "--version) echo 'instar stand-in 0.1 (not instar)';;\n"
    "*monolithicFlat*|*--size*|*--snapshot*|*compression_type*) echo 'error: no' >&2; exit 2;;\n"
    "info*) echo '{\"format\": \"raw\"}';;\n"
    "measure*) echo '{\"required\": 1, \"fully-allocated\": 2}';;\n"
    "convert*) for last; do :; done; echo x > \"$last\";;\n"
    "esac";

static void each_unknown_option_is_found(void **state) {
    (void)state;
    static const struct {
        enum operation op;
        enum tool_option option;
    } unknown[] = {
        {OP_MEASURE, TOOL_OPTION_FLAT},
        {OP_CONVERT, TOOL_OPTION_FLAT},
        {OP_MEASURE, TOOL_OPTION_SIZE},
        {OP_MEASURE, TOOL_OPTION_COMPRESSION},
        {OP_CONVERT, TOOL_OPTION_SNAPSHOT},
        {OP_CONVERT_COMPRESSED, TOOL_OPTION_SNAPSHOT},
        {OP_CONVERT_COMPRESSED, TOOL_OPTION_FLAT},
    };
    struct tool tool = probed(script("old", old_instar), TOOL_INSTAR);
    assert_true(tool.available);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        bool *lacks = &tool.lacks_option[unknown[i].op][unknown[i].option];
        if (!*lacks)
            fail_msg("%s of %s was not found", tool_option_name(unknown[i].option),
                     operation_names[unknown[i].op]);
        *lacks = false;
    }
    for (int op = 0; op < OPERATIONS; op++)
        for (int option = 0; option < TOOL_OPTIONS; option++)
            assert_false(tool.lacks_option[op][option]);
    for (int format = 0; format < IMAGE_FORMATS; format++)
        assert_true(tool.measures[format] && tool.writes[format]);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(a_relative_path_becomes_absolute),
        cmocka_unit_test(what_is_no_such_tool_is_said),
        cmocka_unit_test(a_program_that_cannot_be_started_is_said),
        cmocka_unit_test(a_tool_of_which_nothing_works_is_unavailable),
        cmocka_unit_test(what_is_done_wrong_is_no_lack),
        cmocka_unit_test(capabilities_come_from_behaviour),
        cmocka_unit_test(an_instar_is_known_by_its_help),
        cmocka_unit_test(what_map_and_size_need_is_there),
        cmocka_unit_test(each_unknown_option_is_found),
        cmocka_unit_test(an_instar_that_is_a_qemu_img_is_driven_as_one),
        cmocka_unit_test(an_instar_needs_kvm),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
