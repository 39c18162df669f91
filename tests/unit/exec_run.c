// SPDX-License-Identifier: Apache-2.0
//
// What a tool is given, what is reported of it, and that nothing it does (flooding, hanging,
// leaving processes behind) stops the harness.
#include "tests/unit/exec_helper.h"

#include "exec/launcher_protocol.h"

#include <sys/time.h>

static struct exec *exec;
static struct exec_outcome outcome;
static struct fault fault;
static char scratch[PATH_MAX]; // a directory of this test's

static int start(void **state) {
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/exec_run.XXXXXX");
    if (!mkdtemp(scratch))
        return -1;
    // What an engine leaves around: none of it may reach the launcher or a tool.
    setenv("LD_PRELOAD", "/nonexistent.so", 1);
    setenv("__AFL_SHM_ID", "4711", 1);
    for (int fd = 198; fd <= 199; fd++)
        dup2(1, fd);
    return exec_start(&exec, helper_launcher(), NULL, &fault);
}

static int stop(void **state) {
    (void)state;
    exec_stop(exec);
    exec_outcome_free(&outcome);
    return workdir_remove_tree(scratch, NULL);
}

static void run(struct exec_command command) {
    if (exec_run(exec, &command, &outcome, &fault))
        fail_msg("%s", fault.text);
}

static void refuses(struct exec_command command, const char *reason) {
    assert_int_equal(exec_run(exec, &command, &outcome, &fault), -1);
    if (!strstr(fault.text, reason))
        fail_msg("\"%s\" does not say \"%s\"", fault.text, reason);
}

static void says(const char *words) {
    struct buffer text = {0};
    exec_outcome_words(&outcome, &text);
    assert_string_equal(text.data, words);
    buffer_free(&text);
}

static void exit_status_is_reported(void **state) {
    (void)state;
    run(HELPER("exit", "0"));
    assert_int_equal(outcome.end, EXEC_EXITED);
    says("exit 0");
    run(HELPER("exit", "63"));
    says("exit 63");
    assert_false(outcome.left_processes);
    assert_true(outcome.wall_us > 0 && outcome.max_resident_kib > 0);
    assert_true(outcome.user_us + outcome.system_us > 0);
    assert_string_equal(outcome.out.data, "");
    assert_string_equal(outcome.err.data, "");
}

// SIGTERM: the launcher ignores it, the tool must not.
static void signals_are_reported_and_not_ignored(void **state) {
    (void)state;
    run(HELPER("raise", "15"));
    assert_int_equal(outcome.end, EXEC_SIGNALED);
    says("signal 15 (SIGTERM)");
    run(HELPER("raise", "13"));
    says("signal 13 (SIGPIPE)");
    run(HELPER("raise", "9"));
    assert_int_equal(outcome.end, EXEC_SIGNALED);
    run(HELPER("raise", "40"));
    says("signal 40");
}

static void deadline_ends_the_group_and_who_left_it(void **state) {
    (void)state;
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/deadline", scratch);
    struct exec_command command = HELPER("family", path);
    command.deadline_ms = 3000; // until then all of it has to be there
    run(command);
    assert_int_equal(outcome.end, EXEC_DEADLINE);
    says("killed after 3000 ms");
    assert_in_range(outcome.wall_us, 3000000, HELPER_SOON_US);
    pid_t family[FAMILY];
    helper_read_family(path, family);
    assert_false(helper_alive(family[FAMILY_MEMBER]));
    assert_false(helper_alive(family[FAMILY_STRANGER]));
}

static void left_processes_are_told_and_killed(void **state) {
    (void)state;
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/abandon", scratch);
    run(HELPER("abandon", path));
    says("exit 7");
    assert_true(outcome.left_processes);
    pid_t family[FAMILY];
    helper_read_family(path, family);
    assert_false(helper_alive(family[FAMILY_MEMBER]));
    assert_false(helper_alive(family[FAMILY_STRANGER]));
    run(HELPER("exit", "0"));
    assert_false(outcome.left_processes);
}

static void a_zombie_is_not_a_left_process(void **state) {
    (void)state;
    run(HELPER("zombie"));
    assert_false(outcome.left_processes);
}

static void a_flood_of_both_streams_is_drained(void **state) {
    (void)state;
    run(HELPER("flood", "67108864"));
    says("exit 0");
    assert_true(outcome.out_cut && outcome.err_cut);
    assert_int_equal(outcome.out.length, 64 * 1024);
    assert_int_equal(outcome.err.length, 64 * 1024);
    assert_true(outcome.out.capacity < 1024 * 1024);
}

static void a_flood_does_not_hold_up_the_deadline(void **state) {
    (void)state;
    struct exec_command command = HELPER("flood-forever");
    command.deadline_ms = 300;
    run(command);
    says("killed after 300 ms");
    assert_true(outcome.wall_us < HELPER_SOON_US);
}

static void capture_is_cut_at_its_limit_and_not_before(void **state) {
    (void)state;
    struct exec_command command = HELPER("print", "12345", "1234");
    command.capture_limit = 4;
    run(command);
    assert_string_equal(outcome.out.data, "1234");
    assert_true(outcome.out_cut);
    assert_string_equal(outcome.err.data, "1234");
    assert_false(outcome.err_cut);
    command.capture_limit = 0;
    run(command);
    assert_string_equal(outcome.out.data, "");
    assert_true(outcome.out_cut && outcome.err_cut);
}

static void any_bytes_are_captured(void **state) {
    (void)state;
    run(HELPER("garbage"));
    assert_int_equal(outcome.out.length, 6);
    assert_memory_equal(outcome.out.data, "a\0b\xff\n\0", 7);
}

static void stdin_is_the_null_device(void **state) {
    (void)state;
    run(HELPER("stdin"));
    assert_string_equal(outcome.out.data, "/dev/null 0");
}

static void arguments_arrive_as_given(void **state) {
    (void)state;
    run(HELPER("arguments", "", "a b", "$x\n", "\xff"));
    assert_string_equal(outcome.out.data, "[][a b][$x\n][\xff]");
}

static void environment_is_exactly_the_given_one(void **state) {
    (void)state;
    struct exec_command command = HELPER("environment");
    run(command);
    assert_string_equal(outcome.out.data, "");
    command.environment = (const char *[]){"TZ=UTC", "EMPTY=", "LC_ALL=C", NULL};
    run(command);
    assert_string_equal(outcome.out.data, "TZ=UTC\nEMPTY=\nLC_ALL=C\n");
}

static void only_three_descriptors_are_open(void **state) {
    (void)state;
    run(HELPER("fds"));
    assert_string_equal(outcome.out.data, "0 1 2 ");
}

static void state_is_the_default_one(void **state) {
    (void)state;
    run(HELPER("state"));
    const char *text = outcome.out.data;
    assert_non_null(strstr(text, "SigBlk:\t0000000000000000\n"));
    assert_non_null(strstr(text, "SigIgn:\t0000000000000000\n"));
    assert_non_null(strstr(text, "NoNewPrivs:\t1\n"));
    assert_non_null(strstr(text, "core 0\n"));
    assert_non_null(strstr(text, "leader 1\n"));
}

static void directory_is_the_given_one(void **state) {
    (void)state;
    struct exec_command command = HELPER("directory");
    command.directory = scratch;
    run(command);
    assert_string_equal(outcome.out.data, scratch);
    command.directory = "/nonexistent";
    refuses(command, "cannot enter /nonexistent: No such file");
    command.directory = ".";
    refuses(command, "absolute");
}

static void file_size_limit_is_sigxfsz(void **state) {
    (void)state;
    struct exec_command command = HELPER("grow");
    command.directory = scratch;
    command.file_size_limit = 100000;
    run(command);
    says("signal 25 (SIGXFSZ)");
    char path[PATH_MAX + 16];
    struct stat status;
    snprintf(path, sizeof path, "%s/grown", scratch);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 100000);
}

static void cpu_limit_is_sigxcpu(void **state) {
    (void)state;
    struct exec_command command = HELPER("spin");
    command.cpu_seconds_limit = 1;
    command.deadline_ms = 10 * HELPER_DEADLINE_MS; // on a busy machine it gets a part of a core
    run(command);
    says("signal 24 (SIGXCPU)");
    // The limit is counted in ticks; on a busy machine the precise sum may be well below.
    assert_in_range(outcome.user_us + outcome.system_us, 500000, 1999999);
}

static void what_cannot_run_is_an_error_with_its_reason(void **state) {
    (void)state;
    struct exec_command command = HELPER("exit", "0");
    command.program = "/nonexistent/tool";
    refuses(command, "cannot run /nonexistent/tool: No such file or directory");
    command.program = "/etc/passwd";
    refuses(command, "cannot run /etc/passwd: Permission denied");

    char script[PATH_MAX + 16];
    snprintf(script, sizeof script, "%s/script", scratch);
    helper_write_file(script, "#!/nonexistent/interpreter\n");
    chmod(script, 0700);
    command.program = script;
    refuses(command, "interpreter or loader is missing");
    run(HELPER("exit", "0"));
}

static void large_requests_fit_and_larger_ones_are_refused(void **state) {
    (void)state;
    static char large[LAUNCHER_MESSAGE_MAX];
    memset(large, 'x', 60000);
    struct exec_command command = HELPER("arguments", large);
    run(command);
    assert_int_equal(outcome.out.length, 60002);
    memset(large, 'x', sizeof large - 1);
    refuses(command, "cannot run");
    run(HELPER("exit", "0"));
}

static volatile unsigned alarms;
static void count_alarm(int number) {
    (void)number;
    alarms++;
}

static void interrupted_waits_go_on(void **state) {
    (void)state;
    struct sigaction action = {.sa_handler = count_alarm}, before;
    sigaction(SIGALRM, &action, &before);
    struct itimerval storm = {{0, 1000}, {0, 1000}}, calm = {0};
    alarms = 0;
    setitimer(ITIMER_REAL, &storm, NULL);

    struct exec *other;
    for (int round = 0; round < 50; round++) { // its start takes about as long as an interval
        assert_int_equal(exec_start(&other, helper_launcher(), NULL, &fault), 0);
        exec_stop(other);
    }
    assert_int_equal(exec_start(&other, helper_launcher(), NULL, &fault), 0);
    struct exec_command flood = HELPER("flood", "8388608");
    assert_int_equal(exec_run(other, &flood, &outcome, &fault), 0);
    says("exit 0");
    struct exec_command sleeper = HELPER("sleep");
    sleeper.deadline_ms = 200;
    assert_int_equal(exec_run(other, &sleeper, &outcome, &fault), 0);
    says("killed after 200 ms");
    assert_in_range(outcome.wall_us, 200000, HELPER_SOON_US);
    pid_t launcher = other->plain.launcher;
    exec_stop(other);

    setitimer(ITIMER_REAL, &calm, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_true(alarms > 100);
    assert_int_equal(kill(launcher, 0), -1); // reaped
}

static void be_late(int number) {
    (void)number;
    poll(NULL, 0, 300);
}

// The harness gets to look only when the tool has ended: everything is there at the same time, and
// the reply must not hide what is still in the pipes.
static void a_late_harness_misses_nothing(void **state) {
    (void)state;
    struct sigaction action = {.sa_handler = be_late}, before;
    sigaction(SIGALRM, &action, &before);
    struct itimerval once = {{0, 0}, {0, 2000}};
    struct exec_command command = HELPER("print", "12345", "12345");
    command.capture_limit = 4;
    setitimer(ITIMER_REAL, &once, NULL);
    run(command);
    sigaction(SIGALRM, &before, NULL);
    assert_true(outcome.out_cut && outcome.err_cut);
}

// As for a harness under nohup or a supervisor that blocks signals.
static void dispositions_of_the_harness_do_not_matter(void **state) {
    (void)state;
    signal(SIGCHLD, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    sigset_t some, before;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    sigprocmask(SIG_BLOCK, &some, &before);
    struct exec *other;
    assert_int_equal(exec_start(&other, helper_launcher(), NULL, &fault), 0);
    struct exec_command command = HELPER("state");
    assert_int_equal(exec_run(other, &command, &outcome, &fault), 0);
    exec_stop(other);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_non_null(strstr(outcome.out.data, "SigBlk:\t0000000000000000\n"));
    assert_non_null(strstr(outcome.out.data, "SigIgn:\t0000000000000000\n"));
}

static void helpers_are_found_beside_the_program(void **state) {
    (void)state;
    char path[PATH_MAX];
    const char *name = strrchr(helper_self(), '/') + 1;
    assert_int_equal(exec_find_beside(name, path, sizeof path, &fault), 0);
    assert_string_equal(path, helper_self());
    assert_int_equal(exec_find_beside("no-such-program", path, sizeof path, &fault), -1);
    assert_non_null(strstr(fault.text, "no-such-program"));
    assert_int_equal(exec_find_beside(name, path, 5, &fault), -1);
}

int main(int argc, char **argv) {
    if (argc > 2 && !strcmp(argv[1], "helper"))
        helper_main(argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status_is_reported),
        cmocka_unit_test(signals_are_reported_and_not_ignored),
        cmocka_unit_test(deadline_ends_the_group_and_who_left_it),
        cmocka_unit_test(left_processes_are_told_and_killed),
        cmocka_unit_test(a_zombie_is_not_a_left_process),
        cmocka_unit_test(a_flood_of_both_streams_is_drained),
        cmocka_unit_test(a_flood_does_not_hold_up_the_deadline),
        cmocka_unit_test(capture_is_cut_at_its_limit_and_not_before),
        cmocka_unit_test(any_bytes_are_captured),
        cmocka_unit_test(stdin_is_the_null_device),
        cmocka_unit_test(arguments_arrive_as_given),
        cmocka_unit_test(environment_is_exactly_the_given_one),
        cmocka_unit_test(only_three_descriptors_are_open),
        cmocka_unit_test(state_is_the_default_one),
        cmocka_unit_test(directory_is_the_given_one),
        cmocka_unit_test(file_size_limit_is_sigxfsz),
        cmocka_unit_test(cpu_limit_is_sigxcpu),
        cmocka_unit_test(what_cannot_run_is_an_error_with_its_reason),
        cmocka_unit_test(large_requests_fit_and_larger_ones_are_refused),
        cmocka_unit_test(interrupted_waits_go_on),
        cmocka_unit_test(a_late_harness_misses_nothing),
        cmocka_unit_test(dispositions_of_the_harness_do_not_matter),
        cmocka_unit_test(helpers_are_found_beside_the_program),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
