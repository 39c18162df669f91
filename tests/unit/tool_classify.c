// SPDX-License-Identifier: Apache-2.0
//
// Every row of the tables that turn what happened into an outcome class, and the texts that must
// not change one.
#include "tool/tool.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ANY_OP = -1, ANY_KIND = -1, NOT_CHECK = -2 };

// One column as wide as its longest text helps nobody.
// clang-format off
static const struct row {
    int kind; // or ANY_KIND
    int op;   // or ANY_OP, NOT_CHECK
    enum exec_end end;
    int value;
    const char *out, *err;
    enum outcome_class expected;
} rows[] = {
    {TOOL_QEMU_IMG, NOT_CHECK, EXEC_EXITED, 0, "", "", OUTCOME_OK},
    {TOOL_QEMU_IMG, OP_CHECK, EXEC_EXITED, 0, "{}", "", OUTCOME_CLEAN},
    {TOOL_QEMU_IMG, OP_CHECK, EXEC_EXITED, 2, "{}", "", OUTCOME_CORRUPT},
    {TOOL_QEMU_IMG, OP_CHECK, EXEC_EXITED, 3, "{}", "", OUTCOME_LEAKS},
    {TOOL_QEMU_IMG, OP_CHECK, EXEC_EXITED, 63, "", "", OUTCOME_NO_CHECKS},
    {TOOL_QEMU_IMG, NOT_CHECK, EXEC_EXITED, 2, "{}", "", OUTCOME_REFUSED},
    {TOOL_QEMU_IMG, NOT_CHECK, EXEC_EXITED, 63, "", "", OUTCOME_REFUSED},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "", OUTCOME_REFUSED},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "",
     "qemu-img: Could not open 'src.qcow2': Active L1 table offset invalid\n", OUTCOME_REFUSED},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "qemu-img: Invalid parameter 'bogus'\n",
     OUTCOME_REFUSED},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 101, "", "", OUTCOME_REFUSED},
    // our own mistakes
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "",
     "qemu-img: unrecognized option '--bogus'\nTry 'qemu-img --help' for more information\n",
     OUTCOME_USAGE},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "x\nTry 'qemu-img info --help' for more info\n",
     OUTCOME_USAGE},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "qemu-img: unrecognized option '-z'",
     OUTCOME_USAGE},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "qemu-img: Unknown option 'x'", OUTCOME_USAGE},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "qemu-img: invalid option -- 'z'", OUTCOME_USAGE},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "qemu-img: missing argument for option '-f'",
     OUTCOME_USAGE},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "qemu-img: Command not found: x", OUTCOME_USAGE},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "qemu-img: Expecting one image file name",
     OUTCOME_USAGE},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "qemu-img: Must specify image file name",
     OUTCOME_USAGE},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "",
     "qemu-img: Either --size N or one filename must be specified.", OUTCOME_USAGE},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "",
     "qemu-img: --output must be used with human or json as argument.", OUTCOME_USAGE},
    // ... which an image cannot imitate in the middle of a line
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "",
     "qemu-img: Could not open 'qemu-img: unrecognized option ': No such file\n", OUTCOME_REFUSED},
    {TOOL_QEMU_IMG, NOT_CHECK, EXEC_EXITED, 0, "", "Try 'qemu-img --help'", OUTCOME_OK},

    {TOOL_INSTAR, NOT_CHECK, EXEC_EXITED, 0, "", "", OUTCOME_OK},
    {TOOL_INSTAR, ANY_OP, EXEC_EXITED, 1, "", "Error: \"convert operation failed\"\n",
     OUTCOME_REFUSED},
    {TOOL_INSTAR, NOT_CHECK, EXEC_EXITED, 2, "{}", "error: unexpected argument", OUTCOME_USAGE},
    {TOOL_INSTAR, NOT_CHECK, EXEC_EXITED, 3, "", "", OUTCOME_REFUSED},
    {TOOL_INSTAR, OP_CHECK, EXEC_EXITED, 0, "{}", "", OUTCOME_CLEAN},
    {TOOL_INSTAR, OP_CHECK, EXEC_EXITED, 2, "\n {\"corruptions\": 1}", "", OUTCOME_CORRUPT},
    {TOOL_INSTAR, OP_CHECK, EXEC_EXITED, 2, "", "error: unexpected argument", OUTCOME_USAGE},
    {TOOL_INSTAR, OP_CHECK, EXEC_EXITED, 2, "Usage: {}", "", OUTCOME_USAGE},
    {TOOL_INSTAR, OP_CHECK, EXEC_EXITED, 3, "{}", "", OUTCOME_LEAKS},
    {TOOL_INSTAR, OP_CHECK, EXEC_EXITED, 63, "", "", OUTCOME_NO_CHECKS},
    {TOOL_INSTAR, ANY_OP, EXEC_EXITED, 101, "", "thread 'main' panicked at", OUTCOME_SIGNAL},
    {TOOL_INSTAR, ANY_OP, EXEC_EXITED, 1, "",
     "Error: \"measure: guest CPU exception: invalid opcode (#UD) at guest RIP 0x3002c\"\n",
     OUTCOME_SIGNAL},
    {TOOL_INSTAR, ANY_OP, EXEC_EXITED, 1, "{}",
     "\n--- VM Shutdown (triple fault?) ---\nError: \"VM shutdown (triple fault)\"\n",
     OUTCOME_SIGNAL},
    {TOOL_INSTAR, ANY_OP, EXEC_EXITED, 1, "",
     "Error: \"error discovering backing chain for src.vpc: Info operation failed: VM shutdown "
     "(possible triple fault)\"\n",
     OUTCOME_SIGNAL},
    {TOOL_INSTAR, ANY_OP, EXEC_EXITED, 1, "", "Error: \"VM entry failed: reason=0x21, cpu=0\"\n",
     OUTCOME_SIGNAL},
    {TOOL_INSTAR, ANY_OP, EXEC_EXITED, 1, "", "Error: \"unexpected VM exit: InternalError\"\n",
     OUTCOME_SIGNAL},
    {TOOL_INSTAR, ANY_OP, EXEC_EXITED, 1, "", "warning: VM shutdown (now)\n", OUTCOME_REFUSED},
    {TOOL_QEMU_IMG, ANY_OP, EXEC_EXITED, 1, "", "Error: \"VM shutdown (triple fault)\"\n",
     OUTCOME_REFUSED},
    {TOOL_INSTAR, ANY_OP, EXEC_EXITED, 7, "", "", OUTCOME_REFUSED},
    // an instar refusal never has qemu-img's words for a wrong command line
    {TOOL_INSTAR, ANY_OP, EXEC_EXITED, 1, "", "Try 'qemu-img --help'", OUTCOME_REFUSED},

    {TOOL_QEMU_IMG, OP_COMPARE, EXEC_EXITED, 0, "Images are identical.\n", "", OUTCOME_OK},
    {TOOL_QEMU_IMG, OP_COMPARE, EXEC_EXITED, 1, "Content mismatch at offset 0!\n", "", OUTCOME_DIFFERENT},
    {TOOL_QEMU_IMG, OP_COMPARE, EXEC_EXITED, 2, "", "qemu-img: Could not open 'x'\n", OUTCOME_REFUSED},
    {TOOL_QEMU_IMG, OP_COMPARE, EXEC_EXITED, 1, "", "qemu-img: Expecting two image file names\n",
     OUTCOME_USAGE},
    {TOOL_INSTAR, OP_COMPARE, EXEC_EXITED, 0, "{}", "", OUTCOME_OK},
    {TOOL_INSTAR, OP_COMPARE, EXEC_EXITED, 1, "{\"identical\": false}", "", OUTCOME_DIFFERENT},
    {TOOL_INSTAR, OP_COMPARE, EXEC_EXITED, 1, "", "Error: \"compare failed\"\n", OUTCOME_REFUSED},
    {TOOL_INSTAR, OP_COMPARE, EXEC_EXITED, 2, "", "error: unexpected argument", OUTCOME_USAGE},

    {ANY_KIND, ANY_OP, EXEC_DEADLINE, 2000, "{}", "No space left on device", OUTCOME_TIMEOUT},
    {ANY_KIND, ANY_OP, EXEC_MEMORY, 1024, "{}", "", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SPACE, 2048, "{}", "", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_PROCESSES, 256, "{}", "", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_LOST, 0, "{}", "Segmentation fault", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGSEGV, "", "No space left on device", OUTCOME_SIGNAL},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGABRT, "{}", "", OUTCOME_SIGNAL},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGABRT, "", "Assertion `0' failed.", OUTCOME_SIGNAL},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGABRT, "",
     "(process:1): GLib-ERROR **: ../glib/gmem.c:106: failed to allocate 99 bytes", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGABRT, "", "memory allocation of 9 bytes failed",
     OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGABRT, "", "Cannot allocate memory", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGTRAP, "", "failed to allocate 99 bytes", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGTRAP, "", "", OUTCOME_SIGNAL},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGABRT, "",
     "qemu: qemu_thread_create: Resource temporarily unavailable\n", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGABRT, "", "Too many open files", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGTRAP, "", "Creating pipes: Too many open files", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGTRAP, "", "Resource temporarily unavailable", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGSEGV, "", "Resource temporarily unavailable", OUTCOME_SIGNAL},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGXFSZ, "", "", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGXCPU, "", "", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_SIGNALED, SIGKILL, "", "", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_EXITED, 1, "", "x: No space left on device", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_EXITED, 1, "", "x: Disk quota exceeded", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_EXITED, 1, "",
     "Error: Os { code: 27, kind: FileTooLarge, message: \"File too large\" }", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_EXITED, 1, "", "x: Cannot allocate memory", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_EXITED, 1, "", "Out of memory", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_EXITED, 1, "", "memory allocation of 9 bytes failed", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_EXITED, 1, "", "failed to allocate 9 bytes", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_EXITED, 1, "", "x: Too many open files", OUTCOME_LIMIT},
    {ANY_KIND, ANY_OP, EXEC_EXITED, 1, "", "x: Resource temporarily unavailable", OUTCOME_LIMIT},
    // a limit's words are looked for on stderr only, and change no success
    {ANY_KIND, ANY_OP, EXEC_EXITED, 1, "No space left on device", "", OUTCOME_REFUSED},
    {ANY_KIND, NOT_CHECK, EXEC_EXITED, 0, "", "No space left on device", OUTCOME_OK},
    {ANY_KIND, OP_CHECK, EXEC_EXITED, 2, "{}", "Cannot allocate memory", OUTCOME_CORRUPT},
};
// clang-format on

static void expect_class(const struct row *row, enum tool_kind kind, enum operation op) {
    const struct tool tool = {.kind = kind};
    struct exec_outcome outcome = {.end = row->end, .value = row->value};
    buffer_text(&outcome.out, row->out);
    buffer_text(&outcome.err, row->err);
    enum outcome_class class = tool_classify(&tool, op, &outcome);
    if (class != row->expected)
        print_error("row %zu, kind %d, %s: %s, not %s\n", (size_t)(row - rows), (int)kind,
                    tool_operation_name(op), outcome_class_names[class],
                    outcome_class_names[row->expected]);
    assert_int_equal(class, row->expected);
    buffer_free(&outcome.out);
    buffer_free(&outcome.err);
}

// compare's 1 is a result: only its own rows are about it.
static bool row_is_about(const struct row *row, int op) {
    if (row->op == op)
        return true;
    return op != OP_COMPARE && (row->op == ANY_OP || (row->op == NOT_CHECK && op != OP_CHECK));
}

static void each_row_gives_its_class(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int kind = TOOL_QEMU_IMG; kind <= TOOL_INSTAR; kind++)
            for (int op = 0; op < TOOL_OPERATIONS; op++)
                if ((rows[i].kind == ANY_KIND || rows[i].kind == kind) &&
                    row_is_about(&rows[i], op))
                    expect_class(&rows[i], kind, op);
}

static void a_nul_in_the_output_hides_no_words(void **state) {
    (void)state;
    static const char text[] = "qemu-img: src\0: No space left on device";
    const struct tool tool = {.kind = TOOL_QEMU_IMG};
    struct exec_outcome outcome = {.end = EXEC_EXITED, .value = 1};
    buffer_append(&outcome.err, text, sizeof text - 1);
    assert_int_equal(tool_classify(&tool, OP_INFO, &outcome), OUTCOME_LIMIT);
    buffer_free(&outcome.err);
}

static void nothing_captured_is_no_surprise(void **state) {
    (void)state;
    const struct tool instar = {.kind = TOOL_INSTAR}, qemu_img = {.kind = TOOL_QEMU_IMG};
    const struct exec_outcome outcome = {.end = EXEC_EXITED, .value = 2};
    assert_int_equal(tool_classify(&instar, OP_CHECK, &outcome), OUTCOME_USAGE);
    const struct exec_outcome refused = {.end = EXEC_EXITED, .value = 1};
    assert_int_equal(tool_classify(&qemu_img, OP_CHECK, &refused), OUTCOME_REFUSED);
}

static void classes_have_the_names_of_reports(void **state) {
    (void)state;
    static const char *const names[] = {"ok",        "clean",     "leaks",   "corrupt",
                                        "no-checks", "different", "refused", "usage",
                                        "limit",     "signal",    "timeout"};
    for (int class = 0; class < OUTCOME_CLASSES; class ++)
        assert_string_equal(outcome_class_names[class], names[class]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_gives_its_class),
        cmocka_unit_test(a_nul_in_the_output_hides_no_words),
        cmocka_unit_test(nothing_captured_is_no_surprise),
        cmocka_unit_test(classes_have_the_names_of_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
