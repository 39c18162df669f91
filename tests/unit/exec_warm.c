// SPDX-License-Identifier: Apache-2.0
//
// Warm and persistent processes do what plain execution does, survive what a command does to them,
// and leave nothing behind. The program that they run is tests/subject: with sanitizers in it the
// preload library could not be loaded first.
#include "tests/unit/exec_helper.h"

#include "exec/clock.h"

static struct exec *shim;
static struct exec_outcome outcome;
static struct fault fault;
static char subject[PATH_MAX], directory[] = "/tmp/exec_warm.XXXXXX";

static int setup(void **state) {
    (void)state;
    return exec_find_beside("tests/subject", subject, sizeof subject, &fault) ||
           !mkdtemp(directory) || exec_start(&shim, helper_launcher(), NULL, &fault);
}

static void remove_files(void) {
    static const char *const names[] = {"grown", "filled"};
    char path[PATH_MAX];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
}

static int teardown(void **state) {
    (void)state;
    exec_stop(shim);
    exec_outcome_free(&outcome);
    remove_files();
    return rmdir(directory);
}

static struct exec_command command_of(enum exec_backend backend, const char *const *words) {
    static const char *argv[20];
    static const char *const environment[] = {"LC_ALL=C", "ONE=1", NULL};
    size_t count = 0;
    argv[count++] = "subject";
    while (*words)
        argv[count++] = *words++;
    argv[count] = NULL;
    return (struct exec_command){
        .program = subject,
        .argv = argv,
        .environment = environment,
        .directory = directory,
        .backend = backend,
        .deadline_ms = HELPER_DEADLINE_MS,
        .capture_limit = 4 << 20,
    };
}
#define COMMAND(backend, ...) command_of(backend, (const char *const[]){__VA_ARGS__, NULL})

static void run(const struct exec_command *command) {
    if (exec_run(shim, command, &outcome, &fault))
        fail_msg("%s", fault.text);
}
#define RUN(backend, ...)                                                                          \
    do {                                                                                           \
        struct exec_command made = COMMAND(backend, __VA_ARGS__);                                  \
        run(&made);                                                                                \
    } while (0)

static void ends(const char *words) {
    struct buffer said = {0};
    exec_outcome_words(&outcome, &said);
    assert_string_equal(said.data, words);
    buffer_free(&said);
}

// Every back end but the plain one.
#define FOR_EACH(backend) for (int backend = EXEC_LINKED; backend < EXEC_BACKENDS; backend++)

static void same_as_plain(void **state) {
    (void)state;
    static const char *const commands[][6] = {
        {NULL},
        {"-v"},
        {"-vv", "a", "", "c d"},
        {"--verbose", "x"},
        {"-q"},
        {"--", "-v"},
        {"environment"},
        {"leader"},
        {"complain", "exit3"},
        {"exit0"},
        {"raise6"},
        {"raise11"},
        {"flood"},
        {"parent"},
        {"-v", "complain", "complain", "complain"},
    };
    FOR_EACH(backend)
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
            struct exec_outcome plain = {0};
            struct exec_command command = command_of(EXEC_PLAIN, commands[i]);
            assert_int_equal(exec_run(shim, &command, &plain, &fault), 0);
            command.backend = (enum exec_backend)backend;
            run(&command);
            assert_int_equal(outcome.end, plain.end);
            assert_int_equal(outcome.value, plain.value);
            assert_int_equal(outcome.out.length, plain.out.length);
            assert_memory_equal(outcome.out.data, plain.out.data, plain.out.length);
            assert_string_equal(outcome.err.data, plain.err.data);
            exec_outcome_free(&plain);
        }
}

static void no_descriptor_is_added(void **state) {
    (void)state;
    FOR_EACH(backend) {
        RUN((enum exec_backend)backend, "descriptors");
        if (backend == EXEC_PERSISTENT) // its worker asks for its commands itself
            assert_non_null(strstr(outcome.out.data, "0 1 2 5"));
        else
            assert_string_equal(outcome.out.data, "0 1 2 ");
    }
}

static void a_worker_runs_many_commands_and_a_fork_one(void **state) {
    (void)state;
    RUN(EXEC_OPTIONS, "runs");
    RUN(EXEC_OPTIONS, "runs");
    assert_string_equal(outcome.out.data, "1");
    RUN(EXEC_PERSISTENT, "exit1"); // a fresh worker
    for (int i = 1; i < 20; i++) {
        char expected[8];
        snprintf(expected, sizeof expected, "%d", i);
        RUN(EXEC_PERSISTENT, "runs");
        assert_string_equal(outcome.out.data, expected);
    }
}

static void a_worker_that_is_not_fit_is_replaced(void **state) {
    (void)state;
    static const char *const last[] = {"exit3", "raise9", "leak", "gap", "child"};
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
        RUN(EXEC_PERSISTENT, "runs");
        RUN(EXEC_PERSISTENT, last[i]);
        RUN(EXEC_PERSISTENT, "runs");
        assert_string_equal(outcome.out.data, "1");
    }
}

static void what_is_written_late_is_nobody_s(void **state) {
    (void)state;
    RUN(EXEC_PERSISTENT, "late");
    poll(NULL, 0, 150);
    RUN(EXEC_PERSISTENT, "-v", "on");
    assert_string_equal(outcome.out.data, "[on]");
}

static void a_worker_retires_after_a_while(void **state) {
    (void)state;
    int most = 0;
    for (int i = 0; i < 1500; i++) {
        RUN(EXEC_PERSISTENT, "runs");
        int runs = atoi(outcome.out.data);
        most = runs > most ? runs : most;
    }
    assert_in_range(most, 20, 1000);
}

// The one that the command before said it left.
static pid_t left_child(void) {
    const char *blank = strchr(outcome.out.data, ' ');
    if (!blank)
        fail_msg("no child in \"%s\"", outcome.out.data);
    return atoi(blank);
}

static void processes_that_stay_are_ended(void **state) {
    (void)state;
    static const char *const kinds[] = {"child", "loner", "stranger", "daemon"};
    FOR_EACH(backend)
    for (size_t i = 0; i < 4; i++) {
        RUN((enum exec_backend)backend, "pid", kinds[i]);
        ends("exit 0");
        assert_true(outcome.left_processes);
        // Nothing that was below the warm process is there any more: neither the tool nor its
        // child.
        assert_int_equal(kill((pid_t)-atoi(outcome.out.data), 0), -1);
        assert_false(helper_alive(left_child()));
        RUN((enum exec_backend)backend, "-v", "again");
        assert_string_equal(outcome.out.data, "[again]");
        assert_false(outcome.left_processes);
    }
}

static void a_deadline_ends_the_command_and_not_the_process(void **state) {
    (void)state;
    static const char *const kinds[][2] = {{"sleep", NULL}, {"deaf", "sleep"}, {"spin", NULL}};
    FOR_EACH(backend)
    for (size_t i = 0; i < 3; i++) {
        struct exec_command command = COMMAND((enum exec_backend)backend, kinds[i][0], kinds[i][1]);
        command.deadline_ms = 100;
        run(&command);
        ends("killed after 100 ms");
        assert_in_range(outcome.wall_us, 100000, HELPER_SOON_US);
        RUN((enum exec_backend)backend, "-v", "on");
        assert_string_equal(outcome.out.data, "[on]");
    }
}

// One that left the group is not there to write into the streams of the next command, or to be
// taken for what that one left.
static void nothing_outlives_a_deadline(void **state) {
    (void)state;
    FOR_EACH(backend) {
        struct exec_command command =
            COMMAND((enum exec_backend)backend, "stranger", "flush", "sleep");
        command.deadline_ms = 1000; // until then the other one has to be there
        run(&command);
        ends("killed after 1000 ms");
        assert_false(outcome.left_processes);
        assert_false(helper_alive(left_child()));
        RUN((enum exec_backend)backend, "-v", "on");
        assert_false(outcome.left_processes);
    }
}

static void limits_hold(void **state) {
    (void)state;
    FOR_EACH(backend) {
        struct exec_command command = COMMAND((enum exec_backend)backend, "grow");
        command.file_size_limit = 1 << 20;
        run(&command);
        ends("signal 25 (SIGXFSZ)");
    }
    // Processor time of a worker goes on from command to command; its limit must not.
    struct exec_command command = COMMAND(EXEC_PERSISTENT, "spin");
    command.cpu_seconds_limit = 1;
    command.deadline_ms = 10 * HELPER_DEADLINE_MS; // on a busy machine it gets a part of a core
    run(&command);
    ends("signal 24 (SIGXCPU)");
}

// The launcher of a warm process looks, and ends all of it: what a limit was passed by must be
// told.
static void who_takes_too_much_is_ended_and_told(void **state) {
    (void)state;
    static const struct {
        const char *word;
        struct exec_limits limits;
        const char *ends;
    } rows[] = {
        {"eat", {.memory = 64 << 20}, "killed for more than 64 MiB of memory"},
        {"fill", {.space = 32 << 20}, "killed for more than 32 MiB of files"},
        {"multiply", {.processes = 100}, "ended at more than 100 processes"},
    };
    FOR_EACH(backend)
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct exec_command command = COMMAND((enum exec_backend)backend, rows[i].word);
        command.limits = rows[i].limits;
        run(&command);
        ends(rows[i].ends);
        remove_files();
        command = COMMAND((enum exec_backend)backend, "-v", "on");
        run(&command);
        assert_string_equal(outcome.out.data, "[on]");
    }
}

static pid_t warm_pid(enum exec_backend backend) {
    RUN(backend, "pid");
    return atoi(outcome.out.data);
}

// The process that forks is the parent of what runs.
static pid_t parent_of(pid_t pid) {
    char path[64], text[512];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!helper_read_file(path, text, sizeof text) ||
        sscanf(strrchr(text, ')') + 1, " %*c %d", &parent) != 1)
        fail_msg("no parent of %d", (int)pid);
    return parent;
}

static void a_process_that_died_between_commands_is_replaced(void **state) {
    (void)state;
    pid_t worker = warm_pid(EXEC_PERSISTENT), process = parent_of(worker);
    kill(process, SIGKILL);
    // Until the worker is gone, too, a command is lost with it.
    for (int waited = 0;
         (helper_alive(process) || helper_alive(worker)) && waited < HELPER_MAX_WAIT_MS;
         waited += 2)
        poll(NULL, 0, 2);
    RUN(EXEC_PERSISTENT, "runs");
    assert_string_equal(outcome.out.data, "1");
    assert_false(helper_alive(worker));
}

static void a_command_that_died_with_its_process_is_lost(void **state) {
    (void)state;
    pid_t process = parent_of(warm_pid(EXEC_PERSISTENT));
    char begun[PATH_MAX];
    snprintf(begun, sizeof begun, "%s/begun", directory);
    pid_t killer = fork();
    if (!killer) {
        for (int waited = 0; access(begun, F_OK) && waited < HELPER_MAX_WAIT_MS; waited += 2)
            poll(NULL, 0, 2);
        kill(process, SIGKILL);
        _exit(0);
    }
    RUN(EXEC_PERSISTENT, "begin", "sleep");
    ends("lost with its warm process");
    waitpid(killer, NULL, 0);
    assert_int_equal(unlink(begun), 0);
    RUN(EXEC_PERSISTENT, "-v", "on");
    assert_string_equal(outcome.out.data, "[on]");
}

// In a pair one tool's answers stand between the losses of the other.
static void answers_of_another_program_do_not_make_up_for_losses(void **state) {
    (void)state;
    char other[PATH_MAX];
    snprintf(other, sizeof other, "%s/another", directory);
    assert_int_equal(symlink(subject, other), 0);
    unsigned lost = 0;
    while (lost < 100) {
        struct exec_command command = COMMAND(EXEC_OPTIONS, "-v", "bereave");
        if (exec_run(shim, &command, &outcome, &fault))
            break;
        ends("lost with its warm process");
        lost++;
        command = COMMAND(EXEC_OPTIONS, "-v", "on");
        command.program = other;
        run(&command);
    }
    unlink(other);
    assert_int_equal(lost, 10); // as WARM_LOST_MAX says
    RUN(EXEC_OPTIONS, "-v", "on");
}

static void what_cannot_be_warm_says_so(void **state) {
    (void)state;
    struct exec_command command = COMMAND(EXEC_OPTIONS, "-v");
    char fixed[PATH_MAX];
    snprintf(fixed, sizeof fixed, "%s-static", subject);
    command.program = fixed;
    assert_int_equal(exec_run(shim, &command, &outcome, &fault), -1);
    assert_non_null(strstr(fault.text, "ran to its end without stopping"));
    command.backend = EXEC_PLAIN;
    run(&command);
    command.backend = EXEC_OPTIONS;
    command.program = "/nowhere/subject";
    assert_int_equal(exec_run(shim, &command, &outcome, &fault), -1);
    assert_non_null(strstr(fault.text, "cannot be started: No such file"));
}

// A launcher that cannot end what it runs any more is ended with all that it runs.
static void a_launcher_that_hangs_takes_all_with_it(void **state) {
    (void)state;
    pid_t launcher = parent_of(parent_of(warm_pid(EXEC_PERSISTENT)));
    kill(launcher, SIGSTOP);
    RUN(EXEC_PERSISTENT, "loner");
    assert_true(outcome.left_processes);
    assert_false(helper_alive(left_child()));
    RUN(EXEC_PERSISTENT, "-v", "on");
    assert_string_equal(outcome.out.data, "[on]");
}

static void another_environment_is_another_process(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        char two[32];
        snprintf(two, sizeof two, "TWO=%d", i % 10);
        const char *const environment[] = {two, NULL};
        struct exec_command command = COMMAND(EXEC_PERSISTENT, "environment");
        command.environment = environment;
        run(&command);
        strcat(two, "\n");
        assert_string_equal(outcome.out.data, two);
    }
}

static void nothing_is_left_at_the_end(void **state) {
    (void)state;
    struct exec *other;
    assert_int_equal(exec_start(&other, helper_launcher(), NULL, &fault), 0);
    pid_t workers[EXEC_BACKENDS] = {0};
    FOR_EACH(backend) {
        struct exec_command command = COMMAND((enum exec_backend)backend, "pid");
        assert_int_equal(exec_run(other, &command, &outcome, &fault), 0);
        workers[backend] = atoi(outcome.out.data);
    }
    assert_true(helper_alive(workers[EXEC_PERSISTENT]));
    exec_stop(other);
    FOR_EACH(backend)
    assert_false(helper_alive(workers[backend]));
}

int main(int argc, char **argv) {
    if (argc > 2 && !strcmp(argv[1], "helper"))
        helper_main(argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_plain),
        cmocka_unit_test(no_descriptor_is_added),
        cmocka_unit_test(a_worker_runs_many_commands_and_a_fork_one),
        cmocka_unit_test(a_worker_that_is_not_fit_is_replaced),
        cmocka_unit_test(what_is_written_late_is_nobody_s),
        cmocka_unit_test(a_worker_retires_after_a_while),
        cmocka_unit_test(processes_that_stay_are_ended),
        cmocka_unit_test(a_deadline_ends_the_command_and_not_the_process),
        cmocka_unit_test(nothing_outlives_a_deadline),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(who_takes_too_much_is_ended_and_told),
        cmocka_unit_test(a_process_that_died_between_commands_is_replaced),
        cmocka_unit_test(a_command_that_died_with_its_process_is_lost),
        cmocka_unit_test(answers_of_another_program_do_not_make_up_for_losses),
        cmocka_unit_test(a_launcher_that_hangs_takes_all_with_it),
        cmocka_unit_test(what_cannot_be_warm_says_so),
        cmocka_unit_test(another_environment_is_another_process),
        cmocka_unit_test(nothing_is_left_at_the_end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
