// SPDX-License-Identifier: Apache-2.0
//
// The variables: what is accepted, what is refused and in which words.
#include "settings.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include <string.h>

static int forget(void **state) {
    (void)state;
    static const char *const names[] = {"INSTAR",
                                        "INSTAR_BIN_DIR",
                                        "STANDIN_LIE",
                                        "QEMU_IMG",
                                        "INSTAR_FUZZ_PAIR",
                                        "INSTAR_FUZZ_EXEC",
                                        "INSTAR_FUZZ_GUIDE",
                                        "INSTAR_FUZZ_OPS",
                                        "INSTAR_FUZZ_OPPS",
                                        "INSTAR_FUZZ_TARGETS",
                                        "INSTAR_FUZZ_STRICT",
                                        "INSTAR_FUZZ_CASE_MS",
                                        "INSTAR_FUZZ_FENCE",
                                        "INSTAR_FUZZ_OUT"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    return 0;
}

static void refused(const char *name, const char *value, const char *words) {
    struct settings settings;
    struct fault fault = {0};
    setenv(name, value, 1);
    assert_int_equal(settings_read(&settings, &fault), -1);
    assert_non_null(strstr(fault.text, name));
    assert_non_null(strstr(fault.text, words));
    unsetenv(name);
}

static void nothing_set_means_everything_on_and_no_reports(void **state) {
    (void)state;
    struct settings settings;
    assert_int_equal(settings_read(&settings, NULL), 0);
    assert_int_equal(settings.pair, PAIR_AUTO);
    assert_int_equal(settings.exec, TOOL_EXEC_AUTO);
    for (int i = 0; i < OPERATIONS; i++)
        assert_true(settings.ops[i]);
    for (int i = 0; i < IMAGE_FORMATS; i++)
        assert_true(settings.targets[i]);
    assert_null(settings.out);
    assert_int_equal(settings.confirm, 1);
}

static void lists_choose_exactly_what_they_name(void **state) {
    (void)state;
    struct settings settings;
    setenv("INSTAR_FUZZ_OPS", "measure,convert_compressed", 1);
    setenv("INSTAR_FUZZ_TARGETS", "vhdx", 1);
    assert_int_equal(settings_read(&settings, NULL), 0);
    assert_true(settings.ops[OP_MEASURE] && settings.ops[OP_CONVERT_COMPRESSED]);
    assert_false(settings.ops[OP_INFO] || settings.ops[OP_CONVERT]);
    assert_true(settings.targets[IMAGE_VHDX]);
    assert_false(settings.targets[IMAGE_RAW]);
}

static void the_fence_is_up_unless_it_is_taken_away(void **state) {
    (void)state;
    struct settings settings;
    assert_int_equal(settings_read(&settings, NULL), 0);
    assert_false(settings.unfenced);
    assert_null(settings.fence);
    setenv("INSTAR_FUZZ_FENCE", "/opt/a,/opt/b", 1);
    assert_int_equal(settings_read(&settings, NULL), 0);
    assert_false(settings.unfenced);
    assert_string_equal(settings.fence, "/opt/a,/opt/b");
    setenv("INSTAR_FUZZ_FENCE", "off", 1);
    assert_int_equal(settings_read(&settings, NULL), 0);
    assert_true(settings.unfenced);
}

static void a_wrong_name_or_value_is_refused_in_words(void **state) {
    (void)state;
    refused("INSTAR_FUZZ_OPPS", "info", "unknown variable");
    refused("INSTAR_BIN_DIR", "guests", "an absolute path");
    // What was wrong is said behind a value of any length.
    char lies[600];
    memset(lies, 'a', sizeof lies - 1);
    lies[sizeof lies - 1] = 0;
    refused("STANDIN_LIE", lies, "at most 255 characters");
    refused("INSTAR_FUZZ_FENCE", "no", "on, off");
    refused("INSTAR_FUZZ_FENCE", "", "on, off");
    refused("INSTAR_FUZZ_FENCE", "/opt/a,opt/b", "on, off");
    refused("INSTAR_FUZZ_FENCE", "/opt/a,", "on, off");
    refused("INSTAR_FUZZ_OPS", "info,", "comma list");
    refused("INSTAR_FUZZ_OPS", "", "comma list");
    refused("INSTAR_FUZZ_OPS", "conver", "comma list");
    refused("INSTAR_FUZZ_PAIR", "both", "auto, instar");
    refused("INSTAR_FUZZ_EXEC", "forked", "auto, plain, warm or persistent");
    refused("INSTAR_FUZZ_GUIDE", "on", "off, outputs or all");
    refused("INSTAR_FUZZ_CASE_MS", "999", "1000 to 72000000");
    refused("INSTAR_FUZZ_CASE_MS", "12000ms", "1000 to 72000000");
    refused("INSTAR_FUZZ_CASE_MS", "-1", "1000 to 72000000");
    refused("INSTAR_FUZZ_STRICT", "all", "bounds, known");
}

static void an_empty_path_of_a_tool_is_not_set(void **state) {
    (void)state;
    struct settings settings;
    setenv("INSTAR", "", 1);
    setenv("QEMU_IMG", "", 1);
    assert_int_equal(settings_read(&settings, NULL), 0);
    assert_null(settings.instar);
    assert_null(settings.qemu_img);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_set_means_everything_on_and_no_reports, forget),
        cmocka_unit_test_teardown(lists_choose_exactly_what_they_name, forget),
        cmocka_unit_test_teardown(the_fence_is_up_unless_it_is_taken_away, forget),
        cmocka_unit_test_teardown(a_wrong_name_or_value_is_refused_in_words, forget),
        cmocka_unit_test_teardown(an_empty_path_of_a_tool_is_not_set, forget),
    };
    return cmocka_run_group_tests(tests, forget, NULL);
}
