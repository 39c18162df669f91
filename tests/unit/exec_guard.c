// SPDX-License-Identifier: Apache-2.0
//
// Deaths: of the harness, of the launcher, between commands and in the middle of one. Whoever is
// left has to clean up, and only what is its own.
#include "tests/unit/exec_helper.h"

#include "exec/launcher_protocol.h"

#include <sys/socket.h>

static struct exec_outcome outcome;
static struct fault fault;
static char scratch[PATH_MAX];

static int start(void **state) {
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/exec_guard.XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    exec_outcome_free(&outcome);
    return workdir_remove_tree(scratch, NULL);
}

static struct exec *started(const char *guarded) {
    struct exec *exec;
    if (exec_start(&exec, helper_launcher(), guarded, &fault))
        fail_msg("%s", fault.text);
    return exec;
}

static void runs(struct exec *exec, struct exec_command command) {
    if (exec_run(exec, &command, &outcome, &fault))
        fail_msg("%s", fault.text);
}

static void fails(struct exec *exec, struct exec_command command, const char *reason) {
    assert_int_equal(exec_run(exec, &command, &outcome, &fault), -1);
    if (!strstr(fault.text, reason))
        fail_msg("\"%s\" does not say \"%s\"", fault.text, reason);
}

static void in_scratch(char *path, size_t room, const char *name) {
    assert_true(snprintf(path, room, "%s/%s", scratch, name) < (int)room);
}

// True once it holds, false if it does not within the wait.
static bool soon_gone(const char *path, const pid_t *pids, size_t count) {
    for (int waited = 0; waited < HELPER_MAX_WAIT_MS; waited += 2) {
        bool gone = !path || access(path, F_OK);
        for (size_t i = 0; i < count; i++)
            gone &= !helper_alive(pids[i]);
        if (gone)
            return true;
        poll(NULL, 0, 2);
    }
    return false;
}

static void kill_and_wait_for_hang_up(struct exec *exec) {
    struct pollfd wait = {.fd = exec->plain.socket};
    kill(exec->plain.launcher, SIGKILL);
    assert_int_equal(poll(&wait, 1, HELPER_MAX_WAIT_MS), 1);
}

static void a_launcher_that_died_between_commands_is_replaced(void **state) {
    (void)state;
    struct exec *exec = started(NULL);
    for (int round = 0; round < 3; round++) {
        pid_t before = exec->plain.launcher;
        kill_and_wait_for_hang_up(exec);
        runs(exec, HELPER("exit", "5"));
        assert_int_equal(outcome.value, 5);
        assert_int_not_equal(exec->plain.launcher, before);
        assert_int_equal(kill(before, 0), -1); // reaped
    }
    exec_stop(exec);
}

static void a_launcher_that_cannot_be_replaced_is_an_error(void **state) {
    (void)state;
    struct exec *exec = started(NULL);
    kill_and_wait_for_hang_up(exec);
    strcpy(exec->program, "/gone");
    fails(exec, HELPER("exit", "0"), "cannot start the launcher /gone: No such file");
    fails(exec, HELPER("exit", "0"), "cannot start the launcher /gone: No such file");
    exec_stop(exec);
}

static void a_launcher_that_dies_during_a_command_is_an_error(void **state) {
    (void)state;
    char path[PATH_MAX];
    in_scratch(path, sizeof path, "orphans");
    struct exec *exec = started(NULL);
    fails(exec, HELPER("kill-launcher", path), "the launcher died while it ran");
    pid_t family[FAMILY];
    helper_read_family(path, family);
    assert_true(soon_gone(NULL, family, 1));
    kill(family[FAMILY_STRANGER],
         SIGKILL); // left the session: nobody can know it any more (connection.c)
    runs(exec, HELPER("exit", "3"));
    assert_int_equal(outcome.value, 3);
    exec_stop(exec);
}

static void what_is_not_a_launcher_is_refused(void **state) {
    (void)state;
    struct exec *exec;
    assert_int_equal(exec_start(&exec, "/nonexistent", NULL, &fault), -1);
    assert_non_null(strstr(fault.text, "cannot start the launcher /nonexistent: No such file"));
    assert_null(exec);
    assert_int_equal(exec_start(&exec, helper_self(), NULL, &fault), -1);
    assert_non_null(strstr(fault.text, "is not the launcher"));
}

// Tells in a child whether `exec` is refused there, and that forgetting it harms nobody.
static int use_in_a_fork(struct exec *exec) {
    struct exec_command command = HELPER("exit", "0");
    pid_t child = fork();
    if (!child) {
        int refused = exec_run(exec, &command, &outcome, &fault) == -1 &&
                      strstr(fault.text, "belongs to another process");
        exec_stop(exec);
        _exit(refused ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    return status;
}

static void use_after_fork_is_refused(void **state) {
    (void)state;
    struct exec *exec = started(NULL);
    pid_t launcher = exec->plain.launcher;
    assert_int_equal(use_in_a_fork(exec), 0);
    runs(exec, HELPER("exit", "4"));
    assert_int_equal(outcome.value, 4);
    assert_int_equal(exec->plain.launcher, launcher);
    exec_stop(exec);
}

static void stop_removes_nothing(void **state) {
    (void)state;
    struct workdir workdir;
    assert_int_equal(workdir_create(&workdir, scratch, &fault), 0);
    struct exec *exec = started(workdir.path);
    pid_t launcher = exec->plain.launcher;
    exec_stop(exec);
    assert_int_equal(kill(launcher, 0), -1);
    assert_int_equal(access(workdir.case_path, F_OK), 0);
    workdir_remove(&workdir);
    assert_int_equal(access(workdir.path, F_OK), -1);
    exec_stop(NULL);
}

static void only_our_directories_are_guarded(void **state) {
    (void)state;
    struct exec *exec;
    assert_int_equal(exec_start(&exec, helper_launcher(), scratch, &fault), -1);
    assert_non_null(strstr(fault.text, "will not be guarded"));
    assert_int_equal(exec_start(&exec, helper_launcher(), "instar-fuzz.x", &fault), -1);
}

// Runs the harness mode as a process of its own until it is where it should be. `path` gets its
// directory, `family` the processes of its tool.
static pid_t start_a_harness(bool with_tool, char path[static PATH_MAX], pid_t family[FAMILY]) {
    char ready[PATH_MAX];
    in_scratch(ready, sizeof ready, "harness");
    unlink(ready);
    pid_t harness = fork();
    if (!harness) {
        execl(helper_self(), "harness", "helper", "harness", scratch, helper_launcher(),
              with_tool ? "tool" : NULL, NULL);
        _exit(1);
    }
    assert_true(helper_read_file(ready, path, PATH_MAX));
    if (with_tool) {
        char name[PATH_MAX];
        in_scratch(name, sizeof name, "family");
        helper_read_family(name, family);
        assert_true(helper_alive(family[FAMILY_MEMBER]) && helper_alive(family[FAMILY_STRANGER]));
        unlink(name);
    }
    assert_int_equal(access(path, F_OK), 0);
    return harness;
}

static void kill_a_harness(int signal_number, bool with_tool) {
    char path[PATH_MAX];
    pid_t family[FAMILY];
    pid_t harness = start_a_harness(with_tool, path, family);
    kill(harness, signal_number);
    waitpid(harness, NULL, 0);
    assert_true(soon_gone(path, family, with_tool ? FAMILY : 0));
}

static void a_killed_harness_leaves_nothing(void **state) {
    (void)state;
    kill_a_harness(SIGKILL, true);
}

static void an_aborted_harness_leaves_nothing(void **state) {
    (void)state;
    kill_a_harness(SIGABRT, true);
}

static void an_idle_harness_that_is_killed_leaves_nothing(void **state) {
    (void)state;
    kill_a_harness(SIGKILL, false);
}

// The harness cannot act (it is stopped) and the launcher no longer can.
static void a_tool_dies_with_its_launcher(void **state) {
    (void)state;
    char path[PATH_MAX];
    pid_t family[FAMILY];
    pid_t harness = start_a_harness(true, path, family);
    kill(harness, SIGSTOP);
    kill(family[FAMILY_LAUNCHER], SIGKILL);
    assert_true(soon_gone(NULL, &family[FAMILY_LEADER], 1));
    kill(harness, SIGKILL);
    waitpid(harness, NULL, 0);
    struct workdir next; // the second line of defence
    struct exec *exec;
    assert_int_equal(workdir_create(&next, scratch, &fault), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(exec_start(&exec, helper_launcher(), next.path, &fault), 0);
    if (exec->plain.fence.processes) // what it started is found in its cgroup
        assert_true(soon_gone(NULL, family, FAMILY));
    exec_stop(exec);
    kill(family[FAMILY_MEMBER], SIGKILL);
    kill(family[FAMILY_STRANGER], SIGKILL);
    workdir_remove(&next);
}

// Puts a request into the socket whose reply the next exec_run finds before its own.
static void stale_replies_are_dropped(void **state) {
    (void)state;
    struct exec *exec = started(NULL);
    struct launcher_request stale = {.kind = LAUNCHER_RUN, .number = 77};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {.header = {CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), (int[]){1, 2}, 2 * sizeof(int));
    struct iovec vector = {&stale, sizeof stale};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    assert_true(sendmsg(exec->plain.socket, &message, MSG_NOSIGNAL) > 0);
    runs(exec, HELPER("exit", "6"));
    assert_int_equal(outcome.value, 6);
    exec_stop(exec);
}

static void read_proc(pid_t pid, const char *what, char *text, size_t room) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, text, room - 1);
    text[length > 0 ? length : 0] = 0;
    close(fd);
}

static void the_launcher_holds_nothing_but_its_socket(void **state) {
    (void)state;
    char text[256], link[64];
    setenv("LD_PRELOAD", "/nonexistent.so", 1);
    dup2(1, 198);
    struct exec *exec = started(NULL);
    // Nor does it keep anything of a command, however that went.
    struct exec_command command = HELPER("exit", "0");
    runs(exec, command);
    command.program = "/nonexistent";
    fails(exec, command, "cannot run");
    read_proc(exec->plain.launcher, "environ", text, sizeof text);
    assert_string_equal(text, "");
    for (int fd = 0; fd < 300; fd++) {
        snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)exec->plain.launcher, fd);
        memset(text, 0, sizeof text);
        ssize_t length = readlink(link, text, sizeof text - 1);
        if (fd < 3)
            assert_string_equal(text, "/dev/null");
        else if (fd > 3)
            assert_int_equal(length, -1);
    }
    assert_int_equal(getsid(exec->plain.launcher), exec->plain.launcher);
    unsetenv("LD_PRELOAD");
    close(198);
    exec_stop(exec);
}

// What a terminal or a supervisor sends to everybody must not reach the guard.
static void the_launcher_survives_polite_signals(void **state) {
    (void)state;
    struct exec *exec = started(NULL);
    pid_t launcher = exec->plain.launcher;
    static const int polite[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    for (size_t i = 0; i < sizeof polite / sizeof *polite; i++)
        kill(launcher, polite[i]);
    runs(exec, HELPER("exit", "0"));
    assert_int_equal(exec->plain.launcher, launcher);
    exec_stop(exec);
}

int main(int argc, char **argv) {
    if (argc > 2 && !strcmp(argv[1], "helper"))
        helper_main(argv + 2);
    // Started as a launcher by one of the tests: something that says the wrong thing.
    if (argc == 1 && getsid(0) == getpid() && !getenv("PATH")) {
        helper_write(0, "hello", 5);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_launcher_that_died_between_commands_is_replaced),
        cmocka_unit_test(a_launcher_that_cannot_be_replaced_is_an_error),
        cmocka_unit_test(a_launcher_that_dies_during_a_command_is_an_error),
        cmocka_unit_test(what_is_not_a_launcher_is_refused),
        cmocka_unit_test(use_after_fork_is_refused),
        cmocka_unit_test(stop_removes_nothing),
        cmocka_unit_test(only_our_directories_are_guarded),
        cmocka_unit_test(a_killed_harness_leaves_nothing),
        cmocka_unit_test(an_aborted_harness_leaves_nothing),
        cmocka_unit_test(an_idle_harness_that_is_killed_leaves_nothing),
        cmocka_unit_test(a_tool_dies_with_its_launcher),
        cmocka_unit_test(stale_replies_are_dropped),
        cmocka_unit_test(the_launcher_holds_nothing_but_its_socket),
        cmocka_unit_test(the_launcher_survives_polite_signals),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
